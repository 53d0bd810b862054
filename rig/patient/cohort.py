"""A cohort by number: persons drawn from published spreads, and the basal rate, ratio and sensitivity that suit each.

Type 1: Hovorka's model with spreads as a public code after Boiroux (DTU) draws them: normal, of whose values those
within one SD are kept, as that code does. They make test points, no population: no tails, no correlations. Type 2 has
no published cohort; its spreads are assumptions. Person no. 7 is the same in every cohort. Not responsible for the
models, nor for what a person lives on (`rig.loop.persons`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import scipy

from rig.patient.person import Person, hovorka, type2

Diabetes = Literal["type 1", "type 2"]

COHORT_SEED = 2004
SPREADS: Mapping[str, tuple[float, float]] = {
    "EGP0": (0.0161, 0.0039), "F01": (0.0097, 0.0022), "k12": (0.0649, 0.0282), "ka1": (0.0055, 0.0056),
    "ka2": (0.0683, 0.0507), "ka3": (0.0304, 0.0235), "SIT": (51.2e-4, 32.1e-4), "SID": (8.2e-4, 7.84e-4),
    "SIE": (520e-4, 306e-4), "ke": (0.14, 0.035), "VI": (0.12, 0.012),
}  # fmt: skip
"""Mean and SD of Hovorka's parameters, from Hovorka 2004 (SD is its SEM times √6) as that code has them."""
LN_VG, INSULIN_PER_MIN, LN_GUT_PER_MIN = (np.log(0.15), 0.23), (0.018, 0.0045), (-3.689, 0.25)
"""Of ln VG, 1/tmaxI and ln(1/tmaxG), from the same."""
WEIGHT_KG, BIOAVAILABILITY = (65.0, 95.0), (0.7, 1.2)
"""Uniform, from the same."""
BASAL_U_PER_H = (0.1, 2.2)
"""A person whose basal rate lies outside is drawn again, as a public simulator after Wilinska 2010 does."""
GLUCOSE_MG_PER_DL = 120.0
"""Where a person with type 1 is steady: the house's own."""
TYPE_2_SPREADS: Mapping[str, tuple[float, float]] = {
    "BW": (80.0, 120.0), "residual": (0.2, 0.8), "Gpeq": (120.0, 150.0)
}  # fmt: skip
"""Assumption: uniform."""

MEAL_G, BACK_AFTER_MIN = 60.0, 300
LOOKED_AT_MIN = 600
LARGEST_BOLUS_U = 100.0


@dataclass(frozen=True)
class SuitedTherapy:
    """What suits a person, by a rule that knows nothing of any experiment.

    Attributes:
        basal_u_per_h: holds his steady state.
        ratio_g: carbohydrate for 1 U: with its bolus, 60 g leave his glucose 5 h later where it was.
        sensitivity_mg_per_dl: by so much 1 U lowers him, by the lowest point after 0.1 U.
    """

    basal_u_per_h: float
    ratio_g: float
    sensitivity_mg_per_dl: float


def cohort_parameters(diabetes: Diabetes, number: int, seed: int = COHORT_SEED) -> Mapping[str, float]:
    """Draw the parameters of a person by his number, from 1 on, in the units of his model.

    Raises:
        ValueError: the number is no whole number from 1 on.
    """
    if number < 1 or int(number) != number:
        raise ValueError(f"a person of a cohort has a whole number from 1 on, got {number!r}")
    rng = np.random.default_rng([seed, int(number)])
    if diabetes == "type 2":
        return {name: float(rng.uniform(*ends)) for name, ends in TYPE_2_SPREADS.items()}
    while True:
        drawn = _type_1(rng)
        if min(drawn.values()) <= 0.0 or drawn["EGP0"] <= drawn["F01"]:
            continue
        if BASAL_U_PER_H[0] <= hovorka(drawn).basal_u_per_h <= BASAL_U_PER_H[1]:
            return drawn


def cohort_person(diabetes: Diabetes, number: int, seed: int = COHORT_SEED) -> Person[Any, Any]:
    """Make a person of a cohort by his number; ValueError as `cohort_parameters`."""
    make: Callable[[Mapping[str, Any]], Person[Any, Any]] = hovorka if diabetes == "type 1" else type2
    return make(cohort_parameters(diabetes, number, seed))


def _type_1(rng: np.random.Generator) -> dict[str, float]:
    def within_one_sd(mean: float, sd: float) -> float:
        while abs(z := rng.standard_normal()) > 1.0:
            pass
        return float(mean + sd * z)

    return {name: within_one_sd(*spread) for name, spread in SPREADS.items()} | {
        "VG": float(np.exp(within_one_sd(*LN_VG))),
        "tmaxI": 1.0 / within_one_sd(*INSULIN_PER_MIN),
        "tmaxG": float(np.exp(-within_one_sd(*LN_GUT_PER_MIN))),
        "BW": float(rng.uniform(*WEIGHT_KG)),
        "AG": float(rng.uniform(*BIOAVAILABILITY)),
        "Gpeq": GLUCOSE_MG_PER_DL,
    }


def therapy_of(person: Person[Any, Any]) -> SuitedTherapy:
    """Find what suits a person, by his model alone.

    Raises:
        ValueError: no bolus brings him back in time.
    """
    start = float(person.simulate(0).glucose_mg_per_dl[0])

    def left(bolus_u: float) -> float:
        found = _course(person, BACK_AFTER_MIN, bolus_u, MEAL_G).glucose_mg_per_dl
        return float(found[-1]) - start

    enough_u = 1.0
    while left(enough_u) > 0.0:
        enough_u *= 2.0
        if enough_u > LARGEST_BOLUS_U:
            raise ValueError(f"no bolus brings this person back {BACK_AFTER_MIN} min after a meal of {MEAL_G:g} g")
    bolus_u = float(scipy.optimize.brentq(left, 0.0, enough_u, xtol=1e-6))
    lowest = float(_course(person, LOOKED_AT_MIN, 0.1, 0.0).glucose_mg_per_dl.min())
    return SuitedTherapy(person.basal_u_per_h, MEAL_G / bolus_u, 10.0 * (start - lowest))


def _course(person: Person[Any, Any], minutes: int, bolus_u: float, meal_g: float) -> Any:  # noqa: ANN401 - any model's
    insulin_u_per_h, carbs_g = np.full(minutes, person.basal_u_per_h), np.zeros(minutes)
    insulin_u_per_h[0] += 60.0 * bolus_u
    carbs_g[0] = meal_g
    return person.simulate(minutes, insulin_u_per_h, carbs_g)

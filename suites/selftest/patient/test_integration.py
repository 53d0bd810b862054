"""The models against another solver of their equations, where a minute is long: knees, overdoses, nothing left.

The stored traces of other people's code hold three meals on round hours. Here meals come one upon another.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from rig.analysis.checks import FloatArray
from rig.patient import hovorka, s2008
from rig.patient.cambridge import HovorkaParameters
from suites.studies.patient.reference_data import Reference

REFERENCE = Reference()
MINUTES = 100


def s2008_solved(row: Mapping[str, str], insulin_u_per_h: FloatArray, carbs_g: FloatArray) -> FloatArray:
    """Solve S2008 minute by minute with an adaptive method; returns glucose in plasma, mg/dL."""
    p = {name: float(value) for name, value in row.items() if name != "Name"}
    x = [p.get(f"x0_{n:2d}", p.get(f"x0_{n}", math.nan)) for n in range(1, 14)]
    glucose, queue_g, was_eating, meal = [x[3]], 0.0, False, 0.0
    for announced_g, rate in zip(carbs_g, insulin_u_per_h, strict=True):
        queue_g += announced_g
        eaten_g = min(5.0, queue_g)
        queue_g -= eaten_g
        if eaten_g > 0.0:
            meal = (meal if was_eating else x[0] + x[1]) + 1000.0 * eaten_g
        was_eating = eaten_g > 0.0
        infused = rate / 60.0 * 6000.0 / p["BW"]

        def rates(
            _: float, y: FloatArray, eaten: float = 1000.0 * eaten_g, u: float = infused, d: float = meal
        ) -> list[float]:
            q1, q2, gut, gp, gt, ip, action, i1, xl, il, isc1, isc2, gs = y
            kgut = p["kmax"]
            if d > 0.0:
                upper, lower = 2.5 / (d * (1.0 - p["b"])), 2.5 / (d * p["d"])
                knees = math.tanh(upper * (q1 + q2 - p["b"] * d)) - math.tanh(lower * (q1 + q2 - p["d"] * d))
                kgut = p["kmin"] + 0.5 * (p["kmax"] - p["kmin"]) * (knees + 2.0)
            made = max(p["kp1"] - p["kp2"] * gp - p["kp3"] * xl, 0.0) + p["f"] * p["kabs"] * gut / p["BW"]
            lost = p["Fsnc"] + p["ke1"] * max(gp - p["ke2"], 0.0) + p["k1"] * gp - p["k2"] * gt
            uptake = (p["Vm0"] + p["Vmx"] * action) * gt / (p["Km0"] + gt)
            return [
                eaten - p["kmax"] * q1, p["kmax"] * q1 - kgut * q2, kgut * q2 - p["kabs"] * gut,
                (made - lost) if gp >= 0.0 else 0.0, p["k1"] * gp - p["k2"] * gt - uptake if gt >= 0.0 else 0.0,
                p["m1"] * il - (p["m2"] + p["m4"]) * ip + p["ka1"] * isc1 + p["ka2"] * isc2,
                p["p2u"] * (ip / p["Vi"] - p["Ib"] - action), p["ki"] * (ip / p["Vi"] - i1), p["ki"] * (i1 - xl),
                p["m2"] * ip - (p["m1"] + p["m30"]) * il, u - (p["ka1"] + p["kd"]) * isc1,
                p["kd"] * isc1 - p["ka2"] * isc2, p["ksc"] * (gp - gs),
            ]  # fmt: skip

        x = solve_ivp(rates, (0.0, 1.0), x, method="DOP853", rtol=1e-9, atol=1e-9).y[:, -1].tolist()
        glucose.append(x[3])
    return np.array(glucose) / p["Vg"]


@pytest.mark.parametrize("name", ["adult006", "adolescent010", "child009"])
def test_s2008_passes_the_knees_of_meal_upon_meal_as_another_solver_does(name: str) -> None:
    person, carbs = s2008(REFERENCE.s2008_person(f"{name}_")), np.zeros(MINUTES)
    carbs[[2, 30, 55]] = 25.2, 39.7, 53.0
    insulin = np.full(MINUTES, person.basal_u_per_h)
    expected = s2008_solved(REFERENCE.s2008_person(f"{name}_"), insulin, carbs)
    assert np.abs(person.simulate(MINUTES, insulin, carbs).glucose_mg_per_dl - expected).max() < 0.001


def hovorka_solved(p: HovorkaParameters, insulin_u_per_h: FloatArray) -> FloatArray:
    """Solve Hovorka's model fasting, minute by minute, with a stiff method; returns glucose in plasma, mg/dL."""
    state = hovorka({}).start()
    volume = p.VG * p.BW
    x = [*state.insulin[0], state.accessible_mmol, state.other_mmol]
    glucose = [x[6]]
    for rate in insulin_u_per_h:

        def rates(_: float, y: FloatArray, u: float = rate * 1000.0 / 60.0) -> list[float]:
            s1, s2, i, x1, x2, x3, q1, q2 = y
            used = p.F01 * p.BW * min(1.0, q1 / volume / 4.5) + 0.003 * max(0.0, q1 / volume - 9.0) * volume
            return [
                u - s1 / p.tmaxI, (s1 - s2) / p.tmaxI, s2 / (p.tmaxI * p.VI * p.BW) - p.ke * i,
                p.ka1 * (p.SIT * i - x1), p.ka2 * (p.SID * i - x2), p.ka3 * (p.SIE * i - x3),
                p.EGP0 * p.BW * (1.0 - x3) - used - x1 * q1 + p.k12 * q2, x1 * q1 - (p.k12 + x2) * q2,
            ]  # fmt: skip

        x = solve_ivp(rates, (0.0, 1.0), x, method="LSODA", rtol=1e-10, atol=1e-10).y[:, -1].tolist()
        glucose.append(x[6])
    found: FloatArray = np.array(glucose) * (18.016 / volume)
    return found


@pytest.mark.parametrize("bolus_u", [100.0, 300.0])
def test_a_pump_that_runs_away_leaves_a_number_that_another_solver_gives(bolus_u: float) -> None:
    insulin = np.full(150, 0.4)
    insulin[5] += 60.0 * bolus_u
    found = hovorka({}).simulate(150, insulin).glucose_mg_per_dl
    assert np.abs(found - hovorka_solved(HovorkaParameters(), insulin)).max() < 0.001


def test_glucose_of_s2008_that_is_used_up_stays_at_nothing() -> None:
    """What is below 0 is held, as simglucose holds it; by how much a step overshoots must not show."""
    glucose = s2008(REFERENCE.s2008_person("adolescent001_")).simulate(300, 50_000.0).glucose_mg_per_dl
    assert -1e-8 < glucose[-1] <= 0.0


@pytest.mark.parametrize(
    ("insulin", "carbs", "said"),
    [
        (1e6, None, "insulin_u_per_h holds 1e+06; 60000 or less is allowed"),
        (None, [0.0, 5e3, 0.0], "carbs_g holds 5000; 1000 or less is allowed"),
    ],
)
def test_more_than_a_body_takes_is_refused(insulin: float | None, carbs: list[float] | None, said: str) -> None:
    with pytest.raises(ValueError, match=r".") as told:
        hovorka({}).simulate(3, insulin, carbs)
    assert str(told.value) == said


@pytest.mark.parametrize("minutes", [2.5, math.nan, math.inf, -1, "3", None, True])
def test_minutes_that_are_no_whole_number_are_refused(minutes: object) -> None:
    with pytest.raises(ValueError, match=r"^minutes must be a whole number of 0 or more, got "):
        hovorka({}).simulate(minutes)  # type: ignore[arg-type]


def test_a_crumb_of_a_meal_is_none() -> None:
    person = s2008(REFERENCE.s2008_person("adult001_"))
    crumbs = person.simulate(30, None, np.full(30, 5e-324)).glucose_mg_per_dl
    assert crumbs == pytest.approx(person.simulate(30).glucose_mg_per_dl, abs=1e-12)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"k1": "-0.1"}, "parameter 'k1' must be 0 or more, got -0.1"),
        ({"k1": "1000"}, "parameter 'k1' must be 2 or less, got 1000"),
        ({"Vm0": "1e300"}, "parameter 'Vm0' must be 1e+06 or less, got 1e+300"),
        ({"x0_ 4": "-1"}, "parameter 'x0_4' must be 0 or more, got -1"),
    ],
)
def test_a_parameter_that_no_minute_resolves_is_refused(change: Mapping[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=r".") as told:
        s2008({**REFERENCE.s2008_person("adult001_"), **change})
    assert str(told.value) == said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tmaxI": 0.01}, "parameter 'tmaxI' must be 0.5 min or more, got 0.01"),
        ({"ka2": 100}, "parameter 'ka2' must be 2 or less, got 100"),
    ],
)
def test_a_hovorka_parameter_that_no_minute_resolves_is_refused(change: Mapping[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=r".") as told:
        hovorka(change)
    assert str(told.value) == said

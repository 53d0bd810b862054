"""Who may live on a bench, by name, and what suits him: two adults, and the persons of a cohort by number.

Not responsible for living (`rig.loop.living`), nor for how a cohort is drawn (`rig.patient.cohort`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from rig.patient.cohort import Diabetes, SuitedTherapy, cohort_person, therapy_of
from rig.patient.person import Person, hovorka, type2

PERSONS: Mapping[str, Callable[[], Person[Any, Any]]] = {
    "type 1": lambda: hovorka({"Gpeq": 120.0}),
    "type 2": lambda: type2({}),
}
"""Hovorka's adult, steady at 120 mg/dL, and the average person with type 2 diabetes."""
RATIO_G: Mapping[str, float] = {"type 1": 25.0, "type 2": 4.0}
"""Carbohydrate for 1 U that keeps each within 70 to 200 mg/dL on a day of 45, 70 and 60 g. Hovorka's default adult is
more sensitive than most: 10 g a unit, usual in clinics, takes him to 7 mg/dL."""
NUMBERED: Mapping[str, Diabetes] = {"type 1 no. ": "type 1", "type 2 no. ": "type 2"}
_NUMBER = re.compile(r"[1-9][0-9]{0,3}")
ALLOWED_PERSONS = '"type 1", "type 2", or one of a cohort, such as "type 1 no. 7", from no. 1 to no. 9999'


def known_person(name: str) -> str:
    """Return the name of a person; ValueError where there is none of it."""
    if name not in PERSONS and _of_cohort(name) is None:
        raise ValueError(f"{name!r} is no person; allowed are {ALLOWED_PERSONS}")
    return name


def person_named(name: str) -> Person[Any, Any]:
    """Make a person by name; ValueError where there is none of it."""
    numbered = _of_cohort(known_person(name))
    return PERSONS[name]() if numbered is None else cohort_person(*numbered)


@cache
def therapy_named(name: str) -> SuitedTherapy:
    """Find what suits a person by the rule of cohorts; ValueError where there is no such person."""
    return therapy_of(person_named(name))


def ratio_of(name: str) -> float:
    """Say carbohydrate in g for 1 U of a meal's bolus that suits a person: `RATIO_G`, or the rule of cohorts."""
    return RATIO_G[name] if name in RATIO_G else therapy_named(name).ratio_g


def sensitivity_of(name: str) -> float:
    """Say by how much 1 U lowers a person, in mg/dL, by the rule of cohorts."""
    return therapy_named(name).sensitivity_mg_per_dl


def _of_cohort(name: str) -> tuple[Diabetes, int] | None:
    for prefix, diabetes in NUMBERED.items():
        number = name.removeprefix(prefix)
        if number != name and _NUMBER.fullmatch(number):
            return diabetes, int(number)
    return None

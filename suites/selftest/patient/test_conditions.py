"""Dawn, exercise, slow meals and variability: what each does to a person, and that a seed says all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rig.patient import hovorka, hovorka_cohort, s2008, type2
from rig.patient.conditions import BodyConditions, Exertion, dawn, exercise, slow_meal, usual, variability
from rig.patient.person import Person
from suites.studies.patient.reference_data import Reference

DAY = 1440
PERSONS: dict[str, Person[Any, Any]] = {
    "S2008": s2008(Reference().s2008_person("adult003_")), "Hovorka": hovorka({}), "type 2": type2({}),
}  # fmt: skip
each_person = pytest.mark.parametrize("person", PERSONS.values(), ids=PERSONS)


def glucose(person: Person[Any, Any], conditions: BodyConditions | None) -> np.ndarray[Any, Any]:
    found: np.ndarray[Any, Any] = person.simulate(DAY, None, None, conditions).glucose_mg_per_dl
    return found


@each_person
def test_where_nothing_changes_the_day_has_the_same_bits(person: Person[Any, Any]) -> None:
    assert glucose(person, usual(DAY)).tobytes() == glucose(person, None).tobytes()


@each_person
def test_dawn_raises_glucose_in_the_morning_and_only_then(person: Person[Any, Any]) -> None:
    changed = glucose(person, dawn(DAY)) - glucose(person, None)
    assert np.abs(changed[: 3 * 60]).max() < 1e-6
    assert 5.0 * 60 < changed.argmax() < 10.0 * 60
    assert changed.max() > 5.0
    assert changed[-1] < 0.5 * changed.max()


@each_person
def test_exercise_lowers_glucose_at_once_and_hours_later(person: Person[Any, Any]) -> None:
    changed = glucose(person, exercise(DAY, [Exertion(600, 660, 50)])) - glucose(person, None)
    assert np.abs(changed[:600]).max() < 1e-6
    assert changed[660] < -5.0
    assert changed[660 + 6 * 60] < -1.0  # insulin acts more for hours


@each_person
def test_protein_raises_glucose_late_and_for_hours(person: Person[Any, Any]) -> None:
    protein = glucose(person, slow_meal(DAY, at_min=480, protein_g=50, fat_g=10)) - glucose(person, None)
    carbs = np.zeros(DAY)
    carbs[480] = 29.0  # as much glucose: 2.9 units of 10 g
    fast = person.simulate(DAY, None, carbs).glucose_mg_per_dl - glucose(person, None)
    assert np.abs(protein[:540]).max() < 1e-6
    assert protein.argmax() > fast.argmax() + 60
    assert protein[480 + 90] < 0.5 * fast[480 + 90]
    assert protein[480 + 5 * 60] > fast[480 + 5 * 60] > 0.0


def test_a_slow_meal_lets_as_much_appear_as_its_rule_says() -> None:
    for protein_g, fat_g, grams, hours in ((25, 0, 10, 3), (50, 0, 20, 4), (25, 20, 28, 5), (50, 40, 56, 8)):
        appearing = slow_meal(DAY, at_min=60, protein_g=protein_g, fat_g=fat_g).appearing_g_per_min
        assert appearing.sum() == pytest.approx(grams)
        assert np.count_nonzero(appearing) == hours * 60


@each_person
def test_variability_is_of_its_seed_alone(person: Person[Any, Any]) -> None:
    one, again, other = (glucose(person, variability(DAY, seed=seed)) for seed in (7, 7, 8))
    assert one.tobytes() == again.tobytes()
    assert np.abs(one - other).max() > 1.0


def test_variability_swings_within_days_and_differs_between_them() -> None:
    many = variability(400 * DAY, seed=5)
    assert many.release.max() == pytest.approx(1.05, abs=1e-3)
    assert many.release.mean() == pytest.approx(1.0, abs=1e-3)
    of_day = many.muscle.reshape(400, DAY).mean(axis=1)
    assert of_day.mean() == pytest.approx(1.0, abs=0.03)
    assert np.log(of_day).std() == pytest.approx(0.2, abs=0.02)
    assert variability(DAY, seed=5).muscle.tolist() == many.part(0, DAY).muscle.tolist()


@each_person
def test_a_changed_day_in_portions_is_the_same_day(person: Person[Any, Any]) -> None:
    changed = variability(300, seed=2).and_also(exercise(300, [Exertion(60, 120, 40)]))
    carbs = np.zeros(300)
    carbs[100] = 40.0
    whole = person.simulate(300, None, carbs, changed).glucose_mg_per_dl
    state, found = person.start(), []
    for first in range(0, 300, 5):
        state, course = person.advance(state, 5, None, carbs[first : first + 5], changed.part(first, 5))
        found.append(course.glucose_mg_per_dl[1:])
    assert np.concatenate(found) == pytest.approx(whole[1:], abs=1e-8)


def test_a_cohort_lives_under_the_same_conditions() -> None:
    changed = dawn(DAY).and_also(exercise(DAY, [Exertion(900, 960, 40)]))
    both = hovorka_cohort([{}, {"BW": 60.0}]).simulate(DAY, None, None, changed).glucose_mg_per_dl
    for number, parameters in enumerate(({}, {"BW": 60.0})):
        alone = hovorka(parameters).simulate(DAY, None, None, changed).glucose_mg_per_dl
        assert both[:, number] == pytest.approx(alone, abs=1e-4)


def test_what_cannot_be_is_named() -> None:
    with pytest.raises(ValueError, match=r"^conditions must hold one number a minute: 10, got 9$"):
        hovorka({}).simulate(10, None, None, usual(9))
    with pytest.raises(ValueError, match=r"^a seed is a whole number of 0 or more, got -1$"):
        variability(10, seed=-1)
    with pytest.raises(ValueError, match=r"^exercise begins before it ends"):
        exercise(10, [Exertion(5, 5, 40)])
    one = np.ones(3)
    with pytest.raises(ValueError, match=r"^uptake of conditions must hold finite numbers of 0 or more$"):
        BodyConditions(one, -one, one, one, one)

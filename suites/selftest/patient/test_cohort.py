"""A cohort by number: the same person each time, from the published spreads, with a therapy that his model tells."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy

from rig.loop.persons import person_named, ratio_of, therapy_named
from rig.patient.cohort import SPREADS, Diabetes, cohort_parameters, cohort_person, therapy_of
from rig.patient.conditions import variability
from rig.procedures.loop import LOWEST, Loop
from rig.record.analyses import LoopNumbers
from suites.measuring import measured_virtually

MANY = 300


def test_a_number_is_the_same_person_whoever_else_is_drawn() -> None:
    alone = dict(cohort_parameters("type 1", 7))
    beside_others = [dict(cohort_parameters("type 1", number)) for number in range(1, 9)]
    assert beside_others[6] == alone
    assert len({each["EGP0"] for each in beside_others}) == 8
    assert cohort_parameters("type 1", 7, seed=1) != alone


def test_persons_with_type_1_lie_within_one_sd_of_the_published_means() -> None:
    drawn = [cohort_parameters("type 1", number) for number in range(1, MANY + 1)]
    for name, (mean, sd) in SPREADS.items():
        values = np.array([each[name] for each in drawn])
        assert values.min() >= max(mean - sd, 0.0), name
        assert values.max() <= mean + sd, name
    z = (np.array([each["VI"] for each in drawn]) - 0.12) / 0.012  # no choice is made by VI
    assert scipy.stats.kstest(z, scipy.stats.truncnorm(-1.0, 1.0).cdf).pvalue > 0.01
    weights = np.array([each["BW"] for each in drawn])
    assert scipy.stats.kstest(weights, scipy.stats.uniform(65.0, 30.0).cdf).pvalue > 0.01


@pytest.mark.parametrize(("diabetes", "number"), [("type 1", 1), ("type 1", 2), ("type 1", 19), ("type 2", 1)])
def test_the_therapy_does_to_the_person_what_its_rule_says(diabetes: Diabetes, number: int) -> None:
    person = cohort_person(diabetes, number)
    therapy = therapy_of(person)
    steady = person.simulate(1440).glucose_mg_per_dl
    assert np.ptp(steady) < 1e-6
    insulin, carbs = np.full(300, therapy.basal_u_per_h), np.zeros(300)
    insulin[0] += 60.0 * 60.0 / therapy.ratio_g
    carbs[0] = 60.0
    assert person.simulate(300, insulin, carbs).glucose_mg_per_dl[-1] == pytest.approx(steady[0], abs=0.01)
    pulse = np.full(600, therapy.basal_u_per_h)
    pulse[0] += 6.0
    fall = steady[0] - person.simulate(600, pulse).glucose_mg_per_dl.min()
    assert fall == pytest.approx(0.1 * therapy.sensitivity_mg_per_dl)


def test_persons_are_found_by_name_and_no_one_else() -> None:
    assert person_named("type 1 no. 7").basal_u_per_h == cohort_person("type 1", 7).basal_u_per_h
    assert ratio_of("type 1 no. 7") == therapy_of(cohort_person("type 1", 7)).ratio_g
    assert (ratio_of("type 1"), ratio_of("type 2")) == (25.0, 4.0)
    assert therapy_named("type 1").sensitivity_mg_per_dl > 0.0


@pytest.mark.parametrize(
    "name", ["type 3", "type 1 no. 0", "type 1 no. 07", "type 1 no. 7 ", "no. 7", "type 1 no. 10000"]
)
def test_an_unknown_person_is_refused_with_what_is_allowed(name: str) -> None:
    with pytest.raises(ValueError, match=r'is no person; allowed are "type 1", "type 2", or one of a cohort'):
        Loop.model_validate({"called": "a day", "person": name})


@pytest.mark.parametrize("number", [0, -1, 1.5])
def test_a_number_that_is_none_of_a_cohort_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="whole number from 1 on"):
        cohort_parameters("type 1", number)  # type: ignore[arg-type]


def test_a_person_of_the_cohort_lives_on_the_bench(tmp_path: Path) -> None:
    loop = Loop.model_validate(
        {
            "called": "a while",
            "person": "type 1 no. 7",
            "controller": "basal-bolus",
            "duration": "30 min",
            "blank": "300 s", "varies": 7,
        }
    )  # fmt: skip
    assert loop.rate_u_per_h == pytest.approx(person_named("type 1 no. 7").basal_u_per_h, abs=0.0126)
    done = measured_virtually(tmp_path / "loop", loop)
    numbers = done.analyses["loop"]
    assert isinstance(numbers, LoopNumbers)
    assert numbers.glucose_mg_per_dl[0] == pytest.approx(120.0)
    again = person_named("type 1 no. 7").simulate(
        30, 60.0 * np.array(numbers.weighed_u), None, variability(30, seed=7)
    )  # the same insulin on the same day, outside of the bench
    assert numbers.glucose_mg_per_dl == pytest.approx(again.glucose_mg_per_dl, abs=1e-9)
    assert (numbers.person, numbers.disturbed) == ("type 1 no. 7", "varies by seed 7")
    assert [each.quantity.name for each in done.measured if each.quantity.kind == LOWEST.name] == [
        "lowest glucose of type 1 no. 7 on basal-bolus, a while"
    ]

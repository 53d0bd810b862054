"""Two lives of each person: the means and differences found by hand, the interval over persons, U beside it."""

from __future__ import annotations

import numpy as np
import pytest

from rig.patient.cohort_pairs import PairedMetric, WeighedLife, paired_metrics

MINUTE = np.arange(101.0)


def life(low_minutes: int, *, level: float = 120.0, insulin_u: float = 1.0, u: float = 0.0) -> WeighedLife:
    """A life at one level, of whose 101 readings so many are at 60 mg/dL."""
    glucose = np.full(101, level)
    glucose[:low_minutes] = 60.0
    return WeighedLife(MINUTE, glucose, np.full(101, u), insulin_u, 0.02)


def named(found: tuple[PairedMetric, ...], name: str) -> PairedMetric:
    (one,) = [each for each in found if each.name == name]
    return one


def cohort(lows: list[int], **further: float) -> dict[str, list[WeighedLife]]:
    return {f"no. {number}": [life(low, **further)] for number, low in enumerate(lows, start=1)}


def test_means_and_differences_are_those_of_the_persons() -> None:
    found = paired_metrics(cohort([0, 10, 20, 30]), cohort([0, 5, 5, 0], insulin_u=1.5))
    below = named(found, "time below 70 mg/dL")
    assert below.before == pytest.approx([0.0, 1000 / 101, 2000 / 101, 3000 / 101])
    assert below.after == pytest.approx([0.0, 500 / 101, 500 / 101, 0.0])
    assert below.mean_difference == pytest.approx(100 * (0 - 5 - 15 - 30) / 4 / 101)
    assert below.difference is not None
    assert below.difference.low < below.mean_difference < below.difference.high <= 0.0
    assert named(found, "time below 54 mg/dL").after == (0.0,) * 4
    assert named(found, "weighed insulin").mean_difference == pytest.approx(0.5)
    assert named(found, "GMI").before[0] == pytest.approx(3.31 + 0.02392 * 120.0)


def test_the_interval_is_over_persons_and_the_same_each_time() -> None:
    one, two = cohort([0, 10, 20, 30]), cohort([0, 5, 5, 0])
    assert paired_metrics(one, two) == paired_metrics(one, two)
    alike = paired_metrics(cohort([10, 10, 10]), cohort([5, 5, 5]))
    same = named(alike, "time below 70 mg/dL").difference
    assert same is not None
    assert (same.low, same.high) == pytest.approx((-500 / 101, -500 / 101))


def test_days_of_a_person_are_one_person() -> None:
    before = {"no. 1": [life(0), life(20)], "no. 2": [life(10), life(10)], "no. 3": [life(0), life(0)]}
    after = {person: [life(0), life(0)] for person in before}
    below = named(paired_metrics(before, after), "time below 70 mg/dL")
    assert below.before == pytest.approx([1000 / 101, 1000 / 101, 0.0])
    assert below.difference is not None
    assert below.difference.pairs == 3


def test_u_is_what_the_weighing_leaves_open_and_no_part_of_the_interval() -> None:
    """Glucose at 179 mg/dL with U of 2: time in range may be all of it or none of it."""
    sure = paired_metrics(cohort([0, 0, 0], level=179.0), cohort([0, 0, 0]))
    open_ = paired_metrics(cohort([0, 0, 0], level=179.0, u=2.0), cohort([0, 0, 0]))
    name = "time in range, 70 to 180 mg/dL"
    assert named(sure, name).u == 0.0
    assert named(open_, name).u == 100.0
    assert named(open_, name).difference == named(sure, name).difference
    assert named(open_, "mean glucose").u == pytest.approx(2.0)
    assert named(open_, "weighed insulin").u == pytest.approx(0.02 * 2.0**0.5)


def test_two_persons_have_no_interval() -> None:
    below = named(paired_metrics(cohort([0, 10]), cohort([0, 0])), "time below 70 mg/dL")
    assert below.difference is None
    assert below.mean_difference == pytest.approx(-500 / 101)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({}, {}, "the same persons live twice"),
        ({"a": [life(0)]}, {"b": [life(0)]}, "the same persons live twice"),
        ({"a": [life(0)]}, {"a": [life(0), life(0)]}, "as many days both times"),
        ({"a": []}, {"a": []}, "one at least"),
    ],
)
def test_lives_that_do_not_pair_are_refused(
    before: dict[str, list[WeighedLife]], after: dict[str, list[WeighedLife]], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        paired_metrics(before, after)

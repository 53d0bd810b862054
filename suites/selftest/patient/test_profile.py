"""The ambulatory profile: percentiles of all days at a time of the clock, and a gap stays a gap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rig.analysis.checks import FloatArray
from rig.patient import metrics
from rig.patient.profile import DAY_MIN, PERCENTS, WITHIN_MIN, GlucoseProfile, glucose_profile, time_in_ranges

CLOCK = np.arange(0.0, DAY_MIN, 5.0)
days_of_glucose = arrays(
    float, st.tuples(st.integers(1, 4), st.just(CLOCK.size)), elements=st.floats(40.0, 400.0, allow_nan=False)
)


def profile_of(days: FloatArray) -> GlucoseProfile:
    return glucose_profile([(CLOCK, day) for day in days])


def test_days_that_are_constant_have_the_percentiles_of_their_values() -> None:
    """By hand: seven readings near by of each of 100, 110, … 200; in order the 3.8th of 76 is 100, the 19th is 120."""
    found = profile_of(np.repeat(np.arange(100.0, 201.0, 10.0)[:, None], CLOCK.size, axis=1))
    middle = found.glucose_mg_per_dl[:, 144]
    assert found.days == 11
    assert list(PERCENTS) == [5.0, 25.0, 50.0, 75.0, 95.0]
    assert middle.tolist() == [100.0, 120.0, 150.0, 180.0, 200.0]


def test_the_windows_reach_a_quarter_of_an_hour_to_both_sides_and_not_across_midnight() -> None:
    day = np.where(CLOCK < 720.0, 100.0, 200.0)
    median = profile_of(day[None, :]).glucose_mg_per_dl[2]
    at_noon = CLOCK.tolist().index(720.0)
    assert median[at_noon - 4] == 100.0
    assert median[at_noon] == 200.0  # four readings after noon, three before
    assert median[0] == 100.0
    assert median[-1] == 200.0


@settings(max_examples=30, deadline=None)
@given(days_of_glucose)
def test_percentiles_are_ordered_and_lie_within_what_was_read_near_by(days: FloatArray) -> None:
    found = profile_of(days)
    assert (np.diff(found.glucose_mg_per_dl, axis=0) >= 0.0).all()
    for place, minute in enumerate(CLOCK):
        near = days[:, np.abs(CLOCK - minute) <= WITHIN_MIN]
        assert near.min() <= found.glucose_mg_per_dl[0, place]
        assert found.glucose_mg_per_dl[-1, place] <= near.max()


@settings(max_examples=30, deadline=None)
@given(days_of_glucose)
def test_neither_the_order_of_days_nor_days_in_one_series_change_it(days: FloatArray) -> None:
    found = profile_of(days).glucose_mg_per_dl
    assert np.array_equal(profile_of(days[::-1]).glucose_mg_per_dl, found)
    joined = np.concatenate([CLOCK + DAY_MIN * number for number in range(len(days))])
    in_one = glucose_profile([(joined, days.ravel())])
    assert np.array_equal(in_one.glucose_mg_per_dl, found)
    assert in_one.days == len(days)


@settings(max_examples=30, deadline=None)
@given(days_of_glucose, st.integers(0, 260), st.integers(8, 20))
def test_a_gap_stays_a_gap_and_changes_nothing_elsewhere(days: FloatArray, first: int, count: int) -> None:
    whole = profile_of(days)
    gapped = days.copy()
    gapped[:, first : first + count] = np.nan
    found = profile_of(gapped).glucose_mg_per_dl
    lost = (CLOCK[first] <= CLOCK) & (CLOCK[min(first + count, CLOCK.size) - 1] >= CLOCK)
    for place, minute in enumerate(CLOCK):
        near = np.abs(CLOCK - minute) <= WITHIN_MIN
        if (near & lost).any():
            if lost[near].mean() > 0.5:
                assert np.isnan(found[:, place]).all()
        else:
            assert np.array_equal(found[:, place], whole.glucose_mg_per_dl[:, place])


def test_a_day_of_23_hours_leaves_the_last_hour_open() -> None:
    minutes = np.arange(23 * 60 + 1.0)
    found = glucose_profile([(minutes, np.full(minutes.size, 120.0))])
    (span,) = found.spans
    assert found.minute_of_day[span][0] == 0.0
    assert found.minute_of_day[span][-1] == 1375.0  # 1360 to 1380: 21 readings of the 30 that are due


def test_a_day_that_ends_with_the_reading_at_midnight_is_one_day_without_a_gap() -> None:
    minutes = np.arange(DAY_MIN + 1.0)
    found = glucose_profile([(minutes, np.full(minutes.size, 120.0))])
    assert found.days == 1
    assert found.spans == (slice(0, 288),)


def test_shares_of_time_follow_the_bounds_of_the_consensus_and_make_a_whole() -> None:
    read = [53.9, 54.0, 69.9, 70.0, 180.0, 180.1, 250.0, 250.1, np.nan, 120.0]
    found = time_in_ranges(read)
    ninth = 100.0 / 9.0
    assert found.very_low_percent == pytest.approx(ninth)
    assert found.low_percent == pytest.approx(2 * ninth)
    assert found.in_range_percent == pytest.approx(3 * ninth)
    assert found.high_percent == pytest.approx(2 * ninth)
    assert found.very_high_percent == pytest.approx(ninth)


@settings(max_examples=50, deadline=None)
@given(days_of_glucose)
def test_shares_of_time_are_those_of_the_metrics(days: FloatArray) -> None:
    shares, judged = time_in_ranges(days[0]), metrics.summary(CLOCK, days[0])
    assert shares.in_range_percent == pytest.approx(judged.time_in_range_percent)
    assert shares.very_low_percent + shares.low_percent == pytest.approx(judged.time_below_70_percent)
    assert shares.very_high_percent + shares.high_percent == pytest.approx(judged.time_above_180_percent)


@pytest.mark.parametrize(
    ("series", "said"),
    [
        ([], "a profile needs readings, got none"),
        ([([0.0, 5.0], [np.nan, np.nan])], "a profile needs readings, got none"),
        ([([0.0, 5.0], [100.0])], "minutes and glucose are two rows of one length"),
        ([([5.0, 0.0], [100.0, 100.0])], "minutes must be numbers from 0 on that increase"),
        ([([-5.0, 0.0], [100.0, 100.0])], "minutes must be numbers from 0 on that increase"),
    ],
)
def test_what_makes_no_profile_is_refused(series: list[tuple[list[float], list[float]]], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        glucose_profile(series)

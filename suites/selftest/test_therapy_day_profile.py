"""What a profile makes due while the clock is set and temporary rates run: by hand, and by law."""

from __future__ import annotations

import datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.therapy import BasalSegment, ProfileBlock, TemporaryRate
from rig.therapy.day_profile import ClockSet, RateStarted, basal_u, refused_profile, second_of_day, values_at

DAY = (BasalSegment(120, 3.0), BasalSegment(60, 0.5), BasalSegment(1200, 1.5), BasalSegment(60, 4.0))
MIDNIGHT = datetime.datetime(2026, 3, 29)


def at(hours: float, *, day: datetime.datetime = MIDNIGHT) -> datetime.datetime:
    return day + datetime.timedelta(hours=hours)


def test_a_day_is_the_sum_of_its_segments() -> None:
    assert basal_u(DAY, [ClockSet(0.0, MIDNIGHT)], 0.0, 86400.0) == Fraction(3 * 2 + 30 + 4) + Fraction(1, 2)


def test_an_hour_of_summer_time_is_left_out_and_one_of_winter_time_comes_twice() -> None:
    forward = [ClockSet(0.0, at(1.0)), ClockSet(3600.0, at(3.0))]
    assert basal_u(DAY, forward, 0.0, 7200.0) == Fraction(3) + Fraction(3, 2)
    back = [ClockSet(0.0, at(2.0)), ClockSet(3600.0, at(2.0))]
    assert basal_u(DAY, back, 0.0, 7200.0) == Fraction(1)


def test_a_profile_goes_on_over_midnight_and_a_leap_day() -> None:
    clock = [ClockSet(10.0, datetime.datetime(2028, 2, 28, 23, 50))]
    assert basal_u(DAY, clock, 10.0, 1210.0) == Fraction(4, 6) + Fraction(3, 6)
    assert second_of_day(clock, 1210.0) == 600.0


def test_a_share_follows_the_profile_and_a_rate_does_not() -> None:
    clock = [ClockSet(0.0, at(1.5))]
    share = RateStarted(0.0, TemporaryRate(60, factor=1.5))
    assert basal_u(DAY, clock, 0.0, 3600.0, temporary=[share]) == Fraction(9, 4) + Fraction(3, 8)
    rate = RateStarted(0.0, TemporaryRate(60, rate_u_per_h=0.1))
    assert basal_u(DAY, clock, 0.0, 3600.0, temporary=[rate]) == Fraction(1, 10)
    cancelled = RateStarted(0.0, TemporaryRate(60, factor=0.0), cancelled_at_s=1800.0)
    assert basal_u(DAY, clock, 0.0, 3600.0, temporary=[cancelled]) == Fraction(1, 4)
    doubled = RateStarted(0.0, TemporaryRate(30, factor=2.0))
    assert basal_u(DAY, clock, 0.0, 1800.0, temporary=[doubled], max_rate_u_per_h=4.0) == Fraction(2)


@given(st.integers(0, 86399), st.lists(st.integers(0, 86400), min_size=3, max_size=3), st.floats(0.0, 3.0))
def test_stretches_add_up_and_a_share_scales_them(start_s: int, cuts: list[int], factor: float) -> None:
    clock = [ClockSet(0.0, MIDNIGHT + datetime.timedelta(seconds=start_s))]
    first, middle, last = sorted(float(cut) for cut in cuts)
    whole = basal_u(DAY, clock, first, last)
    assert basal_u(DAY, clock, first, middle) + basal_u(DAY, clock, middle, last) == whole
    share = RateStarted(0.0, TemporaryRate(1441, factor=factor))
    assert basal_u(DAY, clock, first, last, temporary=[share]) == whole * Fraction(repr(factor))


@pytest.mark.parametrize(
    ("segments", "why"),
    [
        (DAY, None),
        ((), "1 to 48 segments"),
        ((BasalSegment(1380, 1.0),), "not 24 h"),
        ((BasalSegment(1440, 1.0), BasalSegment(60, 1.0)), "not 24 h"),
        ((BasalSegment(1440, 1.0), BasalSegment(0, 1.0)), "a segment of no length"),
        ((BasalSegment(1440, 5.025),), "a rate above the maximum"),
        ((BasalSegment(1440, 0.03),), "a rate between two steps"),
        (tuple(BasalSegment(24, 1.0) for _ in range(60)), "1 to 48 segments"),
    ],
)
def test_which_profiles_a_pump_must_refuse(segments: tuple[BasalSegment, ...], why: str | None) -> None:
    assert refused_profile(segments, most_segments=48, max_rate_u_per_h=5.0, step_u_per_h=0.025) == why


def test_a_block_begins_with_its_first_minute() -> None:
    blocks = (ProfileBlock(60, (1.0,)), ProfileBlock(1380, (2.0,)))
    assert [values_at(blocks, minute)[0] for minute in (0.0, 59.99, 60.0, 1439.9, 1440.0)] == [1.0, 1.0, 2.0, 2.0, 1.0]

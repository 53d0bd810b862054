"""What a pump was told to deliver, against sums made by hand; and profiles and times as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.analysis.programme import Started, programmed_u
from rig.procedures.day_in_words import read_profile
from rig.therapy import BasalSegment, BolusRequest, TemporaryRate
from rig.units import parse, parse_time_of_day

PROFILE = (BasalSegment(360, 0.6), BasalSegment(1080, 1.2))


def u(started: list[Started], from_min: float, to_min: float) -> float:
    return programmed_u(PROFILE, started, from_min, to_min, bolus_u_per_min=1.5)


def test_a_day_of_basal_is_the_sum_of_its_segments() -> None:
    assert u([], 0.0, 1440.0) == pytest.approx(0.6 * 6.0 + 1.2 * 18.0)


def test_an_hour_across_a_switch_is_half_of_each_rate() -> None:
    assert u([], 330.0, 390.0) == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("rate", "expected_u"),
    [(TemporaryRate(90, factor=0.5), 0.25 * 1.2 + 1.5 * 0.6 + 0.25 * 1.2), (TemporaryRate(60, rate_u_per_h=0.0), 1.2)],
)
def test_a_temporary_rate_replaces_the_profile_for_its_time(rate: TemporaryRate, expected_u: float) -> None:
    assert u([Started(615.0, rate)], 600.0, 720.0) == pytest.approx(expected_u)


def test_a_temporary_factor_follows_the_profile_across_a_switch() -> None:
    assert u([Started(300.0, TemporaryRate(120, factor=2.0))], 300.0, 420.0) == pytest.approx(1.2 + 2.4)


def test_a_multiwave_bolus_is_its_fast_part_and_a_line() -> None:
    started = [Started(0.0, BolusRequest(fast_u=3.0, extended_u=6.0, duration_min=60, delay_min=10))]
    assert u(started, 0.0, 10.0) == pytest.approx(0.1)
    assert u(started, 10.0, 11.0) == pytest.approx(0.01 + 1.5 + 0.1)
    assert u(started, 0.0, 70.0) == pytest.approx(0.7 + 9.0)


@given(
    at_min=st.floats(0.0, 1300.0),
    fast_u=st.integers(0, 200),
    extended_u=st.integers(0, 200),
    split_min=st.floats(0.0, 1440.0),
)
def test_what_is_programmed_in_two_parts_of_a_day_is_what_is_programmed_in_the_day(
    at_min: float, fast_u: int, extended_u: int, split_min: float
) -> None:
    started = [
        Started(at_min, BolusRequest(fast_u=fast_u / 40, extended_u=extended_u / 40, duration_min=90)),
        Started(at_min, TemporaryRate(45, factor=1.5)),
    ]
    assert u(started, 0.0, split_min) + u(started, split_min, 1440.0) == pytest.approx(u(started, 0.0, 1440.0))


def test_a_profile_is_written_by_its_times() -> None:
    assert read_profile(["00:00 0.6 U/h", "06:00 1.2 U/h"]) == PROFILE


@pytest.mark.parametrize(
    ("segments", "got"),
    [
        (["06:00 1 U/h"], "06:00"),
        (["00:00 1 U/h", "00:00 2 U/h"], "00:00, 00:00"),
        (["00:00 1 U/h", "05:00 1 U/h", "04:00 1 U/h"], "00:00, 05:00, 04:00"),
        ([], "none"),
    ],
)
def test_a_profile_with_a_gap_or_out_of_order_is_refused(segments: list[str], got: str) -> None:
    sentence = f"a profile's times go from 00:00 on, each later than the one before, got {got}"
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        read_profile(segments)


@pytest.mark.parametrize("segment", ["06:00", "1 U/h", "00:00 1", "00:00 1 U"])
def test_a_segment_without_a_time_or_a_rate_is_refused(segment: str) -> None:
    with pytest.raises(ValueError, match=r"is no time with a rate|is not a time of day|has no unit|is not a rate"):
        read_profile([segment])


@pytest.mark.parametrize("text", ["24:00", "7:30", "07:60", "noon"])
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"{text!r} is not a time of day"):
        parse_time_of_day(text)


def test_glucose_is_read_in_either_unit() -> None:
    assert parse("10 mmol/L", "glucose_mg_per_dl") == pytest.approx(180.156)
    assert parse("180 mg/dL", "glucose_mg_per_dl") == 180.0

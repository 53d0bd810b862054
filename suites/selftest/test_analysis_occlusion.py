"""Occlusions against a line whose compliance is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rig.analysis.occlusion import OcclusionAlarm, alarm_times, occlusion_alarm, released_volume_ul

AT_S = np.arange(0, 12000, 10.0)
RATE_UL_PER_H = 10.0
COMPLIANCE = 0.25


def alarm(
    *, seed: int = 2, noise_kpa: float = 0.0, slack_ul: float = 0.0, dose_ul: float = 0.0, **changes: float
) -> OcclusionAlarm:
    """1 U/h into a line of 0.25 µL/kPa at 2 kPa, closed at 1000 s, alarm at 10000 s."""
    pushed = RATE_UL_PER_H / 3600 * AT_S
    if dose_ul:
        pushed = dose_ul * np.floor(pushed / dose_ul)
    at_occlusion = float(np.interp(1000, AT_S, pushed))
    taken = np.maximum(0, pushed - at_occlusion - slack_ul)
    pressure = 2.0 + np.where(AT_S > 1000, taken / COMPLIANCE, 0.0)
    pressure = pressure + np.random.default_rng(seed).normal(0, noise_kpa, AT_S.size)
    volume = np.where(AT_S > 1000, at_occlusion, pushed)
    times: dict[str, Any] = {"occluded_at_s": 1000, "alarm_at_s": 10000, "rate_ul_per_h": RATE_UL_PER_H}
    return occlusion_alarm(AT_S, pressure, volume, **(times | changes))


def test_a_closed_line_fills_at_the_programmed_rate() -> None:
    """9000 s at 10 µL/h are 25 µL: all missed, 100 kPa above the 2 kPa before."""
    result = alarm()
    assert result.time_to_alarm_s == 9000
    assert result.programmed_ul == pytest.approx(25)
    assert result.missed_ul == pytest.approx(25)
    assert result.delivered_ul == pytest.approx(0)
    assert result.pressure_at_alarm_kpa == pytest.approx(102)
    assert result.pressure_max_kpa == pytest.approx(102)
    assert result.compliance_ul_per_kpa == pytest.approx(COMPLIANCE)
    assert result.u_compliance_ul_per_kpa == pytest.approx(0, abs=1e-9)


def test_slack_is_missed_but_is_no_compliance() -> None:
    result = alarm(slack_ul=5.0)
    assert result.missed_ul == pytest.approx(25)
    assert result.pressure_at_alarm_kpa == pytest.approx(2 + 20 / COMPLIANCE)
    assert result.compliance_ul_per_kpa == pytest.approx(COMPLIANCE, rel=1e-9)


def test_noise_and_pulses_leave_the_compliance_within_its_uncertainty() -> None:
    noisy = alarm(noise_kpa=0.5)
    assert noisy.u_compliance_ul_per_kpa is not None
    assert noisy.compliance_ul_per_kpa == pytest.approx(COMPLIANCE, abs=3 * noisy.u_compliance_ul_per_kpa)
    assert 0 < noisy.u_compliance_ul_per_kpa < 0.01 * COMPLIANCE
    assert alarm(dose_ul=0.25).compliance_ul_per_kpa == pytest.approx(COMPLIANCE, rel=0.01)


def test_the_uncertainty_of_the_compliance_is_its_spread_over_repeated_occlusions() -> None:
    results = [alarm(noise_kpa=0.5, seed=seed) for seed in range(300)]
    found = [result.compliance_ul_per_kpa for result in results]
    stated = [result.u_compliance_ul_per_kpa for result in results]
    assert np.std(np.array(found, dtype=np.float64), ddof=1) == pytest.approx(
        np.mean(np.array(stated, dtype=np.float64)), rel=0.15
    )


@pytest.mark.parametrize("pressure", [np.zeros(1200), -AT_S, np.where(AT_S > 9990, 100.0, 0.0)])
def test_without_a_rise_to_fit_there_is_no_compliance_but_all_else(pressure: NDArray[np.float64]) -> None:
    """A dead pump, a falling pressure, and one jump at the end."""
    result = occlusion_alarm(
        AT_S, pressure, np.zeros(1200), occluded_at_s=1000, alarm_at_s=10000, rate_ul_per_h=RATE_UL_PER_H
    )
    assert (result.compliance_ul_per_kpa, result.u_compliance_ul_per_kpa) == (None, None)
    assert result.missed_ul == pytest.approx(25)


def test_what_leaks_through_is_not_missed() -> None:
    """A half-open valve lets 4 of 10 µL/h pass for 9000 s."""
    volume = 4.0 / 3600 * AT_S
    result = occlusion_alarm(
        AT_S, 2 + AT_S / 100, volume, occluded_at_s=1000, alarm_at_s=10000, rate_ul_per_h=RATE_UL_PER_H
    )
    assert result.delivered_ul == pytest.approx(10)
    assert result.missed_ul == pytest.approx(15)


def test_an_alarm_between_two_samples_is_interpolated() -> None:
    result = alarm(alarm_at_s=9999)
    assert result.time_to_alarm_s == 8999
    assert result.pressure_at_alarm_kpa == pytest.approx(2 + 8999 * RATE_UL_PER_H / 3600 / COMPLIANCE)


def test_the_bolus_on_release_is_the_step_between_two_rests() -> None:
    volume = np.where(AT_S <= 1000, 3.0, 3.0 + 22.0 * (1 - np.exp(-(AT_S - 1000) / 60)))
    released = released_volume_ul(AT_S, volume, released_at_s=1000, plateau_s=3000)
    assert released == pytest.approx(22.0, abs=1e-6)


def test_basal_delivery_meanwhile_is_taken_off() -> None:
    basal = RATE_UL_PER_H / 3600 * AT_S
    volume = basal + np.where(AT_S <= 1000, 0.0, 22.0)
    released = released_volume_ul(AT_S, volume, released_at_s=1000, plateau_s=3000, rate_ul_per_h=RATE_UL_PER_H)
    assert released == pytest.approx(22.0)


@given(st.floats(-1e5, 1e5), st.floats(-1e3, 1e3))
def test_start_of_clock_and_volume_change_nothing(shift_s: float, offset_ul: float) -> None:
    pressure, volume = 2 + AT_S / 100, 1e-3 * AT_S
    times = {"occluded_at_s": 1000.0, "alarm_at_s": 10000.0}
    plain = occlusion_alarm(AT_S, pressure, volume, rate_ul_per_h=10, **times)
    shifted = {name: moment + shift_s for name, moment in times.items()}
    moved = occlusion_alarm(AT_S + shift_s, pressure, volume + offset_ul, rate_ul_per_h=10, **shifted)
    assert moved.missed_ul == pytest.approx(plain.missed_ul, abs=1e-6)
    assert moved.compliance_ul_per_kpa == pytest.approx(plain.compliance_ul_per_kpa, rel=1e-6)


def test_typical_and_longest_time_to_alarm() -> None:
    times = alarm_times([9000, 12000, 10000])
    assert (times.occlusions, times.typical_s, times.longest_s) == (3, 10000, 12000)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: alarm(alarm_at_s=1000), "the alarm must follow the occlusion, got 1000 s after 1000 s"),
        (lambda: alarm(alarm_at_s=20000), "alarm_at_s must lie in the record, 0 … 11990 s, got 20000"),
        (lambda: alarm(occluded_at_s=-1), "occluded_at_s must lie in the record, 0 … 11990 s, got -1"),
        (lambda: alarm(occluded_at_s=float("nan")), "occluded_at_s must be finite, got nan"),
        (lambda: alarm(rate_ul_per_h=0), "rate_ul_per_h must be above 0, got 0"),
        (
            lambda: released_volume_ul(AT_S, AT_S, released_at_s=50, plateau_s=50),
            "the plateau must follow the release, got 50 s after 50 s",
        ),
        (
            lambda: released_volume_ul(AT_S, AT_S, released_at_s=50, plateau_s=12001),
            "there is no sample after 12001 s",
        ),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        call()

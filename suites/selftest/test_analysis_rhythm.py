"""The dose interval found from the log, the Allan deviation of flow, and single pulses by regression."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rig.analysis.allan import allan_deviation
from rig.analysis.dose_cycle import find_dose_interval_s
from rig.analysis.steps import step_volume


def pulse_log(
    interval_s: float, *, sampling_s: float, duration_s: float, stroke_cv: float, line_s: float = 5.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Times in s and µL of pulses of 0.25 µL on a balance with 3 nL of noise."""
    rng = np.random.default_rng(9)
    at_s = np.arange(0, duration_s, sampling_s)
    volume = rng.normal(0, 0.003, at_s.size)
    for start_s in np.arange(11.0, duration_s, interval_s):
        first = int(np.searchsorted(at_s, start_s))
        stroke = 0.25 * (1 + stroke_cv * rng.standard_normal())
        volume[first:] += stroke * (1 - np.exp(-(at_s[first:] - start_s) / line_s))
    return at_s, volume


@pytest.mark.parametrize("interval_s", [60.0, 90.0, 179.3, 300.0])
@pytest.mark.parametrize("stroke_cv", [0.0, 0.29])
def test_the_dose_interval_is_found_and_not_a_fraction_or_multiple_of_it(interval_s: float, stroke_cv: float) -> None:
    at_s, volume = pulse_log(interval_s, sampling_s=5.0, duration_s=36_000, stroke_cv=stroke_cv)
    assert find_dose_interval_s(at_s, volume, longest_s=1000) == pytest.approx(interval_s, rel=1e-3)


@pytest.mark.parametrize("apart_s", [10, 20, 30])
def test_a_motor_that_moves_twice_a_dose_does_not_mislead(apart_s: int) -> None:
    """Two halves of a dose; 30 s apart in 90 s, the third harmonic has four times the power of the rhythm."""
    at_s = np.arange(0, 36_000, 1.0)
    volume = 0.125 * (np.floor((at_s + 4) / 90) + np.floor((at_s + 4 + apart_s) / 90))
    assert find_dose_interval_s(at_s, volume, longest_s=1000) == pytest.approx(90, rel=1e-3)


@pytest.mark.parametrize("fault", ["one dose in twenty left out", "20 % of pitch error"])
def test_a_slower_rhythm_of_faults_is_not_taken_for_the_doses(fault: str) -> None:
    strokes = np.full(401, 0.25)
    if fault.startswith("one dose"):
        strokes[::20] = 0.0
    else:
        strokes *= 1 + 0.2 * np.sin(2 * np.pi * np.arange(401) / 8)
    at_s = np.arange(0, 36_000, 5.0)
    volume = np.concatenate([[0.0], np.cumsum(strokes)])[np.floor((at_s + 4) / 90).astype(int)]
    assert find_dose_interval_s(at_s, volume, longest_s=2000) == pytest.approx(90, rel=1e-3)


def test_a_steady_flow_has_no_dose_interval() -> None:
    at_s = np.arange(0, 36_000, 5.0)
    noisy = at_s * 0.003 + np.random.default_rng(1).normal(0, 0.003, at_s.size)
    with pytest.raises(ValueError, match=r"^the delivery has no rhythm of 1000 s or less$"):
        find_dose_interval_s(at_s, noisy, longest_s=1000)


def test_white_noise_of_flow_falls_with_the_root_of_the_averaging_time() -> None:
    """Independent flows of SD 2 µL/h a minute: σ(τ) = 2/√m."""
    flow = np.random.default_rng(3).normal(10, 2, 60_000)
    volume = np.concatenate([[0.0], np.cumsum(flow / 60)])
    allan = allan_deviation(volume, interval_s=60, averaging_s=(60, 240, 960))
    np.testing.assert_allclose(allan.deviation_ul_per_h, [2, 1, 0.5], rtol=0.05)


def test_a_flow_that_drifts_steadily_has_an_allan_deviation_of_drift_times_time_over_root_two() -> None:
    """Flow growing by 0.1 µL/h each hour: σ(τ) = 0.1 τ/√2."""
    hours = np.arange(0, 20, 0.25)
    allan = allan_deviation(0.05 * hours**2, interval_s=900, averaging_s=(900, 3600))
    np.testing.assert_allclose(allan.deviation_ul_per_h, np.array([0.25, 1.0]) * 0.1 / 2**0.5, rtol=1e-9)


@given(st.floats(-5, 5), st.floats(-100, 100))
def test_a_constant_flow_more_or_an_offset_leaves_the_allan_deviation(flow: float, offset: float) -> None:
    volume = np.random.default_rng(5).normal(0, 1, 50)
    plain = allan_deviation(volume, interval_s=60, averaging_s=(60, 600)).deviation_ul_per_h
    other = allan_deviation(volume + offset + flow * np.arange(50), interval_s=60, averaging_s=(60, 600))
    np.testing.assert_allclose(other.deviation_ul_per_h, plain, rtol=1e-9)


def test_a_clean_step_on_a_slope_is_measured_exactly() -> None:
    at_s = np.arange(0, 61.0)
    volume = 7.0 + 0.001 * at_s + np.where(at_s > 30, 0.25, 0.0)
    step = step_volume(at_s, volume, pulse_at_s=30, settle_s=0, span_s=30)
    assert step.volume_ul == pytest.approx(0.25, abs=1e-12)
    assert step.u_ul == pytest.approx(0, abs=1e-12)
    assert step.degrees_of_freedom == 58
    assert step.at_s == pytest.approx(30.5, abs=0.01)


def test_its_uncertainty_is_the_spread_of_repeated_measurements() -> None:
    """40 s of rest a side, 3 nL of noise, a tail of 2 s left out of the fit."""
    rng = np.random.default_rng(6)
    at_s = np.arange(0, 121.0)
    clean = np.where(at_s > 40, 0.04 * (1 - np.exp(-(at_s - 40) / 2)), 0.0)
    steps = [
        step_volume(at_s, clean + rng.normal(0, 0.003, at_s.size), pulse_at_s=40, settle_s=20, span_s=40)
        for _ in range(300)
    ]
    volumes = [step.volume_ul for step in steps]
    assert np.mean(volumes) == pytest.approx(0.04, abs=3e-4)
    assert np.std(volumes, ddof=1) == pytest.approx(np.mean([step.u_ul for step in steps]), rel=0.12)
    assert np.mean([step.at_s for step in steps]) == pytest.approx(40 + 2 * np.log(2), abs=0.3)


GRID = np.arange(0, 600, 15.0)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: find_dose_interval_s(GRID, GRID, longest_s=90),
            "the record of 585 s is shorter than ten of the longest interval, 90 s",
        ),
        (
            lambda: find_dose_interval_s(GRID, GRID, longest_s=58),
            "longest_s must be at least 5 samples of 15 s, got 58",
        ),
        (
            lambda: find_dose_interval_s(np.delete(GRID, 7), np.delete(GRID, 7), longest_s=58),
            "at_s must be evenly spaced, got 30 s after index 6, not 15.3947 s",
        ),
        (
            lambda: allan_deviation([0, 1, 2], interval_s=60, averaging_s=(120,)),
            "volume_ul is too short for an averaging time of 120 s: twice that is needed",
        ),
        (
            lambda: allan_deviation([0, 1, 2], interval_s=60, averaging_s=(90,)),
            "each of averaging_s must be a whole multiple of interval_s, got 90 with interval_s 60",
        ),
        (
            lambda: step_volume(GRID, GRID, pulse_at_s=0, settle_s=10, span_s=100),
            "a step needs two samples on each side and four in all, got 1 before and 7 after",
        ),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        call()

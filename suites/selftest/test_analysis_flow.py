"""Flow series, start-up, period errors and windows against numbers worked by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.analysis.flow import flow_ul_per_h, hourly_windows, period_error_percent, start_up_curve, volume_after_h
from rig.analysis.trumpet import trumpet_curve


def test_flow_of_one_pulse_is_its_volume_over_its_interval() -> None:
    """0.499 mg of water at 0.998 g/mL is 0.5 µL; in 15 min that is 2 µL/h."""
    flow = flow_ul_per_h([10.0, 10.0, 10.000499, 10.000499], interval_min=15)
    np.testing.assert_allclose(flow, [0, 2.0, 0], atol=1e-6)


@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=30), st.sampled_from([0.25, 0.5, 2.0, 4.0]))
def test_scaling_the_mass_scales_the_flow(micrograms: list[int], factor: float) -> None:
    mass = np.array(micrograms, dtype=np.float64)
    scaled = flow_ul_per_h(factor * mass, interval_min=15)
    assert scaled.tolist() == (factor * flow_ul_per_h(mass, interval_min=15)).tolist()


@given(st.lists(st.integers(0, 1000), min_size=8, max_size=30))
def test_the_mean_of_the_flow_is_the_volume_over_the_time(steps: list[int]) -> None:
    mass = np.concatenate([[0.0], np.cumsum(steps)]) / 2**20
    flow = flow_ul_per_h(mass, interval_min=15, density_g_per_ml=1.0)
    assert flow.mean() * len(steps) * 0.25 == pytest.approx(mass[-1] * 1000, rel=1e-12)


def test_a_start_up_curve_holds_the_first_two_hours_and_no_more() -> None:
    mass = 0.998e-3 * np.array([0.0, 4.0, 7.0, 9.0, 10.0, 11.0])
    curve = start_up_curve(mass, interval_min=30, duration_min=120)
    assert curve.at_min.tolist() == [30, 60, 90, 120]
    np.testing.assert_allclose(curve.flow_ul_per_h, [8.0, 6.0, 4.0, 2.0])


def test_a_over_the_first_period_and_b_over_the_second() -> None:
    """Programmed 4 µL/h; 5 µL in the first hour (+25 %), 3 µL in the second (−25 %)."""
    mass = 0.998e-3 * np.array([0.0, 2.0, 5.0, 6.0, 8.0])
    common: dict[str, Any] = {"interval_min": 30, "rate_ml_per_h": 0.004, "duration_min": 60}
    assert period_error_percent(mass, start_min=0, **common) == pytest.approx(25)
    assert period_error_percent(mass, start_min=60, **common) == pytest.approx(-25)
    whole = period_error_percent(mass, interval_min=30, rate_ml_per_h=0.004, duration_min=120, start_min=0)
    assert whole == pytest.approx(0, abs=1e-12)
    assert whole == trumpet_curve(mass, interval_min=30, rate_ml_per_h=0.004, windows_min=(30,)).overall_error_percent


def test_hourly_windows_count_each_stretch_once() -> None:
    """Hours with 1.00, 1.05, 0.90, 1.25 of the programme, and half an hour that fills no window."""
    hours = np.array([1.0, 1.05, 0.9, 1.25, 0.5])
    mass = 9.98e-6 * np.concatenate([[0.0], np.cumsum(np.repeat(hours / 2, 2))])[:-1]
    windows = hourly_windows(mass, interval_min=30, rate_ml_per_h=1e-5)
    np.testing.assert_allclose(windows.error_percent, [0, 5, -10, 25], atol=1e-9)
    assert windows.mean_percent == pytest.approx(5.0)
    assert windows.sd_percent == pytest.approx(float(np.sqrt((25 + 0 + 225 + 400) / 3)))
    assert windows.bands_percent == (5, 10, 15, 20, 30)
    assert windows.share_within_percent == (50, 75, 75, 75, 100)
    assert windows.dropped_min == 30


def test_volume_after_1_6_and_12_h() -> None:
    mass = 0.998e-3 * np.arange(0, 13) * 10.0
    np.testing.assert_allclose(volume_after_h((1, 6, 12), mass, interval_min=60), [10, 60, 120])


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: flow_ul_per_h([0.0], interval_min=1), "mass_g is too short: 1 samples, at least 2 are needed"),
        (lambda: flow_ul_per_h([0, 1], interval_min=-1), "interval_min must be above 0, got -1"),
        (
            lambda: start_up_curve([0, 1, 2], interval_min=30, duration_min=90),
            "mass_g is too short: 3 samples, at least 4 are needed",
        ),
        (
            lambda: start_up_curve([0, 1, 2], interval_min=30, duration_min=45),
            "duration_min must be a whole multiple of interval_min, got 45 with interval_min 30",
        ),
        (
            lambda: period_error_percent([0, 1, 2], interval_min=30, rate_ml_per_h=1, start_min=30, duration_min=60),
            "mass_g is too short: 3 samples, at least 4 are needed",
        ),
        (
            lambda: hourly_windows([0, 1, 2, 3], interval_min=30, rate_ml_per_h=1),
            "mass_g is too short: 4 samples, at least 5 are needed",
        ),
        (lambda: volume_after_h((1, 3), [0, 1, 2], interval_min=60), "mass_g is too short: it ends before 3 h"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        call()

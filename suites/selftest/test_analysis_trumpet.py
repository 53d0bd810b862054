"""Trumpet curves against rational arithmetic, laws and refusals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.analysis.trumpet import AMBULATORY, VOLUMETRIC, TrumpetCurve, dose_cycles_per_window, trumpet_curve

DENSITY = Fraction(998, 1000)


def exact_errors(
    mass_g: Sequence[Fraction], interval_min: Fraction, rate_ml_per_h: Fraction, window_min: Fraction
) -> tuple[Fraction, Fraction]:
    """Ep(min) and Ep(max) as the standard writes them: (S/P) Σ 100 (Qi − r)/r over each overlapping window."""
    flows = [60 * (after - before) / (interval_min * DENSITY) for before, after in pairwise(mass_g)]
    errors = [100 * (flow - rate_ml_per_h) / rate_ml_per_h for flow in flows]
    span = int(window_min / interval_min)
    sums = [sum(errors[j : j + span], Fraction(0)) / span for j in range(len(errors) - span + 1)]
    return min(sums), max(sums)


def pulse_train_g(
    pulses_at_min: Sequence[int], pulse_ul: Fraction, interval_min: int, period_min: int
) -> list[Fraction]:
    """Masses at the ends of the intervals; a pulse counts in the interval that it begins or falls into."""
    pulse_g = pulse_ul * DENSITY / 1000
    ends = range(0, period_min + 1, interval_min)
    return [pulse_g * sum(at < end for at in pulses_at_min) for end in ends]


def test_hourly_pulses_of_0_05_u_at_0_05_u_per_h() -> None:
    period_min = 25 * 60
    mass = pulse_train_g(range(20, period_min, 60), Fraction(1, 2), 15, period_min)
    rate = Fraction(1, 2000)
    curve = trumpet_curve([float(m) for m in mass], interval_min=15, rate_ml_per_h=0.0005)
    exact = [exact_errors(mass, Fraction(15), rate, Fraction(w)) for w in AMBULATORY.windows_min]
    assert exact == [
        (-100, 300),
        (0, 0),
        (-20, 20),
        (Fraction(-100, 11), Fraction(100, 11)),
        (Fraction(-100, 19), Fraction(100, 19)),
        (Fraction(-100, 31), Fraction(100, 31)),
    ]
    np.testing.assert_allclose(curve.error_min_percent, [float(low) for low, _ in exact], rtol=0, atol=1e-10)
    np.testing.assert_allclose(curve.error_max_percent, [float(high) for _, high in exact], rtol=0, atol=1e-10)
    assert curve.overall_error_percent == pytest.approx(0, abs=1e-12)


def test_three_minute_pulses_at_1_u_per_h_fill_every_window_evenly() -> None:
    period_min = 25 * 60
    mass = pulse_train_g(range(1, period_min, 3), Fraction(1, 2), 15, period_min)
    curve = trumpet_curve([float(m) for m in mass], interval_min=15, rate_ml_per_h=0.01)
    np.testing.assert_allclose(curve.error_max_percent, 0, atol=1e-10)
    np.testing.assert_allclose(curve.error_min_percent, 0, atol=1e-10)


def test_constant_flow_has_no_error_and_every_overlapping_window_counts() -> None:
    mass = 100.0 + 0.0025 * 0.998 * np.arange(101)
    curve = trumpet_curve(mass, interval_min=15, rate_ml_per_h=0.01)
    np.testing.assert_allclose(curve.error_max_percent, 0, atol=1e-8)
    np.testing.assert_allclose(curve.error_min_percent, 0, atol=1e-8)
    assert curve.overall_error_percent == pytest.approx(0, abs=1e-9)
    period = 25 * 60
    assert curve.windows_counted == tuple((period - p) // 15 + 1 for p in (15, 60, 150, 330, 570, 930))
    assert curve.period_min == period


def test_linearly_rising_flow_has_its_extremes_in_the_first_and_the_last_window() -> None:
    """Flow 1 + i/10 of the rate in interval i: a window of k from j averages 1 + (j + (k − 1)/2)/10."""
    intervals = 40
    step_g = Fraction(1, 400) * DENSITY
    mass = [sum((step_g * (1 + Fraction(i, 10)) for i in range(n)), Fraction(0)) for n in range(intervals + 1)]
    curve = trumpet_curve([float(m) for m in mass], interval_min=15, rate_ml_per_h=0.01, windows_min=(15, 60, 150))
    for index, span in enumerate((1, 4, 10)):
        assert curve.error_min_percent[index] == pytest.approx(float(100 * Fraction(span - 1, 20)), abs=1e-9)
        last = intervals - span
        assert curve.error_max_percent[index] == pytest.approx(float(10 * (last + Fraction(span - 1, 2))), abs=1e-9)
    assert curve.overall_error_percent == pytest.approx(float(10 * Fraction(intervals - 1, 2)), abs=1e-9)


def test_half_minute_samples_and_volumetric_windows() -> None:
    mass = 0.25 * 0.998 / 60 * np.arange(121)
    curve = trumpet_curve(
        mass, interval_min=VOLUMETRIC.interval_min, rate_ml_per_h=0.5, windows_min=VOLUMETRIC.windows_min
    )
    assert curve.windows_min.tolist() == [2, 5, 11, 19, 31]
    assert curve.windows_counted == (117, 111, 99, 83, 59)
    np.testing.assert_allclose(curve.error_max_percent, 0, atol=1e-9)


def test_density_of_the_caller_counts() -> None:
    mass = 0.0025 * np.arange(101)
    assert trumpet_curve(
        mass, interval_min=15, rate_ml_per_h=0.01, density_g_per_ml=1.0
    ).overall_error_percent == pytest.approx(0, abs=1e-12)
    read_without_buoyancy = trumpet_curve(mass, interval_min=15, rate_ml_per_h=0.01).overall_error_percent
    assert read_without_buoyancy == pytest.approx(float(100 * (1 / DENSITY - 1)), abs=1e-10)


def test_windows_longer_than_a_block_of_differences_are_all_seen() -> None:
    """A single pulse near the end of a long record, behind several blocks of window starts."""
    mass = np.zeros(300_001)
    mass[290_000:] = 1.0
    curve = trumpet_curve(mass, interval_min=0.5, rate_ml_per_h=1.0, density_g_per_ml=1.0, windows_min=(1.0, 60.0))
    assert curve.error_max_percent.tolist() == pytest.approx([5900.0, 0.0], abs=1e-9)
    assert curve.error_min_percent.tolist() == [-100.0, -100.0]


@pytest.mark.parametrize("spike_at", [0, 65_534, 65_535, 65_536, 131_071, 131_072, 199_999])
def test_no_window_is_left_out_where_the_work_is_split_into_blocks(spike_at: int) -> None:
    mass = np.zeros(200_001)
    mass[spike_at + 1 :] = 1.0
    curve = trumpet_curve(mass, interval_min=1.0, rate_ml_per_h=60.0, density_g_per_ml=1.0, windows_min=(1.0,))
    assert curve.error_max_percent.tolist() == pytest.approx([0.0], abs=1e-9)


def test_a_result_is_frozen_all_through() -> None:
    curve = trumpet_curve([0.0, 1.0, 2.0], interval_min=1, rate_ml_per_h=60, windows_min=(1,))
    with pytest.raises(ValueError, match="read-only"):
        curve.error_max_percent[0] = 0.0
    with pytest.raises(AttributeError):
        curve.rate_ml_per_h = 1.0  # type: ignore[misc]


def test_the_callers_arrays_stay_as_they_were() -> None:
    mass, windows = np.array([0.0, 1.0, 2.0]), np.array([1.0, 2.0])
    trumpet_curve(mass, interval_min=1, rate_ml_per_h=60, windows_min=windows)  # type: ignore[arg-type]
    mass[0], windows[0] = 5.0, 5.0
    assert mass.tolist() == [5.0, 1.0, 2.0]


def test_dose_cycles_per_window_tell_where_quantisation_shows() -> None:
    assert dose_cycles_per_window((15, 60, 150), dose_interval_min=60).tolist() == [0.25, 1.0, 2.5]


STEPS = st.lists(st.integers(0, 4000), min_size=64, max_size=80)
"""Increments in units of 2⁻²⁰ g (about 1 µg): sums and power-of-two scalings of these are exact in doubles."""


def grams(steps: Sequence[int]) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.concatenate([[0.0], np.cumsum(np.array(steps, dtype=np.float64))]) / 2**20


def curve_of(mass: np.ndarray[Any, np.dtype[np.float64]], rate_ml_per_h: float = 0.01) -> TrumpetCurve:
    return trumpet_curve(mass, interval_min=15, rate_ml_per_h=rate_ml_per_h, windows_min=(15, 60, 330, 930))


@given(STEPS)
def test_any_masses_agree_with_the_equation_of_the_standard(steps: list[int]) -> None:
    curve = curve_of(grams(steps))
    exact_mass = [Fraction(m) for m in grams(steps)]
    for index, window in enumerate((15, 60, 330, 930)):
        low, high = exact_errors(exact_mass, Fraction(15), Fraction(1, 100), Fraction(window))
        assert curve.error_min_percent[index] == pytest.approx(float(low), rel=1e-11, abs=1e-9)
        assert curve.error_max_percent[index] == pytest.approx(float(high), rel=1e-11, abs=1e-9)


@given(STEPS, st.integers(1, 2**26))
def test_a_constant_offset_changes_nothing(steps: list[int], offset: int) -> None:
    bare, loaded = curve_of(grams(steps)), curve_of(grams(steps) + offset / 2**20)
    assert bare.error_max_percent.tolist() == loaded.error_max_percent.tolist()
    assert bare.error_min_percent.tolist() == loaded.error_min_percent.tolist()
    assert bare.overall_error_percent == loaded.overall_error_percent


@given(STEPS, st.floats(0.1, 10))
def test_scaling_mass_and_rate_together_changes_nothing(steps: list[int], factor: float) -> None:
    bare, scaled = curve_of(grams(steps)), curve_of(factor * grams(steps), 0.01 * factor)
    np.testing.assert_allclose(scaled.error_max_percent, bare.error_max_percent, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(scaled.error_min_percent, bare.error_min_percent, rtol=1e-9, atol=1e-9)


@given(STEPS)
def test_running_time_backwards_changes_nothing(steps: list[int]) -> None:
    forward, backward = curve_of(grams(steps)), curve_of(grams(steps[::-1]))
    assert forward.error_max_percent.tolist() == backward.error_max_percent.tolist()
    assert forward.error_min_percent.tolist() == backward.error_min_percent.tolist()


@given(STEPS)
def test_the_full_length_window_is_the_overall_error(steps: list[int]) -> None:
    curve = trumpet_curve(grams(steps), interval_min=15, rate_ml_per_h=0.01, windows_min=(15 * len(steps),))
    assert curve.error_max_percent[0] == curve.error_min_percent[0] == curve.overall_error_percent
    assert curve.windows_counted == (1,)


@given(STEPS, st.integers(2, 8))
def test_extremes_never_widen_from_a_window_to_its_whole_multiples(steps: list[int], multiple: int) -> None:
    """A window of k·P is k windows of P put together, so its error is their mean and lies between the extremes."""
    curve = trumpet_curve(grams(steps), interval_min=15, rate_ml_per_h=0.01, windows_min=(120, 120 * multiple))
    assert curve.error_max_percent[1] <= curve.error_max_percent[0] + 1e-9
    assert curve.error_min_percent[1] >= curve.error_min_percent[0] - 1e-9


@given(st.integers(1, 6), st.integers(0, 5), st.integers(2, 9))
def test_windows_of_whole_dose_cycles_show_no_error_of_a_perfect_pump(cycle: int, phase: int, cycles: int) -> None:
    """One equal pulse each `cycle` intervals: a window of whole cycles holds its share wherever it begins."""
    steps = [1024 if i % cycle == phase % cycle else 0 for i in range(cycle * 12)]
    rate_ml_per_h = 1024 / 2**20 / 0.998 / (cycle * 0.25)
    curve = trumpet_curve(
        grams(steps), interval_min=15, rate_ml_per_h=rate_ml_per_h, windows_min=(15 * cycle, 15 * cycle * cycles)
    )
    np.testing.assert_allclose(curve.error_max_percent, 0, atol=1e-9)
    np.testing.assert_allclose(curve.error_min_percent, 0, atol=1e-9)


GOOD: dict[str, Any] = {"interval_min": 15.0, "rate_ml_per_h": 0.01, "windows_min": (15, 60)}


@pytest.mark.parametrize(
    ("mass_g", "change", "sentence"),
    [
        ([0.0, 1.0, float("nan"), 2.0, 3.0], {}, "mass_g must be finite, got nan at index 2"),
        ([0.0, 1.0, 2.0, float("inf"), 3.0], {}, "mass_g must be finite, got inf at index 3"),
        ([0.0], {}, "mass_g is too short: 1 samples, at least 2 are needed"),
        ([], {}, "mass_g is too short: 0 samples, at least 2 are needed"),
        (
            [0.0, 1.0, 2.0],
            {},
            "mass_g is too short: 2 intervals of 15 min are 30 min, the window is 60 min",
        ),
        (np.zeros((5, 1)), {}, r"mass_g must be one-dimensional, got shape \(5, 1\)"),
        (3.0, {}, r"mass_g must be one-dimensional, got shape \(\)"),
        ([[0.0], [1.0, 2.0]], {}, "mass_g must be a one-dimensional array of numbers, got rows of different lengths"),
        (["0", "1", "2", "3", "4"], {}, "mass_g must hold real numbers, got <U1"),
        ([0, None, 2, 3, 4], {}, "mass_g must hold real numbers, got object"),
        ([0j, 1j, 2j, 3j, 4j], {}, "mass_g must hold real numbers, got complex128"),
        (np.ma.masked_equal([0.0, 1, 2, 3, 4], 3), {}, "mass_g has masked samples, the first at index 3"),
        (range(5), {"interval_min": 0}, "interval_min must be above 0, got 0"),
        (range(5), {"interval_min": float("nan")}, "interval_min must be finite, got nan"),
        (range(5), {"interval_min": "15"}, "interval_min must be a number, got '15'"),
        (range(5), {"interval_min": None}, "interval_min must be a number, got None"),
        (range(5), {"rate_ml_per_h": 0.0}, "rate_ml_per_h must be above 0, got 0.0"),
        (range(5), {"rate_ml_per_h": -0.01}, "rate_ml_per_h must be above 0, got -0.01"),
        (range(5), {"rate_ml_per_h": True}, "rate_ml_per_h must be a number, got True"),
        (range(5), {"density_g_per_ml": -1.0}, "density_g_per_ml must be above 0, got -1.0"),
        (
            range(5),
            {"windows_min": (15, 40)},
            "each of windows_min must be a whole multiple of interval_min, got 40 with interval_min 15",
        ),
        (
            range(5),
            {"windows_min": (5,)},
            "each of windows_min must be a whole multiple of interval_min, got 5 with interval_min 15",
        ),
        (range(5), {"windows_min": ()}, "windows_min is too short: 0 samples, at least 1 are needed"),
        (range(5), {"windows_min": (15, -60)}, "each of windows_min must be above 0, got -60.0"),
        (range(5), {"windows_min": (15, float("nan"))}, "windows_min must be finite, got nan at index 1"),
        (range(5), {"windows_min": 15}, r"windows_min must be one-dimensional, got shape \(\)"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(mass_g: object, change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        trumpet_curve(mass_g, **(GOOD | change))  # type: ignore[arg-type]


@pytest.mark.parametrize("make", [list, tuple, np.array, lambda m: np.array(m, dtype=np.int32)])
def test_anything_that_is_an_array_of_numbers_will_do(make: Callable[[list[int]], Any]) -> None:
    assert trumpet_curve(make([0, 1, 2, 3, 5]), **GOOD).error_max_percent.shape == (2,)

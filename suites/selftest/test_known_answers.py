"""Exact pulse trains through every flow analysis, by rational arithmetic; and laws that hold for any delivery.

The trumpet curve's own cases are in `test_analysis_trumpet`.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.analysis.flow import flow_ul_per_h, hourly_windows, period_error_percent, start_up_curve, volume_after_h
from rig.analysis.trumpet import AMBULATORY, VOLUMETRIC, TrumpetMethod, trumpet_curve
from rig.units import ml_per_h_from_u_per_h

UL_PER_U = 10
DENSITY = Fraction(998, 1000)
HOURS = 25


def delivered_u(pulses_at_min: Sequence[Fraction], pulse_u: Fraction, interval_min: int) -> list[Fraction]:
    """Volumes at the ends of the intervals of 25 h; a pulse counts where it falls, at its begin included."""
    ends = range(0, 60 * HOURS + 1, interval_min)
    return [pulse_u * sum(at < end for at in pulses_at_min) for end in ends]


def grams(volumes_u: Sequence[Fraction]) -> list[float]:
    """Masses that a balance would show, exact until here."""
    return [float(volume * UL_PER_U * DENSITY / 1000) for volume in volumes_u]


def train(rate_u_per_h: Fraction, pulse_u: Fraction, first_min: Fraction) -> list[Fraction]:
    """Moments in min of even pulses over 25 h."""
    every_min = 60 * pulse_u / rate_u_per_h
    count = int((60 * HOURS - first_min) / every_min) + 1
    return [at for at in (first_min + n * every_min for n in range(count)) if at < 60 * HOURS]


CASES = [
    (Fraction(1, 20), Fraction(1, 20), Fraction(20)),
    (Fraction(1, 20), Fraction(1, 40), Fraction(7)),
    (Fraction(1, 10), Fraction(1, 20), Fraction(29)),
    (Fraction(3, 40), Fraction(1, 20), Fraction(1)),
    (Fraction(1), Fraction(1, 40), Fraction(1, 3)),
]
"""Rate in U/h, pulse in U, first pulse at min; 0.075 U/h has a pulse every 40 min, which no hour holds wholly."""


@pytest.mark.parametrize(("rate", "pulse", "first"), CASES)
def test_every_flow_analysis_has_the_exact_value_of_a_pulse_train(
    rate: Fraction, pulse: Fraction, first: Fraction
) -> None:
    volumes = delivered_u(train(rate, pulse, first), pulse, 15)
    mass = grams(volumes)
    flow = [(after - before) * UL_PER_U * 4 for before, after in pairwise(volumes)]
    np.testing.assert_allclose(flow_ul_per_h(mass, interval_min=15), [float(q) for q in flow], atol=1e-9)
    start_up = start_up_curve(mass, interval_min=15, duration_min=120)
    np.testing.assert_allclose(start_up.flow_ul_per_h, [float(q) for q in flow[:8]], atol=1e-9)
    after = [float(volumes[4 * hours] * UL_PER_U) for hours in (1, 6, 12)]
    np.testing.assert_allclose(volume_after_h((1, 6, 12), mass, interval_min=15), after, atol=1e-9)
    rate_ml_per_h = ml_per_h_from_u_per_h(float(rate))
    hours = [100 * ((volumes[4 * h + 4] - volumes[4 * h]) / rate - 1) for h in range(HOURS)]
    windows = hourly_windows(mass, interval_min=15, rate_ml_per_h=rate_ml_per_h)
    np.testing.assert_allclose(windows.error_percent, [float(e) for e in hours], atol=1e-8)
    assert windows.mean_percent == pytest.approx(float(sum(hours) / HOURS), abs=1e-8)
    within = 100 * Fraction(sum(abs(error) <= 30 for error in hours), HOURS)
    assert windows.share_within_percent[-1] == pytest.approx(float(within))
    whole = 100 * (volumes[-1] / (rate * HOURS) - 1)
    error = period_error_percent(
        mass, interval_min=15, rate_ml_per_h=rate_ml_per_h, start_min=0, duration_min=60 * HOURS
    )
    assert error == pytest.approx(float(whole), abs=1e-9)


def test_a_pulse_every_40_min_makes_hours_of_one_pulse_and_of_two() -> None:
    """At 0.075 U/h with 0.05 U, pulses at 1, 41, 81 … min: 2, 1, 2, 1 … a programmed 1.5, +33.3 and −33.3 %."""
    rate, pulse, first = CASES[3]
    mass = grams(delivered_u(train(rate, pulse, first), pulse, 15))
    windows = hourly_windows(mass, interval_min=15, rate_ml_per_h=ml_per_h_from_u_per_h(0.075))
    np.testing.assert_allclose(windows.error_percent[:4], [100 / 3, -100 / 3, 100 / 3, -100 / 3], atol=1e-8)


@pytest.mark.parametrize("method", [AMBULATORY, VOLUMETRIC])
def test_windows_are_counted_as_the_standard_counts_them(method: TrumpetMethod) -> None:
    """Their number is m = (T − P)/S + 1 for each P of the method."""
    intervals = round(method.analysis_min / method.interval_min)
    curve = trumpet_curve(
        np.arange(intervals + 1.0), interval_min=method.interval_min, rate_ml_per_h=1.0, windows_min=method.windows_min
    )
    period, step = Fraction(method.analysis_min), Fraction(method.interval_min)
    assert list(curve.windows_counted) == [(period - Fraction(p)) / step + 1 for p in method.windows_min]


STEPS = st.lists(st.integers(0, 4000), min_size=16, max_size=60)
"""Increments in 2⁻²⁰ g: exact in doubles."""


def summed(steps: Sequence[int]) -> np.ndarray:
    return np.concatenate([[0.0], np.cumsum(np.array(steps, dtype=np.float64))]) / 2**20


@given(STEPS, st.integers(0, 2**24), st.sampled_from([0.25, 0.5, 2.0, 8.0]))
def test_mass_scales_volumes_and_an_offset_changes_nothing(steps: list[int], offset: int, factor: float) -> None:
    bare, other = summed(steps), factor * (summed(steps) + offset / 2**20)
    volumes = [volume_after_h((1, 2), mass, interval_min=15).tolist() for mass in (bare, other)]
    assert volumes[1] == [factor * volume for volume in volumes[0]]
    errors = [
        hourly_windows(mass, interval_min=15, rate_ml_per_h=rate).error_percent.tolist()
        for mass, rate in ((bare, 0.01), (other, 0.01 * factor))
    ]
    assert errors[1] == pytest.approx(errors[0], rel=1e-12, abs=1e-9)


@given(st.integers(1, 4), st.integers(1, 8), st.integers(0, 3))
def test_beginning_later_by_whole_dose_cycles_changes_nothing(cycle: int, later: int, phase: int) -> None:
    """A shift in time: the same train of equal pulses, entered `later` cycles on."""
    steps = [1024 if i % cycle == phase % cycle else 0 for i in range(cycle * 40)]
    length = cycle * 24
    curves = [
        trumpet_curve(summed(steps)[at : at + length + 1], interval_min=15, rate_ml_per_h=0.01, windows_min=(15, 60))
        for at in (0, cycle * later)
    ]
    assert curves[0].error_max_percent.tolist() == curves[1].error_max_percent.tolist()
    assert curves[0].error_min_percent.tolist() == curves[1].error_min_percent.tolist()
    assert curves[0].overall_error_percent == curves[1].overall_error_percent


@given(STEPS)
def test_the_hours_of_a_record_average_to_its_whole_error(steps: list[int]) -> None:
    whole_hours = len(steps) // 4 * 4
    mass = summed(steps)[: whole_hours + 1]
    windows = hourly_windows(mass, interval_min=15, rate_ml_per_h=0.01)
    error = period_error_percent(mass, interval_min=15, rate_ml_per_h=0.01, start_min=0, duration_min=15 * whole_hours)
    assert windows.mean_percent == pytest.approx(error, rel=1e-9, abs=1e-9)

"""Doses told apart, missed doses counted: hand-made records, and pumps simulated with the noise that real ones have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rig.analysis.pulses import dose_volumes, lacking_doses, missed_doses, stroke_statistics

DOSE_UL = 0.25
INTERVAL_S = 90.0


@dataclass(frozen=True)
class SimulatedPump:
    """A pulse pump at 1 U/h on a balance: every parameter is a range of published pumps and microbalances."""

    doses: int = 1000
    stroke_cv: float = 0.07
    device_bias: float = 1.0
    drop_every: int | None = None
    sticking: float = 0.0
    line_s: float = 5.0
    clock_ratio: float = 1.0
    noise_ul: float = 0.003
    sampling_s: float = 15.0
    phase_s: float = 33.0

    def record(self, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Times in s and delivered volume in µL."""
        rng = np.random.default_rng(seed)
        strokes = DOSE_UL * self.device_bias * np.maximum(0, 1 + self.stroke_cv * rng.standard_normal(self.doses))
        if self.drop_every:
            strokes[self.drop_every - 1 :: self.drop_every] = 0.0
        for index in np.flatnonzero(rng.random(self.doses - 1) < self.sticking):
            strokes[index + 1] += strokes[index]
            strokes[index] = 0.0
        interval_s = INTERVAL_S * self.clock_ratio
        stroke_at_s = self.phase_s + interval_s * np.arange(self.doses)
        at_s = np.arange(0, self.doses * interval_s, self.sampling_s)
        volume = np.zeros(at_s.size)
        for stroke, start_s in zip(strokes, stroke_at_s, strict=True):
            first = int(np.searchsorted(at_s, start_s))
            volume[first:] += stroke * (1 - np.exp(-(at_s[first:] - start_s) / self.line_s))
        return at_s, volume + rng.normal(0, self.noise_ul, at_s.size)


@pytest.mark.parametrize("stroke_cv", [0.07, 0.18, 0.29])
@pytest.mark.parametrize(("line_s", "noise_ul"), [(1.0, 0.002), (5.0, 0.003), (15.0, 0.004)])
def test_noise_is_told_from_one_dose_in_twenty_left_out(stroke_cv: float, line_s: float, noise_ul: float) -> None:
    for seed in range(3):
        honest = SimulatedPump(
            stroke_cv=stroke_cv,
            line_s=line_s,
            noise_ul=noise_ul,
            device_bias=0.92 + 0.05 * seed,
            clock_ratio=1 + 1e-4 * (seed - 1),
            phase_s=12.0 + 31.7 * seed,
        )
        dropping = SimulatedPump(**{**honest.__dict__, "drop_every": 20})
        of_honest = missed_doses(*honest.record(seed), dose_interval_s=INTERVAL_S, dose_ul=DOSE_UL)
        of_dropping = missed_doses(*dropping.record(seed), dose_interval_s=INTERVAL_S, dose_ul=DOSE_UL)
        assert of_honest.share_percent < 0.8
        assert 3.5 < of_dropping.share_percent < 6.0


@pytest.mark.parametrize("stroke_cv", [0.07, 0.18])
def test_below_a_fifth_of_stroke_noise_the_count_is_almost_exact(stroke_cv: float) -> None:
    honest, dropping = SimulatedPump(stroke_cv=stroke_cv), SimulatedPump(stroke_cv=stroke_cv, drop_every=20)
    assert missed_doses(*honest.record(7), dose_interval_s=INTERVAL_S, dose_ul=DOSE_UL).missed == 0
    missed = missed_doses(*dropping.record(7), dose_interval_s=INTERVAL_S, dose_ul=DOSE_UL)
    assert 48 <= missed.missed <= 50
    numbers = (missed.missed_at_s - 33.0) / INTERVAL_S
    assert set(np.round(numbers + 0.3).astype(int) % 20) == {19}


def test_a_plunger_that_sticks_and_slips_leaves_nothing_out() -> None:
    pump = SimulatedPump(sticking=0.1)
    assert missed_doses(*pump.record(3), dose_interval_s=INTERVAL_S, dose_ul=DOSE_UL).missed == 0


@pytest.mark.parametrize("sampling_s", [1.0, 7.3, 15.0, 18.0])
@pytest.mark.parametrize("phase_s", [0.1, 15.0, 44.9, 89.9])
@pytest.mark.parametrize("clock_ratio", [0.98, 1.0, 1.0002, 1.02])
def test_neither_sampling_nor_phase_nor_the_pumps_clock_matter(
    sampling_s: float, phase_s: float, clock_ratio: float
) -> None:
    pump = SimulatedPump(
        doses=200, sampling_s=sampling_s, phase_s=phase_s, clock_ratio=clock_ratio, drop_every=20, stroke_cv=0.0
    )
    at_s, volume = pump.record(1)
    found = dose_volumes(at_s, volume, dose_interval_s=INTERVAL_S)
    assert found.dose_interval_s == pytest.approx(INTERVAL_S * clock_ratio, rel=3e-4)
    whole = found.volume_ul[found.volume_ul > DOSE_UL / 2]
    np.testing.assert_allclose(whole, DOSE_UL, atol=0.025)
    assert missed_doses(at_s, volume, dose_interval_s=INTERVAL_S, dose_ul=DOSE_UL).missed in (9, 10)


def test_doses_add_up_to_what_flowed() -> None:
    at_s, volume = SimulatedPump(noise_ul=0.0).record(2)
    doses = dose_volumes(at_s, volume, dose_interval_s=INTERVAL_S)
    end_s = doses.starts_at_s[-1] + doses.dose_interval_s
    first, last = np.interp([doses.starts_at_s[0], end_s], at_s, volume)
    assert doses.volume_ul.sum() == pytest.approx(last - first, rel=1e-12)
    assert doses.pulsation > 0.8


def test_a_dead_pump_misses_every_dose() -> None:
    at_s = np.arange(0, 9000, 15.0)
    noise = np.random.default_rng(5).normal(0, 0.004, at_s.size)
    missed = missed_doses(at_s, noise, dose_interval_s=INTERVAL_S, dose_ul=DOSE_UL)
    assert missed.share_percent == 100.0


def test_a_pump_that_stops_half_way_misses_half() -> None:
    at_s = np.arange(0, 18000, 15.0)
    volume = DOSE_UL * np.minimum(np.floor((at_s + 40) / INTERVAL_S), 100)
    noise = np.random.default_rng(6).normal(0, 0.003, at_s.size)
    missed = missed_doses(at_s, volume + noise, dose_interval_s=INTERVAL_S, dose_ul=DOSE_UL)
    assert missed.share_percent == pytest.approx(50, abs=1)


def test_a_steady_flow_misses_nothing_and_does_not_pulsate() -> None:
    at_s = np.arange(0, 9000, 15.0)
    doses = dose_volumes(at_s, at_s * DOSE_UL / INTERVAL_S, dose_interval_s=INTERVAL_S)
    np.testing.assert_allclose(doses.volume_ul, DOSE_UL, rtol=1e-9)
    assert doses.pulsation < 0.01


@given(st.floats(-1e5, 1e5), st.floats(-1e4, 1e4))
def test_another_start_of_clock_or_balance_changes_no_dose(shift_s: float, offset_ul: float) -> None:
    at_s, volume = RECORD
    plain = dose_volumes(at_s, volume, dose_interval_s=INTERVAL_S)
    moved = dose_volumes(at_s + shift_s, volume + offset_ul, dose_interval_s=INTERVAL_S)
    np.testing.assert_allclose(moved.volume_ul, plain.volume_ul, atol=1e-7)
    np.testing.assert_allclose(moved.starts_at_s - shift_s, plain.starts_at_s, atol=1e-5)


RECORD = SimulatedPump(doses=60, stroke_cv=0.2).record(11)


@pytest.mark.parametrize(
    ("volumes", "lacking"),
    [
        ([1, 1, 0, 1, 1], [2]),
        ([0, 1, 1, 0], [0, 3]),
        ([1, 0, 2, 1], []),
        ([1, 2, 0, 1], []),
        ([1, 0, 1.5, 1], [1]),
        ([1, 0, 1.51, 1], []),
        ([1, 0.19, 1, 1], [1]),
        ([1, 0.2, 1, 1], []),
        ([1, 0, 0, 0, 4, 1], []),
        ([1, 0, 0, 0, 2, 1], [1, 2]),
        ([1, 0.1, 0, 0.1, 1, 1], [1, 2, 3]),
        ([1, 0.1, 0, 0.1, 2, 1], [1, 2]),
        ([0, 0, 0], [0, 1, 2]),
        ([1, 0, 0.9, 2.0, 1], [1]),
        ([-0.01, 1], [0]),
    ],
)
def test_a_low_dose_counts_unless_its_neighbour_makes_it_up(volumes: list[float], lacking: list[int]) -> None:
    assert np.flatnonzero(lacking_doses(volumes, dose_ul=1.0)).tolist() == lacking


def test_stroke_statistics_of_four_doses() -> None:
    strokes = stroke_statistics([0.2, 0.3, 0.25, 0.25])
    assert (strokes.doses, strokes.min_ul, strokes.max_ul) == (4, 0.2, 0.3)
    assert strokes.mean_ul == pytest.approx(0.25)
    assert strokes.sd_ul == pytest.approx((0.005 / 3) ** 0.5)
    assert strokes.cv_percent == pytest.approx(100 * (0.005 / 3) ** 0.5 / 0.25)


GRID = np.arange(0, 600, 15.0)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: dose_volumes(GRID, np.full(40, np.nan), dose_interval_s=90),
            "volume_ul must be finite, got nan at index 0",
        ),
        (
            lambda: dose_volumes(GRID, GRID[:-1], dose_interval_s=90),
            "at_s and volume_ul must be equally long, got 40 and 39 samples",
        ),
        (
            lambda: dose_volumes(GRID[::-1], GRID, dose_interval_s=90),
            r"at_s must rise, got 570.0 s after 585.0 s at index 1",
        ),
        (
            lambda: dose_volumes(np.sort(np.append(GRID, 45.0)), np.zeros(41), dose_interval_s=90),
            r"at_s must rise, got 45.0 s after 45.0 s at index 4",
        ),
        (
            lambda: dose_volumes(GRID, GRID, dose_interval_s=300),
            "the record of 585 s is shorter than three dose intervals of 300 s",
        ),
        (
            lambda: dose_volumes(GRID[::2], GRID[::2], dose_interval_s=90),
            "samples must be at most a fifth of the dose interval of 90 s apart, got 30 s as a rule",
        ),
        (lambda: dose_volumes(GRID, GRID, dose_interval_s=0), "dose_interval_s must be above 0, got 0"),
        (
            lambda: missed_doses(GRID, GRID, dose_interval_s=90, dose_ul=-1),
            "dose_ul must be above 0, got -1",
        ),
        (lambda: stroke_statistics([0.25]), "volume_ul is too short: 1 samples, at least 2 are needed"),
        (lambda: stroke_statistics([0.0, 0.0]), "the mean of volume_ul must be above 0, got 0.0"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        call()

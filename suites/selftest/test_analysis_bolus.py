"""Plateaus, single boluses and series of them against numbers worked by hand and simulated tails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rig.analysis.bolus import accuracy_bins, bolus_statistics, plateau_reached, weigh_bolus
from rig.analysis.bolus_profile import bolus_profile

EVERY_2_S = np.arange(0, 602, 2.0)


def fading(at_s: NDArray[np.float64], *, tail_s: float, noise_g: float = 0.0, seed: int = 1) -> NDArray[np.float64]:
    """10 mg commanded at 60 s: nine tenths at 1 mg/s, the rest with a fading tail."""
    pushed = np.clip((at_s - 60) * 1e-3, 0, 9e-3)
    tail = np.where(at_s > 69, 1e-3 * (1 - np.exp(-(at_s - 69) / tail_s)), 0.0)
    return np.asarray(20.0 + pushed + tail + np.random.default_rng(seed).normal(0, noise_g, at_s.size))


def first_plateau_s(mass: NDArray[np.float64], **options: float) -> float:
    """When the plateau is first called, asked at each reading after the planned end at 70 s."""
    for index in np.flatnonzero(EVERY_2_S >= 70):
        if plateau_reached(EVERY_2_S[: index + 1], mass[: index + 1], **options):
            return float(EVERY_2_S[index])
    return float("inf")


def test_a_flat_record_is_a_plateau_and_a_rising_one_is_not() -> None:
    assert plateau_reached(EVERY_2_S, np.full(301, 20.0), span_s=30, tolerance_g=1e-6)
    assert not plateau_reached(EVERY_2_S, 20 + 1e-6 * EVERY_2_S, span_s=30, tolerance_g=29e-6)
    assert plateau_reached(EVERY_2_S, 20 + 1e-6 * EVERY_2_S, span_s=30, tolerance_g=31e-6)


def test_only_the_last_span_decides() -> None:
    stepped = np.where(EVERY_2_S < 500, 0.0, 1.0)
    assert plateau_reached(EVERY_2_S, stepped, span_s=90, tolerance_g=1e-6)
    assert not plateau_reached(EVERY_2_S, stepped, span_s=110, tolerance_g=1e-6)


def test_a_record_shorter_than_the_span_or_with_two_readings_is_not_yet_a_plateau() -> None:
    assert not plateau_reached([0, 10, 20], [1, 1, 1], span_s=30, tolerance_g=1)
    assert not plateau_reached([0, 20, 40], [1, 1, 1], span_s=30, tolerance_g=1)
    assert not plateau_reached([0], [1], span_s=30, tolerance_g=1)
    assert plateau_reached([0, 15, 30], [1, 1, 1], span_s=30, tolerance_g=1)


def test_evaporation_is_not_taken_for_the_tail_of_a_bolus() -> None:
    """0.36 g/h is 0.1 mg/s: 3 mg in 30 s."""
    drying = 20 - 1e-4 * EVERY_2_S
    assert not plateau_reached(EVERY_2_S, drying, span_s=30, tolerance_g=1e-3)
    assert plateau_reached(EVERY_2_S, drying, span_s=30, tolerance_g=1e-9, evaporation_g_per_h=0.36)


@pytest.mark.parametrize("tail_s", [5.0, 15.0, 40.0])
def test_what_is_still_to_come_at_the_plateau_is_less_than_the_tolerance(tail_s: float) -> None:
    mass = fading(EVERY_2_S, tail_s=tail_s)
    called_s = first_plateau_s(mass, span_s=30, tolerance_g=50e-6)
    remaining = float(1e-3 * np.exp(-(called_s - 69) / tail_s))
    assert 70 < called_s < 600
    assert remaining < 50e-6


@pytest.mark.parametrize("seed", range(5))
def test_balance_noise_neither_calls_it_early_nor_prevents_it(seed: int) -> None:
    mass = fading(EVERY_2_S, tail_s=15, noise_g=3e-6, seed=seed)
    called_s = first_plateau_s(mass, span_s=30, tolerance_g=30e-6)
    assert 100 <= called_s <= 160


def test_a_bolus_weighed_by_hand() -> None:
    """Before 20.000, after 20.010 g; evaporation 3.6 mg/h over 100 s is 0.1 mg; Z 1.003."""
    at_s = np.array([0.0, 20.0, 60.0, 100.0, 120.0])
    mass = np.array([20.0, 20.0, 20.007, 20.010, 20.010])
    weighed = weigh_bolus(
        at_s,
        mass,
        start_s=20,
        planned_end_s=60,
        plateau_s=100,
        z_ul_per_mg=1.003,
        evaporation_g_per_h=3.6e-3,
        u_evaporation_g_per_h=3.6e-4,
    )
    assert weighed.volume_ul == pytest.approx(10.1 * 1.003, rel=1e-9)
    at_planned_end = (7.0 + 0.06) - 0.01
    assert weighed.tail_ul == pytest.approx((10.1 - at_planned_end) * 1.003, rel=1e-6)
    assert weighed.tail_percent == pytest.approx(100 * (10.1 - at_planned_end) / 10.1, rel=1e-6)
    scatter_mg = 2 * (0.02**2 / 2) / 2
    assert weighed.u_ul == pytest.approx(1.003 * (scatter_mg + 0.01**2) ** 0.5, rel=1e-4)


def test_its_uncertainty_is_the_spread_of_repeated_weighings() -> None:
    volumes, us = [], []
    for seed in range(400):
        mass = fading(EVERY_2_S, tail_s=10, noise_g=4e-6, seed=seed)
        weighed = weigh_bolus(EVERY_2_S, mass, start_s=60, planned_end_s=70, plateau_s=400, z_ul_per_mg=1.0)
        volumes.append(weighed.volume_ul)
        us.append(weighed.u_ul)
    assert np.mean(volumes) == pytest.approx(10.0, abs=2e-4)
    assert np.std(volumes, ddof=1) == pytest.approx(np.mean(us), rel=0.1)


@given(st.floats(-1e6, 1e6), st.floats(-10, 10))
def test_start_of_clock_and_load_change_no_bolus(shift_s: float, load_g: float) -> None:
    mass = fading(EVERY_2_S, tail_s=10, noise_g=3e-6)
    common: dict[str, Any] = {"z_ul_per_mg": 1.003, "evaporation_g_per_h": 1e-5}
    plain = weigh_bolus(EVERY_2_S, mass, start_s=60, planned_end_s=70, plateau_s=400, **common)
    moved = weigh_bolus(
        EVERY_2_S + shift_s,
        mass + load_g,
        start_s=60 + shift_s,
        planned_end_s=70 + shift_s,
        plateau_s=400 + shift_s,
        **common,
    )
    assert moved.volume_ul == pytest.approx(plain.volume_ul, abs=1e-8)
    assert moved.tail_ul == pytest.approx(plain.tail_ul, abs=1e-8)


def test_a_series_of_five_boluses_of_10_ul() -> None:
    result = bolus_statistics([9.5, 10.0, 10.5, 11.0, 8.0], programmed_ul=10.0)
    assert (result.boluses, result.min_ul, result.max_ul) == (5, 8.0, 11.0)
    assert result.mean_ul == pytest.approx(9.8)
    assert result.sd_ul == pytest.approx((5.3 / 4) ** 0.5)
    assert result.mean_error_percent == pytest.approx(-2)
    assert (result.min_error_percent, result.max_error_percent) == (-20, 10)
    assert result.bins == (0, 0, 1, 2, 2, 0, 0, 0)
    assert result.share_within_percent(5) == 60
    assert result.share_within_percent(10) == 80
    assert result.share_within_percent(4.9) == 20


@pytest.mark.parametrize(
    ("percent", "number"),
    [
        (-3.0, 0),
        (24.999, 0),
        (25.0, 1),
        (74.999, 1),
        (75.0, 2),
        (94.999, 2),
        (95.0, 3),
        (100 * (9.5 / 10.0), 3),
        (104.999, 3),
        (105.0, 4),
        (100 * 1.05, 4),
        (124.999, 4),
        (125.0, 5),
        (174.999, 5),
        (175.0, 6),
        (250.0, 6),
        (250.001, 7),
    ],
)
def test_each_class_of_the_label_begins_and_ends_where_it_says(percent: float, number: int) -> None:
    assert accuracy_bins([percent]) == tuple(int(index == number) for index in range(8))


@given(st.lists(st.floats(0, 400), min_size=1, max_size=50))
def test_every_bolus_is_in_one_class(percents: list[float]) -> None:
    assert sum(accuracy_bins(percents)) == len(percents)


def test_an_even_bolus_of_an_hour_has_no_unevenness_and_no_delay() -> None:
    at_s = np.arange(0, 4000, 10.0)
    profile = bolus_profile(at_s, np.clip(at_s - 100, 0, 3600) / 360, start_s=100, duration_s=3600, slices=4)
    np.testing.assert_allclose(profile.slice_ul, 2.5)
    assert profile.unevenness_percent == pytest.approx(0, abs=1e-9)
    assert profile.delay_s == pytest.approx(0, abs=1e-6)


def test_a_late_bolus_shows_its_delay_and_its_light_first_slice() -> None:
    """Nothing for 300 s, then 10 µL evenly in the 3300 s left: a tenth of it after 330 s more, 270 s late."""
    at_s = np.arange(0, 4000, 10.0)
    profile = bolus_profile(at_s, np.clip(at_s - 400, 0, 3300) / 330, start_s=100, duration_s=3600, slices=4)
    np.testing.assert_allclose(profile.slice_ul, np.array([600, 900, 900, 900]) / 330)
    assert profile.unevenness_percent == pytest.approx(100 * (825 - 600) / 825)
    assert profile.delay_s == pytest.approx(300 + 330 - 360)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: plateau_reached([0, 1], [0, 1], span_s=0, tolerance_g=1), "span_s must be above 0, got 0"),
        (
            lambda: plateau_reached([0, 1], [0, np.nan], span_s=1, tolerance_g=1),
            "mass_g must be finite, got nan at index 1",
        ),
        (
            lambda: weigh_bolus([0, 9], [0, 1], start_s=5, planned_end_s=4, plateau_s=6, z_ul_per_mg=1),
            "a bolus starts, ends and settles in this order, got 5, 4 and 6 s",
        ),
        (
            lambda: weigh_bolus([1, 9], [0, 1], start_s=0, planned_end_s=4, plateau_s=6, z_ul_per_mg=1),
            "there is no reading before 0 s",
        ),
        (
            lambda: weigh_bolus([1, 9], [0, 1], start_s=1, planned_end_s=4, plateau_s=10, z_ul_per_mg=1),
            "there is no reading after 10 s",
        ),
        (
            lambda: weigh_bolus([1, 9], [0, 1], start_s=1, planned_end_s=4, plateau_s=9, z_ul_per_mg=1),
            "a bolus needs at least two readings before its start or two after its plateau",
        ),
        (
            lambda: bolus_profile([0, 9], [0, 1], start_s=0, duration_s=10, slices=2),
            "the record must hold the whole bolus, 0 … 10 s, got 0 … 9 s",
        ),
        (
            lambda: bolus_profile([0, 9], [1, 1], start_s=0, duration_s=9, slices=2),
            "the delivered volume must be above 0, got 0.0",
        ),
        (lambda: bolus_statistics([1.0], programmed_ul=1), "volume_ul is too short: 1 samples, at least 2 are needed"),
        (lambda: bolus_statistics([1.0, 1.0], programmed_ul=0), "programmed_ul must be above 0, got 0"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        call()

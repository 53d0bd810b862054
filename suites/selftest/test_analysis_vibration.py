"""Buzzes of a vibrator: when each began, how long, how fast; and none where there is none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rig.analysis.vibration import buzzes_in

RATE_HZ = 10_000.0


def pickup(
    buzzes: Sequence[tuple[float, float]],
    lasting_s: float,
    *,
    level: float = 0.5,
    turns_hz: float = 180.0,
    noise: float,
) -> NDArray[np.float64]:
    """Buzzes (begin, duration) with ramps of 40 ms, in noise."""
    at_s = np.arange(round(lasting_s * RATE_HZ)) / RATE_HZ
    envelope = np.zeros_like(at_s)
    for begin_s, duration_s in buzzes:
        corners = [begin_s, begin_s + 0.04, begin_s + duration_s, begin_s + duration_s + 0.04]
        envelope += np.interp(at_s, corners, [0.0, 1.0, 1.0, 0.0])
    random = np.random.default_rng(1)
    return level * envelope * np.sin(2 * np.pi * turns_hz * at_s) + noise * random.standard_normal(at_s.size)


@given(
    begin_s=st.floats(0.2, 3.0),
    duration_s=st.floats(0.15, 1.0),
    turns_hz=st.floats(75.0, 250.0),
    level=st.floats(0.02, 0.9),
)
def test_two_buzzes_are_found_where_they_are(begin_s: float, duration_s: float, turns_hz: float, level: float) -> None:
    second_s = begin_s + duration_s + 0.5
    wave = pickup([(begin_s, duration_s), (second_s, duration_s)], 12.0, level=level, turns_hz=turns_hz, noise=0.001)
    found = buzzes_in(wave, RATE_HZ)
    assert [each.at_s for each in found] == pytest.approx([begin_s + 0.02, second_s + 0.02], abs=0.015)
    assert [each.duration_s for each in found] == pytest.approx([duration_s] * 2, abs=0.03)
    assert [each.frequency_hz for each in found] == pytest.approx([turns_hz] * 2, abs=2.0)


@pytest.mark.parametrize("noise", [0.0, 0.0005, 0.01])
def test_noise_is_no_buzz(noise: float) -> None:
    assert buzzes_in(pickup([], 30.0, noise=noise), RATE_HZ) == ()


def test_what_leaks_in_of_the_buzzer_is_no_buzz() -> None:
    at_s = np.arange(60_000) / RATE_HZ
    beeps = 0.005 * np.sin(2 * np.pi * 500.0 * at_s) * (at_s % 1.0 < 0.2)
    assert buzzes_in(pickup([], 6.0, noise=0.0005) + beeps, RATE_HZ) == ()


def test_a_knock_is_no_buzz() -> None:
    wave = pickup([], 5.0, noise=0.001)
    wave[20_000:20_100] += 0.9
    assert buzzes_in(wave, RATE_HZ) == ()


@pytest.mark.parametrize(("size", "rate_hz"), [(100, 10_000.0), (5000, 500.0)])
def test_what_is_no_vibration_is_refused(size: int, rate_hz: float) -> None:
    with pytest.raises(ValueError, match="needs"):
        buzzes_in(np.zeros(size), rate_hz)

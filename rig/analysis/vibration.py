"""Buzzes of a vibrator in what a contact pickup gave: when each began, how long it lasted, how fast it turned.

A vibrator turns at 70–250 Hz and needs 30–100 ms to come to speed, so that its envelope is read with a window of 20 ms.
Not responsible for sounds (`alarm_sound`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from rig.analysis.checks import positive

BAND_HZ = (50.0, 300.0)
"""In which vibrators of pumps turn: eccentric motors from 77 Hz, small coin motors up to 250 Hz."""
WINDOW_S = 0.020
FLOOR_TIMES = 8.0
"""A buzz is so many times above the median of the envelope, which is noise as long as it buzzes for less than half."""
LEAST_SHARE = 0.25
"""And above this share of the strongest buzz, so that what leaks in from elsewhere is none. Assumption."""
LEAST_LEVEL = 0.002
"""And above this of full scale: 65 counts of 16 bits. Assumption."""
LEAST_S = 0.05
GAP_S = 0.05
"""Shorter ones are bounces of one buzz. Assumption, both."""


@dataclass(frozen=True)
class Buzz:
    """One buzz: half of its level was reached at `at_s`, and left `duration_s` later; it turned at `frequency_hz`."""

    at_s: float
    duration_s: float
    level: float
    frequency_hz: float


def buzzes_in(vibration: NDArray[np.float64], rate_hz: float) -> tuple[Buzz, ...]:
    """Find the buzzes in what a pickup gave.

    Args:
        vibration: (n,), full scale 1.
        rate_hz: samples per second, at least 1 kHz.

    Raises:
        ValueError: the rate is too low, or it is shorter than 0.2 s.
    """
    if positive("rate_hz", rate_hz) < 1000.0:
        raise ValueError(f"{rate_hz:g} samples per second: a vibrator up to 300 Hz needs 1000 or more")
    if vibration.size < 0.2 * rate_hz:
        raise ValueError(f"{vibration.size / rate_hz:.3g} s of vibration: a buzz needs 0.2 s or more")
    band = scipy.signal.sosfiltfilt(scipy.signal.butter(2, BAND_HZ, "bandpass", fs=rate_hz, output="sos"), vibration)
    envelope = np.sqrt(np.maximum(2.0 * scipy.ndimage.uniform_filter1d(band**2, round(WINDOW_S * rate_hz)), 0.0))
    strongest = float(envelope.max())
    threshold = max(FLOOR_TIMES * float(np.median(envelope)), LEAST_SHARE * strongest, LEAST_LEVEL)
    found = []
    for begin, end in _joined(_stretches(envelope > threshold), round(GAP_S * rate_hz)):
        level = float(np.median(envelope[begin:end]))
        half = np.flatnonzero(envelope[begin:end] >= 0.5 * level)
        first, last = begin + int(half[0]), begin + int(half[-1]) + 1
        if last - first >= LEAST_S * rate_hz:
            turns_hz = _frequency_hz(band[first:last], rate_hz)
            found.append(Buzz(first / rate_hz, (last - first) / rate_hz, level, turns_hz))
    return tuple(found)


def _stretches(above: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """List where it is above, each as first and one past the last sample."""
    changes = np.flatnonzero(np.diff(np.concatenate(([False], above, [False])).astype(np.int8)))
    return [(int(begin), int(end)) for begin, end in changes.reshape(-1, 2)]


def _joined(stretches: list[tuple[int, int]], gap: int) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for begin, end in stretches:
        if joined and begin - joined[-1][1] < gap:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((begin, end))
    return joined


def _frequency_hz(wave: NDArray[np.float64], rate_hz: float) -> float:
    """Where its spectrum is highest, on a grid of 1 Hz."""
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(wave.size), n=round(rate_hz)))
    return float(np.argmax(spectrum)) * rate_hz / round(rate_hz)

"""When within its interval a pump delivers its doses, and how long the interval really is.

Not responsible for volumes (`pulses`), nor for finding an interval that nobody knows (`dose_cycle`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rig.analysis.checks import FloatArray

MIN_SAMPLES_PER_DOSE = 5
DOSES_PER_BLOCK = 20
"""The phase is followed from block to block; a block of 20 doses follows clocks that differ by up to 1/40."""

PULSATING = 0.2
"""Below this share of the delivery at the dose rhythm there is no phase to speak of (a steady flow, a dead pump)."""


@dataclass(frozen=True)
class DosePhase:
    """The rhythm of delivery: interval in s, one middle of a delivery in s, and its pulsation 0..1."""

    interval_s: float
    middle_s: float
    pulsation: float


def dose_phase(times: FloatArray, volume: FloatArray, dose_interval_s: float) -> DosePhase:
    """The rhythm in s of a delivery whose interval is known to within ±2.5 %.

    The increments of volume are summed as vectors turning once a dose interval (the circular mean; Mardia and Jupp,
    Directional Statistics, 2.2), block by block. The turn from block to block is the difference of the two clocks.
    Where the delivery does not pulsate, the programmed interval stands and the phase is that of the first sample.
    """
    middles, delivered = (times[1:] + times[:-1]) / 2 - times[0], np.diff(volume)
    total = float(np.abs(delivered).sum())
    frequency = 1.0 / dose_interval_s
    block_s = DOSES_PER_BLOCK * dose_interval_s
    block = (middles // block_s).astype(np.int64)
    for _ in range(2):
        vectors = _block_vectors(middles, delivered, block, frequency)
        turn = float(np.angle(np.sum(vectors[1:] * np.conj(vectors[:-1]))))
        frequency -= turn / (2 * np.pi * block_s)
    vectors = _block_vectors(middles, delivered, block, frequency)
    pulsation = min(1.0, float(np.abs(vectors).sum()) / total) if total > 0 else 0.0
    if pulsation < PULSATING or abs(frequency * dose_interval_s - 1.0) > 0.5 / DOSES_PER_BLOCK:
        return DosePhase(dose_interval_s, float(times[0]), pulsation)
    middle = float(np.angle(vectors.sum())) / (2 * np.pi * frequency)
    return DosePhase(1.0 / frequency, float(times[0]) + middle, pulsation)


def _block_vectors(
    middles: FloatArray, delivered: FloatArray, block: np.ndarray[tuple[int], np.dtype[np.int64]], frequency: float
) -> np.ndarray[tuple[int], np.dtype[np.complex128]]:
    turning = delivered * np.exp(2j * np.pi * frequency * middles)
    size = int(block[-1]) + 1
    return np.bincount(block, turning.real, size) + 1j * np.bincount(block, turning.imag, size)

"""Which tones a pulse holds: frequency and level of each, the fundamental, and how loud the noise between them is.

Not responsible for when the pulse begins and ends (`alarm_pulses`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rig.analysis.alarm_spectrum import Picture

HARMONIC_WITHIN = 0.02
BELOW_LOUDEST_DB = 30.0
ABOVE_NOISE_DB = 9.0
AROUND_HZ = 25.0
HIGHEST_HZ = 4300.0
FUNDAMENTAL_HZ = (0.98 * 150.0, 1.02 * 1000.0)


@dataclass(frozen=True)
class Partials:
    """Tones of a pulse: `hz` rising with `db` each, level of all, and of the noise that a tone must stand above."""

    hz: tuple[float, ...]
    db: tuple[float, ...]
    fundamental_hz: float | None
    level_db: float
    noise_db: float


def partials_of(picture: Picture, lines_hz: Sequence[float], begin: int, end: int) -> Partials:
    """Find the tones of a pulse, from all of its samples at once: those known of the sounder, and their multiples."""
    hop = round(picture.hop_s * picture.rate_hz)
    begin, end = max(0, begin), max(end, begin + 16)
    piece = picture.samples[begin * hop : end * hop].astype(float)
    size = 1 << int(np.ceil(np.log2(max(8 * piece.size, 4096))))
    window = np.hanning(piece.size + 2)[1:-1]
    spectrum = 20.0 * np.log10(
        np.maximum(np.abs(np.fft.rfft((piece - piece.mean()) * window, size)) * 2.0 / window.sum(), 1e-8)
    )
    per_bin = picture.rate_hz / size
    top = min(HIGHEST_HZ, 0.48 * picture.rate_hz)
    noise = float(np.percentile(spectrum[int(250.0 / per_bin) : int(top / per_bin)], 40))
    found = {line: _top(spectrum, per_bin, line) for line in lines_hz}
    loudest = max(db for _, db in found.values())
    kept = sorted(each for each in found.values() if each[1] >= loudest - BELOW_LOUDEST_DB)
    hz, db = np.array([each[0] for each in kept]), np.array([each[1] for each in kept])
    fundamental = fundamental_of(hz, db)
    if fundamental is not None:
        for number in range(2, int(top / fundamental) + 1):
            wanted = number * fundamental
            if np.any(np.abs(hz - wanted) < 0.4 * fundamental):
                continue
            at, level = _top(spectrum, per_bin, wanted)
            if level >= max(noise + ABOVE_NOISE_DB, loudest - BELOW_LOUDEST_DB) and abs(at - wanted) <= 0.01 * wanted:
                kept.append((at, level))
        kept.sort()
    total = 10.0 * np.log10(sum(10.0 ** (level / 10.0) for _, level in kept))
    return Partials(
        tuple(at for at, _ in kept),
        tuple(level for _, level in kept),
        fundamental,
        float(total),
        noise + ABOVE_NOISE_DB,
    )


def _top(spectrum: NDArray[np.float64], per_bin: float, near_hz: float) -> tuple[float, float]:
    low = max(1, int((near_hz - AROUND_HZ) / per_bin))
    high = min(spectrum.size - 1, int((near_hz + AROUND_HZ) / per_bin) + 2)
    place = low + int(np.argmax(spectrum[low:high]))
    return place * per_bin, float(spectrum[place])


def fundamental_of(hz: NDArray[np.float64], db: NDArray[np.float64]) -> float | None:
    """Fundamental in Hz: the tone of 150 Hz to 1000 Hz whose multiples carry the most; None where there is no such.

    Each tone weighs by its level in dB above the weakest, so that a soft fundamental under loud harmonics is found. Of
    two that carry the same the higher one counts: every tone is a multiple of some hum far below it.
    """
    best, most = None, 0.0
    weight = 10.0 + db - db.min()
    for candidate in hz[(hz >= FUNDAMENTAL_HZ[0]) & (hz <= FUNDAMENTAL_HZ[1])][::-1]:
        ratio = hz / candidate
        nearest = np.round(ratio)
        fits = (nearest >= 1) & (np.abs(ratio - nearest) <= HARMONIC_WITHIN * nearest)
        carried = float(weight[fits].sum())
        if carried > most + 1e-6:
            best, most = float(candidate), carried
    if best is None or most < 0.5 * float(weight.sum()):
        return None
    return best

"""When each pulse of one sounder begins and ends, how loud and how high it is.

The lines of a sounder are read together: the middle one of them speaks, so that a tone of another sounder on one of the
lines does no harm. Not responsible for rhythm (`alarm_bursts`).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from scipy.signal import find_peaks

from rig.analysis.alarm_signal import Pulse
from rig.analysis.alarm_sources import Source
from rig.analysis.alarm_spectrum import Picture

ON_DB = 9.0
EDGE_DB = 6.0
"""Half of the amplitude: there the smoothing of the picture moves neither edge."""

DIP_DB = 3.5
SHORTEST_S = 0.025
HARMONIC_WITHIN = 0.025
FUNDAMENTAL_WITHIN_DB = 30.0


def pulses_of(picture: Picture, source: Source) -> list[Pulse]:
    """Find the pulses of a sounder."""
    columns = [int(np.argmin(np.abs(picture.hz - line.hz))) for line in source.lines]
    tracks = np.stack([_track(picture, column) for column in columns])
    stands = np.stack([_contrast(picture, column) for column in columns])
    loud = np.array([
        np.percentile(track[line.frames], 80) for track, line in zip(tracks, source.lines, strict=True)
    ])  # fmt: skip
    together = np.median(tracks - loud[:, None], axis=0)
    contrast = uniform_filter1d(np.median(stands, axis=0), 3)
    found = []
    for begin, end in _active(contrast, picture.hop_s):
        for start, stop in _parted(together, begin, end, picture.hop_s):
            pulse = _pulse(picture, source, together, start, stop)
            if pulse is not None:
                found.append(pulse)
    return found


def _track(picture: Picture, column: int) -> NDArray[np.float64]:
    return np.asarray(picture.level_db[:, max(0, column - 1) : column + 2].max(axis=1), dtype=float)


def _contrast(picture: Picture, column: int) -> NDArray[np.float64]:
    return np.asarray(picture.contrast_db[:, max(0, column - 1) : column + 2].max(axis=1), dtype=float)


def _active(contrast: NDArray[np.float64], hop_s: float) -> list[tuple[int, int]]:
    """Give first and last frame (past it) of each stretch that stands out, by hysteresis."""
    on = contrast >= ON_DB
    off = contrast < ON_DB - 4.0
    edges: list[tuple[int, int]] = []
    at = 0
    starts = np.flatnonzero(on)
    falls = np.flatnonzero(off)
    while True:
        place = np.searchsorted(starts, at)
        if place >= starts.size:
            return [(b, e) for b, e in edges if (e - b) * hop_s >= SHORTEST_S]
        begin = int(starts[place])
        place = np.searchsorted(falls, begin)
        end = int(falls[place]) if place < falls.size else contrast.size
        back = np.searchsorted(falls, begin) - 1
        first = int(falls[back]) + 1 if back >= 0 else 0
        edges.append((max(first, at), end))
        at = end


def _parted(level: NDArray[np.float64], begin: int, end: int, hop_s: float) -> list[tuple[int, int]]:
    """Part a stretch at dips: an echo fills the pauses of a room, and leaves a dip in each."""
    inside = uniform_filter1d(level[begin:end], 3)
    dips, _ = find_peaks(-inside, prominence=DIP_DB, distance=max(1, round(0.05 / hop_s)))
    cuts = [begin, *(begin + int(dip) for dip in dips), end]
    return [(a, b) for a, b in pairwise(cuts) if (b - a) * hop_s >= SHORTEST_S]


def _pulse(picture: Picture, source: Source, together: NDArray[np.float64], begin: int, end: int) -> Pulse | None:
    part = together[begin:end]
    plateau = float(np.percentile(part, 75))
    peak = begin + int(np.argmax(part))
    onset = _crossing(together, peak, begin - 6, plateau - EDGE_DB, -1)
    fall = _crossing(together, peak, end + 6, plateau - EDGE_DB, +1)
    if (fall - onset) * picture.hop_s < SHORTEST_S:
        return None
    high_on = _crossing(together, peak, begin - 6, plateau - 0.92, -1)
    high_off = _crossing(together, peak, end + 6, plateau - 0.92, +1)
    whole = onset > 1 and fall < together.size - 2
    a, b = max(begin, int(np.ceil(onset))), min(end, int(fall) + 1)
    hz, db = _partials(picture, source, a, b)
    fundamental = fundamental_of(hz, db)
    hop = picture.hop_s
    duration = max(high_off - high_on, 0.5 * (fall - onset)) * hop
    level = 10.0 * np.log10(np.sum(10.0 ** (db / 10.0)))
    return Pulse(
        onset * hop, duration, None, float(level), fundamental, tuple(map(float, hz)), tuple(map(float, db)), whole
    )


def _crossing(level: NDArray[np.float64], start: int, last: int, at_db: float, step: int) -> float:
    """Walk from `start` towards `last` until the level falls below `at_db`; give the frame, interpolated."""
    last = min(max(last, 0), level.size - 1)
    here = start
    while here != last and level[here + step] >= at_db:
        here += step
    if here == last:
        return float(here)
    inner, outer = level[here], level[here + step]
    return here + step * float(np.clip((inner - at_db) / max(inner - outer, 1e-9), 0.0, 1.0))


def _partials(
    picture: Picture, source: Source, begin: int, end: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give frequency in Hz and level in dB of each line in the pulse, from all of its samples at once."""
    hop = round(picture.hop_s * picture.rate_hz)
    piece = picture.samples[begin * hop : max(end * hop, begin * hop + 64)].astype(float)
    size = 1 << int(np.ceil(np.log2(max(8 * piece.size, 4096))))
    window = np.hanning(piece.size + 2)[1:-1]
    spectrum = np.abs(np.fft.rfft((piece - piece.mean()) * window, size)) * 2.0 / window.sum()
    hz_per_bin = picture.rate_hz / size
    found_hz, found_db = [], []
    for line in source.lines:
        low = max(1, int((line.hz - 25.0) / hz_per_bin))
        high = min(spectrum.size - 1, int((line.hz + 25.0) / hz_per_bin) + 1)
        top = low + int(np.argmax(spectrum[low:high]))
        found_hz.append(top * hz_per_bin)
        found_db.append(20.0 * np.log10(max(float(spectrum[top]), 1e-9)))
    hz, db = np.array(found_hz), np.array(found_db)
    keep = db >= db.max() - FUNDAMENTAL_WITHIN_DB
    return hz[keep], db[keep]


def fundamental_of(hz: NDArray[np.float64], db: NDArray[np.float64]) -> float | None:
    """Fundamental in Hz: the tone of 150 Hz to 1000 Hz whose multiples carry the most; None where there is no such.

    A tone counts with the part of its power in dB above the weakest: a soft fundamental under loud harmonics is found.
    """
    low, high = 0.98 * 150.0, 1.02 * 1000.0
    candidates = hz[(hz >= low) & (hz <= high)]
    if not candidates.size:
        return None
    weight = 10.0 + db - db.min()
    best, most = None, 0.0
    for candidate in sorted(candidates):
        ratio = hz / candidate
        fits = np.abs(ratio - np.round(ratio)) <= HARMONIC_WITHIN * np.round(np.maximum(ratio, 1.0)) * 0.5
        carried = float(weight[fits & (np.round(ratio) >= 1)].sum())
        if carried > most + 1e-6:
            best, most = float(candidate), carried
    return best

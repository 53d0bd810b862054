"""When each pulse of one sounder begins and ends, how loud and how high it is.

The lines of a sounder are read together: the middle one of them speaks, so that a tone of another sounder on one of the
lines does no harm. Not responsible for rhythm (`alarm_bursts`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import scipy
from numpy.typing import NDArray

from rig.analysis.alarm_partials import Partials, partials_of
from rig.analysis.alarm_signal import SoundPulse
from rig.analysis.alarm_sources import Sounder
from rig.analysis.alarm_spectrum import FRAME_S, Picture

ON_DB = 9.0
OFF_DB = 5.0
EDGE_DB = 6.0
"""Half of the amplitude: there the smoothing of the picture moves neither edge."""

QUARTERS_DB = (12.04, 2.50)
"""A quarter and three quarters of the amplitude."""

SMOOTHED = 0.21
"""A sudden tone rises from a quarter to three quarters within this share of a frame: Hann window, its own step."""

SOFT_DB = 25.0
"""Lines softer than the loudest by more do not speak: some are only the click of its keying."""

DIP_DB = 2.5
ECHO_DB = (3.0, 12.0)
ECHO_S = 0.055
EARLY_DB = 2.5
"""A fall by 9 dB that lasts longer than 55 ms is an echo: the slowest fall of a pulse takes 45 ms."""

TAIL_S = 1.5
TAIL_DB = 13.0
"""Pulses of a burst lie within 10 dB; what follows within 1.5 s and is 13 dB softer is a bump in the echo."""

LEAST_STEP_S = 0.11
"""Where a dip parts pulses sooner, an echo works against its own tone: the table's shortest step is 125 ms."""

SHORTEST_S = 0.030
UNEVEN_DB = 5.0
"""Between the first and the last fifth of a pulse, half of its levels lie this close together; a syllable's do not."""


def pulses_of(picture: Picture, source: Sounder) -> list[SoundPulse]:
    """Find the pulses of a sounder."""
    columns = [int(np.argmin(np.abs(picture.hz - line.hz))) for line in source.lines]
    tracks = np.stack([_near(picture.level_db, column) for column in columns])
    stands = np.stack([_near(picture.contrast_db, column) for column in columns])
    loud = np.array([
        np.percentile(track[line.frames], 80) for track, line in zip(tracks, source.lines, strict=True)
    ])  # fmt: skip
    heard = loud >= loud.max() - SOFT_DB
    tracks, stands, loud = tracks[heard], stands[heard], loud[heard]
    together = np.median(tracks - loud[:, None], axis=0)
    contrast = scipy.ndimage.uniform_filter1d(np.median(stands, axis=0), 3)
    found = []
    for begin, end in _active(contrast, picture.hop_s):
        parts: list[SoundPulse] = []
        for start, stop in _parted(together, begin, end, picture.hop_s):
            pulse = _pulse(picture, source, together, start, stop)
            if pulse is None:
                continue
            if parts and pulse.onset_s - parts[-1].onset_s < LEAST_STEP_S:
                first = parts.pop()
                pulse = replace(pulse, onset_s=first.onset_s, duration_s=pulse.end_s - first.onset_s)
            parts.append(pulse)
        found += parts
    return [pulse for pulse in found if not _tail(pulse, found)]


def _tail(pulse: SoundPulse, pulses: Sequence[SoundPulse]) -> bool:
    """Whether a pulse is a bump in the echo of others: much softer than one that came shortly before."""
    return any(
        0.0 < pulse.onset_s - other.onset_s < TAIL_S and pulse.level_db < other.level_db - TAIL_DB for other in pulses
    )


def _near(picture: NDArray[np.float32], column: int) -> NDArray[np.float64]:
    return np.asarray(picture[:, max(0, column - 1) : column + 2].max(axis=1), dtype=float)


def _active(contrast: NDArray[np.float64], hop_s: float) -> list[tuple[int, int]]:
    """Give first and last frame (past it) of each stretch that stands out, by hysteresis."""
    starts = np.flatnonzero(contrast >= ON_DB)
    falls = np.concatenate([[-1], np.flatnonzero(contrast < OFF_DB), [contrast.size]])
    edges: list[tuple[int, int]] = []
    at = 0
    while (place := int(np.searchsorted(starts, at))) < starts.size:
        after = int(np.searchsorted(falls, starts[place]))
        edges.append((int(falls[after - 1]) + 1, int(falls[after])))
        at = edges[-1][1]
    return [(begin, end) for begin, end in edges if (end - begin) * hop_s >= SHORTEST_S]


def _parted(level: NDArray[np.float64], begin: int, end: int, hop_s: float) -> list[tuple[int, int]]:
    """Part a stretch at dips: an echo fills the pauses of a room, and leaves a dip in each."""
    inside = scipy.ndimage.uniform_filter1d(level[begin:end], 5)
    dips, _ = scipy.signal.find_peaks(-inside, prominence=DIP_DB, distance=max(1, round(0.05 / hop_s)))
    cuts = [begin, *(begin + int(dip) for dip in dips), end]
    return [(a, b) for a, b in pairwise(cuts) if (b - a) * hop_s >= SHORTEST_S]


def _pulse(
    picture: Picture, source: Sounder, together: NDArray[np.float64], begin: int, end: int
) -> SoundPulse | None:  # fmt: skip
    hop = picture.hop_s
    plateau = float(np.percentile(together[begin:end], 75))
    peak = begin + int(np.argmax(together[begin:end]))
    first, last = begin - 6, end + 6
    onset = _crossing(together, peak, first, plateau - EDGE_DB, -1)
    fall = _crossing(together, peak, last, plateau - EDGE_DB, +1)
    width = (fall - onset) * hop
    if width < SHORTEST_S:
        return None
    a, b = round(onset + 0.2 * (fall - onset)), round(fall - 0.2 * (fall - onset)) + 1
    quarter, three = np.percentile(together[a:b], [25, 75])
    if three - quarter > UNEVEN_DB:
        return None
    low, high = (_crossing(together, peak, first, plateau - each, -1) for each in QUARTERS_DB)
    slope = max(high - low, 0.0) * hop
    rise = 1.6 * float(np.sqrt(max(slope**2 - (SMOOTHED * FRAME_S) ** 2, 0.0)))
    rise = min(rise, 0.4 * width)
    # In a room the tone's own end is a first, sudden fall; the echo decides when half of the level is reached.
    sooner, later = (_crossing(together, peak, last, plateau - each, +1) for each in ECHO_DB)
    echo = (later - sooner) * hop > ECHO_S or together[min(last, together.size - 1)] > plateau - ECHO_DB[1]
    if echo:
        width = (_crossing(together, peak, last, plateau - EARLY_DB, +1) - onset) * hop
    partials = partials_of(picture, [line.hz for line in source.lines], int(np.ceil(onset)), int(fall) + 1)
    return _made(
        onset * hop, max(width - rise, 0.5 * width), rise, partials, echo, onset > 1 and fall < together.size - 2
    )


def _made(onset_s: float, duration_s: float, rise_s: float, partials: Partials, echo: bool, whole: bool) -> SoundPulse:
    return SoundPulse(
        onset_s, duration_s, rise_s, partials.level_db, partials.fundamental_hz, partials.hz, partials.db,
        partials.noise_db, echo, whole,
    )  # fmt: skip


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

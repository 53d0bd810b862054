"""Which tones belong to one sounder: lines of constant pitch that come and go together.

Not responsible for when its pulses begin and end (`alarm_pulses`) nor for what they mean (`alarm_bursts`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from rig.analysis.alarm_partials import HARMONIC_WITHIN, fundamental_of
from rig.analysis.alarm_spectrum import Picture

STANDS_OUT_DB = 9.0
"""Noise stands this much above its mean in one frame of 3,000 (e^-8)."""

SHORTEST_S = 0.035
STEADY_S = 0.020
STEADY_HZ = 8.0
LINE_HZ = 8.0
WITHIN_HZ = 20.0
TOGETHER = 0.7
LEAST_SHARE = 0.2
MOST_LINES = 400


@dataclass(frozen=True, eq=False)
class SpectralLine:
    """A tone of constant pitch: its frequency in Hz, and the frames in which it sounds."""

    hz: float
    frames: NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Sounder:
    """Lines of one sounder, rising in frequency."""

    lines: tuple[SpectralLine, ...]


def lines_of(picture: Picture) -> list[SpectralLine]:
    """Find the tones that last; of many, the longest 400."""
    frame, _, hz = _peaks(picture)
    if not frame.size:
        return []
    edges = np.arange(picture.hz[0] - 40.0, picture.hz[-1] + 40.0, LINE_HZ)
    counts = np.histogram(hz, edges)[0].astype(float)
    smooth = np.convolve(counts, [0.5, 1.0, 1.0, 1.0, 0.5], "same")
    least = SHORTEST_S / picture.hop_s
    tops, _ = scipy.signal.find_peaks(np.concatenate([[0.0], smooth, [0.0]]), height=least, distance=4)
    middles = edges[tops - 1] + LINE_HZ / 2.0
    order = np.argsort(hz, kind="stable")
    found = []
    for middle in middles:
        low, high = np.searchsorted(hz[order], [middle - WITHIN_HZ, middle + WITHIN_HZ])
        chosen = order[low:high]
        frames = np.unique(frame[chosen])
        if frames.size >= least and _lasts(frames, least):
            found.append(SpectralLine(float(np.median(hz[chosen])), frames))
    found.sort(key=lambda each: -each.frames.size)
    return found[:MOST_LINES]


def _lasts(frames: NDArray[np.intp], least: float) -> bool:
    """Whether some of the frames follow one another for long enough, with holes of 10 ms at most."""
    runs = np.split(frames, np.flatnonzero(np.diff(frames) > 4) + 1)
    return any(run.size >= 0.7 * least and run[-1] - run[0] >= least for run in runs)


def _peaks(picture: Picture) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Give frame, band and interpolated frequency in Hz of every band that stands out and is louder than its sides."""
    level, contrast = picture.level_db, picture.contrast_db
    inner = contrast[:, 1:-1] >= STANDS_OUT_DB
    inner &= (level[:, 1:-1] >= level[:, :-2]) & (level[:, 1:-1] > level[:, 2:])
    frame, band = np.nonzero(inner)
    band = band + 1
    left, middle, right = level[frame, band - 1], level[frame, band], level[frame, band + 1]
    curve = np.minimum(left - 2.0 * middle + right, -1e-3)
    shift = np.clip(0.5 * (left - right) / curve, -0.5, 0.5)
    hz = picture.hz[band] + shift * picture.band_hz
    steady = _steady(frame, band, hz, level.shape, max(1, round(STEADY_S / picture.hop_s)))
    return frame[steady], band[steady], hz[steady].astype(float)


def _steady(
    frame: NDArray[np.intp], band: NDArray[np.intp], hz: NDArray[np.floating], shape: tuple[int, ...], apart: int
) -> NDArray[np.bool_]:
    """Say of each peak whether the same tone stands there a moment before or after: a voice glides."""
    grid = np.full((shape[0] + 2 * apart, shape[1] + 2), np.nan, np.float32)
    grid[frame + apart, band + 1] = hz
    steady = np.zeros(frame.size, bool)
    for step in (-apart, apart):
        for beside in (-1, 0, 1):
            with np.errstate(invalid="ignore"):
                steady |= np.abs(grid[frame + apart + step, band + 1 + beside] - hz) <= STEADY_HZ
    return steady


def _of_one_pitch(members: list[int], lines: list[SpectralLine], picture: Picture) -> list[int]:
    """Leave out the lines that are no multiples of the pitch of the others: another sounder may keep time by chance."""
    hz = np.array([lines[each].hz for each in members])
    level = np.array([
        np.median(picture.level_db[lines[each].frames, int(np.argmin(np.abs(picture.hz - lines[each].hz)))])
        for each in members
    ])  # fmt: skip
    lasting = np.array([lines[each].frames.size for each in members])
    ranks = np.argsort(hz)
    weight = np.where(lasting >= 0.5 * lasting[0], level - level.min() + 10.0, 0.0)
    fundamental = fundamental_of(hz[ranks], weight[ranks])
    if fundamental is None:
        return members
    number = np.maximum(np.round(hz / fundamental), 1.0)
    fits = np.abs(hz / fundamental - number) <= HARMONIC_WITHIN * number
    return [member for member, fit in zip(members, fits, strict=True) if fit] if fits[0] else members


def sources_of(picture: Picture) -> list[Sounder]:
    """Group lines that come and go together; the one that sounds longest comes first."""
    lines = lines_of(picture)
    if not lines:
        return []
    count = picture.level_db.shape[0]
    masks = np.zeros((len(lines), count), np.uint8)
    for row, line in zip(masks, lines, strict=True):
        row[line.frames] = 1
    wide = scipy.sparse.csr_matrix(scipy.ndimage.maximum_filter1d(masks, 9, axis=1).astype(np.int32))
    thin = scipy.sparse.csr_matrix(masks.astype(np.int32))
    both = np.asarray((thin @ wide.T).todense())
    free = set(range(len(lines)))
    found = []
    for first in range(len(lines)):
        if first not in free:
            continue
        members = [
            other
            for other in sorted(free)
            if other == first
            or (
                both[other, first] >= TOGETHER * lines[other].frames.size
                and lines[other].frames.size >= LEAST_SHARE * lines[first].frames.size
            )
        ]
        members = _of_one_pitch(members, lines, picture)
        free -= set(members)
        found.append(Sounder(tuple(sorted((lines[each] for each in members), key=lambda line: line.hz))))
    return found

"""The ambulatory glucose profile: what glucose does over the clock, of several days or of several persons, laid over.

Percentiles as the consensus asks for (Danne 2017, doi 10.2337/dc17-1600; Battelino 2019, doi 10.2337/dci19-0028): 5,
25, 50, 75, 95 over a modal day. Smoothing, where makers differ and publish little: none but that the percentiles at a
time of the clock are those of all readings within 15 min of it, on its own side of midnight. Nothing is interpolated.
Not responsible for drawing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rig.analysis.checks import FloatArray

PERCENTS = (5.0, 25.0, 50.0, 75.0, 95.0)
DAY_MIN = 1440
EVERY_MIN = 5
WITHIN_MIN = 15
LEAST_SHARE = 0.7
"""Of the readings due around a time of the clock; with fewer the profile has a gap there. The consensus asks for 70 %
of all readings; asked of each time of the clock, a gap stays one."""


@dataclass(frozen=True)
class TimeInRanges:
    """Shares of readings in %, by the bounds of the consensus: 54, 70, 180 and 250 mg/dL.

    In range are 70 and 180 themselves; 54 is low, and 250 high.
    """

    very_low_percent: float
    low_percent: float
    in_range_percent: float
    high_percent: float
    very_high_percent: float


@dataclass(frozen=True)
class GlucoseProfile:
    """A modal day.

    Attributes:
        minute_of_day: every 5 min from midnight, (n,).
        glucose_mg_per_dl: a row for each of `PERCENTS`, (5, n); NaN where there are too few readings.
        ranges: of all readings alike.
        days: how many whole days there were, of all series together; a series is one at least.
        readings: how many.
    """

    minute_of_day: FloatArray
    glucose_mg_per_dl: FloatArray
    ranges: TimeInRanges
    days: int
    readings: int

    @property
    def spans(self) -> tuple[slice, ...]:
        """The parts of the clock without a gap."""
        there = np.isfinite(self.glucose_mg_per_dl[0]).astype(int)
        edges = np.flatnonzero(np.diff(there, prepend=0, append=0))
        return tuple(slice(int(first), int(end)) for first, end in zip(edges[::2], edges[1::2], strict=True))


def glucose_profile(series: Sequence[tuple[ArrayLike, ArrayLike]]) -> GlucoseProfile:
    """Lay days over each other.

    Args:
        series: minutes, of which each multiple of 1440 is a midnight, and glucose in mg/dL; NaN is a missing reading.
            A series may have several days; the days of several persons make the profile of a cohort.

    Raises:
        ValueError: minutes and glucose do not pair, a minute is negative or none, or there is no reading at all.
    """
    columns, due_every = [], []
    for minutes, glucose in series:
        at, values = np.asarray(minutes, dtype=float), np.asarray(glucose, dtype=float)
        if at.ndim != 1 or at.shape != values.shape:
            raise ValueError(
                f"minutes and glucose are two rows of one length, got shapes {at.shape} and {values.shape}"
            )
        if not np.isfinite(at).all() or (at < 0.0).any() or (np.diff(at) <= 0.0).any():
            raise ValueError("minutes must be numbers from 0 on that increase")
        if at.size > 1:
            due_every.append(float(np.median(np.diff(at))))
        columns.append((at, values))
    at = np.concatenate([each for each, _ in columns]) if columns else np.empty(0)
    values = np.concatenate([each for _, each in columns]) if columns else np.empty(0)
    there = np.isfinite(values)
    if not there.any():
        raise ValueError("a profile needs readings, got none")
    days = sum(max(1, round((minutes[-1] - minutes[0]) / DAY_MIN)) for minutes, _ in columns if minutes.size)
    every = min(due_every, default=float(EVERY_MIN))
    clock = np.arange(0.0, DAY_MIN, EVERY_MIN)
    found = _percentiles(at[there] % DAY_MIN, values[there], clock, days / every)
    return GlucoseProfile(clock, found, time_in_ranges(values), days, int(there.sum()))


def _percentiles(of_day: FloatArray, values: FloatArray, clock: FloatArray, due_per_min: float) -> FloatArray:
    order = np.argsort(of_day, kind="stable")
    of_day, values = of_day[order], values[order]
    found = np.full((len(PERCENTS), clock.size), np.nan)
    for place, minute in enumerate(clock):
        low, high = max(minute - WITHIN_MIN, 0.0), min(minute + WITHIN_MIN, float(DAY_MIN))
        near = values[np.searchsorted(of_day, low) : np.searchsorted(of_day, high, side="right")]
        if near.size and near.size >= LEAST_SHARE * due_per_min * (high - low):
            found[:, place] = np.percentile(near, PERCENTS)
    return found


def time_in_ranges(glucose_mg_per_dl: ArrayLike) -> TimeInRanges:
    """Count readings by range; NaN counts nowhere. ValueError without a reading."""
    values = np.asarray(glucose_mg_per_dl, dtype=float)
    values = values[np.isfinite(values)]
    if not values.size:
        raise ValueError("shares of time need readings, got none")

    def percent(inside: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> float:
        return float(100.0 * inside.sum() / values.size)

    return TimeInRanges(
        percent(values < 54.0),
        percent((values >= 54.0) & (values < 70.0)),
        percent((values >= 70.0) & (values <= 180.0)),
        percent((values > 180.0) & (values <= 250.0)),
        percent(values > 250.0),
    )

"""Values at the moments of a grid from samples at any moments.

Not responsible for deciding which gaps are acceptable: the caller says how long they may be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rig.analysis.checks import FloatArray, frozen, positive, series, timed_series

ROUNDING = 1e-9
"""A grid may end after the last sample by so much of a step, the rounding of its own arithmetic."""


SAME_MOMENT_S = 1e-6
"""A moment that is no further from a sample is the sample's own: a millionth of the time in which a pump is seen."""


@dataclass(frozen=True, eq=False)
class OnGrid:
    """Values at the moments of a grid, arrays of shape (m,), read-only.

    Attributes:
        values: those of the samples at them, or on the straight lines between the samples around them.
        doubt: the most by which each may be off if the series never turns back; 0 at a sample.
        step_s: how far apart in s the samples around each moment are; 0 at a sample.
        apart_s: how far in s the nearest sample is from each moment; 0 at a sample.
        beside: the largest change between two samples there: of the step around each moment, or one beside it.
    """

    values: FloatArray
    doubt: FloatArray
    step_s: FloatArray
    apart_s: FloatArray
    beside: FloatArray


def on_grid(at_s: ArrayLike, values: ArrayLike, *, grid_s: ArrayLike) -> OnGrid:
    """The values at `grid_s` with what is not known of them; whatever the times of the samples are.

    A moment on the line between two samples, the share f of the way from one to the other, is off by no more than
    max(f, 1 − f) of what the series changes between them, as long as it never turns back. Before the first and after
    the last sample nothing is known: the doubt is infinite.

    Args:
        at_s: (n,) times in s, rising.
        values: (n,) values at them.
        grid_s: (m,) moments in s.

    Raises:
        ValueError: with a sentence, on input that is not the above.
    """
    times, numbers = timed_series(at_s, "values", values)
    grid = series("grid_s", grid_s)
    after = np.clip(np.searchsorted(times, grid), 1, times.size - 1)
    nearest = np.where(grid - times[after - 1] < times[after] - grid, after - 1, after)
    apart_s = np.abs(grid - times[nearest])
    at_sample = apart_s <= SAME_MOMENT_S
    outside = (grid < times[0]) | (grid > times[-1])
    step_s = times[after] - times[after - 1]
    share = np.clip((grid - times[after - 1]) / step_s, 0.0, 1.0)
    changes = np.abs(np.diff(numbers))
    doubt = np.maximum(share, 1.0 - share) * changes[after - 1]
    padded = np.concatenate([changes[:1], changes, changes[-1:]])
    beside = np.max([padded[after - 1], padded[after], padded[after + 1]], axis=0)
    doubt = np.where(at_sample, 0.0, np.where(outside, np.inf, doubt))
    line = np.where(at_sample, numbers[nearest], np.interp(grid, times, numbers))
    return OnGrid(
        frozen(line),
        frozen(doubt),
        frozen(np.where(at_sample, 0.0, step_s)),
        frozen(np.where(at_sample, 0.0, apart_s)),
        frozen(beside),
    )


def resampled(at_s: ArrayLike, values: ArrayLike, *, grid_s: ArrayLike, longest_gap_s: float) -> FloatArray:
    """The values at `grid_s`, shape of it, on straight lines between the samples around each moment.

    A moment that coincides with a sample has its value.

    Args:
        at_s: (n,) times in s, rising.
        values: (n,) values at them.
        grid_s: (m,) moments in s, within the record.
        longest_gap_s: two samples further apart have no line between them.

    Raises:
        ValueError: with a sentence, on input that is not the above, or a moment in a longer gap.
    """
    times, numbers = timed_series(at_s, "values", values)
    grid, longest = series("grid_s", grid_s), positive("longest_gap_s", longest_gap_s)
    slack = ROUNDING * max(1.0, float(np.abs(grid).max()))
    if grid.min() < times[0] - slack or grid.max() > times[-1] + slack:
        raise ValueError(
            f"the grid from {grid.min():g} to {grid.max():g} s leaves the record, {times[0]:g} to {times[-1]:g} s"
        )
    after = np.clip(np.searchsorted(times, grid), 1, times.size - 1)
    inside = (grid > times[after - 1]) & (grid < times[after])
    gaps = np.where(inside, times[after] - times[after - 1], 0.0)
    if gaps.max() > longest:
        worst = int(np.argmax(gaps > longest))
        raise ValueError(
            f"{grid[worst]:g} s lies in a gap of {gaps[worst]:g} s before index {after[worst]}, "
            f"longer than {longest:g} s"
        )
    return np.interp(grid, times, numbers)

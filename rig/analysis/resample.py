"""Values at the moments of a grid from samples at any moments.

Not responsible for deciding which gaps are acceptable: the caller says how long they may be.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from rig.analysis.checks import FloatArray, positive, series, timed_series

ROUNDING = 1e-9
"""A grid may end after the last sample by so much of a step, the rounding of its own arithmetic."""


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

"""A checked log: arrays on one time axis, each sample with the row it came from.

Not responsible for reading (`columns`) nor for gaps and restarts (`breaks`).
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Log:
    """Samples of a log; arrays of shape (n,).

    Attributes:
        at_s: times in s, on the file's own clock; since the first sample when the file has timestamps.
        mass_g: readings in g; volumes are held as the mass of a liquid of 1 g/mL.
        pressure_kpa: line pressure, None without such a column.
        row: line in the file of each sample.
        zero: the moment of `at_s` = 0, for files with timestamps.
        is_volume: the file holds volumes, not masses.
    """

    at_s: FloatArray
    mass_g: FloatArray
    pressure_kpa: FloatArray | None
    row: NDArray[np.int64]
    zero: datetime.datetime | None
    is_volume: bool

    def part(self, chosen: slice) -> Log:
        """Get a stretch of the log."""
        return replace(
            self,
            at_s=self.at_s[chosen],
            mass_g=self.mass_g[chosen],
            pressure_kpa=self.pressure_kpa[chosen] if self.pressure_kpa is not None else None,
            row=self.row[chosen],
        )

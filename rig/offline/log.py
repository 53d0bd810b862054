"""A checked log: arrays on one time axis, each sample with the row it came from.

Not responsible for reading (`columns`) nor for gaps and restarts (`breaks`).
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rig.offline.table import LogEvent

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class BalanceLog:
    """Samples of a log; arrays of shape (n,).

    Attributes:
        at_s: times in s, on the file's own clock; since the first sample when the file has timestamps.
        mass_g: readings in g; volumes are held as the mass of a liquid of 1 g/mL, flows integrated to such.
        pressure_kpa: line pressure, None without such a column.
        row: line in the file of each sample.
        zero: the moment of `at_s` = 0, for files with timestamps.
        is_volume: the file holds volumes or flows, not masses.
        is_flow: the file holds flows.
        resolution_g: last digit that the file writes of a mass, 0 when nobody knows.
        events: (sample before which it happened, what), restarts and tares of the balance that the file tells of.
    """

    at_s: FloatArray
    mass_g: FloatArray
    pressure_kpa: FloatArray | None
    row: NDArray[np.int64]
    zero: datetime.datetime | None
    is_volume: bool
    is_flow: bool = False
    resolution_g: float = 0.0
    events: tuple[tuple[int, LogEvent], ...] = ()

    def part(self, chosen: slice) -> BalanceLog:
        """Give a stretch of the log."""
        start, stop, _ = chosen.indices(self.at_s.size)
        inside = tuple((index - start, event) for index, event in self.events if start < index < stop)
        return replace(self.only(np.arange(start, stop)), events=inside)

    def only(self, kept: NDArray[np.int64]) -> BalanceLog:
        """Give some samples of the log, by index."""
        places = np.searchsorted(kept, [index for index, _ in self.events])
        events = tuple(
            (int(place), event) for place, (_, event) in zip(places, self.events, strict=True) if 0 < place < kept.size
        )
        return replace(
            self,
            at_s=self.at_s[kept],
            mass_g=self.mass_g[kept],
            pressure_kpa=self.pressure_kpa[kept] if self.pressure_kpa is not None else None,
            row=self.row[kept],
            events=events,
        )

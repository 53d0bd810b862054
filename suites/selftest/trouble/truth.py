"""The world behind a bench: what the pump really delivers, whatever instruments say, and what it does in the end.

Not responsible for what the rig made of it.
"""

from __future__ import annotations

import bisect
import csv
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyvisa
from numpy.typing import NDArray

from rig.bench.far_side import FarSide, open_virtual
from rig.bench.file import BenchFile
from rig.clock import NS_PER_S, ns_from_s
from rig.procedures.between_blanks import scale_between_blanks
from rig.procedures.procedure import BetweenBlanks, Computed
from rig.record.taking import read_taken
from rig.roles import Metrology
from rig.virtual.fluid import FlowBetweenEvents
from rig.virtual.world import World

LOOKED_AFTER_S = 600.0
"""A pump that is left running at 1 U/h turns its motor every 90 s."""
LONGEST_S = 4 * 3600.0
"""No measurement of the campaign lasts so long, whatever fails: what has not ended by then never ends."""


class NeverEndsError(BaseException):
    """The rig was still at it after `LONGEST_S`; no Exception, so that nothing on the way takes it for its own."""


class Beyond:
    """The far side of one bench, kept after the bench has closed."""

    def __init__(self, *, limit_s: float = LONGEST_S, meddle: Callable[[World], None] | None = None) -> None:
        self.world: World | None = None
        self._limit_s = limit_s
        self._meddle = meddle
        self._flows: list[FlowBetweenEvents] = []

    @contextmanager
    def far_side(self, spec: BenchFile, occasion: str) -> Iterator[FarSide]:
        """Stand in for the bench's own far side, and follow what flows."""
        assert spec.virtual is not None
        with open_virtual(spec, occasion) as world:
            self.world = world
            self._flows.append(world.fluid.flow)
            world.fluid.follow(self._flows.append)
            world.clock.call_at(ns_from_s(self._limit_s), self._give_up)
            if self._meddle is not None:
                self._meddle(world)
            resources = pyvisa.ResourceManager(world.visa_library())
            yield FarSide(world.clock, resources, spec.pump.port, spec.virtual.date, hands=world.cell.place)

    def _give_up(self) -> None:
        raise NeverEndsError(f"not over after {self._limit_s / 3600.0:g} h")

    def left_running(self) -> bool:
        """Let the world go on after the bench was left, and say whether the pump's motor still turns."""
        world = self.world
        if world is None:
            return False
        before = world.fluid.drive.steps
        self._limit_s = float("inf")
        world.clock.sleep(LOOKED_AFTER_S)
        return world.fluid.drive.steps != before

    def powered(self) -> bool:
        """Whether the pump's controller still has its supply."""
        return self.world is not None and self.world.board is not None and self.world.board.mcu.powered

    def delivered_ul(self, at_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """The volume in µL that had left the needle by then, shape (n,), one per at_s in s."""
        return np.array([self._flow(ns).delivered_at(ns) for ns in _ns(at_s)])

    def pressure_kpa(self, at_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """The pressure in the line in kPa then, shape (n,), one per at_s in s."""
        return np.array([_pressure_kpa(self._flow(ns), ns) for ns in _ns(at_s)])

    def _flow(self, at_ns: int) -> FlowBetweenEvents:
        place = bisect.bisect_right(self._flows, at_ns, key=lambda flow: flow.start_ns)
        return self._flows[max(0, place - 1)]


def _ns(at_s: NDArray[np.float64]) -> list[int]:
    return [round(each * NS_PER_S) for each in at_s.tolist()]


def _pressure_kpa(flow: FlowBetweenEvents, at_ns: int) -> float:
    return flow.pressure_kpa - flow.excess_kpa * flow.after(at_ns)[1]


def true_values(taken: Path, copy: Path, beyond: Beyond, procedure: BetweenBlanks, metrology: Metrology) -> Computed:
    """Compute what the same measurement shows when every reading is replaced by the truth at its moment.

    The balance is then free of noise, wander and evaporation; the scale is that of the air in the record.

    Args:
        taken: the folder that the measurement left.
        copy: where the true one is written.
        beyond: knows the truth.
        procedure: which measurement it was.
        metrology: what the bench declares.
    """
    shutil.copytree(taken, copy)
    z_ul_per_mg = scale_between_blanks(read_taken(taken), metrology, blank_s=procedure.blank_s).z_ul_per_mg
    _rewrite(copy / "balance.csv", "mass_g", lambda at_s: 10.0 + 1e-3 * beyond.delivered_ul(at_s) / z_ul_per_mg)
    _rewrite(copy / "pressure.csv", "pressure_kpa", beyond.pressure_kpa)
    still = replace(metrology, evaporation_g_per_h=0.0, evaporation_uncertainty_g_per_h=0.0, evaporation_source=None)
    return procedure.compute(read_taken(copy), still)


def _rewrite(path: Path, column: str, truth: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        names, *rows = csv.reader(file)
    at, place = names.index("at_s"), names.index(column)
    for row, value in zip(rows, truth(np.array([float(row[at]) for row in rows])), strict=True):
        row[place] = repr(float(value))
    path.write_text("\n".join(",".join(row) for row in [names, *rows]) + "\n", encoding="utf-8")

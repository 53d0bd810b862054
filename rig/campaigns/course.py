"""The course of a state of therapy: time passes, and the pump is told what it is told in it.

The same for the pump with a fault and for its fault-free twin, so that they differ by the fault alone. Not responsible
for the fault.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pyvisa

from rig.bench.far_side import FarSide, open_virtual
from rig.bench.file import BenchFile
from rig.bench.open import open_bench
from rig.campaigns.states import STATES, reach
from rig.clock import SimClock, ns_from_s
from rig.errors import DeviceError
from rig.roles import Bench
from rig.virtual.board import ControllerBoard
from rig.virtual.world import World

LATE_S = 0.5
"""What the pump should have been told is not told so much later: nobody asks for a bolus of a minute ago."""


@dataclass
class TherapyCourse:
    """A state of therapy on its way.

    Attributes:
        world: what the bench's wires lead to.
        begin_ns: when the state began.
        unanswered: when the pump refused, did not answer, or could not be told, in ns since the state began, and which.
        ends_ns: when each of what it has been told so far was over.
    """

    world: World
    bench: Bench
    state: str
    begin_ns: int
    unanswered: list[tuple[int, str]] = field(default_factory=list)
    ends_ns: list[int] = field(default_factory=list)

    @property
    def clock(self) -> SimClock:
        """The world's clock."""
        return self.world.clock

    @property
    def board(self) -> ControllerBoard:
        """The pump's controller with its parts."""
        assert self.world.board is not None
        return self.world.board

    @property
    def since_ns(self) -> int:
        """The time in ns since the state began."""
        return self.clock.now_ns - self.begin_ns

    def go_on_to(self, since_ns: int) -> None:
        """Let time pass until so many ns since the state began, later where the pump is being told something."""
        for at_s, tell in STATES[self.state].told[len(self.ends_ns) :]:
            if ns_from_s(at_s) >= since_ns:
                break
            self._wait_until(ns_from_s(at_s))
            if self.since_ns <= ns_from_s(at_s + LATE_S):
                try:
                    tell(self.bench)
                except DeviceError as error:
                    self.unanswered.append((self.since_ns, type(error).__name__))
            else:
                self.unanswered.append((ns_from_s(at_s), "not told"))
            self.ends_ns.append(self.since_ns)
        self._wait_until(since_ns)

    def _wait_until(self, since_ns: int) -> None:
        if self.since_ns < since_ns:
            self.clock.advance_to(self.begin_ns + since_ns)


@contextmanager
def course(spec: BenchFile, state: str) -> Iterator[TherapyCourse]:
    """Open a virtual bench and bring its pump into a state of therapy.

    Raises:
        BenchFileError: the bench is not virtual, or its pump has no controller.
        RigError: the pump cannot be brought there.
    """
    worlds: list[World] = []

    @contextmanager
    def beyond(spec: BenchFile, occasion: str) -> Iterator[FarSide]:
        with open_virtual(spec, occasion) as world:
            worlds.append(world)
            assert spec.virtual is not None
            resources = pyvisa.ResourceManager(world.visa_library())
            yield FarSide(world.clock, resources, spec.pump.port, spec.virtual.date)

    with open_bench(spec, occasion=f"campaign {state}", beyond=beyond) as bench:
        (world,) = worlds
        if world.board is not None:
            world.board.mcu.patient = True  # or a watchdog that ends a hang would be taken for one that does not
        reach(bench, state)
        yield TherapyCourse(world, bench, state, world.clock.now_ns)

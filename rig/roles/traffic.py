"""What went over a pump's line, in the words of all pumps: what it was told, what it told, and what was odd about it.

A device's package may have a module `traffic` with `read_traffic(lines)`, which makes these of the octets that a record
holds. What it says may only err to the pump's advantage: a command whose answer is not known counts as obeyed. Not
responsible for octets (`instruments`), nor for what follows from all this (`rig.analysis.invariants`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rig.roles.pump import HistoryEvent
from rig.therapy import TherapyState


@dataclass(frozen=True)
class WireLine:
    """Octets that went ">" to or came "<" from a pump at a second of the bench's clock."""

    at_s: float
    direction: str
    data: bytes


@dataclass(frozen=True)
class TherapyKnown:
    """From `at_s` on the therapy is this, by a command that it obeyed or by its own word."""

    at_s: float
    state: TherapyState


@dataclass(frozen=True)
class Permitted:
    """The pump was told to deliver `insulin_u` beside its basal rate; it is over by `until_s` at the latest."""

    at_s: float
    insulin_u: float
    until_s: float


@dataclass(frozen=True)
class RateKnown:
    """From `at_s` on no higher basal rate than this is programmed, in U/h; infinite where nobody knows."""

    at_s: float
    rate_u_per_h: float


@dataclass(frozen=True)
class ReservoirKnown:
    """The pump counts `insulin_u` in its reservoir, told in steps of `step_u`; `told_it` where the rig had set it."""

    at_s: float
    insulin_u: float
    step_u: float
    told_it: bool = False


@dataclass(frozen=True)
class LogReading:
    """Entries of the pump's log came, in their order; `whole` where all that are stored were asked for."""

    at_s: float
    entries: tuple[HistoryEvent, ...]
    whole: bool


@dataclass(frozen=True)
class CounterBroken:
    """A message came again, or out of its order: its counter `came` is not one that may follow `after`."""

    at_s: float
    of: str
    came: int
    after: int


TrafficEvent = TherapyKnown | Permitted | RateKnown | ReservoirKnown | LogReading | CounterBroken


@dataclass(frozen=True)
class Traffic:
    """What went over a line, in the order of time, and how many messages of the pump had a counter."""

    events: tuple[TrafficEvent, ...] = ()
    counted: int = 0


ReadTraffic = Callable[[Iterable[WireLine]], Traffic]
"""`read_traffic` of a device's module `traffic`."""

"""Faults of the rig itself, for testing that the rig notices: which kinds there are, and what each takes.

Those of a line are in `rig.virtual.line_faults`, those of a measured value in `rig.virtual.misreading`. Not responsible
for faults of the pump, which the firmware and the physics have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

INSTRUMENTS = ("balance", "pressure", "supply", "switch", "environment", "sound", "probe")
MEASURING = ("balance", "pressure", "environment")
DEVICES = (*INSTRUMENTS, "pump")

SIZES: Mapping[str, Mapping[str, float]] = {
    "drift": {"balance": 0.010, "pressure": 10.0, "environment": 5.0},
    "spikes": {"balance": 0.005, "pressure": 20.0, "environment": 5.0},
    "digit": {"balance": 0.001, "pressure": 1.0, "environment": 1.0},
}
"""Sizes that a kind has by default, in g, kPa and °C; of a drift, for each h."""


class Level(Enum):
    """What a fault damages: whole messages, the characters of a line, the port itself, or the measured value."""

    MESSAGES = "messages"
    CHARACTERS = "characters"
    PORT = "port"
    VALUE = "value"


@dataclass(frozen=True)
class FaultKind:
    """A kind of fault: what it damages, on which devices, which parameters it takes, and what they are by default."""

    level: Level
    devices: tuple[str, ...]
    takes: tuple[str, ...] = ()
    count: int | None = None
    every: int = 1
    by_s: float = 0.0
    period_s: float = 0.0


KINDS: Mapping[str, FaultKind] = {
    "mute": FaultKind(Level.CHARACTERS, DEVICES),
    "garbage": FaultKind(Level.CHARACTERS, DEVICES),
    "drop": FaultKind(Level.CHARACTERS, DEVICES, ("every",), every=200),
    "flip": FaultKind(Level.CHARACTERS, DEVICES, ("every",), every=200),
    "double": FaultKind(Level.CHARACTERS, DEVICES, ("every",), every=200),
    "endless": FaultKind(Level.CHARACTERS, DEVICES),
    "truncated": FaultKind(Level.MESSAGES, INSTRUMENTS, ("count",)),
    "lost": FaultKind(Level.MESSAGES, INSTRUMENTS, ("count",), count=1),
    "late": FaultKind(Level.MESSAGES, INSTRUMENTS, ("count", "by"), count=1, by_s=3.0),
    "duplicated": FaultKind(Level.MESSAGES, INSTRUMENTS, ("count",)),
    "merged": FaultKind(Level.MESSAGES, INSTRUMENTS, ("count",), count=1),
    "unasked": FaultKind(Level.MESSAGES, INSTRUMENTS, ("period",), period_s=7.0),
    "drip": FaultKind(Level.MESSAGES, INSTRUMENTS, ("by",), by_s=1.5),
    "disconnected": FaultKind(Level.PORT, DEVICES),
    "stuck": FaultKind(Level.VALUE, MEASURING),
    "drift": FaultKind(Level.VALUE, MEASURING, ("size",)),
    "spikes": FaultKind(Level.VALUE, MEASURING, ("size", "period"), period_s=60.0),
    "digit": FaultKind(Level.VALUE, MEASURING, ("size",)),
    "unstable": FaultKind(Level.VALUE, ("balance",)),
}
"""Every kind, by its name in a bench file."""


@dataclass(frozen=True)
class Fault:
    """One fault of one device, from a second of the simulated clock on, until another or for good.

    Attributes:
        count: of so many messages; None: of all.
        by_s: late by so much; between two characters of a drip.
        every: one character in so many, on average.
        size: in g, kPa or °C; of a drift, for each h; of a digit, its place.
        period_s: from one line or spike to the next.
    """

    device: str
    kind: str
    at_s: float
    until_s: float | None = None
    count: int | None = None
    by_s: float = 0.0
    every: int = 1
    size: float = 0.0
    period_s: float = 0.0

"""The line of a syringe pump at a URL, and what its plunger pushes into, without a bench around it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import serial

from rig.clock import SimClock
from rig.virtual import protocol_twin
from rig.virtual.port import Port

URL = "twin://syringe-pump-alone"


class Line:
    """What the plunger pushes into: it holds it once it is blocked."""

    def __init__(self) -> None:
        self.pushed_ul = 0.0
        self.blocked = False

    def push(self, volume_ul: float) -> float:
        self.pushed_ul += volume_ul
        return 5000.0 if self.blocked else 0.0


@contextmanager
def line_at_url() -> Iterator[Port]:
    """Make a line that pyserial finds at `URL`."""
    port = Port(SimClock(), baud=None)
    protocol_twin.register(URL, port)
    serial.protocol_handler_packages.append("rig.virtual")
    yield port
    serial.protocol_handler_packages.remove("rig.virtual")
    protocol_twin.withdraw(URL)

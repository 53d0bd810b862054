"""A simulated line as somebody meets it who does not know what is on it, and a world that keeps what was moved.

Not responsible for what is asked on it (`rig.bench.discover`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rig.roles.recognition import LineSettings
from rig.virtual.port import Port
from rig.virtual.signals import Signals
from suites.stands.deaf_world import DeafWorld


class SimulatedLine:
    """The host's end of a simulated port; waiting moves the simulated clock."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self.serial = port.baud is not None
        self.sent: list[bytes] = []

    def set(self, settings: LineSettings) -> bool:
        """Set the speed; the other framing garbles nothing here."""
        self._port.host_baud = settings.baud
        return True

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self.sent.append(data)
        self._port.host_write(data)

    def receive(self, within_s: float) -> bytes:
        """Read what comes."""
        data = self._port.host_read(1, timeout_s=within_s)
        return data + self._port.host_read(self._port.host_waiting(), timeout_s=0.0) if data else data

    def close(self) -> None:
        """Do nothing."""


class WatchedWorld(DeafWorld, Signals):
    """A quiet world in which nobody is to move, heat or put out anything: `moved` keeps what was."""

    def __init__(self) -> None:
        self.moved: list[str] = []

    def weigh(self) -> tuple[float, bool]:
        return 10.0, True

    def line_pressure_kpa(self) -> float:
        return 0.0

    def air(self) -> tuple[float, float, float]:
        return 21.0, 1013.0, 0.45

    def rail_current_a(self) -> float:
        return 0.0

    def hear(self, begin_s: float, rate_hz: float, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        del begin_s, rate_hz
        return np.zeros(count), np.zeros(count)

    def set_rail(self, voltage_v: float) -> None:
        self.moved.append(f"rail to {voltage_v:g} V")

    def push(self, volume_ul: float) -> float:
        self.moved.append(f"plunger by {volume_ul:g} µL")
        return volume_ul

    def set_relay(self, line: int, *, energised: bool) -> None:
        self.moved.append(f"relay {line} to {energised}")

    def do_by_hand(self, line: str, *, on: bool) -> None:
        self.moved.append(f"{line} by hand, {on}")

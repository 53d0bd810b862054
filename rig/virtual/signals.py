"""What the instruments on the far side of a wire feel and do: physical quantities at the present simulated moment.

A twin sees the world through this and nothing else. Not responsible for words on a wire.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class DebugPort(Protocol):
    """A microcontroller as a debug probe meets it; each call raises RigError where it cannot be done."""

    @property
    def held(self) -> bool:
        """Whether the core is halted."""
        ...

    def hold(self) -> None:
        """Halt the core: it executes nothing, while time and peripherals go on."""
        ...

    def release(self) -> None:
        """Let it go on."""
        ...

    def reset(self) -> None:
        """Reset the controller; it runs afterwards."""
        ...

    def read_memory(self, address: int, size: int) -> bytes:
        """Read memory."""
        ...

    def write_memory(self, address: int, data: bytes) -> None:
        """Write memory, flash too."""
        ...

    def read_register(self, name: str) -> int:
        """Read "r0" to "r12", "sp", "lr", "pc" or "xpsr" of a core that is halted."""
        ...

    def write_register(self, name: str, value: int) -> None:
        """Write one of them."""
        ...


class Signals(Protocol):
    """The simulated world as its instruments meet it."""

    def weigh(self) -> tuple[float, bool]:
        """The weighing cell's indication in g (filtered, not yet tared or rounded) and whether it is stable."""
        ...

    def line_pressure_kpa(self) -> float:
        """The gauge pressure in the line in kPa, with the sensor's own error."""
        ...

    def air(self) -> tuple[float, float, float]:
        """Temperature in °C, pressure in hPa and relative humidity (0..1) at the balance."""
        ...

    def set_rail(self, voltage_v: float) -> None:
        """Drive the pump's supply rail; 0 V is off."""
        ...

    def rail_current_a(self) -> float:
        """The current that the pump draws in A."""
        ...

    def hear(self, begin_s: float, rate_hz: float, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What microphone and vibration pickup gave in V, in samples from `begin_s` on, all of them in the past."""
        ...

    def push(self, volume_ul: float) -> float:
        """Push `volume_ul` (negative: draw it) by the plunger of a syringe pump in the pump's place.

        Returns the gauge pressure in kPa that the plunger feels; infinite, with either sign, at an end of the barrel.
        """
        ...

    def set_relay(self, line: int, *, energised: bool) -> None:
        """Energise or release relay `line` (0-based); what hangs on it is the bench's matter."""
        ...

    def debug_port(self) -> DebugPort | None:
        """The debug port of the pump's controller; None of a pump that is simulated without one."""
        ...

    def do_by_hand(self, line: str, *, on: bool) -> None:
        """Do by hand what the line of this name does when it is energised, or undo it."""
        ...

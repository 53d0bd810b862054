"""A simulated world in which nothing is there, for a twin that is tested alone.

Not responsible for what a twin does feel: a test states that in a class of its own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rig.virtual.signals import DebugPort, Signals


class DeafWorld(Signals):
    """Fails a test whose twin asks for, or moves, what its device has no part in."""

    def weigh(self) -> tuple[float, bool]:
        raise AssertionError("this device does not weigh")

    def line_pressure_kpa(self) -> float:
        raise AssertionError("this device feels no line pressure")

    def air(self) -> tuple[float, float, float]:
        raise AssertionError("this device feels no air")

    def set_rail(self, voltage_v: float) -> None:
        raise AssertionError(f"this device drives no rail to {voltage_v} V")

    def rail_current_a(self) -> float:
        raise AssertionError("this device feels no current")

    def hear(self, begin_s: float, rate_hz: float, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        raise AssertionError(f"this device hears nothing, asked for {count} samples from {begin_s} s at {rate_hz} Hz")

    def push(self, volume_ul: float) -> float:
        raise AssertionError(f"this device has no plunger to push {volume_ul} µL with")

    def set_relay(self, line: int, *, energised: bool) -> None:
        raise AssertionError(f"this device has no relay {line} to set to {energised}")

    def debug_port(self) -> DebugPort:
        raise AssertionError("this device has no debug port")

    def do_by_hand(self, line: str, *, on: bool) -> None:
        raise AssertionError(f"this device has no hands to do {line!r} with, {on}")

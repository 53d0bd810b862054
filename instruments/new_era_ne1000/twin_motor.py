"""Motor, drive screw and syringe of a virtual NE-1000: microsteps that push real volume into the world's line.

Not responsible for commands and alarms: `twin` is; nor for the line and what it leads to: the simulated world is.
Source: New Era, NE-1000 user manual, publication 1200-01, section 12 (specifications).
"""

from __future__ import annotations

import math
from collections.abc import Callable

from rig.clock import Event, SimClock, ns_from_s

STEP_MM = 0.2126e-3
"""Smallest advance of the plunger: 1.27 mm a screw turn · 15/28 / 3200 microsteps a motor turn (1200-01, 12)."""

MAX_SPEED_MM_PER_H = 51.005 * 60.0
MIN_SPEED_MM_PER_H = 0.04205
"""Highest and lowest speed: 5.1005 cm/min, 0.004205 cm/h (1200-01, 12)."""

FORCE_AT_REST_N, FORCE_AT_MAX_N = 155.7, 80.1
"""Most force at the lowest and at the highest speed: 35 lbf, 18 lbf (1200-01, 12; not checked against a copy). What
lies between is assumed to be a straight line. A higher one stalls the motor."""

SHORTEST_TICK_S = 0.05
"""Steps that follow each other faster than this are pushed together: the line's own time constant is 4.5 s."""

_ENOUGH_UL = 1e-9


def area_mm2(diameter_mm: float) -> float:
    """The area of a plunger in mm² (1 mm of travel is so many µL)."""
    return math.pi * diameter_mm**2 / 4.0


class Plunger:
    """A syringe in the drive.

    Args:
        clock: the simulated time.
        push: pushes µL into the line (negative: draws) and gives the gauge pressure in kPa that the plunger feels.
        on_target: called when the volume to be dispensed has been.
        on_stall: called when the line held the motor.

    Attributes:
        remaining_ul: what is left of the volume to be dispensed; None without end.
        infused_ul, withdrawn_ul: what has been moved since each was cleared.
    """

    def __init__(
        self,
        clock: SimClock,
        push: Callable[[float], float],
        on_target: Callable[[], None],
        on_stall: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._push = push
        self._on_target = on_target
        self._on_stall = on_stall
        self._next: Event | None = None
        self.remaining_ul: float | None = None
        self.infused_ul = 0.0
        self.withdrawn_ul = 0.0

    def start(self, *, direction: int, rate_ul_per_h: float, diameter_mm: float, target_ul: float | None) -> None:
        """Move at `rate_ul_per_h`, +1 infuses and −1 withdraws, until `target_ul` or without end."""
        self.stop()
        self.remaining_ul = target_ul
        self._direction = direction
        self._area_mm2 = area_mm2(diameter_mm)
        step_ul = STEP_MM * self._area_mm2
        self._together = max(1, math.ceil(SHORTEST_TICK_S * rate_ul_per_h / 3600.0 / step_ul))
        self._tick_ul = self._together * step_ul
        self._ul_per_s = rate_ul_per_h / 3600.0
        share = rate_ul_per_h / (MAX_SPEED_MM_PER_H * self._area_mm2)
        self._most_n = FORCE_AT_REST_N - share * (FORCE_AT_REST_N - FORCE_AT_MAX_N)
        self._begun_ns, self._moved_ul = self._clock.now_ns, 0.0
        self._wait()

    def stop(self) -> None:
        """Stand still; a step that is not complete is not made."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _wait(self) -> None:
        moved_ul = self._tick_ul if self.remaining_ul is None else min(self._tick_ul, self.remaining_ul)
        due_ns = self._begun_ns + ns_from_s((self._moved_ul + moved_ul) / self._ul_per_s)
        self._next = self._clock.call_at(due_ns, lambda: self._move(moved_ul))

    def _move(self, moved_ul: float) -> None:
        self._next = None
        pressure_kpa = self._push(self._direction * moved_ul)
        self._moved_ul += moved_ul
        if self._direction > 0:
            self.infused_ul += moved_ul
        else:
            self.withdrawn_ul += moved_ul
        if self.remaining_ul is not None:
            self.remaining_ul -= moved_ul
        if abs(pressure_kpa) * self._area_mm2 / 1e3 > self._most_n:
            self._on_stall()
        elif self.remaining_ul is not None and self.remaining_ul < _ENOUGH_UL:
            self._on_target()
        else:
            self._wait()

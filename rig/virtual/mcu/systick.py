"""SysTick, the core's own 24-bit down counter (ARMv7-M ARM DDI 0403E, B3.3).

Not responsible for the calibration value's accuracy: TENMS is ST's fixed one (PM0214, 4.5.4).
"""

from __future__ import annotations

from collections.abc import Callable

from rig.clock import SimClock
from rig.virtual.mcu.peripheral import cycles_at, ns_of_cycle

CTRL, LOAD, VAL, CALIB = 0x10, 0x14, 0x18, 0x1C
ENABLE, TICKINT, CLKSOURCE, COUNTFLAG = 1, 2, 4, 1 << 16


class SysTick:
    """The counter; `pend` makes exception 15 pending."""

    def __init__(self, clock: SimClock, pend: Callable[[], None]) -> None:
        self._clock = clock
        self._pend = pend
        self.reset()

    def reset(self) -> None:
        """Stop; the count itself is unknown after reset, 0 here."""
        self._ctrl = self._load = self._value = self._anchor = 0
        self._flag = False

    def _divider(self) -> int:
        return 1 if self._ctrl & CLKSOURCE else 8  # AHB or AHB/8 (RM0090, 7.2)

    def refresh(self) -> None:
        """Count what has passed and pend the exception if the count reached 0."""
        if not self._ctrl & ENABLE:
            return
        ticks = (cycles_at(self._clock.now_ns) - self._anchor) // self._divider()
        if ticks <= 0:
            return
        self._anchor += ticks * self._divider()
        to_zero = self._value or self._load + 1
        if ticks < to_zero:
            self._value = self._value - ticks if self._value else self._load + 1 - ticks
            return
        beyond = (ticks - to_zero) % (self._load + 1)
        self._value = self._load + 1 - beyond if beyond else 0
        if self._load:  # a reload value of 0 stops the counter at 0 (B3.3.1)
            self._flag = True
            if self._ctrl & TICKINT:
                self._pend()

    def due_ns(self) -> int | None:
        """When the count next reaches 0 with the exception enabled."""
        if self._ctrl & (ENABLE | TICKINT) != ENABLE | TICKINT or not self._load:
            return None
        return ns_of_cycle(self._anchor + (self._value or self._load + 1) * self._divider())

    def read(self, offset: int) -> int:
        """Read a register; reading CTRL clears COUNTFLAG."""
        self.refresh()
        if offset == CTRL:
            value = self._ctrl | (COUNTFLAG if self._flag else 0)
            self._flag = False
            return value
        return {LOAD: self._load, VAL: self._value, CALIB: 0x40000000 | 18750}.get(offset, 0)

    def write(self, offset: int, value: int) -> None:
        """Write a register; writing VAL clears count and COUNTFLAG."""
        self.refresh()
        if offset == CTRL:
            if value & ENABLE and not self._ctrl & ENABLE:
                self._anchor = cycles_at(self._clock.now_ns)
            self._ctrl = value & 7
        elif offset == LOAD:
            self._load = value & 0xFFFFFF
        elif offset == VAL:
            self._value, self._flag = 0, False
            self._anchor = cycles_at(self._clock.now_ns)

"""What a debugger would use and firmware may too: the cycle counter and the device id.

ARMv7-M ARM DDI 0403E, C1.8 (DWT); RM0090 rev 19, 38.6.1 (DBGMCU_IDCODE). Not responsible for breakpoints or trace.
"""

from __future__ import annotations

from rig.clock import SimClock
from rig.virtual.mcu.peripheral import cycles_at

CTRL, CYCCNT = 0x00, 0x04


class Dwt:
    """The cycle counter: counts simulated time, in which instructions between wake-ups take none."""

    def __init__(self, words: memoryview, clock: SimClock) -> None:
        self.words = words
        self.clocked = True
        self._clock = clock
        self.reset()

    def reset(self) -> None:
        """Stop at 0."""
        self._offset = 0
        self.words[CTRL >> 2], self.words[CYCCNT >> 2] = 0x40000000, 0

    def refresh(self) -> None:
        """Show the present count."""
        if self.words[CTRL >> 2] & 1:
            self.words[CYCCNT >> 2] = cycles_at(self._clock.now_ns) - self._offset & 0xFFFFFFFF

    def write(self, offset: int, value: int) -> None:
        """Write a register."""
        self.refresh()
        if offset == CTRL:
            self.words[CTRL >> 2] = 0x40000000 | value & 1
        elif offset == CYCCNT:
            self.words[CYCCNT >> 2] = value
        if offset <= CYCCNT:
            self._offset = cycles_at(self._clock.now_ns) - self.words[CYCCNT >> 2]


class DebugId:
    """The device id of an STM32F405, revision Z; freeze bits are kept and do nothing."""

    def __init__(self, words: memoryview) -> None:
        self.words = words
        self.clocked = True
        self.reset()

    def reset(self) -> None:
        """Take reset values."""
        self.words[0], self.words[1], self.words[2], self.words[3] = 0x10010413, 0, 0, 0

    def write(self, offset: int, value: int) -> None:
        """Write a register."""
        if 4 <= offset <= 12:
            self.words[offset >> 2] = value

"""What a debugger would use and firmware may too: the cycle counter and the device id.

ARMv7-M ARM DDI 0403E, C1.8 (DWT); RM0090 rev 19, 38.6.1 (DBGMCU_IDCODE). Not responsible for breakpoints or trace.
"""

from __future__ import annotations

from rig.clock import SimClock
from rig.virtual.mcu.peripheral import cycles_at

CTRL, CYCCNT = 0x00, 0x04
APB1_FZ, DBG_IWDG_STOP = 0x08, 1 << 12


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
    """The device id of an STM32F405, revision Z, and what stands still while a debugger halts the core.

    Of the latter, DBG_IWDG_STOP of DBGMCU_APB1_FZ alone does something (RM0090 rev 19, 38.16.4). A system reset leaves
    them as they are; only power-on takes their reset values.
    """

    def __init__(self, words: memoryview) -> None:
        self.words = words
        self.clocked = True
        self.reset_power()

    def reset(self) -> None:
        """Stay as it is: a system reset does not reach it."""

    def reset_power(self) -> None:
        """Take the values after power-on."""
        self.words[0], self.words[1], self.words[2], self.words[3] = 0x10010413, 0, 0, 0

    @property
    def stops_watchdog(self) -> bool:
        """Whether the independent watchdog stands still while the core is halted."""
        return bool(self.words[APB1_FZ >> 2] & DBG_IWDG_STOP)

    def write(self, offset: int, value: int) -> None:
        """Write a register."""
        if 4 <= offset <= 12:
            self.words[offset >> 2] = value

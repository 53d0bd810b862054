"""External interrupts: EXTI lines 0 to 15 and which port's pin each is wired to (RM0090 rev 19, sections 12.3 and 9.2).

Not responsible for the internal lines 16 to 22 nor for events, which are refused.
"""

from __future__ import annotations

from collections.abc import Callable

from rig.errors import RigError

IMR, EMR, RTSR, FTSR, SWIER, PR = range(0x00, 0x18, 4)
EXTICR1, EXTICR4 = 0x08, 0x14
LINES = 0xFFFF
INTERRUPTS = {6: 0x0001, 7: 0x0002, 8: 0x0004, 9: 0x0008, 10: 0x0010, 23: 0x03E0, 40: 0xFC00}
"""Interrupt number: the lines that share it (RM0090, table 62)."""


class Syscfg:
    """The port that each line listens to; other registers keep nothing."""

    def __init__(self, words: memoryview) -> None:
        self.words = words
        self.clocked = False
        self.reset()

    def reset(self) -> None:
        """Take reset values: every line listens to port A."""
        for index in range(9):
            self.words[index] = 0

    def write(self, offset: int, value: int) -> None:
        """Write a register."""
        if EXTICR1 <= offset <= EXTICR4:
            self.words[offset >> 2] = value & 0xFFFF

    def port(self, line: int) -> str:
        """The letter of the port that a line listens to."""
        return "ABCDEFGHI"[self.words[(EXTICR1 >> 2) + line // 4] >> 4 * (line % 4) & 7]


class Exti:
    """Edges of pins as interrupts; `set_line(interrupt, high)` tells the interrupt controller."""

    def __init__(self, words: memoryview, set_line: Callable[[int, bool], None]) -> None:
        self.words = words
        self.clocked = True
        self._set_line = set_line
        self.reset()

    def reset(self) -> None:
        """Take reset values: nothing is listened to."""
        for index in range(6):
            self.words[index] = 0
        self._update()

    def edge(self, line: int, *, rising: bool) -> None:
        """Hear an edge of the pin that a line listens to."""
        if self.words[(RTSR if rising else FTSR) >> 2] >> line & 1:
            self.words[PR >> 2] |= 1 << line
            self._update()

    def write(self, offset: int, value: int) -> None:
        """Write a register; a 1 written to PR clears its line (12.3.6)."""
        if offset == EMR and value & LINES:
            raise RigError("the firmware asked EXTI for events, which the emulated controller lacks")
        if offset == PR:
            self.words[PR >> 2] &= ~value
        elif offset == SWIER:
            self.words[PR >> 2] |= value & self.words[IMR >> 2]
        elif offset <= FTSR:
            self.words[offset >> 2] = value & 0x7FFFFF
        self._update()

    def _update(self) -> None:
        pending = self.words[PR >> 2] & self.words[IMR >> 2]
        for interrupt, lines in INTERRUPTS.items():
            self._set_line(interrupt, bool(pending & lines))

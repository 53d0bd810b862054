"""What every peripheral of the microcontroller is, and the kernel clock they count.

Not responsible for addresses (memory_map) nor for which interrupt a line is (core).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

HSI_HZ = 16_000_000
"""The internal RC oscillator, the only clock source modelled (RM0090, 7.2.2)."""

Line = Callable[[bool], None]
"""An interrupt line: called with its level."""


class Peripheral(Protocol):
    """A block of registers with behaviour.

    Attributes:
        words: the registers' values as the core reads them, by word.
        clocked: whether RCC feeds it; without a clock, writes are lost (RM0090, 7.3.10).
    """

    words: memoryview
    clocked: bool

    def reset(self) -> None:
        """Take the registers' reset values."""
        ...

    def write(self, offset: int, value: int) -> None:
        """Do what writing `value` to the register at byte `offset` does."""
        ...


class Timed(Protocol):
    """A peripheral that changes by itself as time passes."""

    def refresh(self) -> None:
        """Bring registers and interrupt line up to the present time."""
        ...

    def due_ns(self) -> int | None:
        """When it will next raise an enabled interrupt or a reset, None for never."""
        ...


def cycles_at(now_ns: int) -> int:
    """The number of whole 16 MHz cycles up to `now_ns`: 62.5 ns each."""
    return now_ns * 2 // 125


def ns_of_cycle(cycle: int) -> int:
    """The first whole nanosecond at which `cycles_at` reaches `cycle`."""
    return (cycle * 125 + 1) // 2

"""Which exception comes next: pending, enabled and active exceptions with their priorities.

ARMv7-M Architecture Reference Manual (DDI 0403E) B1.5 and B3.4. Exceptions are numbered as in IPSR: 1 to 15 belong to
the core, 16 + n is interrupt n of RM0090 table 62. Not responsible for stacking nor for the layout of registers.
"""

from __future__ import annotations

NMI, HARD_FAULT, MEMORY_FAULT, BUS_FAULT, USAGE_FAULT = 2, 3, 4, 5, 6
SVCALL, PENDSV, SYSTICK = 11, 14, 15
INTERRUPTS = 82
"""Interrupt lines of the STM32F405 (RM0090, 12.1.1)."""
EXCEPTIONS = 16 + INTERRUPTS
PRIORITY_BITS = 0xF0
"""The four priority bits that are there (RM0090, 12.1.1)."""
IDLE_PRIORITY = 256
"""Lower than any configurable priority: the core is in thread mode and nothing is masked (DDI 0403E, B1.5.4)."""

_ALWAYS_ENABLED = 1 << NMI | 1 << HARD_FAULT | 1 << SVCALL | 1 << PENDSV | 1 << SYSTICK


class Nvic:
    """The nested vectored interrupt controller's state.

    Attributes:
        pending, enabled, lines: one bit an exception number; `lines` are the interrupt inputs' levels.
        active: numbers of the exceptions being handled, the innermost last.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Nothing pending, enabled or active; all priorities 0."""
        self.pending = 0
        self.enabled = _ALWAYS_ENABLED
        self.lines = 0
        self.active: list[int] = []
        self.priority = [0] * EXCEPTIONS
        self.priority[NMI], self.priority[HARD_FAULT] = -2, -1
        self.group_mask = PRIORITY_BITS

    def set_line(self, interrupt: int, *, high: bool) -> None:
        """Set the level of an interrupt input: it pends when it rises, and again after a return that leaves it high."""
        bit = 1 << (16 + interrupt)
        if high:
            if not self.lines & bit:
                self.lines |= bit
                self.pending |= bit
        else:
            self.lines &= ~bit

    def set_priority(self, exception: int, value: int) -> None:
        """Set a configurable priority; the bits that are not there stay 0."""
        self.priority[exception] = value & PRIORITY_BITS

    def group(self, exception: int) -> int:
        """The part of the priority that decides preemption (DDI 0403E, B1.5.4)."""
        priority = self.priority[exception]
        return priority if priority < 0 else priority & self.group_mask

    def active_priority(self) -> int:
        """The priority of what is being handled, nothing masked."""
        if not self.active:
            return IDLE_PRIORITY
        return min([self.group(number) for number in self.active])

    def masked_priority(self, primask: int, basepri: int, faultmask: int) -> int:
        """The execution priority with the masks applied (DDI 0403E, B1.5.4)."""
        priority = self.active_priority()
        if basepri & self.group_mask:
            priority = min(priority, basepri & self.group_mask)
        if primask:
            priority = min(priority, 0)
        if faultmask:
            priority = min(priority, -1)
        return priority

    def candidate(self) -> int:
        """The exception of highest priority that is pending and enabled, 0 when there is none."""
        ready = self.pending & self.enabled
        if not ready:
            return 0
        best = ready.bit_length() - 1
        ready &= ~(1 << best)
        while ready:
            number = (ready & -ready).bit_length() - 1
            ready &= ready - 1
            if (self.priority[number], number) < (self.priority[best], best):
                best = number
        return best

    def enter(self, exception: int) -> None:
        """Begin handling."""
        self.pending &= ~(1 << exception)
        self.active.append(exception)

    def leave(self, exception: int) -> None:
        """End handling; a line that is still high pends again (DDI 0403E, B3.4.1)."""
        if exception in self.active:
            self.active.remove(exception)
        bit = 1 << exception
        if self.lines & bit:
            self.pending |= bit

"""IWDG, the independent watchdog (RM0090 rev 19, section 21).

It runs from the 32 kHz LSI and, once started, ends only with a reset. Not responsible for the reset itself, nor for
LSI's real spread of 17 to 47 kHz (STM32F405 datasheet DS8626, table 41).
"""

from __future__ import annotations

from rig.clock import NS_PER_S, SimClock

KR, PR, RLR, SR = 0x00, 0x04, 0x08, 0x0C
LSI_HZ = 32_000


class Watchdog:
    """The watchdog; `expired` says that it is time to reset."""

    def __init__(self, words: memoryview, clock: SimClock) -> None:
        self.words = words
        self.clocked = True
        self._clock = clock
        self.reset()

    def reset(self) -> None:
        """Stop, with the longest time-out: 0xFFF at LSI/4."""
        self.words[KR >> 2] = self.words[PR >> 2] = self.words[SR >> 2] = 0
        self.words[RLR >> 2] = 0xFFF
        self._unlocked = False
        self._deadline_ns: int | None = None
        self._held_ns: int | None = None

    def write(self, offset: int, value: int) -> None:
        """Write a register: keys to KR; PR and RLR only when unlocked. Updates take effect at once (SR stays 0)."""
        if offset == KR:
            key = value & 0xFFFF
            self._unlocked = key == 0x5555
            if key == 0xCCCC or (key == 0xAAAA and self._deadline_ns is not None):
                self._reload()
        elif self._unlocked and offset == PR:
            self.words[PR >> 2] = value & 7
        elif self._unlocked and offset == RLR:
            self.words[RLR >> 2] = value & 0xFFF

    def _reload(self) -> None:
        divider = 4 << min(self.words[PR >> 2], 6)
        ticks = (self.words[RLR >> 2] + 1) * divider
        self._deadline_ns = self._clock.now_ns + ticks * NS_PER_S // LSI_HZ

    def hold(self, held: bool) -> None:
        """Stop counting, or go on: a debugger may stop it with the core (RM0090 rev 19, 38.16.4)."""
        now_ns = self._clock.now_ns
        if held and self._held_ns is None:
            self._held_ns = now_ns
        elif not held and self._held_ns is not None:
            if self._deadline_ns is not None:
                self._deadline_ns += now_ns - self._held_ns
            self._held_ns = None

    def due_ns(self) -> int | None:
        """When it will reset the controller unless it is reloaded; None while it does not count."""
        return self._deadline_ns if self._held_ns is None else None

    @property
    def expired(self) -> bool:
        """Whether the count has run out."""
        due_ns = self.due_ns()
        return due_ns is not None and self._clock.now_ns >= due_ns

"""General-purpose timers TIM2 to TIM5 as counters in closed form (RM0090 rev 19, section 18).

Up-counting with prescaler, auto-reload, four compare channels, one-pulse mode; and encoder mode, where edges on the
channel inputs count. Flags are worked out for the time that has passed, never tick by tick. A compare flag rises when
the counter arrives at the value: one written when it is there already waits a whole round. Not responsible for what is
not modelled and refused: down- and centre-aligned counting, input capture, other slave modes, DMA, PWM outputs on pins.
"""

from __future__ import annotations

from rig.clock import SimClock
from rig.errors import RigError
from rig.virtual.mcu.peripheral import Line, cycles_at, ns_of_cycle

CR1, SMCR, DIER, SR, EGR, CCMR1, CCMR2 = 0x00, 0x08, 0x0C, 0x10, 0x14, 0x18, 0x1C
CNT, PSC, ARR, CCR1, CCR4 = 0x24, 0x28, 0x2C, 0x34, 0x40
CEN, UDIS, URS, OPM, DIR_DOWN, CENTRE, ARPE = 1, 2, 4, 8, 0x10, 0x60, 0x80
UIF = 1
_FLAGS = 0x1E5F  # the bits of SR that exist

# (SMS, edge of TI1?) counts when...: RM0090 table 98. Level is that of the other input.
_COUNTS_ON_TI1 = {2, 3}
_COUNTS_ON_TI2 = {1, 3}


class Timer:
    """One timer of `bits` counter bits; `line` is its global interrupt."""

    def __init__(self, words: memoryview, clock: SimClock, line: Line, *, bits: int) -> None:
        self.words = words
        self.clocked = False
        self._clock = clock
        self._line = line
        self._top = (1 << bits) - 1
        self.reset()

    def reset(self) -> None:
        """Stop, with all registers at their reset values (18.4)."""
        for index in range(21):
            self.words[index] = 0
        self._arr = self.words[ARR >> 2] = self._top
        self._divider = 1  # the active prescaler, PSC + 1; PSC itself is a preload (18.3.1)
        self._count = 0  # the counter at cycle _anchor
        self._anchor = 0
        self._running = False
        self._sms = 0
        self._high = False
        self._line(False)

    # ---- time ----------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Count what has passed since the last call, raise the flags of it and set the interrupt line."""
        if not self._running:
            return
        elapsed = (cycles_at(self._clock.now_ns) - self._anchor) // self._divider
        if elapsed <= 0:
            return
        if not self._arr:  # the counter is blocked (18.4.12)
            self._anchor += elapsed * self._divider
            return
        self._advance(elapsed)
        self.words[CNT >> 2] = self._count
        self._update_line()

    def _advance(self, ticks: int) -> None:
        words, start = self.words, self._count
        self._anchor += ticks * self._divider
        flags = 0
        for channel in range(4):
            match = words[(CCR1 >> 2) + channel]
            if match <= self._arr and self._ticks_until(match) <= ticks:
                flags |= 2 << channel
        to_wrap = self._ticks_until(self._arr) + 1
        if start == self._arr:
            to_wrap = 1
        if ticks < to_wrap:
            self._count = (start + ticks) & self._top
        else:
            flags |= self._overflow(ticks - to_wrap)
        words[SR >> 2] |= flags

    def _ticks_until(self, value: int) -> int:
        """The ticks until the counter arrives at `value`; a counter beyond auto-reload first runs to its top."""
        if self._count <= self._arr:
            return (value - self._count - 1) % (self._arr + 1) + 1
        return self._top + 1 - self._count + value

    def _overflow(self, beyond: int) -> int:
        """Wrap to 0 with `beyond` ticks (of the old prescaler) left over; return the update flag."""
        cr1 = self.words[CR1 >> 2]
        if cr1 & OPM:
            self.words[CR1 >> 2] = cr1 & ~CEN
            self._running = False
            self._count = 0
            return 0 if cr1 & UDIS else UIF
        if cr1 & UDIS:
            self._count = beyond % (self._arr + 1)
            return 0
        left = beyond * self._divider
        self._anchor -= left
        self._load_preloads()
        self._count = (left // self._divider) % (self._arr + 1)
        self._anchor += left - left % self._divider
        return UIF

    def _load_preloads(self) -> None:
        self._divider = self.words[PSC >> 2] + 1
        self._arr = self.words[ARR >> 2]

    def due_ns(self) -> int | None:
        """When the next enabled flag will rise."""
        if not (self._running and self._arr):
            return None
        words = self.words
        enabled = words[DIER >> 2] & 0x1F
        if not enabled or enabled & words[SR >> 2]:
            return None  # nothing asked for, or the line is high already
        soonest: int | None = None
        if enabled & UIF:
            soonest = 1 if self._count == self._arr else self._ticks_until(self._arr) + 1
        for channel in range(4):
            if enabled & (2 << channel):
                match = words[(CCR1 >> 2) + channel]
                if match <= self._arr:
                    ticks = self._ticks_until(match)
                    if soonest is None or ticks < soonest:
                        soonest = ticks
        return None if soonest is None else ns_of_cycle(self._anchor + soonest * self._divider)

    def _update_line(self) -> None:
        high = self.words[SR >> 2] & self.words[DIER >> 2] & 0x1F != 0
        if high is not self._high:
            self._high = high
            self._line(high)

    # ---- the core writes ---------------------------------------------------------------------------------------

    def write(self, offset: int, value: int) -> None:
        """Write a register."""
        if self._running:
            self.refresh()
        words = self.words
        if offset == SR:
            words[SR >> 2] &= value | ~_FLAGS & 0xFFFFFFFF  # rc_w0
            self._update_line()
        elif offset == CR1:
            self._write_cr1(value)
        elif offset == EGR:
            self._generate(value)
        elif offset == CNT:
            self._count = words[CNT >> 2] = value & self._top
        elif offset == ARR:
            words[ARR >> 2] = value & self._top
            if not words[CR1 >> 2] & ARPE:
                self._arr = value & self._top
        elif offset == PSC:
            words[PSC >> 2] = value & 0xFFFF
        elif offset == SMCR:
            self._write_smcr(value)
        elif CCR1 <= offset <= CCR4:
            words[offset >> 2] = value & self._top
        elif offset == DIER:
            words[DIER >> 2] = value & 0x5F5F
            self._update_line()
        elif offset < 0x54:
            words[offset >> 2] = value & 0xFFFF

    def _write_cr1(self, value: int) -> None:
        if value & (DIR_DOWN | CENTRE) and not self._sms:
            raise RigError("the firmware set a timer to count down or centre-aligned, which the model does not have")
        self.words[CR1 >> 2] = value & 0x3FF
        running = bool(value & CEN) and not self._sms
        if running and not self._running:
            self._anchor = cycles_at(self._clock.now_ns)
        self._running = running

    def _write_smcr(self, value: int) -> None:
        sms = value & 7
        if sms > 3:
            raise RigError(f"the firmware set a timer to slave mode {sms}, which the model does not have")
        self.words[SMCR >> 2] = value & 0xFFFF
        self._sms = sms
        self._write_cr1(self.words[CR1 >> 2])

    def _generate(self, value: int) -> None:
        words = self.words
        if value & 1:
            self._load_preloads()
            self._count = words[CNT >> 2] = 0
            self._anchor = cycles_at(self._clock.now_ns)
            if not words[CR1 >> 2] & (UDIS | URS):
                words[SR >> 2] |= UIF
        words[SR >> 2] |= value & 0x1E
        self._update_line()

    # ---- encoder mode --------------------------------------------------------------------------------------

    def edge(self, channel: int, *, rising: bool, other_high: bool) -> None:
        """Take an edge on TI1 (`channel` 1) or TI2 while the other input stands still (18.3.12, table 98)."""
        if not (self.clocked and self.words[CR1 >> 2] & CEN):
            return
        if self._sms not in (_COUNTS_ON_TI1 if channel == 1 else _COUNTS_ON_TI2):
            return
        down = (rising == other_high) == (channel == 1)
        words = self.words
        count, flag = self._count, 0
        if down:
            count, flag = (self._arr, UIF) if count == 0 else (count - 1, 0)
        else:
            count, flag = (0, UIF) if count >= self._arr else (count + 1, 0)
        for index in range(4):
            if words[(CCR1 >> 2) + index] == count:
                flag |= 2 << index
        self._count = words[CNT >> 2] = count
        words[CR1 >> 2] = words[CR1 >> 2] & ~DIR_DOWN | (DIR_DOWN if down else 0)
        words[SR >> 2] |= flag
        self._update_line()

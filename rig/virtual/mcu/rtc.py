"""RTC calendar and backup registers (RM0090 rev 19, section 26), in the backup domain that outlives a power-off.

The calendar counts simulated time from when it was last set. Not responsible for what is not modelled and refused:
alarms, the wake-up timer, calibration and time stamps.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from rig.clock import NS_PER_S, SimClock
from rig.errors import RigError

TR, DR, CR, ISR, PRER, WPR, SSR, BKP0R, BKP19R = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x24, 0x28, 0x50, 0x9C
WUTWF, ALRBWF, ALRAWF = 1 << 2, 1 << 1, 1
INITS, RSF, INITF, INIT = 1 << 4, 1 << 5, 1 << 6, 1 << 7
_REFUSED_CR = 0xFF << 8  # alarms, wake-up timer and time stamp: their enables and interrupts


class Rtc:
    """The calendar.

    Attributes:
        writable: whether PWR lets the backup domain be written (DBP); cleared by every reset.
        running: whether RCC_BDCR feeds it a clock.
    """

    def __init__(self, words: memoryview, clock: SimClock) -> None:
        self.words = words
        self.clocked = True
        self.writable = False
        self.running = False
        self._clock = clock
        self.reset_domain()

    def reset(self) -> None:
        """A system reset leaves the calendar alone and locks it."""
        self.writable = False
        self._unlock_step = 0

    def reset_domain(self) -> None:
        """Take backup-domain reset values: 1 January of year 0, and cleared backup registers (26.6.2)."""
        for index in range(0xA0 // 4):
            self.words[index] = 0
        self._unlock_step = 0
        self._init = False
        self._set_at_ns = self._clock.now_ns
        self._date = datetime(2000, 1, 1)
        self.words[DR >> 2] = 0x00002101
        self.words[ISR >> 2] = WUTWF | ALRBWF | ALRAWF
        self.words[PRER >> 2] = 0x007F00FF

    # ---- time ----------------------------------------------------------------------------------------------

    def start(self, running: bool) -> None:
        """Give or take the clock."""
        if running == self.running:
            return
        self.refresh()
        self._set_at_ns = self._clock.now_ns
        self.running = running

    def refresh(self) -> None:
        """Bring TR, DR and SSR up to the present time."""
        if not self.running or self._init:
            return
        elapsed_ns = self._clock.now_ns - self._set_at_ns
        if elapsed_ns >= NS_PER_S:
            whole = elapsed_ns // NS_PER_S
            self._date += timedelta(seconds=whole)
            self._set_at_ns += whole * NS_PER_S
            elapsed_ns -= whole * NS_PER_S
            self._show()
        seconds_divider = (self.words[PRER >> 2] & 0x7FFF) + 1
        self.words[SSR >> 2] = seconds_divider - 1 - elapsed_ns * seconds_divider // NS_PER_S

    def _show(self) -> None:
        date = self._date
        self.words[TR >> 2] = _bcd(date.hour) << 16 | _bcd(date.minute) << 8 | _bcd(date.second)
        day = date.isoweekday() << 13 | _bcd(date.month) << 8 | _bcd(date.day)
        self.words[DR >> 2] = _bcd(date.year - 2000) << 16 | day

    # ---- the core writes -----------------------------------------------------------------------------------

    def write(self, offset: int, value: int) -> None:
        """Write a register, behind the two locks of 26.3.5: PWR's DBP bit and the key in WPR."""
        if not self.writable:
            return
        if offset == WPR:
            self._unlock_step = {0xCA: 1, 0x53: 2 if self._unlock_step == 1 else 0}.get(value & 0xFF, 0)
        elif BKP0R <= offset <= BKP19R:
            self.words[offset >> 2] = value
        elif self._unlock_step == 2:
            self._write_unlocked(offset, value)

    def _write_unlocked(self, offset: int, value: int) -> None:
        if offset == ISR:
            self._set_init(bool(value & INIT))
        elif offset == CR:
            if value & _REFUSED_CR:
                raise RigError("the firmware asked the RTC for an alarm, wake-up or time stamp, which the model lacks")
            self.words[CR >> 2] = value
        elif offset in (TR, DR, PRER) and self._init:
            self.words[offset >> 2] = value

    def _set_init(self, init: bool) -> None:
        isr = self.words[ISR >> 2]
        if init and not self._init:
            self.refresh()
            isr |= INIT | INITF
        elif not init and self._init:
            self._date = _date_of(self.words[TR >> 2], self.words[DR >> 2])
            self._set_at_ns = self._clock.now_ns
            isr = isr & ~(INIT | INITF) | RSF
            isr = isr | INITS if self._date.year > 2000 else isr & ~INITS
        self._init = init
        self.words[ISR >> 2] = isr


def _bcd(value: int) -> int:
    return value // 10 << 4 | value % 10


def _binary(bcd: int) -> int:
    return (bcd >> 4) * 10 + (bcd & 15)


def _date_of(tr: int, dr: int) -> datetime:
    try:
        return datetime(
            2000 + _binary(dr >> 16 & 0xFF),
            _binary(dr >> 8 & 0x1F),
            _binary(dr & 0x3F),
            _binary(tr >> 16 & 0x3F),
            _binary(tr >> 8 & 0x7F),
            _binary(tr & 0x7F),
        )
    except ValueError as error:
        raise RigError(f"the firmware set the RTC to no date and time: TR {tr:#x}, DR {dr:#x}") from error

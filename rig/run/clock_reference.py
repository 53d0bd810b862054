"""Does anything keep this PC's clock right? The kernel knows, whichever program does it (adjtimex(2), Linux).

Not responsible for whether the reference itself is right, nor for steps of the clock (`rig.record.host_clock`).
"""

from __future__ import annotations

import ctypes
import struct
from dataclasses import dataclass

TIME_ERROR = 5
"""What adjtimex(2) returns while the clock is not synchronised."""
STA_UNSYNC = 0x0040
_TIMEX = struct.Struct("@i4xllllixxxxllllll")
"""The beginning of `struct timex`: modes, offset, freq, maxerror, esterror, status, constant, precision, tolerance,
time (s, µs), tick."""
FREQ_PER_PPM = 65536.0
"""The kernel counts `freq` in 2^-16 ppm."""
TICK_US = 10_000
"""`tick` of a clock that is left alone, in µs: a hundred ticks in a second, USER_HZ."""
_ROOM = 512
"""More octets than the kernel's structure has."""


@dataclass(frozen=True)
class ClockReference:
    """What the kernel says of its clock.

    Attributes:
        synchronised: whether something keeps it right.
        largest_error_s: how wrong it can be at most, in s; None of a clock that nothing keeps right.
        correction_ppm: by how much its rate is corrected so that it keeps up with its reference, in ppm: above 0 where
            the PC's oscillator is slow; None of a clock that nothing keeps right.
    """

    synchronised: bool
    largest_error_s: float | None
    correction_ppm: float | None = None

    def __str__(self) -> str:
        """Say it in words."""
        if not self.synchronised:
            return "nothing keeps this PC's clock right, as far as its kernel knows"
        return (
            f"the kernel's clock is synchronised, and wrong by {self.largest_error_s:.3g} s at most by its own account"
        )


def clock_reference() -> ClockReference:
    """Ask the kernel; where it cannot be asked, nothing is known to keep the clock right."""
    room = ctypes.create_string_buffer(_ROOM)
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(room)
    except (AttributeError, OSError):
        return ClockReference(False, None)
    _, _, freq, largest_us, _, status, _, _, _, _, _, tick_us = _TIMEX.unpack_from(room.raw)
    return kernel_clock(state, status, largest_us, freq, tick_us)


def kernel_clock(state: int, status: int, largest_us: int, freq: int = 0, tick_us: int = TICK_US) -> ClockReference:
    """Understand what adjtimex(2) returned and wrote.

    Args:
        state: what it returned.
        status: the status bits.
        largest_us: the largest error in µs.
        freq: correction of the rate in 2^-16 ppm.
        tick_us: µs that a tick adds, by which a program corrects what is too much for `freq`.
    """
    if state < 0 or state == TIME_ERROR or status & STA_UNSYNC:
        return ClockReference(False, None)
    correction_ppm = freq / FREQ_PER_PPM + 1e6 * (tick_us - TICK_US) / TICK_US
    return ClockReference(True, 1e-6 * largest_us, correction_ppm)

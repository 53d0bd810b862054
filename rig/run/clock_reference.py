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
_TIMEX = struct.Struct("@i4xllllixxxx")
"""The beginning of `struct timex`: modes, offset, freq, maxerror, esterror, status."""
_ROOM = 512
"""More octets than the kernel's structure has."""


@dataclass(frozen=True)
class ClockReference:
    """What the kernel says of its clock: whether something keeps it right, and how wrong it can be at most, in s."""

    synchronised: bool
    largest_error_s: float | None

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
    _, _, _, largest_us, _, status = _TIMEX.unpack_from(room.raw)
    return kernel_clock(state, status, largest_us)


def kernel_clock(state: int, status: int, largest_us: int) -> ClockReference:
    """Understand what adjtimex(2) returned and wrote: the state, the status bits, the largest error in µs."""
    if state < 0 or state == TIME_ERROR or status & STA_UNSYNC:
        return ClockReference(False, None)
    return ClockReference(True, 1e-6 * largest_us)

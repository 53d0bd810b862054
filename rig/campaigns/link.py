"""One fault of the pump's line: an octet or a frame on its way to the pump, or all of them for a while.

The line hands over octet by octet, as a UART does, so a frame is what stands between two flags. Not responsible for
when it begins and ends (`inject`).
"""

from __future__ import annotations

from collections.abc import Callable

from rig.virtual.port import LineFault, PassOn

FLAG = 0x7E
"""Begins and ends a frame (HDLC, as the pump's line has it)."""
REPLAYED_AFTER = 2
"""A frame that was recorded comes again after so many others."""


class MuteLink(LineFault):
    """Nothing comes through: from the pump, or both ways."""

    def __init__(self, *, both_ways: bool) -> None:
        self._both_ways = both_ways

    def to_host(self, data: bytes, pass_on: PassOn) -> None:
        """Lose it."""

    def to_device(self, data: bytes, pass_on: PassOn) -> None:
        """Lose it, or let it through."""
        if not self._both_ways:
            pass_on(data)

    def end(self) -> None:
        """The line is whole again."""


class DamagedLink(LineFault):
    """One octet or frame is damaged, and the line is whole again.

    Args:
        kind: one of `rig.campaigns.kinds.FRAMES`.
        place: which octet from now on, from 0; of a frame that is cut, where.
        bit: which bit flips, or what is inserted.
        over: takes the fault off the line.
    """

    def __init__(self, kind: str, place: int, bit: int, over: Callable[[LineFault], None]) -> None:
        self._kind, self._place, self._bit, self._over = kind, place, bit, over
        self._octets = 0
        self._frame = bytearray()
        self._recorded: bytes | None = None
        self._frames = 0
        self._cutting = False

    def to_host(self, data: bytes, pass_on: PassOn) -> None:
        """Let it through."""
        pass_on(data)

    def to_device(self, data: bytes, pass_on: PassOn) -> None:
        """Damage the octet or the frame that is to be damaged."""
        for octet in data:
            one = bytes([octet])
            if self._kind.startswith("octet"):
                self._octet(octet, pass_on)
            elif self._kind == "frame cut":
                self._cut(one, pass_on)
            else:
                pass_on(one)
                self._record(octet, pass_on)

    def end(self) -> None:
        """The line is whole again."""

    def _octet(self, octet: int, pass_on: PassOn) -> None:
        hit = self._octets == self._place
        self._octets += 1
        if not hit:
            pass_on(bytes([octet]))
            return
        become = {
            "octet dropped": b"",
            "octet flipped": bytes([octet ^ 1 << self._bit]),
            "octet inserted": bytes([1 << self._bit, octet]),
            "octet doubled": bytes([octet, octet]),
        }[self._kind]
        if become:
            pass_on(become)
        self._over(self)

    def _cut(self, one: bytes, pass_on: PassOn) -> None:
        """Lose what comes of a frame from its octet of this number on, up to the flag that ends it."""
        at_flag = one[0] == FLAG
        self._cutting = self._cutting or self._octets >= self._place
        self._octets += 1
        if self._cutting and at_flag and self._octets > self._place + 1:
            self._over(self)
        if not self._cutting or at_flag:
            pass_on(one)

    def _record(self, octet: int, pass_on: PassOn) -> None:
        """Note whole frames; one of them comes again, at once or after others."""
        self._frame.append(octet)
        if octet != FLAG or len(self._frame) < 2:
            return
        frame, self._frame = bytes(self._frame), bytearray()
        if len(frame) <= 2:
            self._frame = bytearray([FLAG])
            return
        if self._recorded is None:
            self._recorded = frame if frame[0] == FLAG else bytes([FLAG]) + frame
        else:
            self._frames += 1
        if self._kind == "frame doubled" or self._frames >= REPLAYED_AFTER:
            pass_on(self._recorded)
            self._over(self)

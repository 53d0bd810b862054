"""One fault of the pump's line: an octet or a frame on its way to the pump, or all of them for a while.

The line hands over octet by octet, as a UART does, so a frame is what stands between two flags. Not responsible for
when it begins and ends (`inject`).
"""

from __future__ import annotations

from collections.abc import Iterable

from rig.virtual.port import LineFault, PassOn, Port

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

    Octets that come in addition take their time on the line, and push back what follows them.

    Args:
        port: the line.
        kind: one of `rig.campaigns.kinds.FRAMES`.
        place: which octet from now on, from 0; of a frame that is cut, where.
        bit: which bit flips, or what is inserted.
    """

    def __init__(self, port: Port, kind: str, place: int, bit: int) -> None:
        self._port, self._kind, self._place, self._bit = port, kind, place, bit
        self._octets = 0
        self._frame = bytearray()
        self._recorded: bytes | None = None
        self._frames = 0
        self._cutting = self._done = False
        self._free_ns = 0

    def to_host(self, data: bytes, pass_on: PassOn) -> None:
        """Let it through."""
        pass_on(data)

    def to_device(self, data: bytes, pass_on: PassOn) -> None:
        """Damage the octet or the frame that is to be damaged."""
        for octet in data:
            for passed in (octet,) if self._done else self._damaged(octet):
                self._emit(passed, pass_on)

    def end(self) -> None:
        """The line is whole again."""

    def _emit(self, octet: int, pass_on: PassOn) -> None:
        """Put an octet on the line, after those that are still on it."""
        clock, one = self._port.clock, bytes([octet])
        if clock.now_ns >= self._free_ns:
            self._free_ns = clock.now_ns + self._port.character_ns
            pass_on(one)
        else:
            clock.call_at(self._free_ns, lambda: pass_on(one))
            self._free_ns += self._port.character_ns

    def _over(self) -> None:
        """Leave the line as soon as nothing more is pushed back."""
        self._done = True
        clock = self._port.clock
        clock.call_at(clock.now_ns + self._port.character_ns, self._leave)

    def _leave(self) -> None:
        clock = self._port.clock
        if self._free_ns >= clock.now_ns:
            clock.call_at(self._free_ns + self._port.character_ns, self._leave)
        else:
            self._port.faults.remove(self)

    def _damaged(self, octet: int) -> Iterable[int]:
        if self._kind.startswith("octet"):
            return self._octet(octet)
        return self._cut(octet) if self._kind == "frame cut" else self._repeated(octet)

    def _octet(self, octet: int) -> Iterable[int]:
        hit = self._octets == self._place
        self._octets += 1
        if not hit:
            return (octet,)
        self._over()
        become: dict[str, tuple[int, ...]] = {
            "octet dropped": (),
            "octet flipped": (octet ^ 1 << self._bit,),
            "octet inserted": (1 << self._bit, octet),
            "octet doubled": (octet, octet),
        }
        return become[self._kind]

    def _cut(self, octet: int) -> Iterable[int]:
        """Lose what comes of a frame from its octet of this number on, up to the flag that ends it."""
        self._cutting = self._cutting or self._octets >= self._place
        self._octets += 1
        if not self._cutting:
            return (octet,)
        if octet == FLAG and self._octets > self._place + 1:
            self._over()
        return (octet,) if octet == FLAG else ()

    def _repeated(self, octet: int) -> Iterable[int]:
        """Note whole frames; one of them comes again, at once or after others."""
        self._frame.append(octet)
        if octet != FLAG or len(self._frame) == 1:
            return (octet,)
        frame, self._frame = bytes(self._frame), bytearray()
        if len(frame) == 2:  # the flag that ended one frame, and that which begins the next
            self._frame = bytearray([FLAG])
            return (octet,)
        if self._recorded is None:
            self._recorded = frame if frame[0] == FLAG else bytes([FLAG]) + frame
        else:
            self._frames += 1
        if self._kind == "frame doubled" or self._frames >= REPLAYED_AFTER:
            self._over()
            return (octet, *self._recorded)
        return (octet,)

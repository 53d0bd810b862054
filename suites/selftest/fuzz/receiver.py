"""What a right pump may obey of the octets on its line, frames and counters judged here and not by the firmware.

After `instruments/ids/protocol.md`, section 1, and IDS 1.0.2, 3.1.1 and 3.16. It errs on the side of taking: whether
the pump was busy is not known here. Not responsible for what a PDU means.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from suites.selftest.conformance.client import crc
from suites.stands.firmware_host import fcs

FLAG, ESCAPE = 0x7E, 0x7D
LONGEST = 25
"""A PDU of 23 octets and its check sequence."""
CONNECTS = bytes.fromhex("10 0100")
PROTECTED = tuple(bytes.fromhex(f"12 {handle} 00") for handle in ("0e", "11", "17", "2c"))
"""Writes to the control points (protocol.md, section 2)."""


@dataclass(frozen=True)
class Taken:
    """A PDU that may be obeyed: in which connection, and with which counter; 0 when it needs none."""

    connection: int
    counter: int
    pdu: bytes


@dataclass
class Receiver:
    """One end of the line, from octet to octet.

    A counter may be right up to one more than the greatest that was: the pump takes some of those sent, in order.
    """

    _body: bytes = b""
    _connection: int = 0
    _reached: dict[bytes, int] = field(default_factory=dict)

    def hear(self, octets: bytes) -> list[Taken]:
        """What may be obeyed of what these octets complete."""
        *bodies, self._body = (self._body + octets).split(bytes([FLAG]))
        return [taken for body in bodies for taken in self._take(unstuffed(body))]

    def would_take(self, octets: bytes) -> list[bytes]:
        """The PDUs that might be obeyed if these octets came next, and a flag after them."""
        other = replace(self, _reached=dict(self._reached))
        return [taken.pdu for taken in other.hear(octets + bytes([FLAG]))]

    def _take(self, body: bytes) -> list[Taken]:
        if not 3 <= len(body) <= LONGEST or fcs(body[:-2]) != body[-2:]:
            return []
        pdu = body[:-2]
        if pdu[:3] == CONNECTS:
            self._connection += 1
            if len(pdu) == 7:
                self._reached.clear()
        point, value = pdu[:3], pdu[3:]
        if point not in PROTECTED:
            return [Taken(self._connection, 0, pdu)]
        if len(value) < 5 or crc(value[:-2]) != value[-2:]:
            return []
        counter, reached = value[-3], self._reached.get(point, 0)
        if not 0 < counter <= reached + 1:
            return []
        self._reached[point] = max(reached, counter)
        return [Taken(self._connection, counter, pdu)]


def unstuffed(body: bytes) -> bytes:
    """Undo the stuffing of what stands between two flags; b"" when it is aborted."""
    octets, out = iter(body), bytearray()
    for octet in octets:
        if octet == ESCAPE:
            follows = next(octets, None)
            if follows is None:
                return b""
            octet = follows ^ 0x20
        out.append(octet)
    return bytes(out)

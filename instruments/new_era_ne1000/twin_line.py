"""The pump's end of its line: Basic lines and Safe packets in, replies out.

Not responsible for commands, nor for when a silent host raises an alarm: `twin` is.
Source: New Era, NE-1000 user manual, publication 1200-01, 10.2.
"""

from __future__ import annotations

from collections.abc import Callable

from rig.clock import ns_from_s
from rig.virtual.port import Port

_STX, _ETX, _CR = 0x02, 0x03, 0x0D
_FRAME = 4
"""What a packet's length counts beside the data: itself, two octets of CRC, ETX (1200-01, 10.2.3)."""

INTER_BYTE_S = 0.5
"""A pause that drops an unfinished packet (1200-01, 10.2.3)."""

ANSWER_AFTER_S = 0.005
"""Assumed: the manual states none."""


def crc_16(data: bytes) -> int:
    """The CRC of `data`: CCITT, x^16 + x^12 + x^5 + 1, from 0, high bit first (1200-01, 10.2.4)."""
    crc = 0
    for octet in data:
        crc ^= octet << 8
        for _ in range(8):
            crc = crc << 1 ^ (0x11021 if crc & 0x8000 else 0)
    return crc


class PacketLine:
    """Both packet formats on one line.

    Args:
        port: the line.
        heard: called with each command that came whole; Basic lines without blanks and controls, in upper case.
        damaged: called when a Safe packet came whose CRC, length or end is wrong.

    Attributes:
        safe: whether replies go out, and commands are expected, as Safe packets.
    """

    def __init__(self, port: Port, heard: Callable[[str], None], damaged: Callable[[], None]) -> None:
        self.safe = False
        self._port = port
        self._heard = heard
        self._damaged = damaged
        self._buffer = bytearray()
        self._last_ns = 0
        port.on_receive(self._receive)

    def send(self, text: str) -> None:
        """Send a reply in the format of the mode."""
        data = text.encode("ascii")
        if self.safe:
            data = bytes([len(data) + _FRAME]) + data + crc_16(data).to_bytes(2, "big")
        packet = bytes([_STX]) + data + bytes([_ETX])
        clock = self._port.clock
        clock.call_at(clock.now_ns + ns_from_s(ANSWER_AFTER_S), lambda: self._port.send(packet))

    def _receive(self, data: bytes) -> None:
        for octet in data:
            self._take(octet)

    def _take(self, octet: int) -> None:
        now_ns = self._port.clock.now_ns
        in_packet = self._buffer[:1] == bytes([_STX])
        if in_packet and now_ns - self._last_ns > ns_from_s(INTER_BYTE_S):
            self._buffer.clear()
            in_packet = False
        self._last_ns = now_ns
        if in_packet:
            self._buffer.append(octet)
            self._close_packet()
        elif octet == _STX and not self._buffer:
            self._buffer.append(octet)
        elif self.safe:
            return  # between packets there is nothing to hear
        elif octet == _CR:
            line = self._buffer.decode("ascii").upper()
            self._buffer.clear()
            self._heard(line)
        elif 0x20 < octet < 0x7F:
            self._buffer.append(octet)

    def _close_packet(self) -> None:
        length = self._buffer[1]
        if length >= _FRAME and len(self._buffer) <= length:
            return
        packet = bytes(self._buffer)
        self._buffer.clear()
        data = packet[2:-3]
        if length < _FRAME or packet[-1] != _ETX or packet[-3:-1] != crc_16(data).to_bytes(2, "big"):
            self._damaged()
        else:
            self._heard(data.decode("latin-1"))

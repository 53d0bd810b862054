"""Basic and Safe packets of New Era syringe pumps, the replies in both, and numbers (protocol.md, Framing).

Not responsible for the port, nor for what commands mean.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass

STX, ETX = b"\x02", b"\x03"
_AROUND_DATA = 4
"""A Safe packet's length counts itself, two octets of CRC and ETX beside the data."""
_REPLY = re.compile(r"(?P<address>\d\d)(?:A\?(?P<alarm>[RSTEO])|(?P<status>[IWSPTUX]))(?P<data>.*)", re.DOTALL)


@dataclass(frozen=True)
class Reply:
    """What a pump answers: its status letter ("" with an alarm), its alarm's letter or "", and data."""

    address: int
    status: str
    alarm: str
    data: str


def basic_packet(command: str) -> bytes:
    """Wrap a command for Basic mode."""
    return command.encode("ascii") + b"\r"


def safe_packet(command: str) -> bytes:
    """Wrap a command for Safe mode: STX, length, data, CRC (CCITT, from 0, high octet first), ETX."""
    data = command.encode("ascii")
    return STX + bytes([len(data) + _AROUND_DATA]) + data + binascii.crc_hqx(data, 0).to_bytes(2, "big") + ETX


def split_packet(octets: bytes) -> str | None:
    """The data of the reply that `octets` begin with; None while it is not whole.

    A Safe reply's second octet is its length, which stays below the digit that a Basic one has there.

    Raises:
        ValueError: the octets are no reply: no STX, a wrong length, CRC or ETX.
    """
    if octets[:1] not in (b"", STX):
        raise ValueError("it does not begin with STX")
    if len(octets) < 2:
        return None
    if octets[1:2].isdigit():
        body, etx, _ = octets[1:].partition(ETX)
        return body.decode("latin-1") if etx else None
    length = octets[1]
    if length < _AROUND_DATA:
        raise ValueError(f"its length is {length}")
    if len(octets) < length + 1:
        return None
    data, crc, end = octets[2 : length - 2], octets[length - 2 : length], octets[length : length + 1]
    if end != ETX or binascii.crc_hqx(data, 0).to_bytes(2, "big") != crc:
        raise ValueError("its CRC or its end is wrong")
    return data.decode("latin-1")


def read_reply(data: str) -> Reply:
    """Read address, status or alarm, and data; ValueError when `data` is no reply."""
    match = _REPLY.fullmatch(data)
    if match is None:
        raise ValueError("it has no address with a status or an alarm")
    return Reply(int(match["address"]), match["status"] or "", match["alarm"] or "", match["data"])


def digits(value: float) -> str:
    """Write a number as the pump takes it: four digits and a point (1200-01, 10.2.1); ValueError when it loses any."""
    for decimals in (0, 1, 2, 3):
        text = f"{value:.{decimals}f}"
        if abs(float(text) - value) < 1e-9 and sum(map(str.isdigit, text)) <= 4:
            return text
    raise ValueError(f"{value:g} cannot be told to this pump: it takes four digits, three of them behind the point")

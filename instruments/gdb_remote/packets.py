"""Packets of the GDB Remote Serial Protocol: `$payload#checksum`, with escapes and repetitions; and pages of registers.

Not responsible for what a payload means (`driver`).
Source: Debugging with GDB, appendix E.1 "Overview" and appendix G "Target Descriptions".
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_ESCAPE, _REPEAT = 0x7D, 0x2A
_PACKET = re.compile(rb"\$([^#$]*)#([0-9a-fA-F]{2})")
DEFAULT_NUMBERS: Mapping[str, int] = {
    **{f"r{number}": number for number in range(13)},
    "sp": 13,
    "lr": 14,
    "pc": 15,
    "xpsr": 25,
}
"""Of an ARM core whose server has no page of them: xPSR is where GDB has cpsr."""


def packet(text: str) -> bytes:
    """Frame a payload that holds none of "#", "$", "}" and "*"."""
    payload = text.encode("ascii")
    return b"$%s#%02x" % (payload, sum(payload) % 256)


def payload_of(framed: bytes) -> str | None:
    """Take what is in a packet, each character one octet; None where it is none, or its checksum is another."""
    found = _PACKET.search(framed)
    if found is None or sum(found[1]) % 256 != int(found[2], 16):
        return None
    out = bytearray()
    octets = iter(found[1])
    for octet in octets:
        if octet == _ESCAPE:
            out.append(next(octets, 0) ^ 0x20)
        elif octet == _REPEAT and out:
            out += out[-1:] * max(0, next(octets, 29) - 29)
        else:
            out.append(octet)
    return out.decode("latin-1")


def is_packet(framed: bytes) -> bool:
    """Whether this is a packet with its checksum."""
    return payload_of(framed) is not None


def numbers_in(page: str) -> dict[str, int]:
    """Find the number of each register in a target description: its own, or the one after that of the one before."""
    numbers: dict[str, int] = {}
    following = 0
    for attributes in re.findall(r"<reg\s([^>]*)>", page):
        known = dict(re.findall(r'(\w+)\s*=\s*"([^"]*)"', attributes))
        number = int(known.get("regnum", following), 0) if "regnum" in known else following
        numbers[known.get("name", "").lower()] = number
        following = number + 1
    return numbers

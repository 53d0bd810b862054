"""How a frame of this line is damaged: its octets, or what it protects end to end with a frame check that is right.

Not responsible for sending any of them, nor for what a pump must do: nothing, of each.
"""

from __future__ import annotations

from instruments.ids.framing import ESCAPE, FLAG, FrameDecoder, encode_frame
from rig.roles.pump import DamagedFrame

FLAG_OCTET = bytes([FLAG])
PROTECTED = 3
"""Octets of a protected value that are none of its own: its counter, and its CRC at the end."""
BEGINS_AT = 3
"""Op code of ATT and handle, before the value that is written."""


def damaged_forms(frame: bytes) -> list[DamagedFrame]:
    """List damaged forms of a frame that carries a protected write; ValueError when it is no such frame."""
    pdus = FrameDecoder().feed(frame)
    if len(pdus) != 1 or len(pdus[0]) < BEGINS_AT + PROTECTED + 1:
        raise ValueError(f"one frame with a protected write is needed, got {frame.hex(' ')}")
    return [*_on_the_line(frame), *_end_to_end(pdus[0])]


def _on_the_line(frame: bytes) -> list[DamagedFrame]:
    """Damage octets, so that the frame check is wrong."""
    body = frame[1:-1]
    flipped = [
        DamagedFrame(f"bit {at % 8} of octet {at} flipped", _flipped(frame, 1 + at, at % 8)) for at in range(len(body))
    ]
    half = len(body) // 2
    doubled = next(at for at in range(half, len(body)) if body[at] != ESCAPE)  # two escapes in a row say what one says
    others = [
        ("cut off in its middle", FLAG_OCTET + body[:half] + FLAG_OCTET),
        ("cut off, without an end", FLAG_OCTET + body[:half]),
        ("without its last octet", FLAG_OCTET + body[:-1] + FLAG_OCTET),
        ("an octet dropped", FLAG_OCTET + body[:half] + body[half + 1 :] + FLAG_OCTET),
        ("an octet inserted", FLAG_OCTET + body[:half] + b"\x55" + body[half:] + FLAG_OCTET),
        ("an octet doubled", FLAG_OCTET + body[: doubled + 1] + body[doubled:] + FLAG_OCTET),
        ("two in one", FLAG_OCTET + body + body + FLAG_OCTET),
        ("noise before it, without a flag between", FLAG_OCTET + bytes(range(0x20, 0x40)) + body + FLAG_OCTET),
    ]
    return flipped + [DamagedFrame(what, octets) for what, octets in others]


def _end_to_end(pdu: bytes) -> list[DamagedFrame]:
    """Damage what the E2E-CRC protects, and give the frame a check that is right."""
    value = range(BEGINS_AT, len(pdu))
    flipped = [
        DamagedFrame(f"bit {at % 8} of octet {at} flipped in a sound frame", encode_frame(_flipped(pdu, at, at % 8)))
        for at in value
    ]
    shorter = DamagedFrame("an operand without its last octet", encode_frame(pdu[:-4] + pdu[-3:]))
    longer = DamagedFrame("an operand with an octet more", encode_frame(pdu[:-3] + b"\x00" + pdu[-3:]))
    return [*flipped, shorter, longer]


def _flipped(octets: bytes, at: int, bit: int) -> bytes:
    return octets[:at] + bytes([octets[at] ^ 1 << bit]) + octets[at + 1 :]

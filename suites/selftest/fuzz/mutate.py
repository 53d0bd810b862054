"""Damage: how a valid request becomes one that no client would send. All is drawn from the generator handed over.

Four layers, by where the damage is to be noticed: the line's octets, the frame's content, the protected value, and what
was right once but comes again or out of order. Not responsible for what the pump makes of it.
"""

from __future__ import annotations

from random import Random

FLAG, ESCAPE = 0x7E, 0x7D
LONGEST = 300
"""More octets than the pump's longest frame has."""
INTERESTING = bytes.fromhex("00 01 7d 7e 7f 80 ff 0f 33 3c 55 5a 66 69 96 99 a5 aa c3 cc f0")
"""Ends of ranges, flags, and the code words of the Insulin Delivery Service."""
SFLOATS = ("ff07", "0008", "fe07", "0208", "ffff", "0080", "ff7f", "7de0", "19d0", "f877", "1d40", "0000")
"""Numbers that are none, negative, huge, tiny; and two good ones."""


def damaged(rng: Random, octets: bytes) -> bytes:
    """Change one to four things: flip, replace, insert, delete, cut, repeat, append, overlay a number."""
    data = bytearray(octets)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        _damage_once(rng, data)
    return bytes(data[:LONGEST])


def _damage_once(rng: Random, data: bytearray) -> None:
    at = rng.randrange(len(data)) if data else 0
    match rng.randrange(8):
        case 0 if data:
            data[at] ^= 1 << rng.randrange(8)
        case 1 if data:
            data[at] = rng.choice(INTERESTING)
        case 2:
            data[at:at] = rng.randbytes(rng.choice((1, 1, 2, 8)))
        case 3 if data:
            del data[at : at + rng.choice((1, 1, 2, 4))]
        case 4 if data:
            del data[at:]
        case 5 if data:
            data += data[at:]
        case 6 if len(data) > 1:
            data[at : at + 2] = bytes.fromhex(rng.choice(SFLOATS))
        case _:
            data += rng.randbytes(rng.choice((1, 1, 2, 4, 4, 8, 20, 280)))


def damaged_line(rng: Random, frame: bytes, before: bytes) -> bytes:
    """Damage a frame's octets on the line, flags and escapes included, so that its check sequence is wrong."""
    match rng.randrange(6):
        case 0:
            return frame.rstrip(b"\x7e") + before.lstrip(b"\x7e")  # two that run into each other
        case 1:
            return frame[: rng.randrange(1, len(frame))]  # cut off, and the next one follows
        case 2:
            return bytes([FLAG, ESCAPE, FLAG]) * rng.randint(1, 3) + damaged(rng, frame)
        case 3:
            at = rng.randrange(1, len(frame))
            return frame[:at] + bytes([ESCAPE]) + frame[at:]
        case 4:
            return rng.randbytes(rng.randint(1, 60))
        case _:
            return damaged(rng, frame)

"""Compares what a pump answered with a pattern of table.py.

Not responsible for what the numbers mean.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from fractions import Fraction

_TOKEN = re.compile(r"<<(any|-?[\d.]+)>>|<(any|-?[\d.]+)>|\{(\w+)\}|([0-9a-f.]{2})|\s+")
_SPECIAL_SFLOAT = {0x07FE: math.inf, 0x07FF: math.nan, 0x0800: math.nan, 0x0801: math.nan, 0x0802: -math.inf}
_SPECIAL_FLOAT = {0x7FFFFE: math.inf, 0x7FFFFF: math.nan, 0x800000: math.nan, 0x800001: math.nan, 0x800002: -math.inf}


def sfloat(octets: bytes) -> Fraction | float:
    """The number in two octets: four bits of exponent, twelve of mantissa (IEEE 11073-20601, annex F)."""
    word = int.from_bytes(octets, "little")
    if word in _SPECIAL_SFLOAT:
        return _SPECIAL_SFLOAT[word]
    return _decimal(_signed(word & 0xFFF, 12), _signed(word >> 12, 4))


def float32(octets: bytes) -> Fraction | float:
    """The number in four octets: eight bits of exponent, 24 of mantissa (IEEE 11073-20601, annex F)."""
    word = int.from_bytes(octets, "little")
    if word in _SPECIAL_FLOAT:
        return _SPECIAL_FLOAT[word]
    return _decimal(_signed(word & 0xFFFFFF, 24), _signed(word >> 24, 8))


def matches(pattern: str, answer: bytes, names: Mapping[str, str]) -> bool:
    """Tell whether `answer` is one of the alternatives of `pattern`; `names` fills the braces with octets."""
    return any(_matches_one(alternative, answer, names) for alternative in pattern.split("|"))


def fill(pattern: str, names: Mapping[str, str]) -> str:
    """Put the octets of `names` into the braces of `pattern`."""
    return re.sub(r"\{(\w+)\}", lambda match: names[match[1]], pattern)


def learn(pattern: str, answer: bytes, names: dict[str, str]) -> None:
    """Take the two octets in `answer` that stand where `pattern` has a brace into `names`."""
    place = 0
    for _, _, brace, octet in _TOKEN.findall(pattern):
        if brace:
            names[brace] = answer[place : place + 2].hex()
        place += 2 if brace else 1 if octet else 0


def _matches_one(pattern: str, answer: bytes, names: Mapping[str, str]) -> bool:
    rest = answer
    for wide, short, _, octet in _TOKEN.findall(_checked(fill(pattern, names))):
        size = 4 if wide else 2 if short else 1 if octet else 0
        head, rest = rest[:size], rest[size:]
        if len(head) < size:
            return False
        if wide and not _is(float32(head), wide):
            return False
        if short and not _is(sfloat(head), short):
            return False
        if octet and not all(want in (".", have) for want, have in zip(octet, head.hex(), strict=True)):
            return False
    return not rest


def _checked(pattern: str) -> str:
    if _TOKEN.sub("", pattern):
        raise ValueError(f"no pattern of octets: {pattern!r}")
    return pattern


def _is(number: Fraction | float, wanted: str) -> bool:
    return math.isfinite(number) and (wanted == "any" or number == Fraction(wanted))


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value


def _decimal(mantissa: int, exponent: int) -> Fraction:
    return mantissa * Fraction(10) ** exponent

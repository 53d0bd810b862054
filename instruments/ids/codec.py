"""Numbers of the Insulin Delivery Service on the wire: SFLOAT, E2E counter and CRC.

Not responsible for the meaning of any field.
"""

from __future__ import annotations

import math

_SPECIAL = {0x07FF: math.nan, 0x0800: math.nan, 0x0801: math.nan, 0x07FE: math.inf, 0x0802: -math.inf}
"""NaN, NRes, reserved, +infinity, −infinity (IEEE 11073-20601; GATT Specification Supplement, medfloat16)."""

NAN = b"\xff\x07"
"""SFLOAT that is no number: a value that is not known."""


def encode_sfloat(value: float) -> bytes:
    """Encode a number as SFLOAT, exactly; ValueError when 12 bits of mantissa do not hold it.

    The exponent nearest to 0 that is exact is chosen, as in the specification's examples.
    """
    if not math.isfinite(value):
        raise ValueError(f"{value:g} is no number that a pump is told")
    for exponent in (0, -1, -2, -3, -4, -5, -6, -7, -8, 1, 2, 3, 4, 5, 6, 7):
        mantissa = round(value * 10.0**-exponent)
        if -2045 <= mantissa <= 2045 and math.isclose(mantissa * 10.0**exponent, value, rel_tol=1e-12, abs_tol=0.0):
            return ((exponent & 0xF) << 12 | mantissa & 0xFFF).to_bytes(2, "little")
    raise ValueError(f"{value:g} has more digits than an SFLOAT holds: at most 2045 units of one decimal place")


def decode_sfloat(data: bytes) -> float:
    """Decode an SFLOAT of 2 octets; NaN and infinities as such."""
    raw = int.from_bytes(data, "little")
    mantissa, exponent = raw & 0xFFF, raw >> 12
    if mantissa in _SPECIAL and exponent == 0:
        return _SPECIAL[mantissa]
    return _scaled(mantissa - 0x1000 if mantissa >= 0x800 else mantissa, exponent - 16 if exponent >= 8 else exponent)


def _scaled(mantissa: int, exponent: int) -> float:
    return mantissa * 10.0**exponent if exponent >= 0 else mantissa / 10.0**-exponent


def e2e_crc(data: bytes) -> bytes:
    """The E2E-CRC of `data`, low octet first: polynomial 0x1021 reflected, start FFFF (IDS 1.0.2, 3.16)."""
    crc = 0xFFFF
    for octet in data:
        crc ^= octet
        for _ in range(8):
            crc = crc >> 1 ^ 0x8408 if crc & 1 else crc >> 1
    return crc.to_bytes(2, "little")


def next_counter(counter: int) -> int:
    """The E2E-Counter that follows: 1..255, 0 is skipped (IDS 1.0.2, 3.1.1)."""
    return counter % 255 + 1

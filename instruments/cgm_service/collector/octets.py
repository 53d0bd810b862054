"""What comes from a CGM sensor, read octet by octet: measurement records, features, status, answers. Decoding only.

Every length and every CRC is checked; what is reserved for the future may come and means nothing here. Sources:
Continuous Glucose Monitoring Service 1.0.2; GATT Specification Supplement 3.42 to 3.47 and 3.199.
"""

from __future__ import annotations

import datetime
import math
import struct
from dataclasses import dataclass, field

NO_NUMBER = {0x07FE: math.inf, 0x07FF: math.nan, 0x0800: math.nan, 0x0801: math.nan, 0x0802: -math.inf}
SHORTEST_RECORD = 6
SAYS_TREND, SAYS_QUALITY = 0, 1
STATUS_OCTETS = ((7, 0), (6, 8), (5, 16))
"""Bit of the flags, and the first bit of the annunciation in the octet that it announces; in this order they come."""
WORDS = {
    0: "session stopped", 1: "battery low", 2: "wrong sensor type", 3: "sensor malfunction",
    4: "device specific alert", 5: "general device fault",
    8: "time not set", 9: "calibration not allowed", 10: "calibration recommended", 11: "calibration required",
    12: "too warm", 13: "too cold", 14: "calibration pending",
    16: "below patient low", 17: "above patient high", 18: "hypo", 19: "hyper",
    20: "falls too fast", 21: "rises too fast", 22: "below range", 23: "above range",
}  # fmt: skip
"""What is annunciated, by its bit."""


class DamagedOctetsError(Exception):
    """What came cannot be what the sensor said: a length that is none, or a wrong CRC."""


@dataclass(frozen=True)
class HeardRecord:
    """One record as it came: glucose in mg/dL or None, min since the session's start, what was annunciated."""

    glucose_mg_per_dl: float | None
    offset_min: int
    annunciated: tuple[str, ...] = ()
    trend_mg_per_dl_per_min: float | None = None
    quality_percent: float | None = None


@dataclass(frozen=True)
class HeardFeatures:
    """What a sensor can do, as far as a collector needs it."""

    with_crc: bool
    trend: bool = False
    quality: bool = False
    bits: int = field(default=0, repr=False)


def crc_of(octets: bytes) -> int:
    """The E2E-CRC as a little-endian number: 0x1021 mirrored to 0x8408, seed FFFF."""
    table, register = _TABLE, 0xFFFF
    for octet in octets:
        register = register >> 8 ^ table[(register ^ octet) & 0xFF]
    return register


def _table_entry(octet: int) -> int:
    for _ in range(8):
        octet = octet >> 1 ^ (0x8408 if octet & 1 else 0)
    return octet


_TABLE = tuple(_table_entry(octet) for octet in range(256))


def unprotected(octets: bytes, *, with_crc: bool, what: str) -> bytes:
    """Take the CRC off; DamagedOctetsError where it is wrong."""
    if not with_crc:
        return octets
    if len(octets) < 3:
        raise DamagedOctetsError(f"{what} {octets.hex(' ')}: too short for a CRC")
    body, told = octets[:-2], int.from_bytes(octets[-2:], "little")
    if crc_of(body) != told:
        raise DamagedOctetsError(f"{what} {octets.hex(' ')}: its CRC is wrong")
    return body


def medfloat16(octets: bytes) -> float:
    """A number in IEEE 11073-20601's 16 bits; NaN and infinities as such."""
    (raw,) = struct.unpack("<H", octets)
    if raw in NO_NUMBER:
        return NO_NUMBER[raw]
    exponent, mantissa = raw >> 12, raw & 0xFFF
    if mantissa > 0x7FF:
        mantissa -= 0x1000
    # by its decimal digits: so it is the number nearest to them
    return float(f"{mantissa}e{exponent - 16 if exponent > 7 else exponent}")


def measured_in(octets: bytes, *, with_crc: bool) -> list[HeardRecord]:
    """Read the records of one value of CGM Measurement.

    Raises:
        DamagedOctetsError: a size that does not fit what comes or what its flags announce, or a wrong CRC.
    """
    found, at = [], 0
    while at < len(octets):
        size = octets[at]
        if not SHORTEST_RECORD <= size <= len(octets) - at:
            raise DamagedOctetsError(f"measurement {octets.hex(' ')}: a record of {size} octets at octet {at}")
        found.append(_record(unprotected(octets[at : at + size], with_crc=with_crc, what="measurement")))
        at += size
    return found


def _record(body: bytes) -> HeardRecord:
    if len(body) < SHORTEST_RECORD:
        raise DamagedOctetsError(f"measurement {body.hex(' ')}: too short")
    flags, offset_min = body[1], int.from_bytes(body[4:6], "little")
    there = [first for bit, first in STATUS_OCTETS if flags >> bit & 1]
    numbers = [bit for bit in (SAYS_TREND, SAYS_QUALITY) if flags >> bit & 1]
    expected = SHORTEST_RECORD + len(there) + 2 * len(numbers)
    if len(body) != expected:
        raise DamagedOctetsError(
            f"measurement {body.hex(' ')}: {len(body)} octets without a CRC, and its flags announce {expected}"
        )
    bits = sum(octet << first for octet, first in zip(body[6:], there, strict=False))
    told = {}
    for number, bit in enumerate(numbers):
        at = SHORTEST_RECORD + len(there) + 2 * number
        told[bit] = _number(body[at : at + 2])
    return HeardRecord(
        _number(body[2:4]), offset_min, annunciated_by(bits), told.get(SAYS_TREND), told.get(SAYS_QUALITY)
    )  # fmt: skip


def _number(octets: bytes) -> float | None:
    value = medfloat16(octets)
    return value if math.isfinite(value) else None


def annunciated_by(bits: int) -> tuple[str, ...]:
    """Say in words what bits annunciate, from the lowest; bits that are reserved say nothing."""
    return tuple(word for bit, word in WORDS.items() if bits >> bit & 1)


def features_in(octets: bytes) -> HeardFeatures:
    """Read CGM Feature.

    Raises:
        DamagedOctetsError: not 6 octets; or a wrong CRC, FFFF where no protection is offered.
    """
    if len(octets) != 6:
        raise DamagedOctetsError(f"features {octets.hex(' ')}: they are 6 octets")
    bits, told = int.from_bytes(octets[:3], "little"), int.from_bytes(octets[4:], "little")
    with_crc = bool(bits >> 12 & 1)
    if told != (crc_of(octets[:4]) if with_crc else 0xFFFF):
        raise DamagedOctetsError(f"features {octets.hex(' ')}: the CRC is wrong")
    return HeardFeatures(with_crc, bool(bits >> 15 & 1), bool(bits >> 16 & 1), bits)


def status_in(octets: bytes, *, with_crc: bool) -> tuple[int, tuple[str, ...]]:
    """Read CGM Status: min since the session's start, and what is annunciated; DamagedOctetsError."""
    body = unprotected(octets, with_crc=with_crc, what="status")
    if len(body) != 5:
        raise DamagedOctetsError(f"status {octets.hex(' ')}: it is 5 octets without a CRC")
    return int.from_bytes(body[:2], "little"), annunciated_by(int.from_bytes(body[2:], "little"))


def start_time_in(octets: bytes, *, with_crc: bool) -> datetime.datetime | None:
    """Read the Session Start Time, in the clock of who wrote it; None: not set. DamagedOctetsError."""
    body = unprotected(octets, with_crc=with_crc, what="start time")
    if len(body) != 9:
        raise DamagedOctetsError(f"start time {octets.hex(' ')}: it is 9 octets without a CRC")
    year, *rest = struct.unpack("<H5B", body[:7])
    if year == 0:
        return None
    try:
        return datetime.datetime(year, *rest)
    except ValueError as error:
        raise DamagedOctetsError(f"start time {octets.hex(' ')}: no date") from error


def time_octets(moment: datetime.datetime, *, with_crc: bool) -> bytes:
    """Write a Session Start Time whose zone and summer time are not known."""
    body = struct.pack(
        "<H5BbB", moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second,
        -128, 255,
    )  # fmt: skip
    return body + crc_of(body).to_bytes(2, "little") if with_crc else body


def report_from(offset_min: int) -> bytes:
    """Ask at the Record Access Control Point for all records with this time offset and later."""
    return bytes([0x01, 0x03, 0x01]) + offset_min.to_bytes(2, "little")

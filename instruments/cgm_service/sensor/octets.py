"""What a CGM sensor sends, in octets: SFLOAT, E2E-CRC, a measurement record, status, features, times. Encoding only.

Sources: Continuous Glucose Monitoring Service 1.0.2, sections 3.1 to 3.5, 3.10 and 3.11; GATT Specification Supplement,
3.42 to 3.47. Not responsible for when anything is sent (`session`, `server`).
"""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass
from enum import IntFlag

NAN = b"\xff\x07"
"""SFLOAT for a result that is invalid or missing (CGMS 1.0.2, 3.10)."""
LARGEST_MANTISSA = 2045
"""12 bits with sign, less what stands for no number."""
INTERSTITIAL_UNDER_THE_SKIN = 0x59
"""Type 9, interstitial fluid, in the low nibble; location 5, subcutaneous tissue, in the high one."""
ZONE_UNKNOWN, SUMMER_UNKNOWN = 0x80, 0xFF
TREND_THERE, QUALITY_THERE, WARNING_THERE, CAL_TEMP_THERE, STATUS_THERE = 0x01, 0x02, 0x20, 0x40, 0x80


class SensorStatus(IntFlag):
    """The Sensor Status Annunciation, of which an octet is sent where one of its bits is set."""

    SESSION_STOPPED = 1 << 0
    BATTERY_LOW = 1 << 1
    MALFUNCTION = 1 << 3
    TIME_NOT_SET = 1 << 8
    BELOW_PATIENT_LOW = 1 << 16
    ABOVE_PATIENT_HIGH = 1 << 17
    BELOW_RANGE = 1 << 22
    ABOVE_RANGE = 1 << 23


NOTHING = SensorStatus(0)


class Offered(IntFlag):
    """What a sensor says in CGM Feature that it can do."""

    PATIENT_ALERTS = 1 << 1
    MALFUNCTION_DETECTION = 1 << 6
    RANGE_DETECTION = 1 << 8
    E2E_CRC = 1 << 12
    MULTIPLE_SESSIONS = 1 << 14
    TREND = 1 << 15
    QUALITY = 1 << 16


@dataclass(frozen=True)
class SensorRecord:
    """One measurement: glucose in mg/dL (None: no valid one), min since the session's start, what is annunciated.

    Trend in mg/dL a minute and quality in %, where the sensor tells them.
    """

    glucose_mg_per_dl: float | None
    offset_min: int
    annunciated: SensorStatus = NOTHING
    trend_mg_per_dl_per_min: float | None = None
    quality_percent: float | None = None


def sfloat(value: float | None, *, digits: int = 1) -> bytes:
    """Encode a number as SFLOAT, to so many digits behind the point where 12 bits hold that, else to fewer; None: NaN.

    Raises:
        ValueError: the number is not finite, or larger than 2045.
    """
    if value is None:
        return NAN
    if not math.isfinite(value) or abs(value) > LARGEST_MANTISSA:
        raise ValueError(f"{value!r} is no number that an SFLOAT of this sensor holds: up to {LARGEST_MANTISSA}")
    while digits and abs(round(value * 10.0**digits)) > LARGEST_MANTISSA:
        digits -= 1
    return ((-digits & 0xF) << 12 | round(value * 10.0**digits) & 0xFFF).to_bytes(2, "little")


def parity_octets(octets: bytes) -> bytes:
    """The E2E-CRC in the order in which it is sent: polynomial 0x1021, bits from the lowest, seed FFFF (3.11)."""
    register = 0xFFFF
    for octet in octets:
        for bit in range(8):
            feedback = (register >> 15 ^ octet >> bit) & 1
            register = (register << 1 & 0xFFFF) ^ (0x1021 if feedback else 0)
    mirrored = int(f"{register:016b}"[::-1], 2)
    return mirrored.to_bytes(2, "little")


def record_octets(record: SensorRecord, *, with_crc: bool) -> bytes:
    """Encode a CGM Measurement record."""
    flags, optional = 0, b""
    bits = int(record.annunciated)
    for there, octet in ((STATUS_THERE, bits), (CAL_TEMP_THERE, bits >> 8), (WARNING_THERE, bits >> 16)):
        if octet & 0xFF:
            flags |= there
            optional += bytes([octet & 0xFF])
    trend, quality = record.trend_mg_per_dl_per_min, record.quality_percent
    for there, number, digits in ((TREND_THERE, trend, 2), (QUALITY_THERE, quality, 1)):
        if number is not None:
            flags |= there
            optional += sfloat(number, digits=digits)
    body = bytes([flags]) + sfloat(record.glucose_mg_per_dl) + record.offset_min.to_bytes(2, "little") + optional
    size = 1 + len(body) + (2 if with_crc else 0)
    return _protected(bytes([size]) + body, with_crc)


def feature_octets(offered: Offered) -> bytes:
    """Encode CGM Feature; without E2E protection its CRC is FFFF (3.2.1.3)."""
    body = int(offered).to_bytes(3, "little") + bytes([INTERSTITIAL_UNDER_THE_SKIN])
    return body + (parity_octets(body) if Offered.E2E_CRC in offered else b"\xff\xff")


def status_octets(offset_min: int, annunciated: SensorStatus, *, with_crc: bool) -> bytes:
    """Encode CGM Status: three octets of it always."""
    return _protected(offset_min.to_bytes(2, "little") + int(annunciated).to_bytes(3, "little"), with_crc)


def start_time_octets(start: datetime.datetime | None, zone: int, summer: int, *, with_crc: bool) -> bytes:
    """Encode the Session Start Time; None, not set: a date of zeros, which Date Time calls unknown (GSS, 3.79)."""
    date = bytes(7)
    if start is not None:
        date = start.year.to_bytes(2, "little") + bytes(
            [start.month, start.day, start.hour, start.minute, start.second]
        )
    return _protected(date + bytes([zone, summer]), with_crc)


def run_time_octets(hours: int, *, with_crc: bool) -> bytes:
    """Encode the Session Run Time, in h."""
    return _protected(hours.to_bytes(2, "little"), with_crc)


def level_of(octets: bytes) -> float:
    """Read the level that a client has written, an SFLOAT; NaN where it is no number."""
    raw = int.from_bytes(octets, "little")
    mantissa, exponent = raw & 0xFFF, raw >> 12
    if 0x7FE <= mantissa <= 0x802:
        return math.nan
    signed = mantissa - 0x1000 if mantissa & 0x800 else mantissa
    power = exponent - 16 if exponent & 8 else exponent
    return signed * 10.0**power if power >= 0 else signed / 10.0**-power


def _protected(body: bytes, with_crc: bool) -> bytes:
    return body + parity_octets(body) if with_crc else body

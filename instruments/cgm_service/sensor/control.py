"""What a CGM sensor answers at its control points: the Specific Ops Control Point and the Record Access Control Point.

Pure: octets written in, an answer out. Not responsible for GATT (`server`). Sources: Continuous Glucose Monitoring
Service 1.0.2, sections 1.8, 3.6 to 3.8; GATT Specification Supplement, 3.46 and 3.199.
"""

from __future__ import annotations

from dataclasses import dataclass

from instruments.cgm_service.sensor.octets import Offered, SensorRecord, level_of, parity_octets, sfloat
from instruments.cgm_service.sensor.session import INTERVAL_MIN, CgmSession

MISSING_CRC, INVALID_CRC = 0x80, 0x81
NOT_CONFIGURED, IN_PROGRESS = 0xFD, 0xFE
"""Common profile errors of ATT: the client's configuration is wrong, a procedure is under way."""

SUCCESS, NOT_SUPPORTED = 0x01, 0x02
INVALID_OPERAND, OUT_OF_RANGE = 0x03, 0x05
"""Of the Specific Ops Control Point."""
INVALID_OPERATOR, OPERATOR_NOT_SUPPORTED, INVALID_RACP_OPERAND = 0x03, 0x04, 0x05
NO_RECORDS, OPERAND_NOT_SUPPORTED = 0x06, 0x09
"""Of the Record Access Control Point."""

SET_INTERVAL, GET_INTERVAL, INTERVAL_IS = 0x01, 0x02, 0x03
SET_HIGH, GET_HIGH, HIGH_IS = 0x07, 0x08, 0x09
SET_LOW, GET_LOW, LOW_IS = 0x0A, 0x0B, 0x0C
START_SESSION, STOP_SESSION, OPS_RESPONSE = 0x1A, 0x1B, 0x1C
REPORT, ABORT, COUNT, COUNT_IS, RACP_RESPONSE = 0x01, 0x03, 0x04, 0x05, 0x06
NULL, ALL, UP_TO, FROM, WITHIN, FIRST, LAST, OPERATORS = 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07
BY_TIME_OFFSET = 0x01
FASTEST = 0xFF
OPERANDS = {SET_INTERVAL: 1, 0x04: 10, 0x05: 2, SET_HIGH: 2, SET_LOW: 2, 0x0D: 2, 0x10: 2, 0x13: 2, 0x16: 2}
"""Octets of the operand, by operation; so a write is known that has none but its CRC left out."""


@dataclass(frozen=True)
class Answer:
    """What follows a write: records that are notified, then an indication; `measured` is notified as ever."""

    indication: bytes
    records: tuple[SensorRecord, ...] = ()
    measured: tuple[SensorRecord, ...] = ()


class RefusedWrite(Exception):
    """A write that is answered by an error of ATT."""

    def __init__(self, code: int) -> None:
        super().__init__(f"ATT error {code:#04x}")
        self.code = code


class OpsPoint:
    """The CGM Specific Ops Control Point of a sensor.

    Attributes:
        interval_min: so often the client wants to be told; 0: not at all by itself.
    """

    def __init__(self, session: CgmSession) -> None:
        self._session = session
        self.interval_min = INTERVAL_MIN

    def write(self, octets: bytes, now_s: float) -> Answer:
        """Answer a write.

        Raises:
            RefusedWrite: its CRC is missing or wrong.
        """
        with_crc = self._session.make.with_crc
        if with_crc:
            octets = without_crc(octets)
        operation, operand = octets[:1], octets[1:]
        told, measured = self._answered(operation[0] if operation else 0, operand, now_s)
        return Answer(told + parity_octets(told) if with_crc else told, measured=measured)

    def _answered(self, operation: int, operand: bytes, now_s: float) -> tuple[bytes, tuple[SensorRecord, ...]]:
        session = self._session
        if operation == SET_INTERVAL:
            return self._responded(operation, self._set_interval(operand)), ()
        if operation == GET_INTERVAL:
            return bytes([INTERVAL_IS, self.interval_min]), ()
        if Offered.PATIENT_ALERTS in session.make.offered:
            if operation in (SET_HIGH, SET_LOW):
                return self._responded(operation, self._set_level(operation, operand)), ()
            if operation == GET_HIGH:
                return bytes([HIGH_IS]) + sfloat(session.high_mg_per_dl), ()
            if operation == GET_LOW:
                return bytes([LOW_IS]) + sfloat(session.low_mg_per_dl), ()
        if operation == START_SESSION:
            session.begin(now_s)
            return self._responded(operation, SUCCESS), ()
        if operation == STOP_SESSION and session.runs:
            return self._responded(operation, SUCCESS), tuple(session.stop(now_s))
        return self._responded(operation, NOT_SUPPORTED), ()

    def _set_interval(self, operand: bytes) -> int:
        if len(operand) != 1:
            return INVALID_OPERAND
        self.interval_min = INTERVAL_MIN if operand[0] == FASTEST else operand[0]
        return SUCCESS

    def _set_level(self, operation: int, operand: bytes) -> int:
        if len(operand) != 2:
            return INVALID_OPERAND
        level, make = level_of(operand), self._session.make
        if not make.lowest_mg_per_dl <= level <= make.highest_mg_per_dl:
            return OUT_OF_RANGE
        if operation == SET_HIGH:
            self._session.high_mg_per_dl = level
        else:
            self._session.low_mg_per_dl = level
        return SUCCESS

    @staticmethod
    def _responded(operation: int, code: int) -> bytes:
        return bytes([OPS_RESPONSE, operation, code])


def without_crc(octets: bytes, *, whole: int | None = None) -> bytes:
    """Take what was written without its CRC.

    Args:
        octets: what was written.
        whole: how long it is without a CRC, where its first octet does not say.

    Raises:
        RefusedWrite: the CRC is missing (0x80) or wrong (0x81).
    """
    body, crc = octets[:-2], octets[-2:]
    if body and parity_octets(body) == crc:
        return body
    if whole is None:
        whole = 1 + OPERANDS.get(octets[0], 0) if octets else 1
    raise RefusedWrite(MISSING_CRC if len(octets) == whole else INVALID_CRC)


def access_records(session: CgmSession, octets: bytes) -> Answer:
    """Answer a write to the Record Access Control Point; it has no CRC in any service (3.6)."""
    operation, operator, operand = octets[0] if octets else 0, octets[1] if len(octets) > 1 else NULL, octets[2:]

    def responded(code: int) -> Answer:
        return Answer(bytes([RACP_RESPONSE, NULL, operation, code]))

    if operation == ABORT:
        return responded(SUCCESS if operator == NULL else INVALID_OPERATOR)
    if operation not in (REPORT, COUNT):
        return responded(NOT_SUPPORTED)
    if operator == NULL:
        return responded(INVALID_OPERATOR)
    if operator >= OPERATORS:
        return responded(OPERATOR_NOT_SUPPORTED)
    found = _chosen(session.records, operator, operand)
    if isinstance(found, int):
        return responded(found)
    if operation == COUNT:
        return Answer(bytes([COUNT_IS, NULL]) + len(found).to_bytes(2, "little"))
    if not found:
        return responded(NO_RECORDS)
    return Answer(bytes([RACP_RESPONSE, NULL, REPORT, SUCCESS]), found)


def _chosen(records: tuple[SensorRecord, ...], operator: int, operand: bytes) -> tuple[SensorRecord, ...] | int:
    """Choose records by operator and operand, or the code that refuses them."""
    if operator in (ALL, FIRST, LAST):
        if operand:
            return INVALID_RACP_OPERAND
        return {ALL: records, FIRST: records[:1], LAST: records[-1:]}[operator]
    if operand and operand[0] != BY_TIME_OFFSET:
        return OPERAND_NOT_SUPPORTED
    bounds = [int.from_bytes(operand[at : at + 2], "little") for at in range(1, len(operand), 2)]
    if len(operand) != (5 if operator == WITHIN else 3):
        return INVALID_RACP_OPERAND
    lowest = 0 if operator == UP_TO else bounds[0]
    highest = 0xFFFF if operator == FROM else bounds[-1]
    if lowest > highest:
        return INVALID_RACP_OPERAND
    return tuple(record for record in records if lowest <= record.offset_min <= highest)

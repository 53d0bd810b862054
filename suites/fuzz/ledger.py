"""What was asked for, by the octets that were sent, beside what the pump says it programmed and delivered.

Reads frames and records on its own, without driver or firmware. Not responsible for sending.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from suites.conformance.client import Client, crc
from suites.conformance.history import Record, parse

SET_BOLUS = bytes.fromhex("4b11")
BOLUS_PROGRAMMED, BOLUS_DELIVERED = "5a00", "6900"
COMMAND_POINT = bytes.fromhex("121100")

Wanted = tuple[int, int, int, int]
"""A bolus: type, mU at once, mU over a time, that time in min."""


def milliunits(octets: bytes) -> int:
    """Get an SFLOAT's value in thousandths, rounded (IEEE 11073-20601): exponent 4 bits, mantissa 12, both signed."""
    raw = int.from_bytes(octets, "little")
    mantissa, exponent = raw & 0xFFF, raw >> 12
    mantissa -= (mantissa & 0x800) << 1
    exponent -= (exponent & 0x8) << 1
    return round(mantissa * 10.0 ** (exponent + 3))


def _bolus(octets: bytes) -> Wanted:
    """Read type, two SFLOATs and a duration."""
    duration_min = int.from_bytes(octets[5:7], "little")
    return octets[0], milliunits(octets[1:3]), milliunits(octets[3:5]), duration_min


@dataclass
class Ledger:
    """Every bolus that a sent PDU asked for, with a right checksum; how often."""

    asked: Counter[Wanted]

    @classmethod
    def new(cls) -> Ledger:
        """Begin with nothing."""
        return cls(Counter())

    def note(self, pdu: bytes) -> None:
        """Note a PDU that is sent, if it is a protected Set Bolus to the command control point."""
        value = pdu[3:]
        if pdu[:3] == COMMAND_POINT and value[:2] == SET_BOLUS and len(value) >= 13 and crc(value[:-2]) == value[-2:]:
            self.asked[_bolus(value[3:10])] += 1

    def unasked(self, log: list[Record]) -> list[Wanted]:
        """Get the boluses that the pump's log says were programmed, and nobody asked for so often."""
        programmed = Counter(_bolus(record.data[2:9]) for record in log if record.event == BOLUS_PROGRAMMED)
        return sorted((programmed - self.asked).elements())


def logged_u(log: list[Record], event: str) -> float:
    """Get the insulin of all boluses that the log has as programmed, or as delivered, in U."""
    parts = [_bolus(record.data[2:9]) for record in log if record.event == event]
    return sum(at_once + later for _, at_once, later, _ in parts) / 1000.0


def delivered_u(octets: bytes) -> float:
    """Get a FLOAT's value (IEEE 11073-20601): exponent 8 bits, mantissa 24, both signed."""
    mantissa = int.from_bytes(octets[:3], "little", signed=True)
    return float(mantissa * 10.0 ** int.from_bytes(octets[3:4], "little", signed=True))


@dataclass
class LogBook:
    """The pump's log as far as it was ever read, from one look to the next."""

    records: list[Record]

    def read_on(self, client: Client) -> None:
        """Read from the last known record on: it is as it was, and the new ones follow without a gap."""
        last = self.records[-1].number if self.records else 0
        answer = client.procedure("racp", "33 55 0f" + last.to_bytes(4, "little").hex())
        assert answer.indication.hex() == "0f0f33f0", f"the log is not reported: {answer.indication.hex()}"
        log = [parse(octets) for octets in answer.data]
        assert log[0] == self.records[-1] if self.records else log[0].number == 0, "the log has lost its past"
        new = log[1:] if self.records else log
        assert [record.number for record in new] == list(range(log[-1].number + 1 - len(new), log[-1].number + 1))
        self.records += new

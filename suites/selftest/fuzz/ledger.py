"""What was asked for, by the octets that were sent, beside what the pump says it programmed and delivered.

Reads frames and records on its own, without driver or firmware. Not responsible for sending.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from suites.selftest.conformance.client import Client
from suites.selftest.conformance.history import Record, parse
from suites.selftest.fuzz.receiver import Taken

SET_BOLUS, SET_TEMPLATE = bytes.fromhex("4b11"), bytes.fromhex("dd11")
DELAYED, BY_TEMPLATE = 1, 2
"""Flags of Set Bolus: what follows the seven octets of the bolus."""
BOLUS_PROGRAMMED, BOLUS_DELIVERED = "5a00", "6900"
COMMAND_POINT = bytes.fromhex("121100")

Wanted = tuple[int, int, int, int]
"""A bolus: type, mU at once, mU over a time, that time in min."""


def milliunits(octets: bytes) -> int:
    """An SFLOAT's value in thousandths, rounded (IEEE 11073-20601): exponent 4 bits, mantissa 12, both signed."""
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
    """Every bolus that was rightly asked for: a counter stands for one procedure, however often it comes.

    A bolus by template has the amounts that the template had then, not those of its frame.
    """

    _asked: dict[tuple[int, int], set[Wanted]]
    _templates: dict[int, set[Wanted]]

    @classmethod
    def new(cls) -> Ledger:
        """Begin with nothing."""
        return cls({}, {})

    def note(self, taken: Taken) -> None:
        """Note what the pump may obey, if it asks the command control point for a bolus, or for a template of one."""
        value = taken.pdu[3:-3]
        if taken.pdu[:3] != COMMAND_POINT:
            return
        if value[:2] == SET_TEMPLATE and len(value) >= 11:
            self._templates.setdefault(value[2], set()).add(_bolus(value[4:11]))
        elif value[:2] == SET_BOLUS and len(value) >= 10:
            self._asked.setdefault((taken.connection, taken.counter), set()).update(self._meant(value))

    def _meant(self, value: bytes) -> set[Wanted]:
        """What a Set Bolus may mean."""
        if not value[2] & BY_TEMPLATE:
            return {_bolus(value[3:10])}
        at = 12 if value[2] & DELAYED else 10
        return self._templates.get(value[at], set()) if at < len(value) else set()

    def unasked(self, log: list[Record]) -> list[Wanted]:
        """The boluses that the pump's log says were programmed, for which no request of their own is left."""
        programmed = [_bolus(record.data[2:9]) for record in log if record.event == BOLUS_PROGRAMMED]
        if not programmed or not self._asked:
            return sorted(programmed)
        may_be = [[wanted in meant for meant in self._asked.values()] for wanted in programmed]
        request = maximum_bipartite_matching(csr_array(np.array(may_be)), perm_type="column")
        return sorted(wanted for wanted, column in zip(programmed, request, strict=True) if column < 0)


def logged_u(log: list[Record], event: str) -> float:
    """The insulin of all boluses that the log has as programmed, or as delivered, in U."""
    parts = [_bolus(record.data[2:9]) for record in log if record.event == event]
    return sum(at_once + later for _, at_once, later, _ in parts) / 1000.0


def delivered_u(octets: bytes) -> float:
    """A FLOAT's value (IEEE 11073-20601): exponent 8 bits, mantissa 24, both signed."""
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

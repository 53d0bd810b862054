"""`invariants.json`: what was found when everything that a test's record holds was looked through.

It lies in the attempt's folder, beside `wire.log`, of which it is made. Not responsible for looking
(`rig.run.invariants`).
"""

from __future__ import annotations

from rig.record.models import MeasuredRecord, Record

INVARIANTS = "invariants.json"


class ViolationRecord(Record):
    """What does not hold: of which invariant, when it was seen, in s on the bench's clock, and a sentence on it."""

    invariant: str
    at_s: float
    what: str


class Looked(Record):
    """How much was looked through: lines of the pump's octets, messages with a counter, readings of its log, s."""

    lines: int
    counted: int
    logs: int
    quiet_s: float


class Invariants(Record):
    """What was found in one attempt at a test.

    Attributes:
        looked: how much was looked through.
        measured: what requirements may ask for.
        findings: violations, in the order of time.
        abstained: a sentence for each invariant that was not looked into, and why.
    """

    looked: Looked
    measured: tuple[MeasuredRecord, ...] = ()
    findings: tuple[ViolationRecord, ...] = ()
    abstained: tuple[str, ...] = ()

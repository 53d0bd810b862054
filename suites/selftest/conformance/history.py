"""The pump's log as records, and the time between two of them as a client reckons it.

Not responsible for what an event's data mean.
"""

from __future__ import annotations

from dataclasses import dataclass

from suites.selftest.conformance.client import Client
from suites.selftest.conformance.patterns import matches

REFERENCE_TIME = "0f00"
DATE_SET, PERIODIC, DATE_LOST = "33", "3c", "55"
"""Recording reasons (IDS 1.0.2, table 4.97)."""


@dataclass(frozen=True)
class Record:
    """A history record: event type as octets, sequence number, s since the last reference time, event data."""

    event: str
    number: int
    offset_s: int
    data: bytes


def read_log(client: Client) -> list[Record]:
    """Read the whole log, oldest first (3.9.4.4)."""
    answer = client.procedure("racp", "33 33")
    assert answer.indication.hex() == "0f0f33f0", f"the log is not reported: {answer.indication.hex()}"
    return [parse(octets) for octets in answer.data]


def parse(octets: bytes) -> Record:
    number, offset_s = octets[2:6], octets[6:8]
    return Record(octets[:2].hex(), int.from_bytes(number, "little"), int.from_bytes(offset_s, "little"), octets[8:])


def find(log: list[Record], event: str, pattern: str = "") -> Record:
    """Find the one record of an event whose data match a pattern; any data when there is none."""
    found = [record for record in log if record.event == event and (not pattern or matches(pattern, record.data, {}))]
    assert len(found) == 1, f"{len(found)} records {event} {pattern} in {[(r.event, r.data.hex()) for r in log]}"
    return found[0]


def interval_s(log: list[Record], first: Record, last: Record) -> int:
    """The time between two records in s, whatever was done to the calendar meanwhile (appendix D.1, note 1)."""
    between = [
        record.offset_s
        for record in log
        if record.event == REFERENCE_TIME and first.number < record.number <= last.number
    ]
    return sum(between) + (0 if last.event == REFERENCE_TIME else last.offset_s) - _offset_s(first)


def _offset_s(record: Record) -> int:
    """A reference time begins a count of its own."""
    return 0 if record.event == REFERENCE_TIME else record.offset_s


def following(log: list[Record], record: Record, count: int) -> list[Record]:
    """A record and those right after it, `count` in all: an event of several parts (3.10.1)."""
    place = log.index(record)
    parts = log[place : place + count]
    assert [part.number for part in parts] == list(range(record.number, record.number + count))
    assert {part.offset_s for part in parts} == {record.offset_s}, "the parts of one event differ in time"
    return parts

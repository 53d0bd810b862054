"""What the log reports is what was asked for: every operator with every filter (IDS 1.0.2, 3.9.3 and 3.9.4)."""

from collections.abc import Callable

import pytest

from suites.selftest.conformance.history import REFERENCE_TIME, Record, parse, read_log
from suites.selftest.conformance.pump import Pump

FILTERS: dict[str, Callable[[Record], bool]] = {
    "0f": lambda _: True,
    "33": lambda record: record.event == REFERENCE_TIME,
    "3c": lambda record: record.event != REFERENCE_TIME,
}
"""Filter types of table 3.24."""


@pytest.fixture
def log(pump: Pump) -> list[Record]:
    """A log with reference times among other records."""
    for hour in range(4):
        pump.bring("basal" if hour == 0 else "new")
        for state in ("33", "55"):
            pump.ask("command", f"5a0f {state}")
        pump.stand.wait(3600.0)
    return read_log(pump.client)


def reported(pump: Pump, selection: str) -> list[Record]:
    """The records of a selection; the count that the pump gives must be theirs."""
    answer = pump.ask("racp", f"33 {selection}")
    code = "f0" if answer.data else "06"
    assert answer.indication.hex() == f"0f0f33{code}"
    count = pump.ask("racp", f"5a {selection}").indication
    assert count.hex() == f"660f{len(answer.data).to_bytes(4, 'little').hex()}"
    return [parse(octets) for octets in answer.data]


@pytest.mark.parametrize("kind", FILTERS)
def test_every_operator_selects_its_records(pump: Pump, log: list[Record], kind: str) -> None:
    passed = [record for record in log if FILTERS[kind](record)]
    for number in (0, 1, 5, len(log) // 2, len(log) - 1, len(log), 0xFFFFFFFE):
        octets = number.to_bytes(4, "little").hex()
        assert reported(pump, f"3c {kind} {octets}") == [record for record in passed if record.number <= number]
        assert reported(pump, f"55 {kind} {octets}") == [record for record in passed if record.number >= number]
        assert reported(pump, f"5a {kind} 03000000 {max(number, 3).to_bytes(4, 'little').hex()}") == [
            record for record in passed if 3 <= record.number <= max(number, 3)
        ]


def test_all_first_and_last(pump: Pump, log: list[Record]) -> None:
    assert reported(pump, "33") == log
    assert reported(pump, "66") == log[:1]
    assert reported(pump, "69") == log[-1:]

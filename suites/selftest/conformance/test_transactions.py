"""Profiles are written whole or not at all (IDS 1.0.2, 3.7.2.1.2 and 3.11.2)."""

import pytest

from suites.selftest.conformance.pump import Pump

WRITERS = {  # op code, template, first half of the day, second half, how it is read, what the answer begins with
    "basal": ("cc0f", "01", "d002 0100", "d002 0200", "aa0f", "f00f"),
    "ISF": ("de12", "05", "d002 3200", "d002 2800", "b812", "e212"),
    "I:CHO": ("1b14", "06", "d002 0a00", "d002 0c00", "ed12", "2714"),
    "target": ("4e14", "07", "d002 5000 7800", "d002 5a00 8200", "2814", "7214"),
}
INTERRUPTIONS = {
    "a status": ("reader", "3003"),
    "a command": ("command", "8811"),
    "the log": ("racp", "5a 33"),
    "another profile": ("command", "cc0f 00 02 01 d002 0100"),
}
kinds = pytest.mark.parametrize("kind", WRITERS)


def ask(pump: Pump, octets: str) -> str:
    return pump.ask("command", octets).indication.hex()


@kinds
def test_a_second_record_completes_it(pump: Pump, kind: str) -> None:
    op, number, first, second, read, written = WRITERS[kind]
    assert ask(pump, f"{op} 00 {number} 01 {first}") == f"{written}00{number}01"
    assert ask(pump, f"{op} 01 {number} 02 {second}") == f"{written}01{number}02"
    assert ask(pump, f"{read} {number}") == f"550f{read}0f"


@kinds
@pytest.mark.parametrize("interruption", INTERRUPTIONS)
def test_any_other_procedure_drops_it(pump: Pump, kind: str, interruption: str) -> None:
    op, number, first, second, read, _ = WRITERS[kind]
    ask(pump, f"{op} 00 {number} 01 {first}")
    point, octets = INTERRUPTIONS[interruption]
    if kind == "basal" and interruption == "another profile":
        octets = "de12 00 05 01 d002 3200"
    pump.ask(point, octets)
    assert ask(pump, f"{op} 01 {number} 02 {second}") == f"550f{op}75"
    assert ask(pump, f"{read} {number}") == f"550f{read}74", "half a profile was kept"


@kinds
def test_a_block_sent_twice_is_implausible(pump: Pump, kind: str) -> None:
    op, number, first, second, read, _ = WRITERS[kind]
    ask(pump, f"{op} 00 {number} 01 {first}")
    assert ask(pump, f"{op} 00 {number} 01 {first}") == f"550f{op}75"
    assert ask(pump, f"{op} 01 {number} 02 {second}") == f"550f{op}75", "the failed transaction went on"
    assert ask(pump, f"{read} {number}") == f"550f{read}74"


@kinds
def test_a_gap_between_blocks_is_implausible(pump: Pump, kind: str) -> None:
    op, number, first, second, read, _ = WRITERS[kind]
    ask(pump, f"{op} 00 {number} 01 {first}")
    assert ask(pump, f"{op} 01 {number} 03 {second}") == f"550f{op}75"
    assert ask(pump, f"{read} {number}") == f"550f{read}74"


def test_another_template_in_the_middle_is_implausible(pump: Pump) -> None:
    ask(pump, "cc0f 00 01 01 d002 0100")
    assert ask(pump, "cc0f 01 02 02 d002 0200") == "550fcc0f75"
    for number in ("01", "02"):
        assert ask(pump, f"aa0f {number}") == "550faa0f74"


def test_blocks_may_come_in_any_order(pump: Pump) -> None:
    """3.7.2.1.2 asks that each block comes once and that none is missing at the end, not for an order."""
    assert ask(pump, "cc0f 00 01 02 d002 0200") == "f00f000102"
    assert ask(pump, "cc0f 01 01 01 d002 0100") == "f00f010101"


def test_a_failed_transaction_leaves_earlier_ones_alone(pump: Pump) -> None:
    pump.bring("basal")
    before = pump.lasting()
    ask(pump, "cc0f 00 01 01 d002 0200")
    assert ask(pump, "cc0f 01 01 03 d002 0200") == "550fcc0f75"
    assert pump.lasting() == before


def test_48_blocks_are_written_and_read(pump: Pump) -> None:
    for index in range(1, 49, 3):
        last = index == 46
        blocks = " ".join("1e00 0100" for _ in range(3))
        assert ask(pump, f"cc0f 0{7 if last else 6} 01 {index:02x} {blocks}") == f"f00f0{int(last)}01{index:02x}"
    answer = pump.ask("command", "aa0f 01")
    assert [record[4] for record in answer.data] == list(range(1, 49, 3))
    assert sum(1 + (record[2] & 1) + (record[2] >> 1 & 1) for record in answer.data) == 48

"""What a pump shows of itself: IDD Status, IDD Status Changed and IDD Annunciation Status (IDS 1.0.2, 3.2 to 3.4)."""

import pytest

from suites.selftest.conformance.client import CONTROL_POINTS, DATA
from suites.selftest.conformance.patterns import matches
from suites.selftest.conformance.pump import Pump

THERAPY, OPERATIONAL, RESERVOIR, ANNUNCIATION, DAY, BASAL, BOLUS, HISTORY = range(8)
"""Bits of IDD Status Changed (table 4.2)."""

CHANGES = {  # what is asked, the state before, how long it takes, the bits that it sets
    "therapy runs": ("5a0f 55", "set up", 1.0, {THERAPY, HISTORY}),
    "therapy stops": ("5a0f 33", "running", 1.0, {THERAPY, HISTORY}),
    "priming": ("7b12 0a00", "set up", 1.0, {OPERATIONAL, HISTORY}),
    "a bolus is set": ("4b11 01 33 0500 0000 0000 3c00", "running", 1.0, {BOLUS, HISTORY}),
    "a bolus is over": ("4b11 00 33 04f0 0000 0000", "running", 60.0, {RESERVOIR, DAY, BOLUS, HISTORY}),
    "a TBR is set": ("ff0f 00 3c 0cf0 1e00", "basal", 1.0, {BASAL, HISTORY}),
    "a profile is activated": ("2e12 01 01", "another rate", 1.0, {BASAL, HISTORY}),
}


def changed(pump: Pump) -> set[int]:
    flags = int.from_bytes(pump.client.read("status changed"), "little")
    assert flags >> 8 == 0, "a reserved bit is set"
    return {bit for bit in range(8) if flags >> bit & 1}


def reset(pump: Pump) -> None:
    assert pump.ask("reader", "0c03 ff00").indication.hex() == "03030c030f"


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_sets_its_bits_until_they_are_reset(pump: Pump, what: str) -> None:
    octets, state, duration_s, bits = CHANGES[what]
    pump.bring(state)
    reset(pump)
    pump.ask("command", octets)
    pump.stand.wait(duration_s)
    assert changed(pump) >= bits
    assert changed(pump) >= bits, "reading reset them"
    reset(pump)
    assert changed(pump) & {THERAPY, HISTORY} == set()


def test_an_annunciation_sets_its_bit(pump: Pump) -> None:
    pump.bring("basal")
    reset(pump)
    pump.stand.hand("detach reservoir")
    pump.stand.wait(120.0)
    assert changed(pump) >= {ANNUNCIATION, HISTORY}


def test_only_the_bits_that_are_named_are_reset(pump: Pump) -> None:
    pump.bring("set up")
    reset(pump)
    pump.ask("command", "5a0f 55")
    pump.stand.wait(1.0)
    assert pump.ask("reader", "0c03 8000").indication.hex() == "03030c030f"
    assert HISTORY not in changed(pump)
    assert THERAPY in changed(pump)


def test_a_change_is_indicated_to_a_client_that_wants_it(pump: Pump) -> None:
    pump.bring("set up")
    reset(pump)
    pump.client.connect(configured=(*CONTROL_POINTS, *DATA, "status changed", "status"))
    pump.client.write("command", pump.client.protected("command", "5a0f 55"))
    indicated = set()
    while (value := pump.client.next_value(1.0)) is not None:
        kind, name, octets = value
        pump.client.unprotected(name, octets)
        assert kind == 0x1D
        pump.client.send("1e")
        indicated.add(name)
    assert indicated == {"command", "status changed", "status"}


@pytest.mark.parametrize(
    ("state", "pattern"),
    [
        ("set up", "33 .. <200> 01"),
        ("running", "55 96 <200> 01"),
        ("paused", "3c .. <200> 01"),
        ("priming", "33 5a <any> 01"),
        ("no reservoir", "33 .. ff07 00"),
    ],
)
def test_the_status_says_what_is_so(pump: Pump, state: str, pattern: str) -> None:
    pump.bring(state)
    shown = pump.client.read("status")
    assert matches(pattern, shown, {}), f"shown {shown.hex(' ')}"


def test_without_an_annunciation_nothing_but_empty_flags_is_shown(pump: Pump) -> None:
    pump.bring("running")
    assert pump.client.read("annunciation") == b"\x00"


def test_an_annunciation_is_shown_pending_then_snoozed_then_no_more(pump: Pump) -> None:
    pump.bring("annunciation")
    pending = pump.client.read("annunciation")
    assert pending[0] & 0x81 == 1
    assert len(pending) == 6 + 2 * (pending[0] >> 1).bit_count()
    assert pending[5] == 0x33
    assert pump.ask("command", "690f {annunciation}").indication.hex() == "960f" + pump.names["annunciation"]
    snoozed = pump.client.read("annunciation")
    assert snoozed[1:5] == pending[1:5]
    assert snoozed[5] == 0x3C
    assert pump.ask("command", "990f {annunciation}").indication.hex() == "a50f" + pump.names["annunciation"]
    after = pump.client.read("annunciation")
    assert after == b"\x00" or after[1:3] != pending[1:3]


@pytest.mark.parametrize(("state", "rate"), [("basal", "1"), ("relative TBR", "1"), ("running", "0")])
def test_the_counters_of_insulin_grow_with_what_the_motor_moves(pump: Pump, state: str, rate: str) -> None:
    pump.bring(state)
    pump.stand.wait(3630.0)  # between two doses: 1 U/h is one each 90 s, 1.1 U/h one each 81.8 s
    delivered = pump.ask("reader", "c003").indication
    today = pump.ask("reader", "9503").indication
    steps = pump.stand.motor_steps()
    assert (steps > 0) == (rate != "0")
    insulin = f"{steps / 320:.3f}"  # 8 steps are 0.025 U
    assert matches(f"cf03 <<0>> <<{insulin}>>", delivered, {}), f"answered {delivered.hex(' ')}, moved {insulin} U"
    assert matches(f"9a03 <0> <{insulin}> <{insulin}>", today, {}), f"answered {today.hex(' ')}, moved {insulin} U"


def test_the_insulin_operation_time_counts_minutes_from_its_reset(pump: Pump) -> None:
    pump.bring("set up")
    pump.stand.wait(600.0)
    assert pump.ask("reader", "a603 55 33").indication.hex(" ", 4) != "a9035533 00000000"
    remaining = int.from_bytes(pump.ask("reader", "a603 55 0f").indication[4:], "little", signed=True)
    assert pump.ask("command", "b712").indication.hex() == "550fb7120f"
    assert pump.ask("reader", "a603 55 33").indication.hex() == "a903553300000000"
    assert int.from_bytes(pump.ask("reader", "a603 55 0f").indication[4:], "little", signed=True) >= remaining
    pump.stand.wait(120.0)
    assert pump.ask("reader", "a603 55 33").indication.hex() == "a903553302000000"


def test_insulin_on_board_is_that_of_the_bolus_and_fades(pump: Pump) -> None:
    pump.bring("fast bolus")
    pump.stand.wait(300.0)
    early = pump.ask("reader", "f303").indication
    assert matches("fc03 00 <any> | fc03 01 <any> ....", early, {})
    pump.stand.wait(24 * 3600.0)
    late = pump.ask("reader", "f303").indication
    assert matches("fc03 00 <0> | fc03 01 <0> 0000", late, {})
    assert early[3:5] != late[3:5]

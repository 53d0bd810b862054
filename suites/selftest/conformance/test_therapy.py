"""What procedures do to each other and to the therapy (IDS 1.0.2, 3.7.2, 3.10.2 and 4.2.1.1)."""

import pytest

from suites.selftest.conformance.history import find, following, read_log
from suites.selftest.conformance.patterns import matches
from suites.selftest.conformance.pump import Pump


def command(pump: Pump, octets: str) -> str:
    return pump.ask("command", octets).indication.hex()


def moved_u(pump: Pump) -> float:
    """8 steps are 0.025 U."""
    return pump.stand.motor_steps() / 320


@pytest.mark.parametrize("state", ["fast bolus", "extended bolus", "multiwave bolus", "delayed bolus"])
def test_stopping_ends_a_bolus_and_records_what_was_delivered(pump: Pump, state: str) -> None:
    pump.bring(state)
    pump.stand.wait(30.0)
    assert command(pump, "5a0f 33") == "550f5a0f0f"
    pump.stand.wait(5.0)
    moved = pump.stand.motor_steps()
    pump.stand.wait(600.0)
    assert pump.stand.motor_steps() == moved
    assert pump.ask("reader", "3003").indication.hex() == "3f0300"
    delivered = following(log := read_log(pump.client), find(log, "6900"), 2)
    assert matches("{id} .. <any> <any> ....", delivered[0].data, pump.names)
    assert command(pump, "5a0f 55") == "550f5a0f0f"
    pump.stand.wait(600.0)
    assert pump.stand.motor_steps() == moved, "a stopped bolus went on"


def test_stopping_ends_a_temporary_basal_rate_and_records_it(pump: Pump) -> None:
    pump.bring("relative TBR")
    pump.stand.wait(130.0)
    assert command(pump, "5a0f 33") == "550f5a0f0f"
    pump.stand.wait(1.0)
    ended = following(log := read_log(pump.client), find(log, "aa00"), 2)
    assert ended[0].data[1:4].hex() == "3c0200"
    assert ended[1].event == "9900"
    assert command(pump, "1111") == "550f111174"


def test_what_a_pause_withheld_is_delivered_and_what_a_stop_withheld_is_not(pump: Pump) -> None:
    pump.bring("basal")
    pump.stand.wait(3630.0)
    before = moved_u(pump)
    command(pump, "5a0f 3c")
    pump.stand.wait(360.0)  # 4 doses fall due
    assert moved_u(pump) == before
    command(pump, "5a0f 55")
    pump.stand.wait(30.0)
    assert moved_u(pump) == pytest.approx(before + 0.1)
    command(pump, "5a0f 33")
    pump.stand.wait(3600.0)
    command(pump, "5a0f 55")
    pump.stand.wait(30.0)
    assert moved_u(pump) == pytest.approx(before + 0.1)


def test_a_delayed_bolus_begins_after_its_delay(pump: Pump) -> None:
    pump.bring("delayed bolus")  # 5 U after 60 min
    pump.stand.wait(3590.0)
    assert moved_u(pump) == 0.0
    assert matches("5903 01 {id} 33 <5> <0> 0000 0.00", pump.ask("reader", "5603 {id} 33").indication, pump.names)
    pump.stand.wait(400.0)
    assert moved_u(pump) == 5.0


@pytest.mark.parametrize(
    ("operand", "duration_s", "amount_u"),
    [
        ("00 33 7de0 0000 0000", 100.0, 1.25),
        ("00 33 e9d7 0000 0000", 120.0, 2.025),  # needs every bit of a mantissa
        ("00 33 19d0 0000 0000", 10.0, 0.025),
        ("00 3c 0000 0200 0f00", 905.0, 2.0),
        ("00 55 7de0 0200 1e00", 1805.0, 3.25),
        ("01 55 7de0 0200 1e00 0100", 1865.0, 3.25),
        ("02 33 0000 0000 0000 0a", 5405.0, 3.0),
    ],
)
def test_a_bolus_delivers_what_it_says_and_then_is_over(
    pump: Pump, operand: str, duration_s: float, amount_u: float
) -> None:
    pump.bring("templates")
    assert command(pump, f"4b11 {operand}").startswith("7711")
    pump.stand.wait(duration_s)
    assert moved_u(pump) == amount_u
    assert pump.ask("reader", "3003").indication.hex() == "3f0300"
    pump.stand.wait(3600.0)
    assert moved_u(pump) == amount_u


def test_an_extended_bolus_is_spread_evenly(pump: Pump) -> None:
    pump.bring("extended bolus")  # 2 U over 120 min
    for tenth in range(1, 11):
        pump.stand.wait(720.0)
        assert abs(moved_u(pump) - 0.2 * tenth) <= 0.026


def test_a_fast_bolus_beside_an_extended_one_takes_nothing_from_it(pump: Pump) -> None:
    pump.bring("fast over extended bolus")  # 5 U, and 2 U over 120 min
    pump.stand.wait(7300.0)
    assert moved_u(pump) == 7.0
    log = read_log(pump.client)
    assert sorted(record.data[2] for record in log if record.event == "6900") == [0x33, 0x3C]


@pytest.mark.parametrize(
    ("state", "rate_u_per_h"), [("relative TBR", 1.1), ("absolute TBR", 2.5), ("template TBR", 0.5)]
)
def test_a_temporary_basal_rate_changes_what_is_delivered(pump: Pump, state: str, rate_u_per_h: float) -> None:
    pump.bring(state)
    start = moved_u(pump)
    pump.stand.wait(1790.0)
    assert abs(moved_u(pump) - start - rate_u_per_h * 1790 / 3600) <= 0.05


def test_a_new_rate_in_the_active_profile_takes_effect_at_once(pump: Pump) -> None:
    pump.bring("basal")
    assert command(pump, "cc0f 01 01 01 a005 0a00") == "f00f010101"
    pump.stand.wait(1.0)
    find(read_log(pump.client), "9900", "00 <1> <10> | 01 <1> <10> ..")
    assert matches("6a03 .. 01 <10> | 6a03 .. 01 <10> ..", pump.ask("reader", "6503").indication, {})
    before = moved_u(pump)
    pump.stand.wait(1800.0)
    assert abs(moved_u(pump) - before - 5.0) <= 0.05


def test_a_lost_connection_drops_an_unfinished_profile_and_keeps_the_old_one(pump: Pump) -> None:
    pump.bring("basal")
    before = pump.lasting()
    assert command(pump, "cc0f 00 01 01 d002 0200") == "f00f000101"
    pump.client.connect()
    assert command(pump, "cc0f 01 01 02 d002 0200") == "550fcc0f75"
    assert pump.lasting() == before


def test_a_snoozed_annunciation_becomes_pending_again(pump: Pump) -> None:
    pump.bring("snoozed annunciation")
    assert pump.client.read("annunciation")[5] == 0x3C
    pump.ask("reader", "0c03 ff00")
    pump.stand.wait(3600.0)
    shown = pump.client.read("annunciation")
    assert shown[1:3].hex() == pump.names["annunciation"]
    assert shown[5] == 0x33
    assert pump.client.read("status changed")[0] & 0x08


def test_bolus_ids_are_never_used_twice(pump: Pump) -> None:
    pump.bring("running")
    ids = []
    for _ in range(30):
        ids.append(command(pump, "4b11 01 33 0500 0000 0000 3c00"))
        assert ids[-1].startswith("7711")
        assert command(pump, f"7811 {ids[-1][4:]}") == f"8711{ids[-1][4:]}"
    assert len(set(ids)) == 30

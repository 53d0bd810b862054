"""The message sequences and histories of appendices B to D of the Insulin Delivery Service 1.0.2, as published.

What depends on a pump's past (sequence numbers, bolus ids, when it was switched on) is compared by its structure:
order, neighbourhood, and the time between two events reckoned as the appendix does. Where a published value lies
outside the pump's range, the nearest one that lies inside stands for it, and the test says so.
"""

from suites.selftest.conformance.history import (
    DATE_LOST,
    DATE_SET,
    REFERENCE_TIME,
    find,
    following,
    interval_s,
    read_log,
)
from suites.selftest.conformance.patterns import matches
from suites.selftest.conformance.pump import Pump

FIRST_THREE = "b400 0100 4a01 0ff0 5901 0200"  # 180 min 1.0 U/h, 330 min 1.5 U/h, 345 min 2.0 U/h
LAST_TWO = "5901 05f0 f000 0100"  # 345 min 0.5 U/h, 240 min 1.0 U/h
NOON_2014 = (2014, 1, 1, 12, 0)
ELEVEN_2014 = (2014, 1, 1, 11, 0)


def write_the_profile(pump: Pump) -> None:
    assert pump.ask("command", f"cc0f 06 01 01 {FIRST_THREE}").indication.hex(" ", 2) == "f0 0f00 0101"
    assert pump.ask("command", f"cc0f 03 01 04 {LAST_TWO}").indication.hex(" ", 2) == "f0 0f01 0104"


def test_b1_a_profile_of_five_blocks_is_read_in_two_notifications(pump: Pump) -> None:
    write_the_profile(pump)
    answer = pump.ask("command", "aa0f 01")
    assert len(answer.data) == 2
    assert matches("c30f 03 01 01 b400 <1.0> 4a01 <1.5> 5901 <2.0>", answer.data[0], {})
    assert matches("c30f 01 01 04 5901 <0.5> f000 <1.0>", answer.data[1], {})
    assert answer.indication.hex() == "550faa0f0f"


def test_b2_a_profile_of_five_blocks_is_written_in_one_transaction(pump: Pump) -> None:
    write_the_profile(pump)
    status = pump.ask("command", "ee11").data
    assert any(matches("1212 33 01 04 30 57", record, {}) for record in status), "template 1 is not configured"


def test_c_template_status_is_two_bits_a_template_with_the_first_lowest(pump: Pump) -> None:
    def basal_flags() -> list[str]:
        answer = pump.ask("command", "ee11")
        assert answer.indication.hex() == "550fee110f"
        return [record[6:].hex() for record in answer.data if record[2] == 0x33]

    assert basal_flags() == ["55"]  # all four configurable, none configured
    for number in ("02", "03"):
        assert pump.ask("command", f"cc0f 01 {number} 01 a005 0100").indication.hex().startswith("f00f01")
    assert basal_flags() == ["7d"]  # 01 11 11 01
    assert pump.ask("command", "1d12 01 02").indication.hex() == "21120102"
    assert basal_flags() == ["75"]


def test_d1_setting_the_date_keeps_the_interval_between_two_boluses(pump: Pump) -> None:
    pump.bring("running")
    pump.set_date(*NOON_2014)
    pump.stand.wait(28.0)
    assert matches("7711 ....", pump.ask("command", "4b11 00 33 19d0 0000 0000").indication, {})
    pump.stand.wait(3600.0 - 28.0)
    pump.set_date(*ELEVEN_2014)
    pump.stand.wait(8.0)
    assert matches("7711 ....", pump.ask("command", "4b11 00 33 19d0 0000 0000").indication, {})
    pump.stand.wait(20.0)

    log = read_log(pump.client)
    noon = find(log, REFERENCE_TIME, f"{DATE_SET} de07 01 01 0c 00 00 .. ..")
    eleven = find(log, REFERENCE_TIME, f"{DATE_SET} de07 01 01 0b 00 00 .. ..")
    first, second = [record for record in log if record.event == "6900"]
    assert noon.number < first.number < eleven.number < second.number
    assert abs(interval_s(log, noon, eleven) - 3600) <= 1
    assert 28 <= first.offset_s <= 40
    assert 8 <= second.offset_s <= 20
    assert abs(interval_s(log, first, second) - 3580) <= 1  # as published: 3600 s + 10 s - 30 s


def test_d2_a_lost_date_is_recorded_and_the_elapsed_time_is_not_lost_with_it(pump: Pump) -> None:
    pump.bring("basal")
    pump.stand.wait(30.0)
    pump.stand.hand("detach reservoir")
    pump.stand.wait(120.0)
    pump.stand.hand("attach reservoir")
    pump.stand.wait(7638.0 - 150.0)
    pump.set_date(*ELEVEN_2014)
    log = read_log(pump.client)

    lost = find(log, REFERENCE_TIME, f"{DATE_LOST} ...... ...... .. .. ..")
    assert lost.offset_s == 0
    eleven = find(log, REFERENCE_TIME, f"{DATE_SET} de07 01 01 0b 00 00 .. ..")
    assert abs(interval_s(log, lost, eleven) - 7638) <= 2  # to the clock's second, and the way into the state
    part_1 = next(record for record in log if record.event == "3f03")
    assert following(log, part_1, 2)[1].event == "5603"
    assert lost.number < part_1.number < eleven.number
    assert 30 <= interval_s(log, lost, part_1) <= 122


def test_d3_a_multiwave_bolus_with_delay_is_recorded_in_pairs(pump: Pump) -> None:
    """Published with a duration of 2 min; 15 min stands for it, the least of this pump."""
    pump.bring("running")
    pump.stand.wait(3480.0)  # the next reference time falls between programming and delivery
    bolus = pump.ask("command", "4b11 01 55 05f0 0100 0f00 0100").indication
    assert matches("7711 ....", bolus, {})
    names = {"id": bolus[2:].hex()}
    pump.stand.wait(1000.0)

    log = read_log(pump.client)
    programmed = following(log, find(log, "5a00"), 2)
    assert matches("{id} 55 <0.5> <1> 0f00", programmed[0].data, names)
    assert programmed[1].event == "6600"
    assert matches("01 0100", programmed[1].data, names)
    delivered = following(log, find(log, "6900"), 2)
    assert matches("{id} 55 <0.5> <1> 0f00", delivered[0].data, names)
    assert delivered[1].event == "9600"
    assert matches("00 3c000000 | 02 3c000000 33", delivered[1].data, names)  # began 60 s after its programming
    assert abs(interval_s(log, programmed[0], delivered[0]) - (60 + 900)) <= 2
    assert any(
        record.event == REFERENCE_TIME and programmed[0].number < record.number < delivered[0].number for record in log
    )


def test_d4_a_temporary_basal_rate_is_started_changed_and_ends(pump: Pump) -> None:
    for octets, answer in (
        ("8b12 c800", "550f8b120f"),
        ("cc0f 01 01 01 a005 0a00", "f00f010101"),  # 10 U/h
        ("2e12 01 01", "47120101"),
        ("5a0f 55", "550f5a0f0f"),
        ("ff0f 00 3c 0bf0 1e00", "550fff0f0f"),
    ):
        assert pump.ask("command", octets).indication.hex() == answer
    pump.stand.wait(60.0)
    assert pump.ask("command", "ff0f 04 3c 0cf0 1e00").indication.hex() == "550fff0f0f"
    pump.stand.wait(1810.0)

    log = read_log(pump.client)
    started = following(log, find(log, "a500"), 2)
    changed = following(log, find(log, "c300"), 2)
    ended = following(log, find(log, "aa00"), 2)
    assert [pair[1].event for pair in (started, changed, ended)] == ["9900"] * 3
    assert matches("00 3c <1.1> 1e00", started[0].data, {})
    assert matches("00 <10> <11> | 01 <10> <11> ..", started[1].data, {})
    assert matches("00 3c <1.2> 1e00 0100", changed[0].data, {})
    assert matches("00 <11> <12> | 01 <11> <12> ..", changed[1].data, {})
    assert matches("00 3c 1f00 33 | 02 3c 1f00 33 ....", ended[0].data, {})
    assert matches("00 <12> <10> | 01 <12> <10> ..", ended[1].data, {})
    assert abs(interval_s(log, started[0], changed[0]) - 60) <= 1
    assert abs(interval_s(log, changed[0], ended[0]) - 1800) <= 1


def test_d5_a_changed_profile_is_recorded_block_by_block(pump: Pump) -> None:
    write_the_profile(pump)
    log = read_log(pump.client)
    blocks = following(log, next(record for record in log if record.event == "f000"), 5)
    expected = ("b400 <1.0>", "4a01 <1.5>", "5901 <2.0>", "5901 <0.5>", "f000 <1.0>")
    for number, (block, pattern) in enumerate(zip(blocks, expected, strict=True), start=1):
        assert block.event == "f000"
        assert matches(f"01 {number:02x} {pattern}", block.data, {})

"""What a pump writes into its log, when, and how events of several records hang together (IDS 1.0.2, 3.10 and 4.9)."""

from itertools import pairwise

import pytest

from suites.selftest.conformance.code_words import is_code_word
from suites.selftest.conformance.history import DATE_LOST, REFERENCE_TIME, find, following, interval_s, read_log
from suites.selftest.conformance.patterns import matches, sfloat
from suites.selftest.conformance.pump import Pump

RECORDED = {  # the state before, what is asked, the records that it leaves, one after the other
    "therapy runs": ("set up", "5a0f 55", (("0303", "33 55"),)),
    "therapy stops": ("running", "5a0f 33", (("0303", "55 33"),)),
    "therapy pauses": ("running", "5a0f 3c", (("0303", "55 3c"),)),
    "therapy runs after a pause": ("paused", "5a0f 55", (("0303", "3c 55"),)),
    "basal rate begins": ("basal stopped", "5a0f 55", (("9900", "00 <0> <1> | 01 <0> <1> .."),)),
    "basal rate ends": ("basal", "5a0f 33", (("9900", "00 <1> <0> | 01 <1> <0> .."),)),
    "fast bolus": ("running", "4b11 00 33 7de0 0000 0000", (("5a00", ".... 33 <1.25> <0> 0000"), ("6600", "00"))),
    "extended bolus": ("running", "4b11 00 3c 0000 7de0 1e00", (("5a00", ".... 3c <0> <1.25> 1e00"), ("6600", "00"))),
    "bolus with all that it can say": (
        "running",
        "4b11 1d 55 0100 0200 1e00 0f00 3c",
        (("5a00", ".... 55 <1> <2> 1e00"), ("6600", "1d 0f00 3c")),
    ),
    "bolus of a template": (
        "templates",
        "4b11 02 33 0100 0000 0000 0a",
        (("5a00", ".... 55 <1> <2> 3c00"), ("6600", "03 1e00 0a")),
    ),
    "cancelled bolus": (
        "delayed bolus",
        "7811 {id}",
        (("6900", "{id} 33 <0> <0> 0000"), ("9600", "00 ........ | 02 ........ 3c | 06 ........ 3c ....")),
    ),
    "absolute TBR": (
        "basal",
        "ff0f 00 33 19f0 3c00",
        (("a500", "00 33 <2.5> 3c00"), ("9900", "00 <1> <2.5> | 01 <1> <2.5> ..")),
    ),
    "TBR of a template": (
        "templates",
        "ff0f 01 3c 0000 0f00 08",
        (("a500", "01 3c <0.5> 3c00 08"), ("9900", "00 <0> <0> | 01 <0> <0> ..")),
    ),
    "cancelled TBR": (
        "relative TBR",
        "1111",
        (("aa00", "00 3c 0000 3c | 02 3c 0000 3c ...."), ("9900", "00 <1.1> <1> | 01 <1.1> <1> ..")),
    ),
    "profile activated": ("templates", "2e12 01 02", (("cc00", "33 01 02"),)),
    "first ISF profile activated": ("templates", "2e12 01 05", (("cc00", "3c 00 05"),)),
    "first I:CHO profile activated": ("templates", "2e12 01 06", (("cc00", "55 00 06"),)),
    "first target profile activated": ("templates", "2e12 01 07", (("cc00", "5a 00 07"),)),
    "ISF profile written": (
        "running",
        "de12 03 05 01 d002 3200 d002 2800",
        (("5903", "05 01 d002 <50>"), ("5903", "05 02 d002 <40>")),
    ),
    "I:CHO profile written": (
        "running",
        "1b14 03 06 01 d002 0a00 d002 0c00",
        (("6503", "06 01 d002 <10>"), ("6503", "06 02 d002 <12>")),
    ),
    "target profile written": (
        "running",
        "4e14 03 07 01 d002 5000 7800 d002 5a00 8200",
        (("6a03", "07 01 d002 <80> <120>"), ("6a03", "07 02 d002 <90> <130>")),
    ),
    "TBR template set": ("running", "2d11 08 3c 0bf0 1e00", (("f303", "08 3c <1.1> 1e00"),)),
    "bolus template set": (
        "running",
        "dd11 0a 05 55 0100 0200 3c00 1e00",
        (("c003", "0a 55 <1> <2> 3c00"), ("cf03", "05 1e00")),
    ),
    "maximum bolus set": ("maximum 10 U", "8d14 0500", (("fc03", "<10> <5>"),)),
    "priming begins": ("set up", "7b12 0a00", (("9503", "<10>"),)),
    "priming is stopped": ("priming", "8412", (("9a03", "00 <any> 33"),)),
}


@pytest.mark.parametrize("what", RECORDED)
def test_a_change_is_recorded_with_its_values(pump: Pump, what: str) -> None:
    state, octets, expected = RECORDED[what]
    pump.bring(state)
    before = len(read_log(pump.client))
    pump.ask("command", octets)
    pump.stand.wait(1.0)
    log = read_log(pump.client)
    new = log[before:]
    firsts = [
        record for record in new if record.event == expected[0][0] and matches(expected[0][1], record.data, pump.names)
    ]
    assert len(firsts) == 1, f"recorded {[(record.event, record.data.hex(' ')) for record in new]}"
    for record, (event, pattern) in zip(following(log, firsts[0], len(expected)), expected, strict=True):
        assert record.event == event
        assert matches(pattern, record.data, pump.names), f"recorded {record.data.hex(' ')}"


def test_nothing_is_recorded_of_a_template_that_is_read(pump: Pump) -> None:
    pump.bring("templates")
    before = read_log(pump.client)
    for octets in ("aa0f 01", "b812 05", "ed12 06", "2814 07", "1e11 08", "bb11 0a", "ee11"):
        pump.ask("command", octets)
    assert read_log(pump.client) == before


def test_the_log_begins_with_number_0_and_a_lost_date(pump: Pump) -> None:
    first = read_log(pump.client)[0]
    assert (first.event, first.number, first.offset_s) == (REFERENCE_TIME, 0, 0)
    assert first.data[0] == int(DATE_LOST, 16)


def test_a_bolus_to_its_end_is_recorded_with_what_was_delivered(pump: Pump) -> None:
    pump.bring("fast bolus")
    pump.stand.wait(600.0)
    log = read_log(pump.client)
    delivered = following(log, find(log, "6900"), 2)
    assert matches("{id} 33 <5> <0> 0000", delivered[0].data, pump.names)
    assert matches("00 ........ | 02 ........ 33", delivered[1].data, pump.names)


def test_a_bolus_stopped_half_way_is_recorded_with_what_was_delivered(pump: Pump) -> None:
    pump.bring("fast bolus")
    pump.stand.wait(100.0)
    steps = pump.stand.motor_steps()
    assert pump.ask("command", "7811 {id}").indication.hex().startswith("8711")
    pump.stand.wait(10.0)
    assert 0 <= pump.stand.motor_steps() - steps <= 8, "a cancelled bolus went on"
    record = find(read_log(pump.client), "6900")
    assert matches("{id} 33 <any> <0> 0000", record.data, pump.names)
    moved_u = pump.stand.motor_steps() / 320  # 8 steps are 0.025 U
    assert abs(float(sfloat(record.data[3:5])) - moved_u) <= 0.005  # 2.525 does not fit into 12 bits
    assert 1 < sfloat(record.data[3:5]) < 4


def test_two_days_of_therapy_leave_no_gap_and_no_undated_record(pump: Pump) -> None:
    pump.bring("basal")
    pump.stand.wait(2 * 86400.0)
    log = read_log(pump.client)
    assert [record.number for record in log] == list(range(len(log)))
    assert all(is_code_word(int.from_bytes(bytes.fromhex(record.event), "little")) for record in log)
    references = [record for record in log if record.event == REFERENCE_TIME]
    assert all(interval_s(log, one, other) <= 65535 for one, other in pairwise(references))
    assert abs(interval_s(log, log[0], log[-1]) - 2 * 86400) <= 3700, "time was lost between the records"


def test_each_midnight_the_day_s_insulin_is_recorded(pump: Pump) -> None:
    """A day at 1 U/h is 24 U; the first one is not whole, and its date was never set."""
    pump.bring("basal")
    pump.set_date(2026, 2, 27, 23, 0)
    pump.stand.wait(2 * 86400.0)
    log = read_log(pump.client)
    date_set = find(log, REFERENCE_TIME, "33 ea07 02 1b 17 00 00 .. ..")
    days = [record for record in log if record.event == "ff00"]
    assert [round(interval_s(log, date_set, day) - 3600, -1) for day in days] == [0, 86400]  # to 5 s
    assert matches("01 <0> <any> ea07 02 1b", days[0].data, {}), "the date was changed on this day"
    assert matches("00 <0> <24> ea07 02 1c", days[1].data, {})


def test_a_new_block_changes_the_basal_rate_on_the_minute(pump: Pump) -> None:
    pump.bring("set up")
    for octets in ("cc0f 03 01 01 d002 0100 d002 0200", "2e12 01 01", "5a0f 55"):
        pump.ask("command", octets)
    pump.set_date(2026, 3, 1, 11, 30)
    pump.stand.wait(3600.0)
    log = read_log(pump.client)
    change = find(log, "9900", "00 <1> <2> | 01 <1> <2> ..")
    date_set = find(log, REFERENCE_TIME, "33 ea07 03 01 0b 1e 00 .. ..")
    assert interval_s(log, date_set, change) == 1800


def test_an_annunciation_is_recorded_in_two_parts(pump: Pump) -> None:
    pump.bring("annunciation")
    log = read_log(pump.client)
    parts = following(log, next(record for record in log if record.event == "3f03"), 2)
    assert matches("0. .... .... 33 | 0. .... .... 33 .... | 0. .... .... 33 .... ....", parts[0].data, {})
    assert parts[1].event == "5603"


def test_the_numbers_go_on_after_a_loss_of_power(pump: Pump) -> None:
    """3.10.4.2: no number is given twice, and none is left out."""
    pump.bring("fast bolus")
    pump.stand.wait(30.0)
    before = read_log(pump.client)
    pump.stand.hand("power off")
    pump.stand.wait(60.0)
    pump.stand.hand("power on")
    pump.stand.wait(5.0)
    pump.client.connect()
    log = read_log(pump.client)
    assert log[: len(before)] == before
    assert [record.number for record in log] == list(range(len(log)))
    delivered = following(log, find(log, "6900"), 2)
    assert 0.7 <= float(sfloat(delivered[0].data[3:5])) <= 0.8  # 30 s at 1.5 U/min
    assert matches("{id} 33 <any> <0> 0000", delivered[0].data, pump.names)
    assert matches("02 ........ 55 | 06 ........ 55 ....", delivered[1].data, {}), "ended by an error"

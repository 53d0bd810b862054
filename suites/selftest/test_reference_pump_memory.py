"""The reference pump's memory when bits flip in it: nothing is moved by a value that is not what was once set."""

from __future__ import annotations

import pytest

from suites.selftest.bedside import (
    BACKUP_SRAM,
    DOSE_U,
    ERROR,
    FLASH,
    MECHANICAL,
    PENDING,
    RAM,
    RESET,
    SRAM,
    STEPS_PER_DOSE,
    STOP,
    STORE,
    SYSTEM,
    Bedside,
)
from suites.selftest.conformance.history import read_log


def words(*values: int) -> bytes:
    """32-bit words as they lie in memory."""
    return b"".join(value.to_bytes(4, "little") for value in values)


RECORDS = {  # octets that lie in one record only, and an octet in them whose highest bit makes a great difference
    "profile": (bytes([1, 0, 0, 0]) + (1440).to_bytes(2, "little") + (1000).to_bytes(2, "little"), 7),
    "settings": (words(25_000, 35_000, 100_000), 10),
    "reservoir": (words(200_000, 0), 2),
}
"""Of a pump with 200 U and one block of 1440 min at 1000 mU/h."""


@pytest.mark.parametrize("record", RECORDS)
def test_a_bit_that_flips_in_ram_moves_nothing_and_stops_therapy_at_the_next_dose(record: str) -> None:
    octets, place = RECORDS[record]
    bed = Bedside("basal")
    bed.sleep(91.0)
    moved = bed.host.steps
    assert moved == STEPS_PER_DOSE
    octets = words(199_975, 0) if record == "reservoir" else octets
    (at,) = bed.places(octets, SRAM)
    bed.mcu.flip_bit(at + place, 7)
    bed.sleep(90.0)
    assert bed.host.steps == moved
    assert bed.what() == (SYSTEM, RAM)
    assert bed.therapy() == STOP
    assert bed.places(octets, SRAM) == [at], "what was saved is not back"
    assert bed.confirm().startswith("a50f")
    assert bed.run() == "550f5a0f0f"
    bed.sleep(89.0)
    assert bed.host.steps == moved
    bed.sleep(2.0)
    assert bed.host.steps == moved + STEPS_PER_DOSE


def test_a_bolus_whose_amount_flips_in_ram_ends_with_what_was_delivered() -> None:
    bed = Bedside("fast bolus")  # 5 U
    bed.sleep(4.5)
    moved = bed.host.steps
    (at,) = bed.places(words(5000, 0), SRAM)
    bed.mcu.flip_bit(at + 1, 7)  # 37.768 U
    bed.sleep(120.0)
    assert bed.host.steps == moved
    assert bed.what() == (SYSTEM, RAM)
    assert bed.bolus_ended() == (pytest.approx(moved / STEPS_PER_DOSE * DOSE_U), ERROR)


def test_insulin_on_board_that_flips_in_ram_is_not_told() -> None:
    bed = Bedside("fast bolus")
    bed.sleep(240.0)
    on_board_u = bed.on_board_u()
    doses = (200).to_bytes(2, "little")  # all in the first bucket of 5 min
    (at,) = bed.places(words(0, 0, 0, 0) + doses + bytes(390), SRAM)
    bed.mcu.flip_bit(at + 16, 7)  # 72 doses
    assert bed.on_board_u() == pytest.approx(on_board_u, abs=0.02)
    assert bed.what() == (SYSTEM, RAM)


def test_a_clock_that_flips_in_ram_is_put_back_before_it_is_saved_again() -> None:
    bed = Bedside("basal stopped")
    bed.pump.set_date(2026, 6, 1, 12, 0)
    (at,) = bed.places((-128).to_bytes(4, "little", signed=True) + words(255), SRAM)  # zone and saving are not known
    bed.mcu.flip_bit(at - 32 + 2, 7)  # 97 days, behind the offset of the date
    bed.sleep(61.0)
    assert bed.what() == (SYSTEM, RAM)
    shown = bed.pump.client.request(f"0a {bed.pump.client.handles['current time']:02x}00")
    assert shown[1:7].hex() == "ea0706010c01"  # 2026-06-01 12:01


def test_a_total_that_flips_in_ram_before_midnight_is_not_logged() -> None:
    bed = Bedside("basal")
    bed.sleep(91.0)
    bed.command("5a0f 33")
    bed.pump.set_date(2026, 6, 1, 23, 59)
    bed.sleep(59.5)
    (at,) = bed.places(words(199_975, 0, 25, 0, 25), SRAM)  # the last is today's basal insulin
    bed.mcu.flip_bit(at + 16, 7)
    bed.sleep(1.0)
    assert bed.what() == (SYSTEM, RAM)
    (total,) = [record for record in bed.log() if record.event == "ff00"]
    assert total.data[1:5].hex() == "00d019d0"  # 0 U and 0.025 U
    assert bed.places(words(199_975, 0, 25, 0, 0), SRAM) == [at]


def test_a_temporary_rate_whose_end_flips_in_ram_has_not_come_to_its_end() -> None:
    bed = Bedside("running")  # at 0 U/h: no dose looks at it
    bed.command("ff0f 00 3c 0bf0 1e00")  # 1.1 for 30 min
    (at,) = bed.places(words(1100) + bytes([30, 0, 0x3C, 0]), SRAM)
    bed.mcu.write_memory(at - 8, bytes(8))
    bed.sleep(16.0)
    assert bed.what() == (SYSTEM, RAM)
    (ended,) = [record for record in bed.log() if record.event == "aa00"]
    assert ended.data[4:5].hex() == ERROR


def test_a_command_that_finds_a_flipped_bit_is_refused_until_a_person_has_been_told() -> None:
    bed = Bedside("basal stopped")
    octets, place = RECORDS["settings"]
    (at,) = bed.places(octets, SRAM)
    bed.mcu.flip_bit(at + place, 7)
    assert bed.run() == "550f5a0f74"
    assert bed.what() == (SYSTEM, RAM)
    assert bed.places(octets, SRAM) == [at]
    bed.confirm()
    assert bed.run() == "550f5a0f0f"


def test_a_key_that_finds_a_flipped_bit_does_not_confirm_what_it_has_just_told() -> None:
    bed = Bedside("basal stopped")
    octets, place = RECORDS["settings"]
    bed.mcu.flip_bit(bed.places(octets, SRAM)[0] + place, 7)
    bed.press("confirm")
    assert bed.annunciated() == [(SYSTEM, PENDING, RAM)]
    bed.press("confirm")
    assert bed.shown() is None


def test_the_calculator_does_not_reckon_with_a_ratio_that_flipped() -> None:
    bed = Bedside("templates")
    for template in ("05", "06", "07"):
        bed.command(f"2e12 01 {template}")
    asked, advised = "33f0 ff07 2d00", "3cf02df0" + 3 * "00d0"  # 45 g at 10 g/U
    assert bed.maker(asked) == advised
    (at,) = bed.places(bytes([1, 0, 0, 0]) + (1440).to_bytes(2, "little") + (100).to_bytes(2, "little"), SRAM)
    bed.mcu.flip_bit(at + 6, 6)  # 3.6 g/U
    assert bed.maker(asked) == "0ff033f074"
    assert bed.what() == (SYSTEM, RAM)
    bed.confirm()
    assert bed.maker(asked) == advised


@pytest.mark.parametrize("record", RECORDS)
def test_a_record_that_was_damaged_while_the_power_was_off_is_not_used(record: str) -> None:
    octets, place = RECORDS[record]
    bed = Bedside("basal stopped")
    bed.switch_off()
    for at in bed.places(octets, BACKUP_SRAM):
        bed.mcu.flip_bit(at + place, 7)
    bed.switch_on()
    assert bed.what() == (SYSTEM, STORE)
    assert bed.therapy() == STOP
    profile = bed.pump.ask("command", "aa0f 01")
    assert [part.hex() for part in profile.data] == ([] if record == "profile" else ["c30f000101a0050100"])
    assert bed.host.steps == 0


def test_one_of_two_copies_that_is_damaged_is_told_lest_an_old_one_be_taken_for_the_present() -> None:
    bed = Bedside("basal stopped")
    bed.switch_off()
    octets, place = RECORDS["reservoir"]
    bed.mcu.flip_bit(bed.places(octets, BACKUP_SRAM)[0] + place, 7)
    bed.switch_on()
    assert bed.what() == (SYSTEM, STORE)


def test_a_record_of_the_log_that_was_damaged_is_told_as_that_and_the_others_stay() -> None:
    bed = Bedside("basal")
    before = bed.log()
    lost = before[3]
    octets = bytes.fromhex(lost.event) + words(lost.number)
    (at,) = bed.places(octets, (0x080C0000, 1 << 12))
    bed.mcu.flip_bit(at + 8, 0)
    after = read_log(bed.pump.client)
    assert [record for record in after if record.event != "a603"] == before[:3] + before[4:]
    (corrupt,) = [record for record in after if record.event == "a603"]
    assert after.index(corrupt) == 3
    assert corrupt.number == 0xFFFFFFFF


def tones_of_low_priority(bed: Bedside) -> int:
    """The address of a constant that no therapy uses (fixtures/controller/firmware/alarm.c)."""
    tones = b"".join(ms.to_bytes(2, "little") for ms in (200, 200, 200, 30_000))
    place = bed.mcu.read_memory(0x08000000, 1 << 16).find(tones)
    assert place >= 0
    return 0x08000000 + place


def test_a_bit_that_flips_in_flash_stops_therapy_within_the_round_of_its_check() -> None:
    bed = Bedside("basal")
    bed.mcu.flip_bit(tones_of_low_priority(bed), 3)
    bed.sleep(9 * 3600.0)
    assert bed.what() == (SYSTEM, FLASH)
    assert bed.therapy() == STOP


def test_an_image_that_was_damaged_while_the_power_was_off_does_not_run_therapy() -> None:
    bed = Bedside("basal stopped")
    at = tones_of_low_priority(bed)
    bed.switch_off()
    bed.mcu.flip_bit(at, 3)
    bed.switch_on()
    assert bed.what() == (SYSTEM, FLASH)
    assert bed.confirm() == "550f990f74"  # its cause holds
    assert bed.run() == "550f5a0f74"
    bed.sleep(3600.0)
    assert bed.host.steps == 0


def test_a_save_that_lost_its_power_leaves_the_one_before() -> None:
    bed = Bedside("running")
    bed.command("4b11 00 33 19d0 0000 0000")
    bed.sleep(1.0)
    bed.command("5a0f 33")
    bed.switch_off()
    copies = bed.places(words(199_975, 25), BACKUP_SRAM)  # 8 octets behind the head: CRC and count of saves
    heads = [at - 12 for at in copies]
    assert len(heads) == 2
    newer = max(heads, key=lambda head: int.from_bytes(bed.mcu.read_memory(head + 2, 2), "little"))
    bed.mcu.write_memory(newer, words(0xFFFF0000))  # as store.c begins
    bed.switch_on()
    assert bed.annunciated() == [(SYSTEM, PENDING, RESET)], "before it was stopped, therapy ran"
    assert bed.pump.client.read("status")[0] == STOP
    assert bed.host.steps == STEPS_PER_DOSE


# ---- what is in no record ----------------------------------------------------------------------------------


PLANS = {  # a variable, an octet of it, and a bit that makes a great difference
    "account": (5, 0),  # 2^40 of 9·10^9 for a dose: 3 U
    "accrued_ms": (4, 0),  # 49 days to come, in which nothing would fall due
    "owed": (2, 4),  # a million doses
    "next_basal_ms": (4, 0),
    "next_prime_ms": (4, 0),
}


@pytest.mark.parametrize("variable", PLANS)
def test_a_bit_that_flips_in_the_plan_of_doses_stops_therapy_before_another_dose(variable: str) -> None:
    octet, bit = PLANS[variable]
    bed = Bedside("basal")
    bed.sleep(91.0)
    moved = bed.host.steps
    bed.mcu.flip_bit(bed.mcu.symbol(variable) + octet, bit)
    bed.sleep(20.0)  # it looks every 15 s at the latest
    assert bed.what() == (SYSTEM, RAM)
    assert bed.therapy() == STOP
    bed.sleep(600.0)
    assert bed.host.steps == moved
    bed.confirm()
    assert bed.run() == "550f5a0f0f"
    bed.sleep(91.0)
    assert bed.host.steps == moved + STEPS_PER_DOSE


def in_motion() -> Bedside:
    """A pump in the middle of a dose of its bolus."""
    bed = Bedside("fast bolus")
    bed.sleep(4.5)
    while bed.host.steps % STEPS_PER_DOSE != 3:
        bed.sleep(0.001)
    return bed


def test_steps_that_never_end_are_stopped_within_two_doses_by_the_shaft() -> None:
    bed = in_motion()
    moved = bed.host.steps
    bed.mcu.flip_bit(bed.mcu.symbol("steps_left") + 2, 7)  # 8 million steps
    bed.sleep(60.0)
    assert bed.what() == (MECHANICAL, 0)
    assert bed.therapy() == STOP
    assert bed.host.steps == moved - 3 + STEPS_PER_DOSE + 2 * STEPS_PER_DOSE


def test_a_step_that_never_comes_does_not_keep_the_pump_waiting() -> None:
    bed = in_motion()
    moved = bed.host.steps
    bed.mcu.flip_bit(bed.mcu.symbol("due_ms") + 5, 0)
    bed.sleep(20.0)
    assert bed.what() == (SYSTEM, RAM)
    assert bed.host.steps == moved


@pytest.mark.parametrize(("variable", "octet"), [("start_ms", 4), ("now_ms.last", 3), ("now_ms.wraps", 0)])
def test_a_time_base_that_flips_restarts_the_pump_and_leaps_nowhere(variable: str, octet: int) -> None:
    bed = Bedside("basal")
    bed.sleep(91.0)
    moved = bed.host.steps
    bed.mcu.flip_bit(bed.mcu.symbol(variable) + octet, 6)
    bed.sleep(60.0)
    assert bed.mcu.resets == ["power", "software"]
    bed.pump.client.connect()
    assert (bed.what(), bed.therapy()) == ((SYSTEM, RESET), STOP)
    assert bed.host.steps == moved


def test_a_day_that_flips_is_looked_up_again() -> None:
    bed = Bedside("basal")
    bed.sleep(91.0)
    bed.mcu.flip_bit(bed.mcu.symbol("day_begin_ms") + 3, 0)  # 4.7 h
    bed.mcu.flip_bit(bed.mcu.symbol("day_number"), 0)
    bed.sleep(90.0)
    assert bed.shown() is None
    assert bed.host.steps == 2 * STEPS_PER_DOSE
    assert [record for record in bed.log() if record.event == "ff00"] == [], "a day ended that did not"

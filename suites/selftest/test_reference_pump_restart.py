"""How the reference pump starts: after a loss of power at any moment, a dip, a hang, a loss of its backup memory."""

from __future__ import annotations

import pytest

from suites.selftest.bedside import (
    BOLUS_CANCELLED,
    BUZZER,
    CONFIRMED,
    DATE,
    DOSE_U,
    ERROR,
    PENDING,
    RESET,
    SENSOR,
    STEPS_PER_DOSE,
    STOP,
    SYSTEM,
    Bedside,
)

HANGS = bytes.fromhex("fee7")
"""A branch to itself (ARMv7-M ARM, A7.7.12)."""
WATCHDOG_S = 4096 * 256 / 32_000
FED_EACH_S = 15.0
ON_BOARD_U = 0.11
"""What 5 U over 4 h lose in 5 min, in which doses are counted together, and the last digit that an SFLOAT told."""


def assert_safe(bed: Bedside, steps: int) -> None:
    """After a reset in mid-bolus: nothing moved since `steps`, it is told, and the log has what was delivered."""
    bed.sleep(300.0)
    assert bed.host.steps == steps, "something moved after the reset"
    assert bed.therapy() == STOP
    assert {(BOLUS_CANCELLED, PENDING, 0), (SYSTEM, PENDING, RESET)} <= set(bed.annunciated())
    delivered_u, reason = bed.bolus_ended()
    assert delivered_u == pytest.approx(steps / STEPS_PER_DOSE * DOSE_U, abs=DOSE_U)
    assert reason == ERROR
    assert bed.pump.ask("reader", "3003").indication.hex() == "3f0300", "a bolus is still active"


@pytest.mark.parametrize("at_s", [0.0, 0.002, 0.017, 0.031, 0.033, 0.05, 0.5, 0.999, 10.4])
def test_a_bolus_that_loses_its_power_is_not_resumed_and_is_logged_as_it_was_delivered(at_s: float) -> None:
    bed = Bedside("fast bolus")
    bed.sleep(at_s)
    bed.switch_off()
    steps = bed.host.steps
    bed.sleep(60.0)
    bed.switch_on()
    assert_safe(bed, steps)
    while bed.shown() is not None:
        assert bed.confirm().startswith("a50f")
    assert bed.run() == "550f5a0f0f"
    bed.sleep(60.0)
    assert bed.host.steps == steps, "the bolus goes on"


@pytest.mark.parametrize(("rail_v", "dip_s"), [(2.1, 0.01), (2.1, 1.0), (2.1, 20.0)])
def test_a_dip_that_the_regulator_rides_through_changes_nothing(rail_v: float, dip_s: float) -> None:
    bed = Bedside("fast bolus")
    bed.sleep(10.4)
    bed.board.set_rail(rail_v)
    bed.sleep(dip_s)
    bed.board.set_rail(3.7)
    bed.sleep(300.0)
    assert bed.mcu.resets == ["power"]
    assert bed.shown() is None
    assert bed.host.steps == 200 * STEPS_PER_DOSE


@pytest.mark.parametrize(("rail_v", "dip_s"), [(1.9, 0.001), (1.0, 0.01), (0.0, 1.0)])
def test_a_dip_below_the_reset_voltage_is_a_clean_reset(rail_v: float, dip_s: float) -> None:
    bed = Bedside("fast bolus")
    bed.sleep(10.4)
    bed.board.set_rail(rail_v)
    steps = bed.host.steps
    bed.sleep(dip_s)
    bed.switch_on()
    assert bed.mcu.resets == ["power", "power"]
    assert_safe(bed, steps)


def test_ten_dips_in_a_row_leave_one_end_of_the_bolus_and_a_log_without_a_gap() -> None:
    bed = Bedside("fast bolus")
    bed.sleep(10.4)
    steps = bed.host.steps
    for dip in range(10):
        bed.board.set_rail(0.0)
        bed.sleep(0.01)
        bed.board.set_rail(3.7)
        bed.sleep(0.003 * dip)
    bed.switch_on()
    assert_safe(bed, steps)


def test_a_program_that_hangs_is_ended_by_the_watchdog() -> None:
    bed = Bedside("fast bolus")
    bed.sleep(10.4)
    steps, hung_s = bed.host.steps, bed.clock.now()
    at = bed.mcu.pc
    lost = bed.mcu.read_memory(at, len(HANGS))
    bed.mcu.write_memory(at, HANGS)
    while len(bed.mcu.resets) == 1:
        bed.sleep(0.1)
        assert bed.clock.now() < hung_s + WATCHDOG_S + 0.1
    assert bed.clock.now() > hung_s + WATCHDOG_S - FED_EACH_S - 0.1
    bed.mcu.write_memory(at, lost)
    bed.mcu.reset()  # what the self-test saw of the changed image is another test's
    bed.sleep(1.0)
    assert bed.mcu.resets[1] == "watchdog"
    bed.pump.client.connect()
    assert_safe(bed, steps)


def test_a_main_clock_that_stops_is_ended_by_the_watchdog_which_has_its_own() -> None:
    bed = Bedside("fast bolus")
    bed.sleep(10.4)
    steps = bed.host.steps
    bed.mcu.stop_clock()
    bed.sleep(WATCHDOG_S)
    assert bed.mcu.resets == ["power", "watchdog"]
    bed.pump.client.connect()
    assert_safe(bed, steps)


def test_insulin_on_board_outlives_a_loss_of_power_and_fades_meanwhile() -> None:
    bed = Bedside("fast bolus")  # 5 U
    bed.sleep(300.0)
    before_u = bed.on_board_u()
    bed.switch_off()
    bed.sleep(3600.0)
    bed.switch_on()
    assert before_u == pytest.approx(5.0, abs=0.1)
    assert bed.on_board_u() == pytest.approx(before_u - 5.0 / 4, abs=ON_BOARD_U)  # linear over 4 h


AVAILABLE = ("b41100", "b41107")
"""Boluses that can be set, stopped and running: this alone differs."""


def test_settings_profiles_and_templates_outlive_a_loss_of_power() -> None:
    bed = Bedside("templates")
    bed.command("8d14 0a00")
    before = bed.pump.lasting()
    bed.command("5a0f 33")
    bed.switch_off()
    bed.sleep(86_400.0)
    bed.switch_on()
    after = bed.pump.lasting()
    log_at = next(place for place, line in enumerate(before) if line.startswith("0f00"))
    assert [line for line in after[:log_at] if line != "b41100"] == [
        line for line in before[:log_at] if line != "b41107"
    ]
    assert after[log_at : len(before)] == before[log_at:]


def test_priming_that_loses_its_power_is_not_resumed() -> None:
    bed = Bedside("priming")
    bed.sleep(5.2)
    steps = bed.host.steps
    bed.switch_off()
    bed.sleep(1.0)
    bed.switch_on()
    bed.sleep(60.0)
    assert 0 < bed.host.steps == steps
    (done,) = [record for record in bed.log() if record.event == "9a03"]
    assert done.data[3:4].hex() == ERROR


def test_a_temporary_rate_that_loses_its_power_has_ended() -> None:
    bed = Bedside("relative TBR")
    bed.switch_off()
    bed.sleep(1.0)
    bed.switch_on()
    (ended,) = [record for record in bed.log() if record.event == "aa00"]
    assert ended.data[1:2].hex() == "3c"
    assert bed.run() == "550f5a0f0f"


def test_nothing_moves_before_therapy_is_told_to_run() -> None:
    bed = Bedside("basal stopped")
    bed.switch_off()
    bed.switch_on()
    bed.sleep(3600.0)
    assert bed.host.steps == 0
    assert not any(bed.mcu.pin(pin) for pin in ("PB0", "PB10"))


@pytest.mark.parametrize("voltage_v", [0.0, 3.3])
def test_a_force_sensor_that_is_implausible_at_power_on_keeps_the_pump_from_running(voltage_v: float) -> None:
    bed = Bedside("basal stopped")
    bed.switch_off()
    bed.board.stuck_force_v = voltage_v
    bed.switch_on()
    assert bed.what() == (SYSTEM, SENSOR)
    assert bed.run() == "550f5a0f74"
    assert bed.command("7b12 0a00") == "550f7b1274"  # nor prime
    bed.board.stuck_force_v = None
    assert bed.confirm().startswith("a50f")
    assert bed.run() == "550f5a0f0f"


def test_a_buzzer_that_is_open_at_power_on_is_told_and_therapy_may_run() -> None:
    bed = Bedside("basal stopped")
    bed.switch_off()
    bed.board.buzzer_broken = True
    bed.switch_on()
    assert bed.what() == (SYSTEM, BUZZER)
    assert bed.run() == "550f5a0f0f"


def test_a_backup_memory_that_is_lost_is_told_and_the_log_goes_on() -> None:
    bed = Bedside("fast bolus")
    bed.sleep(300.0)
    before = bed.log()
    bed.switch_off()
    bed.mcu.lose_backup()
    bed.switch_on()
    log = bed.log()
    assert log[: len(before)] == before
    assert log[len(before)].event == "0f00"
    assert log[len(before)].data[0] == 0x55  # the date is lost
    assert bed.what() == (DATE, 0)
    assert bed.therapy() == STOP
    bed.sleep(3600.0)
    assert bed.host.steps == 200 * STEPS_PER_DOSE
    bed.confirm()
    assert bed.annunciated()[-1] == (DATE, CONFIRMED, 0)


def test_a_calendar_that_is_lost_alone_is_told_and_takes_no_insulin_off_the_account() -> None:
    bed = Bedside("fast bolus")
    bed.sleep(3600.0)
    bed.switch_off()
    bed.mcu.lose_backup(calendar_only=True)
    bed.sleep(1800.0)  # nobody knows of these
    bed.switch_on()
    assert (DATE, PENDING, 0) in bed.annunciated()
    assert bed.on_board_u() == pytest.approx(5.0 * 3 / 4, abs=ON_BOARD_U)
    bed.switch_off()
    bed.sleep(3600.0)
    bed.switch_on()
    assert bed.on_board_u() == pytest.approx(5.0 * 2 / 4, abs=ON_BOARD_U), "the new count is not gone on with"


def test_a_calendar_that_stood_still_does_not_set_the_elapsed_time_back() -> None:
    bed = Bedside("fast bolus")
    bed.sleep(3600.0)
    bed.mcu.stop_calendar()
    bed.sleep(3600.0)
    bed.switch_off()
    bed.switch_on()
    assert bed.on_board_u() == pytest.approx(5.0 * 2 / 4, abs=ON_BOARD_U)


def test_after_an_interrupted_bolus_the_calculator_is_shut_for_as_long_as_insulin_acts() -> None:
    bed = Bedside("templates")
    for template in ("05", "06", "07"):
        bed.command(f"2e12 01 {template}")
    asked, shut = "33f0 ff07 2d00", "0ff033f074"  # 45 g
    assert bed.maker("66f0 06 78000000") == "0ff066f00f"  # insulin acts for 120 min
    assert bed.maker(asked) != shut
    bed.command("4b11 00 33 0200 0000 0000")
    bed.sleep(20.0)
    bed.switch_off()
    bed.sleep(10.0)
    bed.switch_on()
    assert bed.maker(asked) == shut
    bed.sleep(7190.0)
    assert bed.maker(asked) == shut
    bed.sleep(20.0)
    assert bed.maker(asked) == "3cf02df0" + 3 * "00d0"  # 4.5 U

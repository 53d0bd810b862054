"""What the reference pump finds wrong with itself and around it: what it annunciates, whether it stops, what it logs.

Faults come in by pins, sensors, supply and memory; what the pump makes of them is read on its line, octet by octet, and
seen at its motor.
"""

from __future__ import annotations

import pytest

from suites.selftest.bedside import (
    BATTERY_EMPTY,
    BATTERY_LOW,
    BUZZER,
    CLOCK,
    DONE,
    DOSE_U,
    EMPTY,
    ERROR,
    KEY,
    LOW,
    MECHANICAL,
    OCCLUSION,
    PENDING,
    PRESSURE,
    RESERVOIR,
    RUN,
    SENSOR,
    STEPS_PER_DOSE,
    STOP,
    SYSTEM,
    TEMPERATURE,
    Bedside,
)


def test_an_occlusion_is_four_doses_above_the_threshold() -> None:
    bed = Bedside("fast bolus")
    bed.sleep(2.5)
    before = bed.host.steps
    bed.host.force_n = 13.0
    bed.sleep(30.0)
    assert bed.what() == (OCCLUSION, 0)
    assert bed.therapy() == STOP
    assert bed.host.steps - before <= 5 * STEPS_PER_DOSE
    assert bed.confirm() == "550f990f74"  # its cause holds
    bed.host.force_n = 2.0
    assert bed.confirm().startswith("a50f")
    assert bed.therapy() == STOP, "it does not go on by itself"


@pytest.mark.parametrize("voltage_v", [0.0, 3.3])
def test_a_force_sensor_beyond_its_range_stops_therapy_before_the_next_dose(voltage_v: float) -> None:
    bed = Bedside("fast bolus")
    bed.sleep(2.5)
    before = bed.host.steps
    bed.board.stuck_force_v = voltage_v
    bed.sleep(60.0)
    assert bed.host.steps == before
    assert bed.what() == (SYSTEM, SENSOR)
    assert bed.therapy() == STOP
    assert bed.run() == "550f5a0f74"


@pytest.mark.parametrize(
    ("fault", "value", "doses"), [("motor_stalled", True, 2), ("encoder_stuck", True, 2), ("motor_slips_every", 4, 8)]
)
def test_motor_and_encoder_may_differ_by_two_doses_and_no_more(fault: str, value: bool | int, doses: int) -> None:
    bed = Bedside("fast bolus")
    bed.sleep(2.5)
    setattr(bed.board, fault, value)
    begun_s = bed.clock.now()
    while bed.therapy() == RUN:
        bed.sleep(0.1)
        assert bed.clock.now() < begun_s + doses + 1.0
    assert bed.clock.now() == pytest.approx(begun_s + doses - 0.4, abs=0.2)
    assert bed.what() == (MECHANICAL, 0)
    assert bed.run() == "550f5a0f74"
    setattr(bed.board, fault, type(value)())
    bed.confirm()
    assert bed.run() == "550f5a0f0f"


def test_a_broken_buzzer_is_told_and_does_not_stop_therapy() -> None:
    bed = Bedside("basal")
    bed.board.buzzer_broken = True
    bed.switch_off()
    bed.sleep(1.0)
    bed.switch_on()
    assert (SYSTEM, PENDING, BUZZER) in bed.annunciated()


@pytest.mark.parametrize(
    ("what", "value", "back", "kind"),
    [
        ("temperature_c", 41.0, 38.5, TEMPERATURE),
        ("temperature_c", 4.0, 6.5, TEMPERATURE),
        ("ambient_hpa", 690.0, 720.0, PRESSURE),
        ("ambient_hpa", 1070.0, 1040.0, PRESSURE),
    ],
)
def test_surroundings_out_of_their_band_are_told_within_a_minute(
    what: str, value: float, back: float, kind: str
) -> None:
    bed = Bedside("basal")
    setattr(bed.host, what, value)
    bed.sleep(61.0)
    assert bed.what() == (kind, 0)
    assert bed.therapy() == RUN
    assert bed.confirm() == "550f990f74"  # its cause holds
    setattr(bed.host, what, back)
    assert bed.confirm().startswith("a50f")
    assert bed.shown() is None


def test_a_battery_warns_before_it_stops_therapy() -> None:
    bed = Bedside("basal")
    bed.board.set_rail(3.35)
    bed.sleep(61.0)
    assert bed.what() == (BATTERY_LOW, 0)
    assert bed.therapy() == RUN
    bed.board.set_rail(3.15)
    bed.sleep(61.0)
    assert bed.what() == (BATTERY_EMPTY, 0)
    assert bed.therapy() == STOP
    assert bed.run() == "550f5a0f74"


def test_a_key_that_stays_down_for_three_minutes_is_told() -> None:
    bed = Bedside("basal")
    bed.board.set_key("quick bolus", pressed=True)
    bed.sleep(175.0)
    assert bed.shown() is None
    bed.sleep(10.0)
    assert bed.what() == (SYSTEM, KEY)
    assert bed.therapy() == RUN


def test_a_key_that_bounces_counts_once() -> None:
    bed = Bedside("running")
    for settled in (True, False):
        for pressed in (settled, not settled, settled, not settled, settled):
            bed.board.set_key("quick bolus", pressed=pressed)
            bed.sleep(0.005)
        bed.sleep(0.2)
    bed.press("confirm")
    bed.sleep(60.0)
    assert bed.bolus_ended() == (0.5, DONE)


def test_a_quick_bolus_that_is_not_confirmed_in_ten_seconds_is_forgotten() -> None:
    bed = Bedside("running")
    bed.press("quick bolus")
    bed.sleep(10.0)
    bed.press("confirm")
    bed.sleep(60.0)
    assert bed.host.steps == 0


def test_a_buzzer_whose_line_opens_is_found_by_its_third_silent_pulse_and_the_vibrator_speaks() -> None:
    bed = Bedside("running")
    bed.board.buzzer_broken = True
    bed.board.reservoir_attached = False
    begun_s = bed.clock.now()
    bed.sleep(0.45)
    assert (SYSTEM, PENDING, BUZZER) not in bed.annunciated()
    bed.sleep(10.0)
    assert (SYSTEM, PENDING, BUZZER) in bed.annunciated()
    assert any(edge.signal == "vibrator" and edge.high and edge.at_s > begun_s + 1.0 for edge in bed.board.edges)


def test_a_reservoir_is_told_low_at_its_threshold_at_half_of_it_and_when_it_is_empty() -> None:
    bed = Bedside("running")
    bed.command("8b12 c9f0")  # 20.1 U; the threshold is 20 U
    bed.command("4b11 00 33 1900 0000 0000")  # 25 U, a dose a second: more than there is
    begun_s = bed.clock.now()
    for doses in (4, 404):
        bed.sleep(begun_s + doses - 1.5 - bed.clock.now())
        assert bed.shown() is None
        bed.sleep(1.0)
        assert bed.what() == (LOW, 0)
        bed.confirm()
    bed.sleep(410.0)
    assert bed.what() == (EMPTY, 0)
    assert bed.host.steps == 804 * STEPS_PER_DOSE
    assert bed.bolus_ended() == (pytest.approx(20.1), ERROR)
    assert bed.confirm() == "550f990f74"  # its cause holds
    assert bed.run() == "550f5a0f74"


def test_a_plunger_that_meets_its_end_before_the_count_does_is_an_empty_reservoir() -> None:
    bed = Bedside("running")
    bed.command("8b12 0400")
    bed.host.force_n = 13.0
    bed.command("4b11 00 33 0100 0000 0000")
    bed.sleep(10.0)
    assert bed.what() == (EMPTY, 0)
    assert bed.host.steps == 3 * STEPS_PER_DOSE


def test_a_reservoir_that_is_taken_out_ends_the_bolus_with_the_dose_in_motion() -> None:
    bed = Bedside("fast bolus")
    bed.sleep(5.01)
    before = bed.host.steps
    bed.board.reservoir_attached = False
    bed.sleep(60.0)
    assert bed.host.steps - before < STEPS_PER_DOSE
    assert bed.what() == (RESERVOIR, 0)
    assert bed.therapy() == STOP
    assert bed.bolus_ended() == (pytest.approx(bed.host.steps / STEPS_PER_DOSE * DOSE_U), ERROR)


def test_a_calendar_that_stands_still_stops_therapy_in_two_minutes() -> None:
    bed = Bedside("basal")
    bed.mcu.stop_calendar()
    bed.sleep(121.0)
    assert bed.what() == (SYSTEM, CLOCK)
    assert bed.therapy() == STOP
    assert bed.run() == "550f5a0f74"

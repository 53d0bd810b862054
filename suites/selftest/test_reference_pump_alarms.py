"""How the reference pump tells what is wrong: tones, vibration, snooze, confirmation, escalation, and which is heard.

Measured at the pins of the buzzer and the vibrator. Whether a real buzzer's sound meets a standard is not decided here.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from suites.selftest.bedside import (
    BATTERY_LOW,
    CONFIRMED,
    KEY,
    LOW,
    PENDING,
    RESERVOIR,
    RUN,
    SENSOR,
    SNOOZED,
    STOP,
    SYSTEM,
    TEMPERATURE,
    Bedside,
)

TICK_S = 0.002
"""The pump's clock counts milliseconds; it wakes within one of what is due."""
SNOOZE_S, ESCALATES_S = 300.0, 600.0

MEDIUM_ON_S = [0.0, 0.4, 0.8]
HIGH_ON_S = [0.0, 0.2, 0.4, 0.8, 1.0, 1.6, 1.8, 2.0, 2.4, 2.6]


def pulses(bed: Bedside, since_s: float, signal: str = "buzzer") -> list[tuple[float, float]]:
    """When each whole pulse at a pin began, in s after `since_s`, and how long it was."""
    edges = [edge for edge in bed.board.edges if edge.signal == signal and edge.at_s >= since_s]
    return [
        (rise.at_s - since_s, fall.at_s - rise.at_s) for rise, fall in pairwise(edges) if rise.high and not fall.high
    ]


def detach(bed: Bedside) -> None:
    """High, at once."""
    bed.board.reservoir_attached = False


def overheat(bed: Bedside) -> None:
    """Medium, at the next look around: each minute."""
    bed.host.temperature_c = 41.0
    begun_s = bed.clock.now()
    while bed.shown() is None or bed.what()[0] != TEMPERATURE:
        bed.sleep(0.1)
        assert bed.clock.now() < begun_s + 61.0


def run_low(bed: Bedside) -> None:
    """Low, after the next dose."""
    bed.command("8b12 1400")
    bed.command("4b11 00 33 19d0 0000 0000")
    bed.sleep(1.0)
    assert bed.what() == (LOW, 0)


@pytest.mark.parametrize(
    ("cause", "pulse_s", "burst_s", "again_s", "shakes"),
    [
        (run_low, 0.2, [0.0, 0.4], 30.6, False),
        (overheat, 0.2, MEDIUM_ON_S, 11.0, True),
        (detach, 0.1, HIGH_ON_S, 7.7, True),
    ],
)
def test_each_priority_has_its_own_bursts(
    cause: Callable[[Bedside], None], pulse_s: float, burst_s: list[float], again_s: float, shakes: bool
) -> None:
    bed = Bedside("running")
    cause(bed)
    bed.sleep(again_s + 1.0)
    begun_s = next(edge.at_s for edge in bed.board.edges if edge.signal == "buzzer" and edge.at_s > 0.1)
    bed.sleep(begun_s + 3 * again_s - 0.5 - bed.clock.now())
    heard = pulses(bed, begun_s)
    expected_s = [burst * again_s + at_s for burst in range(3) for at_s in burst_s]
    assert [at_s for at_s, _ in heard] == pytest.approx(expected_s, abs=3 * len(burst_s) * TICK_S)
    assert [length_s for _, length_s in heard] == pytest.approx([pulse_s] * len(heard), abs=TICK_S)
    felt = [(round(at_s, 1), round(length_s, 2)) for at_s, length_s in pulses(bed, begun_s, "vibrator")]
    assert felt == ([(round(burst * again_s, 1), 0.5) for burst in range(3)] if shakes else [])


def test_what_nobody_answers_for_ten_minutes_is_told_as_what_is_urgent() -> None:
    bed = Bedside("running")
    overheat(bed)
    begun_s = next(edge.at_s for edge in bed.board.edges if edge.signal == "buzzer" and edge.at_s > 0.1)
    bed.sleep(ESCALATES_S + 10.0 + begun_s - bed.clock.now())
    heard_s = [at_s for at_s, _ in pulses(bed, begun_s)]
    before_s = [at_s for at_s in heard_s if at_s < ESCALATES_S - TICK_S]
    after_s = [at_s - ESCALATES_S for at_s in heard_s if at_s >= ESCALATES_S - TICK_S]
    assert len(before_s) == 3 * 55  # a burst each 11 s
    expected_s = [burst * 5.2 + at_s for burst in range(2) for at_s in HIGH_ON_S]
    assert after_s[: len(expected_s)] == pytest.approx(expected_s, abs=0.05)
    assert bed.annunciated() == [(TEMPERATURE, PENDING, 0)] * 2


@pytest.mark.parametrize("dip_s", [0.01, 0.7])
def test_what_waits_for_a_person_is_heard_again_after_the_supply_was_away(dip_s: float) -> None:
    bed = Bedside("running")
    detach(bed)
    bed.sleep(20.0)
    bed.board.set_rail(1.5)
    bed.sleep(dip_s)
    bed.board.set_rail(3.7)
    started_s = bed.clock.now()
    bed.sleep(7.0)
    assert bed.mcu.resets == ["power", "power"]
    heard_s = [at_s for at_s, length_s in pulses(bed, started_s) if length_s > 0.01]  # the self-test's is a click
    assert heard_s[0] < 0.2
    assert [at_s - heard_s[0] for at_s in heard_s] == pytest.approx(HIGH_ON_S, abs=0.05)


def test_a_snooze_is_silent_at_once_and_ends_by_itself_while_the_cause_holds() -> None:
    bed = Bedside("running")
    overheat(bed)
    bed.sleep(0.3)  # in the middle of a burst
    bed.answer("690f")
    snoozed_s = bed.clock.now()
    assert not bed.board.buzzer
    assert not bed.board.vibrator
    bed.sleep(SNOOZE_S + 1.0)
    (first_s, _), *_ = pulses(bed, snoozed_s)
    assert first_s == pytest.approx(SNOOZE_S, abs=0.1)  # what the answer takes on the line
    assert bed.annunciated() == [(TEMPERATURE, PENDING, 0), (TEMPERATURE, SNOOZED, 0), (TEMPERATURE, PENDING, 0)]


def test_a_more_urgent_one_is_heard_first_and_the_other_after_it() -> None:
    bed = Bedside("running")
    overheat(bed)
    bed.sleep(2.0)
    detach(bed)
    urgent_s = bed.clock.now()
    bed.sleep(7.0)
    assert [at_s for at_s, _ in pulses(bed, urgent_s)] == pytest.approx(HIGH_ON_S, abs=0.05)
    assert bed.what() == (RESERVOIR, 0)
    bed.board.reservoir_attached = True
    confirmed_s = bed.clock.now()
    bed.confirm()
    bed.sleep(5.0)
    assert bed.what() == (TEMPERATURE, 0)
    assert [at_s for at_s, _ in pulses(bed, confirmed_s)] == pytest.approx(MEDIUM_ON_S, abs=0.1)


def test_a_snoozed_one_hides_nothing_that_still_waits_for_a_person() -> None:
    bed = Bedside("running")
    detach(bed)
    bed.sleep(1.0)
    bed.answer("690f")
    quiet_s = bed.clock.now()
    overheat(bed)
    bed.sleep(5.0)
    assert bed.what() == (TEMPERATURE, 0)
    assert len(pulses(bed, quiet_s)) == len(MEDIUM_ON_S)
    bed.host.temperature_c = 22.0
    bed.confirm()
    assert bed.shown() is not None
    assert bed.what() == (RESERVOIR, 0)


def test_what_was_confirmed_and_is_back_before_the_next_look_is_told_again() -> None:
    """The pump looks around each minute and never saw the temperature in its band; confirming it asked."""
    bed = Bedside("running")
    overheat(bed)
    bed.host.temperature_c = 22.0
    bed.sleep(1.0)
    assert bed.confirm().startswith("a50f")
    bed.host.temperature_c = 41.0
    bed.sleep(61.0)
    assert bed.what() == (TEMPERATURE, 0)


def stick(bed: Bedside) -> None:
    bed.board.set_key("quick bolus", pressed=True)
    bed.sleep(181.0)


def release(bed: Bedside) -> None:
    bed.board.set_key("quick bolus", pressed=False)


def drain(bed: Bedside) -> None:
    bed.board.set_rail(3.35)
    bed.sleep(61.0)


def blind(bed: Bedside) -> None:
    bed.board.stuck_force_v = 0.0
    bed.command("4b11 00 33 19d0 0000 0000")
    bed.sleep(1.0)


def attach(bed: Bedside) -> None:
    bed.board.reservoir_attached = True


def cool(bed: Bedside) -> None:
    bed.host.temperature_c = 22.0


def charge(bed: Bedside) -> None:
    bed.board.set_rail(3.7)


def see(bed: Bedside) -> None:
    bed.board.stuck_force_v = None


@pytest.mark.parametrize(
    ("cause", "cure", "kind", "aux", "therapy"),
    [
        (detach, attach, RESERVOIR, 0, STOP),
        (overheat, cool, TEMPERATURE, 0, RUN),
        (stick, release, SYSTEM, KEY, RUN),
        (drain, charge, BATTERY_LOW, 0, RUN),
        (blind, see, SYSTEM, SENSOR, STOP),
    ],
)
def test_it_is_not_cleared_while_its_cause_holds(
    cause: Callable[[Bedside], None], cure: Callable[[Bedside], None], kind: str, aux: int, therapy: int
) -> None:
    bed = Bedside("running")
    cause(bed)
    bed.sleep(1.0)
    assert bed.what() == (kind, aux)
    assert bed.confirm() == "550f990f74"
    assert bed.what() == (kind, aux)
    cure(bed)
    bed.sleep(1.0)
    assert bed.what() == (kind, aux), "it is a person who clears it"
    assert bed.confirm().startswith("a50f")
    assert bed.shown() is None
    assert bed.therapy() == therapy
    assert bed.annunciated() == [(kind, PENDING, aux), (kind, CONFIRMED, aux)]


def test_the_confirm_key_snoozes_while_the_cause_holds_and_clears_it_after_that() -> None:
    bed = Bedside("running")
    overheat(bed)
    bed.press("confirm")
    shown = bed.shown()
    assert shown is not None
    assert shown.status == SNOOZED
    bed.host.temperature_c = 22.0
    bed.press("confirm")
    assert bed.shown() is None
    assert [status for _, status, _ in bed.annunciated()] == [PENDING, SNOOZED, CONFIRMED]


def test_what_was_not_answered_is_told_again_after_a_loss_of_power() -> None:
    bed = Bedside("running")
    overheat(bed)
    bed.switch_off()
    assert not bed.board.buzzer
    bed.sleep(60.0)
    bed.switch_on()
    assert (TEMPERATURE, PENDING, 0) in bed.annunciated()[1:], "what the self-test found"
    while (shown := bed.shown()) is not None and shown.kind != TEMPERATURE:
        assert bed.confirm().startswith("a50f")
    assert bed.what() == (TEMPERATURE, 0)
    assert bed.board.edges[-1].at_s > bed.clock.now() - 11.0

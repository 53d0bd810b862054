"""Alarms by ear: what is heard of a pump that is right, and of one whose annunciators are broken.

That wrong pumps fail the requirement which they must fail, `rig prove` shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError

from rig.analysis.alarm_signal import Burst, Priority, SoundPulse
from rig.analysis.vibration import Buzz
from rig.bench.open import open_bench
from rig.procedures import alarm, alarm_causes, alarm_unanswered, alarms_together, annunciator_cut
from rig.procedures.alarm import Alarm
from rig.procedures.alarm_answered import AlarmAnswered
from rig.procedures.alarm_unanswered import AlarmUnanswered
from rig.procedures.alarms_together import AlarmsTogether
from rig.procedures.annunciator_cut import AnnunciatorCut
from rig.procedures.listening import signals_in
from rig.procedures.procedure import Computed
from rig.verdicts.quantities import Kind
from suites.measuring import VIRTUAL, measured_on, measured_virtually

HIGH = Alarm(cause="reservoir out", priority="high", due_s=1.0, listen_s=15.0)


def value(computed: Computed, kind: Kind, **parameters: str) -> float:
    return computed.values[kind.of(**parameters)].value


def test_causes_have_one_name_each_a_fault_and_lines_of_the_virtual_bench() -> None:
    assert set(get_args(alarm_causes.CauseName)) == set(alarm_causes.CAUSES) == set(alarm_causes.CAUSE.words)
    with open_bench(VIRTUAL) as bench:
        for cause in alarm_causes.CAUSES.values():
            assert set(cause.lines) <= set(bench.switch.lines)
        assert set(alarm_causes.needs_of(*alarm_causes.CAUSES)) <= bench.pump.capabilities


@pytest.mark.parametrize("seed", [1, 2])
def test_a_high_alarm_is_heard_at_once_and_again_and_felt(tmp_path: Path, seed: int) -> None:
    computed = measured_virtually(tmp_path / "a", HIGH, {"virtual.seed": seed})
    found = {kind: value(computed, kind, cause="reservoir out") for kind in Alarm.KINDS}
    assert found[alarm.HEARD] == 2
    assert found[alarm.OTHERS] == found[alarm.UNLIKE] == found[alarm.UNFELT] == 0
    assert found[alarm.DELAY] == pytest.approx(0.01, abs=0.03)  # the pump sees it in ms; the relay takes as long
    assert found[alarm.SHORTEST] == pytest.approx(5.0, abs=0.05)
    assert found[alarm.LONGEST] < 5.1


@pytest.mark.parametrize(
    ("line", "heard", "unfelt"), [("buzzer", 0, 0), ("vibrator", 2, 2)], ids=["no sound", "no vibration"]
)
def test_a_broken_annunciator_is_missed_by_ear(tmp_path: Path, line: str, heard: int, unfelt: int) -> None:
    with open_bench(VIRTUAL) as bench:
        bench.switch.set_line(line, energised=True)
        computed = measured_on(bench, tmp_path / "a", HIGH)
    assert value(computed, alarm.HEARD, cause="reservoir out") == heard
    assert value(computed, alarm.UNFELT, cause="reservoir out") == unfelt
    if not heard:
        assert value(computed, alarm.LONGEST, cause="reservoir out") > 15.0


def test_where_nothing_sounds_the_delay_is_as_long_as_was_listened(tmp_path: Path) -> None:
    with open_bench(VIRTUAL) as bench:
        for line in ("buzzer", "vibrator"):
            bench.switch.set_line(line, energised=True)
        computed = measured_on(bench, tmp_path / "a", HIGH)
    assert value(computed, alarm.DELAY, cause="reservoir out") == pytest.approx(16.0, abs=0.1)
    assert value(computed, alarm.UNFELT, cause="reservoir out") == 1


def test_an_alarm_that_has_not_become_urgent_by_then_is_as_late_as_was_listened(tmp_path: Path) -> None:
    early = AlarmUnanswered(
        cause="reservoir out", due_s=1.0, escalates_s=120.0, either_side_s=15.0
    )  # the pump's are 10 min
    computed = measured_virtually(tmp_path / "a", early)
    kind = alarm_unanswered.ESCALATED
    assert value(computed, kind, cause="reservoir out") == pytest.approx((120.0 + 16.0) / 60.0, abs=0.1)


def test_the_less_urgent_of_two_alarms_is_not_heard(tmp_path: Path) -> None:
    two = AlarmsTogether(
        first="reservoir out", then="battery low", first_priority="high", then_priority="medium", first_due_s=1.0,
        then_due_s=62.0, listen_s=10.0,
    )  # fmt: skip
    computed = measured_virtually(tmp_path / "a", two)
    named = {"first": "reservoir out", "then": "battery low"}
    assert value(computed, alarms_together.LOWER, **named) == 0
    assert value(computed, alarms_together.DELAY, **named) < 7.7  # the next burst


def test_two_alarms_of_one_priority_are_refused() -> None:
    with pytest.raises(ValueError, match="one of the alarms is the more urgent"):
        AlarmsTogether(
            first="temperature", then="battery low", first_priority="medium", then_priority="medium",
            first_due_s=1.0, then_due_s=1.0,
        )  # fmt: skip


def test_a_broken_buzzer_is_told_by_vibration_even_of_a_low_alarm(tmp_path: Path) -> None:
    cut = AnnunciatorCut(part="buzzer", cause="reservoir low", priority="low", due_s=30.0, listen_s=10.0)
    computed = measured_virtually(tmp_path / "a", cut)
    felt_s = value(computed, annunciator_cut.FELT, cause="reservoir low")
    assert felt_s == pytest.approx(30.8, abs=0.3)  # the third pulse: the first of the second burst
    assert value(computed, annunciator_cut.UNTOLD, cause="reservoir low") == 0


def burst(at_s: float, level_db: float, pitch_hz: float) -> Burst:
    pulse = SoundPulse(at_s, 0.2, 0.02, level_db, pitch_hz, (pitch_hz,), (level_db,))
    return Burst(
        source=0, priority=Priority.LOW, reason="", at_s=at_s, pulses=(pulse,), pulse_duration_s=0.2, spacing_s=None,
        pause_s=None, halves_pause_s=None, fundamental_hz=pitch_hz, pitches_hz=(pitch_hz,), level_db=level_db,
        interburst_s=None, conforms=True, faults=(), confidence=1.0,
    )  # fmt: skip


ALARM, HUM = burst(1.0, -20.0, 500.0), burst(1.05, -35.0, 181.0)
BUZZ = Buzz(at_s=1.0, duration_s=0.5, level=0.4, frequency_hz=180.0)


@pytest.mark.parametrize(
    ("heard", "buzzes", "left"),
    [
        ([ALARM, HUM], [BUZZ], [ALARM]),
        ([ALARM, HUM], [], [ALARM, HUM]),  # nothing turned: who knows what it was
        ([ALARM, HUM], [replace(BUZZ, at_s=5.0)], [ALARM, HUM]),
        ([ALARM, HUM], [replace(BUZZ, frequency_hz=150.0)], [ALARM, HUM]),
        ([burst(1.6, -35.0, 181.0)], [BUZZ], [burst(1.6, -35.0, 181.0)]),  # it goes on after the buzz
        ([ALARM, burst(7.0, -46.0, 300.0)], [], [ALARM]),
        ([HUM], [BUZZ], []),  # alone it is the loudest, and still no signal
    ],
)  # fmt: skip
def test_the_vibrators_hum_and_what_is_much_quieter_are_no_signals(
    heard: Sequence[Burst], buzzes: Sequence[Buzz], left: Sequence[Burst]
) -> None:
    assert signals_in(heard, buzzes) == tuple(left)


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ({"meanwhile": "temperature"}, "another alarm is to come"),
        ({"meanwhile": "reservoir low", "meanwhile_due": "70 s"}, "a snooze of 120 s is too short"),
    ],
)
def test_another_alarm_comes_within_the_snooze_or_not_at_all(written: dict[str, str], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        AlarmAnswered.model_validate({"cause": "temperature", "due": "65 s", "set": "2 min"} | written)

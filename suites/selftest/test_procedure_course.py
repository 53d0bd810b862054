"""Courses of commands, speeds and half-hours: what is written is what is done, and what is weighed is the truth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from rig.procedures.course import DELIVERED, LOGGED, WRONG, CommandAnswered, CommandCourse, CourseBegan
from rig.procedures.course_commands import OBEYED, SEEN, parse_command
from rig.procedures.half_hours import COUNT, HalfHours
from rig.procedures.speed import ERROR, BolusSpeed
from rig.record.taking import read_taken
from rig.roles import Capability, require
from rig.therapy import Setting
from suites.measuring import measured_on, measured_virtually
from suites.studies.coverage.laboratory import declared, laboratory
from suites.studies.coverage.whole_bench import watched_bench

STOPPED = CommandCourse.model_validate(
    {
        "called": "a stop",
        "commands": "0 min: maximum bolus 2 U; 0 min: bolus 2.025 U, refused as out of range; 0 min: bolus 2 U; "
        "20 s: bolus 1 U, refused as too many; 40 s: stop; 45 s: bolus 1 U; 1 min: see therapy stop",
        "weighed": "until the stop: 0 min to 3 min; after the stop: 3 min to 5 min",
        "blank": "5 min",
    }
)


def test_windows_hold_the_truth_and_each_wrong_answer_is_counted(tmp_path: Path) -> None:
    """The bolus that is asked for while stopped is refused, and the course did not say so: one wrong answer."""
    with watched_bench(laboratory(3, declared())) as watched:
        found = measured_on(watched.bench, tmp_path / "taken", STOPPED)
        truth_u, at_s = np.array(watched.balance.truth_u), np.array(watched.balance.at_s)
        assert require(watched.bench.pump, Capability.SETTINGS).setting(Setting.MAX_BOLUS_U) == 25.0
    taken = read_taken(tmp_path / "taken")
    start_s = taken.the(CourseBegan).at_s
    for name, begin_s, end_s in STOPPED.windows:
        true_u = float(np.diff(np.interp([start_s + begin_s, start_s + end_s], at_s, truth_u))[0])
        value = found.values[DELIVERED.of(course="a stop", during=name)]
        assert abs(value.value - true_u) <= value.expanded_uncertainty + 0.001
    assert found.values[DELIVERED.of(course="a stop", during="until the stop")].value == pytest.approx(1.0, abs=0.06)
    answers = [each.answered for each in taken.facts(CommandAnswered)]
    assert answers == [OBEYED, "out of range", OBEYED, "too many", OBEYED, "not applicable now", SEEN]
    assert found.values[WRONG.of(course="a stop")].value == 1.0
    assert abs(found.values[LOGGED.of(course="a stop")].value) < 0.05


@pytest.mark.parametrize(
    "written",
    [
        "bolus 2 U",
        "5 min: bolus 2",
        "5 min: bolus 2 mL",
        "5 min: extended bolus 2 U",
        "5 min: dance",
        "5 min: bolus 2 U, refused as odd",
        "5 min: clock 24:10",
        "5 min: see",
        "5 min: without supply for 2 min",
        "5 min: without supply for 0 s",
        "5 min: reservoir",
    ],
)
def test_what_is_no_command_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_command(written)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"commands": "5 min: run; 1 min: stop"}, "not in the order"),
        ({"weighed": "here 0 min to 5 min"}, "is no window"),
        ({"weighed": "here: 5 min to 1 min"}, "ends before it begins"),
        ({"weighed": "here: 0 min to 5 min; here: 5 min to 6 min"}, "one name"),
    ],
)
def test_a_course_that_cannot_be_is_refused(words: dict[str, str], sentence: str) -> None:
    written = {"called": "odd", "commands": "0 min: run", "weighed": "here: 0 min to 5 min"} | words
    with pytest.raises(ValidationError, match=sentence):
        CommandCourse.model_validate(written)


def test_a_course_needs_what_its_commands_need_and_no_more_insulin_than_they_ask_for() -> None:
    assert set(STOPPED.needs) == {Capability.SETTINGS, Capability.FAST_BOLUS}
    assert STOPPED.needed_u == 3.0
    assert set(replace(parse_command("0 s: bolus 1 U in 5 min")).needs) == {
        Capability.FAST_BOLUS,
        Capability.DELAYED_BOLUS,
    }


BY_HAND = CommandCourse.model_validate(
    {
        "called": "hands",
        "commands": "0 min: reservoir 50 U; 0 min: temporary rate 0 % for 15 min; "
        "10 s: change temporary rate 200 % for 15 min; 20 s: bolus 0.1 U; 1 min: see 49.8 U to 50 U left; "
        "1 min: see 40 U to 49 U left; 1 min: see 0.09 U to 0.11 U on board; "
        "2 min: without supply for 5 s; 3 min: see therapy stop; "
        "3 min: see an id for each bolus; 3 min: reservoir out; 4 min: run, refused as not applicable now",
        "weighed": "all: 0 min to 4 min",
        "rate": "1 U/h",
        "blank": "5 min",
    }
)


def test_a_course_reaches_for_supply_and_reservoir_and_puts_them_back(tmp_path: Path) -> None:
    """One thing was not to be seen: less than 49 U left. The reservoir is in again when the course is over."""
    assert (BY_HAND.needed_lines, BY_HAND.needed_roles) == (("reservoir",), ("supply",))
    assert Capability.RESERVOIR_DETECTION in BY_HAND.needs
    with watched_bench(laboratory(3, declared())) as watched:
        found = measured_on(watched.bench, tmp_path / "taken", BY_HAND)
        assert watched.bench.pump.status().reservoir_attached
    answers = [each.answered for each in read_taken(tmp_path / "taken").facts(CommandAnswered)]
    assert answers[:4] == [OBEYED] * 4
    assert answers[4:] == [SEEN, "49.9 U left", SEEN, OBEYED, SEEN, SEEN, OBEYED, "not applicable now"]
    assert found.values[WRONG.of(course="hands")].value == 1.0


NAMED = CommandCourse.model_validate(
    {
        "called": "two annunciations",
        "commands": "0 min: confirm occlusion; 0 min: snooze time 30 min; 0 min: maximum of an hour 1 U; "
        "0 min: reservoir 20.1 U; 0 min: bolus 0.8 U; 1 min: see reservoir low; 1 min: see reservoir low pending; "
        "1 min: snooze; 1 min: see reservoir low snoozed; 1 min: see reservoir low pending; 1 min: bolus 0.3 U; "
        "2 min: see maximum delivery; 2 min: confirm reservoir low; 2 min: confirm reservoir low; 2 min: confirm; "
        "2 min: see nothing annunciated; 2 min: see reservoir low",
        "weighed": "all: 0 min to 3 min",
        "blank": "5 min",
    }
)


def test_an_annunciation_is_confirmed_by_the_number_under_which_it_was_seen(tmp_path: Path) -> None:
    assert Capability.SNOOZE in NAMED.needs
    assert all(quantity.kind != "course.most_in_an_hour" for quantity in NAMED.quantities), "no hour is weighed"
    found = measured_virtually(tmp_path, NAMED)
    answers = [each.answered for each in read_taken(tmp_path).facts(CommandAnswered)]
    assert answers[0] == "it was never seen"
    assert answers[1:5] == [OBEYED] * 4
    assert answers[5:11] == [SEEN, SEEN, OBEYED, SEEN, "reservoir low snoozed", OBEYED]
    assert answers[11:] == [SEEN, OBEYED, "not applicable now", OBEYED, SEEN, "nothing annunciated"]
    assert found.values[WRONG.of(course="two annunciations")].value == 4.0


LOOKED = CommandCourse.model_validate(
    {
        "called": "looks",
        "commands": "0 min: extended bolus 0.5 U over 15 min; 0 min: bolus 0.3 U; 2 s: see 2 boluses under way; "
        "2 s: see bolus 2 whole; 30 s: see bolus 2 whole; 30 s: see bolus 3 whole; 30 s: see 1 boluses under way; "
        "30 s: see 230 min to 240 min of insulin on board; 30 s: see 1 min to 2 min of insulin on board; "
        "30 s: see no reservoir; 1 min: stop; 1 min: prime 1 U; 65 s: prime no more; 65 s: prime no more",
        "weighed": "all: 0 min to 2 min",
        "blank": "5 min",
    }
)


def test_what_is_looked_for_is_said_to_be_other_where_it_is(tmp_path: Path) -> None:
    assert {Capability.HISTORY, Capability.INSULIN_ON_BOARD, Capability.PRIMING} <= set(LOOKED.needs)
    measured_virtually(tmp_path, LOOKED)
    answers = [each.answered for each in read_taken(tmp_path).facts(CommandAnswered)]
    assert answers[2:8] == [SEEN, "0 U logged", SEEN, "there is no such bolus", SEEN, SEEN]
    assert answers[8].endswith(" min")
    assert answers[9:] == ["a reservoir", OBEYED, OBEYED, OBEYED, "not applicable now"]


@pytest.mark.parametrize(("speed", "size"), [("1.5 U/min", "1 U"), ("3 U/min", "3 U")])
def test_the_speed_of_a_bolus_is_the_one_that_was_set(tmp_path: Path, speed: str, size: str) -> None:
    found = measured_virtually(
        tmp_path, BolusSpeed.model_validate({"speed": speed, "size": size, "blank": "5 min"})
    ).values[ERROR.of(speed=speed)]
    assert abs(found.value) <= found.expanded_uncertainty + 1.5  # what the pump gives less than it counts
    assert found.expanded_uncertainty < 7.0


def test_no_two_of_48_half_hours_are_alike_and_neighbours_differ_by_several_doses() -> None:
    rates = HalfHours.model_validate({"rate": "0.2 U/h", "step": "0.025 U/h"}).rates_u_per_h
    assert len(rates) == len(set(rates)) == COUNT
    assert min(rates) == 0.2
    assert max(rates) == 1.375
    apart = np.abs(np.diff([*rates, rates[0]])) / 2.0
    assert float(np.min(apart)) > 0.12

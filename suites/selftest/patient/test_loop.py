"""The loop over the bench: what a wrong pump does to a person, and that only the weighing tells it.

The program is the same each time: basal insulin and a meal's bolus, which look at no sensor. So each pump gets the same
commands, and each but one says the same of itself: who executes a replayed command logs it, too.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rig.analysis.checks import FloatArray
from rig.bench.open import open_bench
from rig.patient import cgm, hovorka
from rig.procedures.alive import SensorRead
from rig.procedures.astray import AccountRead
from rig.procedures.commanding import Commanded
from rig.procedures.loop import BELOW, GIVEN, HIGHEST, LOGGED, LOWEST, SHIFT, Loop
from rig.procedures.procedure import Computed
from rig.record.analyses import LoopNumbers
from rig.record.taking import Taken, read_taken
from rig.verdicts.limits import Measurement
from suites.measuring import VIRTUAL, measured_on
from suites.stands.replayed_line import Replay, replaying

MUTANTS = Path("fixtures/controller/mutants")
MEAL: Mapping[str, Any] = {
    "called": "a meal", "duration": "2 h", "eat": ["00:05 60 g"], "ratio": "10 g",
    "blank": "300 s",
}  # fmt: skip
WRONG: Mapping[str, tuple[Mapping[str, Any], str | None]] = {
    "right": ({}, None),
    "10 % over": ({}, "over_deliver_10_percent.elf"),
    "one dose in 20 lost": ({}, "drop_one_pulse_in_twenty.elf"),
    "set out": ({"line": "waste"}, None),
    "occluded, and no alarm": ({"line": "occluder"}, "never_alarm.elf"),
    "a replayed command executed": ({}, "replay_executed.elf"),
}
REPLAYED = ("a replayed command executed", "right, replayed to")
"""On whose lines somebody sends the meal's bolus again."""
AGAIN = Replay(listens_from_s=600.0, listens_until_s=720.0, again_at_s=2400.0)
"""In bench seconds: the meal's bolus is told at 662 s, and is over long before it comes again."""


@dataclass(frozen=True)
class Done:
    """One loop: what it left, and what was computed of it."""

    taken: Taken
    computed: Computed

    @property
    def numbers(self) -> LoopNumbers:
        found = self.computed.analyses["loop"]
        assert isinstance(found, LoopNumbers)
        return found

    @property
    def glucose(self) -> FloatArray:
        return np.array(self.numbers.glucose_mg_per_dl)

    @property
    def by_command(self) -> FloatArray:
        return np.array(self.numbers.commanded_mg_per_dl)

    @property
    def u(self) -> FloatArray:
        return np.array(self.numbers.u_mg_per_dl)

    @property
    def commands(self) -> list[tuple[int, float | None, float | None, str | None]]:
        return [(e.at_min, e.bolus_u, e.rate_u_per_h, e.refused) for e in self.taken.facts(Commanded)]

    @property
    def logged_u(self) -> float:
        began, ended = self.taken.exactly(2, AccountRead)
        return ended.logged_u - began.logged_u

    def value(self, kind: str) -> Measurement:
        return next(each for each in self.computed.measured if each.quantity.kind == kind)


def lived(
    folder: Path,
    image: str | None,
    replay: Replay | None = None,
    **further: Any,  # noqa: ANN401 - fields of a loop
) -> Done:
    settings = {} if image is None else {"virtual.firmware": str((MUTANTS / image).resolve())}
    loop = Loop.model_validate({**MEAL, **further})
    with open_bench(VIRTUAL, settings) as bench:
        if replay is None:
            return Done(computed=measured_on(bench, folder, loop), taken=read_taken(folder))
        with replaying(bench, replay) as replayed:
            return Done(computed=measured_on(replayed, folder, loop), taken=read_taken(folder))


@pytest.fixture(scope="module")
def pumps(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Done]:
    folder = tmp_path_factory.mktemp("open")
    asked = {**WRONG, "right, replayed to": WRONG["right"]}
    return {
        name: lived(
            folder / str(number), image, AGAIN if name in REPLAYED else None, controller="basal-bolus", **further
        )
        for number, (name, (further, image)) in enumerate(asked.items())
    }


def tells_apart(one: FloatArray, other: FloatArray, u: FloatArray) -> bool:
    """Do two courses of glucose differ by more than the weighing leaves open?"""
    return bool((np.abs(one - other) > 2.0 * u + 0.01).any())


@pytest.mark.parametrize("wrong", [name for name in WRONG if name != "right"])
def test_a_wrong_pump_shows_in_the_glucose_though_commands_and_log_are_the_same(
    pumps: Mapping[str, Done], wrong: str
) -> None:
    right, other = pumps["right"], pumps[wrong]
    assert other.commands == right.commands
    again_u = 6.0 if wrong in REPLAYED else 0.0
    assert other.logged_u == pytest.approx(right.logged_u + again_u, abs=1e-9)
    assert tells_apart(other.glucose, right.glucose, right.u)


@pytest.mark.parametrize("wrong", [name for name in WRONG if name != "right"])
def test_a_loop_that_is_fed_with_commanded_doses_sees_no_wrong_pump(pumps: Mapping[str, Done], wrong: str) -> None:
    assert not tells_apart(pumps[wrong].by_command, pumps["right"].by_command, pumps["right"].u)


def test_a_pump_that_refuses_a_replayed_command_leaves_the_glucose_alone(pumps: Mapping[str, Done]) -> None:
    right, replayed_to = pumps["right"], pumps["right, replayed to"]
    assert replayed_to.logged_u == pytest.approx(right.logged_u, abs=1e-9)
    assert not tells_apart(replayed_to.glucose, right.glucose, right.u)


def test_a_person_who_gets_far_too_much_is_judged_by_a_number(tmp_path: Path) -> None:
    """20 U for 60 g: the model goes through 0 mg/dL, where no risk index exists."""
    done = lived(tmp_path / "much", None, controller="basal-bolus", ratio="3 g")
    assert done.value(LOWEST.name).value < 0.0
    assert done.value(BELOW.name).value > 10.0


def test_each_wrong_pump_errs_into_its_direction(pumps: Mapping[str, Done]) -> None:
    right = pumps["right"].glucose
    assert pumps["10 % over"].glucose[-1] < right[-1] - 5.0
    assert pumps["one dose in 20 lost"].glucose[-1] > right[-1] + 2.0
    assert pumps["a replayed command executed"].glucose[-1] < right[-1] - 20.0
    for nothing_comes in ("set out", "occluded, and no alarm"):
        assert pumps[nothing_comes].glucose[-1] > right[-1] + 50.0
        assert pumps[nothing_comes].value(SHIFT.name).value > 50.0


@pytest.mark.parametrize("name", WRONG)
def test_insulin_weighed_is_insulin_in_the_person_in_each_minute(pumps: Mapping[str, Done], name: str) -> None:
    """Reckoned from the raw readings, beside the rig's own way: evaporation as a line through the blank run before.

    What falls by noise is not taken back: he has had the highest total so far. Each minute is compared by itself, so
    that a feed which gives too much and makes up for it in the next does not pass.
    """
    done = pumps[name]
    at_h, mass_g = readings(done, "loop")
    blank_h, blank_g = readings(done, "opening blank run")
    evaporation_g_per_h = -np.polyfit(blank_h, blank_g, 1)[0]
    gained_g = mass_g - mass_g[0] + evaporation_g_per_h * (at_h - at_h[0])
    total_u = np.maximum.accumulate(100.0 * gained_g * 1.00105 / 0.9975)  # buoyancy in air, g/mL of water in a room
    given_u = np.array(done.numbers.weighed_u)
    assert given_u.size == 120
    assert np.diff(total_u) == pytest.approx(given_u, rel=0.003, abs=0.0007)
    assert given_u.sum() == pytest.approx(total_u[-1], rel=0.002, abs=0.01)
    given = done.value(GIVEN.name)
    assert abs(given.value) <= given.expanded_uncertainty


@pytest.mark.parametrize("name", WRONG)
def test_the_glucose_and_what_the_sensor_shows_are_those_of_the_insulin_weighed(
    pumps: Mapping[str, Done], name: str
) -> None:
    done = pumps[name]
    insulin_u_per_h = 60.0 * np.array(done.numbers.weighed_u)
    course = hovorka({"Gpeq": 120.0}).simulate(120, insulin_u_per_h, done.numbers.carbs_g)
    assert done.glucose == pytest.approx(course.glucose_mg_per_dl, abs=1e-6)
    shown = {each.at_min: each.shown_mg_per_dl for each in done.taken.facts(SensorRead)}
    minutes = np.array(list(shown))
    expected = cgm("vettoretti-g6", 1).read(minutes, course.glucose_mg_per_dl[minutes])
    assert list(shown.values()) == pytest.approx(expected.tolist(), abs=1e-6)


def readings(done: Done, phase: str) -> tuple[FloatArray, FloatArray]:
    """Hours and masses in g of a phase, from the record's own file."""
    rows = csv.DictReader((done.taken.folder / "balance.csv").read_text().splitlines())
    found = np.array([(float(row["at_s"]) / 3600.0, float(row["mass_g"])) for row in rows if row["phase"] == phase])
    return found[:, 0], found[:, 1]


def test_what_the_pump_logged_is_held_against_the_balance(pumps: Mapping[str, Done]) -> None:
    right, over = (pumps[name].value(LOGGED.name) for name in ("right", "10 % over"))
    assert abs(right.value) < 5.0
    assert over.value == pytest.approx(right.value - 9.1, abs=1.5)  # the log still says what was programmed
    assert not [each for each in pumps["set out"].computed.measured if each.quantity.kind == LOGGED.name]


def test_the_record_keeps_what_the_controller_saw_and_what_the_weighing_leaves_open(pumps: Mapping[str, Done]) -> None:
    done = pumps["right"]
    seen = done.taken.facts(SensorRead)
    assert [each.at_min for each in seen] == list(range(0, 120, 5))
    assert list(done.numbers.sensor_mg_per_dl) == [each.shown_mg_per_dl for each in seen]
    highest = done.value(HIGHEST.name)
    assert 0.0 < highest.expanded_uncertainty < 2.0
    facts = [json.loads(line) for line in (done.taken.folder / "facts.jsonl").read_text().splitlines()]
    assert {"LoopBegan", "SensorRead", "Commanded", "AccountRead"} <= {each["fact"] for each in facts}


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Done]:
    folder = tmp_path_factory.mktemp("closed")
    return {
        name: lived(folder / str(number), WRONG[name][1], controller="pid", **WRONG[name][0])
        for number, name in enumerate(("right", "10 % over", "set out"))
    }


def test_a_controller_answers_by_other_commands_to_what_a_wrong_pump_does(closed: Mapping[str, Done]) -> None:
    commanded = {name: sum(done.numbers.commanded_u) for name, done in closed.items()}
    assert commanded["10 % over"] < commanded["right"] < commanded["set out"]


def test_the_pump_obeys_the_controller_over_its_line(closed: Mapping[str, Done]) -> None:
    right = closed["right"]
    assert all(refused is None for *_, refused in right.commands)
    assert len([1 for _, bolus_u, *_ in right.commands if bolus_u]) == 1
    assert len([1 for *_, rate, _ in right.commands if rate is not None]) == 24
    assert right.logged_u == pytest.approx(sum(right.numbers.commanded_u), abs=0.1)


def test_a_sensor_that_is_lost_leaves_the_pump_at_its_profile_within_half_an_hour(tmp_path: Path) -> None:
    done = lived(
        tmp_path / "lost", None, controller="pid", eat=[], sensor_fault="drop-out", fault_from="30 min", fault_to="2 h"
    )
    seen = {each.at_min: each.shown_mg_per_dl for each in done.taken.facts(SensorRead)}
    assert all((shown is None) == (at_min >= 30) for at_min, shown in seen.items())
    assert max(at_min for at_min, _, rate, _ in done.commands if rate is not None) == 25
    assert [(at_min, refused) for at_min, _, rate, refused in done.commands if rate is None] == [(45, None)]  # its end
    last_hour_u = sum(done.numbers.weighed_u[60:])
    assert last_hour_u == pytest.approx(Loop.model_validate(MEAL).rate_u_per_h, abs=0.03)  # a dose at either end


def test_a_meal_s_bolus_suits_the_person_where_nobody_says() -> None:
    for person, grams in (("type 1", 25.0), ("type 2", 4.0)):
        assert Loop.model_validate({"called": "a day", "person": person}).grams_for_1_u == grams
    assert Loop.model_validate({"called": "a day", "ratio": "12 g"}).grams_for_1_u == 12.0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"duration": "31 min"}, "duration is a whole number of 5 min, as a controller decides"),
        ({"eat": ["00:07 20 g"]}, "meals come at whole multiples of 5 min"),
        ({"eat": ["02:00 20 g"]}, "before the end of the loop"),
        ({"energised_after": "10 min"}, "'energised_after' lies before the end, and needs 'line'"),
        ({"eat": ["00:05"]}, "'00:05' is no time with carbohydrates, such as '07:30 60 g'"),
        ({"sensor_fault": "stale"}, "a 'sensor_fault' lasts from 'fault_from' to 'fault_to', which is later"),
        ({"controller": "best"}, "Input should be 'basal-bolus', 'pid' or 'oref0'"),
    ],
)
def test_a_loop_that_cannot_be_lived_is_refused(wrong: Mapping[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=r".") as told:
        Loop.model_validate({**MEAL, **wrong})
    assert said in str(told.value)

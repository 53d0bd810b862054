"""Experiments with a person on the pump: what is asked, what tells that insulin is lost, and the report's page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reports.curve.printed import printed
from reports.document import Figure, TableBlock
from reports.kinds.loop_arms import arms_curve
from reports.parts.experiments import sections_of
from rig.loop.accepted import Accepted, insulin_of
from rig.loop.persons import person_named
from rig.loop.warning import hours_to_sign, level_reached, most_in_an_hour_percent
from rig.patient.conditions import Exertion, dawn, exercise, slow_meal
from rig.procedures.commanding import Commanded
from rig.procedures.loop import HIGHEST, LOGGED, Loop
from rig.procedures.loop_signs import ALARMS, MOST, SIGN, SIGNS, TO_LEVEL, signs_of
from rig.record.analyses import LoopNumbers
from rig.record.models import QuantityRecord
from rig.record.reading import TestAnalysis
from rig.record.results import ReportedRecord
from rig.record.taking import read_taken
from rig.run.collection import Declaration, belonging_to
from rig.therapy import BolusRequest
from suites.measuring import measured_virtually
from suites.stands.own_requirements import own_plan

MEAL: Mapping[str, Any] = {"called": "a meal", "controller": "basal-bolus", "duration": "2 h", "eat": "00:30 50 g"}
MINUTES = 960


def loop(**further: Any) -> Loop:  # noqa: ANN401 - fields of a loop
    return Loop.model_validate({**MEAL, **further})


# ---- what is asked for -------------------------------------------------------------------------------------------


def test_a_meal_is_announced_as_eaten_where_nobody_says_otherwise() -> None:
    as_eaten, less = loop(), loop(announce="00:30 35 g")
    assert (as_eaten.announced_g == as_eaten.carbs_g).all()
    assert less.announced_g[30] == 35.0
    assert less.carbs_g[30] == 50.0


def test_meals_in_a_protocol_stand_with_commas_between_them() -> None:
    assert (
        loop(eat="00:30 50 g, 01:00 20 g").eat == loop(eat=["00:30 50 g", "01:00 20 g"]).eat == ((30, 50.0), (60, 20.0))
    )


@pytest.mark.parametrize(
    ("extended", "given"),
    [({}, BolusRequest(2.0)), ({"extended": "50 %", "over": "90 min"}, BolusRequest(1.0, 1.0, 90)),
     ({"extended": "100 %", "over": "2 h"}, BolusRequest(0.0, 2.0, 120)),
     ({"extended": "68 %", "over": "5 h"}, BolusRequest(0.65, 1.35, 300))],
)  # fmt: skip
def test_a_bolus_is_given_in_its_pattern(extended: Mapping[str, str], given: BolusRequest) -> None:
    assert loop(**extended).pattern(2.0) == given


def test_what_changes_in_a_person_is_joined() -> None:
    found = loop(dawn="20 %", exercise="00:20 for 60 min at 70 beats", slow="00:30 50 g protein 20 g fat").conditions
    assert found is not None
    parts = dawn(120), exercise(120, [Exertion(20, 80, 70.0)]), slow_meal(120, at_min=30, protein_g=50.0, fat_g=20.0)
    assert (found.release == parts[0].release).all()
    assert (found.uptake == parts[1].uptake).all()
    assert (found.appearing_g_per_min == parts[2].appearing_g_per_min).all()
    assert loop().conditions is None


def test_of_a_set_that_loses_half_every_other_minute_is_lost_about() -> None:
    half = loop(line="waste", energised_after="30 min", lost="50 %", duration="8 h")
    lost = [half.energised(minute, 1) for minute in range(480)]
    assert not any(lost[:30])
    assert 190 < sum(lost[30:]) < 260
    assert lost != [half.energised(minute, 2) for minute in range(480)]
    whole = loop(line="waste", energised_after="30 min", energised_until="1 h")
    assert [minute for minute in range(120) if whole.energised(minute, 1)] == list(range(30, 60))


def test_what_is_asked_comes_back_from_the_record() -> None:
    asked = loop(
        experiment="a", announce="00:30 35 g", extended="50 %", over="2 h", slow="00:30 50 g protein 20 g fat",
        exercise="00:20 for 60 min at 70 beats", dawn="10 %", line="waste", energised_after="30 min", lost="50 %",
    )  # fmt: skip
    assert Loop.model_validate(asked.asked.parameters) == asked


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"announce": "00:32 20 g"}, "what is announced comes at whole multiples of 5 min"),
        ({"extended": "50 %"}, "an 'extended' share of a meal's bolus goes with the time that it comes 'over'"),
        ({"extended": "50 %", "over": "1 h", "controller": "pid"}, "'extended' is for 'basal-bolus'"),
        ({"slow": "50 g protein"}, "is no time with protein and fat, such as '01:00 50 g protein 20 g fat'"),
        ({"exercise": "at noon"}, "is no exercise such as '02:00 for 60 min at 70 beats', those above rest"),
        ({"exercise": "02:00 for 60 min at 70 beats"}, "'slow' and 'exercise' begin before the end of the loop"),
        ({"lost": "50 %"}, "'lost' says how much goes beside the vessel: it needs line = \"waste\""),
        ({"line": "waste", "energised_after": "1 h", "energised_until": "30 min"}, "'energised_until' is later than"),
    ],
)
def test_what_cannot_be_lived_is_refused(wrong: Mapping[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=r".") as told:
        loop(**wrong)
    assert said in str(told.value)


# ---- what tells that insulin is lost -----------------------------------------------------------------------------


def test_hours_to_a_level_count_from_the_loss_and_are_as_uncertain_as_the_glucose() -> None:
    glucose = 120.0 + 0.5 * np.maximum(np.arange(MINUTES + 1.0) - 60.0, 0.0)
    found = level_reached(glucose, np.full(MINUTES + 1, 3.0), 250.0, 60)
    assert found is not None
    assert (found.hours, found.expanded_h) == pytest.approx((260 / 60, 0.1))
    assert level_reached(glucose, np.full(MINUTES + 1, 3.0), 600.0, 60) is None


def test_a_level_that_is_reached_only_within_u_is_not_reached() -> None:
    assert level_reached(np.linspace(120.0, 251.0, 100), np.full(100, 2.0), 250.0, 0) is None


def test_a_sign_is_an_hour_of_twice_the_basal_rate_without_a_break() -> None:
    rate = np.full(MINUTES, 0.6)
    rate[180:235] = 1.2  # 55 min
    rate[240:] = 1.2
    assert hours_to_sign(rate / 60.0, 0.6, 60) == pytest.approx((300 - 60) / 60)
    assert hours_to_sign(rate[:299] / 60.0, 0.6, 60) is None
    assert most_in_an_hour_percent(rate / 60.0, 0.6, 60) == pytest.approx(100.0 * rate[60:].max() / 0.6)
    assert most_in_an_hour_percent(rate[:119] / 60.0, 0.6, 60) is None


def test_signs_are_declared_of_a_lost_set_alone_and_the_controllers_only_of_one_that_sees() -> None:
    lost = {"line": "waste", "energised_after": "30 min"}
    kinds = {
        name: {quantity.kind for quantity in each.quantities} & {kind.name for kind in (*SIGNS, LOGGED)}
        for name, each in {"in place": loop(), "open": loop(**lost), "closed": loop(**lost, controller="pid")}.items()
    }
    levels = {kind.name for kind in TO_LEVEL.values()}
    assert kinds == {
        "in place": {LOGGED.name},
        "open": {*levels, ALARMS.name},
        "closed": {*levels, ALARMS.name, SIGN.name, MOST.name},
    }


def test_a_level_that_never_comes_is_not_measured() -> None:
    lost = loop(line="waste", controller="pid")
    of = {quantity.kind: quantity for quantity in lost.quantities}
    flat, none = np.full(MINUTES + 1, 120.0), np.zeros(MINUTES + 1)
    found = list(
        signs_of(of, flat, none, np.full(MINUTES, 0.01), basal_u_per_h=0.6, since_min=0, annunciated={"occlusion"})
    )
    assert [(each.quantity.kind, each.value) for each in found] == [
        (MOST.name, pytest.approx(100.0)),
        (ALARMS.name, 1.0),
    ]


def test_an_extended_bolus_counts_evenly_over_its_time() -> None:
    insulin = insulin_of((Accepted(10, bolus_u=1.0, extended_u=2.0, over_min=20.0),), 0.6, 0, 60)
    assert insulin[10] == pytest.approx(1.0 + 0.1 + 0.01)
    assert insulin[29] == pytest.approx(0.11)
    assert insulin[30] == pytest.approx(0.01)
    assert insulin.sum() == pytest.approx(3.6)


# ---- over the bench ----------------------------------------------------------------------------------------------


def test_the_pump_gives_a_meal_s_bolus_in_its_pattern_and_the_person_gets_it_so(tmp_path: Path) -> None:
    done = measured_virtually(
        tmp_path / "dual", loop(eat="00:10 50 g", announce="00:10 75 g", extended="50 %", over="60 min", blank="300 s")
    )
    [told] = read_taken(tmp_path / "dual").facts(Commanded)
    assert (told.bolus_u, told.extended_u, told.over_min, told.refused) == (1.5, 1.5, 60, None)
    numbers = done.analyses["loop"]
    assert isinstance(numbers, LoopNumbers)
    weighed = np.cumsum(numbers.weighed_u)
    basal = loop().rate_u_per_h / 60.0
    assert weighed[15] == pytest.approx(
        15 * basal + 1.5 + 5 / 60 * 1.5, abs=0.1
    )  # doses come at the end of their share
    assert weighed[40] == pytest.approx(40 * basal + 1.5 + 0.75, abs=0.1)
    assert weighed[75] == pytest.approx(75 * basal + 3.0, abs=0.1)
    assert sum(numbers.carbs_g) == 50.0
    assert sum(numbers.announced_g or ()) == 75.0


def test_a_set_that_loses_half_in_sport_gives_the_person_about_half_and_he_lives_on_that(tmp_path: Path) -> None:
    lost = loop(
        duration="4 h", eat=[], line="waste", energised_after="1 h", lost="50 %", blank="300 s",
        exercise="00:30 for 60 min at 60 beats", slow="00:30 50 g protein 20 g fat",
    )  # fmt: skip
    numbers = measured_virtually(tmp_path / "half", lost).analyses["loop"]
    assert isinstance(numbers, LoopNumbers)
    share = sum(numbers.weighed_u[60:]) / sum(numbers.commanded_u[60:])
    assert 0.3 < share < 0.7
    assert numbers.lost_from_min == 60
    conditions = exercise(240, [Exertion(30, 90, 60.0)]).and_also(slow_meal(240, at_min=30, protein_g=50.0, fat_g=20.0))
    for insulin_u, glucose in (
        (numbers.weighed_u, numbers.glucose_mg_per_dl), (numbers.commanded_u, numbers.commanded_mg_per_dl),
    ):  # fmt: skip
        again = person_named("type 1").simulate(240, 60.0 * np.array(insulin_u), 0.0, conditions)
        assert glucose == pytest.approx(again.glucose_mg_per_dl, abs=1e-6)


# ---- the page ----------------------------------------------------------------------------------------------------


def lived(called: str, *, lost: bool, controller: str = "pid") -> LoopNumbers:
    """Glucose that rises by 0.5 mg/dL a minute from the loss on, under a rate that doubles two hours later."""
    rising = np.maximum(np.arange(MINUTES + 1.0) - 60.0, 0.0) * 0.5 * lost
    rates = np.where(np.arange(MINUTES) < 180, 0.6, 1.2) / 60.0
    return LoopNumbers(
        title=called, person="type 1", controller=controller, called=called, experiment="a cannula out",
        glucose_mg_per_dl=tuple(120.0 + rising), u_mg_per_dl=(0.1,) * (MINUTES + 1),
        commanded_mg_per_dl=(120.0,) * (MINUTES + 1), weighed_u=tuple(rates * (not lost)), commanded_u=tuple(rates),
        carbs_g=(0.0,) * MINUTES, sensor_min=(0, 300, 330), sensor_mg_per_dl=(120.0, 240.0, 255.0),
        basal_u_per_h=0.6, lost_from_min=60 if lost else None,
    )  # fmt: skip


def valued(test: str, numbers: LoopNumbers, kind: Any, value: float, u: float) -> ReportedRecord:  # noqa: ANN401
    quantity = kind.of(person=numbers.person, controller=numbers.controller, called=numbers.called)
    return ReportedRecord(quantity=QuantityRecord.of(quantity), value=value, expanded_uncertainty=u, test=test)


def test_the_page_draws_the_lives_together_and_says_when_a_lost_cannula_shows() -> None:
    lives = [lived("in place", lost=False), lived("out", lost=True)]
    other = lived("of no experiment", lost=True).model_copy(update={"experiment": None})
    values = [valued("a", lives[1], HIGHEST, 570.0, 0.5), valued("a", lives[1], TO_LEVEL[300.0], 6.0, 0.02),
              valued("a", lives[1], ALARMS, 0.0, 0.0), valued("b", lives[1], SIGN, 1.0, 0.1)]  # fmt: skip
    about, page = sections_of([TestAnalysis("a", 1, each) for each in (*lives, other)], values)
    assert "nothing of the efficacy of a therapy" in getattr(about.blocks[0], "text", "")
    figure, glucose, signs, _ = page.blocks
    assert isinstance(figure, Figure)
    assert figure.curve == arms_curve("a cannula out", lives)
    assert "in place 120 to 120 mg/dL; out 120 to 570 mg/dL" in figure.alt
    assert isinstance(glucose, TableBlock)
    assert glucose.rows[1][:2] == ("out", "570.00\u00a0±\u00a00.50\u00a0mg/dL")
    assert isinstance(signs, TableBlock)
    told = {str(row[0]).replace("\u00a0", " "): str(row[1]).replace("\u00a0", " ") for row in signs.rows}
    assert told == {
        "Annunciated by the pump": "nothing", "Sensor at 250 mg/dL": "4.5 h",
        "Twice the basal rate commanded for 1 h": "–", "Plasma at 250 mg/dL": "–",
        "Plasma at 300 mg/dL": "6.000 ± 0.020 h", "Ketones up by 0.6 mmol/L": "3.6 h",
        "Ketones up by 1.6 mmol/L": "8.0 h", "Ketones up by 3.0 mmol/L": "14.2 h",
    }  # fmt: skip


def test_the_figure_can_be_drawn_and_a_run_without_experiments_has_no_page() -> None:
    assert "<svg" in printed(arms_curve("a cannula out", [lived("in place", lost=False), lived("out", lost=True)]))
    assert sections_of([TestAnalysis("a", 1, lived("x", lost=True).model_copy(update={"experiment": None}))], []) == ()


def test_experiments_belong_to_a_plan_that_asks_for_them_alone() -> None:
    tests = [
        Declaration(test=name, title=name, requirements=(), quantities=(), names=names)
        for name, names in (("a night", ("Person Cannula", "A Night", "experiment")), ("an experimental day", ("x",)))
    ]
    assert [each.test for each in belonging_to(own_plan("default").plan, tests)] == ["an experimental day"]
    assert belonging_to(own_plan("person").plan, tests) == tests

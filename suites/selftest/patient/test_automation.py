"""Automated delivery: each wrong controller fails the requirement that it breaks, and the right one passes it.

Wrong pumps stand in `fixtures/controller/mutants`, and `rig prove` tries them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import Field, ValidationError

from rig.loop.accepted import Known
from rig.loop.controllers import Controller, ControllerSettings
from rig.procedures.automation import Automation
from rig.procedures.automation_situations import SITUATIONS, first_predicted_min
from rig.procedures.commanding import Commanded
from rig.procedures.procedure import Computed
from rig.record.taking import read_taken
from rig.verdicts.limits import Verdict, judge, worst
from suites.measuring import measured_virtually
from suites.selftest.patient.wrong_controllers import WRONG, Wrong
from suites.stands.own_requirements import own_requirements


class WithAnotherController(Automation):
    """Automated delivery by a controller that no plan names."""

    wrong: Wrong = Field(exclude=True)

    def controller_for(self, settings: ControllerSettings, known: Known) -> Controller:
        return self.wrong.made(settings, known)


def automated(folder: Path, situation: str, wrong: Wrong | None = None, **settings: Any) -> Computed:  # noqa: ANN401
    asked = {"situation": situation, "blank": "5 min"}
    if wrong is None:
        return measured_virtually(folder, Automation.model_validate(asked), settings)
    return measured_virtually(folder, WithAnotherController.model_validate({**asked, "wrong": wrong}), settings)


def verdicts(computed: Computed) -> dict[str, Verdict]:
    """The verdicts of the requirements of automated delivery that one situation decides whole, by their ids."""
    values = computed.values
    return {
        name: worst([judge(values[rule.quantity], rule.limit) for rule in each.measurement])
        for name, each in own_requirements().items()
        if name.startswith("PR-G") and all(rule.quantity in values for rule in each.measurement)
    }


@pytest.mark.parametrize("name", WRONG)
def test_each_wrong_controller_fails_what_it_breaks(tmp_path: Path, name: str) -> None:
    wrong = WRONG[name]
    found = verdicts(automated(tmp_path, wrong.situation, wrong))
    assert found.pop(wrong.fails) is Verdict.FAIL
    assert set(found.values()) <= {Verdict.PASS}  # PR-G4.2: the pump does what it is asked all the same


@pytest.mark.parametrize("situation", ["bolus beside", "pump's maximum"])
def test_the_right_controller_passes_on_the_right_pump(tmp_path: Path, situation: str) -> None:
    found = verdicts(automated(tmp_path, situation))
    assert found
    assert set(found.values()) == {Verdict.PASS}
    commands = read_taken(tmp_path).facts(Commanded)
    refusals = {each.refused for each in commands if each.refused is not None}
    if situation == "bolus beside":
        assert not refusals
    else:
        assert len(refusals) == 1  # above the maximum, in the pump's own word
        assert {each.rate_u_per_h for each in commands if each.refused} <= {1.0 + 0.05 * n for n in range(11, 61)}


def test_a_pump_that_gives_more_fails_the_most_in_an_hour_and_what_was_asked(tmp_path: Path) -> None:
    over = {"virtual.firmware": str(Path("fixtures/controller/mutants/over_deliver_10_percent.elf").resolve())}
    found = verdicts(automated(tmp_path, "lasting high", None, **over))
    assert found == {"PR-G4.1": Verdict.FAIL, "PR-G4.2": Verdict.FAIL}


def test_every_situation_predicts_a_low_where_it_says_so_and_fits_into_its_time() -> None:
    for name, made in SITUATIONS.items():
        situation = made()
        assert all(0 <= each.from_min < each.to_min <= situation.minutes for each in situation.stretches), name
        assert list(situation.happens) == sorted(situation.happens, key=lambda each: each[0])
        assert situation.shown_mg_per_dl.size * 5 == situation.minutes
    falling = SITUATIONS["predicted low"]()
    predicted = next(each for each in falling.stretches if each.name == "predicted low")
    shown = falling.shown_mg_per_dl
    first = predicted.from_min // 5 - 1  # a period before it is weighed
    assert shown[first] + 6.0 * (shown[first] - shown[first - 1]) < 70.0
    assert all(shown[at] + 6.0 * (shown[at] - shown[at - 1]) >= 70.0 for at in range(1, first))


def test_a_course_that_never_is_low_predicts_none() -> None:
    with pytest.raises(ValueError, match=r"^what the sensor shows predicts no low$"):
        first_predicted_min(((0.0, 150.0),), 60)


def test_a_situation_that_nobody_wrote_is_refused() -> None:
    with pytest.raises(ValidationError, match="Input should be 'predicted low', 'lasting low'"):
        Automation.model_validate({"situation": "doom"})

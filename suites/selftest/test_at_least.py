"""What a requirement's text promises, its `at_least` demands: a test that did less does not decide it."""

from __future__ import annotations

import re

import pytest

from rig.procedures.basal import Basal
from rig.procedures.bolus import Bolus
from rig.procedures.cancelled import Cancelled
from rig.procedures.day import Day
from rig.procedures.occlusion import Occlusion
from rig.procedures.procedure import Procedure
from rig.procedures.refused import Refused
from rig.procedures.stopped import Stopped
from rig.procedures.switch import ProfileSwitch
from rig.procedures.temporary import Temporary
from rig.procedures.unoccluded import Unoccluded
from rig.units import parse
from suites.pump.test_day import ADULT
from suites.stands.own_requirements import own_requirements

REQUIREMENTS = own_requirements()
TEMPORARY = {"temporary": "50 %", "rate": "1 U/h", "duration": "4 h"}


def less(day: Day, **changes: object) -> Day:
    """A day of which something is left out."""
    return day.model_copy(update=changes)


@pytest.mark.parametrize(
    ("requirement", "enough", "too_little"),
    [
        (
            "PR-D1.1",
            Basal.model_validate({"rate": "1 U/h"}),
            Basal.model_validate({"rate": "1 U/h", "stabilisation": "1 h"}),
        ),
        (
            "PR-D2.1",
            ProfileSwitch.model_validate({"rate": "0.5 U/h", "then": "1.5 U/h"}),
            ProfileSwitch.model_validate({"rate": "0.5 U/h", "then": "1.5 U/h", "after": "119 min"}),
        ),
        ("PR-D3.1", Bolus(size_u=0.1, count=25), Bolus(size_u=0.1, count=24)),
        ("PR-D3.2", Bolus(size_u=1.0, count=25), Bolus(size_u=1.0, count=24)),
        ("PR-D3.3", Bolus(size_u=10.0, count=12), Bolus(size_u=10.0, count=11)),
        ("PR-D5.1", Cancelled(size_u=5.0, after_s=60.0), Cancelled(size_u=5.0, after_s=60.0, watch_s=599.0)),
        (
            "PR-D6.1",
            Temporary.model_validate(TEMPORARY),
            Temporary.model_validate({**TEMPORARY, "after": "119 min"}),
        ),
        ("PR-D7.1", Stopped(duration_s=1800.0), Stopped(duration_s=1799.0)),
        ("PR-D8.1", ADULT, less(ADULT, exercise=())),
        ("PR-D8.1", ADULT, less(ADULT, eat=ADULT.eat[:3])),  # without the correction
        ("PR-D8.1", ADULT, less(ADULT, eat=ADULT.eat[2:])),  # with one meal
        (
            "PR-L1.1",
            Refused.model_validate({"sizes": "30 U"}),
            Refused.model_validate({"sizes": "30 U", "watch": "599 s"}),
        ),
        (
            "PR-F1.3",
            Occlusion.model_validate({"rate": "1 U/h", "watch": "30 min"}),
            Occlusion.model_validate({"rate": "1 U/h", "watch": "29 min"}),
        ),
        (
            "PR-F1.7",
            Unoccluded.model_validate({"rate": "0.025 U/h", "threshold": "low"}),
            Unoccluded.model_validate({"rate": "0.025 U/h", "threshold": "low", "duration": "23 h"}),
        ),
    ],
)
def test_less_than_a_text_promises_does_not_decide_it(
    requirement: str, enough: Procedure, too_little: Procedure
) -> None:
    assert requirement in enough.decides(REQUIREMENTS)
    assert requirement not in too_little.decides(REQUIREMENTS)


OF_A_LIMIT = {
    "PR-D1.2": {"60 min"},  # a window
    "PR-D1.8": {"60 min"},
    "PR-D2.1": {"5 min"},  # a delay
    "PR-D2.3": {"5 min"},
    "PR-D4.1": {"2 h", "5 min"},  # how long the bolus lasts, a delay
    "PR-D4.2": {"2 h", "1 min", "5 min"},
    "PR-D6.1": {"4 h", "5 min"},  # how long the temporary rate lasts, a delay
    "PR-D1.5": {"4 h"},  # a window
    "PR-D3.7": {"5 min", "15 min"},  # a delay, a window
    "PR-D3.8": {"1 h", "61 min"},  # how long the extended bolus lasts, a window
    "PR-D5.2": {"1 h", "15 min"},
    "PR-D5.4": {"10 min", "20 min", "30 min"},  # windows of a course
    "PR-D5.5": {"30 min", "10 min"},  # how long the extended bolus lasts, a window
    "PR-D5.6": {"30 min", "10 min"},
    "PR-D6.3": {"20 min", "5 min"},
    "PR-D6.4": {"10 min", "15 min"},
    "PR-D3.10": {"5 min", "15 min"},
    "PR-F6.4": {"21 min"},
    "PR-D7.7": {"7 min"},
    "PR-H2.4": {"15 min", "4 min", "240 min"},
    "PR-H2.3": {"150 min", "15 min"},
    "PR-D7.6": {"27 min", "30 min"},
    "PR-D9.1": {"4 min"},  # how long priming may take
    "PR-D6.2": {"10 min", "30 min"},  # stretches of a course
    "PR-L5.1": {"24 h", "10 min"},
    "PR-H2.2": {"20 min", "60 min"},
    "PR-A1.2": {"10 min"},  # how long an alarm is left unanswered
    "PR-A2.3": {"2 min"},
    "PR-A2.1": {"5 min"},  # how long a snooze may last
    "PR-A3.4": {"2 min"},
    "PR-F5.1": {"2 min"},  # how long an annunciation may take
    "PR-F6.2": {"20 min"},  # how long the supply is off
    "PR-F7.1": {"2 min"},
    "PR-F7.2": {"2 min"},
    "PR-F7.3": {"2 min"},
    "PR-K1.4": {"3 min"},
    "PR-L2.1": {"1 h"},  # a window
    "PR-L3.1": {"60 min"},
    "PR-G2.1": {"2 h"},
    "PR-G4.1": {"5 min"},  # a window
    "PR-G6.1": {"3 h"},  # by how much a clock is set back
    "PR-G10.1": {"5 h"},  # how long the loop lasts with the cannula out
}
"""Durations in texts that limits or parameters of quantities hold to."""


@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_a_duration_that_a_text_names_is_demanded_or_is_a_limits_own(requirement: str) -> None:
    asked = REQUIREMENTS[requirement]
    named = set(re.findall(r"\d+ (?:h|min)\b", asked.text))
    left = named - OF_A_LIMIT.get(requirement, set())
    assert {parse(each, "time_s") for each in left} <= {asked.at_least.analysis, asked.at_least.stabilisation}

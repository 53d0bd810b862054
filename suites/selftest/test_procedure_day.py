"""A day, hour by hour: each extreme has the uncertainty of its own hour, idle hours have no error in %, accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from rig.analysis.budget import Budget
from rig.procedures.between_blanks import scale_between_blanks
from rig.procedures.day import (
    AFTER,
    BEFORE,
    DAY,
    IDLE,
    LARGEST,
    LOGGED,
    RESERVOIR,
    SMALLEST,
    WHOLE,
    Day,
    DayAccounts,
    DayBegan,
    Told,
)
from rig.procedures.procedure import Computed
from rig.record.analyses import DayNumbers
from rig.record.taking import read_taken
from suites.measuring import measured_on
from suites.selftest.crafted import BLANK_S, METROLOGY, crafted
from suites.studies.coverage.laboratory import declared, laboratory
from suites.studies.coverage.whole_bench import watched_bench

QUIET_AND_LOUD = ("00:00 0.5 U/h", "12:00 4 U/h")
PERSON = {"person": "an adult"}


def day(profile: Sequence[str] = QUIET_AND_LOUD, **more: Any) -> Day:  # noqa: ANN401 - whatever a day takes
    words = {"sensitivity": "50 mg/dL", "ratio": "10 g", "target": "110 mg/dL"}
    return Day.model_validate({"called": "a day", **PERSON, "profile": list(profile), **words, **more})


def lived(
    folder: Path,
    asked: Day,
    hourly_u: Sequence[float],
    *,
    told: Sequence[Told] = (),
    accounts: DayAccounts | None = None,
) -> tuple[Computed, Mapping[int, Budget]]:
    """What is computed of a day that brought so much in each hour, and the budget of each hour in U, by its number."""
    with crafted(folder) as taken:
        taken.air()
        taken.blank("opening", 0.0)
        midnight_s = BLANK_S + 100.0
        taken.read(BEFORE, midnight_s - 1.0, 0.0)
        taken.fact(DayBegan(at_s=midnight_s, first_entry=7))
        for each in told:
            taken.fact(each)
        for hour, delivered_u in enumerate(accumulate(hourly_u, initial=0.0)):
            taken.read(DAY, midnight_s + 3600.0 * hour, delivered_u)
        taken.read(AFTER, midnight_s + 86400.0 + 100.0, sum(hourly_u))
        said = accounts or DayAccounts(at_s=midnight_s + 86500.0, bolus_u=(), basal_u=(54.0,), reservoir_u=146.0)
        taken.fact(said)
        taken.blank("closing", sum(hourly_u))
    scale = scale_between_blanks(read_taken(folder), METROLOGY, blank_s=BLANK_S)
    assert scale.metrology.evaporation_g_per_h == pytest.approx(0.0, abs=1e-12)
    budgets = {hour: scale.budget(delivered_u, 3600.0) for hour, delivered_u in enumerate(hourly_u)}
    return asked.compute(read_taken(folder), METROLOGY), budgets


def hours(changed: Mapping[int, float], profile: Sequence[float] = (0.5,) * 12 + (4.0,) * 12) -> list[float]:
    """What an exact pump brings in each hour, but for some."""
    return [changed.get(hour, delivered_u) for hour, delivered_u in enumerate(profile)]


@pytest.mark.parametrize(
    ("largest", "smallest"),
    [((3, 0.5 * 1.1, 0.5), (20, 4.0 * 0.95, 4.0)), ((20, 4.0 * 1.1, 4.0), (3, 0.5 * 0.95, 0.5))],
)
def test_each_extreme_has_the_uncertainty_of_its_own_hour(
    tmp_path: Path, largest: tuple[int, float, float], smallest: tuple[int, float, float]
) -> None:
    """+10 % and −5 % in hours of 0.5 U and 4 U: the smaller hour is known seven times less well, in %."""
    found, budgets = lived(tmp_path, day(), hours({hour: weighed_u for hour, weighed_u, _ in (largest, smallest)}))
    u_percent = []
    for kind, (hour, _, due_u), percent in ((LARGEST, largest, 10.0), (SMALLEST, smallest, -5.0)):
        measured = found.values[kind.of(**PERSON)]
        assert measured.value == pytest.approx(percent, abs=1e-6)
        assert measured.expanded_uncertainty == pytest.approx(100.0 * budgets[hour].expanded / due_u, rel=1e-9)
        u_percent.append(measured.expanded_uncertainty)
    assert max(u_percent) > 5.0 * min(u_percent)


def test_the_error_of_the_day_is_that_of_all_its_hours(tmp_path: Path) -> None:
    found, _ = lived(tmp_path, day(), hours({3: 0.5 + 0.54}))
    assert found.values[WHOLE.of(**PERSON)].value == pytest.approx(1.0)  # 0.54 U of 54 U
    content = found.analyses["day"]
    assert isinstance(content, DayNumbers)
    assert content.programmed_u == tuple(hours({}))
    assert content.weighed_u == pytest.approx(hours({3: 1.04}))


WITH_A_PAUSE = ("00:00 1 U/h", "03:00 0 U/h", "05:00 1 U/h")


def test_an_hour_without_a_programme_has_no_error_in_percent_and_its_insulin_is_reported(tmp_path: Path) -> None:
    asked = day(WITH_A_PAUSE)
    weighed_u = hours({3: 0.002, 4: 0.004, 10: 1.02}, (1.0,) * 24)
    found, budgets = lived(tmp_path, asked, weighed_u)
    idle = found.values[IDLE.of(**PERSON)]
    assert idle.value == pytest.approx(0.004, abs=1e-9)
    assert idle.expanded_uncertainty == pytest.approx(budgets[4].expanded, rel=1e-9)
    assert found.values[LARGEST.of(**PERSON)].value == pytest.approx(2.0)
    assert found.values[SMALLEST.of(**PERSON)].value == pytest.approx(0.0, abs=1e-6)
    assert set(found.values) == set(asked.quantities)


def test_an_hour_with_less_than_a_dose_programmed_is_idle_too(tmp_path: Path) -> None:
    """A rate of nothing for 2 h that begins 6 s late leaves 0.0017 U programmed of its first hour."""
    stopped = {"at": "10:00", "rate": "0 %", "duration": "120 min"}
    told = Told(at_s=0.0, at_min=600.1, duration_min=120, factor=0.0)
    weighed_u = hours({10: 0.01, 11: 0.0, 12: 1.0 - 0.1 / 60.0}, (1.0,) * 24)
    found, _ = lived(tmp_path, day(["00:00 1 U/h"], exercise=[stopped]), weighed_u, told=[told])
    assert found.values[IDLE.of(**PERSON)].value == pytest.approx(0.01, abs=1e-9)
    assert found.values[LARGEST.of(**PERSON)].value == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    ("profile", "exercise", "may_be_idle"),
    [
        (["00:00 1 U/h"], [], False),
        (["00:00 0.025 U/h"], [], False),
        (["00:00 0.02 U/h"], [], True),
        (WITH_A_PAUSE, [], True),
        (["00:00 1 U/h"], [{"at": "10:00", "rate": "50 %", "duration": "60 min"}], False),
        (["00:00 1 U/h"], [{"at": "10:00", "rate": "0 %", "duration": "60 min"}], True),
        (["00:00 1 U/h"], [{"at": "10:00", "rate": "0.01 U/h", "duration": "60 min"}], True),
        (["00:00 0.04 U/h"], [{"at": "10:00", "rate": "50 %", "duration": "60 min"}], True),
    ],
)
def test_idle_hours_are_declared_only_where_there_can_be_one(
    profile: Sequence[str], exercise: Sequence[Mapping[str, str]], may_be_idle: bool
) -> None:
    assert (IDLE.of(**PERSON) in day(profile, exercise=list(exercise)).quantities) is may_be_idle


@pytest.mark.parametrize("reservoir_u", [200.0 - 53.46, None])
def test_log_and_reservoir_are_held_against_the_balance(tmp_path: Path, reservoir_u: float | None) -> None:
    """Weighed 54 U; logged 4 U + 2.5 U in boluses and 48.58 U of basal, +2 %; the reservoir says 53.46 U, −1 %."""
    accounts = DayAccounts(at_s=0.0, bolus_u=(4.0, 2.5), basal_u=(48.58,), reservoir_u=reservoir_u)
    found, _ = lived(tmp_path, day(), hours({}), accounts=accounts)
    scale = scale_between_blanks(read_taken(tmp_path), METROLOGY, blank_s=BLANK_S)
    u_percent = 100.0 * scale.expanded_uncertainty_u(54.0, 86501.0) / 54.0
    logged = found.values[LOGGED.of(**PERSON)]
    assert logged.value == pytest.approx(2.0)
    assert logged.expanded_uncertainty == pytest.approx(1.02 * u_percent, rel=1e-6)
    if reservoir_u is None:
        assert RESERVOIR.of(**PERSON) not in found.values
    else:
        reservoir = found.values[RESERVOIR.of(**PERSON)]
        assert reservoir.value == pytest.approx(-1.0)
        assert reservoir.expanded_uncertainty == pytest.approx(0.99 * u_percent, rel=1e-6)


def test_a_day_on_which_nothing_came_is_a_hundred_percent_short_and_has_no_accounts_in_percent(tmp_path: Path) -> None:
    found, _ = lived(tmp_path, day(), [0.0] * 24)
    values = {str(quantity): round(each.value, 6) for quantity, each in found.values.items()}
    assert values == {
        "largest error of an hour of the day of an adult": -100.0,
        "smallest error of an hour of the day of an adult": -100.0,
        "error of the day of an adult": -100.0,
    }


def test_meals_and_extended_insulin_count_in_the_hours_in_which_they_are_due(tmp_path: Path) -> None:
    """3 U at 12:50, 1.5 U/min, and 2 U over the 2 h from then on: 3 + 1/6 of the hour's 1, then 1, then 5/6."""
    meal = {"at": "12:50", "carbohydrates": "50 g", "extended": "40 %", "over": "2 h"}
    told = Told(at_s=0.0, at_min=770.0, duration_min=120, fast_u=3.0, extended_u=2.0)
    due_u = {12: 1.0 + 3.0 + 1.0 / 6.0, 13: 2.0, 14: 1.0 + 5.0 / 6.0}
    found, _ = lived(tmp_path, day(["00:00 1 U/h"], eat=[meal]), hours(due_u, (1.0,) * 24), told=[told])
    assert found.values[LARGEST.of(**PERSON)].value == pytest.approx(0.0, abs=1e-6)
    assert found.values[SMALLEST.of(**PERSON)].value == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"profile": ["00:00 0 U/h"]}, "the profile is 0 U/h all day"),
        ({"profile": ["01:00 1 U/h"]}, "a profile's times go from 00:00 on"),
        ({"profile": ["00:00 -1 U/h"]}, "allowed are 0 U/h to 300 U/h"),
        ({"eat": [{"at": "12:00"}, {"at": "12:00"}]}, "two things happen at 12:00"),
        ({"eat": [{"at": "24:00"}]}, "'24:00' is not a time of day"),
        (
            {"exercise": [{"at": "12:00", "rate": "50 %", "duration": "90 s"}]},
            "pumps are told whole minutes",
        ),
        (
            {"exercise": [{"at": "12:00", "rate": "-50 %", "duration": "60 min"}]},
            "allowed are 0 U/h to 300 U/h, or 0 % to 1000 %",
        ),
    ],
)
def test_a_day_that_cannot_be_lived_is_a_sentence(wrong: Mapping[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        day(**{"profile": list(QUIET_AND_LOUD), **wrong})


def test_on_the_whole_bench_each_hour_holds_the_truth_and_the_accounts_agree(tmp_path: Path) -> None:
    """No hour further from the truth than 5 u; the pump counts its doses, so its accounts are within 2 %."""
    asked = day(
        WITH_A_PAUSE,
        eat=[
            {"at": "07:00", "carbohydrates": "60 g", "glucose": "180 mg/dL"},
            {"at": "19:00", "carbohydrates": "40 g", "extended": "60 %", "over": "3 h"},
        ],
        exercise=[{"at": "15:00", "rate": "50 %", "duration": "90 min"}],
    )
    with watched_bench(laboratory(11, declared())) as watched:
        found = measured_on(watched.bench, tmp_path / "taken", asked)
        truth_u, at_s = np.array(watched.balance.truth_u), np.array(watched.balance.at_s)
    assert set(found.values) == set(asked.declared)
    midnight_s = read_taken(tmp_path / "taken").the(DayBegan).at_s
    true_u = np.diff(np.interp(midnight_s + 3600.0 * np.arange(25), at_s, truth_u))
    content = found.analyses["day"]
    assert isinstance(content, DayNumbers)
    assert content.u_u is not None
    deviations = (np.array(content.weighed_u) - true_u) / (np.array(content.u_u) / 2.0)
    assert np.max(np.abs(deviations)) < 5.0
    idle = found.values[IDLE.of(**PERSON)]
    assert idle.value == pytest.approx(float(true_u[3:5].max()), abs=2.5 * idle.expanded_uncertainty)
    assert idle.value < 0.05  # a dose that was due at 02:59 and its tail
    for kind in (LOGGED, RESERVOIR):
        assert abs(found.values[kind.of(**PERSON)].value) < 2.0

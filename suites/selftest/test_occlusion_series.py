"""Occlusions at a threshold of the pump: what is reported of several, on the whole bench too, and false alarms."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from reports.kinds import kind_of
from reports.kinds.kind import DrawnLimits
from rig.analysis.occlusion import OcclusionAlarm
from rig.bench.open import open_bench
from rig.errors import BlockedError
from rig.procedures.occlusion import (
    AT_ALARM,
    HIGHEST,
    LONGEST,
    MISSED,
    RELEASED,
    RISE,
    TYPICAL,
    UNALARMED,
    Occlusion,
    OcclusionResult,
)
from rig.procedures.procedure import Computed
from rig.procedures.threshold import threshold_set
from rig.procedures.unoccluded import Unoccluded
from rig.procedures.volume import VolumeScale
from rig.record.analyses import OcclusionNumbers, OcclusionSeries, OneOcclusion
from rig.record.taking import Recorder
from rig.roles import Air, Bench, Capability, require
from rig.therapy import Setting
from rig.verdicts.quantities import Kind
from suites.measuring import VIRTUAL, measured_on, measured_virtually, recorded
from suites.studies.coverage.laboratory import declared

SCALE = VolumeScale.in_air(declared(), Air(21.5, 1008.0, 0.48))
PLAN = Occlusion(rate_u_per_h=10.0, threshold="low", count=3)


def value(found: Computed, kind: Kind) -> float:
    """The value of the only quantity of a kind."""
    (measurement,) = [each for each in found.measured if each.quantity.kind == kind.name]
    return measurement.value


def one(time_s: float, pressure_kpa: float, missed_u: float, released_u: float) -> OcclusionResult:
    alarm = OcclusionAlarm(time_s, pressure_kpa, pressure_kpa + 1.0, 30.0, 10.0, 10.0 * missed_u, 0.25, 0.01)
    return OcclusionResult(True, alarm, missed_u, released_u, rise_kpa=missed_u / 10.0)


def test_of_several_occlusions_the_median_and_the_worst_are_reported() -> None:
    results = [one(700.0, 70.0, 1.9, 1.8), one(600.0, 72.0, 1.7, 1.9), one(900.0, 74.0, 1.8, 1.7)]
    budgets = PLAN.budgets(results, SCALE)
    found = {str(quantity): round(each.value, 6) for quantity, each in budgets.items()}
    assert {name.removesuffix(" at 10 U/h, threshold low"): each for name, each in found.items()} == {
        "typical time to the alarm": 700.0,
        "longest time to the alarm": 900.0,
        "typical pressure at the alarm": 72.0,
        "highest pressure": 75.0,
        "largest pressure rise after the alarm": 0.19,
        "largest missed volume": 1.9,
        "largest bolus on release": 1.9,
    }
    longest, highest, rise, missed = (
        budgets[kind.of(rate=10.0, threshold="low")] for kind in (LONGEST, HIGHEST, RISE, MISSED)
    )
    assert longest.expanded == pytest.approx(2.0 * 10.0 / 3.0**0.5, rel=1e-3)  # seen up to 10 s late
    assert highest.expanded == pytest.approx(0.5, rel=1e-3)
    assert rise.expanded == pytest.approx(0.5, rel=1e-3)
    assert missed.rows[0].source == "time between looks at the pump"
    assert missed.rows[0].contribution == pytest.approx(10.0 * 10.0 / 3600.0 / 3.0**0.5)


def test_each_threshold_alarms_at_its_own_pressure_and_the_pumps_setting_is_given_back(tmp_path: Path) -> None:
    at_alarm_kpa = []
    for threshold in ("low", "high"):
        asked = Occlusion.model_validate(
            {"rate": "10 U/h", "threshold": threshold, "count": 2, "free": "60 s", "watch": "60 s"}
        )
        with open_bench(VIRTUAL) as bench:
            found = measured_on(bench, tmp_path / threshold, asked)
            assert require(bench.pump, Capability.SETTINGS).setting(Setting.OCCLUSION_LEVEL) == 1.0
        assert value(found, UNALARMED) == 0.0
        assert value(found, TYPICAL) <= value(found, LONGEST)
        assert value(found, MISSED) > value(found, RELEASED) > 0.0
        at_alarm_kpa.append(value(found, AT_ALARM))
        kept = [found.analyses[f"occlusion-{number}"] for number in (1, 2)]
        titles = [f"Occlusion {number} of 2 at 10 U/h, threshold {threshold}" for number in (1, 2)]
        assert [each.title for each in kept] == titles
        series = found.analyses["occlusions"]
        assert isinstance(series, OcclusionSeries)
        times_s = [each.time_to_alarm_s for each in kept if isinstance(each, OcclusionNumbers)]
        assert [each.time_to_alarm_s for each in series.occlusions] == times_s
    low, high = at_alarm_kpa
    assert low + 40.0 < high


def test_a_pump_that_never_alarms_is_occluded_once_and_given_up(tmp_path: Path) -> None:
    never = {"virtual.firmware": str(Path("fixtures/controller/mutants/never_alarm.elf").resolve())}
    asked = Occlusion(rate_u_per_h=10.0, threshold="high", count=3, free_s=60.0, watch_s=60.0, giving_up_after_u=5.0)
    found = measured_virtually(tmp_path / "taken", asked, never)
    assert value(found, UNALARMED) == 1.0
    assert value(found, LONGEST) == pytest.approx(5.0 / 10.0 * 3600.0, abs=20.0)
    series = found.analyses["occlusions"]
    assert isinstance(series, OcclusionSeries)
    assert [each.time_to_alarm_s for each in series.occlusions] == [None]


def test_a_threshold_is_given_back_also_when_the_measurement_breaks_off(tmp_path: Path) -> None:
    def break_off(bench: Bench, record: Recorder) -> None:
        with threshold_set(bench, record, "high"):
            assert require(bench.pump, Capability.SETTINGS).setting(Setting.OCCLUSION_LEVEL) == 2.0
            raise BlockedError("the room is too warm")

    with open_bench(VIRTUAL) as bench, recorded(tmp_path / "taken", bench) as record:
        with pytest.raises(BlockedError, match="too warm"):
            break_off(bench, record)
        assert require(bench.pump, Capability.SETTINGS).setting(Setting.OCCLUSION_LEVEL) == 1.0


@pytest.mark.parametrize(("back_pressure_kpa", "alarms"), [(0.0, 0.0), (90.0, 1.0)])
def test_a_line_under_back_pressure_is_taken_for_occluded_at_the_low_threshold(
    tmp_path: Path, back_pressure_kpa: float, alarms: float
) -> None:
    asked = Unoccluded(rate_u_per_h=1.0, duration_s=7200.0, threshold="low")
    pushed_back = {"virtual.parameters.fluid.back_pressure_kpa": back_pressure_kpa}
    false_alarms, error, *_ = measured_virtually(tmp_path / "taken", asked, pushed_back).measured
    assert (false_alarms.name, false_alarms.value) == ("false occlusion alarms at 1 U/h, threshold low", alarms)
    assert (abs(error.value) < 10.0) == (alarms == 0.0)


def test_the_report_tabulates_a_series() -> None:
    rows = tuple(
        OneOcclusion(time_to_alarm_s=at_s, pressure_at_alarm_kpa=72.5, missed_u=1.91, released_u=1.85)
        for at_s in (6600.0, None, 6900.0)
    )
    series = OcclusionSeries(title="Occlusions at 2 U/h, threshold low", rate_u_per_h=2.0, occlusions=rows)
    said, table = (block for block in kind_of(series).blocks(series, DrawnLimits()) if isinstance(block, dict))
    assert _plain(said["rows"]) == [
        ["Programmed rate", "2 U/h"],
        ["Alarmed", "2 of 3"],
        ["Typical time to the alarm (median)", "1 h 53 min"],
        ["Longest time to the alarm", "1 h 55 min"],
    ]
    assert _plain(table["rows"]) == [
        ["1", "1 h 50 min", "72.5 kPa", "1.91 U", "1.85 U"],
        ["2", "no alarm", "72.5 kPa", "1.91 U", "1.85 U"],
        ["3", "1 h 55 min", "72.5 kPa", "1.91 U", "1.85 U"],
    ]


def _plain(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    return [[cell.replace("\N{NO-BREAK SPACE}", " ") for cell in row] for row in rows]

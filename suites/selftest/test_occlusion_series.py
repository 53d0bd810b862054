"""Occlusions at a threshold of the pump: what is reported of several, on the whole bench too, and false alarms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from rig.evidence import RunFolder, TestRecorder, read_json, slug, write_json
from rig.procedures.occlusion_series import (
    FreePlan,
    OcclusionPlan,
    measure_free_delivery,
    measure_occlusions,
    occlusion_budgets,
    threshold_set,
)

from reports.pdf import write_report
from rig.analysis.occlusion import OcclusionAlarm
from rig.bench import open_bench
from rig.errors import BlockedError
from rig.procedures.occlusion import OcclusionResult
from rig.procedures.volume import VolumeScale
from rig.roles import Air, Bench
from rig.therapy import Setting
from suites.coverage.laboratory import declared
from suites.selftest.synthetic_run import OCCLUSION, make_run

VIRTUAL = Path("fixtures/benches/virtual.toml")
SCALE = VolumeScale.in_air(declared(), Air(21.5, 1008.0, 0.48))
PLAN = OcclusionPlan(rate_u_per_h=10.0, threshold="low", count=3)


@contextmanager
def recorded(folder: Path, overrides: Mapping[str, Any] | None = None) -> Iterator[tuple[Bench, TestRecorder]]:
    with open_bench(VIRTUAL, overrides or {}) as bench:
        record = RunFolder.create(folder / "run", {}).test("occlusion", bench.clock)
        yield bench, record
        record.close()


def one(time_s: float, pressure_kpa: float, missed_u: float, released_u: float) -> OcclusionResult:
    alarm = OcclusionAlarm(time_s, pressure_kpa, pressure_kpa + 1.0, 30.0, 10.0, 10.0 * missed_u, 0.25, 0.01)
    return OcclusionResult(True, alarm, missed_u, released_u, 0.0)


def test_of_several_occlusions_the_median_and_the_worst_are_reported() -> None:
    results = [one(700.0, 70.0, 1.9, 1.8), one(600.0, 72.0, 1.7, 1.9), one(900.0, 74.0, 1.8, 1.7)]
    budgets = occlusion_budgets(PLAN, results, SCALE)
    assert {name.removesuffix(" at 10 U/h, threshold low"): round(each.value, 6) for name, each in budgets.items()} == {
        "typical time to the alarm": 700.0,
        "longest time to the alarm": 900.0,
        "typical pressure at the alarm": 72.0,
        "highest pressure": 75.0,
        "largest missed volume": 1.9,
        "largest bolus on release": 1.9,
    }
    longest, highest, missed = (budgets[f"{name} at {PLAN.title}"] for name in (
        "longest time to the alarm", "highest pressure", "largest missed volume",
    ))  # fmt: skip
    assert longest.expanded == pytest.approx(2.0 * 10.0 / 3.0**0.5, rel=1e-3)  # seen up to 10 s late
    assert highest.expanded == pytest.approx(0.5, rel=1e-3)
    assert missed.rows[0].source == "time between looks at the pump"
    assert missed.rows[0].contribution == pytest.approx(10.0 * 10.0 / 3600.0 / 3.0**0.5)


def test_each_threshold_alarms_at_its_own_pressure_and_the_pumps_setting_is_given_back(tmp_path: Path) -> None:
    at_alarm_kpa = []
    for threshold in ("low", "high"):
        plan = OcclusionPlan(rate_u_per_h=10.0, threshold=threshold, count=2, free_s=60.0, watch_s=60.0)
        with recorded(tmp_path / threshold) as (bench, record):
            found = {m.name: m for m in measure_occlusions(bench, record, plan)}
            assert bench.pump.setting(Setting.OCCLUSION_LEVEL) == 1.0
        names = plan.names
        assert found[names.unalarmed].value == 0.0
        assert found[names.typical].value <= found[names.longest].value
        assert found[names.missed].value > found[names.released].value > 0.0
        at_alarm_kpa.append(found[names.at_alarm].value)
        kept = [read_json(path) for path in sorted((tmp_path / threshold).rglob("occlusion-*.json"))]
        titles = [f"Occlusion {number} of 2 at 10 U/h, threshold {threshold}" for number in (1, 2)]
        assert [each["title"] for each in kept] == titles
        (series,) = [read_json(path) for path in (tmp_path / threshold).rglob("occlusions.json")]
        assert [each["time_to_alarm_s"] for each in series["occlusions"]] == [each["time_to_alarm_s"] for each in kept]
    low, high = at_alarm_kpa
    assert low + 40.0 < high


def test_a_pump_that_never_alarms_is_occluded_once_and_given_up(tmp_path: Path) -> None:
    never = {"virtual.firmware": str(Path("fixtures/controller/mutants/never_alarm.elf").resolve())}
    plan = OcclusionPlan(rate_u_per_h=10.0, threshold="high", count=3, free_s=60.0, watch_s=60.0, giving_up_after_u=5.0)
    with recorded(tmp_path, never) as (bench, record):
        found = {m.name: m.value for m in measure_occlusions(bench, record, plan)}
    assert found[plan.names.unalarmed] == 1.0
    assert found[plan.names.longest] == pytest.approx(5.0 / 10.0 * 3600.0, abs=20.0)
    (series,) = [read_json(path) for path in tmp_path.rglob("occlusions.json")]
    assert [each["time_to_alarm_s"] for each in series["occlusions"]] == [None]


def test_a_threshold_is_given_back_also_when_the_measurement_breaks_off(tmp_path: Path) -> None:
    def break_off(bench: Bench, record: TestRecorder) -> None:
        with threshold_set(bench, record, "high"):
            assert bench.pump.setting(Setting.OCCLUSION_LEVEL) == 2.0
            raise BlockedError("the room is too warm")

    with recorded(tmp_path) as (bench, record):
        with pytest.raises(BlockedError, match="too warm"):
            break_off(bench, record)
        assert bench.pump.setting(Setting.OCCLUSION_LEVEL) == 1.0


@pytest.mark.parametrize(("back_pressure_kpa", "alarms"), [(0.0, 0.0), (90.0, 1.0)])
def test_a_line_under_back_pressure_is_taken_for_occluded_at_the_low_threshold(
    tmp_path: Path, back_pressure_kpa: float, alarms: float
) -> None:
    plan = FreePlan(rate_u_per_h=1.0, duration_s=7200.0, threshold="low")
    pushed_back = {"virtual.parameters.fluid.back_pressure_kpa": back_pressure_kpa}
    with recorded(tmp_path, pushed_back) as (bench, record):
        false_alarms, error = measure_free_delivery(bench, record, plan)
    assert (false_alarms.name, false_alarms.value) == ("false occlusion alarms at 1 U/h, threshold low", alarms)
    assert (abs(error.value) < 10.0) == (alarms == 0.0)


def test_the_report_tabulates_a_series(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    rows = [
        {"time_to_alarm_s": at_s, "pressure_at_alarm_kpa": 72.5, "missed_u": 1.91, "released_u": 1.85}
        for at_s in (6600.0, None, 6900.0)
    ]
    content = {"kind": "occlusions", "title": "Occlusions at 2 U/h, threshold low", "rate_u_per_h": 2.0}
    write_json(run / "analysis" / slug(OCCLUSION) / "occlusions.json", content | {"occlusions": rows})
    said = " ".join(" ".join(page.extract_text().split()) for page in PdfReader(write_report(run)).pages)
    said = said.replace("\N{NO-BREAK SPACE}", " ")
    assert "2 of 3" in said
    assert "Typical time to the alarm (median) 1 h 52 min" in said
    assert "2 no alarm 72.5 kPa 1.91 U 1.85 U" in said

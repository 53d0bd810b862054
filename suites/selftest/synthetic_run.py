"""A run folder with made-up but plausible numbers, for tests of the report: written by the rig's own recorder.

Not responsible for physics: the numbers only look like a pump's. Fixed seed, no bench, no clock but the simulated one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rig.evidence import RunFolder, TestRecorder, read_json, read_json_lines, write_json

from rig.analysis.bolus import bolus_statistics
from rig.analysis.flow import flow_ul_per_h, hourly_windows
from rig.analysis.trumpet import AMBULATORY, trumpet_curve
from rig.clock import SimClock
from rig.procedures.contents import BINS
from rig.run.results import join
from rig.verdicts.limits import Measurement
from rig.verdicts.requirements import read_requirements

BASAL = "suites/pump/test_basal.py::test_basal_delivery_at_1_u_per_h"
BOLUS = "suites/pump/test_bolus.py::test_consecutive_boluses[1 U]"
OCCLUSION = "suites/pump/occlusion.robot::Occlusion At 1 U/h"
STOPPED = "suites/pump/test_stopped.py::test_stopped_pump"

REQUIREMENTS = """
[[requirement]]
id = "PR-D1.1"
text = "Basal delivery at 1 U/h over 25 h is within ±5 % of the programme."
clause = "IEC 60601-2-24 (method); maker's accuracy claim (limit)"
hazard = "Over- or under-infusion of insulin"
measurement = [{ name = "mean basal error", unit = "%", low = -5, high = 5 }]
[[requirement]]
id = "PR-D1.2"
text = "Basal delivery at 1 U/h in any window of 60 min is within ±15 % of the programme."
clause = "IEC 60601-2-24 (method: trumpet curve); maker's accuracy claim (limit)"
hazard = "Uneven infusion of insulin"
measurement = [
    { name = "largest error of a 60 min window", unit = "%", high = 15 },
    { name = "smallest error of a 60 min window", unit = "%", low = -15 },
]
[[requirement]]
id = "PR-D3.2"
text = "25 consecutive boluses of 1 U are within ±5 % on average and ±10 % each."
clause = "IEC 60601-2-24 (method); maker's accuracy claim (limit)"
hazard = "Over- or under-infusion of insulin"
measurement = [
    { name = "mean bolus error at 1 U", unit = "%", low = -5, high = 5 },
    { name = "largest bolus error at 1 U", unit = "%", high = 10 },
    { name = "smallest bolus error at 1 U", unit = "%", low = -10 },
]
[[requirement]]
id = "PR-D7.1"
text = "With therapy stopped nothing is delivered in 30 min."
clause = "Generic safety requirement"
hazard = "Over-infusion of insulin"
measurement = [{ name = "delivered while stopped", unit = "U", low = -0.05, high = 0.05 }]
[[requirement]]
id = "PR-F1.1"
text = "At 1 U/h an occlusion is alarmed before 5 U are missed, below 240 kPa."
clause = "IEC 60601-2-24 (method: occlusion); maker's disclosure (limit)"
hazard = "Under-infusion of insulin, ketoacidosis"
measurement = [
    { name = "missed volume at the alarm", unit = "U", high = 5 },
    { name = "highest pressure during an occlusion", unit = "kPa", high = 240 },
]
[[requirement]]
id = "PR-F2.1"
text = "A low reservoir is annunciated while between 15 U and 25 U remain."
clause = "Generic safety requirement"
hazard = "Under-infusion of insulin"
measurement = [{ name = "remaining at the low-reservoir warning", unit = "U", low = 15, high = 25 }]
"""

MANIFEST: dict[str, Any] = {
    "format": 1,
    "run_id": "2026-11-23T08-15-02Z-virtual",
    "started_utc": "2026-11-23T08:15:02Z",
    "ended_utc": None,
    "outcome": "started",
    "virtual": True,
    "seed": 1,
    "bench_file": "fixtures/benches/virtual.toml",
    "bench_sha256": "0f" * 32,
    "bench": {
        "name": "Virtual bench",
        "balance": {"driver": "mettler_xpr", "repeatability": "2.5 µg", "readability": "1 µg"},
        "fluid": {"name": "water", "evaporation_per_hour": "0.02 mg"},
        "virtual": {"seed": 1},
    },
    "requirements_file": "suites/requirements.toml",
    "requirements_sha256": "54" * 32,
    "overrides": {},
    "selected": None,
    "versions": {"python": "3.11.7", "insulin-pump-rig": "0.1.0"},
    "commit": "9b5257f8e90ca4b4e3c2302f8d8cbc1ffdbc1c84",
    "firmware_sha256": "8d" * 32,
    "operator": None,
    "equipment": [
        {
            "role": "balance",
            "driver": "mettler_xpr",
            "address": "ASRL1::INSTR",
            "maker": "Mettler-Toledo",
            "model": "XPR26",
            "serial_number": "B831204417",
            "firmware": "2.00",
            "calibrated": "2026-03-02",
            "calibration_due": "2027-03-02",
            "status": "in date",
        },
        {
            "role": "switch",
            "driver": "numato_relay",
            "address": "ASRL3::INSTR",
            "maker": "Numato Lab",
            "model": "8 Channel USB Relay Module",
            "serial_number": "RLY00042",
            "firmware": "8",
            "calibrated": None,
            "calibration_due": None,
            "status": "not required",
        },
    ],
    "dut": {"maker": "Open Rig", "model": "RC-1", "serial_number": "RC1-000001", "firmware": "0.1.0"},
}


def make_run(folder: Path, *, outcome: str = "complete", **manifest: Any) -> Path:  # noqa: ANN401 - any manifest value
    """Write a run with a basal, a bolus, an occlusion and a stopped test; `manifest` lays other values over it."""
    run = RunFolder.create(folder, MANIFEST | manifest)
    rng = np.random.default_rng(7)
    plans = (
        (BASAL, "Basal delivery at 1 U/h.", ("PR-D1.1", "PR-D1.2"), _basal),
        (BOLUS, "Consecutive boluses, each weighed to its plateau. [1 U]", ("PR-D3.2",), _boluses),
        (OCCLUSION, "Occlusion at 1 U/h.", ("PR-F1.1",), _occlusion),
        (STOPPED, "A stopped pump, weighed for 30 min.", ("PR-D7.1",), _stopped),
    )
    for test, title, ids, _ in plans:
        run.collected(test, title, ids)
    for test, _, _, measure in plans:
        clock = SimClock()
        record = run.test(test, clock)
        record.sample("environment", temperature_c=21.6, pressure_hpa=1005.2, relative_humidity=0.492)
        measure(record, clock, rng)
        record.end("passed")
    close_run(run, outcome)
    return folder


def close_run(run: RunFolder, outcome: str = "complete") -> None:
    """Join the results and state a fixed end."""
    manifest = run.manifest() | {"ended_utc": "2026-11-23T08:15:31Z", "outcome": outcome}
    write_json(run.path / "manifest.json", manifest)
    requirements = run.path.with_name(f"{run.path.name}-requirements.toml")
    requirements.write_text(REQUIREMENTS, encoding="utf-8")
    results = join(read_requirements(requirements), run.events(), selected=manifest["selected"])
    write_json(run.path / "results.json", results)


def change(path: Path, **values: Any) -> None:  # noqa: ANN401 - any JSON value
    """Lay other values over a JSON file of a run."""
    write_json(path, read_json(path) | values)


def forget_measurements(run: Path, test: str) -> None:
    """Take what `test` measured out of the record."""
    events = read_json_lines(run / "tests.jsonl")
    kept = [event for event in events if (event["event"], event["test"]) != ("measurement", test)]
    (run / "tests.jsonl").write_text("".join(json.dumps(event) + "\n" for event in kept), encoding="utf-8")


def _basal(record: TestRecorder, clock: SimClock, rng: np.random.Generator) -> None:
    rate_ml_per_h, interval_min, density = 0.01, 15.0, 0.9968
    error = 0.03 * np.sin(np.arange(100) / 5.0) - 0.011 + rng.normal(0.0, 0.012, 100)
    steps_g = rate_ml_per_h * density * interval_min / 60.0 * (1.0 + error)
    mass_g = np.concatenate([[0.0], np.cumsum(steps_g)])
    for mass in mass_g:
        record.sample("balance", mass_g=float(mass), stable=True)
        clock.sleep(interval_min * 60.0)
    curve = trumpet_curve(mass_g, interval_min=interval_min, rate_ml_per_h=rate_ml_per_h, density_g_per_ml=density)
    hourly = hourly_windows(mass_g, interval_min=interval_min, rate_ml_per_h=rate_ml_per_h, density_g_per_ml=density)
    flow = flow_ul_per_h(mass_g, interval_min=interval_min, density_g_per_ml=density)
    hour = AMBULATORY.windows_min.index(60)
    record.measure("PR-D1.1", Measurement("mean basal error", curve.overall_error_percent, "%", 0.2))
    for name, value in (("largest", curve.error_max_percent[hour]), ("smallest", curve.error_min_percent[hour])):
        record.measure("PR-D1.2", Measurement(f"{name} error of a 60 min window", float(value), "%", 0.21))
    record.analysis(
        "trumpet",
        "trumpet",
        {
            "title": "Basal delivery at 1 U/h",
            "rate_u_per_h": 1.0,
            "interval_min": interval_min,
            "stabilisation_h": 24.0,
            "analysis_h": 25.0,
            "density_g_per_ml": density,
            "dose_interval_s": 90.0,
            "windows_min": curve.windows_min.tolist(),
            "error_max_percent": curve.error_max_percent.tolist(),
            "error_min_percent": curve.error_min_percent.tolist(),
            "overall_error_percent": curve.overall_error_percent,
            "hourly": {
                "mean_percent": hourly.mean_percent,
                "sd_percent": hourly.sd_percent,
                "within": dict(
                    zip(("5", "10", "15", "20", "30"), (s / 100 for s in hourly.share_within_percent), strict=True)
                ),
            },
            "missed_doses": {"doses": 999, "missed": 0},
            "flow": {"at_h": (np.arange(1, 101) / 4.0).tolist(), "flow_u_per_h": (flow / 10.0).tolist()},
        },
    )


def _boluses(record: TestRecorder, clock: SimClock, rng: np.random.Generator) -> None:
    delivered_u = 0.992 + rng.normal(0.0, 0.014, 25)
    statistics = bolus_statistics(10.0 * delivered_u, programmed_ul=10.0)
    clock.sleep(25 * 180.0)
    for name, value in (
        ("mean", statistics.mean_error_percent),
        ("largest", statistics.max_error_percent),
        ("smallest", statistics.min_error_percent),
    ):
        record.measure("PR-D3.2", Measurement(f"{name} bolus error at 1 U", value, "%", 0.31))
    record.analysis(
        "bolus",
        "bolus",
        {
            "title": "25 boluses of 1 U",
            "programmed_u": 1.0,
            "delivered_u": delivered_u.tolist(),
            "logged_u": [1.0] * 25,
            "u_u": [0.0031] * 25,
            "mean_error_percent": statistics.mean_error_percent,
            "sd_percent": 100.0 * statistics.sd_ul / statistics.programmed_ul,
            "worst_error_percent": float(max(statistics.error_percent, key=abs)),
            "bins": dict(zip(BINS, statistics.bins, strict=True)),
            "tail_percent": 10.4,
        },
    )


def _occlusion(record: TestRecorder, clock: SimClock, rng: np.random.Generator) -> None:
    at_s: NDArray[np.float64] = np.arange(0.0, 13600.0, 10.0)
    closed_s, alarm_s, opened_s = 1800.0, 11700.0, 13500.0
    rise = np.clip((at_s - closed_s) / (alarm_s - closed_s), 0.0, 1.0) * (at_s < opened_s)
    delivered_u = np.minimum(at_s, closed_s) / 3600.0 + 2.67 * (1.0 - np.exp(-np.maximum(at_s - opened_s, 0.0) / 15.0))
    clock.sleep(13600.0)
    record.measure("PR-F1.1", Measurement("missed volume at the alarm", 2.75, "U", 0.0056))
    record.measure("PR-F1.1", Measurement("highest pressure during an occlusion", 106.8, "kPa", 0.5))
    record.analysis(
        "occlusion",
        "occlusion",
        {
            "title": "Occlusion at 1 U/h",
            "rate_u_per_h": 1.0,
            "occluded_at_s": closed_s,
            "alarm_at_s": alarm_s,
            "released_at_s": opened_s,
            "time_to_alarm_s": alarm_s - closed_s,
            "pressure_at_alarm_kpa": 106.8,
            "missed_u": 2.75,
            "released_u": 2.67,
            "compliance_ul_per_kpa": None,
            "trace": {
                "at_s": at_s.tolist(),
                "pressure_kpa": (106.8 * rise + rng.normal(0.0, 0.02, at_s.size)).tolist(),
                "delivered_u": delivered_u.tolist(),
            },
        },
    )


def _stopped(record: TestRecorder, clock: SimClock, _: np.random.Generator) -> None:
    clock.sleep(1800.0)
    record.measure("PR-D7.1", Measurement("delivered while stopped", -0.0009, "U", 0.0012))

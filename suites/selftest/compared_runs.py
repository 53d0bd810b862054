"""Small runs with made-up values for tests of comparisons: written by the rig's own record, in its present format.

Not responsible for physics; no bench, no clock but the simulated one.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rig.clock import SimClock
from rig.record.analyses import BolusNumbers, Budgets, QuantityBudget, SourceRow
from rig.record.files import write_whole
from rig.record.folder import RunFolder, keep_computed
from rig.record.manifest import Equipment, Manifest, Plan, RunOutcome, Software
from rig.record.models import Device
from rig.record.taking import Asked
from rig.run.results import join
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Quantity
from suites.selftest.recorded import sealed

TEST = "suites/pump/test_bolus.py::test_consecutive_boluses[1 U]"
SUITE = "suites/pump/test_x.py"
OTHER_TEST = "suites/pump/day.robot::A Day With Breakfast"
MEAN = Quantity("bolus.mean_error", (("size", "1 U"),), "%", "mean bolus error at 1 U")
LARGEST = Quantity("bolus.largest_error", (("size", "1 U"),), "%", "largest bolus error at 1 U")
REFUSED = Quantity("refused.share", (), "%", "boluses above the maximum that were refused")

Given = tuple[str, Quantity, float, float]
"""Test, quantity, value and U. A quantity that a test gives again is of its next attempt."""


def stored_run(
    folder: Path,
    values: Iterable[Given],
    *,
    serial: str = "A",
    firmware: str = "1.0",
    outcome: RunOutcome = "complete",
    calibration_u: float | None = None,
    suite: bytes | None = None,
    **manifest: Any,  # noqa: ANN401 - any value of a manifest
) -> Path:
    """Write a finished run; `calibration_u` is what the calibration of the balance adds to u of each value.

    `suite` is what its only frozen input holds.
    """
    if suite is not None:
        manifest["inputs"] = {SUITE: hashlib.sha256(suite).hexdigest()}
        write_whole(folder / "record" / "inputs" / SUITE, suite)
    RunFolder.create(folder, _manifest(serial, firmware, manifest))
    run = RunFolder(folder)  # which writes at once
    attempts: dict[tuple[str, int], list[Measurement]] = {}
    times: dict[tuple[str, Quantity], int] = {}
    for test, quantity, value, expanded in values:
        times[test, quantity] = times.get((test, quantity), 0) + 1
        attempts.setdefault((test, times[test, quantity]), []).append(Measurement(quantity, value, expanded))
    for test, _ in attempts:
        run.collect(test, test, (), ())
    for (test, _), measured in attempts.items():
        attempt = run.attempt(test)
        attempt.start(SimClock())
        recorder = attempt.take(Asked(table="bolus", parameters={}))
        analyses = {} if calibration_u is None else {"uncertainty": _budgets(measured, calibration_u)}
        keep_computed(recorder.folder, measured, analyses)
        attempt.end("passed")
        attempt.wires.close()
    run.appender.close()
    if outcome != "started":
        run.end(join({}, run), outcome)
    return folder


def boluses_of(folder: Path, delivered_u: tuple[float, ...]) -> None:
    """Add single boluses of 1 U to a run, beside its first measurement."""
    (computed, *_) = sorted(folder.glob("record/tests/*/1/1-bolus/computed"))
    analysis = BolusNumbers(
        title="boluses", programmed_u=1.0, delivered_u=delivered_u, u_u=None, mean_error_percent=0.0, sd_percent=0.0,
        worst_error_percent=0.0, bins={}, tail_percent=None,
    )  # fmt: skip
    (computed / "bolus.json").write_text(json.dumps(analysis.model_dump(mode="json")), encoding="utf-8")
    sealed(folder)


def _manifest(serial: str, firmware: str, other: dict[str, Any]) -> Manifest:
    fields: dict[str, Any] = {
        "run_id": "2026-11-23T08-15-02Z-bench",
        "started_utc": datetime.datetime(2026, 11, 23, 8, 15, 2, tzinfo=datetime.UTC),
        "virtual": False,
        "seed": None,
        "bench_file": "bench.toml",
        "bench_sha256": "0f" * 32,
        "bench": {"name": "Bench"},
        "requirements_file": "suites/requirements.toml",
        "requirements_sha256": "54" * 32,
        "plan": Plan(name="short", purpose="", file="short.toml", sha256="aa" * 32, content={"name": "short"}),
        "overrides": {},
        "versions": {"insulin-pump-rig": "0.1.0"},
        "software": Software(version="0.1.0", commit=None, dirty=None, sha256="bb" * 32),
        "firmware_sha256": None,
        "operator": None,
        "dut": Device(maker="Open Rig", model="RC-1", serial_number=serial, firmware=firmware),
        "equipment": (
            Equipment(
                role="balance",
                driver="mettler_xpr",
                address="ASRL1",
                maker="Mettler-Toledo",
                model="XPR26",
                serial_number="B1",
                firmware="2.00",
                calibrated="2026-03-02",
                calibration_due="2027-03-02",
                status="in date",
            ),
        ),
    }
    return Manifest(**fields | other)


def _budgets(measured: list[Measurement], calibration_u: float) -> Budgets:
    return Budgets(title="Uncertainty", budgets=tuple(_budget(each, calibration_u) for each in measured))


def _budget(measurement: Measurement, calibration_u: float) -> QuantityBudget:
    u = measurement.expanded_uncertainty / 2.0
    own = (u**2 - calibration_u**2) ** 0.5
    rows = tuple(
        SourceRow(
            source=source, kind="B", value=0.0, unit="%", u=part, degrees_of_freedom=None, sensitivity=1.0,
            contribution=part, share_percent=100.0 * part**2 / u**2,
        )
        for source, part in (("calibration of the balance", calibration_u), ("repeatability", own))
    )  # fmt: skip
    return QuantityBudget(
        quantity=measurement.name, value=measurement.value, unit=measurement.unit, u=u, degrees_of_freedom=None,
        coverage_percent=95.45, coverage_factor=2.0, expanded=measurement.expanded_uncertainty, rows=rows,
    )  # fmt: skip

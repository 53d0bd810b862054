"""A closed run as rows of the tables, held against the hashes that it was closed with.

Not responsible for joining results again from the tests (`rig.run.reading`, `rig audit` do): the store takes what the
closed record says. A fact of a format that is not known is passed over.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rig.bench.conditions import Conditions
from rig.errors import EvidenceError
from rig.record.closed import CLOSING, closing_head, sums
from rig.record.files import read_json_lines
from rig.record.folder import RECORD, RunFolder, read_model
from rig.record.manifest import Closing, Manifest
from rig.record.models import MeasuredRecord
from rig.record.reading import read_run
from rig.record.results import Results
from rig.record.routine_test import RoutineTest

Row = dict[str, Any]
ROUTINE_TEST = "inputs/routine_test.json"
MASS_ERROR = "error of the balance at its reference mass"
REPEATABILITY = "repeatability of the balance"
CLOCK_STEP = "step of the host's clock"
CLOCK_ERROR = "largest error of the host's clock"
CLOCK_RATE = "correction of the host's clock rate"


class AlteredRunError(EvidenceError):
    """A record is not as it was closed."""


@dataclass(frozen=True)
class RunRows:
    """A run as rows, by table; `head` is the hash that its closing carries."""

    folder: Path
    head: str
    run_id: str
    run: Row
    instruments: list[Row] = field(default_factory=list)
    attempts: list[Row] = field(default_factory=list)
    verdicts: list[Row] = field(default_factory=list)
    values: list[Row] = field(default_factory=list)
    judgements: list[Row] = field(default_factory=list)
    bench_facts: list[Row] = field(default_factory=list)

    @property
    def size(self) -> int:
        """How many rows it has."""
        return sum(
            map(len, (self.instruments, self.attempts, self.verdicts, self.values, self.judgements, self.bench_facts))
        )

    def tell(
        self,
        what: str,
        unit: str,
        value: float,
        u: float | None = None,
        *,
        role: str | None = None,
        test: str | None = None,
    ) -> None:
        """Add what a run tells of its bench: the role of an instrument, if of one, and the folder of the test."""
        self.bench_facts.append(
            {
                "n": len(self.bench_facts),
                "what": what,
                "role": role,
                "test": test,
                "unit": unit,
                "value": value,
                "standard_uncertainty": u,
            }
        )


def take_run(folder: Path) -> RunRows:
    """Take a closed run.

    Raises:
        AlteredRunError: a file is not as it was when the run was closed.
        EvidenceError: the folder holds no closed run, or a file is missing or damaged.
    """
    record = folder / RECORD
    if not record.is_dir():
        run = read_run(folder)  # of format 1, which was never closed by hashes: its files are its head
        told = json.dumps([(file.path, file.sha256) for file in run.files]).encode()
        return _rows(folder, hashlib.sha256(told).hexdigest(), run.manifest, run.results)
    if not (record / CLOSING).is_file():
        raise EvidenceError(f"{folder}: the run is not closed; rig report closes one whose process has ended")
    closing = read_model(record / CLOSING, Closing)
    head = closing_head((record / CLOSING).read_bytes())
    if head is None:
        raise AlteredRunError(f"{record / CLOSING}: was changed after the run was closed")
    facts = sorted(name for name in closing.files if name.endswith("/facts.jsonl"))
    read = ("manifest.json", "bench_check.json", "results.json", ROUTINE_TEST, *facts)
    names = [name for name in read if name in closing.files]
    for name in names:
        if not (record / name).is_file():
            raise AlteredRunError(f"{record / name}: was removed after the run was closed")
        if sums(record / name) != closing.files[name]:
            raise AlteredRunError(f"{record / name}: was changed after the run was closed")
    if "results.json" not in names:
        raise EvidenceError(f"{folder}: the run has no results: {closing.reason}")
    manifest = RunFolder(folder).manifest()
    results = read_model(record / "results.json", Results)
    rows = _rows(folder, head, manifest, results)
    for name in facts:
        _tell_flows(rows, record / name, test=name.split("/")[1])
    if ROUTINE_TEST in names:
        weighed = read_model(record / ROUTINE_TEST, RoutineTest)
        rows.tell(MASS_ERROR, "g", weighed.error_g, weighed.u_error_g, role="balance")
        rows.tell(REPEATABILITY, "g", weighed.repeatability_g, role="balance")
    for what, unit, value in (
        (CLOCK_RATE, "ppm", manifest.clock_correction_ppm), (CLOCK_ERROR, "s", manifest.clock_largest_error_s),
        *((CLOCK_STEP, "s", step.by_s) for step in closing.clock_steps),
    ):  # fmt: skip
        if value is not None:
            rows.tell(what, unit, value)
    return rows


def _rows(folder: Path, head: str, manifest: Manifest, results: Results) -> RunRows:
    rows = RunRows(folder, head, manifest.run_id, _run_row(folder, head, manifest, results))
    rows.instruments.extend(
        {"n": n, **each.model_dump(exclude={"driver", "address"})} for n, each in enumerate(manifest.equipment)
    )
    rows.attempts.extend(
        {
            "n": n, "test": each.id, "attempt": each.attempt, "title": each.title,
            "outcome": each.outcome, "duration_s": each.duration_s, "superseded": each.superseded,
        }
        for n, each in enumerate(results.tests)
    )  # fmt: skip
    places: dict[Any, int] = {}
    for requirement in results.requirements:
        rows.verdicts.append(
            {
                "requirement": requirement.id, "verdict": requirement.verdict.value,
                "reason": requirement.reason, "in_scope": requirement.in_scope,
            }
        )  # fmt: skip
        judged = set()
        for measured in requirement.measurements:
            n = _place(rows, places, measured, measured.test, measured.attempt)
            if n in judged:
                continue
            judged.add(n)
            limit = measured.limit
            rows.judgements.append(
                {
                    "requirement": requirement.id, "n": n, "low": limit.low, "high": limit.high,
                    "rule": measured.rule.value, "verdict": measured.verdict.value,
                }
            )  # fmt: skip
    for reported in results.reported:
        _place(rows, places, reported, reported.test, reported.attempt)
    return rows


def _tell_flows(rows: RunRows, facts: Path, test: str) -> None:
    """Add what the balance weighed while the pump was stopped."""
    try:
        for fact in read_json_lines(facts):
            if fact.get("fact") == "FlowWhileStopped":
                flow, u = float(fact["flow_u_per_h"]), float(fact["u_u_per_h"])
                rows.tell(f"flow in the {fact['phase']}", "U/h", flow, u, role="balance", test=test)
    except (KeyError, TypeError, ValueError) as error:
        raise EvidenceError(f"{facts}: a flow while the pump is stopped has no number: {error}") from error


def _place(rows: RunRows, places: dict[Any, int], measured: MeasuredRecord, test: str, attempt: int) -> int:
    """Find the place of a measured value, which may be judged by several requirements; add it where it is new."""
    quantity = measured.quantity
    key = test, attempt, quantity.kind, quantity.name, quantity.unit, measured.value, measured.expanded_uncertainty
    if key not in places:
        places[key] = len(rows.values)
        rows.values.append(
            {
                "n": places[key], "test": test, "attempt": attempt, "kind": quantity.kind,
                "name": quantity.name, "unit": quantity.unit, "value": measured.value,
                "expanded_uncertainty": measured.expanded_uncertainty,
            }
        )  # fmt: skip
    return places[key]


def _run_row(folder: Path, head: str, manifest: Manifest, results: Results) -> Row:
    dut, software, plan = manifest.dut, manifest.software, manifest.plan
    return {
        "head": head,
        "run_id": manifest.run_id,
        "resumes": manifest.resumes.run_id if manifest.resumes else None,
        "folder": str(folder.resolve()).encode(errors="backslashreplace").decode(),
        "started_utc": manifest.started_utc.astimezone(UTC).isoformat(),
        "ended_utc": manifest.ended_utc.astimezone(UTC).isoformat() if manifest.ended_utc else None,
        "outcome": manifest.outcome,
        "verdict": results.verdict.value,
        "simulated": manifest.virtual,
        "bench": str(manifest.bench.get("name") or manifest.bench_file),
        "plan": plan.name if plan else None,
        "plan_sha256": plan.sha256 if plan else None,
        "selected": manifest.selected,
        "condition": _title(manifest.conditions),
        "operator": manifest.operator,
        "rig_version": software.version if software else None,
        "rig_commit": software.commit if software else manifest.commit,
        "requirements_sha256": manifest.requirements_sha256,
        "firmware_sha256": manifest.firmware_sha256,
        "pump_maker": dut.maker if dut else None,
        "pump_model": dut.model if dut else None,
        "pump_serial": dut.serial_number if dut else None,
        "pump_firmware": dut.firmware if dut else None,
    }


def _title(conditions: dict[str, float]) -> str:
    try:
        return Conditions.model_validate(conditions).title
    except ValidationError:  # of a rig that knew other conditions
        return json.dumps(conditions, sort_keys=True)

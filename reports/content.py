"""A run as plain data for the template: cover, summary, tables. Text stays text: the template never runs it.

Not responsible for layout (`document.typ`) nor for the sections of analyses (`reports.sections`).
"""

from __future__ import annotations

from typing import Any

from reports.back_matter import deviations, equipment, identification, tests
from reports.claims import claimed
from reports.faults import faults
from reports.marks import marks_of
from reports.method import method
from reports.proof import proof
from reports.words import duration, limit_text, moment_in_words, plain_reason, value_and_uncertainty
from rig.record.reading import Run
from rig.record.results import JUDGES_NOTHING, JudgedRecord, RequirementRecord, Results
from rig.verdicts.limits import Verdict

_MEANING = {
    Verdict.PASS: "Every requirement in the scope of this run is met.",
    Verdict.FAIL: "At least one requirement is not met.",
    Verdict.INCONCLUSIVE: "At least one value lies too close to its limit to be decided.",
    Verdict.ERROR: "The rig could not decide at least one requirement. This says nothing about the pump.",
    Verdict.UNSET: "At least one requirement was never measured.",
    Verdict.NOT_APPLICABLE: "No requirement in the scope of this run applies to this pump on this bench.",
}


def report_content(run: Run) -> dict[str, Any]:
    """Everything the template shows, except the sections of the analyses."""
    manifest, results = run.manifest, run.results
    stamp = manifest.ended_utc or manifest.started_utc
    device = manifest.dut
    in_scope = [row for row in results.requirements if row.in_scope]
    return {
        "run_id": manifest.run_id,
        "date": [stamp.year, stamp.month, stamp.day],
        "virtual": manifest.virtual,
        "marks": marks_of(run),
        "device": f"{device.maker} {device.model}" if device else "Device not identified",
        "serial_number": device.serial_number if device else None,
        "verdict": {"verdict": results.verdict.value, "meaning": _meaning(results), "in_short": results.in_short},
        "counts": [
            {"verdict": verdict.value, "count": sum(row.verdict is verdict for row in in_scope)} for verdict in Verdict
        ],
        "cover": _cover(run),
        "summary": summary_rows(run),
        "out_of_scope": [row.id for row in results.requirements if not row.in_scope],
        "faults": faults(run),
        "tests": tests(run),
        "deviations": deviations(run),
        "equipment": equipment(run),
        "identification": identification(run),
        "claimed": claimed(run),
        "proof": proof(run),
        "method": method(run),
        "files": [{"path": file.path, "size": f"{file.size:,}", "sha256": file.sha256} for file in run.files],
    }


def _cover(run: Run) -> list[tuple[str, str]]:
    manifest = run.manifest
    device = manifest.dut
    bench = manifest.bench.get("name")
    rows = [
        ("Device under test", f"{device.maker} {device.model}" if device else "not identified"),
        ("Serial number", device.serial_number if device else "not identified"),
        ("Device firmware", device.firmware if device else "not identified"),
        ("Document number", manifest.run_id),
        ("Run started", moment_in_words(manifest.started_utc)),
        ("Run ended", moment_in_words(manifest.ended_utc)),
        ("Time on the bench's clock", duration(sum(test.duration_s for test in run.results.tests))),
        ("Bench", str(bench) if bench else manifest.bench_file),
        ("Operator", manifest.operator or "not stated"),
        ("Requirements", manifest.requirements_file),
        *([("Pump sheet", manifest.pump_sheet.name)] if manifest.pump_sheet else []),
        *([("Test plan", f"{manifest.plan.name}: {manifest.plan.purpose}")] if manifest.plan else []),
    ]
    return rows + (
        [("Scope", f"partial run: only tests selected by “{manifest.selected}”")] if manifest.selected else []
    )


def _meaning(results: Results) -> str:
    if results.judges_nothing:
        return JUDGES_NOTHING
    left_out = any(row.in_scope and row.verdict is Verdict.NOT_APPLICABLE for row in results.requirements)
    if results.verdict is Verdict.PASS and left_out:
        return "Every requirement in the scope of this run that applies is met."
    return _MEANING[results.verdict]


def summary_rows(run: Run) -> list[dict[str, Any]]:
    """List the requirements in scope with what a reader is told of their values."""
    return [_summary_row(row, run.results) for row in run.results.requirements if row.in_scope]


def _summary_row(row: RequirementRecord, results: Results) -> dict[str, Any]:
    return {
        "id": row.id,
        "text": row.text,
        "clause": row.clause,
        "hazard": row.hazard,
        "judge": ", ".join(row.judge) or None,
        "rule": row.measurements[0].rule.value if row.measurements else None,
        "verdict": row.verdict.value,
        "reason": plain_reason(row.reason) if row.reason else None,
        "measurements": [
            _measured(each, _whose(each, others, results) if row.is_shared(each) else None)
            for each, others in row.told()
        ],
    }


def _whose(measurement: JudgedRecord, others: int, results: Results) -> str:
    """Name the test of a value, and for how many more passes in results.json it speaks."""
    more = f"; {others} more pass, none nearer to the limit: results.json" if others else ""
    return results.called(measurement.test, measurement.attempt) + more


def _measured(measurement: JudgedRecord, test: str | None) -> dict[str, str]:
    """Write a measured value; with its test where several measured the same."""
    value, uncertainty = value_and_uncertainty(measurement.value, measurement.expanded_uncertainty)
    return {
        "name": f"{measurement.name} ({test})" if test else measurement.name,
        "value": value,
        "uncertainty": f"± {uncertainty}" if uncertainty else "",
        "unit": measurement.unit,
        "limit": limit_text(measurement.limit.limit),
        "verdict": measurement.verdict.value,
    }

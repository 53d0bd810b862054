"""The rows of a run's requirements as plain text: what was measured for each, and what was decided.

Not responsible for layout, nor for any other part of a document.
"""

from __future__ import annotations

from typing import Any

from reports.words import limit_text, plain_reason, value_and_uncertainty
from rig.record.reading import Run
from rig.record.results import JudgedRecord, RequirementRecord, Results


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

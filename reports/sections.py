"""What an attempt at a test measured: what requirements ask for, and what else.

Not responsible for what a kind of analysis shows (`reports.kinds`), nor for numbers, which the record holds.
"""

from __future__ import annotations

from typing import Any

from reports.blocks import table
from reports.words import NONE, value_and_uncertainty
from rig.record.reading import Run
from rig.record.results import JudgedRecord


def measured_by(run: Run, test: str, attempt: int) -> list[JudgedRecord]:
    """Return the measurements of an attempt at a test that requirements ask for, with their limits."""
    return [m for row in run.results.requirements for m in row.measurements if (m.test, m.attempt) == (test, attempt)]


def reported_table(run: Run, test: str, attempt: int) -> list[dict[str, Any]]:
    """Tabulate what an attempt at a test measured beside what requirements ask for."""
    rows = []
    for reported in run.results.reported:
        if (reported.test, reported.attempt) == (test, attempt):
            value, uncertainty = value_and_uncertainty(reported.value, reported.expanded_uncertainty)
            rows.append((reported.name, value, uncertainty or NONE, reported.unit))
    return [table("Measured, and judged by no requirement.", ("", "Value", "U", "Unit"), rows)] if rows else []

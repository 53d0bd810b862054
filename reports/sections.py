"""One section of the report for each analysis: what its kind shows, and what else its test measured.

Not responsible for layout (`document.typ`), for what a kind shows (`reports.kinds`), nor for numbers, which the record
holds.
"""

from __future__ import annotations

from typing import Any

from reports.blocks import Sections, table
from reports.drawn_limits import limits_of
from reports.kinds import kind_of
from reports.words import NONE, value_and_uncertainty
from rig.record.reading import Run
from rig.record.results import JudgedRecord


def analysis_sections(run: Run) -> Sections:
    """Write the section of each analysis, in the order of the tests."""
    sections = Sections()
    told: set[tuple[str, int]] = set()
    for each in run.analyses:
        test, analysis, kind = each.test, each.analysis, kind_of(each.analysis)
        blocks = kind.blocks(analysis, limits_of(analysis, measured_by(run, test, each.attempt)))
        again = f", attempt {each.attempt}" if test in run.results.repeated else ""
        sections.content.append(
            {
                "title": f"{analysis.title[:1].upper()}{analysis.title[1:]}{again}",
                "on_one_page": kind.on_one_page,
                "test": test,
                "decides": [
                    {"id": row.id, "verdict": row.verdict.value}
                    for row in run.results.requirements
                    if test in row.tests
                ],
                "blocks": [
                    *sections.shown(blocks),
                    *([] if (test, each.attempt) in told else reported_table(run, test, each.attempt)),
                ],
            }
        )
        if annex := kind.annex(analysis):
            sections.annex.append({"title": f"{analysis.title}{again}", "blocks": annex})
        told.add((test, each.attempt))
    return sections


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

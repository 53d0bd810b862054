"""The traceability matrix as a table of text: its columns, and CSV (RFC 4180, UTF-8) that spreadsheets read safely.

Not responsible for what stands in the matrix (`reports.traced`).
"""

from __future__ import annotations

import csv
import io

from reports.marks import in_brief
from reports.traced import NOT_RUN, Matrix, NearestValue, TracedFile, TraceResult, TraceRow
from reports.words import value_and_uncertainty

COLUMNS = (
    "hazard",
    "hazard text",
    "maker's hazard",
    "maker's source",
    "requirement",
    "requirement text",
    "clause",
    "hazard in words",
    "claims",
    "requirement verdict",
    "test",
    "test title",
    "test outcome",
    "verdict",
    "nearest quantity",
    "value",
    "U (k=2)",
    "unit",
    "limit",
    "values",
    "reason",
    "evidence",
    "SHA-256",
    "run",
    "marks",
)
"""The heads of the columns, in their order."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins like this is a formula to a spreadsheet."""


def guarded(cell: str) -> str:
    """Put an apostrophe before what a spreadsheet would take for a formula; what is nothing but a number stays."""
    if not cell.startswith(_FORMULA):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell if cell.strip() == cell else f"'{cell}"


def csv_of(matrix: Matrix) -> str:
    """Write the matrix as CSV: a head, then one row a hazard × requirement × test."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([guarded(cell) for cell in cells_of(matrix, row)] for row in matrix.rows)
    return out.getvalue()


def cells_of(matrix: Matrix, row: TraceRow) -> tuple[str, ...]:
    """Write a row of the matrix as text, in the order of `COLUMNS`; "" where there is nothing."""
    hazard = matrix.hazards.get(row.hazard or "")
    requirement = matrix.requirements.get(row.requirement or "")
    test = matrix.tests.get(row.test or "")
    makers = hazard.makers if hazard is not None else ()
    first = (
        row.hazard or "",
        hazard.text if hazard is not None else "",
        "; ".join(f"{each.id}{f' ({each.severity})' if each.severity else ''}" for each in makers),
        "; ".join(f"{each.cited}" for each in makers),
        row.requirement or "",
    )
    asked = ("", "", "", "", "")
    if requirement is not None:
        claims = "; ".join(f"{each.name} {each.value} [{each.source}]" for each in requirement.claims)
        verdict = requirement.verdict.value if requirement.verdict is not None else NOT_RUN
        asked = (requirement.text, requirement.clause, requirement.situation, claims, verdict)
    done = (test.title, test.outcome or NOT_RUN) if test is not None else ("", "")
    return (
        *first,
        *asked,
        row.test or "",
        *done,
        *_result_cells(matrix, row),
        matrix.frame.name,
        in_brief(matrix.frame.marks),
    )


def _result_cells(matrix: Matrix, row: TraceRow) -> tuple[str, ...]:
    result = matrix.result(row)
    if result is None:
        test = matrix.tests.get(row.test or "")
        verdict = NOT_RUN if row.requirement is not None else ""
        return (verdict, *[""] * 6, (test.message or "") if test is not None else "", "", "")
    return (
        result.verdict.value,
        *_value_cells(result.nearest),
        str(result.values or ""),
        result.reason or "",
        "; ".join(each.path for each in result.evidence),
        "; ".join(each.sha256 for each in result.evidence),
    )


def _value_cells(nearest: NearestValue | None) -> tuple[str, str, str, str, str]:
    """Write the nearest value as a program reads it: with an ASCII minus, to the digits of its U."""
    if nearest is None:
        return ("", "", "", "", "")
    value, u = value_and_uncertainty(nearest.value, nearest.expanded_uncertainty)
    return (nearest.name, value.replace("−", "-"), u, nearest.unit, nearest.limit.replace("\N{NO-BREAK SPACE}", " "))


def value_in_words(result: TraceResult | None) -> str:
    """Write the nearest value ± U with its unit and its limit for a reader; "" where nothing was measured."""
    if result is None or result.nearest is None:
        return ""
    nearest = result.nearest
    value, u = value_and_uncertainty(nearest.value, nearest.expanded_uncertainty)
    return f"{value}{f' ± {u}' if u else ''} {nearest.unit} ({nearest.limit})"


def short_hash(file: TracedFile) -> str:
    """Write the first 12 digits of a file's hash, which tell the files of a run apart."""
    return file.sha256[:12]

"""The traceability matrix as one HTML page that loads nothing: gaps first, then every link, with filters.

Not responsible for what stands in the matrix (`reports.traced`), nor for how the page looks (its template).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports.traceability_reqif import identifier
from reports.traceability_table import value_in_words
from reports.traced import NOT_RUN, Matrix, TracedFile, TracedRequirement, TracedTest, TraceRow
from reports.words import moment_in_words
from rig.verdicts.limits import Verdict

TEMPLATE = "traceability.html.j2"
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'"


@dataclass(frozen=True)
class LinkShown:
    """A row of the page; `anchor` stands where its requirement or test comes first."""

    anchor: str | None
    requirement: TracedRequirement | None
    test: TracedTest | None
    verdict: str
    reason: str
    quantity: str
    value: str
    more: str
    evidence: tuple[TracedFile, ...]


@dataclass(frozen=True)
class LinksShown:
    """The rows below one hazard, or of what has none."""

    anchor: str | None
    title: str
    notes: tuple[str, ...]
    rows: tuple[LinkShown, ...]


def matrix_page(matrix: Matrix) -> str:
    """Write the page."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    anchors = _anchors(matrix)
    return environment.get_template(TEMPLATE).render(
        policy=POLICY,
        frame=matrix.frame,
        marks_in_css=Markup(json.dumps("; ".join(matrix.frame.marks), ensure_ascii=False).replace("<", "")),
        matrix=matrix,
        ended=moment_in_words(matrix.frame.closed_utc),
        anchors=anchors,
        gaps=gaps_grouped(matrix),
        verdicts=[*(each.value for each in Verdict), NOT_RUN],
        groups=list(_groups(matrix, anchors)),
    )


def gaps_grouped(matrix: Matrix) -> list[tuple[str, int, list[tuple[tuple[str, ...], str]]]]:
    """Group gaps for a reader: by kind the number of them, and of each reason the ids that share it."""
    found = []
    for kind, of_kind in groupby(matrix.gaps, key=lambda gap: gap.kind):
        reasons: dict[str, list[str]] = {}
        for gap in of_kind:
            reasons.setdefault(gap.why, []).append(gap.of)
        count = sum(map(len, reasons.values()))
        found.append((kind.value, count, [(tuple(names), why) for why, names in reasons.items()]))
    return found


def _anchors(matrix: Matrix) -> dict[str, str]:
    """Name the place of each hazard, requirement and test."""
    return {
        name: identifier(kind, name)
        for kind, names in (("test", matrix.tests), ("requirement", matrix.requirements), ("hazard", matrix.hazards))
        for name in names
    }


def _groups(matrix: Matrix, anchors: Mapping[str, str]) -> Iterator[LinksShown]:
    unplaced = dict(anchors)
    for (name, has_requirement), rows in groupby(
        matrix.rows, key=lambda row: (row.hazard, row.hazard is not None or row.requirement is not None)
    ):
        if name is None:
            title = "Requirements without a hazard" if has_requirement else "Tests without a requirement"
            yield LinksShown(None, title, (), tuple(_link(matrix, row, unplaced) for row in rows))
            continue
        hazard = matrix.hazards[name]
        notes = [f"Source: {hazard.source}"] if hazard.source else []
        notes += [
            f"Maker: {each.id}{f', {each.severity}' if each.severity else ''} ({each.cited})" for each in hazard.makers
        ]
        shown = tuple(_link(matrix, row, unplaced) for row in rows if row.requirement is not None)
        if not shown:
            notes.append("No requirement" + (f": {hazard.not_covered}" if hazard.not_covered else ""))
        yield LinksShown(unplaced.pop(name, None), f"{name} {hazard.text}", tuple(notes), shown)


def _link(matrix: Matrix, row: TraceRow, unplaced: dict[str, str]) -> LinkShown:
    requirement = matrix.requirements.get(row.requirement or "")
    test = matrix.tests.get(row.test or "")
    result = matrix.result(row)
    reason = result.reason if result is not None else None
    if requirement is not None and not requirement.results:
        verdict = requirement.verdict.value if requirement.verdict is not None else NOT_RUN
        reason = requirement.inapplicable or requirement.reason or "no test decides it"
    elif requirement is None:
        verdict, reason = NOT_RUN, f"ended as {test.outcome!r}" if test is not None and test.outcome else None
    else:
        verdict = result.verdict.value if result is not None else NOT_RUN
    return LinkShown(
        anchor=unplaced.pop((row.requirement or row.test) or "", None),
        requirement=requirement,
        test=test,
        verdict=verdict,
        reason=reason or "",
        quantity=result.nearest.name if result is not None and result.nearest is not None else "",
        value=value_in_words(result),
        more=f"the nearest of {result.values}" if result is not None and result.values > 1 else "",
        evidence=result.evidence if result is not None else (),
    )

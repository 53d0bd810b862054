"""The answer on one page: verdict, what was verified, what stands against it, and how it came about.

Not responsible for single values (`reports.parts.results`).
"""

from __future__ import annotations

from collections import Counter

from reports.document import (
    AnyCell,
    DocumentBlock,
    Facts,
    Paragraph,
    Section,
    TableBlock,
    TableColumn,
    TextCell,
    VerdictBlock,
    VerdictCell,
)
from reports.parts.given import Given
from reports.words import NBSP, duration, limit_text, with_unit
from rig.record.results import JUDGES_NOTHING, RequirementRecord, Results
from rig.verdicts.limits import Verdict, worst

GROUPS = {
    "D": "Delivery",
    "L": "Limits",
    "F": "Faults that the pump has to detect",
    "A": "Alarms",
    "C": "Commands and link",
    "H": "History and accounts",
    "K": "Keys",
    "E": "Everyday use",
    "V": "Whole tests",
}
"""What a requirement is about, by the letter after the dash of its id; others stand under their own letter."""

MEANING = {
    Verdict.PASS: "Every requirement in the scope of this run is met.",
    Verdict.FAIL: "At least one requirement is not met.",
    Verdict.INCONCLUSIVE: "At least one value lies too close to its limit to be decided.",
    Verdict.ERROR: "The rig could not decide at least one requirement. This says nothing about the pump.",
    Verdict.UNSET: "At least one requirement was never measured.",
    Verdict.NOT_APPLICABLE: "No requirement in the scope of this run applies to this pump on this bench.",
}


def verdict_meaning(results: Results) -> str:
    """Say in a sentence what the verdict of a run means."""
    if results.judges_nothing:
        return JUDGES_NOTHING
    left_out = any(row.in_scope and row.verdict is Verdict.NOT_APPLICABLE for row in results.requirements)
    if results.verdict is Verdict.PASS and left_out:
        return "Every requirement in the scope of this run that applies is met."
    if results.verdict is Verdict.ERROR and not any(
        row.in_scope and row.verdict is Verdict.ERROR for row in results.requirements
    ):
        return "This run did not come to its end as it should, and so it is no pass. This says nothing about the pump."
    return MEANING[results.verdict]


def summary_section(given: Given) -> tuple[Section, ...]:
    """Write the page that says it all in short."""
    results, rows = given.run.results, given.in_scope
    simulated = ", simulated" if given.run.manifest.virtual else ""
    verdict = VerdictBlock(
        f"Verdict of this run{simulated}",
        results.verdict,
        verdict_meaning(results),
        results.in_short,
        tuple((each, sum(row.verdict is each for row in rows)) for each in Verdict),
    )
    blocks: tuple[DocumentBlock, ...] = (
        verdict,
        _by_group(rows),
        *_not_met(rows),
        *_out_of_scope(results),
        *_nearest(rows),
        _extent(given),
    )
    return (Section(1, "Summary", "summary", blocks, new_page=True),)


def _by_group(rows: tuple[RequirementRecord, ...]) -> TableBlock:
    groups: dict[str, list[RequirementRecord]] = {}
    for row in rows:
        groups.setdefault(_group(row.id), []).append(row)
    columns = (
        TableColumn("About", share=1.0),
        TableColumn("Requirements", "right"),
        *(TableColumn(each.value, "right") for each in Verdict),
        TableColumn("Worst", "right"),
    )
    lines: list[tuple[AnyCell, ...]] = []
    for name, own in groups.items():
        counts = Counter(row.verdict for row in own)
        numbers = (str(counts[each]) if counts[each] else "–" for each in Verdict)
        lines.append((name, str(len(own)), *numbers, VerdictCell(worst([row.verdict for row in own]))))
    return TableBlock("Requirements in the scope of this run, by what they are about.", columns, tuple(lines))


def _group(requirement: str) -> str:
    letter = requirement.partition("-")[2][:1]
    return GROUPS.get(letter, f"{requirement.partition('-')[0]}-{letter}" if letter else requirement)


def _not_met(rows: tuple[RequirementRecord, ...]) -> list[TableBlock]:
    against = [row for row in rows if row.verdict not in (Verdict.PASS, Verdict.NOT_APPLICABLE)]
    if not against:
        return []
    shown = [(TextCell(row.id, strong=True), row.text, VerdictCell(row.verdict)) for row in against[:MOST_AGAINST]]
    more = f" {len(against) - MOST_AGAINST} more stand in the results." if len(against) > MOST_AGAINST else ""
    columns = (TableColumn("Id"), TableColumn("Requirement", share=1.0), TableColumn("Verdict", "right"))
    return [TableBlock(f"What is not met or not decided.{more}", columns, tuple(shown))]


MOST_AGAINST = 12
"""So many requirements that are not met fit on the page; all of them stand in the results."""


def _nearest(rows: tuple[RequirementRecord, ...]) -> list[TableBlock]:
    """Tabulate the passes that have the least room left to their limits, one of each requirement; counts have none."""
    best = [
        (row, min(own, key=lambda each: each.room_left))
        for row in rows
        if row.verdict is Verdict.PASS
        and (own := [each for each in row.measurements if each.verdict is Verdict.PASS and each.expanded_uncertainty])
    ]
    if not best:
        return []
    columns = (
        TableColumn("Id"),
        TableColumn("Quantity", share=1.0),
        TableColumn("Value ± U", "right"),
        TableColumn("Limit", "right"),
        TableColumn("Room left", "right"),
    )
    lines: list[tuple[AnyCell, ...]] = []
    for row, each in sorted(best, key=lambda pair: pair[1].room_left)[:MOST_NEAREST]:
        number = with_unit(each.value, each.expanded_uncertainty, each.unit)
        room = f"{100.0 * each.room_left:.0f}{NBSP}%"
        lines.append((TextCell(row.id, strong=True), each.name, number, limit_text(each.limit.limit), room))
    caption = "Passing values nearest to their limits: what is left of the limit beyond value ± U."
    return [TableBlock(caption, columns, tuple(lines))]


MOST_NEAREST = 12
"""So many of them fit on the page."""


def _out_of_scope(results: Results) -> list[Paragraph]:
    left = [row.id for row in results.requirements if not row.in_scope]
    return [Paragraph(f"Not in the scope of this run: {', '.join(left)}.")] if left else []


def _extent(given: Given) -> Facts:
    results = given.run.results
    outcomes = Counter(test.outcome for test in results.tests)
    values = sum(len(row.measurements) for row in given.in_scope)
    return Facts(
        (
            ("Tests", ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items()) or "none was carried out"),
            ("Judged values", f"{values}, beside {len(results.reported)} that no requirement judges"),
            ("Time on the bench's clock", duration(sum(test.duration_s for test in results.tests))),
        )
    )

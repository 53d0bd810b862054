"""A comparison as a document: comparison.pdf and the figures beside it.

Not responsible for the numbers, nor for comparison.json (`reports.comparison_file`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from reports.compared import Spread, UnderConditions
from reports.comparison_file import Comparison, condition_name
from reports.condition_curve import condition_curve
from reports.differences import RowDifference
from reports.document import (
    AnyCell,
    Contents,
    Document,
    DocumentBlock,
    EndMark,
    Facts,
    Figure,
    FigureList,
    Paragraph,
    Section,
    TableBlock,
    TableColumn,
    TextCell,
    VerdictCell,
    with_numbers,
)
from reports.measured_values import Row, condition_of
from reports.shared_sources import ASSUMED
from reports.typeset_document import content_of, document_typesetter
from reports.typesetting import write_pdf
from reports.words import NBSP, NONE, SIMULATED, minus, moment_in_words, quantity, together, value_and_uncertainty
from rig.bench.conditions import NOMINAL
from rig.record.likeness import Member
from rig.verdicts.limits import Verdict

METHOD_OF_SPREADS = (
    "Tolerance: holds 95 % of all pumps with 95 % confidence, mean ± k SD with the exact factor k of normal theory "
    "where the values look normal, else by order statistics."
)


def write_document(folder: Path, comparison: Comparison, files: Sequence[str], now: datetime) -> None:
    """Write comparison.pdf and its figures; `files` of the folder are attached to it."""
    document = comparison_document(comparison, now)
    for file, svg in content_of(document)[1].items():
        (folder / file).write_text(svg, encoding="utf-8")
    with document_typesetter(document, record=folder, files=files) as compiler:
        write_pdf(folder / "comparison.pdf", compiler, now)


def comparison_document(comparison: Comparison, now: datetime) -> Document:
    """Write a comparison as a document."""
    sections = [
        Section(0, "Contents", "contents", (Contents("Contents", 1), FigureList("Figures"))),
        Section(1, "Runs", "runs", _run_blocks(comparison, now)),
        Section(1, "Verdicts that differ", "verdicts", _verdict_blocks(comparison)),
    ]
    for number, conditions in enumerate(_conditions(each.row for each in comparison.differences), start=1):
        own = [each for each in comparison.differences if each.row.conditions == conditions]
        sections += _difference_sections(number, conditions, own, comparison)
    for number, conditions in enumerate(_conditions(each.row for each in comparison.pooled), start=1):
        alike = [each for each in comparison.pooled if each.row.conditions == conditions]
        title = "Pumps under nominal conditions" if conditions == NOMINAL else f"Pumps at {minus(conditions)}"
        sections.append(Section(1, title, f"pumps-{number}", spread_blocks(alike)))
    sections += [
        Section(1, f"Conditions: {each.subject}", f"conditions-{number}", _condition_blocks(number, each))
        for number, each in enumerate(comparison.conditions, start=1)
    ]
    if comparison.alone:
        sections.append(Section(1, _alone_title(comparison), "alone", (_alone_block(comparison),)))
    sections.append(Section(0, "End", "end", (EndMark("— End of comparison —"),)))
    members = comparison.members
    subject = f"{_count(len(members), 'run')} of {_count(len({member.pump for member in members}), 'pump')}"
    return with_numbers(
        Document(
            title="Comparison of runs",
            kind="COMPARISON",
            subject=subject,
            number=", ".join(member.label for member in members[:2]) + (", …" if len(members) > 2 else ""),
            revision=0,
            date=(now.year, now.month, now.day),
            marks=tuple(comparison.marks),
            simulated=SIMULATED in comparison.marks,
            sections=tuple(sections),
        )
    )


def _conditions(rows: Iterable[Row]) -> list[str]:
    return list(dict.fromkeys(row.conditions for row in rows))


def _run_blocks(comparison: Comparison, now: datetime) -> tuple[DocumentBlock, ...]:
    by = comparison.by
    facts = Facts((("Compared", moment_in_words(now)), ("By", by.value if by else "nothing: the runs are alike")))
    group = (TableColumn("Group"),) if by else ()
    groups: list[DocumentBlock] = []
    if by:
        columns = (
            *group,
            TableColumn(by.value.capitalize(), share=1.0),
            TableColumn("Runs", "right"),
            TableColumn("Pumps", "right"),
        )
        rows = tuple(
            (comparison.letters[each.title], each.title, str(len(each.members)), _pumps(each.members))
            for each in comparison.groups
        )
        caption = "What is compared; each group is held against A, the group of the run that was named first."
        groups.append(TableBlock(caption, columns, rows))
    columns = (
        *group,
        TableColumn("Run", share=1.3),
        TableColumn("Pump", share=1.0),
        TableColumn("Conditions", share=1.0),
        TableColumn("Verdict", "right"),
    )
    runs: tuple[tuple[AnyCell, ...], ...] = tuple(
        (
            *([comparison.letters[each.title]] if by else []),
            member.label,
            member.pump,
            minus(condition_of(member.run.manifest)),
            VerdictCell(member.run.results.verdict),
        )
        for each in comparison.groups
        for member in sorted(each.members, key=lambda member: member.label)
    )
    table = TableBlock("Each run has its own evidence and report.", columns, runs)
    return (facts, *groups, table, *(Paragraph(sentence) for sentence in comparison.left_out))


def _pumps(members: Sequence[Member]) -> str:
    return str(len({member.pump for member in members}))


def _verdict_blocks(comparison: Comparison) -> tuple[DocumentBlock, ...]:
    """Tabulate the requirements whose verdict is not the same in all runs that were to decide them."""
    found: dict[str, tuple[str, list[tuple[str, Verdict]]]] = {}
    for group in comparison.groups:
        for member in sorted(group.members, key=lambda each: each.label):
            name = f"{comparison.letters[group.title]}: {member.label}" if comparison.by else member.label
            for row in member.run.results.requirements:
                if row.in_scope:
                    found.setdefault(row.id, (row.text, []))[1].append((name, row.verdict))
    apart = {of: said for of, said in found.items() if len({verdict for _, verdict in said[1]}) > 1}
    alike = Paragraph(
        f"{_count(len(found) - len(apart), 'requirement')} of {len(found)} "
        f"{'has' if len(found) - len(apart) == 1 else 'have'} the same verdict in all runs that were to decide "
        f"{'it' if len(found) - len(apart) == 1 else 'them'}. Each verdict is of its own run; a comparison makes none."
    )
    if not apart:
        return (alike,)
    columns = (TableColumn("Id"), TableColumn("Requirement", share=1.0), TableColumn("Runs", share=1.0))
    rows = tuple(
        (TextCell(of, strong=True), text, together((verdict.value, name) for name, verdict in said))
        for of, (text, said) in apart.items()
    )
    return (alike, TableBlock("Requirements whose verdicts differ.", columns, rows, dense=True))


def _difference_sections(
    number: int, conditions: str, found: Sequence[RowDifference], comparison: Comparison
) -> list[Section]:
    where = "under nominal conditions" if conditions == NOMINAL else f"at {minus(conditions)}"
    sections = []
    for title in dict.fromkeys(each.b for each in found):
        letter = comparison.letters[title]
        own = [each for each in found if each.b == title]
        clear = Counter(each.found.zero_inside for each in own)
        caption = (
            f"Means of A and {letter}, and their difference with U (95.45 %). Where no ν stands U is that of the "
            "values, for these runs alone; else it comes from the scatter between runs, by Welch's t."
        )
        columns = (
            TableColumn("Quantity", share=1.0),
            *(TableColumn(each, "right") for each in ("n", "A", letter, f"{letter} − A", "± U", "Unit", "ν", "0 lies")),
        )
        said = Paragraph(
            f"Of {_count(len(own), 'difference')} {clear[False]} {'is' if clear[False] == 1 else 'are'} clear: 0 lies "
            "outside difference ± U. Clear is not harmful, and the more is compared, the more is clear by chance."
        )
        rows = tuple(_difference_row(each) for each in own)
        blocks = (said, TableBlock(caption, columns, rows, dense=True), Paragraph(ASSUMED, about=True))
        sections.append(Section(1, f"{letter} beside A, {where}", f"beside-{number}-{letter}", blocks))
    return sections


def _difference_row(each: RowDifference) -> tuple[AnyCell, ...]:
    found = each.found
    difference, u = value_and_uncertainty(found.difference, found.expanded)
    return (
        each.row.name,
        f"{len(each.values_a)},{NBSP}{len(each.values_b)}",
        value_and_uncertainty(found.mean_a, found.expanded)[0],
        value_and_uncertainty(found.mean_b, found.expanded)[0],
        difference,
        u or NONE,
        each.row.quantity.unit,
        f"{found.degrees_of_freedom:.3g}" if found.degrees_of_freedom is not None else NONE,
        TextCell("inside" if found.zero_inside else "outside", strong=not found.zero_inside),
    )


def spread_blocks(pumps: Sequence[Spread]) -> tuple[DocumentBlock, ...]:
    """Return the table of spreads over runs, and what their variance is made of."""
    columns = (
        TableColumn("Quantity", share=1.0),
        *(TableColumn(each, "right") for each in ("n", "Mean", "SD", "Least", "Most", "Tolerance", "Unit")),
    )
    caption = f"Measured values over runs. {METHOD_OF_SPREADS}"
    reasons = {each.why_no_tolerance for each in pumps} | {each.why_no_components for each in pumps}
    return (
        TableBlock(caption, columns, tuple(_spread_row(each) for each in pumps), dense=True),
        *(_component_block(each) for each in pumps if each.components is not None),
        *(Paragraph(f"Not computed where nothing stands: {reason}.") for reason in sorted(reasons - {""})),
    )


def _spread_row(each: Spread) -> tuple[AnyCell, ...]:
    """Round everything to the digits of the spread, or of the largest U where nothing spreads."""
    scale = each.sd or max(value.expanded_uncertainty for value in each.row.values)

    def rounded(value: float) -> str:
        return value_and_uncertainty(value, scale)[0]

    tolerance = each.tolerance
    limits = f"{rounded(tolerance.low)}{NBSP}…{NBSP}{rounded(tolerance.high)}" if tolerance else NONE
    sd = value_and_uncertainty(each.sd, scale)[0] if each.sd else "0"
    ends = (rounded(min(each.values)), rounded(max(each.values)))
    return (each.row.name, str(len(each.values)), rounded(each.mean), sd, *ends, limits, each.row.quantity.unit)


def _component_block(each: Spread) -> TableBlock:
    assert each.components is not None
    parts = (each.components.pump, each.components.set, each.components.run)
    rows = tuple((part.level, str(part.degrees_of_freedom), f"{part.share_percent:.0f}{NBSP}%") for part in parts)
    total, _ = value_and_uncertainty(each.components.total_sd, 0.0)
    caption = (
        f"{each.row.name}: where its variance comes from; SD of a single value {total}{NBSP}{each.row.quantity.unit}."
    )
    columns = (
        TableColumn("Level", share=1.0),
        TableColumn("ν", "right"),
        TableColumn("Share of the variance", "right"),
    )
    return TableBlock(caption, columns, rows)


def _condition_blocks(number: int, each: UnderConditions) -> tuple[DocumentBlock, ...]:
    every = (each.table.nominal, *each.table.rows)
    rows = tuple(
        (
            minus(condition_name(row)),
            str(row.n),
            quantity(row.min_percent, "%", 2, signed=True),
            quantity(row.mean_percent, "%", 2, signed=True),
            quantity(row.max_percent, "%", 2, signed=True),
            quantity(row.shift_percent, "", 2, signed=True) if row.influence else NONE,
        )
        for row in every
    )
    curve = condition_curve(each.table, [row[0] for row in rows], each.subject)
    columns = (
        TableColumn("Condition", share=1.0),
        *(TableColumn(name, "right") for name in ("n", "Least", "Mean", "Most", "Shift")),
    )
    return (
        Figure(f"conditions-{number}", curve.caption, curve.alt, curve=curve),
        TableBlock("Shift: of the mean from the nominal mean, in percentage points.", columns, rows),
    )


def _alone_title(comparison: Comparison) -> str:
    if comparison.by:
        return "Measured in one group only, or not in A"
    return "Measured in one run only"


def _alone_block(comparison: Comparison) -> TableBlock:
    rows = []
    for row in comparison.alone:
        where = "" if row.conditions == NOMINAL else f", {minus(row.conditions)}"
        for each in row.values:
            value, u = value_and_uncertainty(each.value, each.expanded_uncertainty)
            rows.append((f"{row.name}{where}", each.member.label, value, u or NONE, row.quantity.unit))
    caption = "Without a partner: the same quantity, by the same test, under the same conditions."
    columns = (
        TableColumn("Quantity", share=1.4),
        TableColumn("Run", share=1.0),
        *(TableColumn(each, "right") for each in ("Value", "± U", "Unit")),
    )
    return TableBlock(caption, columns, tuple(rows), dense=True)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"

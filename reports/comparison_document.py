"""A comparison as a document: comparison.pdf and the figures beside it.

Not responsible for the numbers, nor for comparison.json (`reports.comparison_file`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from reports.blocks import Sections, facts, table, text
from reports.compared import Spread, UnderConditions
from reports.comparison_file import Comparison, condition_name
from reports.condition_curve import condition_curve
from reports.differences import RowDifference
from reports.measured_values import Row, condition_of
from reports.shared_sources import ASSUMED
from reports.typesetting import typesetter, write_pdf
from reports.words import NBSP, NONE, SIMULATED, minus, moment_in_words, quantity, value_and_uncertainty
from rig.bench.conditions import NOMINAL

METHOD_OF_SPREADS = (
    "Tolerance: holds 95 % of all pumps with 95 % confidence, mean ± k SD with the exact factor k of normal theory "
    "where the values look normal, else by order statistics."
)


def write_document(folder: Path, comparison: Comparison, files: Sequence[str], now: datetime) -> None:
    """Write comparison.pdf and its figures; `files` of the folder are attached to it."""
    drawn = Sections()
    sections = [{"title": "Runs", "blocks": _run_blocks(comparison, now)}]
    for conditions in dict.fromkeys(each.row.conditions for each in comparison.differences):
        own = [each for each in comparison.differences if each.row.conditions == conditions]
        sections += _difference_sections(conditions, own, comparison)
    for conditions in dict.fromkeys(each.row.conditions for each in comparison.pooled):
        alike = [each for each in comparison.pooled if each.row.conditions == conditions]
        title = "Pumps under nominal conditions" if conditions == NOMINAL else f"Pumps at {minus(conditions)}"
        sections.append({"title": title, "blocks": pump_blocks(alike)})
    sections += [
        {"title": f"Conditions: {each.subject}", "blocks": _condition_blocks(drawn, each)}
        for each in comparison.conditions
    ]
    if comparison.alone:
        sections.append({"title": _alone_title(comparison), "blocks": [_alone_block(comparison)]})
    members = comparison.members
    content = {
        "title": "Comparison of runs",
        "subject": f"{_count(len(members), 'run')} of {_count(len({member.pump for member in members}), 'pump')}",
        "date": [now.year, now.month, now.day],
        "marks": comparison.marks,
        "simulated": SIMULATED in comparison.marks,
        "sections": sections,
    }
    for file, svg in drawn.figures.items():
        (folder / file).write_text(svg, encoding="utf-8")
    with typesetter("comparison.typ", content, drawn.figures, record=folder, files=files) as compiler:
        write_pdf(folder / "comparison.pdf", compiler, now)


def wrapped(caption: str, columns: Sequence[str], rows: Sequence[Sequence[str]], words: int = 1) -> dict[str, Any]:
    """Return a table whose first `words` columns hold words, wrap, and share what the numbers leave."""
    return {"block": "wrapped", "caption": caption, "columns": columns, "rows": rows, "words": words}


def _run_blocks(comparison: Comparison, now: datetime) -> list[dict[str, Any]]:
    by = comparison.by
    blocks = [facts(("Compared", moment_in_words(now)), ("By", by.value if by else "nothing: the runs are alike"))]
    if by:
        rows = [
            (comparison.letters[each.title], each.title, str(len(each.members)), _pumps(each.members))
            for each in comparison.groups
        ]
        caption = "What is compared; each group is held against A, the group of the run that was named first."
        blocks.append(wrapped(caption, ("Group", by.value.capitalize(), "Runs", "Pumps"), rows, words=2))
    columns = (*(["Group"] if by else []), "Run", "Pump", "Conditions", "Verdict")
    runs = [
        (
            *([comparison.letters[group.title]] if by else []),
            member.label,
            member.pump,
            minus(condition_of(member.run.manifest)),
            member.run.results.verdict.value.replace(" ", NBSP),
        )
        for group in comparison.groups
        for member in sorted(group.members, key=lambda member: member.label)
    ]
    caption = "Each run has its own evidence and report."
    blocks.append(wrapped(caption, columns, runs, words=len(columns) - 1))
    return [*blocks, *(text(sentence) for sentence in comparison.left_out)]


def _pumps(members: Sequence[Any]) -> str:
    return str(len({member.pump for member in members}))


def _difference_sections(
    conditions: str, found: Sequence[RowDifference], comparison: Comparison
) -> list[dict[str, Any]]:
    where = "under nominal conditions" if conditions == NOMINAL else f"at {minus(conditions)}"
    sections = []
    for title in dict.fromkeys(each.b for each in found):
        letter = comparison.letters[title]
        rows = [_difference_row(each) for each in found if each.b == title]
        caption = (
            f"Means of A and {letter}, and their difference with U (95.45 %). Where no ν stands U is that of the "
            "values, for these runs alone; else it comes from the scatter between runs, by Welch's t."
        )
        columns = ("", "n", "A", letter, f"{letter} − A", "± U", "ν", "0 lies")
        blocks = [wrapped(caption, columns, rows), text(ASSUMED)]
        sections.append({"title": f"{letter} beside A, {where}", "blocks": blocks})
    return sections


def _difference_row(each: RowDifference) -> tuple[str, ...]:
    found = each.found
    difference, u = value_and_uncertainty(found.difference, found.expanded)
    return (
        _named(each.row),
        f"{len(each.values_a)},{NBSP}{len(each.values_b)}",
        value_and_uncertainty(found.mean_a, found.expanded)[0],
        value_and_uncertainty(found.mean_b, found.expanded)[0],
        difference,
        u or NONE,
        f"{found.degrees_of_freedom:.3g}" if found.degrees_of_freedom is not None else NONE,
        "inside" if found.zero_inside else "outside",
    )


def pump_blocks(pumps: Sequence[Spread]) -> list[dict[str, Any]]:
    """Return the table of spreads over runs, and what their variance is made of."""
    columns = ("", "n", "Mean", "SD", "Min", "Max", "Tolerance")
    caption = f"Measured values over runs. {METHOD_OF_SPREADS}"
    blocks = [wrapped(caption, columns, [_spread_row(each) for each in pumps])]
    blocks += [_component_block(each) for each in pumps if each.components is not None]
    reasons = {each.why_no_tolerance for each in pumps} | {each.why_no_components for each in pumps}
    blocks += [text(f"Not computed where nothing stands: {reason}.") for reason in sorted(reasons - {""})]
    return blocks


def _spread_row(each: Spread) -> tuple[str, ...]:
    """Round everything to the digits of the spread, or of the largest U where nothing spreads."""
    scale = each.sd or max(value.expanded_uncertainty for value in each.row.values)

    def rounded(value: float) -> str:
        return value_and_uncertainty(value, scale)[0]

    tolerance = each.tolerance
    limits = f"{rounded(tolerance.low)}{NBSP}…{NBSP}{rounded(tolerance.high)}" if tolerance else NONE
    sd = value_and_uncertainty(each.sd, scale)[0] if each.sd else "0"
    ends = (rounded(min(each.values)), rounded(max(each.values)))
    return (_named(each.row), str(len(each.values)), rounded(each.mean), sd, *ends, limits)


def _named(row: Row) -> str:
    return f"{row.name}{NBSP}/{NBSP}{row.quantity.unit}"


def _component_block(each: Spread) -> dict[str, Any]:
    assert each.components is not None
    parts = (each.components.pump, each.components.set, each.components.run)
    rows = [(part.level, str(part.degrees_of_freedom), f"{part.share_percent:.0f}{NBSP}%") for part in parts]
    total, _ = value_and_uncertainty(each.components.total_sd, 0.0)
    caption = (
        f"{each.row.name}: where its variance comes from; SD of a single value {total}{NBSP}{each.row.quantity.unit}."
    )
    return table(caption, ("Level", "ν", "Share of the variance"), rows)


def _condition_blocks(drawn: Sections, each: UnderConditions) -> list[dict[str, Any]]:
    rows = [
        (
            minus(condition_name(row)),
            str(row.n),
            quantity(row.min_percent, "%", 2, signed=True),
            quantity(row.mean_percent, "%", 2, signed=True),
            quantity(row.max_percent, "%", 2, signed=True),
            quantity(row.shift_percent, "", 2, signed=True) if row.influence else NONE,
        )
        for row in (each.table.nominal, *each.table.rows)
    ]
    return [
        *drawn.shown([condition_curve(each.table, [row[0] for row in rows], each.subject)]),
        wrapped(
            "Shift: of the mean from the nominal mean, in percentage points.",
            ("Condition", "n", "Min", "Mean", "Max", "Shift"),
            rows,
        ),
    ]


def _alone_title(comparison: Comparison) -> str:
    if comparison.by:
        return "Measured in one group only, or not in A"
    return "Measured in one run only"


def _alone_block(comparison: Comparison) -> dict[str, Any]:
    rows = []
    for row in comparison.alone:
        where = "" if row.conditions == NOMINAL else f", {minus(row.conditions)}"
        for each in row.values:
            value, u = value_and_uncertainty(each.value, each.expanded_uncertainty)
            rows.append((f"{_named(row)}{where}", each.member.label, value, u or NONE))
    caption = "Without a partner: the same quantity, by the same test, under the same conditions."
    return wrapped(caption, ("", "Run", "Value", "± U"), rows, words=2)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"

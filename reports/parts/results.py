"""Results per requirement, compact: what is asked and why, what decides, and every value that is no pass.

All values with their tests stand in the annex. Not responsible for verdicts, which the record holds.
"""

from __future__ import annotations

from reports.document import (
    AnyCell,
    Paragraph,
    Section,
    TableBlock,
    TableColumn,
    TextCell,
    VerdictCell,
)
from reports.parts.given import Given
from reports.words import limit_text, plain_reason, with_unit
from rig.record.results import JudgedRecord, RequirementRecord, Results
from rig.verdicts.limits import Verdict


def results(given: Given) -> tuple[Section, ...]:
    """Tabulate each requirement in scope."""
    columns = (
        TableColumn("Id"),
        TableColumn("Requirement, and the hazard that it controls", share=1.75),
        TableColumn("Value nearest to its limit, ± U; limit", share=1.0),
        TableColumn("Verdict", "right"),
    )
    lines = tuple(line for row in given.in_scope for line in _lines(row, given.run.results))
    table = TableBlock("Results per requirement.", columns, lines, dense=True, filters=True)
    about = Paragraph(
        "Of what was measured for a requirement, the passing value nearest to its limit speaks for all; every value "
        "that "
        "is no pass stands by itself. All values, with the test of each, stand in the annex. U has the coverage factor "
        "k = 2; counts have none. What the numbers mean for the pump as a whole stands in the summary.",
        about=True,
    )
    nothing = Paragraph("No requirement is in the scope of this run.")
    return (Section(1, "Results per requirement", "results", (about, table) if lines else (nothing,)),)


def _lines(row: RequirementRecord, of: Results) -> list[tuple[AnyCell, ...]]:
    passes = [each for each in row.measurements if each.verdict is Verdict.PASS]
    others = [each for each in row.measurements if each.verdict is not Verdict.PASS]
    rule = "" if not row.measurements else _rule(row)
    cell = TextCell(row.text, f"Hazard: {row.hazard}.{rule}")
    lines: list[tuple[AnyCell, ...]] = [
        (TextCell(row.id, strong=True), cell, _decisive(row, passes), VerdictCell(row.verdict))
    ]
    lines += [("", _named(each, row, of), _number(each), VerdictCell(each.verdict)) for each in others]
    if row.reason and row.verdict is not Verdict.PASS:
        lines.append(("", TextCell(plain_reason(row.reason), emphasis=True, span=3)))
    return lines


def _rule(row: RequirementRecord) -> str:
    rules = dict.fromkeys(each.rule.value for each in row.measurements)
    return "" if list(rules) == ["guard band"] else f" Rule: {', '.join(rules)}."


def _decisive(row: RequirementRecord, passes: list[JudgedRecord]) -> str | TextCell:
    """Write the pass that is nearest to its limit, for how many it speaks, and that some are none where there are."""
    if not passes:
        return "–" if row.measurements else "not measured"
    nearest = min(passes, key=lambda each: each.room_left)
    if len(row.measurements) == 1:
        return _number(nearest)
    said = f"{len(passes)} of {len(row.measurements)} pass"
    if len(passes) < len(row.measurements):
        said = f"the nearest to its limit of those that pass; {said}"
    return TextCell(_number(nearest), f"{nearest.name}; {said}")


def _number(each: JudgedRecord) -> str:
    return f"{with_unit(each.value, each.expanded_uncertainty, each.unit)} ({limit_text(each.limit.limit)})"


def _named(each: JudgedRecord, row: RequirementRecord, of: Results) -> TextCell:
    where = f" ({of.called(each.test, each.attempt)})" if row.is_shared(each) else ""
    reason = f": {each.reason}" if each.reason else ""
    return TextCell(f"{each.name}{where}{reason}")

"""From hazard to evidence: what is missing on the way first, then each hazard with its requirements, tests and verdict.

The whole matrix, a row a hazard × requirement × test, is what `rig trace` writes. Not responsible for what is joined
(`reports.traceability`).
"""

from __future__ import annotations

from reports.document import (
    AnyCell,
    Facts,
    Items,
    ListItem,
    Paragraph,
    Section,
    TableBlock,
    TableColumn,
    TextCell,
    VerdictCell,
)
from reports.parts.given import Given
from reports.traceability import matrix
from reports.traced import GapKind, Matrix, TracedHazard, TracedRequirement
from rig.verdicts.limits import Verdict, worst

MOST_NAMED = 16
"""So many ids of one reason are named; of more, how many there are."""
_ABOUT = (
    "Each hazard of the catalogue that this run froze, the requirements that stand against it, how many tests decide "
    "those, and the worst verdict of them. Each measured value has its file and SHA-256 in the matrix that “rig trace” "
    "writes of this run, as a page, as CSV and as ReqIF."
)
NO_CATALOGUE = "This run froze no catalogue of hazards: its requirements name them in words alone."


def tracing(given: Given) -> tuple[Section, ...]:
    """Tell the gaps, then tabulate the hazards."""
    found = matrix(given.run)
    gaps = Items(
        "Gaps", tuple(_gaps(found)), none="None: each hazard has a requirement, and each requirement a result."
    )
    facts = Facts(
        (
            ("Matrix", found.in_short),
            ("Head of the record", found.frame.head or "the run was never closed"),
        )
    )
    table = [Paragraph(_ABOUT), _table(found)] if found.hazards else [Paragraph(NO_CATALOGUE)]
    return (Section(1, "Traceability", "tracing", (gaps, facts, *table)),)


def _gaps(found: Matrix) -> list[ListItem]:
    """Name the gaps of each kind and reason; of requirements that were out of a partial run's scope, their number."""
    items = []
    for kind in GapKind:
        reasons: dict[str, list[str]] = {}
        for gap in found.gaps_of(kind):
            reasons.setdefault(gap.why, []).append(gap.of)
        for why, names in reasons.items():
            more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
            items.append(
                ListItem(f"{kind.value[:1].upper()}{kind.value[1:]}", f"{', '.join(names[:MOST_NAMED])}{more} ({why})")
            )
    return items


def _table(found: Matrix) -> TableBlock:
    named = any(each.makers for each in found.hazards.values())
    columns = (
        TableColumn("Hazard", share=1.5),
        *([TableColumn("Maker’s id", share=0.7)] if named else []),
        TableColumn("Requirements", share=1.6),
        TableColumn("Tests", "right"),
        TableColumn("Verdict", "right"),
    )
    rows = tuple(_row(each, found, named) for each in found.hazards.values())
    return TableBlock("Hazards, and what shows that they are controlled.", columns, rows, dense=True, filters=True)


def _row(hazard: TracedHazard, found: Matrix, named: bool) -> tuple[AnyCell, ...]:
    against = [each for each in found.requirements.values() if hazard.id in each.hazards]
    due = [each for each in against if each.in_scope]
    tests = {test for each in due for test in each.results}
    verdicts = [each.verdict for each in due if each.verdict is not None]
    return (
        TextCell(f"{hazard.id} {hazard.text}"),
        *([TextCell("; ".join(f"{each.id}, {each.cited}" for each in hazard.makers) or "–")] if named else []),
        TextCell(_named(due, len(against))),
        TextCell(str(len(tests)) if tests else "none", align="right"),
        VerdictCell(_decided(verdicts)) if verdicts else "–",
    )


def _named(due: list[TracedRequirement], against: int) -> str:
    """Name the requirements in scope, and say how many others there are."""
    if not against:
        return "none"
    more = len(due) - MOST_NAMED
    named = ", ".join(each.id for each in due[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    others = against - len(due)
    return "; ".join(filter(None, [named, f"{others} out of this run’s scope" if others else ""]))


def _decided(verdicts: list[Verdict]) -> Verdict:
    """Choose the worst verdict; what is not applicable counts where nothing else is there."""
    applying = [each for each in verdicts if each is not Verdict.NOT_APPLICABLE]
    return worst(applying or verdicts)

"""The catalogue of faults as a table: how each is provoked on this bench, who judges it, and the verdict.

Not responsible for what covers what (`rig.run.fault_coverage`).
"""

from __future__ import annotations

from reports.document import AnyCell, Paragraph, Section, TableBlock, TableColumn, TextCell, VerdictCell
from reports.faults import faults
from reports.parts.given import Given
from rig.verdicts.limits import Verdict

NO_CATALOGUE = (
    "This run did not provoke the catalogue of faults as a whole: it was a partial run, or no catalogue was frozen "
    "with "
    "it."
)


def fault_table(given: Given) -> tuple[Section, ...]:
    """Tabulate the faults, those that nothing is known of first."""
    found = faults(given.run)
    if found is None:
        return (Section(1, "Faults", "faults", (Paragraph(NO_CATALOGUE),)),)
    about = Paragraph(
        "What goes wrong with pumps, by the catalogue that was frozen with this run: how this bench provokes it, or "
        "why "
        "not, who judges it, in how many tests, and the worst verdict of those. What is missing stands first. "
        f"{found['summary']}"
    )
    columns = (
        TableColumn("Fault", share=1.0),
        TableColumn("Provoked on this bench", share=1.25),
        TableColumn("Judged by", share=0.95),
        TableColumn("Verdict", "right"),
    )
    rows: list[tuple[AnyCell, ...]] = [
        (
            TextCell(f"{row['id']} {row['cause']}"),
            TextCell(row["gap"], emphasis=True) if row["gap"] else TextCell(row["how"]),
            TextCell(row["judged"]),
            VerdictCell(Verdict(row["verdict"])) if row["verdict"] else "–",
        )
        for row in found["rows"]
    ]
    table = TableBlock("Faults.", columns, tuple(rows), dense=True, filters=True)
    return (Section(1, "Faults", "faults", (about, table)),)

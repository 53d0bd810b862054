"""What a reader must know before trusting the results: what failed, what was disturbed, what was not as planned.

With it what a person decided on each.

Not responsible for finding any of it (`reports.back_matter`), nor for the notes, which people write.
"""

from __future__ import annotations

from reports.back_matter import deviations
from reports.document import DocumentBlock, Items, ListItem, Paragraph, Section, TableBlock, TableColumn
from reports.parts.given import Given

ANOMALIES = ("Tests that the rig could not finish", "Incidents that ended no test")


def departures(given: Given) -> tuple[Section, ...]:
    """List deviations, anomalies, and the dispositions that were entered."""
    blocks = [
        Items(
            group["title"],
            tuple(ListItem(each["what"], each["why"]) for each in group["items"]),
        )
        for group in deviations(given.run)
    ]
    if given.house.order.deviations:
        blocks.append(Items("Stated by the laboratory", (ListItem(given.house.order.deviations),)))
    return (
        Section(1, "Deviations and anomalies", "departures", tuple(blocks)),
        Section(2, "Dispositions", "dispositions", _dispositions(given)),
    )


def _dispositions(given: Given) -> tuple[DocumentBlock, ...]:
    if not given.notes:
        return (Paragraph("No disposition was entered: the audit trail beside the record holds no note."),)
    columns = (TableColumn("Entered, UTC"), TableColumn("By"), TableColumn("Deviation or disposition", share=1.0))
    rows = tuple((each.at, each.who, each.text) for each in given.notes)
    return (TableBlock("Notes of the audit trail.", columns, rows),)

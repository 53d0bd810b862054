"""Who is to sign the report, and its end.

Not responsible for signing.
"""

from __future__ import annotations

from reports.document import EndMark, Facts, Paragraph, Section
from reports.parts.given import Given, stated_or_not

MEANINGS = {"authored": "Authored by", "reviewed": "Reviewed by", "approved": "Approved by"}
"""By the part that a person has: what its signature means, in the order of signing."""


def signing(given: Given) -> tuple[Section, ...]:
    """Name those who sign, and end the report."""
    people = given.house.people
    rows = tuple((meaning, stated_or_not(getattr(people, name))) for name, meaning in MEANINGS.items())
    return (
        Section(
            1,
            "Signatures",
            "signatures",
            (
                Paragraph(
                    "Signatures stand on a page of their own, added when the report is signed. Each stands for "
                    "this report and for the record whose head is named in the section on tool validation. A report "
                    "without that page was not signed.",
                ),
                Facts(rows),
                EndMark(f"— End of report {given.number} —"),
            ),
            together=True,
        ),
    )

"""A run as a report: its parts in the order of a profile, numbered, in the laboratory's language.

Not responsible for what a part says (`reports.parts`), for the annex (`reports.annex`), nor for looks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from reports.document import Document, DocumentBlock, Finder, Section, with_numbers
from reports.language import in_language, translated
from reports.marks import marks_of
from reports.parts.cover import contents, cover
from reports.parts.curves import curves
from reports.parts.decision import decision
from reports.parts.departures import departures
from reports.parts.experiments import experiments
from reports.parts.fault_table import fault_table
from reports.parts.finding import finding
from reports.parts.given import Given
from reports.parts.instruments import instruments, surroundings
from reports.parts.label import label
from reports.parts.method_used import method_used
from reports.parts.paired import paired
from reports.parts.results import results
from reports.parts.signing import signing
from reports.parts.summary import summary_section
from reports.parts.tracing import tracing
from reports.parts.validation import validation
from reports.profile import EVERYBODY, Profile, read_reader_profile
from rig.record.reading import Run

PARTS: Mapping[str, Callable[[Given], tuple[Section, ...]]] = {
    "cover": cover,
    "contents": contents,
    "finding": finding,
    "summary": summary_section,
    "label": label,
    "results": results,
    "curves": curves,
    "experiments": experiments,
    "paired": paired,
    "faults": fault_table,
    "departures": departures,
    "equipment": instruments,
    "environment": surroundings,
    "method": method_used,
    "decision": decision,
    "validation": validation,
    "tracing": tracing,
    "signatures": signing,
}
"""What a profile may name."""


def document_of(run: Run | Given, profile: Profile | None = None) -> Document:
    """Write a run as a report; all sections in their usual order where no profile is given."""
    given = run if isinstance(run, Given) else Given(run)
    chosen = profile or read_reader_profile(EVERYBODY)
    sections = tuple(section for name in chosen.sections for section in PARTS[name](given))
    document = framed_document(
        given,
        title="Verification of an insulin infusion pump",
        kind="TEST REPORT",
        sections=_found_only(sections),
    )
    return translated(with_numbers(document))


def framed_document(given: Given, *, title: str, kind: str, sections: tuple[Section, ...]) -> Document:
    """Put sections into a document of a run, with its number, date and marks."""
    manifest = given.run.manifest
    stamp, device = manifest.ended_utc or manifest.started_utc, manifest.dut
    named = f"{device.maker} {device.model}" if device else "Device not identified"
    serial = in_language("serial number", given.house.language)
    return Document(
        title=title,
        kind=kind,
        subject=f"{named}, {serial} {device.serial_number}" if device and device.serial_number else named,
        number=given.number,
        revision=given.revision,
        date=(stamp.year, stamp.month, stamp.day),
        marks=tuple(marks_of(given.run)),
        simulated=manifest.virtual,
        sections=sections,
        language=given.house.language,
        laboratory=given.house.laboratory.name or "",
        logo=given.house.logo,
    )


def _found_only(sections: tuple[Section, ...]) -> tuple[Section, ...]:
    """Leave out questions whose section does not stand in the document."""
    ids = {section.id for section in sections}

    def fitting(block: DocumentBlock) -> DocumentBlock:
        if not isinstance(block, Finder):
            return block
        return replace(block, rows=tuple(row for row in block.rows if row[2] in ids))

    return tuple(replace(each, blocks=tuple(fitting(block) for block in each.blocks)) for each in sections)

"""The annex of a report: what a reader looks up.

All values, each analysis with its curves, tests, claims, hashes, budgets.

Not responsible for what a kind of analysis shows (`reports.kinds`), nor for the report itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reports.back_matter import identification, tests
from reports.blocks import Block
from reports.claims import claimed
from reports.content import summary_rows
from reports.curve.description import Curve
from reports.document import (
    AnyCell,
    Contents,
    Document,
    DocumentBlock,
    EndMark,
    Facts,
    Figure,
    Paragraph,
    Section,
    TableBlock,
    TableColumn,
    TextCell,
    VerdictCell,
    with_numbers,
)
from reports.drawn_limits import limits_of
from reports.kinds import kind_of
from reports.language import translated
from reports.parts.given import Given
from reports.proof import proof
from reports.report_document import framed_document
from reports.sections import measured_by, reported_table
from rig.verdicts.limits import Verdict


def annex_of(given: Given) -> Document:
    """Write the annex of a run's report."""
    sections = (
        Section(
            0, "Cover", "cover", (Paragraph(_BELONGS.format(given.number, given.revision)), Contents("Contents", 1))
        ),
        _values(given),
        *_analyses(given),
        _tests(given),
        *_claims(given),
        Section(1, "Software and firmware", "identification", (_identification(given), Paragraph(_SHA, about=True))),
        _files(given),
        *_budgets(given),
        *_proof(given),
        Section(0, "End", "end", (EndMark(f"— End of annex {given.number} —"),)),
    )
    document = framed_document(given, title="Annex to a test report", kind="ANNEX", sections=sections)
    return translated(with_numbers(document))


def shown_blocks(blocks: Iterable[Block], prefix: str) -> tuple[DocumentBlock, ...]:
    """Turn what a kind of analysis shows into blocks of a document; `prefix` keeps the names of figures apart."""
    return tuple(_shown(block, f"{prefix}{number:02}") for number, block in enumerate(blocks, start=1))


def _shown(block: Block, prefix: str) -> DocumentBlock:
    if isinstance(block, Curve):
        return Figure(f"{prefix}-{block.name}", block.caption, block.alt, curve=block)
    if block["block"] == "facts":
        return Facts(tuple((str(name), str(value)) for name, value in block["rows"]), columns=2)
    if block["block"] == "text":
        return Paragraph(block["text"])
    return _number_table(block)


def _number_table(block: dict[str, Any]) -> TableBlock:
    """Turn a table of numbers into a block; its first column names the others where it has several rows.

    Numbers stand in one piece: beside long names they are as wide as they are and the names are broken; elsewhere they
    share the width by their longest text.
    """
    rows = tuple(tuple(str(cell) for cell in row) for row in block["rows"])
    titles = block["columns"]
    longest = [max(map(len, (title, *(row[number] for row in rows)))) for number, title in enumerate(titles)]
    named = len(rows) > 1 or titles[0] == ""
    broken = named and longest[0] > _NAME_LETTERS
    columns = [
        TableColumn(title, "right", 0.0 if broken else 3.0 + n) for title, n in zip(titles, longest, strict=True)
    ]
    if named:
        columns[0] = TableColumn(titles[0], share=float(broken))
    return TableBlock(block["caption"], tuple(columns), rows)


def _values(given: Given) -> Section:
    columns = (
        TableColumn("Id"),
        TableColumn("Requirement and measured quantity", share=1.0),
        TableColumn("Value ± U", "right"),
        TableColumn("Limit", "right"),
        TableColumn("Verdict", "right"),
    )
    rows: list[tuple[AnyCell, ...]] = []
    groups: list[int] = []
    for row in summary_rows(given.run):
        groups.append(len(rows))
        verdict = VerdictCell(Verdict(row["verdict"]))
        rows.append((TextCell(row["id"], strong=True), TextCell(row["text"], strong=True, span=3), verdict))
        for each in row["measurements"]:
            value = f"{each['value']} {each['uncertainty']} {each['unit']}".replace("  ", " ")
            rows.append(("", each["name"], value, each["limit"], VerdictCell(Verdict(each["verdict"]))))
        if row["reason"]:
            rows.append(("", TextCell(row["reason"], emphasis=True, span=4)))
        judged = f" Judged by: {row['judge']}." if row["judge"] else ""
        ruled = f" Rule: {row['rule']}." if row["rule"] else ""
        said = f"Controls: {row['hazard']}. Source: {row['clause']}.{judged}{ruled}"
        rows.append(("", TextCell("", said, span=4)))
    table = TableBlock("Measured values.", columns, tuple(rows), dense=True, filters=True, groups=tuple(groups))
    about = Paragraph(
        "Each requirement, what was measured for it with its expanded uncertainty U (k = 2), and the limit. Of more "
        "than "
        "six passes of one quantity the nearest to its limit stands here; results.json holds all.",
        about=True,
    )
    return Section(1, "Values", "values", (about, table), new_page=True)


def _analyses(given: Given) -> tuple[Section, ...]:
    run = given.run
    if not run.analyses:
        return ()
    sections = [Section(1, "Measurements", "measurements")]
    told: set[tuple[str, int]] = set()
    for number, each in enumerate(run.analyses, start=1):
        test, analysis, kind = each.test, each.analysis, kind_of(each.analysis)
        again = f", attempt {each.attempt}" if test in run.results.repeated else ""
        decides = ", ".join(f"{row.id} ({row.verdict.value})" for row in run.results.requirements if test in row.tests)
        rest = [] if (test, each.attempt) in told else reported_table(run, test, each.attempt)
        told.add((test, each.attempt))
        blocks = kind.blocks(analysis, limits_of(analysis, measured_by(run, test, each.attempt)))
        if analysis.kind == "budget":  # its tables stand at the end; a figure of each would be most of the annex
            blocks = [block for block in blocks if not isinstance(block, Curve)]
        if not blocks and not rest:
            continue
        sections.append(
            Section(
                2,
                f"{analysis.title[:1].upper()}{analysis.title[1:]}{again}",
                f"analysis-{number}",
                (
                    Paragraph(f"{f'Decides {decides}. ' if decides else ''}Test: {test}", about=True),
                    *shown_blocks([*blocks, *rest], f"{number:03}-"),
                ),
                together=kind.on_one_page,
            )
        )
    return tuple(sections)


def _tests(given: Given) -> Section:
    columns = (
        TableColumn("Test", share=1.0),
        TableColumn("Ended"),
        TableColumn("Took", "right"),
        TableColumn("Air at the balance", "right"),
    )
    rows = tuple(
        (
            TextCell(each["title"], f"{each['requirements']}\n{each['id']}"),
            TextCell(each["outcome"], strong=True),
            each["duration"],
            each["air"],
        )
        for each in tests(given.run)
    )
    clock = "Durations are those of the bench's clock" + (
        ", which is simulated." if given.run.manifest.virtual else "."
    )
    nothing = (Paragraph("No test was carried out."),)
    blocks = (TableBlock(clock, columns, rows, dense=True),) if rows else nothing
    return Section(1, "Tests carried out", "tests", blocks)


def _claims(given: Given) -> tuple[Section, ...]:
    found = claimed(given.run)
    if found is None:
        return ()
    columns = (TableColumn("Claim"), TableColumn("Value"), TableColumn("Where it stands", share=1.0))
    rows = tuple((each["name"], each["value"], each["source"]) for each in found["claims"])
    return (
        Section(
            1,
            "What is claimed of the pump",
            "claims",
            (
                Paragraph(
                    f"{found['name']}, of {found['maker']}, by its pump sheet; its requirements take their values from "
                    f"here. It is claimed to be able to do: {found['capabilities']}."
                ),
                TableBlock("Claims.", columns, rows, dense=True),
                *(Paragraph(sentence) for sentence in found["contradictions"]),
            ),
        ),
    )


def _identification(given: Given) -> Facts:
    return Facts(tuple(identification(given.run)))


def _files(given: Given) -> Section:
    columns = (TableColumn("File", share=1.0), TableColumn("Bytes", "right"))
    rows = tuple((TextCell(each.path, f"\n{each.sha256}"), f"{each.size:,}") for each in given.run.files)
    return Section(
        1,
        "Data integrity",
        "files",
        (Paragraph(_INTEGRITY), TableBlock("File and SHA-256.", columns, rows, dense=True)),
    )


def _budgets(given: Given) -> tuple[Section, ...]:
    sections = []
    for number, each in enumerate(given.run.analyses, start=1):
        blocks = kind_of(each.analysis).annex(each.analysis)
        again = f", attempt {each.attempt}" if each.test in given.run.results.repeated else ""
        if blocks:
            title = f"{each.analysis.title}{again}"
            sections.append(Section(2, title, f"budget-{number}", shown_blocks(blocks, f"budget-{number:03}-")))
    if not sections:
        return ()
    about = Paragraph("A table for each number, by the GUM (JCGM 100:2008).", about=True)
    return (Section(1, "Uncertainty budgets", "budgets", (about,), new_page=True), *sections)


def _proof(given: Given) -> tuple[Section, ...]:
    found = proof(given.run)
    if found is None:
        return ()
    columns = (
        TableColumn("Pump", share=1.0),
        TableColumn("Must fail"),
        TableColumn("Outcome"),
        TableColumn("Caught by", share=1.0),
        TableColumn("Time"),
    )
    rows = tuple(tuple(each[key] for key in ("name", "expected", "outcome", "by", "wall")) for each in found["pumps"])
    return (
        Section(
            1,
            "What these suites find",
            "proof",
            (
                Paragraph(found["summary"]),
                *(Paragraph(sentence) for sentence in found["differs"]),
                TableBlock(
                    "Holes stand first. The time is that of the machine that tried them.", columns, rows, dense=True
                ),
            ),
        ),
    )


_NAME_LETTERS = 24
"""A first column of longer names is broken into lines."""

_BELONGS = "This annex belongs to the test report {}, revision {}, and says nothing by itself."
_SHA = "Long hexadecimal numbers are SHA-256 sums; the revision is that of the source code."
_INTEGRITY = (
    "The record of this run consists of the files below. A file whose SHA-256 sum differs is not the one this report "
    "was "
    "made from. Logs of the test runners in the same folder are no part of the record. All of them but the byte logs "
    "of "
    "the wires and the image of the firmware are attached to the report."
)

"""The report of several runs: joined.pdf and joined.json in a folder of its own; the same runs give the same bytes.

Not responsible for the verdicts (`reports.joined`), the spread (`reports.compared`), nor the label (`reports.parts`).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from reports.compared import spreads
from reports.comparison_document import spread_blocks
from reports.document import (
    AnyCell,
    Contents,
    Document,
    DocumentBlock,
    EndMark,
    Facts,
    Paragraph,
    Section,
    TableBlock,
    TableColumn,
    TextCell,
    VerdictBlock,
    VerdictCell,
    with_numbers,
)
from reports.joined import Joined, JoinedRow, join_runs
from reports.marks import marks_of, marks_of_all
from reports.measured_values import condition_of
from reports.parts.label import ABOUT, label_of
from reports.parts.summary import MEANING
from reports.typeset_document import document_typesetter
from reports.typesetting import write_pdf
from reports.words import limit_text, minus, plain_reason, together, with_unit
from rig.bench.conditions import NOMINAL
from rig.errors import EvidenceError
from rig.record.closed import CLOSING
from rig.record.files import read_json, write_json
from rig.record.folder import RECORD
from rig.record.likeness import Member
from rig.run.reading import read_whole_run
from rig.run.results import EXIT_CODES
from rig.verdicts.limits import Verdict

JOINED, JOINED_NUMBERS = "joined.pdf", "joined.json"


def write_joined(out: Path, paths: Sequence[Path]) -> tuple[list[str], int]:
    """Write the report of several runs into a new folder; returns what to print, and the exit code as of `rig verify`.

    Raises:
        EvidenceError: a record is damaged, a run has no closing, they cannot be joined, or the folder cannot be made.
    """
    heads = [_head(path) for path in paths]
    runs = [read_whole_run(path) for path in paths]
    names = Counter(run.manifest.run_id for run in runs)
    members = [
        Member(
            run.manifest.run_id if names[run.manifest.run_id] == 1 else f"{run.manifest.run_id} {head[:8]}",
            run,
        )
        for run, head in zip(runs, heads, strict=True)
    ]
    joined = join_runs(members, heads)
    by_label = {member.label: head for member, head in zip(members, heads, strict=True)}
    try:
        out.mkdir(parents=True)
    except OSError as error:
        raise EvidenceError(f"{out}: cannot be made ({error.strerror}); name a new folder by --out") from error
    write_json(out / JOINED_NUMBERS, _plain(joined, by_label))
    last = max(member.run.manifest.ended_utc or member.run.manifest.started_utc for member in members)
    document = joined_document(joined, by_label)
    with document_typesetter(document, record=out, files=(JOINED_NUMBERS,)) as compiler:
        write_pdf(out / JOINED, compiler, last)
    lines = [f"{row.id}: {row.verdict.value}" for row in joined.rows if row.in_scope]
    lines += [f"Verdict over {len(members)} runs: {joined.verdict.value}"]
    lines += marks_of_all(member.run for member in members)
    return [*lines, f"Report: {out / JOINED}"], EXIT_CODES[joined.verdict]


def _head(path: Path) -> str:
    """Read the head of a run: the hash that its closing carries."""
    closing = path / RECORD / CLOSING
    if not closing.is_file():
        raise EvidenceError(f"{path}: holds no closed run of the present format, and a report of several needs such")
    return str(read_json(closing).get("sha256"))


def _plain(joined: Joined, heads: dict[str, str]) -> dict[str, Any]:
    return {
        "simulated": joined.members[0].run.manifest.virtual,
        "formal": all(member.run.manifest.formal for member in joined.members),
        "verdict": joined.verdict.value,
        "runs": [
            {"run": member.label, "head": heads[member.label], "resumed_by": joined.resumed.get(member.label)}
            for member in joined.members
        ],
        "requirements": [
            {
                "id": row.id,
                "verdict": row.verdict.value,
                "in_scope": row.in_scope,
                "runs": {label: verdict.value if verdict else None for label, verdict in row.by_run},
            }
            for row in joined.rows
        ],
    }


def joined_document(joined: Joined, heads: dict[str, str]) -> Document:
    """Write several runs, judged together, as a document; each run is called R1, R2 and so on."""
    members = joined.members
    short = {member.label: f"R{number}" for number, member in enumerate(members, start=1)}
    last = max(member.run.manifest.ended_utc or member.run.manifest.started_utc for member in members)
    pumps = len({member.pump for member in members})
    pooled, _ = spreads(members)
    numbered = hashlib.sha256("".join(heads[member.label] for member in members).encode()).hexdigest()
    sections = [
        Section(0, "Contents", "contents", (Contents("Contents", 2),)),
        Section(1, "Summary", "summary", _summary(joined)),
        Section(1, "Runs", "runs", _runs(joined, heads, short)),
        *_label(joined),
        Section(1, "Requirements over all runs", "requirements", (_requirements(joined.rows, short),)),
        Section(1, "Measured values", "values", (_values(members, short),)),
        *(
            Section(1, f"Spread between runs: {minus(conditions)}", f"spread-{number}", spread_blocks(alike))
            for number, conditions in enumerate(dict.fromkeys(each.row.conditions for each in pooled), start=1)
            if (alike := [each for each in pooled if each.row.conditions == conditions])
        ),
        Section(1, "Attempts", "attempts", (_attempts(members, short),)),
        Section(0, "End", "end", (EndMark("— End of report of several runs —"),)),
    ]
    return with_numbers(
        Document(
            title="Report of several runs",
            kind="REPORT OF SEVERAL RUNS",
            subject=f"{len(members)} runs of {pumps} pump{'s' if pumps > 1 else ''}",
            number=f"Report of several runs {numbered[:12]}",
            revision=0,
            date=(last.year, last.month, last.day),
            marks=tuple(dict.fromkeys(mark for member in members for mark in marks_of(member.run))),
            simulated=members[0].run.manifest.virtual,
            sections=tuple(sections),
        )
    )


def _summary(joined: Joined) -> tuple[DocumentBlock, ...]:
    due = [row for row in joined.rows if row.in_scope]
    simulated = ", simulated" if joined.members[0].run.manifest.virtual else ""
    verdict = VerdictBlock(
        f"Verdict over {len(joined.members)} runs{simulated}",
        joined.verdict,
        MEANING[joined.verdict].replace("this run", "these runs"),
        "Of each requirement the worst verdict decides that one of the runs has; no run heals another.",
        tuple((each, sum(row.verdict is each for row in due)) for each in Verdict),
    )
    against = [row for row in due if row.verdict not in (Verdict.PASS, Verdict.NOT_APPLICABLE)]
    columns = (TableColumn("Id"), TableColumn("Requirement", share=1.0), TableColumn("Verdict", "right"))
    rows = tuple((TextCell(row.id, strong=True), row.text, VerdictCell(row.verdict)) for row in against)
    return (verdict, *([TableBlock("What is not met or not decided.", columns, rows)] if rows else []))


def _runs(joined: Joined, heads: dict[str, str], short: dict[str, str]) -> tuple[DocumentBlock, ...]:
    rows: list[tuple[AnyCell, ...]] = []
    for member in joined.members:
        manifest = member.run.manifest
        lots = ", ".join(
            f"{key.replace('_', ' ')} {value}" for key, value in sorted(manifest.disposables.items()) if value
        )
        rows.append(
            (
                TextCell(short[member.label], strong=True),
                member.label,
                TextCell(member.pump, lots or "lots not stated"),
                minus(condition_of(manifest)),
                VerdictCell(member.run.results.verdict),
            )
        )
    columns = (
        TableColumn(""),
        TableColumn("Run", share=1.0),
        TableColumn("Pump, disposables", share=1.0),
        TableColumn("Conditions", share=0.8),
        TableColumn("Verdict", "right"),
    )
    codes = {member.run.manifest.software.sha256 if member.run.manifest.software else "" for member in joined.members}
    return (
        TableBlock("Each run has its own evidence and report.", columns, tuple(rows)),
        Facts(tuple((f"Head of the record of {name}", heads[label]) for label, name in short.items())),
        *([Paragraph("The runs were made with different versions of the rig.")] if len(codes) > 1 else []),
        *(
            Paragraph(f"{short[one]} was resumed by {short[other]}, which holds its tests.")
            for one, other in joined.resumed.items()
        ),
    )


def _label(joined: Joined) -> tuple[Section, ...]:
    """Assemble the label's tables of the runs under nominal conditions, one a pump: its last one that counts."""
    last: dict[str, Member] = {}
    for member in sorted(joined.members, key=lambda each: each.run.manifest.started_utc):
        if condition_of(member.run.manifest) == NOMINAL and member.label not in joined.resumed:
            last[member.pump] = member
    if not last:
        return ()
    of = "one pump" if len(last) == 1 else f"{len(last)} pumps"
    about = f"{ABOUT}They are those of {of} under nominal conditions; of a pump with several runs the last one counts."
    return label_of([member.run for member in last.values()], about)


def _requirements(rows: Iterable[JoinedRow], short: dict[str, str]) -> TableBlock:
    columns = (
        TableColumn("Id"),
        TableColumn("Requirement", share=1.6),
        TableColumn("Runs", share=1.0),
        TableColumn("Verdict", "right"),
    )
    lines = tuple(
        (
            TextCell(row.id, strong=True),
            row.text,
            together((verdict.value if verdict else "out of scope", short[label]) for label, verdict in row.by_run),
            VerdictCell(row.verdict),
        )
        for row in rows
        if row.in_scope
    )
    return TableBlock("The worst verdict decides.", columns, lines, dense=True)


def _values(members: Sequence[Member], short: dict[str, str]) -> TableBlock:
    """Tabulate what decides, the same requirement's values of all runs below each other."""
    found: dict[str, tuple[str, list[tuple[AnyCell, ...]]]] = {}
    for member in members:
        for row in member.run.results.requirements:
            for each, more in row.told():
                name = f"{each.name}{f' (nearest of {more + 1})' if more else ''}"
                number = with_unit(each.value, each.expanded_uncertainty, each.unit)
                cells = (short[member.label], number, limit_text(each.limit.limit), VerdictCell(each.verdict))
                test = TextCell(name, member.run.results.called(each.test, each.attempt) if row.is_shared(each) else "")
                found.setdefault(row.id, (row.text, []))[1].append((test, *cells))
    rows: list[tuple[AnyCell, ...]] = []
    groups: list[int] = []
    for of, (text, lines) in found.items():
        groups.append(len(rows))
        rows.append((TextCell(f"{of} {text}", strong=True, span=5),))
        rows += sorted(lines, key=lambda line: line[0].text if isinstance(line[0], TextCell) else "")
    columns = (
        TableColumn("Quantity", share=1.0),
        TableColumn("Run"),
        TableColumn("Value ± U", "right"),
        TableColumn("Limit", "right"),
        TableColumn("Verdict", "right"),
    )
    caption = "Every value that decides; of more than six passes of one quantity in a run the nearest to its limit."
    return TableBlock(caption, columns, tuple(rows), dense=True, groups=tuple(groups))


def _attempts(members: Sequence[Member], short: dict[str, str]) -> TableBlock:
    """Tabulate how each attempt at each test ended, in which runs."""
    found: dict[str, tuple[str, list[tuple[str, str]]]] = {}
    for member in members:
        for each in member.run.results.tests:
            why = f" ({plain_reason(each.message)})" if each.message else ""
            attempt = f"attempt {each.attempt} " if each.id in member.run.results.repeated else ""
            ended = (f"{attempt}{each.outcome}{why}", short[member.label])
            found.setdefault(each.id, (each.title, []))[1].append(ended)
    columns = (TableColumn("Test", share=1.0), TableColumn("How it ended", share=1.0))
    rows = tuple((title, together(said)) for title, said in found.values())
    return TableBlock("Every attempt at every test.", columns, rows, dense=True)

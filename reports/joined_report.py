"""The report of several runs: joined.pdf and joined.json in a folder of its own; the same runs give the same bytes.

Not responsible for the verdicts (`reports.joined`), nor for the spread (`reports.compared`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reports.blocks import facts, text
from reports.compared import spreads
from reports.comparison_document import pump_blocks, wrapped
from reports.joined import Joined, join_runs
from reports.marks import marks_of_all
from reports.measured_values import condition_of
from reports.typesetting import typesetter, write_pdf
from reports.words import NBSP, NONE, minus, value_and_uncertainty
from rig.errors import EvidenceError
from rig.record.closed import CLOSING
from rig.record.files import read_json, write_json
from rig.record.folder import RECORD
from rig.record.likeness import Member
from rig.record.results import Results
from rig.run.reading import read_whole_run
from rig.run.results import EXIT_CODES
from rig.verdicts.limits import Verdict

FILES = ("joined.json",)


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
    write_json(out / "joined.json", _plain(joined, by_label))
    _write_document(out, joined, by_label)
    lines = [f"{row.id}: {row.verdict.value}" for row in joined.rows if row.in_scope]
    lines += [f"Verdict over {len(members)} runs: {joined.verdict.value}"]
    lines += marks_of_all(member.run for member in members)
    return [*lines, f"Report: {out / 'joined.pdf'}"], EXIT_CODES[joined.verdict]


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


def _write_document(out: Path, joined: Joined, heads: dict[str, str]) -> None:
    members = joined.members
    virtual = members[0].run.manifest.virtual
    last = max(member.run.manifest.ended_utc or member.run.manifest.started_utc for member in members)
    pooled, _ = spreads(members)
    sections = [
        {"title": "Runs", "blocks": _run_blocks(joined, heads)},
        {"title": "Requirements over all runs", "blocks": [_requirements(joined)]},
        {"title": "Measured values", "blocks": [_values(joined)]},
        {"title": "Attempts", "blocks": [_attempts(members)]},
    ]
    for conditions in dict.fromkeys(each.row.conditions for each in pooled):
        alike = [each for each in pooled if each.row.conditions == conditions]
        sections.append({"title": f"Spread between runs: {minus(conditions)}", "blocks": pump_blocks(alike)})
    pumps = len({member.pump for member in members})
    content = {
        "kind": "REPORT OF SEVERAL RUNS",
        "end": "End of report",
        "title": "Report of several runs",
        "subject": f"{len(members)} runs of {pumps} pump{'s' if pumps > 1 else ''}",
        "date": [last.year, last.month, last.day],
        "marks": ["Report of several runs", *marks_of_all(member.run for member in members)],
        "simulated": virtual,
        "sections": sections,
    }
    with typesetter("comparison.typ", content, {}, record=out, files=FILES) as compiler:
        write_pdf(out / "joined.pdf", compiler, last)


def _run_blocks(joined: Joined, heads: dict[str, str]) -> list[dict[str, Any]]:
    rows = []
    for member in joined.members:
        manifest = member.run.manifest
        disposables = ", ".join(f"{key} {value}" for key, value in sorted(manifest.disposables.items()) if value)
        verdict = _verdict(member.run.results.verdict)
        conditions = minus(condition_of(manifest))
        rows.append((member.label, member.pump, disposables or "not stated", conditions, heads[member.label], verdict))
    columns = ("Run", "Pump", "Disposables", "Conditions", "Head", "Verdict")
    caption = "Each run has its own evidence; the head is the hash of its closed record."
    codes = {(member.run.manifest.software.sha256 if member.run.manifest.software else "") for member in joined.members}
    return [
        facts(("Verdict over all runs", joined.verdict.value)),
        text("For each requirement the worst verdict decides that one of the runs has; no run heals another."),
        wrapped(caption, columns, rows, words=5),
        *([text("The runs were made with different versions of the rig.")] if len(codes) > 1 else []),
        *(text(f"{one} was resumed by {other}, which holds its tests.") for one, other in joined.resumed.items()),
    ]


def _requirements(joined: Joined) -> dict[str, Any]:
    rows = [
        (
            row.id,
            row.text,
            "; ".join(f"{label}: {verdict.value if verdict else 'out of scope'}" for label, verdict in row.by_run),
            _verdict(row.verdict),
        )
        for row in joined.rows
        if row.in_scope
    ]
    return wrapped("The worst verdict decides.", ("", "Requirement", "Runs", "Verdict"), rows, words=3)


def _values(joined: Joined) -> dict[str, Any]:
    rows = []
    for member in joined.members:
        for row in member.run.results.requirements:
            for each, more in row.told():
                value, u = value_and_uncertainty(each.value, each.expanded_uncertainty)
                ends = [NONE if end is None else minus(f"{end:g}") for end in (each.limit.low, each.limit.high)]
                name = f"{row.id}: {each.name}{f' (nearest of {more + 1})' if more else ''}"
                of = f"{member.label}, {member.run.results.called(each.test, each.attempt)}"
                limit = f"{NBSP}…{NBSP}".join(ends)
                rows.append((name, of, value, u or NONE, limit, each.unit, _verdict(each.verdict)))
    caption = "Every measured value that decides; of more than six passes of one quantity the nearest to its limit."
    return wrapped(caption, ("Quantity", "Run and test", "Value", "± U", "Limit", "", "Verdict"), rows, words=2)


def _attempts(members: Sequence[Member]) -> dict[str, Any]:
    def rows_of(label: str, results: Results) -> list[tuple[str, ...]]:
        return [(each.title, label, each.message or NONE, str(each.attempt), each.outcome) for each in results.tests]

    rows = [row for member in members for row in rows_of(member.label, member.run.results)]
    return wrapped("Every attempt at every test.", ("Test", "Run", "Why", "No.", "Ended"), rows, words=3)


def _verdict(verdict: Verdict) -> str:
    return verdict.value.replace(" ", NBSP)

"""Several runs judged together: one verdict for each requirement over all of them, the worst that one of them has.

Pure: runs in, verdicts out. No run heals another: what one left undecided, or could not measure, stays so, unless a run
that resumes it, and holds its tests, is among them. Not responsible for the spread between pumps (`reports.compared`),
nor for a document (`reports.joined_report`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rig.errors import EvidenceError
from rig.record.likeness import Member, firmware
from rig.record.manifest import Manifest
from rig.record.results import RequirementRecord
from rig.verdicts.limits import Verdict, worst


@dataclass(frozen=True)
class JoinedRow:
    """A requirement over several runs: its verdict, and by label that of each run; None where it is out of scope."""

    id: str
    text: str
    verdict: Verdict
    in_scope: bool
    by_run: tuple[tuple[str, Verdict | None], ...]


@dataclass(frozen=True)
class Joined:
    """Runs judged together.

    Attributes:
        members: in the order of their labels.
        resumed: label of a run that does not count by itself, to that of the one which resumes it.
        rows: one a requirement.
        verdict: over all runs.
    """

    members: tuple[Member, ...]
    resumed: dict[str, str]
    rows: tuple[JoinedRow, ...]
    verdict: Verdict


def join_runs(members: Sequence[Member], heads: Sequence[str]) -> Joined:
    """Judge runs together; `heads` are the hashes that the closings carry, in the same order.

    Raises:
        EvidenceError: a run is given twice, or they differ in what they were judged by, in firmware, or in whether they
            are simulated.
    """
    _refuse_twice(members, heads)
    _refuse_unlike(members)
    ordered = sorted(members, key=lambda member: member.label)
    by_name = {member.run.manifest.run_id: member.label for member in ordered}
    resumed = {
        by_name[resumes.run_id]: member.label
        for member in ordered
        if (resumes := member.run.manifest.resumes) is not None and resumes.run_id in by_name
    }
    ids = dict.fromkeys(row.id for member in ordered for row in member.run.results.requirements)
    rows = tuple(_row(name, ordered, resumed) for name in ids)
    # A run's own verdict is worse than its requirements' where it broke off: that counts, too.
    counting = [member.run.results.verdict for member in ordered if member.label not in resumed]
    verdict = worst([*(row.verdict for row in rows if row.in_scope), *counting])
    return Joined(tuple(ordered), resumed, rows, verdict)


def _row(name: str, members: Sequence[Member], resumed: dict[str, str]) -> JoinedRow:
    found: list[tuple[str, RequirementRecord]] = [
        (member.label, row) for member in members for row in member.run.results.requirements if row.id == name
    ]
    due = [(label, row) for label, row in found if row.in_scope]
    counting = [row.verdict for label, row in due if label not in resumed or row.verdict is Verdict.FAIL]
    return JoinedRow(
        id=name,
        text=found[0][1].text,
        verdict=worst(counting),
        in_scope=bool(due),
        by_run=tuple((label, row.verdict if row.in_scope else None) for label, row in found),
    )


def _refuse_twice(members: Sequence[Member], heads: Sequence[str]) -> None:
    seen: dict[str, str] = {}
    for member, head in zip(members, heads, strict=True):
        if head in seen:
            raise EvidenceError(f"{member.label} and {seen[head]} are the same run; each counts once, name it once")
        seen[head] = member.label


def _refuse_unlike(members: Sequence[Member]) -> None:
    def sheet(manifest: Manifest) -> str:
        return manifest.pump_sheet.sha256[:12] if manifest.pump_sheet else "none"

    reads = {
        "what they are made on": lambda manifest: "a simulated bench" if manifest.virtual else "a real bench",
        "requirements, so in limits": lambda manifest: f"requirements {manifest.requirements_sha256[:12]}",
        "pump sheets, so in limits": lambda manifest: f"pump sheet {sheet(manifest)}",
        "firmware": firmware,
    }
    first = members[0]
    for what, read in reads.items():
        for other in members[1:]:
            one, two = read(first.run.manifest), read(other.run.manifest)
            if one != two:
                raise EvidenceError(
                    f"the runs differ in {what}: {first.label} has {one}, {other.label} has {two}; one report has one"
                )

"""What every part of a report is made from: the run, the laboratory's own facts, and which revision it is.

Not responsible for reading any of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from reports.house import House
from reports.revisions import history
from rig.record.reading import Run
from rig.record.results import RequirementRecord
from rig.record.trail import read

NOT_STATED = "not stated"
NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class RevisionLine:
    """A revision of the documents of a run, in the words of its `revision.json`."""

    number: int
    made: str
    by: str
    reason: str
    changed: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrailNote:
    """What a person entered into the audit trail beside the record: a deviation, or what was decided on one."""

    at: str
    who: str
    text: str


@dataclass(frozen=True)
class Given:
    """What a report is made from."""

    run: Run
    house: House = field(default_factory=House)
    revision: int = 1
    history: tuple[RevisionLine, ...] = ()
    notes: tuple[TrailNote, ...] = ()

    @property
    def number(self) -> str:
        """The document number."""
        return self.house.number.replace("{run}", self.run.manifest.run_id)

    @property
    def in_scope(self) -> tuple[RequirementRecord, ...]:
        """The requirements that this run was to decide."""
        return tuple(row for row in self.run.results.requirements if row.in_scope)


def stated_or_not(value: object) -> str:
    """Write a fact that somebody states; "not stated" where nobody did."""
    return NOT_STATED if value in (None, "") else str(value)


def history_of(run_dir: Path, before: int, draft: Path | None = None) -> tuple[RevisionLine, ...]:
    """Read the revisions up to one, which may be a draft; none of a run whose documents lie elsewhere."""
    return tuple(
        RevisionLine(each.number, f"{each.made_utc:%Y-%m-%d %H:%M}", each.by or "", each.reason or "", each.changed)
        for each in history(run_dir, draft)
        if each.number <= before
    )


def notes_of(run_dir: Path) -> tuple[TrailNote, ...]:
    """Read what people entered into the audit trail; EvidenceError where that is damaged."""
    return tuple(
        TrailNote(
            entry.at_utc, entry.who, "; ".join(each for each in (entry.new, entry.reason, entry.disposition) if each)
        )
        for entry in read(run_dir)
        if entry.what == "note"
    )

"""The revisions of a run's documents: each in a folder of its own, none ever overwritten, and what changed with each.

Not responsible for what stands in the documents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import AwareDatetime, Field

from rig.errors import EvidenceError
from rig.record.files import write_json
from rig.record.folder import read_model
from rig.record.manifest import ListedFile
from rig.record.models import Record
from rig.record.reading import Run
from rig.record.seal import head_of
from rig.run.software import software

REVISION = "revision.json"
NOT_STATED = "reason not stated"


class Revision(Record):
    """`revision.json`: a revision of a run's documents.

    Attributes:
        head: the hash that the record's closing carries; None for a run of format 1, or one that was never closed.
        made_utc: when the record was closed, not when the document was written.
        rig: version of the rig that wrote it, and the hash of its code.
        changed: a sentence for each thing that changed since the revision before.
        reason: why it was written anew.
        by: who wrote it.
        values: printed value by requirement and quantity, which the next revision is held against.
        documents: size and SHA-256 by the name of the file.
    """

    number: int = Field(ge=1)
    head: str | None
    made_utc: AwareDatetime
    rig: str
    rig_sha256: str
    changed: tuple[str, ...] = ()
    reason: str | None = None
    by: str | None = None
    values: dict[str, str] = Field(default_factory=dict)
    documents: dict[str, ListedFile] = Field(default_factory=dict)


def next_revision(run_dir: Path) -> str:
    """Name the folder of the next revision of a run's documents, by its path below the run's own."""
    return f"reports/rev-{1 + max(_numbers(run_dir / 'reports'), default=0)}"


def history(run: Path, draft: Path | None = None) -> tuple[Revision, ...]:
    """Read the revisions of a run's documents, the first one first; those without a file are left out.

    Args:
        run: the run's folder.
        draft: folder of the revision that is being written, elsewhere.

    Raises:
        EvidenceError: a file is damaged, or calls itself another number than its folder.
    """
    found = []
    folders = {number: run / "reports" / f"rev-{number}" for number in _numbers(run / "reports")}
    if draft is not None:
        folders[int(draft.name.removeprefix("rev-"))] = draft
    for number, folder in sorted(folders.items()):
        path = folder / REVISION
        if path.is_file():
            revision = read_model(path, Revision)
            if revision.number != number:
                raise EvidenceError(f"{path}: number is {revision.number}; allowed is {number}, that of its folder")
            found.append(revision)
    return tuple(found)


def describe(run: Run, folder: Path, *, reason: str | None, by: str | None) -> Revision:
    """Describe the revision that is going to stand in `folder`, with what changed since the one before."""
    number = int(folder.name.removeprefix("rev-"))
    before = [each for each in history(run.folder) if each.number < number]
    now = software()
    manifest = run.manifest
    made = Revision(
        number=number,
        head=head_of(run.folder),
        made_utc=manifest.ended_utc or manifest.started_utc,
        rig=now.version,
        rig_sha256=now.sha256,
        reason=reason or (NOT_STATED if number > 1 else None),
        by=by,
        values=_values(run),
    )
    if number == 1:
        return made
    unknown = (f"what changed since revision {number - 1} is not known: it has no {REVISION}",)
    known = before and before[-1].number == number - 1
    return made.model_copy(update={"changed": _changed(before[-1], made) if known else unknown})


def keep(folder: Path, revision: Revision, documents: Mapping[str, ListedFile]) -> None:
    """Write `revision.json` beside the documents."""
    whole = revision.model_copy(update={"documents": dict(documents)})
    write_json(folder / REVISION, whole.model_dump(mode="json"))


def _changed(then: Revision, now: Revision) -> tuple[str, ...]:
    """Say what changed between two revisions: record, rig, values."""
    found = []
    if then.head != now.head:
        found.append(f"the record's head was {then.head}, and is {now.head}")
    if then.rig_sha256 != now.rig_sha256:
        found.append(
            f"written by rig {now.rig} (code {now.rig_sha256[:12]}), before by {then.rig} (code {then.rig_sha256[:12]})"
        )
    for name in sorted(then.values.keys() | now.values.keys()):
        one, other = then.values.get(name, "not there"), now.values.get(name, "not there")
        if one != other:
            found.append(f"{name}: {one} before, {other} now")
    return tuple(found) or ("nothing in the record, the rig or the values",)


def _values(run: Run) -> dict[str, str]:
    found: dict[str, str] = {}
    for row in run.results.requirements:
        found[row.id] = row.verdict.value
        for each in row.measurements:
            key = f"{row.id} {each.name}, {run.results.called(each.test, each.attempt)}"
            said = f"{each.value!r} ± {each.expanded_uncertainty!r} {each.unit}".rstrip()
            found[key] = f"{said}, {each.verdict.value}"
    return found


def _numbers(folder: Path) -> Sequence[int]:
    names = [path.name.removeprefix("rev-") for path in folder.glob("rev-*")]
    return [int(each) for each in names if each.isdecimal()]

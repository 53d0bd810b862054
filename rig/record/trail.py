"""The audit trail of a run: what happened to it since it was closed, who did it, when, and why.

`trail.jsonl` lies beside the record and only grows. Each entry carries the head of the run, the sum of the entry before
it and its own, so that one which is altered, missing, added or moved is found; of entries cut off at the end only an
anchor outside the run can tell. Two writers wait for each other. Not responsible for what an entry is about.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
from io import FileIO
from pathlib import Path
from typing import BinaryIO, Literal

from pydantic import Field, ValidationError

from rig.errors import EvidenceError
from rig.record.files import add_whole, cannot_write, utc_now
from rig.record.models import Record
from rig.record.seal import head
from rig.record.strict_json import read_exactly, written_line

TRAIL = "trail.jsonl"
What = Literal["closed", "note", "report", "signed", "recomputed"]


class TrailEntry(Record):
    """A line of `trail.jsonl`.

    Attributes:
        n: its number, from 1.
        at_utc: when, to the second.
        who: a person's name, or the command that did it.
        what: what was done.
        old: what stood before, where something did.
        new: what stands now: a note's words, a document's SHA-256, the head of a run that was closed.
        reason: why, where somebody said so.
        test: the test that a note is about.
        disposition: what a person decided, in a note.
        head: of the run.
        previous: the sum of the entry before it; None for the first.
        sha256: of the rest of the entry, as JSON in one line with its keys sorted.
    """

    n: int = Field(ge=1)
    at_utc: str = Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
    who: str = Field(pattern=r"\S")
    what: What
    old: str | None = None
    new: str | None = None
    reason: str | None = None
    test: str | None = None
    disposition: str | None = None
    head: str | None = None
    previous: str | None = None
    sha256: str = ""

    @property
    def own_sum(self) -> str:
        """The sum that it must carry."""
        rest = json.dumps(self.model_dump(mode="json", exclude={"sha256"}), sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(rest.encode()).hexdigest()


def append(
    run: Path,
    *,
    who: str,
    what: str,
    old: str | None = None,
    new: str | None = None,
    reason: str | None = None,
    test: str | None = None,
    disposition: str | None = None,
    of: str | None = None,
) -> TrailEntry:
    """Add an entry to the trail of a closed run, down to the disk; `of` is the head of one that is being closed.

    Raises:
        EvidenceError: the run was not closed, its trail is damaged (nothing is added to such a one), or it cannot be
            written.
    """
    path = run / TRAIL
    of_format_1 = not (run / "record").is_dir() and (run / "manifest.json").is_file()
    carried = of or (None if of_format_1 else head(run))
    try:
        with path.open("a+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            known = _entries(path, file)
            values = {
                "n": len(known) + 1, "at_utc": utc_now(), "who": who, "what": what, "old": old, "new": new,
                "reason": reason, "test": test, "disposition": disposition, "head": carried,
                "previous": known[-1].sha256 if known else None,
            }  # fmt: skip
            try:
                entry = TrailEntry.model_validate(values)
            except ValidationError as error:
                raise EvidenceError(f"{path}: no entry can say {what!r} by {who!r}") from error
            entry = entry.model_copy(update={"sha256": entry.own_sum})
            add_whole(file, written_line(entry.model_dump(mode="json")))
    except OSError as error:
        raise cannot_write(path, error) from error
    except UnicodeEncodeError as error:
        raise EvidenceError(f"{path}: an entry holds half of a character, which no file can") from error
    return entry


def read(run: Path) -> tuple[TrailEntry, ...]:
    """Read the trail of a run; none where it has none.

    Raises:
        EvidenceError: names the first entry that was altered, cut off, moved, or is missing between others.
    """
    path = run / TRAIL
    try:
        with path.open("rb") as file:
            return _entries(path, file)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise EvidenceError(f"{path}: cannot be read ({error.strerror})") from error


def entries_in(data: bytes) -> tuple[TrailEntry, ...]:
    """Read the entries of a trail from its octets.

    Raises:
        ValueError: which entry is wrong and how, as the end of a sentence that begins with the file's name.
    """
    found: list[TrailEntry] = []
    for number, line in enumerate(io.BytesIO(data), start=1):
        try:
            entry = TrailEntry.model_validate(read_exactly(line, line=True), extra="forbid")
        except ValidationError as error:
            raise ValueError(f"entry {number} is none of a trail") from error
        except ValueError as error:
            raise ValueError(f"entry {number} {error}") from error
        if entry.sha256 != entry.own_sum or written_line(entry.model_dump(mode="json")) != line:
            raise ValueError(f"entry {number} was altered")
        if entry.n != number or entry.previous != (found[-1].sha256 if found else None):
            raise ValueError(f"entry {number} does not follow the one before it: one was removed, added or moved")
        found.append(entry)
    return tuple(found)


def _entries(path: Path, file: BinaryIO | FileIO) -> tuple[TrailEntry, ...]:
    file.seek(0)
    try:
        return entries_in(file.read())
    except ValueError as error:
        raise EvidenceError(f"{path}: {error}") from error

"""What binds a run to something outside it: the bench's public key, its head as somebody else wrote it down, an anchor.

A run that was made anew as a whole is consistent with itself, and only these tell. An anchor is a file of lines,
elsewhere than the runs, to which `rig verify` and `rig note` add the head and the end of the audit trail. Not
responsible for who may write that file.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from rig.audit.integrity import Alteration, Intact
from rig.errors import BenchFileError, EvidenceError
from rig.record.closed import CLOSING
from rig.record.files import add_whole, cannot_write, utc_now
from rig.record.folder import RunFolder
from rig.record.keys import SIGNATURE, key_fingerprint
from rig.record.models import Record
from rig.record.seal import head
from rig.record.strict_json import read_exactly, written_line
from rig.record.trail import TRAIL, read

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

VARIABLE = "RIG_ANCHOR"


class Anchored(Record):
    """A line of an anchor file.

    Attributes:
        run: its id.
        head: of the run.
        trail_entries: how many the audit trail had.
        trail_sha256: the sum of the last of them; None where there was none.
        at_utc: when the line was written.
    """

    run: str
    head: str
    trail_entries: int
    trail_sha256: str | None
    at_utc: str


def refuse_unwritable_anchor() -> None:
    """Refuse an anchor file that cannot be written, before anything is measured; BenchFileError."""
    named = os.environ.get(VARIABLE)
    if not named:
        return
    try:
        Path(named).open("ab").close()
    except OSError as error:
        raise BenchFileError(f"{VARIABLE}: {named}: the anchor file cannot be written ({error.strerror})") from error


def anchor(run: Path) -> Anchored | None:
    """Add a run's head to the anchor file that RIG_ANCHOR names; None where it names none.

    Raises:
        EvidenceError: the run was not closed or its trail is damaged, or the anchor file cannot be written.
    """
    named = os.environ.get(VARIABLE)
    if not named:
        return None
    path = Path(named)
    trail = read(run)
    line = Anchored(
        run=RunFolder(run).manifest().run_id,
        head=head(run),
        trail_entries=len(trail),
        trail_sha256=trail[-1].sha256 if trail else None,
        at_utc=utc_now(),
    )
    try:
        with path.open("ab", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            add_whole(file, written_line(line.model_dump(mode="json")))
    except OSError as error:
        raise cannot_write(path, error) from error
    return line


def read_anchor(path: Path) -> tuple[Anchored, ...]:
    """Read an anchor file.

    Raises:
        BenchFileError: it cannot be read, or a line is none of an anchor.
    """
    found = []
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except OSError as error:
        raise BenchFileError(f"{path}: the anchor file cannot be read ({error.strerror})") from error
    for number, line in enumerate(lines, start=1):
        try:
            found.append(Anchored.model_validate(read_exactly(line, line=True)))
        except ValidationError as error:
            raise BenchFileError(f"{path}: line {number} is none of an anchor file") from error
        except ValueError as error:
            raise BenchFileError(f"{path}: line {number} {error}") from error
    return tuple(found)


def held_by_key(intact: Intact, key: Ed25519PublicKey) -> Alteration | None:
    """Find a run that is not signed by a key."""
    if intact.signed is None:
        return Alteration(SIGNATURE, "is missing: the run is not signed, so the key says nothing of it")
    if intact.signed.fingerprint != key_fingerprint(key):
        by = intact.signed.fingerprint
        return Alteration(SIGNATURE, f"is by the key {by}, not by the one that was given, {key_fingerprint(key)}")
    return None


def held_by_head(intact: Intact, expected: str) -> Alteration | None:
    """Find a run whose head is not the one that was written down elsewhere."""
    if intact.head == expected.strip().lower():
        return None
    return Alteration(f"record/{CLOSING}", f"the head of the run is {intact.head}, and not {expected.strip().lower()}")


def held_by_anchor(intact: Intact, run_id: str, lines: tuple[Anchored, ...]) -> Alteration | None:
    """Find a run that an anchor file knew otherwise at first, or not at all, or with more entries in its trail."""
    of_run = [line for line in lines if line.run == run_id]
    heads = {line.head for line in lines}
    if not of_run and intact.head not in heads:
        return Alteration(
            f"record/{CLOSING}", f"the anchor file does not know the run {run_id}, nor its head {intact.head}"
        )
    if of_run and intact.head != of_run[0].head:  # whoever made the run anew may have anchored it anew, too
        then = of_run[0]
        what = f"the head of the run is {intact.head}, and was {then.head} when it was anchored at {then.at_utc}"
        return Alteration(f"record/{CLOSING}", what)
    for line in (each for each in lines if each.head == intact.head):
        if line.trail_entries == 0:
            continue
        if len(intact.trail) < line.trail_entries:
            count = f"{len(intact.trail)} entries, and had {line.trail_entries} when it was anchored at {line.at_utc}"
            return Alteration(TRAIL, f"has {count}: the last were taken away")
        if intact.trail[line.trail_entries - 1].sha256 != line.trail_sha256:
            return Alteration(
                TRAIL, f"entry {line.trail_entries} is another than when it was anchored at {line.at_utc}"
            )
    return None


def refuse_no_run(run: Path) -> None:
    """Refuse what is no run's folder.

    Raises:
        BenchFileError: it is none.
        EvidenceError: it is one of format 1, which has no sums to be held against.
    """
    if not run.is_dir():
        raise BenchFileError(f"{run}: there is no such run folder")
    if not (run / "record").is_dir() and not (run / "manifest.json").is_file():
        raise BenchFileError(f"{run}: holds no record, so this is no run folder")
    if not (run / "record").is_dir():
        raise EvidenceError(f"{run}: is a run of format 1, which kept no sums: whether it was altered cannot be said")

"""Documents of a run are entered into its audit trail before they stand where they belong: no crash leaves a riddle.

    unfinished/<path>   what is being written, by its path below the run's folder
    <path>              what the trail names: reports/rev-<n>/…, and record/closing.json

A draft that the trail does not name is left of a writing that was cut off, and no evidence; one that it names is whole,
and whoever writes next lays it into its place. Not responsible for what documents say, nor for judging them
(`rig.audit`).
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from rig.record.closed import CLOSING, closing_head, sums
from rig.record.files import alone, cannot_write, sync_folder, write_whole
from rig.record.trail import TrailEntry, append, read

UNFINISHED = "unfinished"
CLOSING_PATH = f"record/{CLOSING}"
_NAMED = re.compile(r"(reports/[^:]+?)(?: was written|: (?:authored|reviewed|approved)(?:; .*)?)")


@dataclass(frozen=True)
class Entered:
    """A document as the audit trail names it last: the entry's number, its SHA-256, and that of what it replaced."""

    n: int
    sha256: str
    old: str | None


def entered_documents(trail: Sequence[TrailEntry]) -> dict[str, Entered]:
    """List the documents that a trail names, each as its last entry has it, by their path below the run's folder."""
    found: dict[str, Entered] = {}
    for entry in trail:
        match = _NAMED.fullmatch(entry.reason or "") if entry.what in ("report", "signed") else None
        if match is not None:
            found[match[1]] = Entered(entry.n, entry.new or "", entry.old)
    return found


def draft_of(run: Path, name: str) -> Path:
    """Where the draft of a document lies, by its path below the run's folder."""
    return run / UNFINISHED / name


@contextmanager
def writing(run: Path) -> Iterator[None]:
    """Write documents of a run while nobody else does; what was cut off before is settled first.

    Raises:
        EvidenceError: the run's folder cannot be written, or its trail is damaged.
    """
    with alone(run):
        settle_drafts(run)
        try:
            yield
        finally:
            settle_drafts(run)


def settle_what_was_cut_off(run: Path) -> None:
    """Settle what a writer that was killed has left, once nobody else writes; EvidenceError as `settle_drafts`."""
    if (run / UNFINISHED).is_dir():
        with alone(run):
            settle_drafts(run)


def settle_drafts(run: Path) -> None:
    """Lay each draft that the trail names into its place, and take away every other.

    Raises:
        EvidenceError: the run's folder cannot be written, or its trail is damaged.
    """
    folder = run / UNFINISHED
    if not folder.is_dir():
        return
    trail = read(run)
    wanted = {name: each.sha256 for name, each in entered_documents(trail).items()}
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        name = path.relative_to(folder).as_posix()
        named = is_entered_closing(path.read_bytes(), trail) if name == CLOSING_PATH else None
        if named or (named is None and wanted.get(name) == sums(path).sha256):
            _lay(run, name)
    with suppress(OSError):
        shutil.rmtree(folder)


def is_entered_closing(data: bytes, trail: Sequence[TrailEntry]) -> bool:
    """Say whether a closing that was never laid into its place is the one that the trail names last."""
    named = [entry.new for entry in trail if entry.what == "closed"]
    return bool(named) and named[-1] == closing_head(data)


def enter_document(run: Path, name: str, who: str, reason: str) -> None:
    """Enter a new document whose draft is whole into the trail, then lay it into its place; EvidenceError."""
    draft = draft_of(run, name)
    sync_folder(draft.parent)
    append(run, who=who, what="report", new=sums(draft).sha256, reason=reason)
    _lay(run, name)


def replace_document(run: Path, name: str, data: bytes, who: str, before: bytes | None, reason: str) -> None:
    """Enter a document that grew by a signature into the trail, then lay it into its place; EvidenceError."""
    draft = draft_of(run, name)
    write_whole(draft, data)
    sync_folder(draft.parent)
    old = None if before is None else hashlib.sha256(before).hexdigest()
    append(run, who=who, what="signed", old=old, new=hashlib.sha256(data).hexdigest(), reason=reason)
    _lay(run, name)


def _lay(run: Path, name: str) -> None:
    place = run / name
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        draft_of(run, name).replace(place)
        sync_folder(place.parent)
    except OSError as error:
        raise cannot_write(place, error) from error

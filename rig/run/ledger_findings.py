"""What a bench's ledger shows: alterations, runs without an end, folders that are gone, requirements tried until PASS.

Not responsible for reading the ledger (`rig.run.ledger`), nor for printing (`rig.cli.ledger`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rig.errors import EvidenceError
from rig.lease import is_held
from rig.record.closed import CLOSING
from rig.record.files import read_json
from rig.record.folder import LEASE, RECORD
from rig.run.ledger import REFUSED, Ledger, LedgerEntry

PASSED, DOES_NOT_APPLY = "PASS", "NOT APPLICABLE"


@dataclass(frozen=True)
class LedgerFinding:
    """Something that a reader of the ledger has to know; `altered` where evidence was changed or is missing."""

    what: str
    altered: bool


def findings_of(
    ledger: Ledger, *, pump: str | None = None, elsewhere: Sequence[Path] = (), unended: int | None = None
) -> list[LedgerFinding]:
    """Find everything that a ledger shows, alterations first.

    Args:
        ledger: as it was read.
        pump: only the runs of this one; alterations are told of all.
        elsewhere: folders of runs that were moved, and of runs that should stand in the ledger.
        unended: the number of a run that is known to go on.
    """
    runs = [each for each in ledger.runs if pump is None or each.serial_number == pump]
    moved = _runs_below(elsewhere)
    found = [LedgerFinding(what, altered=True) for what in ledger.alterations]
    for each in runs:
        if each.n != unended:
            found += _of_folder(ledger, each, moved)
    known = {each.sha256 for each in ledger.runs}
    found += [
        LedgerFinding(f"{folder}: took number {number} of a ledger, and this one has no such run", altered=True)
        for sha256, (folder, number) in moved.items()
        if sha256 not in known
    ]
    found += [LedgerFinding(what, altered=False) for what in repeated(runs)]
    return sorted(found, key=lambda each: not each.altered)


def repeated(runs: Sequence[LedgerEntry]) -> list[str]:
    """Say of each pump and requirement that was tried more than once until it passed, how often and with what."""
    tried: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for run in runs:
        for requirement, verdict in run.requirements.items():
            if verdict == DOES_NOT_APPLY:
                continue
            tried.setdefault((run.serial_number or "that did not answer", requirement), []).append((run.n, verdict))
    sentences = []
    for (pump, requirement), attempts in tried.items():
        first = next((place for place, (_, verdict) in enumerate(attempts) if verdict == PASSED), None)
        if not first:
            continue  # it never passed, or at once
        said = ", ".join(f"{verdict} in run {n}" for n, verdict in attempts)
        sentences.append(f"{requirement} of pump {pump} was tried {first + 1} times until it passed: {said}")
    return sentences


def _of_folder(ledger: Ledger, run: LedgerEntry, moved: Mapping[str, tuple[Path, int]]) -> list[LedgerFinding]:
    """Hold a run of the ledger against its folder."""
    if run.outcome == REFUSED:
        return []
    folder = ledger.path.parent / run.folder
    if _begun_by(folder) != run.sha256 and run.sha256 in moved:
        folder = moved[run.sha256][0]
    found = []
    called = f"run {run.n} ({run.run_id})"
    if run.outcome is None and not is_held(folder / LEASE):
        found.append(LedgerFinding(f"{called} was begun and has no end: it was killed, or deleted", altered=False))
    if not (folder / RECORD).is_dir():
        return [*found, LedgerFinding(f"{called}: its folder {folder} is gone", altered=True)]
    begun_by = _begun_by(folder)
    if begun_by is not None and begun_by != run.sha256:
        return [*found, LedgerFinding(f"{called}: {folder} holds another run", altered=True)]
    head = _head(folder)
    if run.head is not None and head != run.head:
        found.append(LedgerFinding(f"{called}: the record in {folder} is not that which was closed", altered=True))
    return found


def _runs_below(folders: Sequence[Path]) -> dict[str, tuple[Path, int]]:
    """Find the runs in folders that took a number, by the hash of the line that began them."""
    found = {}
    for folder in folders:
        for path in sorted(folder.rglob(f"{RECORD}/manifest.json")):
            run = path.parent.parent
            sha256, number = _begun_by(run), _content(path).get("ledger_number")
            if sha256 is not None and isinstance(number, int):
                found[sha256] = (run, number)
    return found


def _begun_by(folder: Path) -> str | None:
    """Read from a run's manifest the hash of the line that began it."""
    value = _content(folder / RECORD / "manifest.json").get("ledger")
    return value if isinstance(value, str) else None


def _head(folder: Path) -> str | None:
    """Read the head of a closed run."""
    value = _content(folder / RECORD / CLOSING).get("sha256")
    return value if isinstance(value, str) else None


def _content(path: Path) -> Mapping[str, object]:
    try:
        return read_json(path)
    except EvidenceError:
        return {}

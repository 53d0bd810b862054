"""What a bench's ledger shows: alterations, runs without an end, folders that are gone, requirements tried until PASS.

It is held against the folders of its runs, against the runs that lie beside those, and against what this PC remembers
to have written into ledgers. Not responsible for reading the ledger (`rig.run.ledger`), nor for printing
(`rig.cli.ledger`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from rig.errors import EvidenceError
from rig.lease import is_held
from rig.record.closed import CLOSING
from rig.record.files import read_json
from rig.record.folder import LEASE, RECORD
from rig.run.ledger import REFUSED, Ledger, LedgerEntry
from rig.run.ledger_copy import CopiedLine, read_copy

MANIFEST = "manifest.json"
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
    beside = sorted({(ledger.path.parent / each.folder).resolve().parent for each in ledger.runs})
    moved = _numbered(ledger, [path for folder in elsewhere for path in folder.rglob(f"{RECORD}/{MANIFEST}")])
    near = _numbered(ledger, [path for folder in beside for path in folder.glob(f"*/{RECORD}/{MANIFEST}")])
    found = [LedgerFinding(what, altered=True) for what in ledger.alterations]
    for each in runs:
        if each.n != unended:
            found += _of_folder(ledger, each, moved)
    known = {each.sha256 for each in ledger.runs}
    found += [
        LedgerFinding(f"{folder}: took number {number} of this ledger, which has no such run", altered=True)
        for sha256, (folder, number) in (near | moved).items()
        if sha256 not in known
    ]
    try:
        copied = read_copy()
    except EvidenceError as error:
        found.append(LedgerFinding(str(error), altered=False))
    else:
        found += [LedgerFinding(what, altered=True) for what in lost(ledger, copied)]
        found += [LedgerFinding(what, altered=False) for what in other_ledgers(ledger, copied, pump)]
    odd = [*ledger.oddities, *([] if ledger.hashes else ["the ledger holds no line"]), *put_back(runs)]
    found += [LedgerFinding(what, altered=False) for what in (*odd, *repeated(runs))]
    return sorted(found, key=lambda each: not each.altered)


def lost(ledger: Ledger, copied: Iterable[CopiedLine]) -> list[str]:
    """Say which lines this PC has written into the ledger, under this path or an earlier one, that it has no longer."""
    copied = list(copied)
    own = {str(ledger.path.resolve()), *(each.ledger for each in copied if each.sha256 in ledger.hashes)}
    gone: dict[tuple[str, int], list[str]] = {}
    for each in copied:
        if each.ledger in own and each.sha256 not in ledger.hashes:
            gone.setdefault((each.ledger, each.n), []).append(each.entry)
    return [
        f"run {n}: {', '.join(entries)}: this PC wrote that into {file}, and it is not there: it was cut off, or the "
        "ledger was written anew"
        for (file, n), entries in gone.items()
    ]


def other_ledgers(ledger: Ledger, copied: Iterable[CopiedLine], pump: str | None) -> list[str]:
    """Say of which pumps of a ledger this PC has written runs into other ledgers, too, as with a copied bench file."""
    pumps = {each.serial_number for each in ledger.runs} if pump is None else {pump}
    copied = list(copied)
    own = {str(ledger.path.resolve()), *(each.ledger for each in copied if each.sha256 in ledger.hashes)}
    elsewhere = {
        (each.serial_number, each.ledger, each.n)
        for each in copied
        if each.ledger not in own and each.serial_number is not None and each.serial_number in pumps
    }
    counted = Counter((serial_number, other) for serial_number, other, _ in elsewhere)
    return [
        f"the pump {serial_number} has {'one run' if count == 1 else f'{count} runs'} in another ledger, {other}"
        for (serial_number, other), count in sorted(counted.items())
    ]


def put_back(runs: Sequence[LedgerEntry]) -> list[str]:
    """Say where the PC's clock went backwards: a run began before the one ahead of it, or ended before it began."""
    found = [
        f"run {after.n} began at {after.begun_utc} and run {before.n} at {before.begun_utc}"
        for before, after in pairwise(runs)
        if after.begun_utc < before.begun_utc
    ]
    found += [
        f"run {each.n} ended at {each.ended_utc} and began at {each.begun_utc}"
        for each in runs
        if each.ended_utc is not None and each.ended_utc < each.begun_utc
    ]
    return [f"{each}: the PC's clock was put back in between" for each in found]


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


def _numbered(ledger: Ledger, manifests: Iterable[Path]) -> dict[str, tuple[Path, int]]:
    """Find the runs that took a number of a ledger, by the hash of the line that began them."""
    found = {}
    for path in sorted(manifests):
        content = _content(path)
        sha256, number, named = (content.get(key) for key in ("ledger", "ledger_number", "ledger_file"))
        if isinstance(sha256, str) and isinstance(number, int) and _is_of(ledger, named):
            found[sha256] = (path.parent.parent, number)
    return found


def _is_of(ledger: Ledger, named: object) -> bool:
    """Whether a run's ledger is this one, though it may have been moved since."""
    file = Path(str(named))
    return file == ledger.path.resolve() or (file.name == ledger.path.name and not file.exists())


def _begun_by(folder: Path) -> str | None:
    """Read from a run's manifest the hash of the line that began it."""
    value = _content(folder / RECORD / MANIFEST).get("ledger")
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

"""Seals: at its end each attempt at a test gets the sums of its files, and names the seal before it.

    tests/<test>/<attempt>/seal.json   SHA-256 and size of the attempt's files, the sum of the seal made before it in
                                       this run, and its own; so the seals are a chain over tests and attempts
    closing.json                       names the last seal and covers every file; its own sum is the head of the run

A seal is made by the process that ended the attempt, or, where that was killed, when the run is closed. What is found
when the whole run is looked through (`invariants.json`) comes later, and is covered by the closing alone. Seals that a
resumed run has copied stay, and the chain goes on from them. Not responsible for holding files against their seals
(`rig.audit`), nor for signing the head (`keys`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rig.errors import EvidenceError
from rig.record.closed import CLOSING, refuse_altered_closing, sums, with_own_hash
from rig.record.files import alone, read_json, write_json
from rig.record.invariants import INVARIANTS
from rig.record.manifest import ListedFile
from rig.record.models import Record

SEAL = "seal.json"
LATER = frozenset({SEAL, INVARIANTS})
"""Files of an attempt that its seal does not name: itself, and what is found once the whole run is there."""


class Seal(Record):
    """`seal.json`: what an attempt at a test consisted of at its end.

    Attributes:
        previous: the sum of the seal that was made before it in this run; None for the first.
        files: the attempt's files, by their path in its folder.
        sha256: of the rest of this file, as JSON in one line with its keys sorted.
    """

    previous: str | None
    files: dict[str, ListedFile]
    sha256: str = ""


def head(run: Path) -> str:
    """Read the head of a closed run: the sum of its closing, which covers every other file of the record.

    Raises:
        EvidenceError: the run was not closed, or its closing is not as it was written.
    """
    path = run / "record" / CLOSING
    if not path.is_file():
        raise EvidenceError(f"{run}: the run was not closed, and so has no head")
    refuse_altered_closing(run / "record")
    return str(read_json(path)["sha256"])


def head_of(run: Path) -> str | None:
    """Read the head of a run; None of one that was never closed, or of format 1. EvidenceError as `head`."""
    return head(run) if (run / "record" / CLOSING).is_file() else None


def seal_attempt(folder: Path) -> None:
    """Seal an attempt that has ended, as the next in the chain of its run; one that has a seal keeps it.

    Args:
        folder: of the attempt, `record/tests/<test>/<attempt>`.

    Raises:
        EvidenceError: a file cannot be read, or the seal cannot be written.
    """
    if not folder.is_dir():
        return  # it ended before it left anything
    record = folder.parent.parent.parent
    with alone(record):
        if not (folder / SEAL).exists():
            _seal(folder, _last(_sums_of(record)))


def seal_unsealed(record: Path, attempts: list[Path]) -> str | None:
    """Seal what a killed runner left unsealed, in the order given; returns the sum of the run's last seal.

    Args:
        record: of the run.
        attempts: the folders of its attempts.

    Raises:
        EvidenceError: as `seal_attempt`.
    """
    with alone(record):
        known = _sums_of(record)
        last = _last(known)
        for folder in attempts:
            if not (folder / SEAL).exists():
                last = _seal(folder, last)
    return last


def sealed_files(folder: Path) -> dict[str, ListedFile]:
    """List the files of an attempt that its seal names, by their path in it; EvidenceError when one is unreadable."""
    later = {folder / name for name in LATER}
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path not in later)
    return {path.relative_to(folder).as_posix(): sums(path) for path in paths}


def _seal(folder: Path, previous: str | None) -> str:
    content = with_own_hash(Seal(previous=previous, files=sealed_files(folder)).model_dump(mode="json"))
    write_json(folder / SEAL, content)
    return str(content["sha256"])


def _sums_of(record: Path) -> dict[str, str | None]:
    """Read the seals of a run: by the sum of each, which is before it; a damaged one is passed over, to be found."""
    found: dict[str, str | None] = {}
    for path in sorted(record.glob(f"tests/*/*/{SEAL}")):
        try:
            content: Mapping[str, Any] = read_json(path)
            seal = Seal.model_validate(content)
        except (EvidenceError, ValidationError):
            continue
        found[seal.sha256] = seal.previous
    return found


def _last(known: Mapping[str, str | None]) -> str | None:
    """Find the seal that no other names."""
    named = set(known.values())
    return next((each for each in known if each not in named), None)

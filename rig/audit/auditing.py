"""The audit of a run's folder: its octets, what binds it to the world outside, and that its parts agree.

Opens no bench, asks no network, writes nothing. Not responsible for computing values again (`rig report --recompute`),
nor for people's signatures in documents.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rig.audit.bound import Anchored, held_by_anchor, held_by_head, held_by_key, refuse_no_run
from rig.audit.files import AuditedFiles
from rig.audit.integrity import Alteration, Intact, examine
from rig.errors import EvidenceError
from rig.record.closed import CLOSING
from rig.record.folder import RunFolder, holds_a_run
from rig.record.keys import SIGNATURE
from rig.record.trail import TRAIL
from rig.run.reading import read_whole_run

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


@dataclass(frozen=True)
class Against:
    """What a run is held against beside itself: the bench's public key, a head, the lines of an anchor file."""

    key: Ed25519PublicKey | None = None
    head: str | None = None
    anchor: tuple[Anchored, ...] | None = None


def audit_run(run: Path, against: Against | None = None) -> Intact | Alteration:
    """Audit a closed run.

    Args:
        run: its folder.
        against: what it is held against beside itself.

    Returns:
        What is known of an intact run, or the first thing that is not as it was.

    Raises:
        BenchFileError: the folder is none of a run.
        EvidenceError: it was never closed, is of format 1, which has no sums, or a file cannot be read.
    """
    was_closed = any(os.path.lexists(run / name) for name in (TRAIL, SIGNATURE))
    if was_closed and not (run / "record").is_dir() and not holds_a_run(run):
        return Alteration("record", "the folder is missing, and the run has been closed")
    refuse_no_run(run)
    if not (run / "record" / CLOSING).exists() and not was_closed:
        if (found := _known_elsewhere(run, against or Against())) is not None:
            return found
        raise EvidenceError(f"{run}: the run was not closed, so there is nothing to hold it against")
    examined = examine(AuditedFiles.of(run))
    if isinstance(examined, Alteration):
        return examined
    return _bound(run, examined, against or Against()) or _contradiction(run) or examined


def _known_elsewhere(run: Path, against: Against) -> Alteration | None:
    """Find a run that says it was never closed, and whose head somebody else has."""
    name = f"record/{CLOSING}"
    if against.head is not None:
        return Alteration(name, f"is missing, and the run has been closed: its head was {against.head}")
    run_id = RunFolder(run).manifest().run_id
    known = next((line for line in against.anchor or () if line.run == run_id), None)
    if known is None:
        return None
    return Alteration(name, f"is missing, and the run was closed when it was anchored at {known.at_utc}")


def _bound(run: Path, intact: Intact, against: Against) -> Alteration | None:
    if against.head is not None and (found := held_by_head(intact, against.head)) is not None:
        return found
    if against.anchor is not None:
        found = held_by_anchor(intact, RunFolder(run).manifest().run_id, against.anchor)
        if found is not None:
            return found
    return held_by_key(intact, against.key) if against.key is not None else None


def _contradiction(run: Path) -> Alteration | None:
    """Find results that do not follow from the parts of a record whose sums were made anew."""
    if not (run / "record" / "results.json").is_file():
        return None  # it was closed without, and says why
    try:
        read_whole_run(run)
    except EvidenceError as error:
        where, _, what = str(error).removeprefix(f"{run}/").partition(": ")
        return Alteration(where, what)
    return None

"""Which signatures a revision of a report has: its signed file, and what the run's audit trail says of it.

    reports/rev-<n>/report.signed.pdf    the report with a page for signatures; it grows by each of them
    trail.jsonl                          an entry for each: who, meaning, SHA-256 of the signed file before and after

The trail finds a signature that was taken away again. Not responsible for what a signature is worth (`judging`).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from rig.errors import EvidenceError
from rig.record.closed import sums
from rig.record.drafts import draft_of, replace_document
from rig.record.trail import read
from rig.signing.meaning import Meaning

SIGNED = "report.signed.pdf"
_ENTRY = re.compile(rf"reports/rev-(\d+)/{re.escape(SIGNED)}: (authored|reviewed|approved)(?:; .*)?")


@dataclass(frozen=True)
class EnteredSignature:
    """A signature as the trail names it: `sha256` is that of the signed file with this signature in it."""

    revision: int
    meaning: Meaning
    name: str
    at_utc: str
    sha256: str


def entered_signatures(run: Path, revision: int) -> tuple[EnteredSignature, ...]:
    """Read which signatures of a revision were made, in their order; EvidenceError when the trail is damaged."""
    found = []
    for entry in read(run):
        match = _ENTRY.fullmatch(entry.reason or "") if entry.what == "signed" else None
        if match is not None and int(match[1]) == revision:
            found.append(EnteredSignature(revision, Meaning(match[2]), entry.who, entry.at_utc, entry.new or ""))
    return tuple(found)


def keep_signature(
    run: Path, revision: int, meaning: Meaning, name: str, before: bytes | None, after: bytes, reason: str | None
) -> None:
    """Enter a signature that was made into the run's audit trail, and keep the file; EvidenceError."""
    path = f"reports/rev-{revision}/{SIGNED}"
    where = f"{path}: {meaning.value}"
    replace_document(run, path, after, name, before, f"{where}; {reason}" if reason else where)


def is_no_entered_report(run: Path, sha256: str) -> bool:
    """Say whether a run's trail names its reports, and none with this SHA-256."""
    made = [entry.new or "" for entry in read(run) if entry.what in ("report", "recomputed")]
    return bool(made) and not any(sha256 in each for each in made)


def signed_bytes(folder: Path) -> bytes | None:
    """Read the signed file of a revision; None where nobody has signed it."""
    try:
        return (folder / SIGNED).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EvidenceError(f"{folder / SIGNED}: cannot be read ({error.strerror})") from error


def judged_bytes(run: Path, revision: int, folder: Path, entered: tuple[EnteredSignature, ...]) -> bytes | None:
    """Read the signed file of a revision as `signed_bytes`; where it was cut off after its entry, the draft."""
    data = signed_bytes(folder)
    draft = draft_of(run, f"reports/rev-{revision}/{SIGNED}")
    if entered and draft.is_file() and sums(draft).sha256 == entered[-1].sha256:
        return draft.read_bytes()
    return data


def difference_of(path: Path, data: bytes | None, entered: tuple[EnteredSignature, ...]) -> str | None:
    """Say in which way a signed file is not the one that was signed last; None where it is."""
    if data is None:
        return f"{path}: was removed; the audit trail names {len(entered)} signatures" if entered else None
    if not entered:
        return f"{path}: is not in the audit trail: it comes from elsewhere, or its entries were taken away"
    last, now = entered[-1], hashlib.sha256(data).hexdigest()
    if now == last.sha256:
        return None
    if any(now == each.sha256 for each in entered):
        return f"{path}: the signature of {last.name} ({last.meaning.value}) was removed"
    return f"{path}: was changed since {last.name} signed it"

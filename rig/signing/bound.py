"""What a signature is bound to: the run's closed record and one revision of its report, both as they were written.

Not responsible for the signatures themselves.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from rig.errors import BenchFileError, EvidenceError
from rig.record.reading import read_run
from rig.record.seal import head
from rig.signing.register import is_no_entered_report

REPORT = "report.pdf"


@dataclass(frozen=True)
class BoundReport:
    """A report that may be signed, and the head of the record that it was made from."""

    folder: Path
    revision: int
    data: bytes
    head: str
    run_id: str
    virtual: bool

    @property
    def sha256(self) -> str:
        """The hash of the unsigned report."""
        return hashlib.sha256(self.data).hexdigest()


def revisions_of(run: Path) -> tuple[int, ...]:
    """List the revisions of a run's report, the oldest first."""
    names = [path.name.removeprefix("rev-") for path in (run / "reports").glob("rev-*")]
    return tuple(sorted(int(each) for each in names if each.isdecimal()))


def revision_folder(run: Path, revision: int) -> Path:
    """Where the documents of a revision lie."""
    return run / "reports" / f"rev-{revision}"


def bound_report(run: Path, revision: int | None = None) -> BoundReport:
    """Read a revision of a run's report, the newest unless one is named, with all that a signature is bound to.

    Raises:
        BenchFileError: there is no such revision.
        EvidenceError: the record is open, or was changed since it was closed; or the report was changed since it was
            written, by the audit trail.
    """
    own_head = head(run)
    manifest = read_run(run).manifest
    known = revisions_of(run)
    if not known:
        raise EvidenceError(f"{run}: has no report to sign; write one with `rig report`")
    number = known[-1] if revision is None else revision
    if number not in known:
        raise BenchFileError(f"{run}: has no revision {number} of its report; there are {', '.join(map(str, known))}")
    folder = revision_folder(run, number)
    data = report_bytes(folder)
    report = BoundReport(folder, number, data, own_head, manifest.run_id, manifest.virtual)
    if is_no_entered_report(run, report.sha256):
        raise EvidenceError(
            f"{folder / REPORT}: was changed since it was written, by the audit trail; write a new revision of it"
        )
    return report


def report_bytes(folder: Path) -> bytes:
    """Read the unsigned report of a revision; EvidenceError when it is not there."""
    try:
        return (folder / REPORT).read_bytes()
    except OSError as error:
        raise EvidenceError(f"{folder / REPORT}: cannot be read ({error.strerror})") from error

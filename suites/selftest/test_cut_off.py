"""A writer that is cut off leaves no riddle: the audit tells what it left, and the next one settles it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rig.audit.auditing import audit_run
from rig.audit.files import AuditedFiles
from rig.audit.integrity import Alteration, Intact, examine
from rig.errors import EvidenceError
from rig.record.closed import CLOSING, sums
from rig.record.drafts import CLOSING_PATH, UNFINISHED, draft_of, settle_drafts, writing
from rig.record.files import write_whole
from rig.record.keys import SIGNATURE
from rig.record.trail import TRAIL, append, read
from rig.run.abandoned import close_abandoned
from suites.selftest.closed_runs import closed_run
from suites.selftest.recorded import writable

SECOND = "reports/rev-2/report.pdf"
FULL = """
import resource, sys
from pathlib import Path
from rig.errors import EvidenceError
from rig.record.trail import TRAIL, append
run = Path(sys.argv[1])
room = (run / TRAIL).stat().st_size + 100
resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
try:
    append(run, who="A. Tester", what="note", new="A needle was bent. " * 20)
except EvidenceError as error:
    print(error)
"""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A closed run with a report."""
    return closed_run(tmp_path / "run")


def written(run: Path, *, entered: bool) -> None:
    """Leave what a writer leaves who is killed before its document is entered into the trail, or right after."""
    write_whole(draft_of(run, SECOND), b"%PDF-1.7 a second report")
    if entered:
        new = sums(draft_of(run, SECOND)).sha256
        append(run, who="rig report", what="report", new=new, reason=f"{SECOND} was written")


def remarks(run: Path) -> tuple[str, ...]:
    found = examine(AuditedFiles.of(run))
    assert isinstance(found, Intact), found
    return found.remarks


def test_a_draft_that_was_never_entered_is_told_and_goes(run: Path) -> None:
    written(run, entered=False)
    assert remarks(run) == (f"{UNFINISHED}/{SECOND}: is left of a writing that was cut off, and no evidence",)
    with writing(run):
        assert not (run / UNFINISHED).exists()
    assert remarks(run) == ()
    assert not (run / SECOND).exists()


def test_a_document_that_was_entered_and_not_laid_into_its_place_is_told_and_laid_there(run: Path) -> None:
    written(run, entered=True)
    assert remarks(run) == (f"{UNFINISHED}/{SECOND}: is that of entry 4, whose writing was cut off at its end",)
    settle_drafts(run)
    assert remarks(run) == ()
    assert (run / SECOND).read_bytes() == b"%PDF-1.7 a second report"


def test_a_draft_that_was_altered_is_found(run: Path) -> None:
    written(run, entered=True)
    draft_of(run, SECOND).write_bytes(b"%PDF-1.7 a better report")
    found = examine(AuditedFiles.of(run))
    assert isinstance(found, Alteration)
    assert str(found) == f"{SECOND}: is missing, and entry 4 of the audit trail names it"


def test_whoever_breaks_off_leaves_no_draft(run: Path) -> None:
    def broken_off() -> None:
        with writing(run):
            written(run, entered=False)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()
    assert remarks(run) == ()


@pytest.mark.parametrize("signed", [False, True])
def test_a_closing_that_was_cut_off_is_told_and_closed_by_whoever_comes_next(run: Path, *, signed: bool) -> None:
    writable(run)
    whole = (run / "record" / CLOSING).read_bytes()
    write_whole(draft_of(run, CLOSING_PATH), whole)
    (run / "record" / CLOSING).unlink()
    shutil.rmtree(run / "reports")
    first = (run / TRAIL).read_bytes().splitlines(keepends=True)[0]
    (run / TRAIL).write_bytes(first if signed else b"")
    with pytest.raises(EvidenceError, match="the run's closing was cut off in its last step; rig report closes it"):
        audit_run(run)
    if signed:
        assert not close_abandoned(run)
        assert (run / "record" / CLOSING).read_bytes() == whole
        assert remarks(run) == ()


def test_a_closing_that_somebody_took_away_is_not_taken_for_one_that_was_cut_off(run: Path) -> None:
    writable(run)
    other = closed_run(run.parent / "other", readings=5)
    write_whole(draft_of(run, CLOSING_PATH), (other / "record" / CLOSING).read_bytes())
    (run / "record" / CLOSING).unlink()
    assert str(audit_run(run)) == f"record/{CLOSING}: is missing, and the run has been closed"


def test_a_note_that_a_full_disk_takes_in_part_leaves_the_trail_as_it_was(run: Path) -> None:
    before = (run / TRAIL).read_bytes()
    done = subprocess.run([sys.executable, "-c", FULL, str(run)], capture_output=True, text=True, check=True)
    assert "trail.jsonl: cannot be written" in done.stdout
    assert (run / TRAIL).read_bytes() == before
    append(run, who="A. Tester", what="note", new="A needle was bent.")
    assert len(read(run)) == 4
    assert not (run / SIGNATURE).exists()

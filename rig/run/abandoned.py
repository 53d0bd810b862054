"""A run whose processes ended without a word, as a killed one does: whoever meets it next closes it as interrupted.

The lease tells: as long as one process of a run lives, it is held. Not responsible for its report (`reports`) nor for
going on with it (`rig.run.resuming`).
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from rig.bench.guarded import wait_until_left
from rig.clock import WallClock
from rig.errors import EvidenceError, RigError
from rig.record.closed import CLOSING
from rig.record.drafts import settle_drafts
from rig.record.folder import RECORD, RunFolder
from rig.run.begin import end_run, take_lease
from rig.run.ending import Ending
from rig.run.inputs import frozen_inputs

REASON = "the run was never closed: its process ended without a word"


def is_abandoned(path: Path) -> bool:
    """Say whether a folder holds a run of the present format that nobody has closed; it may still go on."""
    return (path / RECORD / "manifest.json").is_file() and not (path / RECORD / CLOSING).is_file()


def close_abandoned(path: Path) -> bool:
    """Close a run that nobody has closed, as interrupted; returns whether there was anything to close.

    Raises:
        LeaseHeldError: it goes on in another process.
        EvidenceError: its record is damaged or cannot be written; or it ended before there was anything to close.
    """
    if (path / RECORD).is_dir() and not (path / RECORD / "manifest.json").is_file():
        raise EvidenceError(
            f"{path}: the run ended before its manifest was written, so that nothing was measured; begin a new run in "
            "another folder"
        )
    if not is_abandoned(path):
        return False
    lease = take_lease(path, "closing a run that was never closed")
    with lease:
        settle_drafts(path)
        if not is_abandoned(path):  # another has closed it meanwhile
            return False
        _wait_for_guardian(run := RunFolder(path))
        end_run(run, Ending("interrupted", REASON))
    return True


def _wait_for_guardian(run: RunFolder) -> None:
    """Wait until the guardian of a run that was killed is done: what it did belongs into the run."""
    with suppress(RigError):  # inputs that nobody can read any more are told when the run is closed
        wait_until_left(frozen_inputs(run, run.manifest()).spec, WallClock(), of=run.path.resolve().name)

"""Close the runs that a command meets and that nobody has closed, and write their reports.

Not responsible for whether a run goes on still, nor for how it is closed (`rig.run.abandoned`).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rich.console import Console

from rig.cli.stored import add_to_store
from rig.record.folder import RECORD
from rig.run.abandoned import REASON, close_abandoned, is_abandoned


def settle(folders: Iterable[Path], console: Console) -> None:
    """Close each run among folders, or right below one, that was never closed; write its report and say so.

    Raises:
        LeaseHeldError: one of them goes on in another process.
        EvidenceError: as `close_abandoned` and `write_documents`.
    """
    for folder in folders:
        for path in (folder, *_below(folder)):
            if close_abandoned(path):
                from reports.documents import write_documents  # takes a second, which most runs need not wait for

                write_documents(path)
                console.print(f"{path}: {REASON}; it is closed as interrupted.", soft_wrap=True, markup=False)
                add_to_store(path, console)


def _below(folder: Path) -> list[Path]:
    """List the runs right below a folder that nobody has closed; none where it is a run, or cannot be read."""
    if (folder / RECORD).is_dir():
        return []
    try:
        return sorted(path for path in folder.iterdir() if is_abandoned(path))
    except OSError:
        return []

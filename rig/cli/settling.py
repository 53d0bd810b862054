"""Close the runs that a command meets and that nobody has closed, and write their reports.

Not responsible for whether a run goes on still, nor for how it is closed (`rig.run.abandoned`).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rich.console import Console

from reports.documents import write_documents
from rig.run.abandoned import REASON, close_abandoned, is_abandoned


def settle(folders: Iterable[Path], console: Console) -> None:
    """Close each run among folders, or right below one, that was never closed; write its report and say so.

    Raises:
        LeaseHeldError: one of them goes on in another process.
        EvidenceError: as `close_abandoned` and `write_documents`.
    """
    for folder in folders:
        within = sorted(path for path in folder.glob("*/") if is_abandoned(path)) if not is_abandoned(folder) else []
        for path in (folder, *within):
            if close_abandoned(path):
                write_documents(path)
                console.print(f"{path}: {REASON}; it is closed as interrupted.", soft_wrap=True, markup=False)

"""The revisions of a run's documents: each in a folder of its own, none ever overwritten.

Not responsible for what stands in them.
"""

from __future__ import annotations

from pathlib import Path

from rig.record.files import cannot_write


def new_revision(run_dir: Path) -> Path:
    """Make the folder of the next revision of a run's documents; an older one is never overwritten.

    Raises:
        EvidenceError: it cannot be made.
    """
    folder = run_dir / "reports"
    numbers = [path.name.removeprefix("rev-") for path in folder.glob("rev-*")]
    number = 1 + max((int(each) for each in numbers if each.isdecimal()), default=0)
    try:
        (folder / f"rev-{number}").mkdir(parents=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    return folder / f"rev-{number}"

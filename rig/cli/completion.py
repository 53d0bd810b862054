"""What a shell is offered when somebody presses Tab behind `--plan` or where a run is wanted.

Commands and options are offered by Typer, files by the shell itself wherever nothing is offered here. This is called at
every Tab, so it imports nothing that takes time. Not responsible for what a name means.
"""

from __future__ import annotations

from pathlib import Path

from rig.shipped import PLANS, shipped

RUNS = Path("runs")
_MARK = "record/manifest.json"


def plan_names(incomplete: str) -> list[str]:
    """Offer the names of the rig's own plans; nothing where a file is begun, which the shell completes."""
    return [path.stem for path in sorted(shipped(PLANS).glob("*.toml")) if path.stem.startswith(incomplete)]


def runs_to_offer(incomplete: str) -> list[str]:
    """Offer the runs below `runs/` and those of this folder, the latest first; nothing where another path is begun."""
    try:
        found = [path.parent.parent for parent in (RUNS, Path()) for path in parent.glob(f"*/{_MARK}")]
    except OSError:  # a folder that nobody may read
        return []
    return [str(path) for path in sorted(set(found), reverse=True) if str(path).startswith(incomplete)]

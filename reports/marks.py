"""What each page of a document of a run must say: that it is simulated, not formal, did not come to its end.

Not responsible for where it stands.
"""

from __future__ import annotations

from reports.words import NOT_FORMAL, SIMULATED
from rig.record.reading import Run

INCOMPLETE = {
    "started": "UNFINISHED — the record of this run was never closed",
    "interrupted": "INTERRUPTED — this run was stopped before its end",
    "blocked": "BLOCKED — the bench was not fit, nothing was tested",
    "broken": "BROKEN OFF — a test runner ended early, this run is not complete",
    "error": "BROKEN OFF — the rig failed, this run is not complete",
}


def marks_of(run: Run) -> list[str]:
    """Say it in a few words each."""
    manifest = run.manifest
    marks = [SIMULATED] if manifest.virtual else []
    marks += [] if manifest.formal else [NOT_FORMAL]
    return marks + ([INCOMPLETE[manifest.outcome]] if manifest.outcome in INCOMPLETE else [])

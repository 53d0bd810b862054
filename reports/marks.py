"""What each page of a document of a run must say: that it is simulated, not formal, did not come to its end.

Not responsible for where it stands.
"""

from __future__ import annotations

from collections.abc import Iterable

from reports.words import NOT_FORMAL, SIMULATED
from rig.record.reading import Run

INCOMPLETE = {
    "started": "UNFINISHED — the record of this run was never closed",
    "interrupted": "INTERRUPTED — this run was stopped before its end",
    "blocked": "BLOCKED — the bench was not fit, nothing was tested",
    "broken": "BROKEN OFF — a test runner ended early, this run is not complete",
    "error": "BROKEN OFF — the rig failed, this run is not complete",
}


def marks_of_all(runs: Iterable[Run]) -> list[str]:
    """Say it of a document of several runs: what holds for any of them."""
    manifests = [run.manifest for run in runs]
    marks = [SIMULATED] if any(each.virtual for each in manifests) else []
    return marks + ([] if all(each.formal for each in manifests) else [NOT_FORMAL])


def in_brief(marks: Iterable[str]) -> str:
    """Say marks in their first words, as for a cell or a title."""
    return "; ".join(mark.partition(" — ")[0] for mark in marks)


def marks_of(run: Run) -> list[str]:
    """Say it in a few words each."""
    outcome = run.manifest.outcome
    return marks_of_all([run]) + ([INCOMPLETE[outcome]] if outcome in INCOMPLETE else [])

"""Every run of a pump, as the bench's ledger had them when a run of it ended; what the ledger shows comes first.

Not responsible for the ledger (`rig.run.ledger`), nor for layout.
"""

from __future__ import annotations

from rig.record.folder import RECORD
from rig.record.pump_runs import PumpRun, PumpRuns, read_pump_runs
from rig.record.reading import Run


def every_run_of_pump(run: Run) -> list[tuple[str, str]]:
    """List heads and sentences: the findings, then each run by its number; none where the bench had no ledger."""
    kept = read_pump_runs(run.folder / RECORD)
    if kept is None:
        return []
    findings = [("Finding", each) for each in kept.findings]
    return [*findings, *((f"Run {each.n}", _said(each, kept)) for each in kept.runs)]


def _said(each: PumpRun, kept: PumpRuns) -> str:
    how = "formal" if each.formal else "not formal"
    plan = f"{each.plan}, only {each.selected}" if each.selected else each.plan
    begun = f"{each.begun_utc}, {how}, plan {plan}, {each.operator or 'operator not stated'}"
    if each.n == kept.number:
        return f"{begun}: this run"
    return f"{begun}: {each.outcome or 'has no end'}{f', {each.verdict}' if each.verdict else ''}"

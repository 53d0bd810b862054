"""What a bench's ledger said of a pump when a run of it ended: every run, judged or not, and the findings.

Frozen into the record, so that a report lists all runs of its pump without asking the ledger again. Not responsible for
the ledger (`rig.run.ledger`).
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from rig.errors import EvidenceError
from rig.record.files import read_json
from rig.record.models import Record

PUMP_RUNS = "pump_runs.json"


class PumpRun(Record):
    """A run of the pump by its number; `outcome` is None where the ledger has no end of it, and for the run itself."""

    n: int
    run_id: str
    begun_utc: str
    begun_by: str
    operator: str | None
    plan: str
    selected: str | None
    formal: bool
    outcome: str | None
    verdict: str | None
    requirements: dict[str, str] = Field(default_factory=dict)
    head: str | None


class PumpRuns(Record):
    """Every run of a pump that the ledger had, this one last or among them, and what was found, in sentences."""

    serial_number: str
    number: int
    runs: tuple[PumpRun, ...]
    findings: tuple[str, ...]


def read_pump_runs(record: Path) -> PumpRuns | None:
    """Read what a record has of the ledger; None where its bench had none. EvidenceError when it is damaged."""
    path = record / PUMP_RUNS
    if not path.is_file():
        return None
    try:
        return PumpRuns.model_validate(read_json(path))
    except ValueError as error:
        raise EvidenceError(f"{path}: holds no list of runs of a pump: {error}") from error

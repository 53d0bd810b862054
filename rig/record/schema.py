"""The published JSON schema of format 3: one for each kind of file of a record, made from the models that write it.

`python -m rig.record.schema` writes them to docs/record/. A schema says what the rig writes; a reader leaves keys alone
that it does not know, which a later minor version may add. Not responsible for tables of readings (CSV) nor for bytes
on wires, which are no JSON (`taking`, `folder`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from rig.record.analyses import (
    BolusNumbers,
    Budgets,
    DayNumbers,
    DeliveryProfile,
    LoopNumbers,
    OcclusionNumbers,
    OcclusionSeries,
    Trumpet,
)
from rig.record.attempt import Began, Ended
from rig.record.files import write_whole
from rig.record.folder import Collected, MeasuredFile
from rig.record.invariants import Invariants
from rig.record.manifest import BenchCheck, Closing, Manifest
from rig.record.models import Incident
from rig.record.pump_runs import PumpRuns
from rig.record.qualification import Qualification
from rig.record.results import Results
from rig.record.rows import RowSums
from rig.record.seal import Seal
from rig.record.taking import Asked

PUBLISHED = Path("docs/record")
"""Where the schemas stand in the repository."""


class Step(BaseModel):
    """A line of `steps.jsonl`: what was being done, in words; further keys are numbers that carry their unit."""

    model_config = ConfigDict(extra="allow")

    at_s: float
    step: str


class WrittenFact(BaseModel):
    """A line of `facts.jsonl`: the name of a fact of the procedure, the bench's second, and what the fact holds."""

    model_config = ConfigDict(extra="allow")

    fact: str
    at_s: float


Computed = Annotated[
    Trumpet | BolusNumbers | OcclusionNumbers | OcclusionSeries | DeliveryProfile | DayNumbers | LoopNumbers | Budgets,
    Discriminator("kind"),
]
FILES: Mapping[str, tuple[str, Any]] = {
    "manifest": ("manifest.json", Manifest),
    "bench_check": ("bench_check.json", BenchCheck),
    "collected": ("each line of collected.jsonl", Collected),
    "event": ("each line of tests/<test>/<attempt>/events.jsonl", Annotated[Began | Ended, Discriminator("event")]),
    "asked": ("tests/<test>/<attempt>/<measurement>/asked.json", Asked),
    "fact": ("each line of tests/<test>/<attempt>/<measurement>/facts.jsonl", WrittenFact),
    "step": ("each line of tests/<test>/<attempt>/<measurement>/steps.jsonl", Step),
    "incident": (
        "each line of tests/<test>/<attempt>/incidents.jsonl and tests/<test>/<attempt>/<measurement>/incidents.jsonl",
        Incident,
    ),
    "measured": ("tests/<test>/<attempt>/<measurement>/computed/measured.json", MeasuredFile),
    "computed": ("every other file of tests/<test>/<attempt>/<measurement>/computed/", Computed),
    "invariants": ("tests/<test>/<attempt>/invariants.json", Invariants),
    "results": ("results.json", Results),
    "seal": ("tests/<test>/<attempt>/seal.json", Seal),
    "rows": ("rows.json", RowSums),
    "pump_runs": ("pump_runs.json", PumpRuns),
    "qualification": ("qualification.json", Qualification),
    "closing": ("closing.json", Closing),
}
"""By the name of a schema: which files below `record/` it is of, and the model that they are written from."""


def schemas() -> dict[str, dict[str, Any]]:
    """Make the schema of each kind of file, by its name."""
    return {name: _schema(files, TypeAdapter[Any](model)) for name, (files, model) in FILES.items()}


def _schema(files: str, model: TypeAdapter[Any]) -> dict[str, Any]:
    made = model.json_schema(mode="serialization")
    made.pop("title", None)
    title = f"Record of a run, format 3: {files}"
    return {"$schema": GenerateJsonSchema.schema_dialect, "title": title, **made}


def written_schema(schema: Mapping[str, Any]) -> bytes:
    """Write a schema as it is published."""
    return (json.dumps(schema, indent=2, ensure_ascii=False) + "\n").encode()


def publish(folder: Path = PUBLISHED) -> None:
    """Write all of them into a folder; EvidenceError when the disk does not take them."""
    for name, schema in schemas().items():
        write_whole(folder / f"{name}.schema.json", written_schema(schema))


if __name__ == "__main__":
    publish()

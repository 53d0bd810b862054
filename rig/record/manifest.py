"""What was tested, with what, by which software, and when: the files that frame a record.

`manifest.json` and `bench_check.json` are written once, before the first measurement; `closing.json` once, at the end.
Not responsible for finding any of it out (`rig.run.begin`).
"""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from rig.record.models import Device, Record


class Equipment(Device):
    """An instrument of the bench and whether its calibration was in date."""

    role: str
    driver: str
    address: str
    calibrated: str | None
    calibration_due: str | None
    status: Literal["in date", "overdue", "not required"]


class Plan(Record):
    """The test plan that a run followed."""

    name: str
    purpose: str
    file: str
    sha256: str
    every_requirement_due: bool = False
    content: dict[str, Any]


class SheetRecord(Record):
    """The pump sheet that a run read its claims from: the pump's name, the file, and its content as it was written."""

    name: str
    file: str
    sha256: str
    content: dict[str, Any]


class Package(Record):
    """An installed package: its version, and the SHA-256 of its list of files (RECORD), None where it has none."""

    version: str
    sha256: str | None


class Software(Record):
    """The rig's own code: its version, the commit and whether the tree differed from it, and the SHA-256 of its files.

    `commit` is None where the code does not come from a checkout of its own.
    """

    version: str
    commit: str | None
    dirty: bool | None
    sha256: str


RunOutcome = Literal["started", "complete", "interrupted", "blocked", "broken", "error"]


class Resumed(Record):
    """The run that a run goes on with: its name, and the SHA-256 of its `closing.json`."""

    run_id: str
    closing_sha256: str


class ClockStep(Record):
    """The host's clock was set by so many s, forward above 0, between two moments of the run that are named."""

    after: str
    before: str
    by_s: float

    def __str__(self) -> str:
        """Say it in a sentence."""
        way = "forward" if self.by_s > 0.0 else "back"
        return f"the host's clock was set {way} by {abs(self.by_s):.1f} s between {self.after} and {self.before}"


class Manifest(Record):
    """What was tested, with what, by which software, and when (UTC).

    `manifest.json` holds what was known before the bench was looked at; `equipment`, `dut`, `problems` and
    `contradictions` come from `bench_check.json`, `ended_utc`, `outcome`, `reason`, `undone` and `clock_steps` from
    `closing.json`, where the run came that far.

    Attributes:
        begun_by: `rig verify`, or the runner that made the run of its own.
        resumes: the run that this one goes on with, whose tests it holds, too.
        suites_folder: where the suites were copied from.
        pump_sheet: None in runs of a rig that knew none.
        inputs: SHA-256 of each frozen input by its path below `inputs/`.
        clock_reference: what keeps the host's clock right, and how wrong it may be, as its kernel said at the start.
        clock_largest_error_s: how wrong, in s; None where nothing keeps it right, or of a rig that did not ask.
        clock_correction_ppm: by how much its rate is corrected to keep up with its reference, in ppm; None likewise.
        undecidable: a sentence for each limit that this bench and plan could not decide.
        equipment: the instruments as they answered.
        dut: the pump as it answered.
        problems: by role, why the run was blocked.
        contradictions: where the pump sheet and the pump's driver contradict each other.
        formal: whether it was begun as a formal run, under all of its conditions.
        qualification: id of the qualification of PC and bench that it cites; the whole stands in `qualification.json`.
        ledger_number: its number on the bench, where that has a ledger.
        ledger: hash of the ledger's line that began it.
        ledger_file: where that ledger stood.
        key_file: where the bench's private key stood, where the bench file names it.
        pump_stage: final device or prototype, as the bench file says.
        undone: by test, why it has no attempt that came to its end.
    """

    format: Literal[1, 2, 3] = 3
    run_id: str
    started_utc: AwareDatetime
    ended_utc: AwareDatetime | None = None
    outcome: RunOutcome = "started"
    reason: str | None = None
    undone: dict[str, str] = Field(default_factory=dict)
    clock_steps: tuple[ClockStep, ...] = ()
    begun_by: str = "rig verify"
    resumes: Resumed | None = None
    virtual: bool
    seed: int | None
    bench_file: str
    bench_sha256: str
    bench: dict[str, Any]
    requirements_file: str
    requirements_sha256: str
    pump_sheet: SheetRecord | None = None
    plan: Plan | None = None
    conditions: dict[str, float] = Field(default_factory=dict)
    disposables: dict[str, str | None] = Field(default_factory=dict)
    overrides: dict[str, Any]
    selected: str | None = None
    suites_folder: str | None = None
    inputs: dict[str, str] = Field(default_factory=dict)
    undecidable: tuple[str, ...] = ()
    versions: dict[str, str]
    clock_reference: str | None = None
    clock_largest_error_s: float | None = None
    clock_correction_ppm: float | None = None
    software: Software | None = None
    commit: str | None = None
    firmware_sha256: str | None
    operator: str | None
    formal: bool = False
    qualification: str | None = None
    ledger_number: int | None = None
    ledger: str | None = None
    ledger_file: str | None = None
    key_file: str | None = None
    pump_stage: str | None = None
    equipment: tuple[Equipment, ...] = ()
    dut: Device | None = None
    problems: dict[str, str] = Field(default_factory=dict)
    contradictions: tuple[str, ...] = ()

    @property
    def served(self) -> bool:
        """Whether its bench was a virtual one that another process served in real time: it waited for real lines."""
        return "served" in self.bench

    @property
    def speed(self) -> float:
        """How many seconds of its bench passed in one: 1 but for a bench that was served faster or slower."""
        return float(self.bench["served"].get("speed", 1.0)) if self.served else 1.0

    @model_validator(mode="after")
    def _simulated_is_said(self) -> Self:
        for table in ("virtual", "served"):
            if not self.virtual and table in self.bench:
                raise ValueError(f"virtual is false although the bench has a [{table}] table: simulated must say so")
        return self


class BenchCheck(Record):
    """What was found when the bench was looked at before the first measurement."""

    equipment: tuple[Equipment, ...]
    dut: Device | None
    problems: dict[str, str]
    contradictions: tuple[str, ...] = ()


class ListedFile(Record):
    """A file as it was when the run was closed: size in bytes and SHA-256."""

    size: int = Field(ge=0)
    sha256: str


class Closing(Record):
    """When and how a run ended, and what its record consisted of then.

    Attributes:
        reason: why it did not come to its end, where the rig knows.
        undone: by test, why it has no attempt that came to its end.
        clock_steps: where the host's clock was set meanwhile.
        changed_inputs: frozen inputs that were no longer as they had been frozen, by their path below `inputs/`.
        last_seal: the sum of the last seal of an attempt (`rig.record.seal`); None where there was no attempt.
        files: every other file of the record, by its path below `record/`.
        empty_folders: those that held nothing, by their path below `record/`; None of a rig that did not look.
        sha256: of the rest of this file, as JSON in one line with its keys sorted: the head of the run.
    """

    ended_utc: AwareDatetime
    outcome: RunOutcome
    reason: str | None = None
    undone: dict[str, str] = Field(default_factory=dict)
    clock_steps: tuple[ClockStep, ...] = ()
    changed_inputs: tuple[str, ...] = ()
    last_seal: str | None = None
    files: dict[str, ListedFile]
    empty_folders: tuple[str, ...] | None = None
    sha256: str = ""

    @model_validator(mode="after")
    def _complete_is_complete(self) -> Self:
        if self.changed_inputs and self.outcome == "complete":
            raise ValueError("outcome is 'complete' although frozen inputs were changed during the run")
        if self.undone and self.outcome == "complete":
            raise ValueError("outcome is 'complete' although tests were not done")
        return self

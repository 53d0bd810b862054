"""The manifest and the results of a run as a report reads them: checked, frozen, and in agreement with themselves.

Not responsible for deciding anything: verdicts were joined when the run ended (`rig.results`). They are recomputed here
only to refuse a record that contradicts itself.
"""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, model_validator

from rig.limits import Limit, Measurement, Rule, Verdict, judge
from rig.results import run_verdict


class _Record(BaseModel):
    """Part of a record: frozen, numbers finite. Keys of a later minor version are passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class Device(_Record):
    """The name plate of the device under test."""

    maker: str
    model: str
    serial_number: str
    firmware: str


class Equipment(Device):
    """An instrument of the bench and whether its calibration was in date."""

    role: str
    driver: str
    address: str
    calibrated: str | None
    calibration_due: str | None
    status: Literal["in date", "overdue", "not required"]


class Plan(_Record):
    """The test plan that a run followed."""

    name: str
    purpose: str
    file: str
    sha256: str
    content: dict[str, Any]


class Manifest(_Record):
    """What was tested, with what, by which software, and when (UTC); `problems` tells by role why a run was blocked."""

    format: Literal[1]
    run_id: str
    started_utc: AwareDatetime
    ended_utc: AwareDatetime | None
    outcome: Literal["started", "complete", "interrupted", "blocked", "broken", "error"]
    virtual: bool
    seed: int | None
    bench_file: str
    bench_sha256: str
    bench: dict[str, Any]
    requirements_file: str
    requirements_sha256: str
    plan: Plan | None = None
    conditions: dict[str, float] = {}
    disposables: dict[str, str | None] = {}
    overrides: dict[str, Any]
    selected: str | None = None
    versions: dict[str, str]
    commit: str | None
    firmware_sha256: str | None
    operator: str | None
    equipment: tuple[Equipment, ...]
    dut: Device | None
    problems: dict[str, str] = {}

    @model_validator(mode="after")
    def _simulated_is_said(self) -> Self:
        if not self.virtual and "virtual" in self.bench:
            raise ValueError("virtual is false although the bench has a [virtual] table: simulated must say so")
        return self


class LimitRecord(_Record):
    """An acceptance interval as results.json writes it."""

    low: float | None
    high: float | None
    unit: str

    @property
    def limit(self) -> Limit:
        """The interval."""
        return Limit(self.unit, self.low, self.high)


class MeasurementRecord(_Record):
    """A measured value, its limit, the rule of decision and the verdict on it."""

    name: str
    value: float
    unit: str
    expanded_uncertainty: float
    limit: LimitRecord
    rule: Rule = Rule.GUARD_BAND
    verdict: Verdict
    test: str

    @model_validator(mode="after")
    def _verdict_follows(self) -> Self:
        measurement = Measurement(self.name, self.value, self.unit, self.expanded_uncertainty)
        follows = judge(measurement, self.limit.limit, self.rule)
        if follows is not self.verdict:
            raise ValueError(f"{self.name} is called {self.verdict.value}, its numbers say {follows.value}")
        return self


class ReportedRecord(_Record):
    """A measured value that no requirement judges."""

    name: str
    value: float
    unit: str
    expanded_uncertainty: float
    test: str


class RequirementRecord(_Record):
    """A requirement, what was measured for it, and its verdict."""

    id: str
    text: str
    clause: str
    hazard: str
    verdict: Verdict
    reason: str | None
    in_scope: bool = True
    tests: tuple[str, ...]
    measurements: tuple[MeasurementRecord, ...]


class TestRecord(_Record):
    """A test and how it ended."""

    __test__ = False  # pytest: this is no test class

    id: str
    title: str
    outcome: Literal["passed", "failed", "error", "not applicable", "not run"]
    message: str | None
    duration_s: float
    requirements: tuple[str, ...]


class Results(_Record):
    """Verdicts of a run."""

    format: Literal[1]
    verdict: Verdict
    selected: str | None = None
    requirements: tuple[RequirementRecord, ...]
    reported: tuple[ReportedRecord, ...] = ()
    tests: tuple[TestRecord, ...]

    @model_validator(mode="after")
    def _verdict_follows(self) -> Self:
        follows = run_verdict(
            [row.verdict for row in self.requirements if row.in_scope],
            [test.outcome for test in self.tests if not test.requirements],
        )
        if follows is not self.verdict:
            raise ValueError(f"the run is called {self.verdict.value}, its requirements say {follows.value}")
        return self

"""The traceability matrix of a run: hazard, requirement, test, result and evidence, from its closed record.

Of a plan, the same without results. Not responsible for the verdicts, which the record
holds, nor for how a matrix is written (`reports.traceability_table`, `reports.traceability_page`,
`reports.traceability_reqif`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from reports.marks import marks_of
from reports.traced import (
    Matrix,
    NearestValue,
    TracedFile,
    TracedHazard,
    TracedRequirement,
    TracedTest,
    TraceFrame,
    TraceResult,
    joined_rows,
)
from reports.words import SIMULATED, limit_text, plain_reason
from rig.errors import BenchFileError, EvidenceError
from rig.pump_sheet.cited import MakersHazard, stated_hazards
from rig.pump_sheet.placeholders import claims_named_in
from rig.pump_sheet.stated import StatedClaim, stated_claims
from rig.record.folder import RECORD, Attempt, MeasuredFile, RunFolder, read_model
from rig.record.invariants import INVARIANTS
from rig.record.reading import Run
from rig.record.results import JudgedRecord, RequirementRecord, Results, TestRecord, not_run, requirement_verdict
from rig.record.seal import head_of
from rig.run.collection import Declaration
from rig.run.inputs import REQUIREMENTS, Inputs
from rig.toml_files import parse_toml, read_toml
from rig.verdicts.hazards import HAZARDS, Hazard, read_hazards
from rig.verdicts.limits import Verdict
from rig.verdicts.quantities import Quantity
from rig.verdicts.requirements import Requirement

RESULTS = "results.json"


def matrix(run: Run) -> Matrix:
    """Join what a run has shown, from its hazards down to the files of its record.

    Raises:
        EvidenceError: a file of the record is damaged.
    """
    sheet = run.manifest.pump_sheet.content if run.manifest.pump_sheet is not None else {}
    device = run.manifest.dut
    evidence = _Evidence(run)
    claims = _claims(_frozen(run, REQUIREMENTS), sheet)
    return joined_rows(
        TraceFrame(
            name=run.manifest.run_id,
            pump=f"{device.maker} {device.model}, {device.serial_number}" if device else "not identified",
            simulated=run.manifest.virtual,
            marks=tuple(marks_of(run)),
            closed_utc=run.manifest.ended_utc,
            head=head_of(run.folder),
        ),
        _hazards(_catalogue(run), stated_hazards(sheet)),
        [_requirement(row, run.results, evidence, claims.get(row.id, ())) for row in run.results.requirements],
        _tests(run.results),
        of_run=True,
    )


def planned_matrix(inputs: Inputs, declared: Iterable[Declaration], *, outside: str | None = None) -> Matrix:
    """Join what a plan would show: the same without results.

    Args:
        inputs: what the plan and its suites would read.
        declared: the tests that would be done.
        outside: why a requirement is out of scope that none of them decides; None where all are in scope.
    """
    tests = list(declared)
    claims = _claims(parse_toml(inputs.sources.requirements, inputs.files[REQUIREMENTS]), inputs.sheet.content)
    return joined_rows(
        TraceFrame(
            name=f"plan {inputs.plan.plan.name}",
            pump=inputs.sheet.name,
            simulated=inputs.spec.simulated,
            marks=(SIMULATED,) if inputs.spec.simulated else (),
        ),
        _hazards(inputs.hazards.values(), inputs.sheet.hazards),
        [_planned(each, tests, outside, claims.get(each.id, ())) for each in inputs.requirements.values()],
        [TracedTest(each.test, each.title, None, each.not_applicable) for each in tests],
        of_run=False,
    )


def _frozen(run: Run, name: str) -> dict[str, Any]:
    path = run.folder / RECORD / "inputs" / name
    return read_toml(path) if path.is_file() else {}


def _catalogue(run: Run) -> Iterable[Hazard]:
    """Read the catalogue of hazards that a run froze; none of a run of a rig that knew none."""
    path = run.folder / RECORD / "inputs" / HAZARDS
    try:
        return read_hazards(path).values() if path.is_file() else ()
    except BenchFileError as error:
        raise EvidenceError(f"{error}") from error


def _hazards(catalogue: Iterable[Hazard], makers: Sequence[MakersHazard]) -> list[TracedHazard]:
    return [
        TracedHazard(
            each.id, each.text, each.source, tuple(one for one in makers if one.hazard == each.id), each.not_covered
        )
        for each in catalogue
    ]


def _claims(requirements: Mapping[str, Any], sheet: Mapping[str, Any]) -> dict[str, tuple[StatedClaim, ...]]:
    """List by requirement which claims of the pump sheet it refers to."""
    stated = {each.name: each for each in stated_claims(sheet)}
    entries = requirements.get("requirement", [])
    return {
        str(entry.get("id")): tuple(stated[name] for name in claims_named_in(entry) if name in stated)
        for entry in entries
    }


def _tests(results: Results) -> list[TracedTest]:
    """List the tests, each once: with the outcome of the last attempt that counts."""
    found: dict[str, TestRecord] = {}
    for each in results.tests:
        if each.id not in found or not each.superseded:
            found[each.id] = each
    return [
        TracedTest(each.id, each.title, each.outcome, plain_reason(each.message) if each.message else None)
        for each in found.values()
    ]


def _planned(
    requirement: Requirement, tests: Sequence[Declaration], outside: str | None, claims: tuple[StatedClaim, ...]
) -> TracedRequirement:
    every = requirement.of_the_record and requirement.not_applicable is None  # each test's record answers it
    deciding = [each.test for each in tests if every or requirement.id in each.requirements]
    return TracedRequirement(
        id=requirement.id,
        text=requirement.text,
        clause=requirement.clause,
        situation=requirement.hazard,
        hazards=requirement.hazards,
        results=dict.fromkeys(deciding),
        reason=outside if not deciding else None,
        in_scope=bool(deciding) or outside is None,
        inapplicable=requirement.not_applicable,
        claims=claims,
    )


def _requirement(
    row: RequirementRecord, results: Results, evidence: _Evidence, claims: tuple[StatedClaim, ...]
) -> TracedRequirement:
    reason = plain_reason(row.reason) if row.reason else None
    return TracedRequirement(
        id=row.id,
        text=row.text,
        clause=row.clause,
        situation=row.hazard,
        hazards=row.hazards,
        results={test: _result(row, test, results, evidence) for test in row.tests},
        verdict=row.verdict,
        reason=reason,
        in_scope=row.in_scope,
        inapplicable=(reason or "by the pump sheet") if row.by_sheet else None,
        claims=claims,
    )


def _result(row: RequirementRecord, test: str, results: Results, evidence: _Evidence) -> TraceResult:
    """Decide what one test says of a requirement: as the requirement is decided, by this test alone."""
    attempts = [each for each in results.tests if each.id == test]
    counting = [each for each in attempts if not each.superseded]
    measured = [each for each in row.measurements if each.test == test]
    verdict = requirement_verdict(
        [each.verdict for each in measured],
        [each.outcome for each in counting],
        whole=True,
        unbegun=not_run(results.outcome),
    )
    nearest = min(measured, key=lambda each: each.room_left, default=None)
    said = [plain_reason(each.message) for each in counting if each.message]
    return TraceResult(
        verdict=verdict,
        nearest=_nearest(nearest) if nearest is not None else None,
        values=len(measured),
        reason="; ".join(dict.fromkeys(said)) or None if verdict not in (Verdict.PASS, Verdict.FAIL) else None,
        evidence=evidence.of(measured) if measured else evidence.of_end(attempts),
    )


def _nearest(measured: JudgedRecord) -> NearestValue:
    return NearestValue(
        name=measured.name,
        value=measured.value,
        expanded_uncertainty=measured.expanded_uncertainty,
        unit=measured.unit,
        limit=limit_text(measured.limit.limit),
        verdict=measured.verdict,
    )


class _Evidence:
    """Finds the file of a record that holds a measured value, or that says how a test ended."""

    def __init__(self, run: Run) -> None:
        self._sha256 = {file.path: file.sha256 for file in run.files}
        self._run = run.folder
        self._values: dict[tuple[str, int, Quantity], list[str]] = {}
        self._ends: dict[tuple[str, int], str] = {}
        if (run.folder / RECORD).is_dir():
            for attempt in RunFolder(run.folder).attempts():
                self._note(attempt)

    def of(self, measured: Sequence[JudgedRecord]) -> tuple[TracedFile, ...]:
        """List the files that hold measured values."""
        keys = [(each.test, each.attempt, each.quantity.quantity) for each in measured]
        return self._files(path for key in keys for path in self._values.get(key, []))

    def of_end(self, attempts: Sequence[TestRecord]) -> tuple[TracedFile, ...]:
        """List the files that say how attempts ended."""
        return self._files(
            self._ends[each.id, each.attempt] for each in attempts if (each.id, each.attempt) in self._ends
        )

    def _files(self, paths: Iterable[str]) -> tuple[TracedFile, ...]:
        """Give each path its hash; where the record names none, its results are the evidence."""
        found = [path for path in dict.fromkeys(paths) if path in self._sha256]
        whole = [path for path in (f"{RECORD}/{RESULTS}", RESULTS) if path in self._sha256][:1]
        return tuple(TracedFile(path, self._sha256[path]) for path in found or whole)

    def _note(self, attempt: Attempt) -> None:
        test, number = attempt.collected.test, attempt.number
        self._ends[test, number] = self._path(attempt.folder / "events.jsonl")
        if (found := attempt.invariants()) is not None:
            for each in found.measured:
                self._add(test, number, each.quantity.quantity, attempt.folder / INVARIANTS)
        for path in (folder / "computed" / "measured.json" for folder in attempt.measurements):
            if path.is_file():
                for each in read_model(path, MeasuredFile).measured:
                    self._add(test, number, each.quantity.quantity, path)

    def _add(self, test: str, number: int, quantity: Quantity, path: Path) -> None:
        self._values.setdefault((test, number, quantity), []).append(self._path(path))

    def _path(self, path: Path) -> str:
        return path.relative_to(self._run).as_posix()

"""Verdicts: the requirements joined with what the tests of a run measured.

Not responsible for measuring, nor for printing. The rules are those of `rig.verdicts.limits`: a rig error never passes
and never fails a pump, and a requirement nobody measured is UNSET.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rig.record.folder import Attempt, Collected, RunFolder
from rig.record.manifest import Manifest
from rig.record.models import LimitRecord, MeasuredRecord
from rig.record.results import JudgedRecord, ReportedRecord, RequirementRecord, Results, TestRecord, run_verdict
from rig.verdicts.limits import Verdict, decide, worst
from rig.verdicts.requirements import Requirement

EXIT_CODES = {
    Verdict.PASS: 0,
    Verdict.NOT_APPLICABLE: 0,
    Verdict.FAIL: 1,
    Verdict.ERROR: 3,
    Verdict.UNSET: 3,
    Verdict.INCONCLUSIVE: 4,
}
"""Exit code of `rig verify` for the verdict over all requirements in its scope; 2 is bad usage."""


def join_run(run: RunFolder, manifest: Manifest, requirements: Mapping[str, Requirement]) -> Results:
    """Join a run's own requirements with what its tests measured, in the scope that its manifest states; as `join`."""
    plan = manifest.plan
    scope = None if plan is None or plan.every_requirement_due else plan.name
    return join(requirements, run, selected=manifest.selected, plan=scope)


def join(
    requirements: Mapping[str, Requirement],
    run: RunFolder,
    *,
    selected: str | None = None,
    plan: str | None = None,
) -> Results:
    """Join the requirements with what a run's tests measured, every attempt of each.

    Args:
        requirements: by id.
        run: with its tests declared.
        selected: the selection expression of a partial run; requirements that none of its tests name are out of its
            scope: they stay UNSET in the list and do not decide its verdict.
        plan: the name of the test plan, when it does not set out to decide every requirement: likewise.

    A test that decides nothing yet could not be finished makes the verdict an ERROR where it would be better.

    Raises:
        EvidenceError: the record is damaged.
    """
    collected = run.collected()
    attempts = [(attempt, attempt.measured()) for attempt in run.attempts()]
    tests = _tests(collected, [attempt for attempt, _ in attempts])
    partial = f"not selected by {selected!r}" if selected is not None else None
    if plan is not None:
        partial = partial or f"not part of the plan {plan!r}"
    rows = [_row(requirement, tests, attempts, partial) for requirement in requirements.values()]
    verdict = run_verdict(
        [row.verdict for row in rows if row.in_scope],
        [test.outcome for test in tests if not test.requirements],
    )
    return Results(
        verdict=verdict,
        selected=selected,
        requirements=tuple(rows),
        reported=tuple(_reported(requirements, attempts)),
        tests=tuple(tests),
    )


def _tests(collected: Sequence[Collected], attempts: Sequence[Attempt]) -> list[TestRecord]:
    """List every attempt at every declared test, and the tests that nobody attempted."""
    tests = []
    for each in collected:
        own = [attempt for attempt in attempts if attempt.collected.test == each.test]
        tests += [_attempted(attempt) for attempt in own] or [
            TestRecord(
                id=each.test,
                title=each.title,
                outcome="not run",
                message="the run ended before this test",
                duration_s=0.0,
                requirements=each.requirements,
                quantities=each.quantities,
            )
        ]
    return tests


def _attempted(attempt: Attempt) -> TestRecord:
    interrupted = attempt.outcome is None
    return TestRecord(
        id=attempt.collected.test,
        attempt=attempt.number,
        title=attempt.collected.title,
        outcome=attempt.outcome or "error",
        message="the test was interrupted" if interrupted else attempt.message,
        duration_s=attempt.duration_s,
        requirements=attempt.collected.requirements,
        quantities=attempt.collected.quantities,
        incidents=tuple(attempt.incidents()),
    )


_Measured = Sequence[tuple[Attempt, Sequence[MeasuredRecord]]]


def _row(
    requirement: Requirement, tests: Sequence[TestRecord], attempts: _Measured, partial: str | None
) -> RequirementRecord:
    naming = [test for test in tests if requirement.id in test.requirements]
    measurements = [
        _judged(requirement, each, attempt)
        for attempt, measured in attempts
        if requirement.id in attempt.collected.requirements
        for each in measured
        if requirement.asks_for(each.quantity.quantity)
    ]
    verdict, reason = _verdict(requirement, naming, measurements)
    if not naming and partial is not None:
        reason = partial
    return RequirementRecord(
        id=requirement.id,
        text=requirement.text,
        clause=requirement.clause,
        hazard=requirement.hazard,
        verdict=verdict,
        reason=reason,
        in_scope=bool(naming) or partial is None,
        tests=tuple(dict.fromkeys(test.id for test in naming)),
        measurements=tuple(measurements),
    )


def _reported(requirements: Mapping[str, Requirement], attempts: _Measured) -> list[ReportedRecord]:
    """List what no requirement of its own test judges."""
    return [
        ReportedRecord(**dict(each), test=attempt.collected.test, attempt=attempt.number)
        for attempt, measured in attempts
        for each in measured
        if not any(
            requirements[name].asks_for(each.quantity.quantity)
            for name in attempt.collected.requirements
            if name in requirements
        )
    ]


def _judged(requirement: Requirement, measured: MeasuredRecord, attempt: Attempt) -> JudgedRecord:
    limit = requirement.measurement_rule(measured.quantity.quantity).limit
    decision = decide(measured.measurement, limit, requirement.rule)
    return JudgedRecord(
        **dict(measured),
        limit=LimitRecord(low=limit.low, high=limit.high, unit=limit.unit),
        rule=requirement.rule,
        verdict=decision.verdict,
        reason=decision.reason,
        test=attempt.collected.test,
        attempt=attempt.number,
    )


def _verdict(
    requirement: Requirement, naming: Sequence[TestRecord], measurements: Sequence[JudgedRecord]
) -> tuple[Verdict, str | None]:
    """Decide one requirement: what was measured, then whether everything it asks for was measured at all."""
    verdicts = [measurement.verdict for measurement in measurements]
    if Verdict.FAIL in verdicts:
        return Verdict.FAIL, None
    disturbed = [test for test in naming if test.outcome in ("error", "not run")]
    if disturbed:
        return Verdict.ERROR, disturbed[0].message
    inapplicable = [test for test in naming if test.outcome == "not applicable"]
    if inapplicable and not measurements:
        return Verdict.NOT_APPLICABLE, inapplicable[0].message
    measured = {measurement.quantity.quantity for measurement in measurements}
    missing = [str(rule.quantity) for rule in requirement.measurement if rule.quantity not in measured]
    if missing:
        return Verdict.UNSET, f"never measured: {', '.join(sorted(missing))}"
    verdict = worst(verdicts)
    reasons = [each.reason for each in measurements if each.verdict is verdict and each.reason]
    return verdict, "; ".join(reasons) or None

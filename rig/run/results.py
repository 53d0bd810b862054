"""Verdicts: the requirements joined with what the tests of a run measured.

Not responsible for measuring, nor for printing. The rules are those of `rig.verdicts.limits`: a rig error never passes
and never fails a pump, and a requirement nobody measured is UNSET.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rig.record.folder import Attempt, Collected, RunFolder
from rig.record.manifest import Manifest, RunOutcome
from rig.record.models import LimitRecord, MeasuredRecord
from rig.record.results import (
    DISTURBED,
    FoundRecord,
    JudgedRecord,
    Outcome,
    ReportedRecord,
    RequirementRecord,
    Results,
    TestRecord,
    deciding,
    not_run,
    requirement_verdict,
    run_verdict,
)
from rig.verdicts.limits import Verdict, decide
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
    """Join a run's own requirements with what its tests measured, in the scope that its manifest states; as `join`.

    The manifest says how the run ended, too.
    """
    plan = manifest.plan
    scope = None if plan is None or plan.every_requirement_due else plan.name
    return join(
        requirements,
        run,
        selected=manifest.selected,
        plan=scope,
        outcome=manifest.outcome,
        undone=manifest.undone,
    )


def join(
    requirements: Mapping[str, Requirement],
    run: RunFolder,
    *,
    selected: str | None = None,
    plan: str | None = None,
    outcome: RunOutcome | None = "complete",
    undone: Mapping[str, str] | None = None,
) -> Results:
    """Join the requirements with what a run's tests measured, every attempt of each.

    Args:
        requirements: by id.
        run: with its tests declared.
        selected: the selection expression of a partial run; requirements that none of its tests name are out of its
            scope: they stay UNSET in the list and do not decide its verdict.
        plan: the name of the test plan, when it does not set out to decide every requirement: likewise.
        outcome: how the run ended. One that did not come to its end is an ERROR where its verdict would be better. None
            joins as rigs did that wrote no outcome into the results.
        undone: by test, why it has no attempt that came to its end.

    A test that decides nothing yet could not be finished makes the verdict an ERROR where it would be better. What an
    interrupted attempt has measured decides nothing when a later attempt came to its end, unless it is a FAIL.

    Raises:
        EvidenceError: the record is damaged.
    """
    collected = run.collected()
    attempts = [(attempt, attempt.measured()) for attempt in run.attempts()]
    superseded = [] if outcome is None else _superseded(requirements, attempts)
    unended: Outcome = "error" if outcome is None else "interrupted"
    tests = _tests(collected, [attempt for attempt, _ in attempts], superseded, undone or {}, unended)
    tests = [_with_record(test, attempts, requirements) for test in tests]
    partial = f"not selected by {selected!r}" if selected is not None else None
    if plan is not None:
        partial = partial or f"not part of the plan {plan!r}"
    counting = [each for each in attempts if each[0] not in superseded]
    rows = [_row(requirement, tests, counting, partial, outcome) for requirement in requirements.values()]
    verdict = run_verdict(
        deciding(rows),
        [test.outcome for test in tests if not test.requirements and not test.superseded],
        outcome,
    )
    return Results(
        verdict=verdict,
        outcome=outcome,
        selected=selected,
        requirements=tuple(rows),
        reported=tuple(_reported(requirements, attempts, superseded)),
        found=tuple(_found([attempt for attempt, _ in attempts])),
        tests=tuple(tests),
    )


def _superseded(requirements: Mapping[str, Requirement], attempts: _Measured) -> list[Attempt]:
    """List the interrupted attempts after which another came to its end, but for those that had measured a FAIL."""
    found = []
    for attempt, measured in attempts:
        later = [each for each, _ in attempts if each.collected == attempt.collected and each.number > attempt.number]
        if attempt.ended or not any(each.ended for each in later):
            continue
        judged = [
            _judged(requirements[name], each, attempt)
            for name in attempt.collected.requirements
            for each in measured
            if name in requirements and requirements[name].asks_for(each.quantity.quantity)
        ]
        if all(each.verdict is not Verdict.FAIL for each in judged):
            found.append(attempt)
    return found


def _tests(
    collected: Sequence[Collected],
    attempts: Sequence[Attempt],
    superseded: Sequence[Attempt],
    undone: Mapping[str, str],
    unended: Outcome,
) -> list[TestRecord]:
    """List every attempt at every declared test, and the tests that nobody attempted."""
    tests = []
    for each in collected:
        own = [attempt for attempt in attempts if attempt.collected.test == each.test]
        why = undone.get(each.test)
        tests += [
            _attempted(attempt, why if attempt is own[-1] else None, unended, superseded=attempt in superseded)
            for attempt in own
        ] or [
            TestRecord(
                id=each.test,
                title=each.title,
                outcome="not run",
                message=f"{why or 'the run ended'} before this test",
                duration_s=0.0,
                requirements=each.requirements,
                quantities=each.quantities,
            )
        ]
    return tests


def _with_record(test: TestRecord, attempts: _Measured, requirements: Mapping[str, Requirement]) -> TestRecord:
    """Add the requirements that a test decides by what its whole record holds: where it came to its end, or fails."""
    own = [
        each
        for attempt, measured in attempts
        if (attempt.collected.test, attempt.number) == (test.id, test.attempt) and test.outcome != "not run"
        for each in measured
        if each.quantity.quantity.of_the_record
    ]
    decided = []
    for requirement in requirements.values():
        values = [each for each in own if requirement.of_the_record and requirement.asks_for(each.quantity.quantity)]
        whole = len(values) == len(requirement.measurement) and test.outcome not in DISTURBED
        if whole or any(_verdict_on(requirement, each) is Verdict.FAIL for each in values):
            decided.append(requirement.id)
    new = [name for name in decided if name not in test.requirements]
    return test.model_copy(update={"requirements": (*test.requirements, *new)}) if new else test


def _found(attempts: Sequence[Attempt]) -> list[FoundRecord]:
    """List what does not hold over the whole record of each attempt."""
    return [
        FoundRecord(**dict(each), test=attempt.collected.test, attempt=attempt.number)
        for attempt in attempts
        if (invariants := attempt.invariants()) is not None
        for each in invariants.findings
    ]


def _attempted(attempt: Attempt, why: str | None, unended: Outcome, *, superseded: bool) -> TestRecord:
    interrupted = f"{why} during this test" if why is not None else "the test was interrupted"
    return TestRecord(
        id=attempt.collected.test,
        attempt=attempt.number,
        title=attempt.collected.title,
        outcome=attempt.outcome if attempt.ended and attempt.outcome is not None else unended,
        message=attempt.message if attempt.ended else interrupted,
        duration_s=attempt.duration_s,
        superseded=superseded,
        requirements=attempt.collected.requirements,
        quantities=attempt.collected.quantities,
        incidents=tuple(attempt.incidents()),
    )


_Measured = Sequence[tuple[Attempt, Sequence[MeasuredRecord]]]


def _row(
    requirement: Requirement,
    tests: Sequence[TestRecord],
    attempts: _Measured,
    partial: str | None,
    outcome: RunOutcome | None,
) -> RequirementRecord:
    if requirement.not_applicable is not None:
        return RequirementRecord(
            id=requirement.id,
            text=requirement.text,
            clause=requirement.clause,
            hazard=requirement.hazard,
            hazards=requirement.hazards,
            judge=requirement.judge,
            verdict=Verdict.NOT_APPLICABLE,
            reason=requirement.not_applicable,
            in_scope=partial is None,
            by_sheet=True,
            tests=(),
            measurements=(),
        )
    naming = [test for test in tests if requirement.id in test.requirements]
    deciding_tests = {(test.id, test.attempt) for test in naming}
    measurements = [
        _judged(requirement, each, attempt)
        for attempt, measured in attempts
        if (attempt.collected.test, attempt.number) in deciding_tests
        for each in measured
        if requirement.asks_for(each.quantity.quantity)
    ]
    counting = [test for test in naming if not test.superseded]
    verdict, reason = _verdict(requirement, counting, measurements, unbegun=not_run(outcome))
    if not naming and partial is not None:
        reason = partial
    if not naming and requirement.of_the_record:
        reason = reason if partial is not None else "no record of a test could be looked through for it"
        partial = reason
    return RequirementRecord(
        id=requirement.id,
        text=requirement.text,
        clause=requirement.clause,
        hazard=requirement.hazard,
        hazards=requirement.hazards,
        judge=requirement.judge,
        verdict=verdict,
        reason=reason,
        in_scope=bool(naming) or partial is None,
        tests=tuple(dict.fromkeys(test.id for test in naming)),
        measurements=tuple(measurements),
    )


def _reported(
    requirements: Mapping[str, Requirement], attempts: _Measured, superseded: Sequence[Attempt]
) -> list[ReportedRecord]:
    """List what no requirement of its own test judges, and what superseded attempts had measured."""
    return [
        ReportedRecord(**dict(each), test=attempt.collected.test, attempt=attempt.number)
        for attempt, measured in attempts
        for each in measured
        if not each.quantity.quantity.of_the_record
        if attempt in superseded
        or not any(
            requirements[name].asks_for(each.quantity.quantity)
            for name in attempt.collected.requirements
            if name in requirements
        )
    ]


def _verdict_on(requirement: Requirement, measured: MeasuredRecord) -> Verdict:
    limit = requirement.measurement_rule(measured.quantity.quantity).limit
    return decide(measured.measurement, limit, requirement.rule).verdict


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
    requirement: Requirement,
    naming: Sequence[TestRecord],
    measurements: Sequence[JudgedRecord],
    *,
    unbegun: Verdict,
) -> tuple[Verdict, str | None]:
    """Decide one requirement, and say why where it is not plain from the values."""
    measured = {measurement.quantity.quantity for measurement in measurements}
    missing = [str(rule.quantity) for rule in requirement.measurement if rule.quantity not in measured]
    verdict = requirement_verdict(
        [measurement.verdict for measurement in measurements],
        [test.outcome for test in naming],
        whole=not missing,
        unbegun=unbegun,
    )
    said = [each.reason for each in measurements if each.verdict is verdict and each.reason]
    for outcomes in (DISTURBED, ("not run",), () if measurements else ("not applicable",)):
        of_tests = [test.message for test in naming if test.outcome in outcomes]
        if of_tests and verdict is not Verdict.FAIL:
            return verdict, of_tests[0]
    if missing and verdict is Verdict.UNSET:
        because = dict.fromkeys(test.message for test in naming if test.outcome == "not applicable" and test.message)
        return verdict, f"never measured: {', '.join(sorted(missing))}{''.join(f'; {each}' for each in because)}"
    return verdict, None if verdict is Verdict.FAIL else "; ".join(said) or None

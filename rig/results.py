"""Verdicts: the requirements joined with what the tests of a run measured.

Not responsible for measuring, nor for printing. The rules are those of `rig.limits`: a rig error never passes and
never fails a pump, and a requirement nobody measured is UNSET.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rig.limits import Measurement, Verdict, decide, worst
from rig.requirements import Requirement

FORMAT = 1

EXIT_CODES = {
    Verdict.PASS: 0,
    Verdict.NOT_APPLICABLE: 0,
    Verdict.FAIL: 1,
    Verdict.ERROR: 3,
    Verdict.UNSET: 3,
    Verdict.INCONCLUSIVE: 4,
}
"""Exit code of `rig verify` for the verdict over all requirements in its scope; 2 is bad usage."""


def join(
    requirements: Mapping[str, Requirement],
    events: Sequence[Mapping[str, Any]],
    *,
    selected: str | None = None,
    plan: str | None = None,
) -> dict[str, Any]:
    """Build the content of results.json from the requirements and the events of tests.jsonl.

    Args:
        requirements: by id.
        events: in the order of the file.
        selected: the selection expression of a partial run; requirements that none of its tests names are out of its
            scope: they stay UNSET in the list and do not decide its verdict.
        plan: the name of the test plan, when it does not set out to decide every requirement: likewise.

    A test that decides nothing yet could not be finished makes the verdict an ERROR where it would be better.
    """
    tests = _tests(events)
    partial = f"not selected by {selected!r}" if selected is not None else None
    if plan is not None:
        partial = partial or f"not part of the plan {plan!r}"
    rows = [_row(requirement, tests, events, partial) for requirement in requirements.values()]
    verdict = run_verdict(
        [Verdict(row["verdict"]) for row in rows if row["in_scope"]],
        [test["outcome"] for test in tests.values() if not test["requirements"]],
    )
    return {
        "format": FORMAT,
        "verdict": verdict.value,
        "selected": selected,
        "requirements": rows,
        "reported": [
            _reported(event) for event in events if event["event"] == "measurement" and not event["requirement"]
        ],
        "tests": list(tests.values()),
    }


def run_verdict(decided: list[Verdict], undeciding: Sequence[str]) -> Verdict:
    """Get the verdict of a run from those in its scope and from how the tests ended that decide nothing."""
    disturbed = [Verdict.ERROR] if any(outcome in ("error", "not run") for outcome in undeciding) else []
    return worst([*decided, *disturbed])


def _reported(event: Mapping[str, Any]) -> dict[str, Any]:
    return {key: event[key] for key in ("name", "value", "unit", "expanded_uncertainty", "test")}


def _tests(events: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    tests: dict[str, dict[str, Any]] = {}
    for event in events:
        if event["event"] == "collected":
            tests[event["test"]] = {
                "id": event["test"],
                "title": event["title"],
                "outcome": "not run",
                "message": "the run ended before this test",
                "duration_s": 0.0,
                "requirements": event["requirements"],
            }
        elif event["event"] == "start":
            tests[event["test"]] |= {"outcome": "error", "message": "the test was interrupted"}
        elif event["event"] == "end":
            tests[event["test"]] |= {key: event[key] for key in ("outcome", "message", "duration_s")}
    return tests


def _row(
    requirement: Requirement,
    tests: Mapping[str, Mapping[str, Any]],
    events: Sequence[Mapping[str, Any]],
    partial: str | None,
) -> dict[str, Any]:
    naming = [test for test in tests.values() if requirement.id in test["requirements"]]
    measurements = [
        _judged(requirement, event)
        for event in events
        if event["event"] == "measurement" and event["requirement"] == requirement.id
    ]
    verdict, reason = _verdict(requirement, naming, measurements)
    if not naming and partial is not None:
        reason = partial
    return {
        "id": requirement.id,
        "text": requirement.text,
        "clause": requirement.clause,
        "hazard": requirement.hazard,
        "verdict": verdict.value,
        "reason": reason,
        "in_scope": bool(naming) or partial is None,
        "tests": [test["id"] for test in naming],
        "measurements": measurements,
    }


def _judged(requirement: Requirement, event: Mapping[str, Any]) -> dict[str, Any]:
    measurement = Measurement(event["name"], event["value"], event["unit"], event["expanded_uncertainty"])
    limit = requirement.measurement_rule(measurement.name).limit
    decision = decide(measurement, limit, requirement.rule)
    return {
        "name": measurement.name,
        "value": measurement.value,
        "unit": measurement.unit,
        "expanded_uncertainty": measurement.expanded_uncertainty,
        "limit": {"low": limit.low, "high": limit.high, "unit": limit.unit},
        "rule": requirement.rule.value,
        "verdict": decision.verdict.value,
        "reason": decision.reason,
        "test": event["test"],
    }


def _verdict(
    requirement: Requirement, naming: Sequence[Mapping[str, Any]], measurements: Sequence[Mapping[str, Any]]
) -> tuple[Verdict, str | None]:
    """Decide one requirement: what was measured, then whether everything it asks for was measured at all."""
    verdicts = [Verdict(measurement["verdict"]) for measurement in measurements]
    if Verdict.FAIL in verdicts:
        return Verdict.FAIL, None
    disturbed = [test for test in naming if test["outcome"] in ("error", "not run")]
    if disturbed:
        return Verdict.ERROR, disturbed[0]["message"]
    inapplicable = [test for test in naming if test["outcome"] == "not applicable"]
    if inapplicable and not measurements:
        return Verdict.NOT_APPLICABLE, inapplicable[0]["message"]
    missing = {rule.name for rule in requirement.measurement} - {measurement["name"] for measurement in measurements}
    if missing:
        return Verdict.UNSET, f"never measured: {', '.join(sorted(missing))}"
    verdict = worst(verdicts)
    reasons = [each["reason"] for each in measurements if each["verdict"] == verdict.value and each["reason"]]
    return verdict, "; ".join(reasons) or None

"""The results of a run as Allure has them: one for each requirement that an attempt at a test decides.

So a requirement's branch of the tree holds what was decided for it, and no failure of another one. Attempts at a test
are retries of Allure's. There each attempt has its own verdict, but the last one is what counts in the tree: it has
that of all. Not responsible for how it was measured (`reports.allure.procedures`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from reports.allure.run_parts import STATUSES, AllureRun, Json, labels_of, parameters_of
from reports.tested import attempts_by_test, verdict_in, verdict_of_ends
from reports.words import limit_text, minus
from rig.record.models import MeasuredRecord
from rig.record.results import JudgedRecord, RequirementRecord, TestRecord
from rig.verdicts.limits import Verdict
from rig.verdicts.rounding import value_text

NO_REQUIREMENT = "No requirement"
WHOLE_RUN = "The run as a whole"
_EVIDENCE = "This view is made from the record of the run, and is no evidence: the record is."


def results_of(shown: AllureRun) -> Iterator[tuple[Json, tuple[str, int] | None]]:
    """Write each result of a run, with the test and attempt whose measurements it stands on, where there is one.

    Requirements in their order, then tests that decide none, then the run itself.
    """
    results = shown.run.results
    by_test = attempts_by_test(results)
    order = 0
    for row in (each for each in results.requirements if each.in_scope):
        for attempts in (by_test[test] for test in row.tests):
            for test in attempts:
                yield _of_attempt(shown, row, attempts, test, order), (test.id, test.attempt)
                order += 1
        if not row.tests:
            yield _of_requirement(shown, row, order), None
            order += 1
    asked = {test for row in results.requirements if row.in_scope for test in row.tests}
    for attempts in (each for name, each in by_test.items() if name not in asked):
        for test in attempts:
            yield _of_attempt(shown, None, attempts, test, order), (test.id, test.attempt)
            order += 1
    yield _of_run(shown, order), None


def measured_text(each: MeasuredRecord) -> str:
    """Write a measured value ± U with its unit, both to the digits of U."""
    return minus(value_text(each.value, each.expanded_uncertainty, each.unit))


def status_of(verdict: Verdict, attempts: Sequence[TestRecord]) -> str:
    """Choose Allure's status for what attempts came to; `skipped` where none of them was ever begun."""
    begun = any(each.outcome != "not run" for each in attempts)
    return "skipped" if verdict is Verdict.UNSET and not begun else STATUSES[verdict]


def _of_attempt(
    shown: AllureRun,
    row: RequirementRecord | None,
    attempts: Sequence[TestRecord],
    test: TestRecord,
    order: int,
) -> Json:
    last = test is attempts[-1]
    counting = attempts if last else [test]
    if not last and test.superseded:
        verdict = Verdict.ERROR
    else:
        verdict = verdict_in(shown.run.results, row, counting) if row is not None else verdict_of_ends(counting)
    values = [] if row is None else [each for each in row.measurements if each.test == test.id]
    values = [each for each in values if last or each.attempt == test.attempt]
    place, _, name = test.id.partition("::")
    runner = "Robot Framework" if place.endswith(".robot") else "pytest"
    case = f"{row.id if row is not None else NO_REQUIREMENT}: {test.id}"
    parameters = {"attempt": f"{test.attempt} of {len(attempts)}"} if len(attempts) > 1 else {}
    labels = [("suite", place), ("framework", runner), ("story", test.title.rstrip("."))]
    facts = [("Test", test.id), ("Ended", test.outcome + (f": {test.message}" if test.message else ""))]
    if len(attempts) > 1:
        facts.append(("Attempts", _attempts_text(attempts)))
    return _result(
        shown,
        case,
        row,
        test.title.rstrip(".") or name,
        verdict,
        status_of(verdict, counting),
        _why(row, verdict, values, test, repeated=len(attempts) > 1),
        values,
        facts,
        labels,
        parameters=parameters,
        order=order,
        duration_s=test.duration_s,
        repeated=len(attempts) > 1,
        told_by=test.attempt,
    )


def _of_requirement(shown: AllureRun, row: RequirementRecord, order: int) -> Json:
    """Write a requirement that is due and that no test of the run decides."""
    why = row.reason or "no test of this run decides it"
    name = "Does not apply" if row.verdict is Verdict.NOT_APPLICABLE else "No test decides it"
    return _result(
        shown, row.id, row, name, row.verdict, STATUSES[row.verdict], f"{row.id} {row.verdict.value}: {why}", [],
        [("Why", why)], [("suite", "requirements")], order=order,
    )  # fmt: skip


def _of_run(shown: AllureRun, order: int) -> Json:
    """Write the run's own verdict, which is no better than what it left undone."""
    manifest, results = shown.run.manifest, shown.run.results
    why = [*([f"the run was {manifest.outcome}"] if manifest.outcome != "complete" else []), results.in_short]
    why += [each for each in (manifest.reason,) if each]
    why += [f"{role}: {problem}" for role, problem in manifest.problems.items()]
    facts = [
        ("Requirements", results.in_short),
        ("Outcome", manifest.outcome + (f": {manifest.reason}" if manifest.reason else "")),
        ("Selected", results.selected or "everything of the plan"),
        ("Bench", "; ".join(f"{role}: {what}" for role, what in manifest.problems.items()) or "fit"),
    ]
    return _result(
        shown, WHOLE_RUN, None, "Verdict of the run", results.verdict, STATUSES[results.verdict],
        f"{results.verdict.value}: {'; '.join(why)}", [], facts, [("suite", "run")], order=order, feature=WHOLE_RUN,
        duration_s=sum(each.duration_s for each in results.tests),
    )  # fmt: skip


def _result(
    shown: AllureRun,
    case: str,
    row: RequirementRecord | None,
    name: str,
    verdict: Verdict,
    status: str,
    why: str,
    values: Sequence[JudgedRecord],
    facts: Sequence[tuple[str, str]],
    labels: Sequence[tuple[str, str]],
    *,
    order: int,
    parameters: dict[str, str] | None = None,
    duration_s: float = 0.0,
    repeated: bool = False,
    told_by: int = 1,
    feature: str = NO_REQUIREMENT,
) -> Json:
    identity = shown.identity(case)
    start = shown.start_ms + order  # Allure sorts by it
    of_row = [] if row is None else [("requirement", row.id), *(("hazard", each) for each in row.hazards)]
    feature = feature if row is None else f"{row.id} {row.text}"
    result = {
        "uuid": shown.uuid(case, told_by),
        **identity,
        "name": f"{name} ({shown.called})" if shown.called else name,
        "status": status,
        "stage": "finished",
        "start": start,
        "stop": start + round(duration_s * 1000.0),
        "descriptionHtml": _description(shown, row, verdict, values, facts, repeated=repeated),
        "labels": labels_of([*shown.labels, ("feature", feature), *of_row, ("verdict", verdict.value), *labels]),
        "parameters": [*identity["parameters"], *parameters_of(parameters or {})],
        "steps": [_decided(each, start, repeated=repeated) for each in values],
    }
    if status != "passed":
        result["statusDetails"] = {"message": why}
    return result


def _decided(each: JudgedRecord, start: int, *, repeated: bool) -> Json:
    """Write a decided value as a step, whose parameters have all digits of the record."""
    name = f"{each.name}: {measured_text(each)}, limit {limit_text(each.limit.limit)}: {each.verdict.value}"
    step = {
        "name": f"Attempt {each.attempt}: {name}" if repeated else name,
        "status": STATUSES[each.verdict],
        "stage": "finished",
        "start": start,
        "stop": start,
        "parameters": parameters_of(
            {
                "value": repr(each.value),
                "U": repr(each.expanded_uncertainty),
                "unit": each.unit,
                "limit": each.limit.limit,
                "rule": each.rule.value,
                "verdict": each.verdict.value,
            }
        ),
    }
    if each.verdict is not Verdict.PASS:
        step["statusDetails"] = {"message": each.reason or name}
    return step


def _why(
    row: RequirementRecord | None,
    verdict: Verdict,
    values: Sequence[JudgedRecord],
    test: TestRecord,
    *,
    repeated: bool,
) -> str:
    """Say why a result is no pass, its verdict first."""
    decisive = [each for each in values if each.verdict is verdict]
    told = [
        f"{f'attempt {each.attempt}: ' if repeated else ''}{each.name} {measured_text(each)}, "
        f"limit {limit_text(each.limit.limit)}"
        for each in decisive
    ]
    if test.superseded and not told:
        told = [f"{test.outcome}{f': {test.message}' if test.message else ''}; it gives way to a later attempt"]
    reason = row.reason if row is not None else None
    said = "; ".join(told) or test.message or reason or test.outcome
    return f"{row.id} {verdict.value}: {said}" if row is not None else f"{verdict.value}: {said}"


def _attempts_text(attempts: Sequence[TestRecord]) -> str:
    gone = any(each.superseded for each in attempts)
    told = ", ".join(
        f"{each.attempt} {each.outcome}{', which gives way' if each.superseded else ''}" for each in attempts
    )
    return told if gone else f"{told}; each counts"


def _description(
    shown: AllureRun,
    row: RequirementRecord | None,
    verdict: Verdict,
    values: Sequence[JudgedRecord],
    facts: Sequence[tuple[str, str]],
    *,
    repeated: bool,
) -> str:
    """Write what is seen first at a result: marks, verdict, requirement, the table of its values, and the record."""
    parts = [f"<p><strong>{escape(mark)}</strong></p>" for mark in shown.marks]
    told = f"{row.id} {row.text}" if row is not None else ""
    parts.append(f"<p><strong>{verdict.value}</strong> {escape(told)}</p>")
    if values:
        heads = [*(["attempt"] if repeated else []), "quantity", "value ± U", "limit", "rule", "verdict"]
        parts.append(f"<table><thead><tr>{_cells(heads, 'th')}</tr></thead><tbody>")
        for each in values:
            number = [str(each.attempt)] if repeated else []
            limit = limit_text(each.limit.limit)
            cells = [*number, each.name, measured_text(each), limit, each.rule.value, each.verdict.value]
            parts.append(f"<tr>{_cells(cells, 'td')}</tr>")
        parts.append("</tbody></table>")
    record = f"run {shown.run.manifest.run_id}, head {shown.head or 'none: it was never closed'}"
    hazard = "" if row is None else f"{', '.join(row.hazards)} {row.hazard}".strip()
    of_row = [] if row is None else [("Clause", row.clause), ("Hazard", hazard)]
    rows = [*of_row, *facts, ("Record", record)]
    listed = "".join(f"<li>{escape(name)}: {escape(value)}</li>" for name, value in rows)
    return "".join([*parts, f"<ul>{listed}</ul><p>{_EVIDENCE}</p>"])


def _cells(texts: Sequence[str], tag: str) -> str:
    return "".join(f"<{tag}>{escape(each)}</{tag}>" for each in texts)

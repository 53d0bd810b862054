"""What each test of a run came to for each requirement that it decides, from the results alone.

Views that show a run test by test are made of it. Not responsible for verdicts (`rig.run.results`), nor for a format
(`reports.junit`, `reports.allure`).
"""

from __future__ import annotations

from collections.abc import Sequence

from rig.record.results import DISTURBED, RequirementRecord, Results, TestRecord
from rig.verdicts.limits import Verdict, worst


def attempts_by_test(results: Results) -> dict[str, list[TestRecord]]:
    """List the attempts at each test, in their order, by its id."""
    found: dict[str, list[TestRecord]] = {}
    for test in results.tests:
        found.setdefault(test.id, []).append(test)
    return found


def verdict_in(results: Results, row: RequirementRecord, attempts: Sequence[TestRecord]) -> Verdict:
    """Say what attempts at a test came to for a requirement, by their own values and ends.

    A requirement that another test FAILed, could not finish or did not begin, is no fault of this one. Where none did
    and something was left out, nobody knows whose it was: it counts for each of its tests.
    """
    numbers = {each.attempt for each in attempts}
    own = [each.verdict for each in row.measurements if each.test == attempts[0].id and each.attempt in numbers]
    ended = verdict_of_ends(attempts)
    if Verdict.FAIL in own:
        return Verdict.FAIL
    if ended is not Verdict.PASS and ended is not Verdict.NOT_APPLICABLE:
        return ended
    unbegun = any(each.outcome == "not run" and row.id in each.requirements for each in results.tests)
    if row.verdict is Verdict.UNSET and not (own and unbegun):
        return Verdict.UNSET
    return worst(own) if own else ended


def verdict_of_ends(attempts: Sequence[TestRecord]) -> Verdict:
    """Judge a test by how its attempts ended, but for those that gave way; one that has "failed" says so by a value."""
    outcomes = [each.outcome for each in attempts if not each.superseded]
    if any(each in DISTURBED for each in outcomes):
        return Verdict.ERROR
    if "not run" in outcomes:
        return Verdict.UNSET
    return Verdict.NOT_APPLICABLE if set(outcomes) == {"not applicable"} else Verdict.PASS

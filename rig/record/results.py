"""The verdicts of a run as its record holds them: checked, frozen, and in agreement with themselves.

Not responsible for deciding anything (`rig.run.results` joins them when the run ends). Verdicts are derived here again
from the numbers beside them, only to refuse a record that contradicts itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import Field, model_validator

from rig.record.models import Incident, LimitRecord, MeasuredRecord, QuantityRecord, Record
from rig.verdicts.limits import Rule, Verdict, decide, worst

Outcome = Literal["passed", "failed", "error", "not applicable", "not run"]


class JudgedRecord(MeasuredRecord):
    """A measured value, its limit, the rule of decision and the verdict on it; which test measured it."""

    limit: LimitRecord
    rule: Rule = Rule.GUARD_BAND
    verdict: Verdict
    reason: str | None = None
    test: str
    attempt: int = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _verdict_follows(self) -> Self:
        follows = decide(self.measurement, self.limit.limit, self.rule).verdict
        if follows is not self.verdict:
            raise ValueError(f"{self.name} is called {self.verdict.value}, its numbers say {follows.value}")
        return self


class ReportedRecord(MeasuredRecord):
    """A measured value that no requirement judges, and which test measured it."""

    test: str
    attempt: int = Field(default=1, ge=1)


class RequirementRecord(Record):
    """A requirement, what was measured for it, and its verdict."""

    id: str
    text: str
    clause: str
    hazard: str
    verdict: Verdict
    reason: str | None
    in_scope: bool = True
    tests: tuple[str, ...]
    measurements: tuple[JudgedRecord, ...]

    def is_shared(self, measurement: JudgedRecord) -> bool:
        """Say whether its quantity was measured more than once, so that the value needs its test beside it."""
        return sum(each.quantity == measurement.quantity for each in self.measurements) > 1


class TestRecord(Record):
    """One attempt at a test and how it ended.

    Attributes:
        quantities: those that the test declared before it began.
        incidents: what went wrong meanwhile and ended nothing.
    """

    __test__ = False  # pytest: this is no test class

    id: str
    attempt: int = Field(default=1, ge=1)
    title: str
    outcome: Outcome
    message: str | None
    duration_s: float
    requirements: tuple[str, ...]
    quantities: tuple[QuantityRecord, ...] = ()
    incidents: tuple[Incident, ...] = ()


class Results(Record):
    """Verdicts of a run."""

    format: Literal[1, 2] = 2
    verdict: Verdict
    selected: str | None = None
    requirements: tuple[RequirementRecord, ...]
    reported: tuple[ReportedRecord, ...] = ()
    tests: tuple[TestRecord, ...]

    def called(self, test: str, attempt: int) -> str:
        """Call a test by its title; where it was attempted more than once, with the number of the attempt."""
        of_it = [each for each in self.tests if each.id == test]
        title = next((each.title for each in of_it), test).rstrip(".")
        return f"{title}, attempt {attempt}" if len(of_it) > 1 else title

    @property
    def repeated(self) -> dict[str, list[TestRecord]]:
        """The attempts at each test that was attempted more than once, in their order, by its id."""
        found: dict[str, list[TestRecord]] = {}
        for each in self.tests:
            found.setdefault(each.id, []).append(each)
        return {test: attempts for test, attempts in found.items() if len(attempts) > 1}

    @model_validator(mode="after")
    def _rows_follow(self) -> Self:
        for row in self.requirements:
            naming = [test for test in self.tests if row.id in test.requirements]
            if (contradiction := _contradiction(row, naming)) is not None:
                raise ValueError(f"the requirement {row.id} {contradiction}")
        return self

    @model_validator(mode="after")
    def _verdict_follows(self) -> Self:
        follows = run_verdict(
            [row.verdict for row in self.requirements if row.in_scope],
            [test.outcome for test in self.tests if not test.requirements],
        )
        if follows is not self.verdict:
            raise ValueError(f"the run is called {self.verdict.value}, its requirements say {follows.value}")
        return self


def _contradiction(row: RequirementRecord, naming: Sequence[TestRecord]) -> str | None:
    """Say where a requirement's row contradicts the tests that decide it or its own values; None where it does not.

    Which of its values were never measured, only the requirements say: where some are there, it may be UNSET.
    """
    tests = tuple(dict.fromkeys(test.id for test in naming))
    if row.tests != tests:
        return f"names {len(row.tests)} tests that decide it, and {len(tests)} say that they do"
    foreign = next((each for each in row.measurements if each.test not in tests), None)
    if foreign is not None:
        return f"holds {foreign.name} of the test {foreign.test}, which does not decide it"
    verdicts, outcomes = [each.verdict for each in row.measurements], {test.outcome for test in naming}
    if Verdict.FAIL in verdicts:
        follows = [Verdict.FAIL]
    elif outcomes & {"error", "not run"}:
        follows = [Verdict.ERROR]
    elif verdicts:
        follows = [worst(verdicts), Verdict.UNSET]
    else:
        follows = [Verdict.NOT_APPLICABLE if "not applicable" in outcomes else Verdict.UNSET]
    if row.verdict in follows:
        return None
    return f"is called {row.verdict.value}, its values and tests say {' or '.join(each.value for each in follows)}"


def run_verdict(decided: Sequence[Verdict], undeciding: Sequence[str]) -> Verdict:
    """Decide a run from the verdicts in its scope and from how the tests ended that decide nothing."""
    disturbed = [Verdict.ERROR] if any(outcome in ("error", "not run") for outcome in undeciding) else []
    return worst([*decided, *disturbed])

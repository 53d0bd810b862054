"""The verdicts of a run as its record holds them: checked, frozen, and in agreement with themselves.

Not responsible for deciding anything (`rig.run.results` joins them when the run ends). Verdicts are derived here again
from the numbers beside them, only to refuse a record that contradicts itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import Field, model_validator

from rig.record.invariants import ViolationRecord
from rig.record.manifest import RunOutcome
from rig.record.models import Incident, LimitRecord, MeasuredRecord, QuantityRecord, Record
from rig.verdicts.limits import Rule, Verdict, decide, worst
from rig.verdicts.quantities import Quantity

Outcome = Literal["passed", "failed", "error", "interrupted", "not applicable", "not run"]
UNFINISHED = (None, "interrupted")
"""Outcomes of an attempt that did not come to its end."""
DISTURBED = ("error", "interrupted")
"""Outcomes of an attempt that the rig could not finish."""


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

    @property
    def room_left(self) -> float:
        """The share of the limit that is left beyond value ± U: 1 in the middle of it, 0 at its end, less outside.

        A limit of 0 has no shares: what lies at it has all of its room, what lies beyond it none.
        """
        limit, u = self.limit.limit, self.expanded_uncertainty
        gaps = [] if limit.high is None else [limit.high - self.value - u]
        gaps += [] if limit.low is None else [self.value - u - limit.low]
        if limit.tolerance == 0.0:
            return 1.0 if min(gaps) >= 0.0 else 0.0
        return min(gaps) / limit.tolerance


class ReportedRecord(MeasuredRecord):
    """A measured value that no requirement judges, and which test measured it."""

    test: str
    attempt: int = Field(default=1, ge=1)


JUDGES_NOTHING = "No requirement judges what this run set out to measure."
"""What a reader is told of a run that `judges_nothing`."""

MOST_TOLD = 6
"""So many passes of one quantity are told one by one; of more, the one that is nearest to its limit speaks for all."""


class RequirementRecord(Record):
    """A requirement, what was measured for it, and its verdict.

    `by_sheet` says that it does not apply by the pump sheet, and is decided by no test; `hazards` are ids of the
    catalogue that the run froze.
    """

    id: str
    text: str
    clause: str
    hazard: str
    hazards: tuple[str, ...] = ()
    judge: tuple[str, ...] = ()
    verdict: Verdict
    reason: str | None
    in_scope: bool = True
    by_sheet: bool = False
    tests: tuple[str, ...]
    measurements: tuple[JudgedRecord, ...]

    def is_shared(self, measurement: JudgedRecord) -> bool:
        """Say whether its quantity was measured more than once, so that the value needs its test beside it."""
        return sum(each.quantity == measurement.quantity for each in self.measurements) > 1

    def told(self) -> list[tuple[JudgedRecord, int]]:
        """List what a reader is told one by one, and for how many more passes of its quantity each speaks.

        Whatever is no pass is always told.
        """
        passes: dict[Quantity, list[JudgedRecord]] = {}
        for each in self.measurements:
            if each.verdict is Verdict.PASS:
                passes.setdefault(each.quantity.quantity, []).append(each)
        found = []
        for each in self.measurements:
            alike = passes[each.quantity.quantity] if each.verdict is Verdict.PASS else []
            if len(alike) <= MOST_TOLD:
                found.append((each, 0))
            elif each is min(alike, key=lambda one: one.room_left):
                found.append((each, len(alike) - 1))
        return found


class FoundRecord(ViolationRecord):
    """What does not hold over the whole record of a test: a finding; which attempt at which test it was in."""

    test: str
    attempt: int = Field(default=1, ge=1)


class TestRecord(Record):
    """One attempt at a test and how it ended.

    Attributes:
        superseded: it was interrupted, and a later attempt came to its end: it decides nothing.
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
    superseded: bool = False
    requirements: tuple[str, ...]
    quantities: tuple[QuantityRecord, ...] = ()
    incidents: tuple[Incident, ...] = ()


class Results(Record):
    """Verdicts of a run, and how it ended; `outcome` is None in results of a rig that did not write it."""

    format: Literal[1, 2] = 2
    verdict: Verdict
    outcome: RunOutcome | None = None
    selected: str | None = None
    requirements: tuple[RequirementRecord, ...]
    reported: tuple[ReportedRecord, ...] = ()
    found: tuple[FoundRecord, ...] = ()
    tests: tuple[TestRecord, ...]

    def called(self, test: str, attempt: int) -> str:
        """Call a test by its title; where it was attempted more than once, with the number of the attempt."""
        of_it = [each for each in self.tests if each.id == test]
        title = next((each.title for each in of_it), test).rstrip(".")
        return f"{title}, attempt {attempt}" if len(of_it) > 1 else title

    @property
    def in_short(self) -> str:
        """Say how many requirements in scope are verified, met or not, and which do not apply, and why."""
        due = [row for row in self.requirements if row.in_scope]
        reasons: dict[str, list[str]] = {}
        for row in due:
            if row.verdict is Verdict.NOT_APPLICABLE:
                reasons.setdefault(row.reason or "no reason is kept", []).append(row.id)
        verified = sum(row.verdict in (Verdict.PASS, Verdict.FAIL) for row in due)
        failed = sum(row.verdict is Verdict.FAIL for row in due)
        said = f"{verified} of {len(due)} requirements are verified" + (f", {failed} of them not met" if failed else "")
        if not reasons:
            return f"{said}."
        count = sum(map(len, reasons.values()))
        why = "; ".join(f"{', '.join(ids)} ({reason})" for reason, ids in reasons.items())
        return f"{said}; {count} {'is' if count == 1 else 'are'} not applicable: {why}."

    @property
    def judges_nothing(self) -> bool:
        """Whether the run is UNSET though no requirement is: none judges what it set out to measure."""
        unset = [row for row in self.requirements if row.in_scope and row.verdict is Verdict.UNSET]
        return self.verdict is Verdict.UNSET and not unset

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
            if (contradiction := _contradiction(row, naming, unbegun=not_run(self.outcome))) is not None:
                raise ValueError(f"the requirement {row.id} {contradiction}")
        return self

    @model_validator(mode="after")
    def _verdict_follows(self) -> Self:
        follows = run_verdict(
            deciding(self.requirements),
            [test.outcome for test in self.tests if not test.requirements and not test.superseded],
            self.outcome,
        )
        if follows is not self.verdict:
            raise ValueError(f"the run is called {self.verdict.value}, its requirements say {follows.value}")
        return self


def _contradiction(row: RequirementRecord, naming: Sequence[TestRecord], *, unbegun: Verdict) -> str | None:
    """Say where a requirement's row contradicts the tests that decide it or its own values; None where it does not.

    Which of its values were never measured, only the requirements say: where some are there, it may be UNSET.
    """
    tests = tuple(dict.fromkeys(test.id for test in naming))
    if row.by_sheet:
        fits = row.verdict is Verdict.NOT_APPLICABLE and row.reason and not row.tests and not row.measurements
        return None if fits else "does not apply by the pump sheet, and is decided all the same"
    if row.tests != tests:
        return f"names {len(row.tests)} tests that decide it, and {len(tests)} say that they do"
    foreign = next((each for each in row.measurements if each.test not in tests), None)
    if foreign is not None:
        return f"holds {foreign.name} of the test {foreign.test}, which does not decide it"
    verdicts = [each.verdict for each in row.measurements]
    outcomes = [test.outcome for test in naming if not test.superseded]
    follows = dict.fromkeys(
        requirement_verdict(verdicts, outcomes, whole=whole, unbegun=unbegun) for whole in (True, False)
    )
    if row.verdict in follows:
        return None
    return f"is called {row.verdict.value}, its values and tests say {' or '.join(each.value for each in follows)}"


def not_run(outcome: RunOutcome | None) -> Verdict:
    """Say what a test that was never begun makes of its requirements; rigs that wrote no outcome called it an ERROR."""
    return Verdict.ERROR if outcome is None else Verdict.UNSET


def requirement_verdict(
    verdicts: Sequence[Verdict], outcomes: Sequence[Outcome], *, whole: bool, unbegun: Verdict
) -> Verdict:
    """Decide a requirement: by what was measured, then by whether everything it asks for was measured at all.

    Args:
        verdicts: of its measured values.
        outcomes: of the attempts at the tests that decide it, but for those that are superseded.
        whole: whether everything was measured that it asks for.
        unbegun: what a test makes of it that was never begun (`not_run`).
    """
    if Verdict.FAIL in verdicts:
        return Verdict.FAIL
    if any(each in DISTURBED for each in outcomes):
        return Verdict.ERROR
    if "not run" in outcomes:
        return unbegun
    if not verdicts:
        return Verdict.NOT_APPLICABLE if "not applicable" in outcomes else Verdict.UNSET
    return worst(verdicts) if whole else Verdict.UNSET


def deciding(rows: Sequence[RequirementRecord]) -> list[Verdict]:
    """List the verdicts of which a run's own is made: those in its scope.

    UNSET is one of them where nothing is judged but what every measurement has besides, such as restarts: that makes no
    PASS alone.
    """
    in_scope = [row for row in rows if row.in_scope]
    kinds = [each.quantity.quantity for row in in_scope for each in row.measurements]
    watched_alone = bool(kinds) and all(each.of_every_measurement for each in kinds)
    return [row.verdict for row in in_scope] + ([Verdict.UNSET] if watched_alone else [])


def run_verdict(decided: Sequence[Verdict], undeciding: Sequence[str], outcome: RunOutcome | None = None) -> Verdict:
    """Decide a run from the `deciding` verdicts, from how the tests ended that decide nothing, and from its own end.

    A run that did not come to its end is an ERROR where it would be better; what failed in it stays a FAIL.
    """
    disturbed = any(each in (*DISTURBED, "not run") for each in undeciding)
    ended = outcome is None or outcome == "complete"
    return worst([*decided, *([] if ended and not disturbed else [Verdict.ERROR])])

"""The traceability matrix as values: hazards, requirements, tests, what joins them, and where a link is missing.

Pure: from hazards, requirements and tests to rows and gaps. Not responsible for reading a run (`reports.traceability`),
nor for how a matrix looks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from rig.pump_sheet.cited import MakersHazard
from rig.pump_sheet.stated import StatedClaim
from rig.verdicts.limits import Verdict

NOT_RUN = "not run"
"""What is said of what has no result."""


class GapKind(Enum):
    """What is missing on the way from a hazard to its evidence, in the order in which gaps are told."""

    HAZARD_WITHOUT_REQUIREMENT = "hazard without requirement"
    REQUIREMENT_WITHOUT_HAZARD = "requirement without hazard"
    UNTESTED = "untested requirement"
    TEST_WITHOUT_REQUIREMENT = "test without requirement"
    NOT_RUN = "requirement not run"
    ERROR = "error: not decided by the rig"
    INCONCLUSIVE = "inconclusive"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True)
class TraceGap:
    """A missing link: its kind, the id of what it is missing from, and why."""

    kind: GapKind
    of: str
    why: str


@dataclass(frozen=True)
class TracedHazard:
    """A hazard, where it was taken from, and what the maker's risk file calls it.

    Attributes:
        not_covered: why no requirement stands against it, where that is known.
    """

    id: str
    text: str
    source: str
    makers: tuple[MakersHazard, ...] = ()
    not_covered: str | None = None


@dataclass(frozen=True)
class TracedFile:
    """A file of the record: its path below the run folder, and its SHA-256."""

    path: str
    sha256: str


@dataclass(frozen=True)
class NearestValue:
    """The measured value that is nearest to its limit, with its expanded uncertainty (k = 2), both in `unit`."""

    name: str
    value: float
    expanded_uncertainty: float
    unit: str
    limit: str
    verdict: Verdict


@dataclass(frozen=True)
class TraceResult:
    """What one test says of one requirement.

    Attributes:
        nearest: None where nothing was measured for it.
        values: how many values there are of which that is the nearest.
        reason: why there is no verdict of values.
        evidence: files that hold those values; where there are none, the one that says how the test ended.
    """

    verdict: Verdict
    nearest: NearestValue | None = None
    values: int = 0
    reason: str | None = None
    evidence: tuple[TracedFile, ...] = ()


@dataclass(frozen=True)
class TracedTest:
    """A test: its id, its title, and how it ended; an outcome of None in a plan."""

    id: str
    title: str
    outcome: str | None = None
    message: str | None = None


@dataclass(frozen=True)
class TracedRequirement:
    """A requirement, the hazards that it stands against, and the results of its tests.

    Attributes:
        situation: the hazard in the requirement's own words.
        hazards: ids.
        results: by the id of each test that decides it, in their order; None where nothing has been run.
        verdict: None in a plan.
        in_scope: whether it is in the scope of the run or plan.
        inapplicable: why the pump sheet leaves it out; None where it does not.
        claims: what of the pump sheet its limits and conditions are made of.
    """

    id: str
    text: str
    clause: str
    situation: str
    hazards: tuple[str, ...]
    results: Mapping[str, TraceResult | None] = field(default_factory=dict)
    verdict: Verdict | None = None
    reason: str | None = None
    in_scope: bool = True
    inapplicable: str | None = None
    claims: tuple[StatedClaim, ...] = ()


@dataclass(frozen=True)
class TraceRow:
    """One link: hazard, requirement, test, by their ids; None where there is none."""

    hazard: str | None
    requirement: str | None
    test: str | None


@dataclass(frozen=True)
class TraceFrame:
    """What a matrix is of.

    Attributes:
        name: of the run, or of the plan.
        pump: maker, model and serial number, or the name of the pump sheet.
        simulated: whether a virtual bench stands behind it.
        marks: what else each page must say.
        closed_utc: when the run ended; None in a plan, and of a run that never ended.
        head: the hash that the run's closing file carries of itself; None where there is none.
    """

    name: str
    pump: str
    simulated: bool
    marks: tuple[str, ...] = ()
    closed_utc: datetime | None = None
    head: str | None = None


@dataclass(frozen=True)
class Matrix:
    """The traceability matrix of a run, or of what a plan would do; all in the order of the files.

    `of_run` is False for a plan, of which nothing has a result.
    """

    frame: TraceFrame
    of_run: bool
    hazards: Mapping[str, TracedHazard]
    requirements: Mapping[str, TracedRequirement]
    tests: Mapping[str, TracedTest]
    rows: tuple[TraceRow, ...]
    gaps: tuple[TraceGap, ...]

    def result(self, row: TraceRow) -> TraceResult | None:
        """Look up what the test of a row says of its requirement; None where it was not run, or one is missing."""
        if row.requirement is None or row.test is None:
            return None
        return self.requirements[row.requirement].results[row.test]

    def gaps_of(self, kind: GapKind) -> tuple[TraceGap, ...]:
        """List the gaps of a kind."""
        return tuple(each for each in self.gaps if each.kind is kind)

    @property
    def in_short(self) -> str:
        """Say in a sentence what is joined, and how many gaps there are."""
        tested = sum(1 for each in self.requirements.values() if each.results)
        gaps = len(self.gaps)
        return (
            f"{len(self.hazards)} hazards, {len(self.requirements)} requirements, {tested} of them with a test, "
            f"{len(self.tests)} tests; {gaps or 'no'} gap{'' if gaps == 1 else 's'}."
        )


def joined_rows(
    frame: TraceFrame,
    hazards: Sequence[TracedHazard],
    requirements: Sequence[TracedRequirement],
    tests: Sequence[TracedTest],
    *,
    of_run: bool,
) -> Matrix:
    """Join hazards, requirements and tests into one matrix.

    Every link stands in exactly one row: one a hazard × requirement × test. What lacks a link stands in a row
    of its own.
    """
    named = [name for each in requirements for name in each.hazards]
    known = {each.id: each for each in hazards}
    known |= {name: TracedHazard(name, "is in no catalogue", "") for name in named if name not in known}
    by_id = {each.id: each for each in requirements}
    rows = [row for each in known for row in _rows_of(each, [one for one in requirements if each in one.hazards])]
    rows += [row for each in requirements if not each.hazards for row in _with_tests(None, each)]
    deciding = {test for each in requirements for test in each.results}
    rows += [TraceRow(None, None, each.id) for each in tests if each.id not in deciding]
    gaps = [
        *_gaps_of_hazards(known, named),
        *(gap for each in requirements for gap in _gaps_of_requirement(each, of_run=of_run)),
        *(_idle(each) for each in tests if each.id not in deciding),
    ]
    order = {kind: number for number, kind in enumerate(GapKind)}
    return Matrix(
        frame,
        of_run,
        known,
        by_id,
        {each.id: each for each in tests},
        tuple(rows),
        tuple(sorted(gaps, key=lambda gap: order[gap.kind])),
    )


def _rows_of(hazard: str, requirements: Sequence[TracedRequirement]) -> Iterator[TraceRow]:
    if not requirements:
        yield TraceRow(hazard, None, None)
    for each in requirements:
        yield from _with_tests(hazard, each)


def _with_tests(hazard: str | None, requirement: TracedRequirement) -> Iterator[TraceRow]:
    for test in requirement.results or [None]:
        yield TraceRow(hazard, requirement.id, test)


def _gaps_of_hazards(hazards: Mapping[str, TracedHazard], named: Sequence[str]) -> Iterator[TraceGap]:
    for each in hazards.values():
        if each.id not in named:
            why = f"no requirement stands against it{f': {each.not_covered}' if each.not_covered else ''}"
            yield TraceGap(GapKind.HAZARD_WITHOUT_REQUIREMENT, each.id, why)


_OF_VERDICT = {
    Verdict.ERROR: GapKind.ERROR,
    Verdict.INCONCLUSIVE: GapKind.INCONCLUSIVE,
    Verdict.UNSET: GapKind.NOT_RUN,
    Verdict.NOT_APPLICABLE: GapKind.NOT_APPLICABLE,
}


def _gaps_of_requirement(requirement: TracedRequirement, *, of_run: bool) -> Iterator[TraceGap]:
    if not requirement.hazards:
        yield TraceGap(GapKind.REQUIREMENT_WITHOUT_HAZARD, requirement.id, "it names no hazard of a catalogue")
    if requirement.inapplicable is not None:
        yield TraceGap(GapKind.NOT_APPLICABLE, requirement.id, requirement.inapplicable)
    elif not requirement.in_scope:
        yield TraceGap(GapKind.NOT_RUN, requirement.id, requirement.reason or "out of the scope of this run")
    elif not requirement.results:
        yield TraceGap(GapKind.UNTESTED, requirement.id, requirement.reason or "no test decides it")
    elif of_run and (kind := _OF_VERDICT.get(requirement.verdict or Verdict.UNSET)) is not None:
        yield TraceGap(kind, requirement.id, requirement.reason or _reasons(requirement) or "no reason is kept")


def _reasons(requirement: TracedRequirement) -> str:
    """Say why a requirement is undecided where its row does not: by its tests, else by the nearest value."""
    results = [each for each in requirement.results.values() if each is not None]
    said = dict.fromkeys(each.reason for each in results if each.reason)
    if said:
        return "; ".join(filter(None, said))
    near = [
        f"{one.name} is too near to its limit, {one.limit}"
        for each in results
        if (one := each.nearest) is not None and one.verdict is Verdict.INCONCLUSIVE
    ]
    return "; ".join(dict.fromkeys(near))


def _idle(test: TracedTest) -> TraceGap:
    why = f"it decides no requirement{f'; it ended as {test.outcome!r}' if test.outcome else ''}"
    return TraceGap(GapKind.TEST_WITHOUT_REQUIREMENT, test.id, why)

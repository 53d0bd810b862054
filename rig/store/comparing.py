"""Two firmware versions held against each other over all their runs, like with like.

Alike are runs of one model of pump, plan and condition; verdicts also need the same requirements. What only one of the
two has is named and never compared. The unit of comparison is the run: of several values of a quantity in a run, their
mean counts once. Intervals by Welch's t (SciPy); probabilities adjusted for the number of tests by Holm 1979. Not
responsible for verdicts.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats
from sqlalchemy import ColumnElement, Connection, Engine, select

from rig.errors import BenchFileError
from rig.store.asking import AT_ONCE, not_resumed, unknown_name
from rig.store.opening import asking
from rig.store.tables import RUNS, VALUES, VERDICTS
from rig.verdicts.limits import Verdict, worst

LEAST_OF_HASH = 8
"""So many digits of a hash name it."""


@dataclass(frozen=True, order=True)
class Alike:
    """What runs have in common that can be compared."""

    model: str
    plan: str
    plan_sha256: str
    condition: str

    def __str__(self) -> str:
        """Say it in words."""
        return f"pump {self.model}, plan {self.plan} ({self.plan_sha256[:LEAST_OF_HASH]}), condition {self.condition}"


@dataclass(frozen=True)
class QuantityDifference:
    """The mean of B less that of A in `unit`, with its 95 % interval and Holm's probability where runs spread."""

    basis: Alike
    name: str
    unit: str
    runs: tuple[int, int]
    means: tuple[float, float]
    interval: tuple[float, float] | None
    p_adjusted: float | None

    @property
    def difference(self) -> float:
        """B less A."""
        return self.means[1] - self.means[0]


@dataclass(frozen=True)
class VerdictChange:
    """A requirement whose worst verdict differs among runs that are alike, by the same requirements."""

    basis: Alike
    requirement: str
    verdicts: tuple[str, str]


@dataclass(frozen=True)
class FirmwareComparison:
    """What differs between two firmware versions; `apart`: what cannot be compared, or not without a doubt, and why."""

    simulated: bool
    quantities: tuple[QuantityDifference, ...]
    judged: int
    changed: tuple[VerdictChange, ...]
    apart: tuple[str, ...]


def compare_firmware(engine: Engine, a: str, b: str, *, simulated: bool | None = None) -> FirmwareComparison:
    """Compare two firmware versions; `simulated` says which runs, where there are both kinds.

    Raises:
        BenchFileError: the store does not know one of them, they are the same, or no runs of theirs are alike.
        StoreError: it does not answer.
    """
    if a == b:
        raise BenchFileError(f"{a} was given twice; a comparison takes two firmware versions")
    with asking(engine) as connection:
        one, two = (_Side.of(connection, firmware, simulated) for firmware in (a, b))
    if one.runs.keys() & two.runs.keys():
        raise BenchFileError(f"{a} and {b} name the same runs; a comparison takes two firmware versions")
    kinds = {run.simulated for side in (one, two) for run in side.runs.values()}
    if len(kinds) > 1:
        raise BenchFileError(
            f"{a} and {b} were measured in simulated and in real runs, which are never mixed; say --simulated or --real"
        )
    both = sorted(one.bases & two.bases)
    if not both:
        raise BenchFileError(f"no run of {a} is like one of {b}: {_listed(one)}; {_listed(two)}")
    keys = sorted(key for key in one.values.keys() & two.values.keys() if key[0] in both)
    tested = [_difference(key, one.values[key], two.values[key]) for key in keys]
    adjusted = iter(holm([p for _, p in tested if p is not None]))
    judged = one.verdicts.keys() & two.verdicts.keys()
    return FirmwareComparison(
        simulated=kinds == {True},
        quantities=tuple(found if p is None else replace(found, p_adjusted=next(adjusted)) for found, p in tested),
        judged=len(judged),
        changed=tuple(
            VerdictChange(basis, requirement, (worst(one.verdicts[key]).value, worst(two.verdicts[key]).value))
            for key in sorted(judged)
            for basis, _, requirement in (key,)
            if worst(one.verdicts[key]) is not worst(two.verdicts[key])
        ),
        apart=(*_doubts(one, two, both), *_alone(one, two, both), *_alone(two, one, both)),
    )


def holm(probabilities: Sequence[float]) -> list[float]:
    """Adjust probabilities for their number, step down (Holm 1979, Scandinavian Journal of Statistics 6:65)."""
    order = sorted(range(len(probabilities)), key=lambda place: probabilities[place])
    adjusted, highest = [0.0] * len(probabilities), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(probabilities) - rank) * probabilities[place]))
        adjusted[place] = highest
    return adjusted


@dataclass(frozen=True)
class _Run:
    basis: Alike
    requirements: str
    simulated: bool
    bench: str
    build: str | None


@dataclass(frozen=True)
class _Side:
    """The runs of a firmware; values by basis, name and unit, one a run; verdicts by basis, requirements and id."""

    firmware: str
    runs: dict[int, _Run]
    values: dict[tuple[Alike, str, str], list[float]]
    verdicts: dict[tuple[Alike, str, str], list[Verdict]]

    @property
    def bases(self) -> set[Alike]:
        return {run.basis for run in self.runs.values()}

    @classmethod
    def of(cls, connection: Connection, firmware: str, simulated: bool | None) -> _Side:
        rows = connection.execute(
            select(
                RUNS.c.run, RUNS.c.pump_model, RUNS.c.plan, RUNS.c.plan_sha256, RUNS.c.condition,
                RUNS.c.requirements_sha256, RUNS.c.simulated, RUNS.c.bench, RUNS.c.firmware_sha256,
            ).where(_of_firmware(firmware), not_resumed())
        ).all()  # fmt: skip
        if not rows:
            known = connection.execute(select(RUNS.c.pump_firmware, RUNS.c.firmware_sha256).distinct())
            raise unknown_name("firmware", firmware, sorted({each for row in known for each in row if each}))
        runs = {
            row[0]: _Run(Alike(*(each or "unknown" for each in row[1:5])), *row[5:])
            for row in rows
            if simulated in (None, row.simulated)
        }
        if not runs:
            raise BenchFileError(f"the store holds no {'simulated' if simulated else 'real'} run of {firmware}")
        return cls(firmware, runs, _values(connection, firmware, runs), _verdicts(connection, firmware, runs))


def _values(connection: Connection, firmware: str, runs: dict[int, _Run]) -> dict[tuple[Alike, str, str], list[float]]:
    """The mean of each quantity in each run."""
    rows = connection.execute(
        select(VALUES.c.run, VALUES.c.name, VALUES.c.unit, VALUES.c.value)
        .join(RUNS, RUNS.c.run == VALUES.c.run)
        .where(_of_firmware(firmware))
        .execution_options(yield_per=AT_ONCE)
    )
    of_runs: dict[int, dict[tuple[str, str], list[float]]] = {number: {} for number in runs}
    for number, name, unit, value in rows:
        if number in of_runs:
            of_runs[number].setdefault((name, unit), []).append(value)
    means: dict[tuple[Alike, str, str], list[float]] = {}
    for number in sorted(of_runs):
        for key, found in of_runs[number].items():
            means.setdefault((runs[number].basis, *key), []).append(statistics.fmean(found))
    return means


def _verdicts(
    connection: Connection, firmware: str, runs: dict[int, _Run]
) -> dict[tuple[Alike, str, str], list[Verdict]]:
    """The verdicts of each requirement that is in a run's scope."""
    rows = connection.execute(
        select(VERDICTS.c.run, VERDICTS.c.requirement, VERDICTS.c.verdict)
        .join(RUNS, RUNS.c.run == VERDICTS.c.run)
        .where(_of_firmware(firmware), VERDICTS.c.in_scope)
    )
    found: dict[tuple[Alike, str, str], list[Verdict]] = {}
    for number, requirement, verdict in rows:
        if number in runs:
            key = runs[number].basis, runs[number].requirements, requirement
            found.setdefault(key, []).append(Verdict(verdict))
    return found


def _of_firmware(firmware: str) -> ColumnElement[bool]:
    by_version = RUNS.c.pump_firmware == firmware
    by_hash = RUNS.c.firmware_sha256.startswith(firmware.lower(), autoescape=True)
    return by_version | by_hash if len(firmware) >= LEAST_OF_HASH else by_version


def _difference(
    key: tuple[Alike, str, str], before: Sequence[float], after: Sequence[float]
) -> tuple[QuantityDifference, float | None]:
    runs, means = (len(before), len(after)), (float(np.mean(before)), float(np.mean(after)))
    if min(runs) < 2 or (np.ptp(before) == 0.0 and np.ptp(after) == 0.0):
        return QuantityDifference(*key, runs, means, None, None), None
    found = stats.ttest_ind(after, before, equal_var=False)
    interval = found.confidence_interval(0.95)
    low_high = float(interval.low), float(interval.high)
    return QuantityDifference(*key, runs, means, low_high, None), float(found.pvalue)


def _listed(side: _Side) -> str:
    return f"{side.firmware} was run with {'; '.join(map(str, sorted(side.bases)))}"


def _doubts(one: _Side, two: _Side, both: Sequence[Alike]) -> list[str]:
    """Say what else differs between the two than their firmware, or within one of them."""
    found = []
    for side in (one, two):
        builds = sorted({run.build for run in side.runs.values() if run.build})
        if len(builds) > 1:
            found.append(f"{side.firmware} is the name of several builds: {', '.join(each[:12] for each in builds)}")
    for basis in both:
        of_one, of_two = (
            sorted({run.bench for run in side.runs.values() if run.basis == basis}) for side in (one, two)
        )
        if of_one != of_two:
            found.append(
                f"{basis}: {one.firmware} was measured on {', '.join(of_one)}, {two.firmware} on {', '.join(of_two)}; "
                "what differs may be the bench"
            )
    return found


def _alone(side: _Side, other: _Side, both: Sequence[Alike]) -> list[str]:
    """Say what one of two has alone, and is therefore not compared."""
    found, name = [], f"{side.firmware} alone"
    for basis in sorted(side.bases - other.bases):
        count = sum(run.basis == basis for run in side.runs.values())
        found.append(f"not compared, as {name} has it: {basis} ({count} runs)")
    for basis in both:
        mine, theirs = (
            {(quantity, unit) for of, quantity, unit in each.values if of == basis} for each in (side, other)
        )
        if mine - theirs:
            names = ", ".join(f"{quantity} [{unit}]" for quantity, unit in sorted(mine - theirs))
            found.append(f"{basis}: not compared, as {name} measured it: {names}")
        mine_, theirs_ = (
            {run.requirements for run in each.runs.values() if run.basis == basis} for each in (side, other)
        )
        for requirements in sorted(mine_ - theirs_):
            found.append(
                f"{basis}: verdicts not compared, as {name} was judged by requirements {requirements[:LEAST_OF_HASH]}"
            )
    return found

"""Two firmware versions held against each other over all their runs.

The unit of comparison is the run: of several values of a quantity in a run, their mean counts once. Intervals by
Welch's t (SciPy); probabilities adjusted for the number of quantities by Holm 1979. Not responsible for verdicts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats
from sqlalchemy import Engine

from rig.errors import BenchFileError
from rig.store.asking import StoredValue, values_of_firmware, verdicts
from rig.verdicts.limits import Verdict, worst


@dataclass(frozen=True)
class QuantityDifference:
    """The mean of B less that of A in `unit`, with its 95 % interval and Holm's probability where runs spread."""

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
class FirmwareComparison:
    """What differs between two firmware versions; `changed`: requirement, worst verdict of A, worst verdict of B."""

    simulated: bool
    quantities: tuple[QuantityDifference, ...]
    changed: tuple[tuple[str, str, str], ...]


def compare_firmware(engine: Engine, a: str, b: str) -> FirmwareComparison:
    """Compare two firmware versions.

    Raises:
        BenchFileError: the store does not know one of them, or one was simulated and the other not.
    """
    if a == b:
        raise BenchFileError(f"{a} was given twice; a comparison takes two firmware versions")
    one, two = values_of_firmware(engine, a), values_of_firmware(engine, b)
    if {each.head for each in one} & {each.head for each in two}:
        raise BenchFileError(f"{a} and {b} name the same runs; a comparison takes two firmware versions")
    kinds = {each.simulated for each in (*one, *two)}
    if len(kinds) > 1:
        raise BenchFileError(f"{a} and {b} were measured in simulated and in real runs, which are never mixed")
    before, after = _by_quantity(one), _by_quantity(two)
    both = sorted(set(before) & set(after))
    tested = [_difference(name, unit, before[name, unit], after[name, unit]) for name, unit in both]
    adjusted = holm([p for _, p in tested if p is not None])
    quantities = []
    for found, p in tested:
        changed = None if p is None else adjusted.pop(0)
        quantities.append(QuantityDifference(found.name, found.unit, found.runs, found.means, found.interval, changed))
    worst_a, worst_b = _worst(verdicts(engine, a)), _worst(verdicts(engine, b))
    return FirmwareComparison(
        simulated=kinds == {True},
        quantities=tuple(quantities),
        changed=tuple(
            (requirement, worst_a[requirement].value, worst_b[requirement].value)
            for requirement in sorted(set(worst_a) & set(worst_b))
            if worst_a[requirement] is not worst_b[requirement]
        ),
    )


def holm(probabilities: Sequence[float]) -> list[float]:
    """Adjust probabilities for their number, step down (Holm 1979, Scandinavian Journal of Statistics 6:65)."""
    order = sorted(range(len(probabilities)), key=lambda place: probabilities[place])
    adjusted, highest = [0.0] * len(probabilities), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(probabilities) - rank) * probabilities[place]))
        adjusted[place] = highest
    return adjusted


def _by_quantity(measured: Sequence[StoredValue]) -> dict[tuple[str, str], list[float]]:
    by_run: dict[tuple[str, str], dict[str, list[float]]] = {}
    for each in measured:
        by_run.setdefault((each.name, each.unit), {}).setdefault(each.head, []).append(each.value)
    return {key: [float(np.mean(values)) for values in runs.values()] for key, runs in by_run.items()}


def _difference(
    name: str, unit: str, before: Sequence[float], after: Sequence[float]
) -> tuple[QuantityDifference, float | None]:
    runs, means = (len(before), len(after)), (float(np.mean(before)), float(np.mean(after)))
    if min(runs) < 2 or (np.ptp(before) == 0.0 and np.ptp(after) == 0.0):
        return QuantityDifference(name, unit, runs, means, None, None), None
    found = stats.ttest_ind(after, before, equal_var=False)
    interval = found.confidence_interval(0.95)
    low_high = float(interval.low), float(interval.high)
    return QuantityDifference(name, unit, runs, means, low_high, None), float(found.pvalue)


def _worst(rows: Sequence[tuple[str, str, str]]) -> dict[str, Verdict]:
    by_requirement: dict[str, list[Verdict]] = {}
    for _, requirement, verdict in rows:
        by_requirement.setdefault(requirement, []).append(Verdict(verdict))
    return {requirement: worst(found) for requirement, found in by_requirement.items()}

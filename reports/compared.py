"""What several runs say together: pumps under one condition with their spread, and conditions beside the nominal.

Pure: runs in, numbers out. Not responsible for reading or writing (`reports.comparison`), for groups of unlike runs
(`reports.differences`), nor for the statistics (`rig.analysis`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from reports.kinds import kind_of
from reports.measured_values import Row, Value, rows
from rig.analysis.conditions import Condition, ConditionTable, Influence, condition_table
from rig.analysis.tolerance import ToleranceInterval, tolerance_interval
from rig.analysis.variance_components import VarianceComponents, variance_components
from rig.record.likeness import Member


@dataclass(frozen=True)
class Spread:
    """One row of values, one a run, with what they say together in the unit of the quantity.

    Attributes:
        tolerance: interval that holds 95 % of all pumps with 95 % confidence; None with `why_no_tolerance`.
        components: of the variance over pumps, sets and runs; None with `why_no_components`.
    """

    row: Row
    mean: float
    sd: float
    tolerance: ToleranceInterval | None
    why_no_tolerance: str
    components: VarianceComponents | None
    why_no_components: str

    @property
    def values(self) -> list[float]:
        """One a run."""
        return [each.value for each in self.row.values]


@dataclass(frozen=True)
class UnderConditions:
    """One subject, such as "basal delivery at 1 U/h", under each condition it was measured under."""

    subject: str
    table: ConditionTable


def spreads(members: Sequence[Member]) -> tuple[list[Spread], list[Row]]:
    """Spread of each row of two or more runs, and the rows that one run alone has."""
    found = rows(members)
    return [_spread(row) for row in found if len(row.values) >= 2], [row for row in found if len(row.values) == 1]


def under_conditions(members: Sequence[Member]) -> list[UnderConditions]:
    """Errors of each subject that was measured under nominal conditions and under at least one other single influence.

    Nominal are the runs of those pumps only that were run under another condition too: pumps differ from each other.
    """
    ordered = sorted(members, key=lambda member: member.label)
    changed = [member for member in ordered if len(member.run.manifest.conditions) == 1]
    pumps = {member.pump for member in changed}
    nominal: dict[str, list[float]] = {}
    for member in ordered:
        if not member.run.manifest.conditions and member.pump in pumps:
            for subject, errors in _errors(member):
                nominal.setdefault(subject, []).extend(errors)
    others: dict[str, dict[tuple[Influence, float], list[float]]] = {}
    for member in changed:
        ((key, value),) = member.run.manifest.conditions.items()
        for subject, errors in _errors(member):
            others.setdefault(subject, {}).setdefault((Influence[key.upper()], value), []).extend(errors)
    return [
        UnderConditions(
            subject, condition_table(nominal[subject], [Condition(*key, errors) for key, errors in found.items()])
        )
        for subject, found in others.items()
        if subject in nominal
    ]


def _errors(member: Member) -> Iterator[tuple[str, list[float]]]:
    """List errors in %: of each bolus, and of each whole hour of an analysis period."""
    for analysis in (each.analysis for each in member.run.analyses):
        if (errors := kind_of(analysis).errors_percent(analysis)) is not None:
            yield errors


def _spread(row: Row) -> Spread:
    values = [each.value for each in row.values]
    tolerance, why_no_tolerance = _tolerance(row.values)
    components, why_no_components = _components(row.values)
    return Spread(
        row=row,
        mean=math.fsum(values) / len(values),
        sd=float(np.std(values, ddof=1)) if max(values) > min(values) else 0.0,
        tolerance=tolerance,
        why_no_tolerance=why_no_tolerance,
        components=components,
        why_no_components=why_no_components,
    )


def _tolerance(found: Sequence[Value]) -> tuple[ToleranceInterval | None, str]:
    pumps = [each.member.pump for each in found]
    if len(set(pumps)) < len(pumps):
        return None, "runs of one pump are not independent"
    if len(pumps) < 3:
        return None, "a tolerance interval needs three pumps"
    try:
        return tolerance_interval([each.value for each in found]), ""
    except ValueError as error:
        return None, str(error)


def _components(found: Sequence[Value]) -> tuple[VarianceComponents | None, str]:
    sets = [each.member.run.manifest.disposables.get("infusion_set") for each in found]
    if None in sets:
        return None, "the bench file does not say which infusion set each run had (disposables.infusion_set)"
    try:
        return (
            variance_components([each.value for each in found], pumps=[each.member.pump for each in found], sets=sets),
            "",
        )
    except ValueError as error:
        return None, str(error)

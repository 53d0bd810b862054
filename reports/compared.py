"""What several runs say together: pumps under one condition with their spread, and conditions beside the nominal.

Pure: runs in, numbers out. Not responsible for reading or writing (`reports.comparison`), nor for the statistics
(`rig.analysis`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from reports.kinds import kind_of
from rig.analysis.conditions import Condition, ConditionTable, Influence, condition_table
from rig.analysis.tolerance import ToleranceInterval, tolerance_interval
from rig.analysis.variance_components import VarianceComponents, variance_components
from rig.conditions import Conditions
from rig.record.reading import Run
from rig.record.results import JudgedRecord, ReportedRecord


@dataclass(frozen=True)
class Spread:
    """One measurement of several runs under the same conditions.

    Attributes:
        values, expanded_uncertainties: one a run, in `unit`.
        tolerance: interval that holds 95 % of all pumps with 95 % confidence; None with `why_no_tolerance`.
        components: of the variance over pumps, sets and runs; None with `why_no_components`.
    """

    name: str
    unit: str
    runs: tuple[str, ...]
    values: tuple[float, ...]
    expanded_uncertainties: tuple[float, ...]
    mean: float
    sd: float
    tolerance: ToleranceInterval | None
    why_no_tolerance: str
    components: VarianceComponents | None
    why_no_components: str


@dataclass(frozen=True)
class UnderConditions:
    """One subject, such as "basal delivery at 1 U/h", under each condition it was measured under."""

    subject: str
    table: ConditionTable


def condition_of(run: Run) -> str:
    """Get what the conditions of a run are called."""
    units = Conditions.UNITS
    parts = [f"{key.replace('_', ' ')} {value:g} {units[key]}" for key, value in run.manifest.conditions.items()]
    return ", ".join(parts) or "nominal"


def pump_of(run: Run) -> str:
    """Get what tells a run's pump from others: its serial number, and a simulated one's seed."""
    serial = run.manifest.dut.serial_number if run.manifest.dut else "unknown"
    return serial if run.manifest.seed is None else f"{serial} (seed {run.manifest.seed})"


def spreads(runs: Sequence[Run]) -> list[Spread]:
    """Get each measurement that two or more of the nominal runs made."""
    nominal = [run for run in runs if not run.manifest.conditions]
    measured: dict[tuple[str, str], list[tuple[Run, float, float]]] = {}
    for run in nominal:
        for name, unit, value, expanded in _measurements(run):
            measured.setdefault((name, unit), []).append((run, value, expanded))
    return [_spread(name, unit, found) for (name, unit), found in measured.items() if len(found) >= 2]


def under_conditions(runs: Sequence[Run]) -> list[UnderConditions]:
    """Get each subject that was measured under nominal conditions and under at least one other single influence.

    Nominal are the runs of those pumps only that were run under another condition too: pumps differ from each other.
    """
    changed = [run for run in runs if len(run.manifest.conditions) == 1]
    pumps = {pump_of(run) for run in changed}
    nominal: dict[str, list[float]] = {}
    for run in runs:
        if not run.manifest.conditions and pump_of(run) in pumps:
            for subject, errors in _errors(run):
                nominal.setdefault(subject, []).extend(errors)
    others: dict[str, dict[tuple[Influence, float], list[float]]] = {}
    for run in changed:
        ((key, value),) = run.manifest.conditions.items()
        for subject, errors in _errors(run):
            others.setdefault(subject, {}).setdefault((Influence[key.upper()], value), []).extend(errors)
    return [
        UnderConditions(
            subject, condition_table(nominal[subject], [Condition(*key, errors) for key, errors in found.items()])
        )
        for subject, found in others.items()
        if subject in nominal
    ]


def _measurements(run: Run) -> Iterator[tuple[str, str, float, float]]:
    """Get each measured value once, although several requirements may have judged it."""
    seen = set()
    measured: list[JudgedRecord | ReportedRecord] = list(run.results.reported)
    for row in run.results.requirements:
        measured += row.measurements
    for each in measured:
        if each.name not in seen:
            seen.add(each.name)
            yield each.name, each.unit, each.value, each.expanded_uncertainty


def _errors(run: Run) -> Iterator[tuple[str, list[float]]]:
    """Get errors in %: of each bolus, and of each whole hour of an analysis period."""
    for analysis in (each.analysis for each in run.analyses):
        if (errors := kind_of(analysis).errors_percent(analysis)) is not None:
            yield errors


def _spread(name: str, unit: str, found: Sequence[tuple[Run, float, float]]) -> Spread:
    values = [value for _, value, _ in found]
    tolerance, why_no_tolerance = _tolerance(found)
    components, why_no_components = _components(found)
    return Spread(
        name=name,
        unit=unit,
        runs=tuple(run.folder.name for run, _, _ in found),
        values=tuple(values),
        expanded_uncertainties=tuple(expanded for _, _, expanded in found),
        mean=float(np.mean(values)),
        sd=float(np.std(values, ddof=1)),
        tolerance=tolerance,
        why_no_tolerance=why_no_tolerance,
        components=components,
        why_no_components=why_no_components,
    )


def _tolerance(found: Sequence[tuple[Run, float, float]]) -> tuple[ToleranceInterval | None, str]:
    pumps = [pump_of(run) for run, _, _ in found]
    if len(set(pumps)) < len(pumps):
        return None, "runs of one pump are not independent"
    try:
        return tolerance_interval([value for _, value, _ in found]), ""
    except ValueError as error:
        return None, str(error)


def _components(found: Sequence[tuple[Run, float, float]]) -> tuple[VarianceComponents | None, str]:
    sets = [run.manifest.disposables.get("infusion_set") for run, _, _ in found]
    if None in sets:
        return None, "the bench file does not say which infusion set each run had (disposables.infusion_set)"
    try:
        return (
            variance_components(
                [value for _, value, _ in found], pumps=[pump_of(run) for run, _, _ in found], sets=sets
            ),
            "",
        )
    except ValueError as error:
        return None, str(error)

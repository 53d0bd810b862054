"""A comparison as data: comparison.json and the tables beside it, written from these models.

Numbers are whole, in the unit of their quantity. Not responsible for the numbers (`reports.compared`,
`reports.differences`) nor for the page (`reports.comparison_document`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from reports.compared import Spread, UnderConditions
from reports.differences import RowDifference
from reports.measured_values import Row, Value, condition_of
from reports.shared_sources import ASSUMED
from reports.tables import Cell, write_csv
from rig.analysis.conditions import ConditionRow
from rig.analysis.tolerance import ToleranceInterval
from rig.analysis.variance_components import Component, VarianceComponents
from rig.record.files import write_json
from rig.record.likeness import By, Group, Member
from rig.record.models import QuantityRecord, Record
from rig.verdicts.limits import Verdict


@dataclass(frozen=True)
class Comparison:
    """Everything that some runs say together.

    Attributes:
        by: what they are compared by; None where they are alike and pooled.
        groups: one where they are pooled.
        left_out: a sentence for each run that was named and does not take part.
        pooled, conditions: of pooled runs. differences: of groups, each against the first.
        alone: rows without a partner in another run, or in another group.
    """

    by: By | None
    groups: tuple[Group, ...]
    left_out: tuple[str, ...]
    marks: tuple[str, ...]
    pooled: tuple[Spread, ...] = ()
    conditions: tuple[UnderConditions, ...] = ()
    differences: tuple[RowDifference, ...] = ()
    alone: tuple[Row, ...] = ()

    @property
    def letters(self) -> dict[str, str]:
        """What the groups are called, by their titles: A is the group of the run that was named first."""
        return {group.title: chr(65 + n) if n < 26 else f"Z{n - 24}" for n, group in enumerate(self.groups)}

    @property
    def members(self) -> list[Member]:
        """All runs, group by group, by their names."""
        return [m for group in self.groups for m in sorted(group.members, key=lambda member: member.label)]


QUANTITY_COLUMNS = ("kind", "parameters", "unit", "name", "test")
VALUE_COLUMNS = (
    *QUANTITY_COLUMNS,
    *("attempt", "run", "group", "pump", "conditions", "value", "expanded_uncertainty", "compared"),
)
DIFFERENCE_COLUMNS = (
    *QUANTITY_COLUMNS,
    *("conditions", "a", "n_a", "mean_a", "b", "n_b", "mean_b"),
    *("difference", "expanded_uncertainty", "degrees_of_freedom", "basis", "zero_inside"),
)


class RunRecord(Record):
    """A run that takes part."""

    run: str
    run_id: str
    group: str
    pump: str
    firmware: str | None
    firmware_sha256: str | None
    plan: str | None
    conditions: dict[str, float]
    disposables: dict[str, str | None]
    verdict: Verdict


class ValueRecord(Record):
    """A measured value and its U, and in which attempt of which run."""

    run: str
    attempt: int
    value: float
    expanded_uncertainty: float


class RowRecord(Record):
    """One quantity as one test measured it under the same conditions; `occurrence` counts attempts that measured it."""

    quantity: QuantityRecord
    test: str
    occurrence: int
    conditions: str
    name: str
    values: tuple[ValueRecord, ...]


class ToleranceRecord(Record):
    """A two-sided tolerance interval in the quantity's unit, by the exact factor k or by order statistics (k None)."""

    low: float
    high: float
    method: str
    k: float | None
    normality_p: float
    confidence: float
    coverage: float


class ComponentRecord(Record):
    """One level of a nesting; `estimate` and `variance` are in the quantity's unit squared."""

    level: str
    degrees_of_freedom: int
    estimate: float
    variance: float
    share_percent: float


class ComponentsRecord(Record):
    """Components of variance, and the standard deviation of a single value."""

    components: tuple[ComponentRecord, ...]
    total_sd: float


class SpreadRecord(RowRecord):
    """A row of two or more runs, with what its values say together."""

    mean: float
    sd: float
    tolerance: ToleranceRecord | None
    why_no_tolerance: str
    components: ComponentsRecord | None
    why_no_components: str


class DifferenceRecord(Record):
    """Mean of group B less mean of group A with U (95.45 %); ν is None where it is infinite."""

    quantity: QuantityRecord
    test: str
    occurrence: int
    conditions: str
    name: str
    a: str
    b: str
    values_a: tuple[ValueRecord, ...]
    values_b: tuple[ValueRecord, ...]
    mean_a: float
    mean_b: float
    difference: float
    expanded_uncertainty: float
    degrees_of_freedom: float | None
    basis: str
    zero_inside: bool
    sentence: str


class ConditionRecord(Record):
    """Errors in % under one condition; `shift_percent` is of the mean, from the nominal mean."""

    condition: str
    n: int
    min_percent: float
    mean_percent: float
    max_percent: float
    shift_percent: float


class SubjectRecord(Record):
    """One subject under each condition, the nominal one first."""

    subject: str
    rows: tuple[ConditionRecord, ...]


class ComparisonFile(Record):
    """`comparison.json`."""

    format: Literal[2] = 2
    marks: tuple[str, ...]
    by: By | None
    assumed: str | None
    runs: tuple[RunRecord, ...]
    left_out: tuple[str, ...]
    pumps: tuple[SpreadRecord, ...]
    differences: tuple[DifferenceRecord, ...]
    conditions: tuple[SubjectRecord, ...]
    measured_once: tuple[RowRecord, ...]


def write_numbers(folder: Path, comparison: Comparison) -> list[str]:
    """Write comparison.json and the tables into a folder; returns their names."""
    file = ComparisonFile(
        marks=comparison.marks,
        by=comparison.by,
        assumed=ASSUMED if comparison.differences else None,
        runs=tuple(_run(group, m) for group in comparison.groups for m in group.members),
        left_out=comparison.left_out,
        pumps=tuple(_spread(each) for each in comparison.pooled),
        differences=tuple(_difference(each) for each in comparison.differences),
        conditions=tuple(
            SubjectRecord(subject=each.subject, rows=tuple(_condition(row) for row in _rows(each)))
            for each in comparison.conditions
        ),
        measured_once=tuple(_row(each) for each in comparison.alone),
    )
    write_json(folder / "comparison.json", file.model_dump(mode="json"))
    marks = comparison.marks
    write_csv(folder / "pumps.csv", VALUE_COLUMNS, _value_rows(comparison), marks=marks)
    written = ["comparison.json", "pumps.csv"]
    if file.differences:
        cells = [_difference_cells(each) for each in file.differences]
        write_csv(folder / "differences.csv", DIFFERENCE_COLUMNS, cells, marks=marks)
        written.append("differences.csv")
    if file.conditions:
        cells = [(subject.subject, *dict(row).values()) for subject in file.conditions for row in subject.rows]
        write_csv(folder / "conditions.csv", ("subject", *ConditionRecord.model_fields), cells, marks=marks)
        written.append("conditions.csv")
    return written


def condition_name(row: ConditionRow) -> str:
    """Name the condition of a row, such as "head -0.5 m"."""
    return "nominal" if row.influence is None else f"{row.influence.value[0]} {row.setting:g} {row.influence.unit}"


def _rows(compared: UnderConditions) -> tuple[ConditionRow, ...]:
    return (compared.table.nominal, *compared.table.rows)


def _run(group: Group, member: Member) -> RunRecord:
    manifest = member.run.manifest
    return RunRecord(
        run=member.label,
        run_id=manifest.run_id,
        group=group.title,
        pump=member.pump,
        firmware=manifest.dut.firmware if manifest.dut else None,
        firmware_sha256=manifest.firmware_sha256,
        plan=manifest.plan.name if manifest.plan else None,
        conditions=manifest.conditions,
        disposables=manifest.disposables,
        verdict=member.run.results.verdict,
    )


def _values(values: Sequence[Value]) -> tuple[ValueRecord, ...]:
    return tuple(
        ValueRecord(
            run=each.member.label,
            attempt=each.attempt,
            value=each.value,
            expanded_uncertainty=each.expanded_uncertainty,
        )
        for each in values
    )


def _row(row: Row) -> RowRecord:
    return RowRecord(
        quantity=row.quantity,
        test=row.test,
        occurrence=row.occurrence,
        conditions=row.conditions,
        name=row.name,
        values=_values(row.values),
    )


def _spread(spread: Spread) -> SpreadRecord:
    return SpreadRecord(
        **dict(_row(spread.row)),
        mean=spread.mean,
        sd=spread.sd,
        tolerance=_tolerance(spread.tolerance) if spread.tolerance else None,
        why_no_tolerance=spread.why_no_tolerance,
        components=_components(spread.components) if spread.components else None,
        why_no_components=spread.why_no_components,
    )


def _tolerance(found: ToleranceInterval) -> ToleranceRecord:
    return ToleranceRecord(
        low=found.low,
        high=found.high,
        method=found.method.value,
        k=found.k,
        normality_p=found.normality_p,
        confidence=found.confidence,
        coverage=found.coverage,
    )


def _components(found: VarianceComponents) -> ComponentsRecord:
    return ComponentsRecord(
        components=tuple(_component(each) for each in (found.pump, found.set, found.run)), total_sd=found.total_sd
    )


def _component(found: Component) -> ComponentRecord:
    return ComponentRecord(
        level=found.level,
        degrees_of_freedom=found.degrees_of_freedom,
        estimate=found.estimate,
        variance=found.variance,
        share_percent=found.share_percent,
    )


def _difference(each: RowDifference) -> DifferenceRecord:
    return DifferenceRecord(
        quantity=each.row.quantity,
        test=each.row.test,
        occurrence=each.row.occurrence,
        conditions=each.row.conditions,
        name=each.row.name,
        a=each.a,
        b=each.b,
        values_a=_values(each.values_a),
        values_b=_values(each.values_b),
        mean_a=each.found.mean_a,
        mean_b=each.found.mean_b,
        difference=each.found.difference,
        expanded_uncertainty=each.found.expanded,
        degrees_of_freedom=each.found.degrees_of_freedom,
        basis=each.found.basis.value,
        zero_inside=each.found.zero_inside,
        sentence=each.sentence,
    )


def _condition(row: ConditionRow) -> ConditionRecord:
    return ConditionRecord(
        condition=condition_name(row),
        n=row.n,
        min_percent=row.min_percent,
        mean_percent=row.mean_percent,
        max_percent=row.max_percent,
        shift_percent=row.shift_percent,
    )


def _quantity_cells(quantity: QuantityRecord) -> tuple[Cell, ...]:
    parameters = "; ".join(f"{key} = {value}" for key, value in quantity.parameters.items())
    return (quantity.kind, parameters, quantity.unit, quantity.name)


def _value_rows(comparison: Comparison) -> list[tuple[Cell, ...]]:
    """List every measured value of every run once, as a line of a table."""
    of_run = {member.label: group.title for group in comparison.groups for member in group.members}
    compared = [(each.row, True) for each in comparison.pooled]
    held = {id(each.row): each.row for each in comparison.differences}  # a row may be held against several groups
    compared += [(row, True) for row in held.values()]
    return [
        (
            *_quantity_cells(row.quantity),
            row.test,
            each.attempt,
            each.member.label,
            of_run[each.member.label],
            each.member.pump,
            condition_of(each.member.run.manifest),
            each.value,
            each.expanded_uncertainty,
            "yes" if with_another else "no",
        )
        for row, with_another in [*compared, *((row, False) for row in comparison.alone)]
        for each in row.values
    ]


def _difference_cells(each: DifferenceRecord) -> tuple[Cell, ...]:
    return (
        *_quantity_cells(each.quantity),
        each.test,
        each.conditions,
        each.a,
        len(each.values_a),
        each.mean_a,
        each.b,
        len(each.values_b),
        each.mean_b,
        each.difference,
        each.expanded_uncertainty,
        each.degrees_of_freedom,
        each.basis,
        "yes" if each.zero_inside else "no",
    )

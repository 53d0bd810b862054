"""Every measured value of several runs, in rows: one quantity, measured by one test under the same conditions.

Not responsible for what the values say (`reports.compared`, `reports.differences`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rig.bench.conditions import NOMINAL, Conditions
from rig.record.likeness import Member
from rig.record.manifest import Manifest
from rig.record.models import QuantityRecord
from rig.record.results import JudgedRecord, ReportedRecord
from rig.verdicts.quantities import Quantity


@dataclass(frozen=True)
class Value:
    """A measured value in its quantity's unit, with its U: whose, and in which attempt at the test."""

    member: Member
    attempt: int
    value: float
    expanded_uncertainty: float


@dataclass(frozen=True)
class Row:
    """One quantity as one test measured it in one or more runs under the same conditions.

    Attributes:
        conditions: their title, such as "nominal".
        occurrence: 1 where a run's test measured it once; of several attempts, which in their order.
        name: the quantity, with its test (and occurrence) where several of them measured it.
        values: one a run, by the names of the runs.
    """

    conditions: str
    quantity: QuantityRecord
    test: str
    occurrence: int
    name: str
    values: tuple[Value, ...]


_Measured = JudgedRecord | ReportedRecord
_Key = tuple[str, Quantity, str, int]


def rows(members: Sequence[Member]) -> list[Row]:
    """Sort every measured value of every run into rows; in the order of the tests, whatever the order of the runs.

    A run of format 1 has printed names alone: such a name stands for the one quantity that is printed so.
    """
    ordered = sorted(members, key=lambda member: member.label)
    printed = _printed(ordered)
    found: dict[_Key, list[Value]] = {}
    records: dict[Quantity, QuantityRecord] = {}
    for member in ordered:
        times: Counter[tuple[Quantity, str]] = Counter()
        for each in sorted(measured_values(member), key=lambda each: each.attempt):
            own = _identity(each.quantity)
            quantity = own if own.kind else printed.get((each.name, each.unit), own)
            records.setdefault(quantity, QuantityRecord.of(quantity) if quantity.kind else each.quantity)
            times[quantity, each.test] += 1
            key = (condition_of(member.run.manifest), quantity, each.test, times[quantity, each.test])
            found.setdefault(key, []).append(Value(member, each.attempt, each.value, each.expanded_uncertainty))
    tests: dict[Quantity, set[str]] = {}
    for _, quantity, test, _ in found:
        tests.setdefault(quantity, set()).add(test)
    repeated = {(quantity, test) for _, quantity, test, occurrence in found if occurrence > 1}
    return [
        Row(
            conditions=conditions,
            quantity=records[quantity],
            test=test,
            occurrence=occurrence,
            name=_name(quantity, test if len(tests[quantity]) > 1 else "", (quantity, test) in repeated, occurrence),
            values=tuple(values),
        )
        for (conditions, quantity, test, occurrence), values in sorted(found.items(), key=_nominal_first)
    ]


def measured_values(member: Member) -> Iterator[_Measured]:
    """List each measured value of a run once, although several requirements may have judged it."""
    results = member.run.results
    listed: list[_Measured] = [each for row in results.requirements for each in row.measurements]
    seen = set()
    for each in [*listed, *results.reported]:
        key = (_identity(each.quantity), each.test, each.attempt, each.value, each.expanded_uncertainty)
        if key not in seen:
            seen.add(key)
            yield each


def condition_of(manifest: Manifest) -> str:
    """Name the conditions of a run, such as "head 0.5 m"."""
    units = Conditions.UNITS
    parts = [f"{key.replace('_', ' ')} {value:g} {units[key]}" for key, value in manifest.conditions.items()]
    return ", ".join(parts) or NOMINAL


def _identity(record: QuantityRecord) -> Quantity:
    """Tell quantities apart; one of format 1, which has no kind, by its printed name."""
    if record.kind:
        return record.quantity
    return Quantity("", (("name", record.name),), record.unit, record.name)


def _printed(members: Sequence[Member]) -> dict[tuple[str, str], Quantity]:
    """Look up which quantity a printed name and unit stand for; a name that is printed for two stands for none."""
    kinds: dict[tuple[str, str], set[Quantity]] = {}
    for member in members:
        for each in measured_values(member):
            if each.quantity.kind:
                kinds.setdefault((each.name, each.unit), set()).add(each.quantity.quantity)
    return {name: next(iter(of)) for name, of in kinds.items() if len(of) == 1}


def _name(quantity: Quantity, test: str, repeated: bool, occurrence: int) -> str:
    file, bracket, title = test.partition("[")  # a title, such as "1 U/h", may hold slashes, too
    name = f"{quantity.name} ({file.rpartition('/')[2]}{bracket}{title})" if test else quantity.name
    return f"{name}, attempt {occurrence}" if repeated else name


def _nominal_first(entry: tuple[_Key, list[Value]]) -> bool:
    return entry[0][0] != NOMINAL

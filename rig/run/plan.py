"""Test plans: how long, how often, at which rates and sizes the suites measure. TOML files that a laboratory edits.

Each table of a plan is one procedure, and a suite is repeated over its entries. A plan holds no limit: which
requirements an entry decides follows from the requirements file (`Procedure.decides`). Not responsible for measuring.
"""

from __future__ import annotations

import hashlib
import itertools
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, create_model, model_validator
from pydantic.fields import FieldInfo

from rig.bench.conditions import PlannedCondition
from rig.errors import BenchFileError
from rig.procedures.catalogue import TABLES
from rig.procedures.from_sheet import from_sheet
from rig.procedures.preparation import FULL_RESERVOIR_U
from rig.procedures.procedure import Procedure
from rig.pump_sheet.placeholders import NotClaimedError
from rig.pump_sheet.sheet import PumpSheet
from rig.shipped import PLANS, shipped
from rig.toml_files import YesNo, parse_toml, read_file, validated

_RESERVOIR = "reservoir_u"
"""Key of the validation context for what a reservoir of the pump holds, in U."""


class TestPlan(BaseModel):
    """A whole plan: besides these keys it has a table for each procedure of the catalogue (`read_plan`).

    Attributes:
        name, purpose: for the report.
        select: which tests of the suites belong to it (`rig.run.selection`); empty: all of them.
        experiments: whether tests that are tagged as experiments belong to it; they decide no requirement.
        every_requirement_due: whether a requirement that none of its tests measures is refused, or out of its scope.
        condition: what the whole plan is repeated under, after the nominal run.
    """

    __test__ = False  # pytest: this is no test class
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    purpose: str
    select: str = ""
    experiments: YesNo = False
    every_requirement_due: YesNo = False
    condition: tuple[PlannedCondition, ...] = ()

    @model_validator(mode="after")
    def _entries_can_be_told_apart_and_done(self, info: ValidationInfo[dict[str, Any] | None]) -> Self:
        holds_u = (info.context or {}).get(_RESERVOIR) or FULL_RESERVOIR_U
        for table, entries in self.entries.items():
            seen: set[str] = set()
            for entry in entries:
                if entry.title in seen:
                    raise ValueError(f"{table} {entry.title} stands twice")
                seen.add(entry.title)
                if entry.needed_u > holds_u:
                    raise ValueError(
                        f"{table} {entry.title} takes {entry.needed_u:g} U, and a reservoir holds {holds_u:g} U"
                    )
        titles = [condition.title for condition in self.condition]
        for title in titles:
            if titles.count(title) > 1:
                raise ValueError(f"condition {title} stands twice")
        return self

    @property
    def entries(self) -> Mapping[str, tuple[Procedure, ...]]:
        """The entries by table."""
        return {table: getattr(self, table, ()) for table in TABLES}


_TABLES: dict[str, Any] = {table: (tuple[procedure, ...], ()) for table, procedure in TABLES.items()}  # type: ignore
PlanWithTables: type[TestPlan] = create_model("PlanWithTables", __base__=TestPlan, **_TABLES)
"""A plan with a table for each procedure."""


@dataclass(frozen=True)
class PlanFile:
    """A plan, with the file that it stands in, that file's bytes, and its content as it was written.

    `left_out` says for each entry that the pump sheet has no value for which it is, and why.
    """

    path: Path
    data: bytes
    content: dict[str, Any]
    plan: TestPlan
    left_out: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """SHA-256 of the file."""
        return hashlib.sha256(self.data).hexdigest()


def read_plan(name: str, sheet: PumpSheet | None = None) -> PlanFile:
    """Read a plan by its file, or by its name when it stands in `fixtures/plans`; as `parse_plan`.

    Raises:
        BenchFileError: one sentence with file, key, what was found and what is allowed; or the plans that there are.
    """
    plans = shipped(PLANS)  # where a plan is looked for that is named without its file
    path = Path(name) if name.endswith(".toml") else plans / f"{name}.toml"
    if not name.endswith(".toml") and not path.is_file():
        known = ", ".join(sorted(file.stem for file in plans.glob("*.toml"))) or "none"
        raise BenchFileError(f"--plan {name!r}: there is no such plan in {plans}; known are {known}")
    return parse_plan(path, read_file(path), sheet)


def parse_plan(path: Path, data: bytes, sheet: PumpSheet | None = None) -> PlanFile:
    """Parse what a plan file holds, with the claims of a pump sheet in the place of its placeholders.

    Raises:
        BenchFileError: one sentence with file, key, what was found and what is allowed.
    """
    content = parse_toml(path, data)
    left_out: list[str] = []
    read = {
        key: _entries(path, key, value, sheet, left_out) if key in TABLES and isinstance(value, list) else value
        for key, value in content.items()
    }
    context = {_RESERVOIR: sheet.reservoir_u if sheet is not None else None}
    return PlanFile(path, data, content, validated(path, read, PlanWithTables, context=context), tuple(left_out))


def _entries(
    path: Path, table: str, written: list[object], sheet: PumpSheet | None, left_out: list[str]
) -> list[object]:
    """Fill the entries of one table from the sheet; those that the sheet has no value for are left out."""
    entries: list[object] = []
    written = [each for entry in written for each in combinations(TABLES[table], entry)]
    for number, entry in enumerate(written, start=1):
        try:
            found = from_sheet(TABLES[table], entry, sheet, path) if isinstance(entry, dict) else entry
        except NotClaimedError as error:
            left_out.append(f"[[{table}]] {number}: {error}")
            continue
        if found in entries and written.count(entry) == 1:
            left_out.append(f"[[{table}]] {number}: by the pump sheet it is the same as one before it")
        else:
            entries.append(found)
    return entries


def combinations(procedure: type[Procedure], entry: object) -> list[object]:
    """Write an entry out for each combination of its lists: of a key that takes one value, a list holds several.

    So `fault = ["F15", "F18"]` with `state = ["basal", "priming"]` stands for four entries, in this order: the last
    key changes fastest. A key that takes several values keeps its list.
    """
    if not isinstance(entry, dict):
        return [entry]
    fields = {field.alias or name: field for name, field in procedure.model_fields.items()}
    lists = [
        key
        for key, value in entry.items()
        if isinstance(value, list) and key in fields and not _takes_several(fields[key])
    ]
    several = itertools.product(*(entry[key] for key in lists))
    return [{**entry, **dict(zip(lists, values, strict=True))} for values in several]


def _takes_several(field: FieldInfo) -> bool:
    """Say whether a field is a tuple, alone or beside None."""
    kinds = (field.annotation, *typing.get_args(field.annotation))
    return any(typing.get_origin(kind) is tuple for kind in kinds)


def selection(plan: TestPlan, wanted: str | None) -> str | None:
    """Join a plan's selection with that of a call; None when neither narrows anything."""
    parts = [part for part in (plan.select, wanted) if part]
    return " and ".join(f"({part})" for part in parts) if len(parts) > 1 else next(iter(parts), None)

"""Test plans: how long, how often, at which rates and sizes the suites measure. TOML files that a laboratory edits.

Each table of a plan is one entry, and a suite is repeated over its entries. A plan holds no limit: which requirements
an entry decides follows from the requirements file (`Entry.decides`). Not responsible for measuring.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from rig.conditions import PlannedCondition
from rig.errors import BenchFileError
from rig.plan_entries import BasalEntry, BolusEntry, Entry, PlanTable
from rig.plan_occlusions import OcclusionEntry, UnoccludedEntry
from rig.plan_profiles import ExtendedEntry, SwitchEntry, TemporaryEntry
from rig.procedures.preparation import FULL_RESERVOIR_U
from rig.validation import read_toml, validated

PLANS = Path("fixtures/plans")
"""Where a plan is looked for that is named without its file."""
DEFAULT_PLAN = "default"


class TestPlan(PlanTable):
    """A whole plan.

    Attributes:
        name, purpose: for the report.
        select: which tests of the suites belong to it, as pytest's -k has it; empty: all of them.
        every_requirement_due: whether a requirement that none of its tests measures is UNSET, or out of its scope.
        condition: what the whole plan is repeated under, after the nominal run.
        TABLES: the tables of entries; a test whose argument has the name of one is repeated over it.
    """

    __test__ = False  # pytest: this is no test class
    TABLES: ClassVar = ("basal", "bolus", "extended", "temporary", "switch", "occlusion", "unoccluded")

    name: str = Field(min_length=1)
    purpose: str
    select: str = ""
    every_requirement_due: bool = False
    basal: tuple[BasalEntry, ...] = ()
    bolus: tuple[BolusEntry, ...] = ()
    extended: tuple[ExtendedEntry, ...] = ()
    temporary: tuple[TemporaryEntry, ...] = ()
    switch: tuple[SwitchEntry, ...] = ()
    occlusion: tuple[OcclusionEntry, ...] = ()
    unoccluded: tuple[UnoccludedEntry, ...] = ()
    condition: tuple[PlannedCondition, ...] = ()

    @model_validator(mode="after")
    def _entries_can_be_told_apart_and_done(self) -> Self:
        for table, entries in self.entries.items():
            seen: set[str] = set()
            for entry in entries:
                if entry.title in seen:
                    raise ValueError(f"{table} {entry.title} stands twice")
                seen.add(entry.title)
                if entry.needed_u > FULL_RESERVOIR_U:
                    raise ValueError(
                        f"{table} {entry.title} takes {entry.needed_u:g} U, "
                        f"and a reservoir holds {FULL_RESERVOIR_U:g} U"
                    )
        titles = [condition.title for condition in self.condition]
        for title in titles:
            if titles.count(title) > 1:
                raise ValueError(f"condition {title} stands twice")
        return self

    @property
    def entries(self) -> dict[str, tuple[Entry, ...]]:
        """The entries by table."""
        return {table: getattr(self, table) for table in self.TABLES}


@dataclass(frozen=True)
class PlanFile:
    """A plan, with the file that it stands in, that file's SHA-256, and its content as it was written."""

    path: Path
    sha256: str
    content: dict[str, Any]
    plan: TestPlan


def read_plan(name: str) -> PlanFile:
    """Read a plan by its file, or by its name when it stands in `fixtures/plans`.

    Raises:
        BenchFileError: one sentence with file, key, what was found and what is allowed; or the plans that there are.
    """
    path = Path(name) if name.endswith(".toml") else PLANS / f"{name}.toml"
    if not name.endswith(".toml") and not path.is_file():
        known = ", ".join(sorted(file.stem for file in PLANS.glob("*.toml"))) or "none"
        raise BenchFileError(f"--plan {name!r}: there is no such plan in {PLANS}; known are {known}")
    content = read_toml(path)
    plan = validated(path, content, TestPlan)
    return PlanFile(path, hashlib.sha256(path.read_bytes()).hexdigest(), content, plan)


def selection(plan: TestPlan, wanted: str | None) -> str | None:
    """Join a plan's selection with that of a call; None when neither narrows anything."""
    parts = [part for part in (plan.select, wanted) if part]
    return " and ".join(f"({part})" for part in parts) if len(parts) > 1 else next(iter(parts), None)

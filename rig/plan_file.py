"""Test plans: how long, how often, at which rates and sizes the suites measure. TOML files that a laboratory edits.

Each table of a plan is one entry, and a suite is repeated over its entries. A plan holds no limit: which requirements
an entry decides follows from the requirements file (`Entry.decides`). Not responsible for measuring.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rig.errors import BenchFileError
from rig.procedures.basal import BasalPlan
from rig.procedures.bolus import BolusPlan
from rig.procedures.gates import BLANK_S
from rig.procedures.preparation import FULL_RESERVOIR_U
from rig.quantities import InsulinU, RateUPerH, TimeS
from rig.requirements import Requirement
from rig.validation import read_toml, validated

PLANS = Path("fixtures/plans")
"""Where a plan is looked for that is named without its file."""
DEFAULT_PLAN = "default"
STANDARD_BOLUS_U_PER_H = 90.0
"""1.5 U/min, the usual speed of a fast bolus."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Entry(_Table):
    """One measurement that a plan asks for, between two blank runs."""

    blank: TimeS = Field(default=BLANK_S, ge=300.0)

    @property
    def title(self) -> str:
        """What tells it from the other entries of its table."""
        raise NotImplementedError

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U."""
        raise NotImplementedError

    @property
    def measures(self) -> frozenset[str]:
        """Names of its measurements."""
        raise NotImplementedError

    @property
    def extent(self) -> Mapping[str, float]:
        """How much it does, in the words of a requirement's `at_least`."""
        return {}

    def decides(self, requirements: Mapping[str, Requirement]) -> tuple[str, ...]:
        """Get the ids of the requirements that ask for one of its measurements, and for no more than it does."""
        return tuple(
            name
            for name, requirement in requirements.items()
            if any(requirement.asks_for(measurement) for measurement in self.measures)
            and all(self.extent.get(what, 0.0) >= least for what, least in requirement.at_least.model_dump().items())
        )


class BasalEntry(Entry):
    """Basal delivery at one rate: stabilisation, then an analysis period; S and P of the trumpet curve."""

    rate: RateUPerH = Field(gt=0)
    dose: InsulinU = Field(default=0.025, gt=0)
    stabilisation: TimeS = Field(default=24 * 3600.0, ge=0)
    analysis: TimeS = Field(default=25 * 3600.0, gt=0)
    interval: TimeS = Field(default=900.0, gt=0)
    windows: tuple[TimeS, ...] = Field(default=(900.0, 3600.0, 9000.0, 19800.0, 34200.0, 55800.0), min_length=1)
    sample_every: TimeS = Field(default=15.0, gt=0)

    @model_validator(mode="after")
    def _periods_fit(self) -> Self:
        for what, longer in {"a window": self.windows, "1 h": (3600.0,), "analysis": (self.analysis,)}.items():
            if any(_broken(each, self.interval) for each in longer):
                raise ValueError(f"interval is {self.interval:g} s, and {what} is not a multiple of it")
        if _broken(self.interval, self.sample_every):
            raise ValueError(f"interval is {self.interval:g} s, which is no multiple of sample_every")
        if max(self.windows) > self.analysis:
            raise ValueError(f"the longest window, {max(self.windows):g} s, is longer than analysis")
        if self.analysis < 3600.0:
            raise ValueError("analysis must be 1 h or longer: statistics of single hours stand beside each curve")
        return self

    @property
    def title(self) -> str:
        """What tells it from the other entries: its rate."""
        return f"{self.rate:g} U/h"

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U."""
        return self.rate * (self.stabilisation + self.analysis) / 3600.0

    @property
    def measures(self) -> frozenset[str]:
        """Names of its measurements."""
        return frozenset(self.procedure().names)

    @property
    def extent(self) -> Mapping[str, float]:
        """How long it stabilises and analyses, in s."""
        return {"stabilisation": self.stabilisation, "analysis": self.analysis}

    def procedure(self) -> BasalPlan:
        """Get what `rig.procedures.basal` needs."""
        return BasalPlan(
            rate_u_per_h=self.rate,
            dose_u=self.dose,
            stabilisation_h=self.stabilisation / 3600.0,
            analysis_h=self.analysis / 3600.0,
            interval_min=self.interval / 60.0,
            windows_min=tuple(window / 60.0 for window in self.windows),
            sample_every_s=self.sample_every,
            blank_s=self.blank,
        )


class BolusEntry(Entry):
    """Consecutive boluses of one size, at the speed at which the pump delivers them."""

    size: InsulinU = Field(gt=0)
    count: int = Field(ge=2, le=1000)
    speed: RateUPerH = Field(default=STANDARD_BOLUS_U_PER_H, gt=0)

    @property
    def title(self) -> str:
        """What tells it from the other entries: its size."""
        return f"{self.size:g} U"

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U."""
        return self.size * self.count

    @property
    def measures(self) -> frozenset[str]:
        """Names of its measurements."""
        return frozenset(self.procedure().names)

    @property
    def extent(self) -> Mapping[str, float]:
        """How many there are."""
        return {"count": float(self.count)}

    def procedure(self) -> BolusPlan:
        """Get what `rig.procedures.bolus` needs."""
        return BolusPlan(self.size, self.count, planned_s=round(self.size / self.speed * 3600.0, 6), blank_s=self.blank)


def _broken(longer_s: float, shorter_s: float) -> bool:
    """Say whether `shorter_s` does not go into `longer_s` a whole number of times."""
    return abs(longer_s / shorter_s - round(longer_s / shorter_s)) > 1e-9


class TestPlan(_Table):
    """A whole plan.

    Attributes:
        name, purpose: for the report.
        select: which tests of the suites belong to it, as pytest's -k has it; empty: all of them.
        every_requirement_due: whether a requirement that none of its tests measures is UNSET, or out of its scope.
        TABLES: the tables of entries; a test whose argument has the name of one is repeated over it.
    """

    __test__ = False  # pytest: this is no test class
    TABLES: ClassVar = ("basal", "bolus")

    name: str = Field(min_length=1)
    purpose: str
    select: str = ""
    every_requirement_due: bool = False
    basal: tuple[BasalEntry, ...] = ()
    bolus: tuple[BolusEntry, ...] = ()

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

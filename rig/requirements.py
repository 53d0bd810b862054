"""The requirements file: the only home of acceptance limits.

Each requirement is a sentence, its source, the hazard it controls, and the measurements with limits that decide it.
Not responsible for measuring nor for joining results (`rig.results`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rig.errors import BenchFileError
from rig.limits import Limit, Rule
from rig.quantities import TimeS
from rig.validation import read_toml, validated


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MeasurementRule(_Strict):
    """A measurement that a requirement asks for, and its acceptance limit in `unit`."""

    name: str
    unit: str
    low: float | None = None
    high: float | None = None

    @model_validator(mode="after")
    def _has_a_limit(self) -> Self:
        _ = self.limit
        return self

    @property
    def limit(self) -> Limit:
        """The acceptance interval."""
        return Limit(self.unit, self.low, self.high)


class AtLeast(_Strict):
    """How much a planned test must have done at least before it may decide a requirement; 0 asks for nothing."""

    count: int = Field(default=0, ge=0)
    stabilisation: TimeS = 0.0
    analysis: TimeS = 0.0


class Requirement(_Strict):
    """One requirement on a pump; `rule` says how its measurements are decided, `at_least` by which tests."""

    id: str = Field(pattern=r"^[A-Z]+-[A-Z0-9.]+$")
    text: str
    clause: str
    hazard: str
    rule: Rule = Rule.GUARD_BAND
    at_least: AtLeast = AtLeast()
    measurement: tuple[MeasurementRule, ...] = Field(min_length=1)

    def asks_for(self, name: str) -> bool:
        """Say whether the measurement `name` decides it."""
        return any(rule.name == name for rule in self.measurement)

    def measurement_rule(self, name: str) -> MeasurementRule:
        """Get the rule for the measurement `name`; BenchFileError naming the known ones when there is none."""
        for rule in self.measurement:
            if rule.name == name:
                return rule
        known = ", ".join(repr(rule.name) for rule in self.measurement)
        raise BenchFileError(f"requirement {self.id} asks for no measurement {name!r}; it knows {known}")


class _File(_Strict):
    requirement: tuple[Requirement, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        seen: set[str] = set()
        for requirement in self.requirement:
            if requirement.id in seen:
                raise ValueError(f"the id {requirement.id} stands twice")
            seen.add(requirement.id)
        return self


def read_requirements(path: Path) -> dict[str, Requirement]:
    """Read a requirements file into requirements by id, in the file's order.

    Raises:
        BenchFileError: one sentence with file, key, what was found and what is allowed.
    """
    file = validated(path, read_toml(path), _File)
    return {requirement.id: requirement for requirement in file.requirement}

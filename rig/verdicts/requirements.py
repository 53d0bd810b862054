"""The requirements file: the only home of acceptance limits.

Each requirement is a sentence, its source, the hazards it controls, and quantities with limits that decide it. Where
a value is the maker's claim, the file holds a placeholder, which is filled from the pump sheet when it is read. Not
responsible for measuring nor for joining results (`rig.run.results`).
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, model_validator

from rig.errors import BenchFileError
from rig.pump_sheet.placeholders import NotClaimedError, filled, filled_where_stated
from rig.pump_sheet.sheet import PumpSheet
from rig.toml_files import Number, TimeS, WholeNumber, parse_toml, read_file, refuse_twice, validated
from rig.units import dimension_of, parse
from rig.verdicts.limits import Limit, Rule
from rig.verdicts.quantities import Kind, Quantity, quantity_named

_KINDS = "kinds"
_LIMIT_KEYS = ("quantity", "unit", "low", "high")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class MeasurementRule(_Strict):
    """A quantity that a requirement asks for, and its acceptance limit in the quantity's unit."""

    quantity: Quantity
    unit: str
    low: Number | None = None
    high: Number | None = None

    @model_validator(mode="before")
    @classmethod
    def _refers_to_a_quantity(cls, written: object, info: ValidationInfo[dict[str, Any] | None]) -> object:
        """Find the quantity that is referred to; every key beside the limit's own is a parameter of it."""
        kinds = (info.context or {}).get(_KINDS)
        if kinds is None or not isinstance(written, dict) or isinstance(written.get("quantity"), Quantity):
            return written
        for key in ("quantity", "unit"):
            if not isinstance(written.get(key), str):
                raise ValueError(f"a limit needs its {key}, such as {{ quantity = 'basal.mean_error', unit = '%', … }}")
        values = {key: value for key, value in written.items() if key not in _LIMIT_KEYS}
        if written["quantity"] in kinds:
            _refuse_unknown(values, [each.name for each in kinds[written["quantity"]].parameters])
        for key, value in values.items():
            if not isinstance(value, str):
                raise ValueError(f"{key} is {value!r}: a parameter of a quantity is text in quotation marks")
        quantity = quantity_named(kinds, written["quantity"], written["unit"], values)
        unit = str(written["unit"])
        ends = {key: _in_unit(key, written[key], unit) for key in ("low", "high") if key in written}
        return {"quantity": quantity, "unit": unit, **ends}

    @model_validator(mode="after")
    def _has_a_limit(self) -> Self:
        _ = self.limit
        return self

    @property
    def limit(self) -> Limit:
        """The acceptance interval."""
        return Limit(self.unit, self.low, self.high)


def _in_unit(key: str, written: object, unit: str) -> object:
    """Take a limit that carries its unit over into the unit of its quantity; ValueError where it is of another kind."""
    if not isinstance(written, str):
        return written
    known = dimension_of(unit)
    try:
        return float(written) if known is None else parse(written, known[0]) / known[1]
    except ValueError as error:
        with_unit = f" in {unit}, or text with a unit such as '5 {unit}'" if known else ""
        raise ValueError(f"{key} is {written!r}: it is a number{with_unit}") from error


def _refuse_unknown(values: Mapping[str, object], parameters: Sequence[str]) -> None:
    """Refuse keys that are neither a limit's own nor parameters of its quantity; ValueError with the nearest or all."""
    known = [*_LIMIT_KEYS, *parameters]
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"allowed are {', '.join(known)}"
            raise ValueError(f"{key} is not a known key; {hint}")


class AtLeast(_Strict):
    """How much a test must have done at least before it may decide a requirement; 0 asks for nothing."""

    count: WholeNumber = Field(default=0, ge=0)
    stabilisation: Annotated[TimeS, Field(ge=0)] = 0.0
    analysis: Annotated[TimeS, Field(ge=0)] = 0.0
    meals: WholeNumber = Field(default=0, ge=0)
    corrections: WholeNumber = Field(default=0, ge=0)
    exercises: WholeNumber = Field(default=0, ge=0)


Judge = Literal[
    "balance", "pressure", "sound", "vibration", "current", "line", "log", "log against balance", "log against bench"
]
"""What decides a requirement: an instrument, what the pump's line carries, or its log held against one of them."""


class Requirement(_Strict):
    """One requirement on a pump: `judge` says by what it is decided, `rule` how, `at_least` by which tests.

    `hazard` is the situation in the requirement's own words, `hazards` are ids of the catalogue of hazards.
    """

    id: str = Field(pattern=r"^[A-Z]+-[A-Z0-9.]+$")
    text: str
    clause: str
    hazard: str
    hazards: tuple[str, ...] = ()
    judge: tuple[Judge, ...] = ()
    rule: Rule = Rule.GUARD_BAND
    at_least: AtLeast = AtLeast()
    measurement: tuple[MeasurementRule, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_each_hazard_once(self) -> Self:
        refuse_twice("hazard", self.hazards)
        return self

    @model_validator(mode="after")
    def _asks_once_for_each_quantity(self) -> Self:
        seen: set[Quantity] = set()
        for rule in self.measurement:
            if rule.quantity in seen:
                raise ValueError(f"{rule.quantity} has two limits; write one with low and high")
            seen.add(rule.quantity)
        return self

    @property
    def not_applicable(self) -> str | None:
        """Why it does not apply to the pump at all, by its sheet; None where it does."""
        return None

    @property
    def of_the_record(self) -> bool:
        """Whether it is decided by what the whole record of each test holds, and by no measurement."""
        return all(rule.quantity.of_the_record for rule in self.measurement)

    def asks_for(self, quantity: Quantity) -> bool:
        """Say whether the measured quantity decides it."""
        return any(rule.quantity == quantity for rule in self.measurement)

    def measurement_rule(self, quantity: Quantity) -> MeasurementRule:
        """Look up the limit of a quantity; BenchFileError naming the known ones when there is none."""
        for rule in self.measurement:
            if rule.quantity == quantity:
                return rule
        known = ", ".join(repr(str(rule.quantity)) for rule in self.measurement)
        raise BenchFileError(f"requirement {self.id} asks for no {str(quantity)!r}; it knows {known}")


class _Inapplicable(Requirement):
    """A requirement that asks for what the pump sheet does not state, and so for nothing."""

    because: str

    @property
    def not_applicable(self) -> str | None:
        """Why it does not apply."""
        return self.because


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


def parse_requirements(
    path: Path, data: bytes, kinds: Mapping[str, Kind], sheet: PumpSheet | None = None
) -> dict[str, Requirement]:
    """Parse what a requirements file holds into requirements by id, in the file's order.

    Args:
        path: the file, for sentences about it.
        data: its bytes.
        kinds: the kinds of quantities that there are, by name.
        sheet: fills the placeholders; None where the file may have none.

    Raises:
        BenchFileError: one sentence with file, key, what was found and what is allowed.
    """
    content = parse_toml(path, data)
    entries = content.get("requirement")
    told = [_Entry.of(path, each, sheet) for each in entries] if isinstance(entries, list) else []
    read = {**content, "requirement": [each.content for each in told]} if told else content
    file = validated(path, read, _File, context={_KINDS: kinds})
    return {requirement.id: each.applied(requirement) for requirement, each in zip(file.requirement, told, strict=True)}


@dataclass(frozen=True)
class _Entry:
    """A requirement as it stands in the file, its placeholders filled, and why it does not apply, if so."""

    content: Any
    text: str = ""
    because: str | None = None

    @classmethod
    def of(cls, path: Path, written: object, sheet: PumpSheet | None) -> _Entry:
        if not isinstance(written, dict):
            return cls(written)
        where = f"{path}: {written.get('id', 'requirement')}"
        try:
            return cls(filled(written, sheet, where))
        except NotClaimedError as error:
            stand_in = filled_where_stated(written, sheet, where, in_words=False)
            first = stand_in.get("measurement")  # one is checked: stand-ins may make two alike
            text = filled_where_stated(written.get("text"), sheet, where, in_words=True)
            return cls({**stand_in, "measurement": first[:1] if isinstance(first, list) else first}, text, str(error))

    def applied(self, requirement: Requirement) -> Requirement:
        if self.because is None:
            return requirement
        kept = dict(requirement) | {"text": self.text, "measurement": (), "because": self.because}
        return _Inapplicable.model_construct(**kept)


def read_requirements(path: Path, kinds: Mapping[str, Kind], sheet: PumpSheet | None = None) -> dict[str, Requirement]:
    """Read a requirements file; as `parse_requirements`, and BenchFileError when it cannot be read."""
    return parse_requirements(path, read_file(path), kinds, sheet)

"""The pump sheet: what a maker claims of a pump, each claim with its unit and the document that it stands in.

A TOML file of tables, checked against the catalogue of claims. Not responsible for what the claims are there for
(`rig.pump_sheet.placeholders` puts them where other files refer to them), nor for whether the pump keeps them.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model, model_validator

from rig.errors import BenchFileError
from rig.pump_sheet.cited import (
    HAZARDS_TABLE,
    Citation,
    MakersHazard,
    cite,
    makers_hazards,
    refuse_placeless,
)
from rig.pump_sheet.claims import CLAIMS, COUNT, OF_CAPABILITY, RISING, ClaimKind
from rig.roles import Capability
from rig.roles.pump import OF_THE_BENCH
from rig.toml_files import EXAMPLES, parse_toml, read_file, validated
from rig.units import dimension_of, parse

NOT_STATED = "not stated"
"""Stands where the maker's documents say nothing: what needs the claim is NOT APPLICABLE, and says why."""
OWN = "own"
"""The table of claims that only this laboratory needs."""

Words = Annotated[str, Field(pattern=r"\S", max_length=300)]


@dataclass(frozen=True)
class Claim:
    """One claim of a sheet, or that the maker states none.

    Attributes:
        name: such as "bolus.maximum".
        text: its value as it was written, with its unit, without a ±; `NOT_STATED` where there is none.
        values: in the base unit of its dimension, or as a count; none of a word, and where nothing is stated.
        both_ways: whether it is a tolerance.
        source: document, revision and place.
        cited: the same, apart.
    """

    name: str
    text: str
    values: tuple[float, ...]
    both_ways: bool = False
    source: str | None = None
    cited: Citation | None = None

    @property
    def is_stated(self) -> bool:
        """Whether the maker states it."""
        return self.text != NOT_STATED

    def __str__(self) -> str:
        return f"±{self.text}" if self.both_ways and self.is_stated else self.text


@dataclass(frozen=True)
class PumpSheet:
    """A pump's claims.

    Attributes:
        path: the file.
        name: of the pump.
        maker: of the pump.
        capabilities: what the pump is claimed to be able to do.
        claims: by name, in the order of the catalogue, then the laboratory's own; those that the sheet leaves out are
            not among them.
        content: the file as it was written.
        hazards: what the maker's risk file calls the hazards.
    """

    path: Path
    name: str
    maker: str
    capabilities: frozenset[Capability]
    claims: Mapping[str, Claim]
    content: Mapping[str, Any]
    hazards: tuple[MakersHazard, ...] = ()

    def refuse_placeless(self) -> None:
        """Refuse a sheet with a source that names no page; BenchFileError."""
        claimed = {name: claim.cited for name, claim in self.claims.items()}
        refuse_placeless(self.path, claimed | {f"{HAZARDS_TABLE}.{each.hazard}": each.cited for each in self.hazards})

    def refuse_unknown_hazards(self, known: Collection[str]) -> None:
        """Refuse a sheet that speaks of a hazard which is not among the known ids; BenchFileError with the nearest."""
        for each in self.hazards:
            if each.hazard not in known:
                near = difflib.get_close_matches(each.hazard, known, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"known hazards are {', '.join(known)}"
                raise BenchFileError(
                    f"{self.path}: {HAZARDS_TABLE}.{each.hazard} is no hazard of the catalogue; {hint}"
                )

    @property
    def reservoir_u(self) -> float | None:
        """What a full reservoir holds, in U; None where that is not stated."""
        claim = self.claims.get("reservoir.capacity")
        return claim.values[0] if claim is not None and claim.is_stated else None

    def contradicts(self, of_driver: frozenset[Capability]) -> list[str]:
        """Say where the sheet and the pump's driver contradict each other on what the pump can do."""
        claimed = [each.value for each in Capability if each in self.capabilities - of_driver]
        denied = [each.value for each in Capability if each in of_driver - self.capabilities - OF_THE_BENCH]
        said = []
        if claimed:
            said.append(
                f"the pump sheet claims {', '.join(claimed)}, which the pump's driver cannot do: what needs it is NOT "
                "APPLICABLE until the driver can"
            )
        if denied:
            said.append(
                f"the pump's driver can do {', '.join(denied)}, which the pump sheet does not claim: what needs it is "
                "NOT APPLICABLE"
            )
        return said

    def lacks(self, name: str) -> str | None:
        """Say why a claim has no value here though it may be referred to: one sentence, or None where it has one."""
        claim = self.claims.get(name)
        unstated = claim is None or not claim.is_stated
        return self.cannot(name) or (f"the pump sheet states no {name}" if unstated else None)

    def cannot(self, name: str) -> str | None:
        """Say that the pump cannot do what a claim is about: one sentence, or None where it can."""
        needed = OF_CAPABILITY.get(name.split(".")[0])
        if needed is None or needed in self.capabilities:
            return None
        return f"this pump has no {needed.value}, by its sheet"


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class _Document(_Table):
    """Where claims stand: `title` and `revision` of a document."""

    title: Words
    revision: Words


def _reader(kind: ClaimKind) -> Callable[[object], Claim]:
    """Make what reads a claim: text with a unit, or a table of value and source."""

    def read(written: object) -> Claim:
        value, source = _apart(written)
        if value == NOT_STATED:
            return Claim(kind.name, NOT_STATED, (), kind.both_ways, source)
        if kind.dimension == COUNT:
            return _counted(kind, value, source)
        if kind.words:
            if value not in kind.words:
                raise ValueError(f"allowed are {', '.join(kind.words)}, or {NOT_STATED!r}")
            return Claim(kind.name, str(value), (), source=source)
        if not isinstance(value, str):
            raise ValueError(f"a claim needs its unit and quotation marks, such as {EXAMPLES[kind.dimension]!r}")
        text = value.strip()
        if text.startswith("±"):
            if not kind.both_ways:
                raise ValueError("a ± belongs to a tolerance; write it without")
            text = text[1:].strip()
        parts = text.split(",") if kind.several else [text]
        values = tuple(parse(part, kind.dimension) for part in parts)
        low, high = (parse(bound, kind.dimension) for bound in (kind.lowest, kind.highest))
        if not all(low <= each <= high for each in values):
            raise ValueError(f"allowed are {kind.lowest} to {kind.highest}")
        if list(values) != sorted(values):
            raise ValueError("several values are written with the smallest first")
        return Claim(kind.name, text, values, kind.both_ways, source)

    return read


def _counted(kind: ClaimKind, value: object, source: str | None) -> Claim:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"a whole number without quotation marks, such as {kind.lowest}")
    if not int(kind.lowest) <= value <= int(kind.highest):
        raise ValueError(f"allowed are {kind.lowest} to {kind.highest}")
    return Claim(kind.name, str(value), (float(value),), source=source)


def _apart(written: object) -> tuple[object, str | None]:
    """Take a claim apart that has a source of its own."""
    if not isinstance(written, dict):
        return written, None
    if set(written) != {"value", "source"} or not isinstance(written["source"], str):
        raise ValueError("a claim with a source of its own is { value = …, source = … }")
    return written["value"], written["source"]


def _read_own(written: object) -> object:
    """Read the laboratory's own claims, of whatever dimension."""
    if not isinstance(written, dict):
        return written
    return {key: _own(key, value) for key, value in written.items() if key != "source"}


_NAME = re.compile(r"[a-z][a-z0-9_]*")


def _own(key: str, written: object) -> Claim:
    if not _NAME.fullmatch(key):
        raise ValueError(f"{key!r} is no name of a claim; it is small letters, digits and _")
    value, source = _apart(written)
    name = f"{OWN}.{key}"
    if value == NOT_STATED:
        return Claim(name, NOT_STATED, (), source=source)
    if isinstance(value, int) and not isinstance(value, bool):
        return Claim(name, str(value), (float(value),), source=source)
    unit = value.split()[-1] if isinstance(value, str) and value.split() else ""
    known = dimension_of(unit)
    if not isinstance(value, str) or known is None:
        raise ValueError(f"{key} is {value!r}: a claim is a number with a unit such as '5 min', or a whole number")
    text = value.strip().removeprefix("±").strip()
    return Claim(name, text, (parse(text, known[0]),), value.strip().startswith("±"), source)


def _tables() -> dict[str, Any]:
    by_table: dict[str, dict[str, Any]] = {}
    for kind in CLAIMS.values():
        field = (Annotated[Claim | None, BeforeValidator(_reader(kind)), Field(description=kind.meaning)], None)
        by_table.setdefault(kind.table, {"source": (Words | None, None)})[kind.key] = field
    return {
        table: (create_model(f"_{table.title()}", __base__=_Table, **fields) | None, None)
        for table, fields in by_table.items()
    }


class _Sheet(_Table):
    """What is checked of a sheet beside its tables of claims."""

    name: Words
    maker: Words
    capabilities: frozenset[Capability]
    documents: dict[str, _Document] = Field(min_length=1)
    hazards: dict[str, Any] = {}
    own: Annotated[dict[str, Claim], BeforeValidator(_read_own)] = {}

    @property
    def claims(self) -> dict[str, Claim]:
        """Every claim of the tables and the laboratory's own."""
        tables = {kind.table for kind in CLAIMS.values()}
        found = {
            claim.name: claim
            for table in type(self).model_fields
            if table in tables and getattr(self, table) is not None
            for claim in dict(getattr(self, table)).values()
            if isinstance(claim, Claim)
        }
        return {**found, **{claim.name: claim for claim in self.own.values()}}

    @model_validator(mode="after")
    def _claims_only_what_it_can(self) -> Self:
        for name in self.claims:
            needed = OF_CAPABILITY.get(name.split(".")[0])
            if needed is not None and needed not in self.capabilities:
                raise ValueError(
                    f"{name} is stated, and capabilities does not list {needed.value!r}; list it, or leave out the "
                    f"table [{name.split('.')[0]}]"
                )
        return self

    @model_validator(mode="after")
    def _rises(self) -> Self:
        claims = self.claims
        for names in RISING:
            stated = [claims[name] for name in names if name in claims and claims[name].is_stated]
            for one, other in pairwise(stated):
                if one.values[-1] > other.values[0]:
                    raise ValueError(f"{one.name}, {one.text}, must not be more than {other.name}, {other.text}")
        return self


_SheetWithTables: type[_Sheet] = create_model("_SheetWithTables", __base__=_Sheet, **_tables())


def parse_pump_sheet(path: Path, data: bytes) -> PumpSheet:
    """Parse what a pump sheet holds.

    Raises:
        BenchFileError: one sentence with file, key, what was found and what is allowed.
    """
    content = parse_toml(path, data)
    checked = validated(path, content, _SheetWithTables)
    claims = {name: _with_source(path, content, claim) for name, claim in checked.claims.items()}
    hazards = makers_hazards(path, content)
    return PumpSheet(path, checked.name, checked.maker, checked.capabilities, claims, content, hazards)


def read_pump_sheet(path: Path) -> PumpSheet:
    """Read a pump sheet; as `parse_pump_sheet`, and BenchFileError when it cannot be read."""
    return parse_pump_sheet(path, read_file(path))


def _with_source(path: Path, content: Mapping[str, Any], claim: Claim) -> Claim:
    """Write out the source of a claim, its own or its table's: the document with its revision, and the place."""
    table = claim.name.split(".")[0]
    written = claim.source or content[table].get("source")
    if written is None:
        if not claim.is_stated:
            return claim
        raise BenchFileError(
            f'{path}: {claim.name} has no source; write it once for the table, source = "manual, p. 12" in [{table}], '
            f"or for the claim alone, {claim.name.split('.')[1]} = {{ value = …, source = … }}"
        )
    cited = cite(path, content["documents"], claim.name, written)
    return Claim(claim.name, claim.text, claim.values, claim.both_ways, f"{cited}", cited)

"""TOML files that people write: read, checked against a model, and every mistake explained in one sentence.

Quantities in them are text with a unit, as types that pydantic checks. Code may give a number in the base unit that the
field's name ends in; whatever people write must carry its unit. Not responsible for the rules, which the models state,
for the units themselves (`rig.units`), nor for what is measured (`rig.verdicts.quantities`).
"""

from __future__ import annotations

import datetime
import difflib
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError, ValidationInfo
from pydantic_core import ErrorDetails

from rig.errors import BenchFileError
from rig.units import parse

WRITTEN = "written"
"""Key of the validation context that says: a person wrote this, so a bare number is refused."""

EXAMPLES: Mapping[str, str] = {
    "mass_g": "2.5 µg",
    "voltage_v": "3.7 V",
    "current_a": "0.5 A",
    "pressure_kpa": "0.5 kPa",
    "temperature_c": "15 °C",
    "percent": "80 %",
    "time_s": "3 h",
    "insulin_u": "0.1 U",
    "rate_u_per_h": "1 U/h",
    "length_m": "0.5 m",
    "viscosity_mpa_s": "1 mPa·s",
    "glucose_mg_per_dl": "140 mg/dL",
}
"""A quantity of each dimension as people write it."""


@dataclass(frozen=True)
class Dimensions:
    """Stands in a field's annotation and says of which dimensions its quantity may be, for whoever describes it."""

    names: tuple[str, ...]


def by_a_person(info: ValidationInfo[dict[str, Any] | None]) -> bool:
    """Say whether a person wrote what is being checked, so that quantities carry their units."""
    return bool(info.context and info.context.get(WRITTEN))


def _quantity(dimension: str) -> BeforeValidator:
    def parsed(value: object, info: ValidationInfo[dict[str, Any] | None]) -> float:
        if isinstance(value, str):
            return parse(value, dimension)
        if by_a_person(info) or isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"a quantity needs its unit and quotation marks, such as {EXAMPLES[dimension]!r}")
        return float(value)

    return BeforeValidator(parsed)


def within(dimension: str, lowest: str, highest: str) -> AfterValidator:
    """Refuse a quantity below `lowest` or above `highest`, which are text with a unit of the dimension."""
    low, high = parse(lowest, dimension), parse(highest, dimension)

    def checked(value: float) -> float:
        if not low <= value <= high:  # nan is neither
            raise ValueError(f"allowed are {lowest} to {highest}")
        return value

    return AfterValidator(checked)


MassG = Annotated[float, _quantity("mass_g"), Dimensions(("mass_g",))]
VoltageV = Annotated[float, _quantity("voltage_v"), Dimensions(("voltage_v",))]
CurrentA = Annotated[float, _quantity("current_a"), Dimensions(("current_a",))]
PressureKpa = Annotated[float, _quantity("pressure_kpa"), Dimensions(("pressure_kpa",))]
TemperatureC = Annotated[float, _quantity("temperature_c"), Dimensions(("temperature_c",))]
Percent = Annotated[float, _quantity("percent"), Dimensions(("percent",))]
TimeS = Annotated[float, _quantity("time_s"), Dimensions(("time_s",))]
InsulinU = Annotated[float, _quantity("insulin_u"), Dimensions(("insulin_u",))]
RateUPerH = Annotated[float, _quantity("rate_u_per_h"), Dimensions(("rate_u_per_h",))]
LengthM = Annotated[float, _quantity("length_m"), Dimensions(("length_m",))]
ViscosityMpaS = Annotated[float, _quantity("viscosity_mpa_s"), Dimensions(("viscosity_mpa_s",))]
GlucoseMgPerDl = Annotated[float, _quantity("glucose_mg_per_dl"), Dimensions(("glucose_mg_per_dl",))]

WholeNumber = Annotated[int, Field(strict=True)]
"""A TOML integer: never text, a yes or no, or 2.0."""
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
"""A TOML number with or without a point: never text, a yes or no, nan or inf."""

YesNo = Annotated[bool, Field(strict=True)]
"""true or false: never text or a number."""


def _day(value: object) -> object:
    if isinstance(value, datetime.datetime) or not isinstance(value, str | datetime.date):
        raise ValueError("a day is written as 2026-03-02, without quotation marks or a time")
    return value


Day = Annotated[datetime.date, BeforeValidator(_day)]
"""A TOML date, or its text in what was frozen."""

Model = TypeVar("Model", bound=BaseModel)


LARGEST_BYTES = 100_000_000
"""What is larger has come here by mistake: a log of a balance, say. The house's."""


def read_file(path: Path) -> bytes:
    """Read a file that a person wrote; BenchFileError when it cannot be read, is a pipe or device, or far too large."""
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise BenchFileError(f"{path}: is a pipe or a device; name a file, which may be read twice")
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise BenchFileError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:  # a name with a zero byte
        raise BenchFileError(f"{str(path)!r}: is no name of a file ({error})") from error
    if len(data) > LARGEST_BYTES:
        raise BenchFileError(f"{path}: is larger than {LARGEST_BYTES // 1_000_000} MB, which no such file is")
    return data


def parse_toml(path: Path, data: bytes) -> dict[str, Any]:
    """Parse what a TOML file holds, perhaps behind a byte order mark; BenchFileError when it is no TOML."""
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BenchFileError(f"{path}: is no valid TOML: {error}") from error


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file; BenchFileError when it cannot be read or is no TOML."""
    return parse_toml(path, read_file(path))


def validated(
    where: Path | str, content: object, model: type[Model], *, context: Mapping[str, Any] | None = None
) -> Model:
    """Check what a person wrote against a model: keys as people write them, quantities with their units.

    Args:
        where: the file, or whatever else the sentence shall name.
        content: what stands there.
        model: what it must be.
        context: what the model's checks need to know besides.

    Raises:
        BenchFileError: one sentence with file, key, what was found and what is allowed.
    """
    try:
        known = {WRITTEN: True, **(context or {})}
        return model.model_validate(content, context=known, by_alias=True, by_name=False)
    except ValidationError as error:
        raise BenchFileError(explain(where, error, model, content)) from error


def refuse_twice(what: str, each: Iterable[object]) -> None:
    """Refuse what stands twice where it tells entries apart; ValueError naming it, for a model's own checks."""
    seen = set[object]()
    for one in each:
        if one in seen:
            raise ValueError(f"the {what} {one} stands twice")
        seen.add(one)


_UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")
_MISSING = ("missing", "missing_argument")
_SHAPES = {
    "model_type": "one table with keys is wanted, such as [name]",
    "model_attributes_type": "one table with keys is wanted, such as [name]",
    "dataclass_type": "one table with keys is wanted, such as [name]",
    "list_type": "a list in square brackets is wanted, such as [1, 2]",
    "tuple_type": "a list in square brackets is wanted, such as [1, 2]",
    "set_type": "a list in square brackets is wanted, such as [1, 2]",
    "frozen_set_type": "a list in square brackets is wanted, such as [1, 2]",
}
"""What a place must hold whose shape is wrong, in the words of a file instead of those of this program."""


def explain(file: Path | str, error: ValidationError, model: type[BaseModel], content: object) -> str:
    """Say what is wrong with `file`, for one mistake; further mistakes are counted.

    A misspelt key is both unknown and missing: the unknown one says more, so it comes first. `content` is what was
    validated, so that the value is shown as it was written.
    """
    mistakes = _told_once(error.errors(include_url=False))
    first = min(mistakes, key=lambda mistake: mistake["type"] not in _UNKNOWN)
    location = first["loc"]
    key = _key(content, location)
    if first["type"] in _UNKNOWN:
        known = known_keys(model, location[:-1])
        near = difflib.get_close_matches(str(location[-1]), known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"allowed are {', '.join(known)}"
        sentence = f"{file}: {key} is not a known key; {hint}"
    elif first["type"] in _MISSING:
        sentence = f"{file}: {key} is missing"
    else:
        message = _SHAPES.get(first["type"], first["msg"].removeprefix("Value error, "))
        written = _written(content, location)
        found = "" if isinstance(written, dict | list) else f" is {written!r}"
        where = f"{key}{found}: " if location else ""
        sentence = f"{file}: {where}{message[:1].lower()}{message[1:]}"
    more = len(mistakes) - 1
    return sentence + (f" (and {more} more mistake{'s' if more > 1 else ''})" if more else "")


def _told_once(mistakes: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out what only follows: a list is too short because the mistake is in its entry."""
    places = [mistake["loc"] for mistake in mistakes]
    return [
        mistake
        for mistake in mistakes
        if mistake["type"] != "too_short"
        or not any(place[: len(mistake["loc"])] == mistake["loc"] != place for place in places)
    ]


def _key(content: Any, location: Sequence[int | str]) -> str:  # noqa: ANN401 - any TOML value
    """Name a place in a file: its keys; of a list's entries the id, where they have one."""
    parts = []
    for number, part in enumerate(location):
        entry = _written(content, location[: number + 1])
        named = isinstance(part, int) and isinstance(entry, dict) and isinstance(entry.get("id"), str)
        parts.append((" ".join(entry["id"].split()) or str(part)) if named and isinstance(entry, dict) else str(part))
    return ".".join(parts) or "the file"


def _written(content: Any, location: Sequence[int | str]) -> object:  # noqa: ANN401 - any TOML value
    for part in location:
        try:
            content = content[part]
        except (KeyError, IndexError, TypeError):
            break
    return content


def known_keys(model: object, location: Sequence[int | str]) -> list[str]:
    """List the keys allowed at `location` below `model`, a pydantic model or dataclass."""
    here: object = model
    for part in location:
        if isinstance(part, int):
            continue
        here = _fields(here).get(str(part))
    return list(_fields(here))


def _fields(annotation: object) -> dict[str, object]:
    """Field names and types of whatever model stands inside `annotation`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {field.alias or name: field.annotation for name, field in annotation.model_fields.items()}
    if is_dataclass(annotation):
        return dict(typing.get_type_hints(annotation))
    if typing.get_origin(annotation) is not None or isinstance(annotation, types.UnionType):
        for argument in typing.get_args(annotation):
            if fields := _fields(argument):
                return fields
    return {}

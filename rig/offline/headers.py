"""Which column is the time, the mass, the volume, the pressure, and in which unit, by the names in the header.

Not responsible for the cells below (`cells`). A name that could mean two things is refused, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from rig.offline.table import Table
from rig.units import canonical_unit, dimension_of

WORDS: Mapping[str, frozenset[str]] = {
    "time": frozenset({"time", "t", "at", "elapsed", "timestamp", "datetime", "zeit", "date"}),
    "mass": frozenset({"mass", "weight", "w", "m", "balance", "net", "masse", "gewicht"}),
    "volume": frozenset({"volume", "vol", "v", "volumen"}),
    "pressure": frozenset({"pressure", "p", "druck"}),
    "rate": frozenset({"rate"}),
}
"""First words of column names, in lower case."""

DIMENSIONS: Mapping[str, str] = {
    "time": "time_s",
    "mass": "mass_g",
    "volume": "volume_ul",
    "pressure": "pressure_kpa",
    "rate": "rate_u_per_h",
}

_NAME = re.compile(
    r"(?P<name>.*?)\s*(?:\[(?P<square>[^\]]*)\]|\((?P<round>[^)]*)\)|(?:\s|_)/?\s*(?P<plain>[^\s_]+))?\s*"
)


@dataclass(frozen=True)
class Column:
    """A column: its place, its name as written, and its unit; None when neither header nor flag says one."""

    index: int
    name: str
    unit: str | None


def split_header(name: str) -> tuple[str, str | None]:
    """Split "mass [mg]", "mass (mg)", "mass / mg" or "mass_mg" into name and unit, as far as it has one."""
    match = _NAME.fullmatch(name)
    assert match is not None
    bracketed = match["square"] if match["square"] is not None else match["round"]
    if bracketed is not None:
        return match["name"], canonical_unit(bracketed.strip())
    if match["plain"] and dimension_of(canonical_unit(match["plain"])) is not None:
        return match["name"].rstrip(" /"), canonical_unit(match["plain"])
    return name, None


def find_column(table: Table, what: str, *, named: str | None, unit: str | None) -> Column | None:
    """Find the column of a quantity, by the name that was given or by the words of the header; None without one.

    Args:
        table: the log.
        what: a key of `WORDS`.
        named: name of the column as the header writes it, from a flag.
        unit: its unit, from a flag.

    Raises:
        ValueError: a sentence: no such column, two that could be meant, or a unit that is unknown or contradicts.
    """
    if named is not None:
        if named not in table.columns:
            raise ValueError(f"there is no column {named!r}; the header has {_list(table.columns)}")
        found = [table.columns.index(named)]
    else:
        found = [index for index, name in enumerate(table.columns) if _first_word(name) in WORDS[what]]
    if len(found) > 1:
        raise ValueError(
            f"the columns {_list([table.columns[index] for index in found])} could each be the {what}: "
            f"say which by --{what}-column"
        )
    if not found:
        return None
    name = table.columns[found[0]]
    return Column(found[0], name, _unit(what, name, split_header(name)[1], unit))


def _unit(what: str, name: str, own: str | None, flag: str | None) -> str | None:
    asked = canonical_unit(flag) if flag is not None else None
    for unit, where in ((own, f"column {name!r}"), (asked, f"--{what}-unit")):
        known = dimension_of(unit) if unit is not None else None
        if unit is not None and (known is None or known[0] != DIMENSIONS[what]):
            raise ValueError(f"{where} is in {unit!r}, which is no unit of {what} that this rig knows")
    if own is not None and asked is not None and own != asked:
        raise ValueError(f"column {name!r} is in {own!r}, --{what}-unit says {asked!r}: one of them is wrong")
    return own or asked


def _first_word(name: str) -> str:
    words = re.split(r"[^a-zµ]+", name.strip().lower())
    return next((word for word in words if word), "")


def _list(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(map(repr, names))

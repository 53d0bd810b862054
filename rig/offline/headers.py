"""Which column is the time, the mass, the volume, the pressure, the flow, and in which unit, by names in the header.

Not responsible for the cells below (`numbers`, `moments`). A name that could mean two things is refused, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rig.offline.spellings import Unit, meaning, unit_of

WORDS: Mapping[str, frozenset[str]] = {
    "time": frozenset(
        {"time", "t", "at", "elapsed", "timestamp", "datetime", "zeit", "date", "datum", "uhrzeit", "zeitstempel"}
        | {"sec", "secs", "second", "seconds", "sekunden", "min", "mins", "minute", "minutes", "minuten"}
        | {"hour", "hours", "hrs", "stunden", "duration", "clock", "heure", "temps", "tiempo", "fecha", "hora", "tempo"}
    ),
    "mass": frozenset(
        {"mass", "weight", "w", "m", "balance", "net", "masse", "gewicht", "netto", "weighing", "wt", "grams", "gram"}
        | {"milligrams", "waage", "scale", "poids", "peso", "wägewert"}
    ),
    "volume": frozenset({"volume", "vol", "v", "volumen"}),
    "pressure": frozenset({"pressure", "p", "druck", "press", "pression"}),
    "flow": frozenset({"flow", "flowrate", "fluss", "durchfluss", "fmeasure", "measure", "débit"}),
    "rate": frozenset({"rate", "basal", "setpoint"}),
    "unit": frozenset({"unit", "units", "einheit"}),
    "flag": frozenset({"flag", "status", "stable", "stability", "stabil", "state", "stabilität"}),
}
"""Words of column names, in lower case."""

DATES = frozenset({"date", "datum", "fecha", "day"})
MEASURED = frozenset({"measured", "actual", "ist", "gemessen", "meas", "calculated", "calc", "average", "mean"})
"""Words that say of a rate that it is no programme."""

DIMENSIONS: Mapping[str, tuple[str, ...]] = {
    "time": ("time_s",),
    "mass": ("mass_g",),
    "volume": ("volume_ul",),
    "pressure": ("pressure_kpa",),
    "flow": ("flow_ul_per_h", "flow_g_per_h", "rate_u_per_h"),
    "rate": ("rate_u_per_h", "flow_ul_per_h"),
}

_BRACKETS = re.compile(r"\[([^\]]*)\]|\(([^()]*(?:\([^()]*\)[^()]*)?)\)|<([^>]*)>")
_PLAIN = re.compile(r"(?P<name>.*?)(?:\s*/\s*|\s+in\s+|\s*,\s*|\s+|_)(?P<unit>[^\s_/]+(?:/[^\s_/]+)?)\.?")
CLOCK_FORM = re.compile(r"[dhmst:.,\s_;/yn#0z\-]*(?:h+:m+|m+:s+)[dhmsf:.,#0tt\s]*", re.I)
"""Brackets that say how a time is written: hh:mm:ss, mm:ss.0, dd.mm.yyyy hh:mm."""

DATE_FORM = re.compile(r"[dmyj]{1,4}[./\- ][dmyj]{1,4}[./\- ][dmyj]{1,4}.*", re.I)


@dataclass(frozen=True)
class Header:
    """A column name taken apart.

    Attributes:
        words: of its name, in lower case.
        unit: that it says; None without one.
        form: how its times are written, such as hh:mm:ss; None when it does not say.
        unknown: what stands in brackets and is neither; None without such.
    """

    words: tuple[str, ...]
    unit: Unit | None
    form: str | None
    unknown: str | None


@dataclass(frozen=True)
class Column:
    """A column: its place, its name as written, and its unit; None when neither header nor option says one."""

    index: int
    name: str
    unit: Unit | None
    form: str | None = None


def split_header(name: str) -> Header:
    """Take "mass [mg]", "Weight (net) (mg)", "mass / mg", "mass in mg" or "mass_mg" apart, as far as it has parts."""
    unit, form, unknown = None, None, None
    for found in _BRACKETS.finditer(name):
        inside = next(group for group in found.groups() if group is not None).strip()
        known = unit_of(inside)
        if known is not None:
            unit = known
        elif CLOCK_FORM.fullmatch(_letters(inside)) or DATE_FORM.fullmatch(inside):
            form = _letters(inside)
        elif inside:
            unknown = inside
    bare = _BRACKETS.sub(" ", name).strip()
    if unit is None and form is None:
        plain = _PLAIN.fullmatch(bare)
        if plain is not None:
            unit = unit_of(plain["unit"])
            if unit is not None:
                bare = plain["name"]
            elif CLOCK_FORM.fullmatch(plain["unit"]):
                form, bare = plain["unit"], plain["name"]
    split = [word for word in re.split(r"[^\w²³°µ]+|_", bare) if word and not word.isdigit()]
    words = tuple("temperature" if split == ["T"] else word.lower() for word in split)  # T is no time
    if unit is None and len(words) == 1 and unit_of(bare) is not None and len(bare) > 1:
        unit = unit_of(bare)  # "seconds", "grams"
    return Header(words, unit, form, unknown)


def _letters(form: str) -> str:
    """Write "min:sec" and "hours:minutes" as m:s and h:m; other words stay."""
    for word, letter in ((r"hours?|hrs?|std", "h"), (r"minutes?|mins?", "m"), (r"seconds?|secs?|sek", "s")):
        form = re.sub(rf"(?i)\b(?:{word})\b", letter, form)
    return form


def means(header: Header, what: str) -> bool:
    """Tell whether a name speaks of a quantity by its words."""
    if what == "rate" and MEASURED & set(header.words):
        return False
    return any(word in WORDS[what] and (len(word) > 1 or len(header.words) == 1) for word in header.words)


def speaks(names: Sequence[str]) -> int:
    """Count the names in a row that are a word for a quantity, or have a unit; 0 for a row that is no header."""
    headers = [split_header(name) for name in names if name]
    return sum(header.unit is not None or any(means(header, what) for what in WORDS) for header in headers)


def chosen(names: Sequence[str], first_cells: Sequence[str], named: str, what: str) -> int:
    """Find the column that an option names: by name, by number from 1, or, without a header, by its first cell.

    Raises:
        ValueError: a sentence: no such column, or two of that name.
    """
    same = [index for index, name in enumerate(names) if name == named]
    if not same:
        same = [index for index, name in enumerate(names) if name.lower() == named.strip().lower()]
    if len(same) > 1:
        places = " and ".join(str(index + 1) for index in same)
        raise ValueError(
            f"the columns {places} are both named {named!r}: say which by its number, --{what}-column {same[0] + 1}"
        )
    number = int(named) - 1 if named.isdecimal() and 1 <= int(named) <= len(names) else None
    first = [index for index, cell in enumerate(first_cells) if cell == named]
    if not same and number is not None:
        return number
    if not same and len(first) == 1:
        return first[0]
    if not same:
        raise ValueError(f"there is no column {named!r}; {headed(names, bool(first_cells))}")
    return same[0]


def headed(names: Sequence[str], numbered: bool = False) -> str:
    """Say which names there are."""
    if numbered:
        return f"the file has no header, its columns are {listed(names)}"
    return f"the header has {listed(names)}"


def listed(names: Sequence[str]) -> str:
    """Quote names, not more than 12 of them."""
    quoted = [repr(name if len(name) <= 40 else f"{name[:37]}...") for name in names[:12]]
    return ", ".join(quoted) + (f" and {len(names) - 12} more" if len(names) > 12 else "")


def checked_unit(what: str, name: str, header: Header, option: str | None, *, ignore_header: bool) -> Unit | None:
    """Give the unit of a column from its header or an option; they must agree.

    Raises:
        ValueError: a sentence: a unit that is unknown, of another quantity, or contradicts.
    """
    flag = f"--{what}-unit"
    own = None if ignore_header else header.unit
    asked = unit_of(option) if option is not None else None
    if option is not None and (asked is None or asked.dimension not in DIMENSIONS[what]):
        why = meaning(option) if asked is None else f"which is no unit of {what}"
        raise ValueError(f"{flag} is {option!r}, {why}")
    if own is not None and own.dimension not in DIMENSIONS[what]:
        raise ValueError(
            f"column {name!r} is in {own.name!r}, which is no unit of {what} that this rig knows; if the header is "
            f"wrong, say so by --header-units ignore and {flag}"
        )
    if own is None and asked is None and header.unknown is not None and what not in ("time", "rate"):
        raise ValueError(
            f"column {name!r} is in {header.unknown!r}, which is no unit of {what} that this rig knows: {flag} says it"
            if unit_of(header.unknown) is None and header.unknown.lower() not in ("gr", "grs")
            else f"column {name!r} is in {header.unknown!r}, {meaning(header.unknown)}: say it by {flag}"
        )
    if own is not None and asked is not None and (own.dimension, own.factor) != (asked.dimension, asked.factor):
        raise ValueError(
            f"column {name!r} is in {own.name!r}, {flag} says {asked.name!r}: one of them is wrong; --header-units "
            "ignore believes the option"
        )
    return own or asked

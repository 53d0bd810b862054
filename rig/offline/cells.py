"""One cell to one number: decimal point or comma, a unit behind the number, moments.

Not responsible for which unit a column has (`headers`) nor for what follows from a bad cell (`columns`).
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Sequence

from rig.units import canonical_unit, dimension_of

_CELL = re.compile(r"([+-]?[\d.,]+(?:[eE][+-]?\d+)?)\s*([^\d\s.,].*)?")
_CLOCK = re.compile(r"(\d+):([0-5]\d)(?::([0-5]\d(?:[.,]\d+)?))?")
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?\b")


def decimal_sign(cells: Sequence[str]) -> str:
    """Find the decimal sign of a column: a comma when some cell has one and none has a point, else a point."""
    comma = any(_DECIMAL_COMMA.match(cell) for cell in cells)
    return "," if comma and not any("." in cell for cell in cells) else "."


def number(text: str, *, decimal: str, unit: str) -> float:
    """Get the number of a cell in the base unit of its dimension; `unit` is that of its column.

    Raises:
        ValueError: half a sentence on what the cell is instead.
    """
    if not text:
        raise ValueError("is empty")
    match = _CELL.fullmatch(text)
    if match is None:
        raise ValueError(f"holds {text!r}, which is no number")
    digits, own = match.groups()
    if own is not None and canonical_unit(own) != unit:
        raise ValueError(f"is in {own!r}, where the column is in {unit!r}")
    if decimal == ",":
        digits = digits.replace(".", "?").replace(",", ".")
    try:
        value = float(digits)
    except ValueError:
        raise ValueError(f"holds {text!r}, which is no number with a decimal {decimal!r}") from None
    if not math.isfinite(value):
        raise ValueError(f"holds {text!r}, which is no finite number")
    known = dimension_of(unit)
    assert known is not None
    return value * known[1]


def unit_of_cell(text: str) -> str | None:
    """Get the unit written behind the number of a cell, None when there is none."""
    match = _CELL.fullmatch(text)
    return canonical_unit(match[2]) if match is not None and match[2] else None


def clock_s(text: str) -> float | None:
    """Read "26:15:00" or "0:15" (hours first) as s; None when the cell is written otherwise."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    hours, minutes, seconds = match.groups()
    return 3600.0 * int(hours) + 60.0 * int(minutes) + float((seconds or "0").replace(",", "."))


def timestamp(text: str) -> datetime.datetime | None:
    """Read an ISO 8601 timestamp; None when the cell is written otherwise."""
    if not re.match(r"\d{4}-\d\d-\d\d", text):
        return None
    try:
        return datetime.datetime.fromisoformat(text.replace(",", "."))
    except ValueError:
        return None

"""What one cell looks like: a number, a date, a time of day, a unit, a flag, or nothing that is measured.

Looks only; columns decide what their cells mean (`numbers`, `moments`), since one cell alone can mislead.
"""

from __future__ import annotations

import re

from rig.offline.spellings import unit_of

SIGN = r"(?:[+\-\u2212\u2013]\s*)?"
GROUP = "[.,'\u2019\u00a0\u202f\u2009 ]"
"""What stands between groups of three digits somewhere in the world, or before the decimals."""

DIGITS = rf"(?:\d+(?:{GROUP}\d+)*[.,]?|[.,]\d+)"
NUMBER = rf"{SIGN}{DIGITS}(?:[eE][+-]?\d+)?"
_NUMBER = re.compile(rf"{NUMBER}(?:\[\d\])?\s*(?P<unit>[^\d\s.,:;/\-][^\d:;]*|)")
_DATE = re.compile(
    r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\b.*|\d{8}(?:[T _]\d{4,6})?|\d{1,2}[. -]*[^\W\d]{3,9}\.?[, -]+\d{2,4}\b.*"
    r"|(?:[^\W\d]{3},?\s+)?[^\W\d]{3,9}\.?\s+\d{1,2},?\s+\d.*"
)
_CLOCK = re.compile(
    r"(?:\d+\s*(?:d|days?),?\s*)?[+-]?\d+:\d{1,2}(?::\d{1,2})?(?::\d+)?(?:[.,]\d+)?\s*(?:[ap]\.?m\.?)?", re.I
)

STABLE, UNSTABLE = (
    frozenset({"st", "s", "stable", "qt", "ok"}),
    frozenset({"us", "d", "sd", "?", "unstable", "dynamic"}),
)
"""Flags by which balances mark readings at rest and not (A&D ST, US, QT; MT-SICS S, D; Ohaus ?)."""

NO_READING = frozenset(
    {"ol", "-ol", "err", "error", "i", "+", "^", "v", "h", "l", "hh", "ll", "c", "--", "ofl", "ufl", "invalid"}
)


def number_unit(text: str) -> str | None:
    """Give what stands behind the number of a cell, "" for nothing; None when the cell is no number."""
    match = _NUMBER.fullmatch(text)
    return match["unit"].strip() if match is not None else None


def is_number(text: str) -> bool:
    """Tell whether a cell is a number, with or without a unit behind it."""
    unit = number_unit(text)
    return unit is not None and (unit == "" or unit_of(unit) is not None)


def is_date(text: str) -> bool:
    """Tell whether a cell begins as a date does."""
    return _DATE.fullmatch(text) is not None


def is_clock(text: str) -> bool:
    """Tell whether a cell is written as a clock or a duration is."""
    return _CLOCK.fullmatch(text) is not None


def is_measured(text: str) -> bool:
    """Tell whether a cell could stand below a header: a number, a moment or a duration."""
    return is_number(text) or is_date(text) or is_clock(text)

"""How people write moments: patterns of dates, clocks and durations, and what a column looks like.

Not responsible for turning cells into seconds (`moments`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import polars as pl

from rig.offline.cells import number_unit
from rig.offline.spellings import unit_of

_CLOCK = (
    r"(?P<H>\d{1,2})[:.h\-](?P<M>\d{1,2})(?:[:.m\-](?P<S>\d{1,2})(?:[.,:](?P<f>\d{1,9}))?)?s?\s*"
    r"(?P<half>[AaPp]\.?\s?[Mm]\.?|)"
)
_ZONE = r"\s*(?P<zone>Z|z|UTC|GMT|UTC[+-]\d{1,2}(?::?\d\d)?|[+-]\d{2}:?\d{2}|[+-]\d{2}|[A-Z]{3,5}|)"
_BETWEEN = r"(?:[T_,; \x{a0}\x{202f}\-]|\s+at\s+)+"
DATES: Mapping[str, str] = {
    "ymd": r"(?P<a>\d{4})[\-/._ ](?P<b>\d{1,2})[\-/._ ](?P<c>\d{1,2})\.?",
    "number": r"(?P<a>\d{1,2})[\-/._](?P<b>\d{1,2})[\-/._](?P<c>\d{4}|\d{2})",
    "eight": r"(?P<a>\d{4})(?P<b>\d{2})(?P<c>\d{2})",
    "dby": r"(?:\p{L}{2,9}\.?,?\s+)?(?P<a>\d{1,2})\.?[\-/ ]*(?P<b>\p{L}{3,9})\.?[\-/ ,]*(?P<c>\d{4}|\d{2})",
    "bdy": r"(?:\p{L}{2,9}\.?,?\s+)?(?P<b>\p{L}{3,9})\.?\s+(?P<a>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<c>\d{4})",
}
_CTIME = r"(?:\p{L}{2,9}\.?,?\s+)?(?P<b>\p{L}{3,9})\.?\s+(?P<a>\d{1,2})\s+" + _CLOCK + r"\s+(?P<c>\d{4})(?P<zone>)"
_EIGHT_SIX = (
    r"(?P<a>\d{4})(?P<b>\d{2})(?P<c>\d{2})[T_ \-]?(?P<H>\d{2})(?P<M>\d{2})(?P<S>\d{2})(?:[.,](?P<f>\d{1,9}))?(?P<half>)"
    + _ZONE
)

MONTHS: Mapping[str, int] = {
    word: number
    for number, words in enumerate(
        (
            "jan janv ene gen", "feb fév fev", "mar mär mrz mars maa", "apr avr abr", "may mai mag mei maj",
            "jun juin giu", "jul juil lug", "aug aoû aou ago août", "sep set", "oct okt ott", "nov", "dec dez déc dic",
        ),
        start=1,
    )
    for word in words.split()
}  # fmt: skip
"""Beginnings of month names in English, German, French, Spanish, Italian, Dutch."""

DURATION = (
    r"^(?P<sign>[+-]?)(?:(?P<d>\d+)\s*(?:d|D|days?|Days?|[Tt]age?|j)?\s*[,. ]\s*)?(?P<H>\d+):(?P<M>\d{1,2})"
    r"(?::(?P<S>\d{1,2})(?:[.,:](?P<f>\d{1,9}))?)?\s*(?P<half>[AaPp]\.?\s?[Mm]\.?|)$"
)
TWO_FIELDS = r"^(?P<sign>[+-]?)(?P<M>\d+):(?P<S>\d{1,2})(?:[.,](?P<f>\d{1,9}))?$"
FOUR_FIELDS = (
    r"^(?P<sign>[+-]?)(?P<d>\d+):(?P<H>\d{1,2}):(?P<M>\d{1,2}):(?P<S>\d{1,2})(?:[.,](?P<f>\d{1,9}))?(?P<half>)$"
)
WORDED = (
    r"^(?P<sign>)(?:(?P<d>\d+)\s*(?:d|days?)\s*)?(?:(?P<H>\d+)\s*(?:h|hr|hours?)\s*)?(?:(?P<M>\d+)\s*(?:m|min|minutes?)\s*)?"
    r"(?:(?P<S>\d+)(?:[.,](?P<f>\d{1,9}))?\s*(?:s|sec|seconds?))?(?P<half>)$"
)


def kind_of_cells(cells: pl.Series) -> str:
    """Say what a column holds by its first 200 cells: date, clock, timestamp, number, other."""
    sample = [cell for cell in cells.head(400).to_list() if cell][:200]
    for name, matches in (
        ("timestamp", _is_timestamp),
        ("date", _is_date),
        ("number", _is_number),
        ("clock", _is_duration),
    ):
        if sample and sum(map(matches, sample)) > 0.8 * len(sample):
            return name
    return "other"


def _is_number(text: str) -> bool:
    unit = number_unit(text)
    return unit is not None and (unit == "" or unit_of(unit) is not None)


def compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern that is written for Polars."""
    return re.compile(pattern.replace(r"\p{L}", r"[^\W\d_]").replace(r"\x{a0}", "\xa0").replace(r"\x{202f}", "\u202f"))


TIMESTAMPS: Mapping[str, str] = (
    {form: rf"^{date}{_BETWEEN}{_CLOCK}{_ZONE}$" for form, date in DATES.items()}
    | {f"{form} after": rf"^{_CLOCK}{_BETWEEN}{date}(?P<zone>)$" for form, date in DATES.items()}
    | {"bdy ctime": rf"^{_CTIME}$", "eight six": rf"^{_EIGHT_SIX}$"}
)
COMPILED = {form: compiled(pattern) for form, pattern in TIMESTAMPS.items()}
_ONLY_DATES = [compiled(f"^{date}$") for date in DATES.values()]
_DURATIONS = [compiled(pattern) for pattern in (DURATION, TWO_FIELDS, FOUR_FIELDS, WORDED)]


def _is_timestamp(text: str) -> bool:
    return any(pattern.match(text) for pattern in COMPILED.values())


def _is_date(text: str) -> bool:
    return any(pattern.match(text) for pattern in _ONLY_DATES)


def _is_duration(text: str) -> bool:
    return bool(text) and any(pattern.match(text) for pattern in _DURATIONS)

"""A column of moments to seconds: clocks, durations, timestamps in the ways people write dates.

The whole column decides what a date or a clock means; what stays open is refused with the option that says it. Not
responsible for numbers with a unit of time (`numbers`).
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from rig.offline.log import FloatArray
from rig.offline.moment_forms import (
    COMPILED,
    DATES,
    DURATION,
    FOUR_FIELDS,
    MONTHS,
    TIMESTAMPS,
    TWO_FIELDS,
    WORDED,
    compiled,
)
from rig.offline.spellings import order_of
from rig.offline.table import shown

IntArray = NDArray[np.int64]
DAY_S = 86400.0
PORTION = 500_000


@dataclass(frozen=True, eq=False)
class Moments:
    """A column of moments in seconds.

    Attributes:
        at_s: since `zero`, or on the column's own clock, shape (n,); NaN where a cell is no moment.
        bad: half a sentence on each cell that is none, by its index.
        zero: the moment of `at_s` = 0; None for clocks and durations.
        form: how they are written, in words.
        period_s: after which the clock begins again, when it may; None for dates and durations.
        order_open: which of day and month is which makes no difference to the durations, and nobody said.
    """

    at_s: FloatArray
    bad: Mapping[int, str]
    zero: datetime.datetime | None
    form: str
    period_s: float | None = None
    order_open: bool = False


# ---------------------------------------------------------------- timestamps


def timestamps(cells: pl.Series, *, name: str, date_format: str | None) -> Moments:
    """Read dates with times of day.

    Raises:
        ValueError: a sentence: the order of day and month is open and matters.
    """
    sample = [cell for cell in cells.head(400).to_list() if cell][:200]
    counts = {form: sum(pattern.match(cell) is not None for cell in sample) for form, pattern in COMPILED.items()}
    form = max(counts, key=lambda each: counts[each])
    cells = _with_midnight(cells, form)
    parts = _Parts.of(cells, TIMESTAMPS[form])
    bad = _not_moments(cells, parts.matched, "which is no timestamp such as 2025-04-03T23:00:00")
    order, open_order = _order(form, parts, cells, name, date_format)
    days, wrong_date = _days(parts, order)
    offset_s, zoned, zone = _zones(parts)
    for index in np.flatnonzero(parts.matched & (parts.wrong_clock | wrong_date)):
        bad[int(index)] = f"holds {shown(cells[int(index)])}, which is no moment that exists"
    good = parts.matched & ~(parts.wrong_clock | wrong_date)
    if not good.any():
        raise ValueError(f"column {name!r} holds {shown(sample[0])}, which is no moment that exists")
    first = int(np.flatnonzero(good)[0])
    for index in np.flatnonzero(good & (zoned != zoned[first])):
        bad[int(index)] = f"holds {shown(cells[int(index)])}: some timestamps have a time zone and some have none"
        good[index] = False
    whole_s = days.astype(np.int64)
    whole_s *= 86400
    whole_s += parts.of_day_s
    whole_s -= offset_s
    at_s = (whole_s - whole_s[first]).astype(np.float64)
    at_s += parts.fraction_s - parts.fraction_s[first]
    at_s[~good] = np.nan
    zero = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC if zoned[first] else None) + datetime.timedelta(
        seconds=int(whole_s[first]), microseconds=round(1e6 * parts.fraction_s[first])
    )
    words = {"dmy": "day, month, year", "mdy": "month, day, year", "ymd": "year, month, day"}[order]
    half = ", AM and PM" if parts.halved else ""
    return Moments(at_s, bad, zero, f"timestamps ({words}{half}{zone})", order_open=open_order)


def _with_midnight(cells: pl.Series, form: str) -> pl.Series:
    """Give dates alone the time of midnight, which many programs leave away."""
    if form not in DATES:
        return cells
    alone = cells.str.contains(f"^{DATES[form]}$").fill_null(False)
    if not alone.any():
        return cells
    return pl.select(pl.when(alone).then(cells + " 00:00:00").otherwise(cells)).to_series()


@dataclass(frozen=True, eq=False)
class _Parts:
    """Timestamps taken apart, shape (n,) each: three fields of a date, the time of day in s, the zone by its number."""

    fields: Mapping[str, NDArray[np.int16]]
    of_day_s: NDArray[np.int32]
    fraction_s: FloatArray
    wrong_clock: NDArray[np.bool_]
    matched: NDArray[np.bool_]
    zone: NDArray[np.int16]
    zones: Sequence[str]
    named_month: bool
    short_year: bool
    halved: bool

    @classmethod
    def of(cls, cells: pl.Series, pattern: str) -> _Parts:
        """Take cells apart in portions, since the parts of all of them at once would need much memory."""
        zones: dict[str, int] = {}
        found: list[tuple[NDArray[Any], ...]] = []
        named, short, halved = False, True, False
        for start in range(0, len(cells), PORTION):
            parts = cells.slice(start, PORTION).str.extract_groups(pattern).struct.unnest()
            matched = parts["H"].is_not_null().to_numpy()
            month = parts["b"]
            if month.str.contains(r"\p{L}").fill_null(False).any():
                named = True
                lower = month.str.slice(0, 4).str.to_lowercase().fill_null("").to_list()
                month = pl.Series([str(_month(text)) for text in lower])
            short = short and not (parts["c"].str.len_chars() > 2).fill_null(False).any()
            halved = halved or bool((parts["half"] != "").fill_null(False).any())
            zone = parts["zone"].fill_null("")
            for text in zone.unique().to_list():
                zones.setdefault(text, len(zones))
            numbers = zone.replace_strict(zones, return_dtype=pl.Int64).to_numpy()
            of_day_s, fraction_s, wrong = _of_day(parts, matched)
            fields = (_whole(each).astype(np.int16) for each in (parts["a"], month, parts["c"]))
            found.append((*fields, of_day_s.astype(np.int32), fraction_s, wrong, matched, numbers.astype(np.int16)))
        joined = []
        for each in range(len(found[0])):
            joined.append(np.concatenate([portion[each] for portion in found]))
        a, b, c, of_day, fraction, wrong, every, numbered = joined
        return cls(
            {"a": a, "b": b, "c": c}, of_day, fraction, wrong, every, numbered, list(zones), named, short, halved
        )


def _not_moments(cells: pl.Series, matched: NDArray[np.bool_], why: str) -> dict[int, str]:
    bad = {}
    for index in np.flatnonzero(~matched):
        cell = cells[int(index)]
        if cell is not None:
            bad[int(index)] = "is empty" if cell == "" else f"holds {shown(cell)}, {why}"
    return bad


def _whole(part: pl.Series) -> IntArray:
    found: IntArray = part.cast(pl.Int64, strict=False).fill_null(0).to_numpy().astype(np.int64)
    return found


def _of_day(parts: pl.DataFrame, matched: NDArray[np.bool_]) -> tuple[IntArray, FloatArray, NDArray[np.bool_]]:
    """Give whole seconds since midnight, the fraction of a second, and which clocks cannot be."""
    hour, minute, second = _whole(parts["H"]), _whole(parts["M"]), _whole(parts["S"])
    half = parts["half"].fill_null("").str.slice(0, 1).str.to_lowercase()
    halved = (half != "").to_numpy()
    wrong = (minute > 59) | (second > 60) | (hour > 24) | (halved & ((hour < 1) | (hour > 12)))
    hour = np.where(halved, hour % 12 + 12 * (half == "p").to_numpy(), hour)
    fraction = ("0." + parts["f"]).cast(pl.Float64, strict=False).fill_null(0.0).to_numpy()
    return 3600 * hour + 60 * minute + second, np.where(matched, fraction, 0.0), wrong


def _days(parts: _Parts, order: str) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Give days since 1970-01-01, and which dates cannot be."""
    taken = dict(zip(order, ("a", "b", "c"), strict=True))
    if parts.named_month:
        taken = {"d": "a", "m": "b", "y": "c"}
    size = parts.matched.size
    days, wrong = np.zeros(size, np.int32), np.zeros(size, np.bool_)
    for start in range(0, size, PORTION):
        part = slice(start, start + PORTION)
        days[part], wrong[part] = _days_of(*(parts.fields[taken[each]][part].astype(np.int64) for each in "ymd"))
    return days, wrong


def _days_of(year: IntArray, month: IntArray, day: IntArray) -> tuple[IntArray, NDArray[np.bool_]]:
    year = np.where(year < 70, year + 2000, np.where(year < 100, year + 1900, year))
    wrong = (month < 1) | (month > 12) | (day < 1) | (year < 1900) | (year > 2200)
    months = ((year - 1970) * 12 + np.clip(month, 1, 12) - 1).astype("datetime64[M]")
    length = ((months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64)
    days: IntArray = months.astype("datetime64[D]").astype(np.int64) + day - 1
    return days, wrong | (day > length)


def _month(text: str) -> int:
    return MONTHS.get(text) or MONTHS.get(text[:3], 0)


def _order(form: str, parts: _Parts, cells: pl.Series, name: str, date_format: str | None) -> tuple[str, bool]:
    """Find which field is the day; true beside it when that makes no difference."""
    if form.split()[0] in ("ymd", "eight"):
        return "ymd", False
    if form.split()[0] in ("dby", "bdy"):
        return "dmy", False
    if date_format is not None:
        return order_of(date_format), False
    matched = parts.matched
    first = cells[int(np.flatnonzero(matched)[0])]
    dotted = re.search(r"\d\.\d{1,2}\.\d", first) is not None
    possible = ["dmy"] if dotted else ["dmy", "mdy", *(["ymd"] if parts.short_year else [])]
    found: list[tuple[str, IntArray]] = []
    for order in possible:
        days, wrong = _days(parts, order)
        if not wrong[matched].any():
            found.append((order, (days.astype(np.int64) * 86400 + parts.of_day_s)[matched]))
    if not found:
        return possible[0], False
    same = [order for order, at_s in found if np.array_equal(at_s - at_s[0], found[0][1] - found[0][1][0])]
    if len(same) == len(found):
        return found[0][0], len(found) > 1
    steps = {order: np.diff(at_s) for order, at_s in found}
    least = min(float(np.abs(step).max()) for step in steps.values())
    likely = [order for order, step in steps.items() if float(np.abs(step).max()) <= max(2 * DAY_S, 1.5 * least)]
    durations = {order: steps[order] for order in likely}
    if len(likely) == 1 or all(np.array_equal(step, durations[likely[0]]) for step in durations.values()):
        return likely[0], len(likely) > 1
    raise ValueError(
        f"column {name!r} holds {shown(first)}: which is the day and which the month is open, and it matters: say it "
        "by --date-format dd/mm/yyyy or --date-format mm/dd/yyyy, or write dates as 2025-04-03"
    )


def _zones(parts: _Parts) -> tuple[NDArray[np.int32], NDArray[np.bool_], str]:
    """Give the offset from UTC in s, which moments have one, and words on a zone that is a name only."""
    offsets, zoned, names = [], [], []
    for text in parts.zones:
        match = re.fullmatch(r"(?:UTC)?([+-])(\d{1,2}):?(\d\d)?", text)
        seconds = 3600 * int(match[2]) + 60 * int(match[3] or 0) if match is not None else 0
        offsets.append(-seconds if match is not None and match[1] == "-" else seconds)
        zoned.append(match is not None or text.upper() in ("Z", "UTC", "GMT"))
        if text and not zoned[-1]:
            names.append(text)
    if len(names) > 1:
        raise ValueError(f"the time zones {' and '.join(sorted(names))} both occur: write the offsets, such as +01:00")
    words = ", with time zone" if any(zoned) else f", time zone {names[0]}" if names else ""
    return np.array(offsets, np.int32)[parts.zone], np.array(zoned, np.bool_)[parts.zone], words


# ---------------------------------------------------------------- clocks and durations


def clocks(cells: pl.Series, *, name: str, form: str | None, of_day: bool = False) -> Moments:
    """Read clocks and durations: 26:15:00, "1 day, 0:00:00", 11:05:00 PM, and 00:10 where it is said what that is.

    Args:
        cells: text, shape (n,).
        name: of the column, for sentences.
        form: how they are written, such as mm:ss, from the header or an option.
        of_day: two fields are hours and minutes, since a date stands beside them.

    Raises:
        ValueError: a sentence: two fields, and nobody said which.
    """
    letters = re.sub(r"[^dhms:]", "", re.sub(r"(?i)a/p|am/pm|tt", "", form or "").lower())
    fields = re.sub(r":+", ":", "".join(dict.fromkeys(letters.replace(":", "")))) if letters else ""
    sample = [cell for cell in cells.head(400).to_list() if cell][:200]
    two = sum(compiled(TWO_FIELDS).match(cell) is not None for cell in sample) > 0.5 * len(sample)
    halves = any(re.search(r"(?i)[ap]\.?m", cell) for cell in sample)
    minutes = False
    pattern, words = DURATION, "hours, minutes, seconds"
    if two:
        decided = {"hm": False, "ms": True}.get(fields[:2] if fields else "")
        if decided is None and any(re.search(r":\d{2}[.,]\d", cell) for cell in sample):
            decided = True
        if decided is None and (of_day or halves):
            decided = False
        if decided is None:
            raise ValueError(
                f"column {name!r} holds {shown(sample[min(1, len(sample) - 1)])}, which could be minutes and seconds "
                "or hours and minutes: say which by --time-format mm:ss or --time-format hh:mm"
            )
        minutes = decided
        pattern, words = (TWO_FIELDS, "minutes, seconds") if minutes else (DURATION, "hours, minutes")
    elif sum(compiled(FOUR_FIELDS).match(cell) is not None for cell in sample) > 0.5 * len(sample):
        if not fields.startswith("d"):
            raise ValueError(
                f"column {name!r} holds {shown(sample[0])}, four fields: if the first are days, say so by "
                "--time-format d:hh:mm:ss"
            )
        pattern, words = FOUR_FIELDS, "days, hours, minutes, seconds"
    elif sum(compiled(DURATION).match(cell) is not None for cell in sample) <= 0.5 * len(sample):
        pattern, words = WORDED, "hours, minutes, seconds in words"
    parts = cells.str.extract_groups(pattern).struct.unnest()
    key = "S" if minutes else "H" if pattern != WORDED else "sign"
    matched = (parts[key].is_not_null() & (cells != "")).fill_null(False).to_numpy()
    bad = _not_moments(cells, matched, "which is no time such as 26:15:00")
    at_s, wrong, days = _durations(parts, minutes)
    for index in np.flatnonzero(matched & wrong):
        bad[int(index)] = f"holds {shown(cells[int(index)])}, which is no time such as 26:15:00"
    at_s = np.where(matched & ~wrong, at_s, np.nan)
    period_s = 3600.0 if minutes else DAY_S
    wraps = not days and bool(np.nanmax(at_s, initial=0.0) < period_s + 1.0)
    return Moments(at_s, bad, None, f"{words}{', AM and PM' if halves else ''}", period_s if wraps else None)


def _durations(parts: pl.DataFrame, minutes: bool) -> tuple[FloatArray, NDArray[np.bool_], bool]:
    minute, second = _whole(parts["M"]), _whole(parts["S"])
    fraction = ("0." + parts["f"]).cast(pl.Float64, strict=False).fill_null(0.0).to_numpy()
    sign = np.where((parts["sign"] == "-").fill_null(False).to_numpy(), -1.0, 1.0)
    if minutes:
        return sign * (60.0 * minute + second + fraction), second > 59, False
    hour, day = _whole(parts["H"]), _whole(parts["d"])
    half = parts["half"].fill_null("").str.slice(0, 1).str.to_lowercase()
    halved = (half != "").to_numpy()
    wrong = (minute > 59) | (second > 60) | (halved & ((hour < 1) | (hour > 12)))
    hour = np.where(halved, hour % 12 + 12 * (half == "p").to_numpy(), hour)
    at_s = sign * (DAY_S * day + 3600.0 * hour + 60.0 * minute + second + fraction)
    return at_s, wrong, bool(parts["d"].is_not_null().any())


def unwrapped(at_s: FloatArray, period_s: float) -> tuple[FloatArray, Sequence[int]]:
    """Let a clock run on over midnight (or the full hour); the indices before which it began again.

    Only a fall that a step of the usual length, or of a twenty-fourth of the period, explains is one; the others stay.
    """
    good = np.flatnonzero(np.isfinite(at_s))
    steps_s = np.diff(at_s[good])
    rising = steps_s[steps_s > 0]
    usual_s = float(np.median(rising)) if rising.size else 1.0
    longest_s = max(10.0 * usual_s, period_s / 24.0)
    over = (steps_s < 0) & (steps_s + period_s > 0) & (steps_s + period_s <= longest_s)
    places = good[1:][over]
    turns = np.zeros(at_s.size)
    turns[places] = period_s
    return at_s + np.cumsum(turns), [int(place) for place in places]


def moment(text: str) -> datetime.datetime | None:
    """Read one ISO 8601 timestamp; None when it is written otherwise."""
    if not re.match(r"\d{4}-\d\d-\d\d", text):
        return None
    try:
        return datetime.datetime.fromisoformat(text.replace(",", "."))
    except ValueError:
        return None

"""A column of cells to numbers in one unit: decimal sign, groups of thousands, units behind numbers, cut-off cells.

The whole column decides how its numbers are written. Not responsible for which unit the header says (`headers`) nor for
what follows from a bad cell (`columns`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from rig.offline.log import FloatArray
from rig.offline.spellings import Unit, meaning, unit_of
from rig.offline.table import shown

_SHAPE = (
    r"^(?P<sign>[+\-\x{2212}\x{2013}]?)\s*(?P<body>\d[\d.,'\x{2019}\x{a0}\x{202f}\x{2009} ]*\d|\d+[.,]?|[.,]\d+)[.,]?"
    r"(?P<exponent>(?:[eE][+-]?\d+)?)(?:\[(?P<verified>\d)\])?\s*(?P<unit>(?:[^\d\s.,:;][^:;]*)?)$"
)
_GROUPED = {
    ",": r"^\d{1,3}(?:[.'\x{2019}\x{a0}\x{202f}\x{2009} ]\d{3})+(?:,\d*)?$|^\d*(?:,\d*)?$",
    ".": r"^\d{1,3}(?:[,'\x{2019}\x{a0}\x{202f}\x{2009} ]\d{3})+(?:\.\d*)?$|^\d*(?:\.\d*)?$",
}
_TWO_WAYS = {sign: rf"^[1-9]\d{{0,2}}\{sign}\d{{3}}$" for sign in ",."}

LARGEST: Mapping[str, float] = {"mass_g": 1e6, "volume_ul": 1e9, "pressure_kpa": 1e5}
"""No balance of a laboratory shows more: what balances send on overload is a number, too (A&D: 9999999E+19)."""

PORTION = 1_000_000
LEAST_CELLS = 60
"""Of fewer cells one may end in a zero that was not written: of 60 it is hardly one alone."""

FEW = 0.01
"""Cells with fewer decimals than all others are cut off when so few are; more of them are a way to write numbers."""


@dataclass(frozen=True, eq=False)
class NumberColumn:
    """A column as numbers.

    Attributes:
        values: in the base unit of the dimension, shape (n,); NaN where a cell is no number.
        bad: half a sentence on each cell that is no number, by its index.
        unit: of the column.
        decimal: sign before the decimals; None when no cell has one.
        note: what was assumed of the decimal sign; None when nothing was.
        resolution: the last digit of most cells, in the base unit.
        bare: cells without a unit where others have one, shape (n,); None when all or none have one.
    """

    values: FloatArray
    bad: Mapping[int, str]
    unit: Unit
    decimal: str | None
    note: str | None
    bare: NDArray[np.bool_] | None
    resolution: float = 0.0


def numbers(
    cells: pl.Series, *, name: str, unit: Unit | None, flag: str, decimal: str | None, comma_delimited: bool,
    whole_decimals: bool = False, cut_last: bool = False,
) -> NumberColumn:  # fmt: skip
    """Read a column; `unit` None takes the one that stands behind the numbers.

    Args:
        cells: text, shape (n,), null where there is none.
        name: of the column, for sentences.
        unit: of the column, from its header or an option.
        flag: option that says the unit, for sentences.
        decimal: "," or "." when an option says so.
        comma_delimited: commas stand between cells.
        whole_decimals: a cell with fewer decimals than all others is bad.
        cut_last: the file ends without an end of line, so that its last cell may be cut off.

    Raises:
        ValueError: a sentence: no unit, or a decimal sign that could be one of thousands.
    """
    quick = cells.cast(pl.Float64, strict=False)
    plain = quick.is_not_null() & quick.is_finite()
    left = cells.is_not_null() & (cells != "") & ~plain
    if left.any() or decimal == ",":
        return _careful(cells, name, unit, flag, decimal, comma_delimited, whole_decimals, cut_last)
    if decimal is None:
        _refuse_thousands_by_points(cells, name)
    if unit is None:
        raise ValueError(f"column {name!r} has no unit: write it in the header or say it by {flag}")
    values = quick.fill_null(np.nan).to_numpy(writable=True)
    values *= unit.factor
    points = cells.str.contains(".", literal=True)
    bad = _empty(cells) | _too_large(cells, values, unit)
    resolution = 0.0
    if whole_decimals:
        decimals = _decimals(cells)
        bad |= _cut(cells, decimals, quick, cut_last)
        resolution = _resolution(decimals, unit)
    _forget(values, bad)
    return NumberColumn(values, bad, unit, "." if points.any() else None, None, None, resolution)


def _careful(
    cells: pl.Series, name: str, unit: Unit | None, flag: str, decimal: str | None, comma_delimited: bool,
    whole_decimals: bool, cut_last: bool,
) -> NumberColumn:  # fmt: skip
    parts = cells.str.extract_groups(_SHAPE).struct.unnest()
    body = parts["body"]
    found, note = (decimal, None) if decimal is not None else _decimal(cells, body, name, comma_delimited)
    sign = found or "."
    formed = body.str.contains(_GROUPED[sign])
    groups = r"[.'\x{2019}\x{a0}\x{202f}\x{2009} ]" if sign == "," else r"[,'\x{2019}\x{a0}\x{202f}\x{2009} ]"
    digits = body.str.replace_all(groups, "").str.replace(",", ".", literal=True) + parts["verified"].fill_null("")
    text = parts["sign"].str.replace_all(r"[\x{2212}\x{2013}]", "-") + digits + parts["exponent"]
    quick = text.cast(pl.Float64, strict=False)
    own = parts["unit"].fill_null("").str.strip_chars()
    units = {written: unit_of(written) for written in own.unique().to_list() if written}
    if unit is None:
        first = next((units[written] for written in own.to_list() if written and units[written] is not None), None)
        if first is None:
            unknown = next(iter(units), None)
            why = f"is in {unknown!r}, {meaning(unknown)}" if unknown is not None else "has no unit"
            raise ValueError(f"column {name!r} {why}: write it in the header or say it by {flag}")
        unit = first
    same = [w for w, known in units.items() if known is not None and (known.dimension, known.factor) == _key(unit)]
    other = (own != "") & ~own.is_in(same)
    bare = ((own == "") & body.is_not_null()).to_numpy() if same else None
    values = quick.fill_null(np.nan).to_numpy() * unit.factor
    bad = _empty(cells)
    no_number = (cells.is_not_null() & (cells != "") & body.is_null()).to_numpy()
    malformed = (body.is_not_null() & ~formed.fill_null(False)).to_numpy()
    infinite = (quick.is_not_null() & ~quick.is_finite()).fill_null(False).to_numpy() & ~no_number & ~malformed
    for index in np.flatnonzero(no_number):
        bad[int(index)] = f"holds {shown(cells[int(index)])}, which is no number"
    for index in np.flatnonzero(malformed & ~no_number):
        bad[int(index)] = f"holds {shown(cells[int(index)])}, which is no number with a decimal {sign!r}"
    for index in np.flatnonzero(infinite):
        bad[int(index)] = f"holds {shown(cells[int(index)])}, which is no finite number"
    for index in np.flatnonzero(other.to_numpy()):
        bad.setdefault(int(index), f"is in {own[int(index)]!r}, where the column is in {unit.name!r}")
    bad = _too_large(cells, values, unit) | bad
    resolution = 0.0
    if whole_decimals:
        escaped = "," if sign == "," else r"\."
        lengths = body.str.extract(rf"{escaped}(\d*)$").str.len_chars().fill_null(0) + parts[
            "verified"
        ].str.len_chars().fill_null(0)
        decimals = lengths.to_numpy().astype(np.int64)
        bad = _cut(cells, decimals, quick, cut_last) | bad
        resolution = _resolution(decimals, unit)
    _forget(values, bad)
    uneven = bare if bare is not None and bare.any() else None
    return NumberColumn(values, bad, unit, found, note, uneven, resolution)


def _key(unit: Unit) -> tuple[str, float]:
    return unit.dimension, unit.factor


def _forget(values: FloatArray, bad: Mapping[int, str]) -> None:
    if bad:
        values[list(bad)] = np.nan


def _empty(cells: pl.Series) -> dict[int, str]:
    return {int(index): "is empty" for index in np.flatnonzero((cells == "").fill_null(False).to_numpy())}


def _too_large(cells: pl.Series, values: FloatArray, unit: Unit) -> dict[int, str]:
    largest = LARGEST.get(unit.dimension)
    if largest is None:
        return {}
    return {
        int(index): f"holds {shown(cells[int(index)])}, which no instrument of a laboratory shows: an overload?"
        for index in np.flatnonzero(np.abs(values) > largest)
    }


def _cut(cells: pl.Series, decimals: NDArray[np.int64], values: pl.Series, cut_last: bool) -> dict[int, str]:
    """Find cells with fewer decimals than all others, which a cut line or a lost octet leaves."""
    there = values.is_not_null().to_numpy()
    usual = int(np.bincount(decimals[there]).argmax()) if there.any() else 0
    fewer = np.flatnonzero(there & (decimals < usual) & (values.fill_null(0.0) != 0.0).to_numpy())
    last_only = cut_last and fewer.tolist() == [len(cells) - 1] and there.sum() >= 10
    enough = there.sum() >= LEAST_CELLS and fewer.size <= max(1.0, FEW * there.sum())
    if usual < 1 or bool((decimals[there] > usual).any()) or not (enough or last_only):
        return {}
    return {
        int(index): f"holds {shown(cells[int(index)])}, with fewer decimals than the {usual} of all other rows: is it "
        "cut off?"
        for index in fewer
        if "e" not in cells[int(index)].lower()
    }


def _resolution(decimals: NDArray[np.int64], unit: Unit) -> float:
    return 10.0 ** -int(np.bincount(decimals).argmax()) * unit.factor if decimals.size else 0.0


def _refuse_thousands_by_points(cells: pl.Series, name: str) -> None:
    """Refuse a column in which points could be signs of thousands: on some cells only, each before three digits."""
    points = cells.str.contains(".", literal=True).fill_null(False)
    count = int(points.sum())
    if not 2 <= count < len(cells) - cells.null_count():
        return
    pointed = cells.filter(points).str.strip_prefix("-")
    if pointed.str.contains(_TWO_WAYS["."]).all() and pointed.str.ends_with("0").any():
        raise ValueError(
            f"column {name!r}: the point in {pointed[0]!r} could be a decimal sign or one of thousands: say which sign "
            "the decimals have by --decimal point or --decimal comma"
        )


def _decimal(cells: pl.Series, body: pl.Series, name: str, comma_delimited: bool) -> tuple[str | None, str | None]:
    """Find the sign before the decimals from all cells, and what was assumed; None when no cell has one."""
    comma, point = (
        body.str.contains(",", literal=True).fill_null(False),
        body.str.contains(".", literal=True).fill_null(False),
    )
    both = comma & point
    if both.any():
        by_comma = body.str.contains(r"\..*,").fill_null(False) & ~body.str.contains(r",.*\.").fill_null(False)
        by_point = body.str.contains(r",.*\.").fill_null(False) & ~body.str.contains(r"\..*,").fill_null(False)
        if by_comma.any() and by_point.any():
            raise ValueError(_mixed(cells, by_comma, by_point, name))
        sign = "," if by_comma.any() else "."
        return (
            sign,
            f"Column {name!r}: the sign of the decimals is {sign!r}, of the thousands {'.' if sign == ',' else ','!r}.",
        )
    if comma.any() and point.any():
        raise ValueError(_mixed(cells, comma, point, name))
    if not comma.any() and not point.any():
        return None, None
    sign, used = (",", comma) if comma.any() else (".", point)
    other = "." if sign == "," else ","
    signed = body.filter(used)
    if bool((signed.str.count_matches(rf"\{sign}") > 1).any()):
        return other, f"Column {name!r}: {sign!r} stands between thousands."
    if not signed.str.contains(_TWO_WAYS[sign]).all():
        return sign, None
    without = body.filter(~used & body.is_not_null())
    if bool((without.str.len_chars() > 3).any()):
        return sign, None
    if sign == "." and not (len(without) and len(signed) > 1 and signed.str.ends_with("0").any()):
        return sign, None
    if len(without) or comma_delimited:
        raise ValueError(
            f"column {name!r}: the {'comma' if sign == ',' else 'point'} in {signed[0]!r} could be a decimal sign or "
            "one of thousands: say which sign the decimals have by --decimal point or --decimal comma"
        )
    return sign, f"Column {name!r}: the comma in {signed[0]!r} was taken for a decimal sign (else: --decimal point)."


def _mixed(cells: pl.Series, comma: pl.Series, point: pl.Series, name: str) -> str:
    fewer = comma if int(comma.sum()) <= int(point.sum()) else point
    first, other = int(fewer.arg_true()[0]), int((point if fewer is comma else comma).arg_true()[0])
    return (
        f"column {name!r} holds {shown(cells[first])} and {shown(cells[other])}: one has a decimal comma, the other a "
        "decimal point; say which sign the decimals have by --decimal comma or --decimal point"
    )


def _decimals(cells: pl.Series) -> NDArray[np.int64]:
    """Count the decimals behind the point of each cell, in portions that need little memory."""
    return np.concatenate(
        [
            cells.slice(start, PORTION)
            .str.extract(r"\.(\d*)$")
            .str.len_chars()
            .fill_null(0)
            .to_numpy()
            .astype(np.int64)
            for start in range(0, len(cells), PORTION)
        ]
    )

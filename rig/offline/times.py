"""The time axis of a table: whichever way its moments are written, seconds and the moment of zero.

Not responsible for which columns hold them (`assign`) nor for gaps (`breaks`).
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from rig.offline.assign import TimeColumns
from rig.offline.log import FloatArray
from rig.offline.moments import clocks, timestamps, unwrapped
from rig.offline.numbers import numbers
from rig.offline.spellings import Unit
from rig.offline.spoken import Spoken
from rig.offline.table import Table

_EPOCHS = ((1.0, "s"), (1e3, "ms"), (1e6, "µs"), (1e9, "ns"))
_EPOCH_FROM_S, _EPOCH_TO_S = 1e9, 2.5e9
"""Numbers that count seconds since 1970 lie here from 2001 to 2049."""


@dataclass(frozen=True, eq=False)
class Times:
    """Moments of all rows.

    Attributes:
        at_s: in s, shape (n,); NaN where a cell is no moment.
        bad: half a sentence on each such cell, by its index.
        zero: the moment of `at_s` = 0; None on a clock of its own.
        sentence: how they were understood.
        options: that say so, by flag.
        turns: indices before which the clock began again.
        order_open: day and month may be the other way round.
    """

    at_s: FloatArray
    bad: Mapping[int, str]
    zero: datetime.datetime | None
    sentence: str
    options: Mapping[str, str]
    turns: tuple[int, ...] = ()
    order_open: bool = False


def times_of(table: Table, columns: TimeColumns, spoken: Spoken) -> Times:
    """Read the moments of all rows.

    Raises:
        ValueError: a sentence: how they are written is open.
    """
    column = columns.clock
    cells = table.cells[column.index]
    options = {"--time-column": column.name}
    if columns.kind in ("number", "other"):
        return _numbered(table, columns, spoken, options)
    if columns.kind == "timestamp":
        found = timestamps(cells, name=column.name, date_format=spoken.date_format)
        sentence = f"Time: column {column.name!r}, {found.form}, from {found.zero}."
        return Times(found.at_s, found.bad, found.zero, sentence, options, order_open=found.order_open)
    if columns.kind == "date":
        raise ValueError(
            f"column {column.name!r} holds dates without times of day: say by --time-column which column holds these"
        )
    if columns.date is not None:
        joined = table.cells[columns.date.index] + " " + cells
        joined = pl.select(pl.when((cells == "") | cells.is_null()).then(cells).otherwise(joined)).to_series()
        found = timestamps(joined, name=f"{columns.date.name} {column.name}", date_format=spoken.date_format)
        sentence = f"Time: columns {columns.date.name!r} and {column.name!r}, {found.form}, from {found.zero}."
        options |= {"--date-column": columns.date.name}
        return Times(found.at_s, found.bad, found.zero, sentence, options, order_open=found.order_open)
    form = spoken.time_format or column.form
    found = clocks(cells, name=column.name, form=form)
    at_s, turns = (found.at_s, ()) if found.period_s is None else unwrapped(found.at_s, found.period_s)
    if form is not None:
        options["--time-format"] = form
    sentence = f"Time: column {column.name!r}, clock of {found.form}."
    return Times(at_s, found.bad, None, sentence, options, tuple(turns))


def _numbered(table: Table, columns: TimeColumns, spoken: Spoken, options: dict[str, str]) -> Times:
    column = columns.clock
    cells = table.cells[column.index]
    epoch = _epoch(cells)
    if column.unit is None and epoch is not None:
        factor, name = epoch
        values = cells.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy() / factor
        if spoken.time_unit is None:
            zero_s = float(values[np.isfinite(values)][0])
            zero = datetime.datetime.fromtimestamp(zero_s, datetime.UTC)
            read = numbers(cells, name=column.name, unit=Unit(name, "time_s", 1.0 / factor), flag="--time-unit",
                           decimal=spoken.decimal, comma_delimited=table.delimiter == ",")  # fmt: skip
            return Times(
                values - zero_s, read.bad, zero,
                f"Time: column {column.name!r}, {name} since 1970 (Unix time), from {zero:%Y-%m-%d %H:%M:%S} UTC.",
                options,
            )  # fmt: skip
    read = numbers(cells, name=column.name, unit=column.unit, flag="--time-unit", decimal=spoken.decimal,
                   comma_delimited=table.delimiter == ",")  # fmt: skip
    if read.unit.dimension != "time_s":
        raise ValueError(f"column {column.name!r} is in {read.unit.name!r}, which is no unit of time")
    options["--time-unit"] = read.unit.name
    since_1970 = None
    at_s = read.values
    finite = at_s[np.isfinite(at_s)]
    if finite.size and _EPOCH_FROM_S < finite[0] < _EPOCH_TO_S:
        since_1970 = datetime.datetime.fromtimestamp(float(finite[0]), datetime.UTC)
        at_s = at_s - finite[0]
    since = f", since 1970 (Unix time), from {since_1970:%Y-%m-%d %H:%M:%S} UTC" if since_1970 else ""
    note = f" {read.note}" if read.note is not None else ""
    sentence = f"Time: column {column.name!r}, numbers in {read.unit.name}{since}.{note}"
    return Times(at_s, read.bad, since_1970, sentence, options)


def _epoch(cells: pl.Series) -> tuple[float, str] | None:
    """Tell whether all numbers of a column are Unix times, and in which unit."""
    values = cells.cast(pl.Float64, strict=False).drop_nulls()
    if not len(values):
        return None
    low, high = float(values.quantile(0.01) or 0.0), float(values.quantile(0.99) or 0.0)
    for factor, name in _EPOCHS:
        if _EPOCH_FROM_S * factor < low <= high < _EPOCH_TO_S * factor:
            return factor, name
    return None

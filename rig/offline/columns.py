"""A table of cells to a checked log: columns found, units applied, every bad cell named by row and column.

Not responsible for gaps and restarts (`breaks`). Nothing is repaired; rows that are no samples are left out only when
asked, and then each is reported.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rig.errors import DataFileError
from rig.offline.cells import clock_s, decimal_sign, number, timestamp, unit_of_cell
from rig.offline.findings import Finding
from rig.offline.headers import Column, find_column
from rig.offline.log import Log
from rig.offline.table import Table

_Parse = Callable[[str], float]


@dataclass(frozen=True)
class Layout:
    """What was said of the file on the command line: names and units of columns, sample interval, bad rows."""

    time_column: str | None = None
    mass_column: str | None = None
    volume_column: str | None = None
    pressure_column: str | None = None
    time_unit: str | None = None
    mass_unit: str | None = None
    volume_unit: str | None = None
    pressure_unit: str | None = None
    interval_s: float | None = None
    skip_bad_rows: bool = False


def checked_log(path: Path, table: Table, layout: Layout, *, with_pressure: bool) -> tuple[Log, list[Finding]]:
    """Turn cells into numbers in base units.

    Raises:
        DataFileError: a column that is missing or ambiguous, a unit that is missing or contradicts, or bad cells, the
            first of which is named.
    """
    try:
        return _Reading(path, table, layout, with_pressure).log()
    except ValueError as error:
        raise DataFileError(f"{path}: {error}") from None


class _Reading:
    """One pass over a table."""

    def __init__(self, path: Path, table: Table, layout: Layout, with_pressure: bool) -> None:
        self._path = path
        self._table = table
        self._layout = layout
        self._zero: datetime.datetime | None = None
        self._weight = self._weight_column()
        self._pressure = self._column("pressure") if with_pressure else None
        if with_pressure and self._pressure is None:
            raise ValueError(
                f"an occlusion needs a pressure column; the header has {', '.join(map(repr, table.columns))}"
            )

    def log(self) -> tuple[Log, list[Finding]]:
        """Parse every row."""
        self._refuse_mixed_rates()
        parsers: list[tuple[Column, _Parse]] = [(self._weight, self._numbers(self._weight))]
        if self._pressure is not None:
            parsers.append((self._pressure, self._numbers(self._pressure)))
        time = self._time()
        if time is not None:
            parsers.insert(0, time)
        rows, values, findings = self._parsed(parsers)
        if len(rows) < 2:
            raise ValueError(f"holds {len(rows)} sample{'s' * (len(rows) != 1)}; an analysis needs a series of them")
        columns = np.array(values).T
        interval_s = self._layout.interval_s
        at_s = columns[0] if interval_s is None else interval_s * np.arange(len(rows), dtype=np.float64)
        weight = columns[1 if time is not None else 0]
        is_volume = self._weight_is_volume
        log = Log(
            at_s=at_s,
            mass_g=weight * 1e-3 if is_volume else weight,
            pressure_kpa=columns[-1] if self._pressure is not None else None,
            row=np.array(rows),
            zero=self._zero,
            is_volume=is_volume,
        )
        return log, findings

    def _column(self, what: str) -> Column | None:
        layout = self._layout
        return find_column(
            self._table, what, named=getattr(layout, f"{what}_column", None), unit=getattr(layout, f"{what}_unit", None)
        )

    def _weight_column(self) -> Column:
        mass, volume = self._column("mass"), self._column("volume")
        if self._layout.mass_column is None and self._layout.volume_column is not None:
            mass = None
        self._weight_is_volume = mass is None
        found = mass or volume
        if found is None:
            raise ValueError(
                f"there is no mass or volume column; the header has {', '.join(map(repr, self._table.columns))}: say "
                "which by --mass-column or --volume-column"
            )
        return self._with_unit(found, "volume" if self._weight_is_volume else "mass")

    def _with_unit(self, column: Column, what: str) -> Column:
        """Take the unit from the first cell that has one, when neither header nor flag says it."""
        if column.unit is not None:
            return column
        cells = self._cells(column)
        own = next((unit for cell in cells if (unit := unit_of_cell(cell)) is not None), None)
        if own is None:
            raise ValueError(f"column {column.name!r} has no unit: write it in the header or say it by --{what}-unit")
        return find_column(self._table, what, named=column.name, unit=own) or column

    def _cells(self, column: Column) -> list[str]:
        return [cells[column.index] for _, cells in self._table.rows if len(cells) > column.index]

    def _numbers(self, column: Column) -> _Parse:
        decimal, unit = decimal_sign(self._cells(column)), column.unit
        if unit is None:
            raise ValueError(f"column {column.name!r} has no unit: write it in the header or say it by a flag")
        return lambda text: number(text, decimal=decimal, unit=unit)

    def _time(self) -> tuple[Column, _Parse] | None:
        """Find out how moments are written; None when samples have none and `--interval` stands for them."""
        column = self._column("time")
        if column is None:
            if self._layout.interval_s is None:
                raise ValueError(
                    f"there is no time column; the header has {', '.join(map(repr, self._table.columns))}: say which "
                    "by --time-column, or the sample interval by --interval"
                )
            return None
        if self._layout.interval_s is not None:
            raise ValueError(f"has the time column {column.name!r}: --interval is for logs without times")
        cells = self._cells(column)
        first = next((cell for cell in cells if cell), "")
        self._zero = timestamp(first)
        if self._zero is not None:
            return column, self._since_zero
        if clock_s(first) is not None:
            return column, _clock
        return column, self._numbers(self._with_unit(column, "time"))

    def _since_zero(self, text: str) -> float:
        moment = timestamp(text)
        assert self._zero is not None
        if moment is None:
            raise ValueError("is empty" if not text else f"holds {text!r}, which is no ISO 8601 timestamp")
        if (moment.tzinfo is None) != (self._zero.tzinfo is None):
            raise ValueError(f"holds {text!r}: some timestamps have a time zone and some have none")
        return (moment - self._zero).total_seconds()

    def _parsed(self, parsers: list[tuple[Column, _Parse]]) -> tuple[list[int], list[list[float]], list[Finding]]:
        rows, values, bad = [], [], []
        width = max(column.index for column, _ in parsers) + 1
        for row, cells in self._table.rows:
            try:
                values.append(_row(cells, width, len(self._table.columns), parsers))
                rows.append(row)
            except ValueError as error:
                bad.append((row, str(error)))
        if bad and not self._layout.skip_bad_rows:
            row, why = bad[0]
            more = f" (and {len(bad) - 1} more bad row{'s' * (len(bad) > 2)})" if len(bad) > 1 else ""
            raise ValueError(f"row {row}{why}{more}; --bad-rows skip leaves such rows out and reports them")
        return rows, values, [Finding("bad row", f"Row {row}{why}; it was left out as asked.", row) for row, why in bad]

    def _refuse_mixed_rates(self) -> None:
        column = self._column("rate")
        if column is None:
            return
        cells = [(row, cells[column.index]) for row, cells in self._table.rows if len(cells) > column.index]
        for row, cell in cells:
            if cell != cells[0][1]:
                raise ValueError(
                    f"row {row}, column {column.name!r}: the rate is {cell!r}, in the rows before {cells[0][1]!r}; "
                    "one analysis has one rate: cut the file where the rate changes"
                )


def _row(cells: tuple[str, ...], width: int, expected: int, parsers: list[tuple[Column, _Parse]]) -> list[float]:
    if len(cells) < width:
        raise ValueError(f" holds {len(cells)} of {expected} cells: is the file cut off?")
    if any(cells[expected:]):
        raise ValueError(f" holds {len(cells)} cells, the header {expected}: is a decimal comma taken for a delimiter?")
    values = []
    for column, parse in parsers:
        try:
            values.append(parse(cells[column.index]))
        except ValueError as error:
            raise ValueError(f", column {column.name!r}: {error}") from None
    return values


def _clock(text: str) -> float:
    seconds = clock_s(text)
    if seconds is None:
        raise ValueError("is empty" if not text else f"holds {text!r}, which is no time such as 26:15:00")
    return seconds

"""A table of cells to a checked log: units applied, every bad cell named by row and column, what was understood told.

Not responsible for which column is what (`assign`), nor for gaps and restarts (`breaks`). Nothing is repaired; rows
that are no samples are left out only when asked, and then each is reported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from rig.errors import DataFileError
from rig.offline.assign import Assignment
from rig.offline.cells import NO_READING, UNSTABLE
from rig.offline.findings import Finding
from rig.offline.headers import Column
from rig.offline.log import BalanceLog, FloatArray
from rig.offline.numbers import NumberColumn, numbers
from rig.offline.spellings import Unit, unit_of
from rig.offline.spoken import Spoken
from rig.offline.table import Table, shown
from rig.offline.times import Times, times_of
from rig.units import UL_PER_U

LISTED = 20
"""So many rows that were left out are named one by one."""

SAME_S = 2.0
"""Two columns that tell the time are one when their durations differ by less, or by less than a step."""

Kept = NDArray[np.int64] | slice
"""Rows that are samples; a slice takes all of them without copying."""

_TO_G: Mapping[str, float] = {"mass_g": 1.0, "volume_ul": 1e-3, "flow_ul_per_h": 1e-3, "rate_u_per_h": 1e-2}
"""Volumes are held as the mass of a liquid of 1 g/mL; 1 U is 10 µL."""


@dataclass
class Understood:
    """How a file was understood: sentences in the order of the report, and options that say the same."""

    sentences: list[str] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)
    order_open: bool = False


def checked_log(
    path: Path, table: Table, spoken: Spoken, *, with_pressure: bool, needs_time: bool = True
) -> tuple[BalanceLog, list[Finding], Understood]:
    """Turn cells into numbers in base units.

    Raises:
        DataFileError: a column that is missing or ambiguous, a unit that is missing or contradicts, or bad cells, the
            first of which is named.
    """
    try:
        return _Reading(table, spoken, with_pressure, needs_time).log()
    except ValueError as error:
        raise DataFileError(f"{path}: {error}") from None


class _Reading:
    """One pass over a table."""

    def __init__(self, table: Table, spoken: Spoken, with_pressure: bool, needs_time: bool) -> None:
        self._table = table
        self._spoken = spoken
        self._needs_time = needs_time
        self._columns = Assignment(table, spoken)
        self._bad: dict[int, str] = dict(table.damaged)
        self._told = Understood()
        self._pressure = self._columns.pressure() if with_pressure else None
        if with_pressure and self._pressure is None:
            raise ValueError(
                f"an occlusion needs a pressure column; {self._columns.headed()}: say which by --pressure-column"
            )

    def log(self) -> tuple[BalanceLog, list[Finding], Understood]:
        """Parse every row."""
        self._refuse_mixed_rates()
        self._refuse_cut_decimals()
        weight = self._numbers(self._columns.weight, self._columns.what)
        pressure = self._numbers(self._pressure, "pressure") if self._pressure is not None else None
        unstable = self._unstable(weight)
        times = self._times()
        findings = self._left_out()
        good = np.ones(self._table.rows, np.bool_)
        good[list(self._bad)] = False
        findings += self._not_at_rest(unstable, good)
        if self._spoken.leave_unstable_out and unstable is not None:
            good &= ~unstable
        count = int(good.sum())
        if count < 2:
            raise ValueError(f"holds {count} sample{'s' * (count != 1)}; an analysis needs a series of them")
        kept: Kept = slice(None) if count == good.size else np.flatnonzero(good)
        at_s, kept = self._axis(times, kept, findings)
        if times is not None:
            findings += self._turned(times)
        log = self._built(kept, at_s, times, weight, pressure)
        self._tell(weight, pressure, times)
        return log, findings, self._told

    # ------------------------------------------------------------ cells

    def _numbers(self, column: Column, what: str) -> NumberColumn:
        """Read a column of numbers; bad cells are noted."""
        table = self._table
        cells = table.cells[column.index]
        unit = column.unit
        behind = self._columns.unit_behind(column.index) if what != "pressure" else None
        own = self._unit_behind(column, behind) if behind is not None else None
        if own is not None:
            unit = unit or own
        flag = f"--{what}-unit"
        found = numbers(
            cells, name=column.name, unit=unit, flag=flag, decimal=self._spoken.decimal,
            comma_delimited=table.delimiter == ",", whole_decimals=what in ("mass", "volume"), cut_last=table.cut,
        )  # fmt: skip
        allowed = {"mass": ("mass_g",), "volume": ("volume_ul",), "pressure": ("pressure_kpa",)}.get(what)
        if allowed is not None and found.unit.dimension not in allowed:
            raise ValueError(f"column {column.name!r} is in {found.unit.name!r}, which is no unit of {what}")
        for index, why in found.bad.items():
            self._bad.setdefault(index, f", column {column.name!r}: {why}")
        self._missing(column)
        return found

    def _unit_behind(self, column: Column, behind: int) -> Unit | None:
        """Take the unit from the column behind; all rows must have the same, or none while the balance moved."""
        cells = self._table.cells[behind]
        counts = cells.filter(cells != "").value_counts(sort=True)
        written = counts.to_series(0).to_list()
        units = {text: unit_of(text) for text in written}
        usual = units[written[0]]
        assert usual is not None
        for text in written[1:]:
            other = units[text]
            if other is not None and (other.dimension, other.factor) != (usual.dimension, usual.factor):
                index = int((cells == text).arg_true()[0])
                raise ValueError(
                    f"row {self._table.row[index]}, column {self._table.columns[behind]!r}: is {text!r}, in other rows "
                    f"{written[0]!r}; one log has one unit"
                )
        said = column.unit
        if said is not None and (said.dimension, said.factor) != (usual.dimension, usual.factor):
            raise ValueError(
                f"column {column.name!r} is in {said.name!r}, the column behind it says {written[0]!r}: one of them is "
                "wrong"
            )
        return usual

    def _missing(self, column: Column) -> None:
        """Note rows that end before a column."""
        cells = self._table.cells[column.index]
        if not cells.null_count():
            return
        width = len(self._table.columns)
        for index in np.flatnonzero(cells.is_null().to_numpy()):
            held = sum(other[int(index)] is not None for other in self._table.cells)
            if int(index) not in self._bad or self._bad[int(index)].endswith("is the file cut off?") is False:
                self._bad.setdefault(int(index), f" holds {held} of {width} cells: is the file cut off?")

    def _refuse_mixed_rates(self) -> None:
        column = self._columns.rate()
        if column is None or column.index == self._columns.weight.index:
            return
        cells = self._table.cells[column.index]
        filled = cells.filter(cells.is_not_null())
        if self._columns.kind(column.index) != "number":
            return
        if filled.n_unique() <= 1:
            self._refuse_other_rate(column, filled[0])
            return
        index = int((cells != filled[0]).arg_true()[0])
        raise ValueError(
            f"row {self._table.row[index]}, column {column.name!r}: the rate is {shown(cells[index])}, in the rows "
            f"before {shown(cells[index - 1] or '')}; one analysis has one rate: cut the file where the rate changes, "
            "or give the column a name that says it was measured"
        )

    def _refuse_other_rate(self, column: Column, text: str) -> None:
        """Refuse a column that tells another rate than was asked."""
        value, unit, asked = pl.Series([text]).cast(pl.Float64, strict=False)[0], column.unit, self._spoken.rate_u_per_h
        if value is None or unit is None or asked is None:
            return
        told = value * unit.factor / (UL_PER_U if unit.dimension == "flow_ul_per_h" else 1.0)
        if abs(told - asked) > 1e-3 * asked:
            raise ValueError(
                f"column {column.name!r}: the rate is {text} {unit.name}, --rate says {asked:g} U/h: one of them is "
                "wrong; give the column a name that says so if it was measured"
            )

    def _refuse_cut_decimals(self) -> None:
        """Refuse a table whose decimal commas were taken for delimiters: whole numbers, and digits behind them."""
        if self._table.delimiter != "," or self._spoken.decimal is not None:
            return
        for before, behind, name in zip(self._table.cells, self._table.cells[1:], self._table.columns, strict=False):
            sample = behind.head(2000)
            widths = sample.str.len_chars().unique().drop_nulls()
            digits = sample.is_not_null().all() and sample.str.contains(r"^\d{2,}$").all()
            if len(widths) != 1 or not digits or not sample.str.starts_with("0").any():
                continue
            if before.head(2000).str.contains(r"^[+-]?\d+$").all():
                raise ValueError(
                    f"row {self._table.row[0]}, column {name!r}: holds {shown(before[0])}, and the cell behind it "
                    f"{shown(behind[0])}: is a decimal comma taken for a delimiter? (if not, say --decimal point)"
                )

    def _unstable(self, weight: NumberColumn) -> NDArray[np.bool_] | None:
        """Find samples that the balance marks as not at rest, by a flag, a missing unit, or in a print-out."""
        table = self._table
        found = table.unstable
        place = self._columns.flags()
        if place is not None:
            flags = table.cells[place].str.to_lowercase()
            found = flags.is_in(list(UNSTABLE)).fill_null(False).to_numpy()
            for index in np.flatnonzero(flags.is_in(list(NO_READING)).fill_null(False).to_numpy()):
                self._bad.setdefault(
                    int(index), f", column {table.columns[place]!r}: is {table.cells[place][int(index)]!r}, no reading"
                )
        behind = self._columns.unit_behind(self._columns.weight.index)
        for bare in (
            weight.bare,
            (table.cells[behind] == "").fill_null(False).to_numpy() if behind is not None else None,
        ):
            if bare is not None and bare.any():
                found = bare if found is None else found | bare
        return found if found is not None and found.any() else None

    # ------------------------------------------------------------ times

    def _times(self) -> Times | None:
        """Read the moments; None when samples have none and `--interval` stands for them."""
        possible = self._columns.times()
        interval_s = self._spoken.interval_s
        if not possible:
            if interval_s is None and self._needs_time:
                raise ValueError(
                    f"there is no time column; {self._columns.headed()}"
                    + (": say which by --time-column, or the sample interval by --interval" if self._table.has_header
                       else ", or the sample interval by --interval")
                )  # fmt: skip
            return None
        if not self._needs_time and interval_s is None and self._spoken.time_column is None:
            return None
        if interval_s is not None:
            raise ValueError(f"has the time column {possible[0].clock.name!r}: --interval is for logs without times")
        read = [times_of(self._table, each, self._spoken) for each in possible]
        for other, columns in zip(read[1:], possible[1:], strict=True):
            if not _agree(read[0].at_s, other.at_s):
                raise ValueError(
                    f"the columns {possible[0].clock.name!r} and {columns.clock.name!r} could each be the time, and "
                    "they disagree: say which by --time-column"
                )
        best = max(range(len(read)), key=lambda each: (np.unique(read[each].at_s).size, -each))
        chosen, columns = read[best], possible[best]
        for index, why in chosen.bad.items():
            self._bad.setdefault(index, f", column {columns.clock.name!r}: {why}")
        self._missing(columns.clock)
        if columns.date is not None:
            self._missing(columns.date)
        return chosen

    def _axis(self, times: Times | None, kept: Kept, findings: list[Finding]) -> tuple[FloatArray, Kept]:
        """Give the times of the samples that are kept; a log that runs from the newest to the oldest is turned over."""
        if times is None:
            slots = np.arange(self._table.rows)
            slots = slots + np.searchsorted(self._table.blanks, slots, side="right")
            return (self._spoken.interval_s or 1.0) * slots[kept].astype(np.float64), kept
        at_s = times.at_s[kept]
        steps_s = np.diff(at_s)
        if at_s.size > 2 and bool((steps_s <= 0).all()) and bool((steps_s < 0).any()):
            findings.append(
                Finding("newest first", "The newest sample stands first: the rows were read from the last.")
            )
            kept, at_s = np.arange(self._table.rows)[kept][::-1], at_s[::-1]
        if times.zero is not None and at_s[0] != 0.0:
            at_s = at_s - at_s[0]
        return at_s, kept

    # ------------------------------------------------------------ what was found

    def _left_out(self) -> list[Finding]:
        """Refuse bad rows, or report those that were left out as asked."""
        table = self._table
        found = [
            Finding(
                "left out",
                f"{len(rows)} lines were no samples and took no time ({reason}): rows {_rows(rows)}.",
                rows[0],
            )
            for reason, rows in table.ignored.items()
        ]
        if self._spoken.interval_s is not None and self._table.blanks.size:
            rows = [int(self._table.row[index - 1]) + 1 for index in self._table.blanks.tolist()]
            if not self._spoken.skip_bad_rows:
                raise ValueError(
                    f"row {rows[0]} is blank{f' (and {len(rows) - 1} more)' if len(rows) > 1 else ''}: was there a "
                    "sample? --bad-rows skip counts the time of each"
                )
            found.append(
                Finding("bad row", f"{len(rows)} blank lines were taken for samples left out: {_rows(rows)}.", rows[0])
            )
        if not self._bad:
            return found
        bad = sorted(self._bad.items())
        if not self._spoken.skip_bad_rows:
            index, why = bad[0]
            more = f" (and {len(bad) - 1} more bad row{'s' * (len(bad) > 2)})" if len(bad) > 1 else ""
            raise ValueError(
                f"row {table.row[index]}{why}{more}; --bad-rows skip leaves such rows out and reports them"
            )
        for index, why in bad[:LISTED]:
            row = int(table.row[index])
            found.append(Finding("bad row", f"Row {row}{why}; it was left out as asked.", row))
        if len(bad) > LISTED:
            rows = [int(table.row[index]) for index, _ in bad[LISTED:]]
            found.append(Finding("bad row", f"{len(rows)} more rows were left out like these: {_rows(rows)}.", rows[0]))
        if self._spoken.interval_s is not None:
            found.append(
                Finding(
                    "bad row", f"Each row that was left out still took its {self._spoken.interval_s:g} s (--interval)."
                )
            )
        return found

    def _not_at_rest(self, unstable: NDArray[np.bool_] | None, good: NDArray[np.bool_]) -> list[Finding]:
        if unstable is None:
            return []
        count = int((unstable & good).sum())
        if not count:
            return []
        out = self._spoken.leave_unstable_out
        verb = "left out as asked" if out else "used: a pump that delivers moves it (--unstable leave-out)"
        first = int(self._table.row[np.flatnonzero(unstable & good)[0]])
        return [
            Finding(
                "not at rest",
                f"Of {int(good.sum())} samples the balance marks {count} as not at rest, the first in row {first}; "
                f"they were {verb}.",
                first,
            )
        ]

    def _turned(self, times: Times) -> list[Finding]:
        if not times.turns:
            return []
        rows = [int(self._table.row[index]) for index in times.turns]
        return [Finding("clock", f"The clock begins again before row {_rows(rows)}: it was taken to run on.", rows[0])]

    def _built(
        self, kept: Kept, at_s: FloatArray, times: Times | None, weight: NumberColumn, pressure: NumberColumn | None
    ) -> BalanceLog:
        factor = _TO_G.get(weight.unit.dimension, 1.0 / self._spoken.density_g_per_ml)
        rows = np.arange(self._table.rows)[kept] if self._table.events else np.arange(0)
        places = [(int(np.searchsorted(rows, event.index)), event) for event in self._table.events]
        zero = times.zero if times is not None else None
        return BalanceLog(
            at_s=at_s,
            mass_g=weight.values[kept] * factor if factor != 1.0 else weight.values[kept],
            pressure_kpa=pressure.values[kept] if pressure is not None else None,
            row=self._table.row[kept],
            zero=zero,
            is_volume=self._columns.what != "mass",
            is_flow=self._columns.what == "flow",
            resolution_g=weight.resolution * factor,
            events=tuple((place, event) for place, event in places if 0 < place < at_s.size),
        )

    def _tell(self, weight: NumberColumn, pressure: NumberColumn | None, times: Times | None) -> None:
        told, table, columns = self._told, self._table, self._columns
        header = "" if table.has_header else "; there is no header, row 1 is a sample"
        told.sentences.append(f"Read as {table.form}{header}.")
        told.sentences += table.notes
        if times is not None:
            told.sentences.append(times.sentence)
            told.options |= times.options
            told.order_open = times.order_open
            if times.order_open:
                told.sentences.append("Day and month may be the other way round: the durations are the same.")
        elif self._spoken.interval_s is not None:
            told.sentences.append(f"Time: no column; a sample every {self._spoken.interval_s:g} s (--interval).")
            told.options["--interval"] = f"{self._spoken.interval_s:g} s"
        for column, read, what in ((columns.weight, weight, columns.what), (self._pressure, pressure, "pressure")):
            if column is None or read is None:
                continue
            said = "by an option" if getattr(self._spoken, f"{what}_unit") is not None else "in the file"
            sign = f", decimal {'comma' if read.decimal == ',' else 'point'}" if read.decimal is not None else ""
            told.sentences.append(
                f"{what.capitalize()}: column {column.name!r}, in {read.unit.name} (said {said}){sign}."
            )
            told.options |= {f"--{what}-column": column.name, f"--{what}-unit": read.unit.name}
            if read.decimal == ",":
                told.options["--decimal"] = "comma"
            if read.note is not None:
                told.sentences.append(read.note)
        told.sentences += columns.notes


def _agree(one: FloatArray, other: FloatArray) -> bool:
    both = np.isfinite(one) & np.isfinite(other)
    if both.sum() < 2:
        return False
    one_s, other_s = one[both] - one[both][0], other[both] - other[both][0]
    step_s = float(np.median(np.abs(np.diff(one_s))))
    return bool(np.abs(one_s - other_s).max() <= max(SAME_S, step_s))


def _rows(rows: Sequence[int]) -> str:
    named = ", ".join(str(row) for row in rows[:8])
    return f"{named} and {len(rows) - 8} more" if len(rows) > 8 else named

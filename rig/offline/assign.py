"""Which column of a table is what: by option, by name, by what stands in it. Two that could be meant are refused.

Not responsible for parsing cells (`numbers`, `moments`).
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from rig.offline.cells import NO_READING, STABLE, UNSTABLE, number_unit
from rig.offline.headers import (
    DATES,
    DIMENSIONS,
    WORDS,
    Column,
    Header,
    checked_unit,
    chosen,
    headed,
    listed,
    means,
    split_header,
)
from rig.offline.moments import kind_of_cells
from rig.offline.spellings import Unit, unit_of
from rig.offline.spoken import Spoken
from rig.offline.table import Table

QUANTITIES = ("mass", "volume", "flow")
"""What a log may hold of the liquid, in the order in which a file that has several is read."""


@dataclass(frozen=True)
class TimeColumns:
    """The column of the moments, and that of their dates when these stand apart."""

    clock: Column
    date: Column | None
    kind: str


class Assignment:
    """The columns of one table.

    Attributes:
        what: mass, volume or flow.
        weight: its column.
        notes: what was assumed, a sentence each.
    """

    def __init__(self, table: Table, spoken: Spoken) -> None:
        self._table = table
        self._spoken = spoken
        no_name = Header((), None, None, None)
        self.headers = [split_header(name) if table.has_header else no_name for name in table.columns]
        self._first = [] if table.has_header else [column[0] or "" for column in table.cells]
        self._kinds: dict[int, str] = {}
        self.notes: list[str] = []
        self.what, self.weight = self._weight()

    def kind(self, index: int) -> str:
        """Say what a column holds: timestamp, date, clock, number, other."""
        if index not in self._kinds:
            self._kinds[index] = kind_of_cells(self._table.cells[index])
        return self._kinds[index]

    def headed(self) -> str:
        """Say which columns there are."""
        if self._table.has_header:
            return headed(self._table.columns)
        return (
            f"the file has no header, its columns are {listed(self._table.columns)}: say which is which by their "
            "numbers, such as --time-column 1 --time-unit s --mass-column 2 --mass-unit mg (or --header-row)"
        )

    # ------------------------------------------------------------ quantities

    def pressure(self) -> Column | None:
        """Find the line pressure."""
        return self._column("pressure")

    def rate(self) -> Column | None:
        """Find the programmed rate, if a column tells it."""
        found = [index for index in self._worded("rate") if self._fits(index, "rate")]
        return Column(found[0], self._table.columns[found[0]], self.headers[found[0]].unit) if len(found) == 1 else None

    def _weight(self) -> tuple[str, Column]:
        named = [what for what in QUANTITIES if getattr(self._spoken, f"{what}_column") is not None]
        if len(named) > 1:
            raise ValueError(f"--{named[0]}-column and --{named[1]}-column exclude each other: an analysis needs one")
        for what in named or QUANTITIES:
            found = self._column(what)
            if found is not None:
                return what, found
        for what in QUANTITIES:
            found = self._by_unit(what)
            if found is not None:
                return what, found
        raise ValueError(
            f"there is no mass, volume or flow column; {self.headed()}"
            + (": say which by --mass-column, --volume-column or --flow-column" if self._table.has_header else "")
        )

    def _column(self, what: str) -> Column | None:
        named = getattr(self._spoken, f"{what}_column", None)
        if named is not None:
            return self._with_unit(chosen(self._table.columns, self._first, named, what), what)
        found = self._worded(what)
        fitting = [index for index in found if self._fits(index, what)]
        measured = [index for index in fitting if self.kind(index) == "number"]
        found = measured or fitting or [index for index in found if not self._is_other(index, what)]
        if len(found) > 1:
            names = [self._table.columns[index] for index in found]
            if len(set(names)) == 1:
                places = " and ".join(str(index + 1) for index in found)
                raise ValueError(
                    f"the columns {places} are both named {names[0]!r}: say which by its number, --{what}-column "
                    f"{found[0] + 1}"
                )
            raise ValueError(f"the columns {listed(names)} could each be the {what}: say which by --{what}-column")
        return self._with_unit(found[0], what) if found else None

    def _worded(self, what: str) -> list[int]:
        """Find columns whose name speaks of a quantity; a first word outweighs later ones."""
        first, later = [], []
        for index, header in enumerate(self.headers):
            if not means(header, what):
                continue
            if header.words[0] in WORDS[what]:
                first.append(index)
            elif not any(
                header.words[0] in words and self._fits(index, other)
                for other, words in WORDS.items()
                if other != what and other in DIMENSIONS
            ):
                later.append(index)
        return first or later

    def _fits(self, index: int, what: str) -> bool:
        unit = self.headers[index].unit
        return unit is None or unit.dimension in DIMENSIONS[what]

    def _is_other(self, index: int, what: str) -> bool:
        """Tell whether the unit of a column is that of another quantity a log may hold: it was not meant, then."""
        unit = self.headers[index].unit
        others = [other for other in (*QUANTITIES, "pressure") if other != what]
        return unit is not None and any(
            unit.dimension in DIMENSIONS[other] and means(self.headers[index], other) for other in others
        )

    def _by_unit(self, what: str) -> Column | None:
        """Find the one column with a unit of the quantity, in its name, its cells or the column behind it."""
        found = []
        for index, header in enumerate(self.headers):
            if means(header, "rate") and what == "flow":
                continue
            unit = header.unit if header.unit is not None else self._unit_in_cells(index)
            if unit is not None and unit.dimension in DIMENSIONS[what] and self.kind(index) == "number":
                found.append(index)
        if not self._table.has_header and not found and getattr(self._spoken, f"{what}_unit") is not None:
            found = [index for index in range(len(self.headers)) if self.kind(index) == "number"]
            if len(found) == 2 and self._spoken.time_column is None and self._rises(found[0]):
                self.notes.append("Column 1 was taken for the time, since it rises all the way.")
                found = found[1:]
        if len(found) != 1:
            return None
        name = self._table.columns[found[0]]
        self.notes.append(f"Column {name!r} was taken for the {what}: no other has such a unit.")
        return self._with_unit(found[0], what)

    def _rises(self, index: int) -> bool:
        values = self._table.cells[index].cast(pl.Float64, strict=False).drop_nulls()
        return len(values) > 1 and bool((values.diff().drop_nulls() > 0).all())

    def _unit_in_cells(self, index: int) -> Unit | None:
        cell = next((cell for cell in self._table.cells[index].head(50).to_list() if cell), "")
        inside = number_unit(cell)
        if inside:
            return unit_of(inside)
        behind = self.unit_behind(index)
        if behind is None or inside is None:
            return None
        return unit_of(next(cell for cell in self._table.cells[behind].to_list() if cell))

    def _with_unit(self, index: int, what: str) -> Column:
        name, header = self._table.columns[index], self.headers[index]
        option = getattr(self._spoken, f"{what}_unit", None)
        unit = checked_unit(what, name, header, option, ignore_header=self._spoken.ignore_header_units)
        return Column(index, name, unit, header.form)

    def unit_behind(self, index: int) -> int | None:
        """Find the column right behind another that holds nothing but units; None when it holds anything else."""
        if index + 1 >= len(self._table.cells):
            return None
        values = [value for value in self._table.cells[index + 1].unique().to_list() if value]
        if values and len(values) <= 4 and all(unit_of(value) is not None and not value.isdigit() for value in values):
            return index + 1
        return None

    def flags(self) -> int | None:
        """Find the column of the balance's stability flags; None without one."""
        known = STABLE | UNSTABLE | NO_READING
        for index in range(len(self._table.cells)):
            if index == self.weight.index or self.kind(index) in ("timestamp", "date", "clock", "number"):
                continue
            values = self._table.cells[index].unique().to_list()
            lower = {value.lower() for value in values if value}
            if lower and lower <= known and len(lower) <= 6 and (lower & UNSTABLE or lower & STABLE):
                return index
        return None

    # ------------------------------------------------------------ times

    def times(self) -> list[TimeColumns]:
        """Find the columns that could be the time; several when a file tells it in several ways."""
        named = self._spoken.time_column
        if named is not None:
            return [self._time(chosen(self._table.columns, self._first, named, "time"))]
        found = [index for index in self._worded("time") if index != self.weight.index]
        found = [index for index in found if self._fits(index, "time") and self.kind(index) != "other"] or found
        if not found:
            found = [
                index
                for index, header in enumerate(self.headers)
                if index != self.weight.index
                and (
                    self.kind(index) in ("timestamp", "date", "clock")
                    or (header.unit is not None and header.unit.dimension == "time_s" and self.kind(index) == "number")
                )
            ]
        if not found and not self._table.has_header:
            numeric = [index for index in range(len(self.headers)) if self.kind(index) == "number"]
            spoken = self._spoken.time_unit is not None or self._unit_of_time(numeric)
            if len(numeric) == 2 and numeric[1] == self.weight.index and self._rises(numeric[0]) and spoken:
                found = numeric[:1]
        dates = [index for index in found if self.kind(index) == "date"]
        sure = (
            [index for index in found if index not in dates] if any(self.kind(i) == "clock" for i in found) else found
        )
        return [self._time(index) for index in sure]

    def _unit_of_time(self, numeric: list[int]) -> bool:
        unit = self._unit_in_cells(numeric[0]) if numeric else None
        return unit is not None and unit.dimension == "time_s"

    def _time(self, index: int) -> TimeColumns:
        kind = self.kind(index)
        column = self._with_unit(index, "time")
        if kind == "clock":
            date = self._date(index)
            return TimeColumns(column, date, kind)
        if kind == "date":
            clocks = [other for other in range(len(self.headers)) if other != index and self.kind(other) == "clock"]
            if len(clocks) == 1:
                return TimeColumns(self._with_unit(clocks[0], "time"), column, "clock")
        return TimeColumns(column, None, kind)

    def _date(self, clock: int) -> Column | None:
        if self._spoken.date_column is not None:
            index = chosen(self._table.columns, self._first, self._spoken.date_column, "date")
            return Column(index, self._table.columns[index], None)
        found = [index for index in range(len(self.headers)) if index != clock and self.kind(index) == "date"]
        worded = [index for index in found if DATES & set(self.headers[index].words)]
        found = worded if len(worded) == 1 else found
        if len(found) > 1:
            names = [self._table.columns[index] for index in found]
            raise ValueError(f"the columns {listed(names)} could each hold the dates: say which by --date-column")
        return Column(found[0], self._table.columns[found[0]], None) if found else None

"""Workbooks (.xlsx, .xlsm, .xlsb, .xls, .ods) with a header row, read by Calamine.

Not responsible for what the cells mean (`columns`). Formulas count with the value that was last saved.
"""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import polars as pl
from python_calamine import CalamineError, CalamineWorkbook

from rig.errors import DataFileError
from rig.offline.cells import is_measured
from rig.offline.headers import listed, speaks
from rig.offline.table import Table

MAGIC = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
"""How a zip archive (.xlsx, .ods) and a compound file (.xls) begin."""


def read_workbook(path: Path, sheet: str | None, *, header_row: str | None = None) -> Table:
    """Read one sheet, the first that holds rows unless it is named; rows above the header are comments.

    Raises:
        DataFileError: no workbook, no such sheet, or no row below the header.
    """
    try:
        book = CalamineWorkbook.from_path(path)
        names = book.sheet_names
        if sheet is not None and sheet not in names:
            raise DataFileError(f"{path}: has no sheet {sheet!r}; it has {listed(names)}")
        for name in [sheet] if sheet is not None else names:
            values = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
            rows = [(n, [_text(value) for value in row]) for n, row in enumerate(values, start=1)]
            filled = [(n, row) for n, row in rows if any(row)]
            if len(filled) >= 2:
                return _table(path, name, names, filled, header_row)
    except DataFileError:
        raise
    except (CalamineError, OSError, ValueError, OverflowError, KeyError) as error:
        raise DataFileError(f"{path}: cannot be read as an Excel workbook: {_first_line(error)}") from None
    except BaseException as error:  # a damaged file makes the reader's Rust code panic, which is no Exception
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        raise DataFileError(f"{path}: cannot be read as an Excel workbook: it is damaged") from None
    which = f"sheet {sheet!r}" if sheet is not None else "no sheet"
    raise DataFileError(f"{path}: {which} {'holds no' if sheet is not None else 'holds a'} header with rows below it")


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or ["it is damaged"])[0][:200]


def _table(path: Path, name: str, names: list[str], rows: list[tuple[int, list[str]]], header_row: str | None) -> Table:
    comments = [cells[0].lstrip("#").strip() for _, cells in rows if cells[0].startswith("#")]
    table = [(number, cells) for number, cells in rows if not cells[0].startswith("#")]
    header = _header(path, table, header_row)
    width = max(len(cells) for _, cells in table)
    if header is None:
        columns = [f"column {number}" for number in range(1, width + 1)]
        below = table
    else:
        columns = table[header][1]
        below = table[header + 1 :]
        comments += [" ".join(cells).strip() for _, cells in table[:header]]
    if not below:
        raise DataFileError(f"{path}: sheet {name!r} holds no header with rows below it")
    filled = [any(index < len(c) and c[index] for _, c in below) for index in range(width)]
    named = [index < len(columns) and bool(columns[index]) for index in range(width)]
    used = max((index + 1 for index in range(width) if filled[index] or named[index]), default=0)
    columns = [*columns, *[""] * used][:used]
    cells = tuple(
        pl.Series([c[index] if index < len(c) else None for _, c in below], dtype=pl.String) for index in range(used)
    )
    notes = [f"Of the sheets {listed(names)}, {name!r} was read."] if len(names) > 1 else []
    return Table(
        form=f"Excel workbook, sheet {name}",
        columns=tuple(columns),
        cells=cells,
        row=np.array([number for number, _ in below], dtype=np.int64),
        has_header=header is not None,
        comments=tuple(comments),
        notes=tuple(notes),
    )


def _header(path: Path, table: list[tuple[int, list[str]]], header_row: str | None) -> int | None:
    if header_row == "none":
        return None
    if header_row is not None:
        for index, (number, _) in enumerate(table):
            if number == int(header_row):
                return index
        raise DataFileError(f"{path}: --header-row {header_row}: that row is empty or not there")
    starts = [
        index
        for index in range(len(table))
        if _measured(table[index][1]) and (index == 0 or not _measured(table[index - 1][1]))
    ]
    for first in starts:
        if first > 0 and speaks(table[first - 1][1]):
            return first - 1
    if starts and starts[0] == 0:
        return None
    return starts[0] - 1 if starts else 0


def _measured(cells: list[str]) -> bool:
    return any(is_measured(cell) for cell in cells)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime.timedelta):
        return f"{value.total_seconds() / 3600.0:.0f}:00:00" if value.total_seconds() % 3600 == 0 else _clock(value)
    return value.isoformat() if isinstance(value, datetime.date | datetime.time) else str(value).strip()


def _clock(value: datetime.timedelta) -> str:
    whole = value // datetime.timedelta(microseconds=1)
    seconds, micros = divmod(whole, 1_000_000)
    fraction = f".{micros:06d}" if micros else ""
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{fraction}"

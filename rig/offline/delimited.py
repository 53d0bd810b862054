"""CSV, TSV and the like: delimiter and header found from the first lines, rows read as text.

Large clean files are read by Polars, others by the csv module; both give the same table, or a sentence. Not responsible
for what the cells mean (`columns`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from rig.errors import DataFileError
from rig.offline.cells import is_measured
from rig.offline.headers import speaks
from rig.offline.rows import Rows, Shape, Split, is_comment, read_rows, splitter
from rig.offline.spellings import unit_of
from rig.offline.table import Table
from rig.offline.text import LOST, TextFile, ends_with_a_line

DELIMITERS = ("\t", ";", "|", ",")
"""In the order of trust: a comma may be a decimal sign."""

HEAD = 400
"""So many lines decide on delimiter and header."""

ENOUGH = 0.5
"""A delimiter cuts this share of the first lines, or more, into equally many cells."""

_NAMES = {"\t": "tabs", ";": "semicolons", "|": "bars", ",": "commas", "  ": "blanks", " ": "single blanks", "": "none"}


def read_delimited(file: TextFile, *, delimiter: str | None = None, header_row: str | None = None) -> Table:
    """Read delimited text; `header_row` is the number of the header's line, or "none".

    Raises:
        DataFileError: no rows, or a quotation mark that is never closed.
    """
    head = [line.rstrip("\r\n") for line in islice(file.lines(), HEAD)]
    shape = _shape(file.path, head, delimiter, header_row)
    table = _table(file, shape, read_rows(file, shape))
    if not table.rows:
        raise DataFileError(f"{file.path}: holds a header and no row below it")
    return table


def _shape(path: Path, head: list[str], delimiter: str | None, header_row: str | None) -> Shape:
    comments = tuple(line.lstrip().lstrip("#/%").strip() for line in head if is_comment(line))
    hint = re.fullmatch(r"\ufeff?sep=(.)\s*", head[0]) if head else None
    start = 1 if hint is not None else 0
    if head and all(line.startswith(LOST) for line in head if line.strip()):
        raise DataFileError(f"{path}: is neither text nor a workbook (.xlsx, .xls, .ods)")
    if not any(line.strip() and not is_comment(line) for line in head[start:]):
        raise DataFileError(f"{path}: is empty: it holds no header row")
    if delimiter is None:
        delimiter = hint[1] if hint is not None else _delimiter([line for line in head[start:] if not is_comment(line)])
    split = splitter(delimiter)
    rows = {
        number: split(line) for number, line in enumerate(head)
        if number >= start and line.strip() and not is_comment(line) and not line.startswith(LOST)
    }  # fmt: skip
    header, first = _header(path, head, rows, header_row, split)
    columns: list[str] = []
    if header is not None:
        written = head[header].lstrip().lstrip("#/%") if is_comment(head[header]) else head[header]
        columns = _names(written, split, delimiter, rows.get(first, []))
        units = [number for number in rows if header < number < first]
        if units:
            columns = [_with_unit(name, cell) for name, cell in _padded(columns, rows[units[-1]])]
        while len(columns) > 1 and not columns[-1]:
            columns.pop()
    elif rows:
        columns = [f"column {number}" for number in range(1, max(len(cells) for cells in rows.values()) + 1)]
    above = tuple(number for number in rows if number < (header if header is not None else first))
    texts = tuple(head[number].strip() for number in above)
    return Shape(delimiter, tuple(columns), header, first, (*comments, *texts), above)


def _delimiter(lines: Sequence[str]) -> str:
    """Find the delimiter that cuts most lines into equally many cells; the header alone decides for a short file."""
    filled = [line for line in lines if line.strip() and not line.startswith(LOST)]
    for candidate in (*DELIMITERS, "  ", " "):
        counts = Counter(len(splitter(candidate)(line)) for line in filled)
        counts.pop(1, None)
        if not counts:
            continue
        count, how_often = counts.most_common(1)[0]
        if how_often >= ENOUGH * len(filled) or (candidate in filled[0] and candidate.strip() and count > 1):
            return candidate
    return ""


def _header(
    path: Path, head: list[str], rows: dict[int, list[str]], header_row: str | None, split: Split
) -> tuple[int | None, int]:
    """Find the line of the header, None for none, and that of the first row, both counted from 0."""
    numbers = list(rows)
    if header_row is not None and header_row != "none":
        said = int(header_row) - 1
        if not 0 <= said < len(head) or not head[said].strip():
            raise DataFileError(f"{path}: --header-row {header_row}: there is no such row among the first {len(head)}")
        below = [number for number in numbers if number > said]
        first = next((number for number in below if _is_row(rows[number])), said + 1)
        units_only = all(_is_units(rows[number]) for number in below if number < first)
        return said, first if units_only else said + 1
    data = [number for number in numbers if _is_row(rows[number])]
    if not data:
        return (numbers[0], numbers[0] + 1) if header_row is None else (None, numbers[0])
    if header_row == "none":
        return None, data[0]
    runs = [
        number for at, number in enumerate(data) if at == 0 or numbers.index(number) != numbers.index(data[at - 1]) + 1
    ]
    lengths = {first: _run_length(numbers, set(data), first) for first in runs}
    named: list[tuple[int, int, int]] = []
    for first in runs:
        header = _header_above(head, rows, numbers, first, split)
        score = 0 if header is None else speaks(rows.get(header) or split(head[header].lstrip().lstrip("#/%")))
        if header is not None and score > 1:
            return header, _begin(header, first, rows, numbers)
        if header is not None and score == 1:
            named.append((lengths[first], header, first))
    if named:
        _, header, first = max(named, key=lambda each: each[0])
        return header, _begin(header, first, rows, numbers)
    first = next((number for number in runs if lengths[number] >= 3), runs[0])
    return _header_above(head, rows, numbers, first, split), first


def _begin(header: int, first: int, rows: dict[int, list[str]], numbers: list[int]) -> int:
    """Give the first row: lines of faults right below the header are rows, too; a line of units is none."""
    between = [number for number in numbers if header < number < first]
    return next((number for number in between if not _is_units(rows[number])), first)


_FAULT = re.compile(r"(?i)#?n/?a|#\w+[!?]?|nan|null|none|err\w*\s*\w*|-+|ol|overload|\?+|inf|")
"""Cells that name no column: what stands where a first reading failed."""


def _run_length(numbers: list[int], data: set[int], first: int) -> int:
    at = numbers.index(first)
    return next((n for n, number in enumerate(numbers[at:]) if number not in data), len(numbers) - at)


def _header_above(
    head: list[str], rows: dict[int, list[str]], numbers: list[int], first: int, split: Split
) -> int | None:
    """Give the line right above the first row that holds names; a line of units may stand between."""
    above = [number for number in numbers if number < first]
    if above and _is_units(rows[above[-1]]) and len(above) > 1:
        above.pop()
    while len(above) > 1 and all(_FAULT.fullmatch(cell) for cell in rows[above[-1]]):
        above.pop()
    if above and not _is_row(rows[above[-1]]) and (len(rows[above[-1]]) > 1 or len(rows[first]) == 1):
        return above[-1]
    commented = [number for number in range(first) if is_comment(head[number])]
    if commented and not above:
        cells = split(head[commented[-1]].lstrip().lstrip("#/%"))
        if len(cells) > 1 and speaks(cells) and abs(len(cells) - len(rows[first])) <= 1:
            return commented[-1]
    return None


def _is_row(cells: Sequence[str]) -> bool:
    """Tell whether a line holds measured values: at least one, and not in a lone cell beside a name."""
    return any(is_measured(cell) for cell in cells)


def _is_units(cells: Sequence[str]) -> bool:
    filled = [cell.strip("[]() ") for cell in cells if cell]
    known = [unit_of(cell) is not None or re.fullmatch(r"[dhms:.]+", cell) is not None for cell in filled]
    return bool(filled) and all(known)


def _names(line: str, split: Split, delimiter: str, first: Sequence[str]) -> list[str]:
    """Cut the header; between single blanks, a unit in brackets belongs to the name before it."""
    names = split(line)
    if delimiter.isspace() and len(names) != len(first) and delimiter != "\t":
        joined = re.findall(r"[^\s\[(]+(?:\s*[\[(][^\])]*[\])])?", line)
        if len(joined) == len(first):
            return joined
    return names


def _with_unit(name: str, unit: str) -> str:
    return f"{name} [{unit.strip('[]() ')}]" if unit.strip("[]() ") and unit_of(name) is None else name


def _padded(names: list[str], units: list[str]) -> Iterator[tuple[str, str]]:
    return zip(names, [*units, *[""] * len(names)], strict=False)


def _table(file: TextFile, shape: Shape, rows: Rows) -> Table:
    """Put the rows below their header, with what was noticed of the file."""
    notes = list(file.notes)
    if shape.above:
        first, last = shape.above[0] + 1, shape.above[-1] + 1
        where = f"Row {first} stands" if first == last else f"The rows {first} to {last} stand"
        notes.append(f"{where} above the header and {'was' if first == last else 'were'} not read as samples.")
    return Table(
        form=f"delimited text ({_NAMES.get(shape.delimiter, repr(shape.delimiter))} between cells)"
        if shape.delimiter
        else "text of one column",
        columns=shape.columns,
        cells=rows.cells,
        row=rows.row,
        damaged=rows.damaged,
        blanks=rows.blanks,
        has_header=shape.header is not None,
        comments=shape.comments,
        notes=tuple(notes),
        delimiter=shape.delimiter,
        cut=not ends_with_a_line(file.path),
        ignored={"comments between the rows": rows.remarks} if rows.remarks else {},
    )

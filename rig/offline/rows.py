"""Rows of delimited text: whole blocks by Polars where they are clean, others line by line with the number of each.

Not responsible for finding the delimiter and the header (`delimited`) nor for what cells mean (`columns`).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

import numpy as np
import polars as pl
from numpy.typing import NDArray

from rig.errors import DataFileError
from rig.offline.table import blanks_between
from rig.offline.text import LOST, TextFile, cleaned

CHUNK = 100_000
LARGE_BYTES = 4_000_000
BLOCK = 1 << 24
COMMENT = ("#", "//", "%")
_CONTROLS = bytes({*range(32), 127} - {9, 10, 13})
_LOST_REASON = " holds NUL characters, as a logger leaves that lost its power"

Split = Callable[[str], list[str]]


@dataclass(frozen=True)
class Shape:
    """How a text file is laid out: delimiter, which line is the header (None: none), where the rows begin (from 0)."""

    delimiter: str
    columns: tuple[str, ...]
    header: int | None
    first: int
    comments: tuple[str, ...]
    above: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows as read: cells of each column, shape (n,), the line of each row, what is wrong, comments, blank lines."""

    cells: tuple[pl.Series, ...]
    row: NDArray[np.int64]
    damaged: Mapping[int, str]
    remarks: tuple[int, ...]
    blanks: NDArray[np.int64]


def is_comment(line: str) -> bool:
    """Tell whether a line is a comment; the errors of spreadsheets begin alike."""
    text = line.lstrip()
    return text.startswith(COMMENT) and not text.upper().startswith(("#N/A", "#DIV", "#REF", "#VAL", "#NUM", "#NAME"))


def splitter(delimiter: str) -> Split:
    """Give what cuts a line into cells; "" cuts nothing, "  " at two blanks or more, " " at any."""
    if delimiter == "":
        return lambda line: [line.strip()]
    if delimiter == "  ":
        return lambda line: re.split(r"\s{2,}", line.strip())
    if delimiter == " ":
        return lambda line: line.split()

    def split(line: str) -> list[str]:
        try:
            return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])]
        except csv.Error:
            return [cell.strip() for cell in line.split(delimiter)]

    return split


def read_rows(file: TextFile, shape: Shape) -> Rows:
    """Read all rows below the header.

    Raises:
        DataFileError: there are none, or a quotation mark is never closed.
    """
    large = file.path.stat().st_size >= LARGE_BYTES
    found = _in_blocks(file, shape) if large and file.encoding == "utf-8" and len(shape.delimiter) == 1 else None
    if found is None:
        found = _Gathered(shape)
        found.take(_numbered(file, shape, islice(file.lines(), shape.first, None), shape.first))
    rows = found.rows()
    if not rows.row.size:
        raise DataFileError(f"{file.path}: holds a header and no row below it")
    return rows


class _Gathered:
    """Rows gathered one by one, or a block at a time."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._pending: list[list[str | None]] = []
        self._chunks: list[list[pl.Series]] = [[] for _ in shape.columns]
        self._numbers: list[NDArray[np.int64]] = []
        self._lines: list[int] = []
        self._damaged: dict[int, str] = {}
        self._remarks: list[int] = []
        self._blanks: list[int] = []
        self._count = 0

    def take(self, numbered: Iterable[tuple[int, list[str]]]) -> None:
        """Take rows with their line numbers."""
        width = len(self._shape.columns)
        for number, cells in numbered:
            if not any(cell and not cell.isspace() for cell in cells):
                self._blanks.append(self._count)
                continue
            if cells[0].startswith(LOST):
                self._damaged[self._count] = _LOST_REASON
                cells = [""] * width
            elif is_comment(cells[0]):
                self._remarks.append(number)
                continue
            elif len(cells) > width and any(cell.strip() for cell in cells[width:]):
                beside = f"the header {width}" if self._shape.header is not None else f"other rows {width}"
                self._damaged[self._count] = (
                    f" holds {len(cells)} cells, {beside}: is a decimal comma taken for a delimiter?"
                )
            self._lines.append(number)
            self._pending.append([*cells[:width], *[None] * (width - len(cells))])
            self._count += 1
            if len(self._pending) == CHUNK:
                self._flush()

    def take_block(self, frame: pl.DataFrame, first: int) -> None:
        """Take clean rows, the first of which is line `first`."""
        self._flush()
        for index in range(frame.width):
            self._chunks[index].append(frame.to_series(index))
        self._numbers.append(np.arange(first, first + frame.height, dtype=np.int64))
        self._count += frame.height

    def _flush(self) -> None:
        for index, column in enumerate(zip(*self._pending, strict=True)):
            self._chunks[index].append(pl.Series(column, dtype=pl.String).str.strip_chars())
        self._numbers.append(np.array(self._lines, dtype=np.int64))
        self._pending.clear()
        self._lines.clear()

    def rows(self) -> Rows:
        """Give all that was gathered."""
        self._flush()
        cells = tuple(
            pl.concat(parts, rechunk=False) if parts else pl.Series([], dtype=pl.String) for parts in self._chunks
        )
        blanks = blanks_between(self._blanks, self._count)
        return Rows(cells, np.concatenate(self._numbers), self._damaged, tuple(self._remarks), blanks)


def _in_blocks(file: TextFile, shape: Shape) -> _Gathered | None:
    """Read blocks of whole lines; None when quotation marks or old ends of line may make a row of several lines."""
    gathered = _Gathered(shape)
    number = shape.first
    with file.path.open("rb") as opened:
        for _ in range(shape.first):
            opened.readline()
        while block := opened.read(BLOCK):
            bare = (block + opened.readline()).replace(b"\r\n", b"\n")
            if b'"' in bare or b"\r" in bare:
                return None
            frame = _block(bare, shape)
            if frame is not None:
                gathered.take_block(frame, number + 1)
            else:
                lines = [cleaned(line) for line in bare.decode("utf-8", errors="replace").split("\n")]
                gathered.take(_numbered(file, shape, lines, number))
            number += bare.count(b"\n")
    return gathered


def _block(bare: bytes, shape: Shape) -> pl.DataFrame | None:
    """Read whole lines; None when one of them is blank, a comment, damaged, longer or shorter than the header."""
    if any(sign in bare for sign in (b"\0", b"#", b"//", b"%", b"\n\n")) or bare.startswith(b"\n"):
        return None
    if bare.translate(None, _CONTROLS) != bare:
        return None
    try:
        frame = pl.read_csv(bare, has_header=False, infer_schema=False, separator=shape.delimiter, quote_char=None)
    except pl.exceptions.PolarsError:
        return None
    if frame.width != len(shape.columns) or frame.height != bare.count(b"\n") + (not bare.endswith(b"\n")):
        return None
    if any(frame.null_count().row(0)):
        return None
    return frame.select(pl.all().str.strip_chars()) if b" " in bare or b"\t" in bare else frame


def _numbered(file: TextFile, shape: Shape, lines: Iterable[str], before: int) -> Iterator[tuple[int, list[str]]]:
    """Give each row with the line it ends on; `before` lines stand above."""
    if len(shape.delimiter) != 1 or shape.delimiter == " ":
        split = splitter(shape.delimiter)
        for number, line in enumerate(lines, start=before + 1):
            yield number, split(line) if not line.startswith(LOST) else [LOST]
        return
    reader = csv.reader(lines, delimiter=shape.delimiter, skipinitialspace=True, strict=True)
    try:
        for cells in reader:
            yield before + reader.line_num, cells
    except csv.Error as error:
        raise DataFileError(f"{file.path}: row {before + reader.line_num}: {error}; is the file cut off?") from None

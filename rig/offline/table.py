"""A log as it stands in its file: columns of text cells with the line of each row. Means nothing yet.

Not responsible for reading a format (`delimited`, `printout`, `workbook`) nor for what a cell means (`columns`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
import polars as pl
from numpy.typing import NDArray


class Happened(Enum):
    """What a line between samples says about the balance."""

    RESTARTED = "restarted"
    ZEROED = "zeroed"


@dataclass(frozen=True)
class LogEvent:
    """Something between two samples: before the row at `index` (its number of rows when after the last)."""

    index: int
    row: int
    happened: Happened
    sentence: str


@dataclass(frozen=True, eq=False)
class Table:
    """What a reader found.

    Attributes:
        form: the kind of file, in words.
        columns: names of the columns, as the header writes them; `column 1` and so on without a header.
        cells: text of each column, without blanks around it, shape (n,); null where a row ends before the column.
        row: line in the file of each row, shape (n,).
        damaged: why a row is no sample, by its index; half a sentence that follows "row 7".
        has_header: the names stand in the file.
        comments: lines before the header, without "#".
        notes: how the file was read, a sentence each.
        delimiter: between cells; None for files without one.
        cut: the last line has no end: it may be cut off.
        blanks: blank lines between rows, as the number of rows before each; none where every other line is blank.
        events: restarts and tares that lines between samples tell of.
        unstable: of print-outs, which samples the balance marked as not at rest, shape (n,).
        ignored: lines that are no samples and took no time, by reason, with their line numbers.
    """

    form: str
    columns: tuple[str, ...]
    cells: tuple[pl.Series, ...]
    row: NDArray[np.int64]
    damaged: Mapping[int, str] = field(default_factory=dict)
    has_header: bool = True
    comments: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    delimiter: str | None = None
    cut: bool = False
    blanks: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    events: tuple[LogEvent, ...] = ()
    unstable: NDArray[np.bool_] | None = None
    ignored: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self.row.size)


def blanks_between(places: Sequence[int], rows: int) -> NDArray[np.int64]:
    """Give the places of blank lines that may have been samples: not around the rows, nor double spacing."""
    inside = np.array([place for place in places if 0 < place < rows], dtype=np.int64)
    return inside if inside.size < 0.45 * rows else inside[:0]


def shown(text: str) -> str:
    """Quote a cell for a sentence: on one line, cut after 40 characters."""
    return repr(text if len(text) <= 40 else f"{text[:37]}...")

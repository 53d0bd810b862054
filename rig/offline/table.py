"""A log as it stands in its file: rows of text cells with their line numbers. Means nothing yet.

Not responsible for reading a format (`delimited`, `sics`, `excel`) nor for what a cell means (`cells`, `columns`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """What a reader found.

    Attributes:
        form: the kind of file, in words.
        columns: names of the columns, as the header writes them.
        rows: (line number in the file, cells) of each row; a row may hold fewer or more cells than there are columns.
        comments: lines before the header that begin with "#", without it.
        notes: what a reader of the result should know of how the file was read.
    """

    form: str
    columns: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    comments: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

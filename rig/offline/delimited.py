"""CSV and TSV logs with a header row; the delimiter is found by the csv module.

Not responsible for what the cells mean (`columns`).
"""

from __future__ import annotations

import csv
from pathlib import Path

from rig.errors import DataFileError
from rig.offline.table import Table

DELIMITERS = ";\t,|"


def read_delimited(path: Path, text: str) -> Table:
    """Read delimited text with a header row; lines before it that begin with "#" are comments.

    Raises:
        DataFileError: no header, no row below it, or a quotation mark that is never closed.
    """
    lines = text.splitlines(keepends=True)
    first = next((number for number, line in enumerate(lines) if line.strip() and not _is_comment(line)), None)
    if first is None:
        raise DataFileError(f"{path}: is empty: it holds no header row")
    comments = tuple(line.strip().lstrip("#").strip() for line in lines[:first] if _is_comment(line))
    dialect = _dialect(lines[first])
    reader = csv.reader(lines[first:], dialect, strict=True)
    rows: list[tuple[int, tuple[str, ...]]] = []
    try:
        columns = tuple(cell.strip() for cell in next(reader))
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((first + reader.line_num, tuple(cell.strip() for cell in cells)))
    except csv.Error as error:
        raise DataFileError(f"{path}: row {first + reader.line_num}: {error}; is the file cut off?") from None
    if not rows:
        raise DataFileError(f"{path}: holds a header and no row below it")
    return Table("delimited text", columns, tuple(rows), comments)


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _dialect(header: str) -> type[csv.Dialect]:
    """Find the delimiter in the header alone: a decimal comma below it would mislead. Without one it is one column."""
    try:
        return csv.Sniffer().sniff(header, delimiters=DELIMITERS)
    except csv.Error:
        return csv.excel

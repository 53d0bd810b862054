"""A file on disk to a table of cells: which reader, and the sum that identifies the file.

Not responsible for what the cells mean (`columns`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from rig.errors import DataFileError
from rig.offline.delimited import read_delimited
from rig.offline.printout import maker_of, read_printout, without_markers
from rig.offline.table import Table
from rig.offline.text import opened
from rig.offline.workbook import MAGIC, read_workbook


@dataclass(frozen=True)
class Source:
    """Which file was analysed: its name, bytes, SHA-256, what kind it is and how many rows it holds."""

    file: str
    bytes: int
    sha256: str
    form: str
    rows: int


@dataclass(frozen=True)
class Layout:
    """What was said of how a file is laid out; None where nobody said.

    Attributes:
        sheet: of a workbook.
        delimiter: between cells of a text file.
        header_row: number of the header's line, or "none".
    """

    sheet: str | None = None
    delimiter: str | None = None
    header_row: str | None = None


def read_table(path: Path, layout: Layout = Layout()) -> tuple[Source, Table]:
    """Read a log; the content decides which reader, not the name.

    Raises:
        DataFileError: the file cannot be read, is empty, or is no log.
    """
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise DataFileError(f"{path}: is a pipe or a device; name a file, which is read more than once")
        with path.open("rb") as file:
            head = file.read(4096)
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
        table = _table(path, head, layout)
    except OSError as error:
        raise DataFileError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        if "\0" not in str(path):
            raise
        raise DataFileError(f"{str(path)!r}: is no name of a file ({error})") from error
    return Source(path.name, size, digest, table.form, table.rows), table


def _table(path: Path, head: bytes, layout: Layout) -> Table:
    if not head.strip():
        raise DataFileError(f"{path}: is empty")
    if head.startswith(MAGIC):
        return read_workbook(path, layout.sheet, header_row=layout.header_row)
    if layout.sheet is not None:
        raise DataFileError(f"{path}: --sheet is for workbooks; this is a text file")
    text = opened(path)
    if layout.delimiter is None and layout.header_row is None:
        maker = maker_of(text)
        if maker is not None:
            return read_printout(text, maker)
    return without_markers(read_delimited(text, delimiter=layout.delimiter, header_row=layout.header_row))

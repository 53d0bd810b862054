"""A file on disk to a table of cells: which reader, which encoding, and the sum that identifies the file.

Not responsible for what the cells mean (`columns`).
"""

from __future__ import annotations

import codecs
import hashlib
from dataclasses import dataclass
from pathlib import Path

from rig.errors import DataFileError
from rig.offline.delimited import read_delimited
from rig.offline.excel import read_excel
from rig.offline.sics import is_sics, read_sics
from rig.offline.table import Table

_ZIP = b"PK\x03\x04"


@dataclass(frozen=True)
class Source:
    """Which file was analysed: its name, bytes, SHA-256, what kind it is and how many rows it holds."""

    file: str
    bytes: int
    sha256: str
    form: str
    rows: int


def read_table(path: Path, sheet: str | None = None) -> tuple[Source, Table]:
    """Read a log; the content decides which reader, not the name.

    Raises:
        DataFileError: the file cannot be read, is empty, or is no log.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataFileError(f"{path}: cannot be read ({error.strerror})") from error
    if not data.strip():
        raise DataFileError(f"{path}: is empty")
    if data.startswith(_ZIP):
        table = read_excel(path, sheet)
    else:
        text, notes = _decoded(data)
        if "\0" in text:
            raise DataFileError(f"{path}: is neither text nor an Excel workbook (.xlsx)")
        found = read_sics(path, text) if is_sics(text) else read_delimited(path, text)
        table = Table(found.form, found.columns, found.rows, found.comments, notes)
    return Source(path.name, len(data), hashlib.sha256(data).hexdigest(), table.form, len(table.rows)), table


def _decoded(data: bytes) -> tuple[str, tuple[str, ...]]:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace"), ()
    try:
        return data.decode("utf-8-sig"), ()
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace"), ("The text is no UTF-8; it was read as Windows-1252.",)

"""Excel workbooks (.xlsx) with a header row, read by openpyxl.

Not responsible for what the cells mean (`columns`). Formulas count with the value that was last saved.
"""

from __future__ import annotations

import datetime
import zipfile
from pathlib import Path

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from rig.errors import DataFileError
from rig.offline.table import Table


def read_excel(path: Path, sheet: str | None) -> Table:
    """Read one sheet, the first unless it is named; cells of a first column that begin with "#" are comments.

    Raises:
        DataFileError: no workbook, no such sheet, or no row below the header.
    """
    try:
        with path.open("rb") as file:  # from a file, not a path: openpyxl would judge by the name
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            if sheet is not None and sheet not in book.sheetnames:
                raise DataFileError(f"{path}: has no sheet {sheet!r}; it has {', '.join(map(repr, book.sheetnames))}")
            name = sheet or book.sheetnames[0]
            found = [
                (number, tuple(_text(value) for value in values))
                for number, values in enumerate(book[name].iter_rows(values_only=True), start=1)
            ]
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise DataFileError(f"{path}: cannot be read as an Excel workbook (.xlsx): {error}") from None
    filled = [(number, cells) for number, cells in found if any(cells)]
    comments = [cells[0].lstrip("#").strip() for _, cells in filled if cells[0].startswith("#")]
    table = [(number, cells) for number, cells in filled if not cells[0].startswith("#")]
    if len(table) < 2:
        raise DataFileError(f"{path}: sheet {name!r} holds no header with rows below it")
    return Table(f"Excel workbook, sheet {name}", table[0][1], tuple(table[1:]), tuple(comments))


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(value)
    return value.isoformat() if isinstance(value, datetime.date | datetime.time) else str(value).strip()

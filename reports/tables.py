"""The tables of analyses as CSV files.

Not responsible for the numbers (`reports.kinds`). Units stand in the names of the columns.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

Cell = float | int | str | None
Tables = dict[str, tuple[tuple[str, ...], list[tuple[Cell, ...]]]]
"""Columns and rows by the name of the table."""


def write_csv(path: Path, columns: Sequence[str], rows: Sequence[Sequence[Cell]], *, marks: Sequence[str]) -> None:
    """Write a CSV file whose first lines are comments with what each page must say."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(f"# {mark}\n" for mark in marks)
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)

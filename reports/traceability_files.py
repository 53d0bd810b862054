"""Writes the traceability matrix: matrix.csv, matrix.html and matrix.reqif in one folder.

Not responsible for what stands in them.
"""

from __future__ import annotations

from pathlib import Path

from reports.traceability_page import matrix_page
from reports.traceability_reqif import reqif_of
from reports.traceability_table import csv_of
from reports.traced import Matrix
from rig.errors import EvidenceError
from rig.record.files import write_whole

NAMES = ("matrix.csv", "matrix.html", "matrix.reqif")


def refuse_written(folder: Path) -> None:
    """Refuse a folder in which a matrix lies: nothing is overwritten; EvidenceError naming it."""
    for path in (folder / name for name in NAMES):
        if path.exists():
            raise EvidenceError(f"{path}: is there already, and nothing is overwritten; name another folder with --out")


def write_matrix(folder: Path, matrix: Matrix) -> list[Path]:
    """Write the three files, and return their paths.

    Raises:
        EvidenceError: the disk does not take them, or one of them is there.
    """
    refuse_written(folder)
    texts = (csv_of(matrix), matrix_page(matrix), reqif_of(matrix))
    paths = [folder / name for name in NAMES]
    for path, text in zip(paths, texts, strict=True):
        write_whole(path, text.encode())
    return paths

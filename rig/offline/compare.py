"""Several files beside each other: what was measured of each, and what was refused. Decides nothing."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from rig.offline.analyse import Supplied

COLUMNS = ("file", "quantity", "value", "expanded_uncertainty", "unit", "samples", "findings", "refused_because")


def rows_of(supplied: Sequence[Supplied], refused: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Give a row for each measured value of each file, and one for each file that was refused, as text."""
    rows: list[tuple[str, ...]] = []
    for each in supplied:
        for value in each.analysed.measured:
            expanded = "not known" if value.expanded_uncertainty is None else f"{value.expanded_uncertainty:.3g}"
            rows.append(
                (each.source.file, value.name, f"{value.value:.5g}", expanded, value.unit, str(each.source.rows),
                 str(len(each.analysed.findings)), "")
            )  # fmt: skip
    return rows + [(file, "", "", "", "", "", "", why) for file, why in refused.items()]


def write_comparison_of_logs(path: Path, rows: Sequence[Sequence[str]], marks: Sequence[str]) -> Path:
    """Write the comparison as CSV with marks above it."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(f"# {mark}\n" for mark in marks)
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    return path

"""The numbers of an analysis as tables, and tables as CSV files.

Not responsible for the numbers. Units stand in the names of the columns.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from reports.analyses import Analysis, Bolus, Occlusion, Trumpet

Cell = float | int | str | None
Tables = dict[str, tuple[tuple[str, ...], list[tuple[Cell, ...]]]]


def tables_of(analysis: Analysis) -> Tables:
    """Get the tables of an analysis by name: columns and rows."""
    if isinstance(analysis, Trumpet):
        return _trumpet(analysis)
    if isinstance(analysis, Bolus):
        return _bolus(analysis)
    if isinstance(analysis, Occlusion):
        trace = analysis.trace
        rows: list[tuple[Cell, ...]] = list(zip(trace.at_s, trace.pressure_kpa, trace.delivered_u, strict=True))
        return {"trace": (("at_s", "pressure_kpa", "delivered_u"), rows)}
    return {}


def _trumpet(curve: Trumpet) -> Tables:
    extremes = zip(curve.windows_min, curve.error_min_percent, curve.error_max_percent, strict=True)
    cumulative: Sequence[Cell] = curve.cumulative_error_percent or [None] * len(curve.flow.at_h)
    tables: Tables = {
        "trumpet": (("window_min", "error_min_percent", "error_max_percent"), list(extremes)),
        "flow": (
            ("at_h", "flow_u_per_h", "cumulative_error_percent"),
            list(zip(curve.flow.at_h, curve.flow.flow_u_per_h, cumulative, strict=True)),
        ),
    }
    if curve.start_up is not None:
        start_up = curve.start_up
        tables["start-up"] = (("at_h", "flow_u_per_h"), list(zip(start_up.at_h, start_up.flow_u_per_h, strict=True)))
    if curve.hourly is not None:
        names = tuple(f"share_within_{band}_percent" for band in curve.hourly.within)
        row = (curve.hourly.mean_percent, curve.hourly.sd_percent, *curve.hourly.within.values())
        tables["hourly"] = (("mean_percent", "sd_percent", *names), [row])
    if curve.doses_u is not None:
        tables["doses"] = (("number", "dose_u"), list(enumerate(curve.doses_u, start=1)))
    return tables


def _bolus(boluses: Bolus) -> Tables:
    u: Sequence[Cell] = boluses.u_u or [None] * len(boluses.delivered_u)
    rows = [
        (number, delivered_u, 100.0 * (delivered_u / boluses.programmed_u - 1.0), u_u)
        for number, (delivered_u, u_u) in enumerate(zip(boluses.delivered_u, u, strict=True), start=1)
    ]
    return {
        "boluses": (("number", "delivered_u", "error_percent", "expanded_uncertainty_u"), list(rows)),
        "classes": (("percent_of_command", "boluses"), list(boluses.bins.items())),
    }


def write_csv(path: Path, columns: Sequence[str], rows: Sequence[Sequence[Cell]], *, marks: Sequence[str]) -> None:
    """Write a CSV file whose first lines are comments with what each page must say."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(f"# {mark}\n" for mark in marks)
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)

"""The curve of conditions: smallest, mean and largest error under each, beside the nominal.

Not responsible for the numbers (`rig.analysis.conditions`).
"""

from __future__ import annotations

from collections.abc import Sequence

from reports.curve import marks
from reports.curve.description import Axis, Curve, Panel, room
from reports.style import INK
from rig.analysis.conditions import ConditionTable


def condition_curve(table: ConditionTable, names: Sequence[str], subject: str) -> Curve:
    """Describe one bar a row, the nominal one on top and shaded through all of them."""
    rows = (table.nominal, *table.rows)
    places = [-float(place) for place in range(len(rows))]
    ends = [end for row in rows for end in (row.min_percent, row.max_percent)]
    return Curve(
        name="conditions",
        title="Conditions",
        caption=f"Errors of {subject}: smallest, mean, largest; shaded: nominal.",
        alt=f"{subject}: {table.min_percent:.2f} to {table.max_percent:.2f} % over all conditions.",
        height_in=0.7 + 0.24 * len(rows),
        panels=(
            Panel(
                Axis("error / %", *room([0.0, *ends]), signed=True, grid=True),
                Axis("", *room(places, 0.1), ticks=tuple(zip(places, names, strict=True))),
                (
                    marks.Shade("x", table.nominal.min_percent, table.nominal.max_percent),
                    marks.Across("x", 0.0),
                    *(
                        marks.Line(name, (row.min_percent, row.max_percent), (place, place), marks.Look(width=2.0))
                        for name, row, place in zip(names, rows, places, strict=True)
                    ),
                    marks.Points("mean", [row.mean_percent for row in rows], places, INK),
                ),
            ),
        ),
    )

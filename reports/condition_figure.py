"""The figure of conditions: smallest, mean and largest error under each, beside the nominal.

Not responsible for the numbers (`rig.analysis.conditions`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.ticker import FuncFormatter

from reports.style import BLUE, INK, TINT, house_style, new_figure, quiet_grid, svg
from reports.words import minus
from rig.analysis.conditions import ConditionTable

_SIGNED = FuncFormatter(lambda value, _: minus(f"{value:+g}") if value else "0")


def condition_figure(table: ConditionTable, names: Sequence[str]) -> str:
    """Draw one bar a row, the nominal one on top and shaded through all of them."""
    rows = (table.nominal, *table.rows)
    places = -np.arange(len(rows))
    with house_style():
        figure = new_figure(0.7 + 0.24 * len(rows))
        axes = figure.subplots()
        axes.axvspan(table.nominal.min_percent, table.nominal.max_percent, color=TINT, linewidth=0)
        axes.axvline(0.0, color=INK, linewidth=0.6)
        axes.hlines(
            places, [row.min_percent for row in rows], [row.max_percent for row in rows], color=BLUE, linewidth=2
        )
        axes.plot([row.mean_percent for row in rows], places, "o", color=INK)
        axes.set_yticks(places, names)
        axes.xaxis.set_major_formatter(_SIGNED)
        axes.set_xlabel("error / %")
        quiet_grid(axes, "x")
        return svg(figure)

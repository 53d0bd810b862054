"""A control chart as an SVG picture. Not responsible for its numbers (`rig.analysis.control_chart`)."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rig.analysis.control_chart import ControlChart
    from rig.store.trending import Point


def chart_svg(quantity: str, points: Sequence[Point], chart: ControlChart) -> str:
    """Draw values, centre, limits, and what is out of control; returns the picture's text."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.hashsalt": quantity, "svg.fonttype": "none"}):
        figure = Figure(figsize=(8.0, 3.6), layout="constrained")
        axes = figure.add_subplot()
        places = range(1, len(points) + 1)
        axes.plot(places, [point.value for point in points], marker="o", markersize=4, linewidth=0.8, color="#1f3a5f")
        axes.axhline(chart.centre, color="#555555", linewidth=0.8)
        for limit in chart.limits:
            axes.axhline(limit, color="#b03a2e", linewidth=0.8, linestyle="--")
        out = sorted({found.at for found in chart.found})
        axes.plot(
            [place + 1 for place in out], [points[place].value for place in out],
            linestyle="", marker="o", markersize=8, markerfacecolor="none", markeredgecolor="#b03a2e",
        )  # fmt: skip
        mark = "SIMULATED — no evidence about any device\n" if points[0].simulated else ""
        axes.set_title(f"{mark}{quantity}", fontsize=10)
        axes.set_xlabel("values in the order of their runs")
        axes.set_ylabel(points[0].unit)
        picture = io.StringIO()
        figure.savefig(picture, format="svg", metadata={"Date": None})
    return picture.getvalue()

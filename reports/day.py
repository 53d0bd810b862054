"""The section of a day: insulin weighed hour by hour beside the programme, and the sums of pump and balance.

Not responsible for the numbers, which the record holds.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from reports.blocks import Sections, facts
from reports.courses import Day
from reports.figures import SIGNED
from reports.style import BLUE, INK, ORANGE, house_style, new_figure, quiet_grid, svg
from reports.words import quantity


def day_blocks(sections: Sections, day: Day) -> list[dict[str, Any]]:
    """Write the blocks of one day."""
    weighed_u, programmed_u = sum(day.weighed_u), sum(day.programmed_u)
    return [
        facts(
            ("Programmed", quantity(programmed_u, "U", 3)),
            ("Weighed", quantity(weighed_u, "U", 3)),
            ("Logged by the pump", quantity(day.logged_u, "U", 3)),
            ("Left in the reservoir, by the pump", quantity(day.reservoir_u, "U", 1)),
        ),
        sections.figure(
            day_figure(day),
            name="day",
            caption="Insulin of each hour, weighed and programmed (dashed), and the difference.",
            alt=f"{day.title}: {weighed_u:.2f} U weighed of {programmed_u:.2f} U programmed.",
        ),
    ]


def day_figure(day: Day) -> str:
    """Draw what was weighed in each hour beside the programme, and the difference below."""
    programmed, weighed = np.asarray(day.programmed_u), np.asarray(day.weighed_u)
    hours = np.arange(programmed.size + 1)
    with house_style():
        figure = new_figure(2.6)
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
        above.stairs(weighed, hours, color=BLUE, baseline=None)
        above.stairs(programmed, hours, color=ORANGE, linestyle=(0, (4, 2)), baseline=None)
        above.set_ylabel("insulin / U")
        below.bar(hours[:-1] + 0.5, weighed - programmed, width=0.8, color=BLUE)
        below.axhline(0.0, color=INK, linewidth=0.6)
        below.yaxis.set_major_formatter(SIGNED)
        below.set_ylabel("difference / U")
        below.set_xlabel("hour of the day")
        below.set_xlim(0, programmed.size)
        below.set_xticks(hours[::3])
        for axes in (above, below):
            quiet_grid(axes)
        return svg(figure)

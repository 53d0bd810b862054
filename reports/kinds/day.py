"""A day: insulin weighed hour by hour beside the programme, and the sums of pump and balance.

Not responsible for the numbers, which the record holds.
"""

from __future__ import annotations

from reports.blocks import Block, facts
from reports.curve import marks
from reports.curve.description import Axis, Curve, Panel, room
from reports.kinds.kind import AnalysisKind, DrawnLimits
from reports.words import quantity
from rig.record.analyses import DayNumbers


def _blocks(day: DayNumbers, _: DrawnLimits) -> list[Block]:
    return [
        facts(
            ("Programmed", quantity(sum(day.programmed_u), "U", 3)),
            ("Weighed", quantity(sum(day.weighed_u), "U", 3)),
            ("Logged by the pump", quantity(day.logged_u, "U", 3)),
            ("Left in the reservoir, by the pump", quantity(day.reservoir_u, "U", 1)),
        ),
        day_curve(day),
    ]


def day_curve(day: DayNumbers) -> Curve:
    """Describe what was weighed in each hour beside the programme, and the difference below."""
    hours = range(len(day.weighed_u) + 1)
    differences_u = [weighed - programmed for weighed, programmed in zip(day.weighed_u, day.programmed_u, strict=True)]
    x = Axis("hour of the day", 0, hours[-1], ticks=tuple((hour, str(hour)) for hour in hours[::3]))
    amounts = Axis("insulin / U", *room([*day.weighed_u, *day.programmed_u]), grid=True)
    differences = Axis("difference / U", *room([0.0, *differences_u]), signed=True, grid=True)
    starts, ends = [hour + 0.1 for hour in hours[:-1]], [hour + 0.9 for hour in hours[:-1]]
    return Curve(
        name="day",
        title="Insulin of each hour",
        caption="Insulin of each hour, weighed and programmed (dashed), and the difference.",
        alt=f"{day.title}: {sum(day.weighed_u):.2f} U weighed of {sum(day.programmed_u):.2f} U programmed.",
        height_in=2.6,
        panels=(
            Panel(
                x,
                amounts,
                (
                    marks.Steps("weighed", hours, day.weighed_u),
                    marks.Steps("programmed", hours, day.programmed_u, marks.PROGRAMMED),
                ),
                share=2.0,
            ),
            Panel(x, differences, (marks.Bars("difference", starts, ends, differences_u), marks.Across("y", 0.0))),
        ),
    )


DAY = AnalysisKind(_blocks, on_one_page=True)

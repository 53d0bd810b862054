"""An occlusion: line pressure and delivered insulin from closing the outlet to its opening.

Not responsible for the numbers, which the record holds, nor for a series of them (`reports.kinds.occlusion_series`).
"""

from __future__ import annotations

import numpy as np

from reports.blocks import Block, facts, text
from reports.curve import marks
from reports.curve.description import Axis, Curve, Panel, room
from reports.kinds.kind import AnalysisKind, DrawnLimits, Method
from reports.style import ORANGE
from reports.tables import Tables
from reports.words import NBSP, duration, quantity
from rig.record.analyses import OcclusionNumbers

_MOMENTS: dict[str, marks.Side] = {"outlet closed": "center", "alarm": "right", "outlet opened": "left"}
"""What is marked, and which side of its name stands at its moment."""


def _alarm(test: OcclusionNumbers) -> str:
    return duration(test.time_to_alarm_s) if test.time_to_alarm_s is not None else "no alarm"


def _blocks(test: OcclusionNumbers, limits: DrawnLimits) -> list[Block]:
    moment = "the alarm" if test.time_to_alarm_s is not None else "giving up"
    return [
        facts(
            ("Programmed rate", f"{test.rate_u_per_h:g}{NBSP}U/h"),
            ("From closing to the alarm", _alarm(test)),
            (f"Pressure at {moment}", quantity(test.pressure_at_alarm_kpa, "kPa", 1)),
            (f"Missed up to {moment}", quantity(test.missed_u, "U", 2)),
            ("Released on opening", quantity(test.released_u, "U", 2)),
            ("Compliance of pump and line", quantity(test.compliance_ul_per_kpa, "µL/kPa", 3)),
        ),
        occlusion_curve(test, limits.pressure_kpa),
        text(
            f"Missed is what was programmed from closing to {moment}, less what reached the balance. "
            "It is stored in the pump and the line, and comes out at once when the line opens."
        ),
    ]


def occlusion_curve(test: OcclusionNumbers, pressure_limit_kpa: float | None = None) -> Curve:
    """Describe line pressure and delivered insulin over time, with closing, alarm and opening of the line."""
    minutes = [(at_s - test.occluded_at_s) / 60.0 for at_s in test.trace.at_s]
    at_closing_u = float(np.interp(0.0, minutes, test.trace.delivered_u))
    due_u = test.rate_u_per_h * (test.time_to_alarm_s or 0.0) / 3600.0
    moments = [
        (words, side, (at_s - test.occluded_at_s) / 60.0)
        for (words, side), at_s in zip(
            _MOMENTS.items(), (test.occluded_at_s, test.alarm_at_s, test.released_at_s), strict=True
        )
        if at_s is not None
    ]
    lines = [marks.Across("x", at, marks.MOMENT) for _, _, at in moments]
    names = [marks.Note(words, at, 1.0, dy=2, ha=side, va="bottom", of_panel="y") for words, side, at in moments]
    limits: list[float] = [] if pressure_limit_kpa is None else [pressure_limit_kpa]
    x = Axis("time since the outlet was closed / min", minutes[0], minutes[-1])
    pressures = Axis("line pressure / kPa", *room([*test.trace.pressure_kpa, *limits], 0.08), grid=True)
    delivered = Axis("delivered / U", *room([*test.trace.delivered_u, at_closing_u + due_u]), grid=True)
    programmed = _programmed(test, at_closing_u, due_u)
    return Curve(
        name="occlusion",
        title="Occlusion",
        caption="Line pressure and delivered insulin from closing the outlet to its opening.",
        alt=f"Occlusion at {test.rate_u_per_h:g} U/h: alarm {_alarm(test)}, {test.pressure_at_alarm_kpa:.1f} kPa, "
        f"missed {test.missed_u:.2f} U, released {test.released_u:.2f} U.",
        height_in=2.75,
        panels=(
            Panel(
                x,
                pressures,
                (
                    marks.Line("pressure", minutes, test.trace.pressure_kpa),
                    *(marks.LimitLine(at, f"limit {at:g} kPa", above=False, place=0.6) for at in limits),
                    *lines,
                    *names,
                ),
                share=1.15,
            ),
            Panel(x, delivered, (marks.Line("delivered", minutes, test.trace.delivered_u), *programmed, *lines)),
        ),
    )


def _programmed(test: OcclusionNumbers, at_closing_u: float, due_u: float) -> tuple[marks.Mark, ...]:
    """Describe what would have come with the outlet open, up to the alarm, and how much of it was missed."""
    if test.time_to_alarm_s is None:
        return ()
    alarm_min = test.time_to_alarm_s / 60.0
    end_u, missed_u = at_closing_u + due_u, test.missed_u
    middle_u = end_u - missed_u / 2.0
    named_at = (alarm_min * 0.55, at_closing_u + due_u * 0.55)
    return (
        marks.Line("programmed", (0.0, alarm_min), (at_closing_u, end_u), marks.PROGRAMMED),
        marks.DoubleArrow(alarm_min, end_u - missed_u, end_u),
        marks.Note(f"missed {quantity(missed_u, 'U', 2)}", alarm_min, middle_u, dx=-4, ha="right", ground="white"),
        marks.Note("programmed", *named_at, dx=-5, dy=3, ha="right", va="bottom", color=ORANGE),
    )


def _tables(test: OcclusionNumbers) -> Tables:
    trace = test.trace
    rows = list(zip(trace.at_s, trace.pressure_kpa, trace.delivered_u, strict=True))
    return {"trace": (("at_s", "pressure_kpa", "delivered_u"), list(rows))}


OCCLUSION = AnalysisKind(
    _blocks,
    tables=_tables,
    on_one_page=True,
    method=Method(
        "Occlusion",
        of_run="Under basal delivery the outlet is closed until the pump alarms. It stays closed for a while, to see "
        "whether delivery has stopped, and is then opened into the vessel on the balance (IEC 60601-2-24, method).",
        of_log="Missed is what was programmed from closing to the alarm, less what reached the balance. Moments of "
        "closing, alarm and opening are those that were handed over with the data (IEC 60601-2-24, method).",
    ),
)

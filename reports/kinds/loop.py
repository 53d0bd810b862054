"""A person on a pump: his glucose with what was weighed and eaten, beside that which the commands would have made.

Not responsible for the numbers, which the record holds.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from reports.blocks import Block, facts, text
from reports.curve import marks
from reports.curve.description import Axis, Curve, Panel, room
from reports.kinds.kind import AnalysisKind, DrawnLimits
from reports.style import GREY
from reports.words import quantity
from rig.record.analyses import LoopNumbers

LOW_MG_PER_DL, HIGH_MG_PER_DL = 70.0, 180.0
EACH_MIN = 15
"""Insulin is drawn by quarters of an hour: doses come minutes apart."""
EMPIRICAL = (
    "U of the glucose is what the weighing leaves open; neither the model nor the person is in it. It says what the "
    "pump's execution does to this model, and nothing of the efficacy of a therapy."
)


def _blocks(loop: LoopNumbers, _: DrawnLimits) -> list[Block]:
    glucose = np.array(loop.glucose_mg_per_dl)
    return [
        facts(
            ("Weighed", quantity(sum(loop.weighed_u), "U", 3)),
            ("Commanded", quantity(sum(loop.commanded_u), "U", 3)),
            ("Carbohydrates", quantity(sum(loop.carbs_g), "g", 0)),
            ("Lowest and highest glucose", f"{glucose.min():.0f} and {glucose.max():.0f} mg/dL"),
            ("U of the glucose at most", quantity(max(loop.u_mg_per_dl), "mg/dL", 1)),
            ("Above 250 mg/dL", _since(glucose, 250.0)),
            ("Above 300 mg/dL", _since(glucose, 300.0)),
        ),
        loop_curve(loop),
        text(EMPIRICAL),
    ]


def _since(glucose: np.ndarray[tuple[int, ...], np.dtype[np.float64]], level: float) -> str:
    above = np.flatnonzero(glucose > level)
    return f"from {above[0] / 60.0:.1f} h on" if above.size else "never"


def loop_curve(loop: LoopNumbers) -> Curve:
    """Describe glucose over the hours, with sensor and commands, and insulin and carbohydrates below."""
    hours = [minute / 60.0 for minute in range(len(loop.glucose_mg_per_dl))]
    x = Axis("time / h", 0.0, hours[-1])
    shown = [*loop.glucose_mg_per_dl, *loop.commanded_mg_per_dl, *loop.sensor_mg_per_dl, LOW_MG_PER_DL, HIGH_MG_PER_DL]
    edges = [*range(0, len(loop.weighed_u), EACH_MIN), len(loop.weighed_u)]
    weighed, commanded = (
        [sum(row[first:last]) for first, last in pairwise(edges)] for row in (loop.weighed_u, loop.commanded_u)
    )
    meals = [minute for minute, grams in enumerate(loop.carbs_g) if grams]
    return Curve(
        name="loop",
        title="Glucose, insulin and carbohydrates",
        caption="Glucose of what was weighed, of what was commanded (dashed); the sensor (dots); shaded: the range. "
        f"Below, insulin of each {EACH_MIN} min, weighed and commanded (dashed), and meals.",
        alt=f"{loop.title}: {min(loop.glucose_mg_per_dl):.0f} to {max(loop.glucose_mg_per_dl):.0f} mg/dL.",
        height_in=3.6,
        panels=(
            Panel(
                x,
                Axis("glucose / (mg/dL)", *room(shown), grid=True),
                (
                    marks.Shade("y", LOW_MG_PER_DL, HIGH_MG_PER_DL),
                    marks.Line("weighed", hours, loop.glucose_mg_per_dl),
                    marks.Line("commanded", hours, loop.commanded_mg_per_dl, marks.PROGRAMMED),
                    *(
                        marks.Note(f"{loop.carbs_g[at]:.0f} g", at / 60.0, 0.04, ha="center", of_panel="y")
                        for at in meals
                    ),
                    marks.Points("sensor", [at / 60.0 for at in loop.sensor_min], loop.sensor_mg_per_dl, GREY),
                ),
                share=2.0,
            ),
            Panel(
                x,
                Axis("insulin / U", *room([0.0, *weighed, *commanded]), grid=True),
                (
                    marks.Steps("weighed insulin", [edge / 60.0 for edge in edges], weighed),
                    marks.Steps("commanded insulin", [edge / 60.0 for edge in edges], commanded, marks.PROGRAMMED),
                ),
            ),
        ),
    )


LOOP = AnalysisKind(_blocks, on_one_page=True)

"""The arms of one experiment with a person on a pump, drawn together: glucose, and insulin weighed and commanded.

Not responsible for one loop by itself (`loop`), for the page around it (`reports.parts.experiments`), nor for numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate

import numpy as np

from reports.curve import marks
from reports.curve.description import Axis, Curve, Panel, room
from reports.kinds.loop import HIGH_MG_PER_DL, LOW_MG_PER_DL
from reports.style import BLUE, GREY, INK, ORANGE, RED
from rig.loop.warning import hours_to_sign
from rig.patient.ketones import MODERATE_MMOL_PER_L, RAISED_MMOL_PER_L, SEVERE_MMOL_PER_L, hours_to_bhb
from rig.procedures.lived import LOOKS_AT_NO_SENSOR
from rig.record.analyses import LoopNumbers

COLORS = (INK, BLUE, ORANGE, RED, GREY, "#5b7f3a")
A_ROW = 3
"""So many names of arms stand side by side above the curves."""
DIFFERS_U = 0.5
"""What was commanded is drawn beside what was weighed where they end so far apart."""
SENSOR_HIGH_MG_PER_DL = 250.0
"""At which many sensors warn of a high glucose by themselves."""
KETONES = (RAISED_MMOL_PER_L, MODERATE_MMOL_PER_L, SEVERE_MMOL_PER_L)
"""Thresholds in use, mmol/L above the start."""


def arms_curve(experiment: str, arms: Sequence[LoopNumbers]) -> Curve:
    """Describe the arms of an experiment over one time: glucose above, insulin since the beginning below."""
    looks = [marks.Look(COLORS[number % len(COLORS)]) for number in range(len(arms))]
    last_h = max(len(arm.weighed_u) for arm in arms) / 60.0
    x = Axis("time / h", 0.0, last_h)
    sensed = [arm for arm in arms if shows_sensor(arm)]
    glucose = [value for arm in arms for value in arm.glucose_mg_per_dl] + [LOW_MG_PER_DL, HIGH_MG_PER_DL]
    low, high = room([*glucose, *(value for arm in sensed for value in arm.sensor_mg_per_dl)])
    rows = -(-len(arms) // A_ROW)
    row = 0.085 * (high - low)
    top = high + rows * row
    return Curve(
        name="experiment",
        title=experiment[:1].upper() + experiment[1:],
        caption=_caption(arms),
        alt=f"{experiment}: glucose of {len(arms)} lives, "
        + "; ".join(
            f"{arm.called} {min(arm.glucose_mg_per_dl):.0f} to {max(arm.glucose_mg_per_dl):.0f} mg/dL" for arm in arms
        )
        + ".",
        height_in=4.4,
        panels=(
            Panel(
                x,
                Axis("glucose / (mg/dL)", low, top, grid=True),
                (
                    marks.Shade("y", LOW_MG_PER_DL, HIGH_MG_PER_DL),
                    *_meanwhile(arms, low),
                    *(
                        marks.Line(arm.called, _hours(len(arm.glucose_mg_per_dl)), arm.glucose_mg_per_dl, look)
                        for arm, look in zip(arms, looks, strict=True)
                    ),
                    *(_sensor(arm, look) for arm, look in zip(arms, looks, strict=True) if shows_sensor(arm)),
                    *(
                        mark
                        for number, arm in enumerate(arms)
                        for mark in _signs(arm, looks[number], _lost_before(arms, number))
                    ),
                    *_names(arms, looks, top, row),
                ),
                share=2.0,
            ),
            Panel(
                x,
                Axis("insulin since 0 h / U", *room([0.0, *(each for arm in arms for each in _ends(arm))]), grid=True),
                tuple(_insulin(arms, looks)),
            ),
        ),
    )


def _caption(arms: Sequence[LoopNumbers]) -> str:
    parts = ["Glucose of what was weighed; shaded: the range."]
    if any(shows_sensor(arm) for arm in arms):
        parts.append("Small dots: what the sensor showed to the controller.")
    if any(arm.exercise_min is not None for arm in arms):
        parts.append("Darker: exercise.")
    if any(arm.lost_from_min is not None for arm in arms):
        parts.append(
            "Dotted: the cannula comes out, and, by an empirical line without insulin, ketones rise by 0.6, 1.6 and "
            "3.0 mmol/L. Large dots: twice the basal rate has been commanded for an hour; the sensor is at 250 mg/dL."
        )
    parts.append("Below, insulin weighed since the beginning, and commanded (dashed) where that is another.")
    return " ".join(parts)


def _names(arms: Sequence[LoopNumbers], looks: Sequence[marks.Look], top: float, row: float) -> Iterator[marks.Note]:
    """Name each arm in its colour, in rows above the curves."""
    for number, (arm, look) in enumerate(zip(arms, looks, strict=True)):
        line, place = divmod(number, A_ROW)
        yield marks.Note(
            arm.called, 0.01 + place / A_ROW, top - (line + 0.5) * row, color=look.color, of_panel="x", size=9.0
        )


def _meanwhile(arms: Sequence[LoopNumbers], low: float) -> Iterator[marks.Mark]:
    """Show meals, exercise, the cannula's loss and the thresholds of ketones: once, where arms share them."""
    for from_min, to_min in {arm.exercise_min for arm in arms if arm.exercise_min is not None}:
        yield marks.Shade("x", from_min / 60.0, to_min / 60.0, "#c6d6e6")
    for lost in sorted({arm.lost_from_min for arm in arms if arm.lost_from_min is not None}):
        yield marks.Across("x", lost / 60.0, marks.MOMENT)
        yield marks.Note("out", lost / 60.0, low, dx=2.0, dy=2.0, va="bottom", color=GREY)
        for level in KETONES:
            at_h = lost / 60.0 + hours_to_bhb(level)
            if at_h <= max(len(arm.weighed_u) for arm in arms) / 60.0:
                yield marks.Across("x", at_h, marks.MOMENT)
                yield marks.Note(f"+{level:.1f}", at_h, low, dx=2.0, dy=2.0, va="bottom", color=GREY)
    for at_min, grams in sorted({(at, g) for arm in arms for at, g in enumerate(arm.carbs_g) if g}):
        yield marks.Note(f"{grams:.0f} g", at_min / 60.0, 0.04, ha="center", of_panel="y")


def _lost_before(arms: Sequence[LoopNumbers], number: int) -> int:
    """How many lives with a lost cannula stand before one."""
    return sum(arm.lost_from_min is not None for arm in arms[:number])


def shows_sensor(arm: LoopNumbers) -> bool:
    """Whether the sensor's readings are drawn: of a controller that decides on them, with the cannula in place."""
    return arm.controller != LOOKS_AT_NO_SENSOR and arm.lost_from_min is None


def _sensor(arm: LoopNumbers, look: marks.Look) -> marks.Line:
    hours = [at_min / 60.0 for at_min in arm.sensor_min]
    return marks.Line(f"{arm.called}, sensor", hours, arm.sensor_mg_per_dl, marks.Look(look.color, 0.0), marker=1.6)


def _signs(arm: LoopNumbers, look: marks.Look, number: int) -> Iterator[marks.Mark]:
    """Mark on the glucose of a lost cannula when the controller asked for too much, and when the sensor was high."""
    if arm.lost_from_min is None:
        return
    asked_h = None
    if arm.basal_u_per_h is not None:
        asked_h = hours_to_sign(np.array(arm.commanded_u), arm.basal_u_per_h, arm.lost_from_min)
    left_up, right_down = (-4.0, 6.0), (4.0, -7.0)
    beside = right_down if number % 2 else left_up  # so that the words of two lives stand apart
    for words, after_h, (dx, dy) in (
        ("2 × basal", asked_h, right_down),
        ("sensor 250", sensor_high_h(arm), beside),
    ):
        if after_h is None:
            continue
        at_min = arm.lost_from_min + round(60.0 * after_h)
        at_h, glucose = at_min / 60.0, arm.glucose_mg_per_dl[min(at_min, len(arm.glucose_mg_per_dl) - 1)]
        yield marks.Points(f"{arm.called}, {words}", [at_h], [glucose], look.color)
        side: marks.Side = "right" if dx < 0.0 else "left"
        yield marks.Note(words, at_h, glucose, dx=dx, dy=dy, ha=side, color=look.color)


def sensor_high_h(arm: LoopNumbers) -> float | None:
    """After how many hours since the loss the sensor showed a high glucose; None where it did not."""
    lost = arm.lost_from_min or 0
    shown = zip(arm.sensor_min, arm.sensor_mg_per_dl, strict=True)
    at_min = next((at for at, value in shown if at >= lost and value >= SENSOR_HIGH_MG_PER_DL), None)
    return None if at_min is None else (at_min - lost) / 60.0


def _insulin(arms: Sequence[LoopNumbers], looks: Sequence[marks.Look]) -> Iterator[marks.Mark]:
    for arm, look in zip(arms, looks, strict=True):
        hours = _hours(len(arm.weighed_u) + 1)
        yield marks.Line(f"{arm.called}, weighed", hours, _since_start(arm.weighed_u), look)
        weighed_u, commanded_u = _ends(arm)
        if abs(weighed_u - commanded_u) > DIFFERS_U:
            dashed = marks.Look(look.color, look.width, "dashed")
            yield marks.Line(f"{arm.called}, commanded", hours, _since_start(arm.commanded_u), dashed)


def _ends(arm: LoopNumbers) -> tuple[float, float]:
    return sum(arm.weighed_u), sum(arm.commanded_u)


def _since_start(doses_u: Sequence[float]) -> list[float]:
    return list(accumulate(doses_u, initial=0.0))


def _hours(count: int) -> list[float]:
    return [minute / 60.0 for minute in range(count)]

"""The pictures people know: the ambulatory glucose profile, and the bars of time in ranges, one life beside another.

Not responsible for the numbers (`rig.patient.profile`), nor for whose they are (`reports.paired_loops`).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from reports.curve import marks
from reports.curve.description import Axis, Curve, OtherUnit, Panel
from reports.style import BLUE, GREY, INK, ORANGE, RED
from rig.patient.metrics import MG_PER_DL_PER_MMOL_PER_L
from rig.patient.profile import GlucoseProfile

LOW, HIGH = (70.0, "3.9"), (180.0, "10.0")
"""Ends of the range in mg/dL, and what the consensus calls them in mmol/L."""
OUTER, INNER, TARGET = "#dfe9f4", "#a9c6e0", "#3f8f5b"
LEAST_TOP_MG_PER_DL = 300.0
RANGES: tuple[tuple[str, str, str, str], ...] = (
    ("very_low_percent", "below 54", "#6d1510", "white"),
    ("low_percent", "54 to 69", RED, "white"),
    ("in_range_percent", "70 to 180", TARGET, "white"),
    ("high_percent", "181 to 250", "#e8c15a", INK),
    ("very_high_percent", "above 250", ORANGE, "white"),
)
"""Field of `TimeInRanges`, words in mg/dL, colour, and that of the letters on it."""
LEAST_NAMED_PERCENT = 4.0
"""A part of a bar that is narrower has no number in it: the table has."""


def glucose_profile_curve(profiles: Mapping[str, GlucoseProfile], of: str) -> Curve:
    """Describe profiles side by side, by what each is called; `of` says whose they are."""
    tops = [np.nanmax(each.glucose_mg_per_dl, initial=LEAST_TOP_MG_PER_DL - 10.0) for each in profiles.values()]
    y = Axis("glucose / (mg/dL)", 0.0, 50.0 * np.ceil((max(tops) + 10.0) / 50.0), every=50.0, grid=True)
    right = OtherUnit("glucose / (mmol/L)", 1.0 / MG_PER_DL_PER_MMOL_PER_L)
    last = list(profiles)[-1]
    return Curve(
        name="glucose_profile",
        title="Ambulatory glucose profile",
        caption=f"Ambulatory glucose profile of {of}: median, 25 to 75 % (dark) and 5 to 95 % (light) of what was read "
        "within 15 min of each time of the clock; gaps stay gaps. Green: the ends of the range, 70 and 180 mg/dL (3.9 "
        "and 10.0 mmol/L).",
        alt=f"Ambulatory glucose profile of {of}: "
        + "; ".join(f"{name}, {each.ranges.in_range_percent:.0f} % in range" for name, each in profiles.items())
        + ".",
        height_in=2.9,
        beside=True,
        panels=tuple(
            Panel(
                Axis(
                    "time of the day", 0.0, 24.0, ticks=tuple((at, f"{at:02.0f}:00") for at in (0.0, 6.0, 12.0, 18.0))
                ),
                y,
                _profile_marks(each, name),
                right=right if name == last else None,
            )
            for name, each in profiles.items()
        ),
    )


def _profile_marks(profile: GlucoseProfile, name: str) -> tuple[marks.Mark, ...]:
    hours = (profile.minute_of_day / 60.0).tolist()
    thin_outer, thin_inner = marks.Look(INNER, 0.5), marks.Look(BLUE, 0.5)
    found: list[marks.Mark] = []
    for span in profile.spans:
        at = hours[span]
        p5, p25, p50, p75, p95 = (row[span].tolist() for row in profile.glucose_mg_per_dl)
        found += [
            marks.Band(("95 %", "5 %"), at, p95, p5, thin_outer, OUTER, 0.0),
            marks.Band(("75 %", "25 %"), at, p75, p25, thin_inner, INNER, 0.0),
            marks.Line("median", at, p50, marks.Look(BLUE, 1.6)),
        ]
    for value, mmol in (LOW, HIGH):
        words = f"{value:.0f} ({mmol})"
        found += [
            marks.Across("y", value, marks.Look(TARGET, 0.9)),
            marks.Note(words, 0.02, value, dy=2.0, va="bottom", color=TARGET, of_panel="x", size=7.5),
        ]
    return (*found, marks.Note(name, 0.5, 0.97, dx=4.0, va="top", of_panel="y", color=GREY))


def ranges_curve(profiles: Mapping[str, GlucoseProfile], of: str) -> Curve:
    """Describe the time in each range as bars, one below another, the first on top."""
    places = {name: -float(place) for place, name in enumerate(profiles)}
    shares = {name: [getattr(each.ranges, field) for field, *_ in RANGES] for name, each in profiles.items()}
    bars, words = [], []
    for number, (_, named, color, ink) in enumerate(RANGES):
        starts = {name: sum(values[:number]) for name, values in shares.items()}
        bars.append(
            marks.Bars(
                named,
                [place - 0.32 for place in places.values()],
                [place + 0.32 for place in places.values()],
                [values[number] for values in shares.values()],
                along="x",
                fill=marks.Fill(color, ink=ink),
                bases=list(starts.values()),
            )
        )
        words += [
            marks.Note(
                f"{values[number]:.0f} %", starts[name] + values[number] / 2.0, places[name], ha="center", color=ink
            )
            for name, values in shares.items()
            if values[number] >= LEAST_NAMED_PERCENT
        ]
    return Curve(
        name="time_in_ranges",
        title="Time in ranges",
        caption=f"Time in ranges of {of}, by the bounds of the consensus (54, 70, 180, 250 mg/dL are 3.0, 3.9, 10.0, "
        "13.9 mmol/L).",
        alt=f"Time in ranges of {of}: "
        + "; ".join(f"{name} {each.ranges.in_range_percent:.0f} % in range" for name, each in profiles.items())
        + ".",
        height_in=0.9 + 0.35 * len(profiles),
        legend=5,
        panels=(
            Panel(
                Axis("share of time with so many mg/dL / %", 0.0, 100.0),
                Axis(
                    "", -len(profiles) + 0.45, 0.55, ticks=tuple((at, name) for name, at in places.items()), spine=False
                ),
                (*bars, *words),
            ),
        ),
    )

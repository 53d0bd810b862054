"""The curves of basal delivery: trumpet, flow, start-up, cumulative error, single doses, steadiness.

Each is described when its numbers are there. Not responsible for the numbers, nor for the words beside the curves
(`reports.kinds.basal`).
"""

from __future__ import annotations

import math

import numpy as np

from reports.curve import marks
from reports.curve.description import Axis, Curve, OtherUnit, Panel, log_room, room
from reports.kinds.kind import NO_ENDS, DrawnLimits, Ends
from reports.style import BLUE, INK, ORANGE, RED, TINT
from reports.words import and_list, quantity
from rig.record.analyses import Flow, Stability, Trumpet

TIMES_S = {1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min", 3600: "1 h", 36000: "10 h"}
"""Where the axis of averaging times is labelled."""


def further_curves(curve: Trumpet, limits: DrawnLimits) -> tuple[list[Curve], str]:
    """Return the curves beside trumpet and flow, and a sentence on those whose numbers were not recorded, or ""."""
    doses_u, error_percent = curve.doses_u or (), curve.cumulative_error_percent
    no_doses = f"single doses ({curve.no_doses_because})" if curve.no_doses_because else "single doses"
    curves = {
        "start-up flow": curve.start_up and drawn_start_up(curve, curve.start_up),
        "cumulative error": error_percent and cumulative_curve(curve, error_percent, limits.whole_percent),
        no_doses: dose_curve(curve, doses_u) if len(doses_u) > 1 else None,
        "Allan deviation of flow": curve.stability and stability_curve(curve, curve.stability),
    }
    missing = [name for name, drawn in curves.items() if not drawn]
    sentence = f"Not drawn, because the record does not hold it: {and_list(missing)}." if missing else ""
    return [drawn for drawn in curves.values() if drawn], sentence


def _limit_words(limit_percent: float) -> str:
    return quantity(limit_percent, "%", 0 if limit_percent == round(limit_percent) else 1, signed=True)


def drawn_trumpet(curve: Trumpet, windows_percent: dict[float, Ends]) -> Curve:
    """Describe the trumpet curve on a log axis of window lengths, with the limits of windows in % by length in min."""
    windows, highest, lowest = curve.windows_min, curve.error_max_percent, curve.error_min_percent
    overall = curve.overall_error_percent
    limits = [
        (window, end, above)
        for window, ends in windows_percent.items()
        for end, above in zip(ends, (False, True), strict=True)
        if end is not None
    ]
    bottom, top = room([0.0, overall, *highest, *lowest, *(end for _, end, _ in limits)], 0.12)
    apart = 0.075 * (top - bottom)
    names = (
        ("largest error", max(highest[-1], overall + apart), BLUE),
        (f"whole period {quantity(overall, '%', 2, signed=True)}", overall, ORANGE),
        ("smallest error", min(lowest[-1], overall - apart), BLUE),
    )
    panel = Panel(
        Axis(
            "length of the observation window / min", windows[0] / 1.2, windows[-1] * 2.9, "log",
            ticks=tuple((window, f"{window:g}") for window in windows),
        ),
        Axis("flow error / %", bottom, top, signed=True, grid=True),
        (
            marks.Band(("largest error", "smallest error"), windows, highest, lowest),
            marks.Across("y", 0.0),
            marks.Across("y", overall, marks.PROGRAMMED),
            *(mark for limit in limits for mark in _window_limit(*limit)),
            *(marks.Note(words, windows[-1], y, dx=7, color=color, ground="white") for words, y, color in names),
        ),
    )  # fmt: skip
    rows = zip(windows, lowest, highest, strict=True)
    return Curve(
        name="trumpet",
        title="Trumpet curve",
        caption="Trumpet curve: largest and smallest flow error of any window of a given length.",
        alt="Trumpet curve. " + " ".join(f"{window:g} min: {low:+.2f} to {high:+.2f} %." for window, low, high in rows),
        height_in=2.7,
        panels=(panel,),
    )


def _window_limit(window_min: float, end_percent: float, above: bool) -> tuple[marks.Mark, marks.Mark]:
    """Describe a limit that holds for one window length."""
    name, places = f"{'upper' if above else 'lower'} limit, {window_min:g} min", (window_min / 1.18, window_min * 1.18)
    return marks.Line(name, places, (end_percent, end_percent), marks.Look(RED, 1.4)), marks.Note(
        f"limit {_limit_words(end_percent)}", window_min, end_percent, dy=3 if above else -3, ha="center",
        va="bottom" if above else "top", color=RED,
    )  # fmt: skip


def flow_curve(curve: Trumpet) -> Curve:
    """Describe the mean flow of each sample interval over the analysis period, beside the programmed rate."""
    return Curve(
        name="flow",
        title="Flow over the analysis period",
        caption="Flow over the analysis period.",
        alt=f"Mean flow of each {curve.interval_min:g} min: {min(curve.flow.flow_u_per_h):.3g} to "
        f"{max(curve.flow.flow_u_per_h):.3g} U/h, programmed {curve.rate_u_per_h:g} U/h.",
        height_in=1.75,
        panels=(_flow(curve, curve.flow, "time in the analysis period / h"),),
    )


def drawn_start_up(curve: Trumpet, start_up: Flow) -> Curve:
    """Describe the flow of each sample interval from the start of the pump."""
    return Curve(
        name="start-up",
        title="Start-up",
        caption="Start-up: flow from the start of the pump, before the analysis period.",
        alt=f"Flow of each {curve.interval_min:g} min from the start, programmed {curve.rate_u_per_h:g} U/h.",
        height_in=1.75,
        panels=(_flow(curve, start_up, "time since the start of the pump / h"),),
    )


def _flow(curve: Trumpet, flow: Flow, over: str) -> Panel:
    """Describe means of intervals as steps; `flow` is by the ends of its intervals."""
    edges = [flow.at_h[0] - curve.interval_min / 60.0, *flow.at_h]
    return Panel(
        Axis(over, edges[0], edges[-1]),
        Axis("flow / (U/h)", *room([curve.rate_u_per_h, *flow.flow_u_per_h], 0.15), grid=True),
        (marks.Steps("flow", edges, flow.flow_u_per_h), marks.Across("y", curve.rate_u_per_h, marks.PROGRAMMED)),
        heading=f"programmed {curve.rate_u_per_h:g} U/h (dashed), means of {curve.interval_min:g} min",
    )


def cumulative_curve(curve: Trumpet, error_percent: tuple[float, ...], limit_percent: Ends = NO_ENDS) -> Curve:
    """Describe the error of all that was delivered so far; the axis leaves out the first tenth, when little was."""
    at_h, last = curve.flow.at_h, error_percent[-1]
    last_words, up = quantity(last, "%", 2, signed=True), last > 0.0
    beside = marks.Note(
        last_words, at_h[-1], last, dx=-3, dy=4 if up else -4, ha="right", va="bottom" if up else "top", color=BLUE,
        ground="white",
    )  # fmt: skip
    limits = [end for end in limit_percent if end is not None]
    shown = [0.0, *error_percent[len(error_percent) // 10 :], *limits]
    free = 0.2 * (max(shown) - min(shown)) or 1.0
    panel = Panel(
        Axis("time in the analysis period / h", 0.0, at_h[-1]),
        Axis("cumulative error / %", min(shown) - free, max(shown) + free, signed=True, grid=True),
        (
            marks.Across("y", 0.0),
            marks.Line("cumulative error", at_h, error_percent),
            *(
                marks.LimitLine(end, f"limit of the whole period {_limit_words(end)}", above=end > 0.0)
                for end in limits
            ),
            beside,
        ),
    )
    return Curve(
        name="cumulative-error",
        title="Cumulative error",
        caption="Cumulative error: of all that was delivered since the start of the analysis period.",
        alt=f"Cumulative error over the analysis period, {last_words} at its end.",
        height_in=1.75,
        panels=(panel,),
    )


def dose_curve(curve: Trumpet, doses_u: tuple[float, ...]) -> Curve:
    """Describe how single doses scatter, in % of the programmed dose, or of their mean when nobody knows that."""
    nominal_u, of = nominal_dose_u(curve, doses_u)
    percent = 100.0 * np.asarray(doses_u) / nominal_u
    counts, edges = np.histogram(percent, min(40, max(8, round(2.0 * percent.size ** (1 / 3)))))
    top = 1.05 * float(counts.max())
    known: tuple[marks.Mark, ...] = ()
    if curve.dose_expanded_u is not None:
        u_percent, top = 100.0 * curve.dose_expanded_u / nominal_u, 1.25 * top
        words, place = f"U of one dose, {quantity(u_percent, '%', 1)}", 0.88 * top
        ends = (100.0 - u_percent, 100.0 + u_percent)
        whisker = marks.Line("U of one dose", ends, (place, place), marks.Look(INK, 0.9), marker=5.0, symbol="|")
        known = (whisker, marks.Note(words, ends[1], place, dx=5))
    sd = quantity(float(percent.std(ddof=1)), "%", 1)
    names = tuple(f"doses-{number}" for number in range(counts.size))
    lows, highs = edges[:-1].tolist(), edges[1:].tolist()
    panel = Panel(
        Axis(f"dose / % of {of}", *room(edges.tolist())),
        Axis("doses", 0.0, top, whole=5, grid=True),
        (
            marks.Bars("doses", lows, highs, counts.tolist(), fill=marks.Fill(TINT, edge=BLUE), names=names),
            marks.Across("x", 100.0, marks.NOMINAL),
            marks.Across("x", float(percent.mean()), marks.PROGRAMMED),
            *known,
        ),
        heading=f"{percent.size} doses, {of} is {nominal_u:.4g} U (solid), mean (dashed), SD {sd}",
    )
    return Curve(
        name="doses",
        title="Single doses",
        caption="Single doses by size; their scatter holds that of the weighing, too.",
        alt=f"Histogram of {percent.size} doses, mean {np.mean(doses_u):.4g} U, SD {np.std(doses_u, ddof=1):.3g} U.",
        height_in=1.85,
        panels=(panel,),
    )


def nominal_dose_u(curve: Trumpet, doses_u: tuple[float, ...]) -> tuple[float, str]:
    """Return the dose in U that single ones are compared with, and what it is: programmed, or the mean of them."""
    if curve.dose_interval_s is not None:
        return curve.rate_u_per_h * curve.dose_interval_s / 3600.0, "the programmed dose"
    return sum(doses_u) / len(doses_u), "the mean dose"


def stability_curve(curve: Trumpet, stability: Stability) -> Curve:
    """Describe the Allan deviation on log axes, in U/h at the left and in % of the programmed rate at the right."""
    times, deviations = stability.averaging_s, stability.deviation_u_per_h
    pairs = list(zip(times, deviations, strict=True))
    seen = [(tau, deviation) for tau, deviation in pairs if deviation > 0.0]  # a logarithm has no place for zero
    shown_s, shown = [tau for tau, _ in seen], [deviation for _, deviation in seen]
    drawn: list[marks.Mark] = [marks.Line("stability", shown_s, shown, marker=2.6)]
    floor = _of_the_balance(stability)
    if floor:
        place, words = 3 * len(times) // 4, "scatter of the balance’s readings alone"
        note = marks.Note(words, times[place], floor[place], dx=-4, dy=-3, ha="right", va="top", color=ORANGE)
        drawn += [marks.Line("balance", times, floor, marks.PROGRAMMED), note]
    low, high, interval_s = times[0] / 1.15, times[-1] * 1.15, curve.dose_interval_s
    if interval_s is not None and low < interval_s < high:
        # at its multiples the rhythm of the doses averages out
        words = f"dose interval {interval_s:.4g} s"
        note = marks.Note(words, interval_s, 1.0, dy=2, ha="center", va="bottom", of_panel="y")
        drawn += [marks.Across("x", interval_s, marks.MOMENT), note]
    ticks = tuple((float(at), words) for at, words in TIMES_S.items() if times[0] <= at <= times[-1])
    panel = Panel(
        Axis("averaging time", low, high, "log", ticks=ticks, grid=True),
        Axis("Allan deviation of flow / (U/h)", *log_room([*shown, *floor] or [1.0]), "log", grid=True),
        tuple(drawn),
        right=OtherUnit("% of the rate", 100.0 / curve.rate_u_per_h),
    )
    told = " ".join(f"{tau:g} s: {deviation:.3g} U/h." for tau, deviation in pairs[:: max(1, len(pairs) // 8)])
    return Curve(
        name="stability",
        title="Steadiness of flow",
        caption="How steady the flow is: Allan deviation, how much one mean of so long differs from the next.",
        alt=f"Allan deviation of flow. {told}",
        height_in=2.5,
        panels=(panel,),
    )


def _of_the_balance(stability: Stability) -> list[float]:
    """Return the Allan deviation in U/h that readings with an independent scatter u make: √3 u/τ, by its definition."""
    if not stability.reading_u:
        return []
    return [3600.0 * math.sqrt(3.0) * stability.reading_u / tau for tau in stability.averaging_s]

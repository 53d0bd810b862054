"""Curves beside the trumpet: start-up, cumulative error, histogram of doses, steadiness.

Each is drawn when its numbers are there. Not responsible for the numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from reports.analyses import Stability, Trumpet
from reports.blocks import Sections, text
from reports.drawn_limits import DrawnLimits, Ends
from reports.stability_figure import stability_figure
from reports.style import BLUE, GREY, INK, ORANGE, TINT, house_style, limit_line, new_figure, quiet_grid, svg
from reports.words import and_list, minus, quantity

SIGNED = FuncFormatter(lambda value, _: minus(f"{value:+g}") if value else "0")


def further_curves(sections: Sections, curve: Trumpet, limits: DrawnLimits) -> list[dict[str, Any]]:
    """Get the blocks of the curves whose numbers were recorded, and a sentence on those that were not."""
    blocks = []
    if curve.start_up is not None:
        blocks.append(
            sections.figure(
                start_up_figure(curve),
                name="start-up",
                caption="Start-up: flow from the start of the pump, before the analysis period.",
                alt=f"Flow of each {curve.interval_min:g} min from the start, programmed {curve.rate_u_per_h:g} U/h.",
            )
        )
    if curve.cumulative_error_percent is not None:
        last = quantity(curve.cumulative_error_percent[-1], "%", 2, signed=True)
        blocks.append(
            sections.figure(
                cumulative_figure(curve, limits.whole_percent),
                name="cumulative-error",
                caption="Cumulative error: of all that was delivered since the start of the analysis period.",
                alt=f"Cumulative error over the analysis period, {last} at its end.",
            )
        )
    if curve.doses_u is not None and len(curve.doses_u) > 1:
        doses = np.asarray(curve.doses_u)
        blocks.append(
            sections.figure(
                dose_figure(curve),
                name="doses",
                caption="Single doses by size; their scatter holds that of the weighing, too.",
                alt=f"Histogram of {doses.size} doses, mean {doses.mean():.4g} U, SD {doses.std(ddof=1):.3g} U.",
            )
        )
    if curve.stability is not None:
        blocks.append(
            sections.figure(
                stability_figure(curve),
                name="stability",
                caption="How steady the flow is: Allan deviation, how much one mean of so long differs from the next.",
                alt=_stability_words(curve.stability),
            )
        )
    missing = not_drawn(curve)
    return [*blocks, text(missing)] if missing else blocks


def not_drawn(curve: Trumpet) -> str:
    """Say which curves are missing because the record does not hold their numbers; "" when none is."""
    missing = []
    if curve.start_up is None:
        missing.append("start-up flow")
    if curve.cumulative_error_percent is None:
        missing.append("cumulative error")
    if curve.doses_u is None or len(curve.doses_u) < 2:
        missing.append("single doses" + (f" ({curve.no_doses_because})" if curve.no_doses_because else ""))
    if curve.stability is None:
        missing.append("Allan deviation of flow")
    return f"Not drawn, because the record does not hold it: {and_list(missing)}." if missing else ""


def _stability_words(stability: Stability) -> str:
    pairs = list(zip(stability.averaging_s, stability.deviation_u_per_h, strict=True))
    shown = pairs[:: max(1, len(pairs) // 8)]
    return "Allan deviation of flow. " + " ".join(f"{tau:g} s: {deviation:.3g} U/h." for tau, deviation in shown)


def start_up_figure(curve: Trumpet) -> str:
    """Draw the flow of each sample interval from the start of the pump."""
    assert curve.start_up is not None
    with house_style():
        figure = new_figure(1.75)
        axes = figure.subplots()
        edges = [curve.start_up.at_h[0] - curve.interval_min / 60.0, *curve.start_up.at_h]
        axes.stairs(curve.start_up.flow_u_per_h, edges, color=BLUE, baseline=None, gid="flow")
        axes.axhline(curve.rate_u_per_h, color=ORANGE, linestyle=(0, (4, 2)))
        axes.set_xlim(edges[0], edges[-1])
        axes.margins(y=0.15)
        _labels(axes, "time since the start of the pump / h", "flow / (U/h)")
        _note(axes, f"programmed {curve.rate_u_per_h:g} U/h (dashed), means of {curve.interval_min:g} min")
        return svg(figure)


def cumulative_figure(curve: Trumpet, limit_percent: Ends = (None, None)) -> str:
    """Draw the error of all that was delivered so far; the scale leaves out the first tenth, where little was due."""
    assert curve.cumulative_error_percent is not None
    with house_style():
        figure = new_figure(1.75)
        axes = figure.subplots()
        at_h, error = np.asarray(curve.flow.at_h), np.asarray(curve.cumulative_error_percent)
        axes.axhline(0, color=INK, linewidth=0.6)
        axes.plot(at_h, error, color=BLUE, gid="cumulative-error")
        shown = error[error.size // 10 :]
        low, high = min(0.0, float(shown.min())), max(0.0, float(shown.max()))
        ends = [end for end in limit_percent if end is not None]
        low, high = min([low, *ends]), max([high, *ends])
        room = 0.2 * (high - low) or 1.0
        axes.set_ylim(low - room, high + room)
        axes.set_xlim(0.0, float(at_h[-1]))
        for end in ends:
            words = f"limit of the whole period {quantity(end, '%', 0 if end == round(end) else 1, signed=True)}"
            limit_line(axes, end, words, above=end > 0.0)
        axes.yaxis.set_major_formatter(SIGNED)
        axes.annotate(
            quantity(float(error[-1]), "%", 2, signed=True),
            (float(at_h[-1]), float(error[-1])),
            xytext=(-3, 4 if error[-1] > 0.0 else -4),
            textcoords="offset points",
            ha="right",
            va="bottom" if error[-1] > 0.0 else "top",
            color=BLUE,
            fontsize=8.5,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
        )
        _labels(axes, "time in the analysis period / h", "cumulative error / %")
        return svg(figure)


def dose_figure(curve: Trumpet) -> str:
    """Draw how single doses scatter, in % of the programmed dose, or of their mean when nobody knows that."""
    assert curve.doses_u is not None
    doses_u = np.asarray(curve.doses_u)
    nominal_u, of = nominal_dose_u(curve)
    percent = 100.0 * doses_u / nominal_u
    with house_style():
        figure = new_figure(1.85)
        axes = figure.subplots()
        classes = min(40, max(8, round(2.0 * percent.size ** (1 / 3))))
        counts, edges = np.histogram(percent, classes)
        bars = axes.bar(edges[:-1], counts, np.diff(edges), align="edge", color=TINT, edgecolor=BLUE)
        for number, bar in enumerate(bars):
            bar.set_gid(f"doses-{number}")
        axes.axvline(100.0, color=INK, linewidth=0.7)
        axes.axvline(float(percent.mean()), color=ORANGE, linestyle=(0, (4, 2)))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
        _labels(axes, f"dose / % of {of}", "doses")
        sd = quantity(float(percent.std(ddof=1)), "%", 1)
        if curve.dose_expanded_u is not None:
            _uncertainty_of_one(axes, 100.0 * curve.dose_expanded_u / nominal_u)
        _note(axes, f"{percent.size} doses, {of} is {nominal_u:.4g} U (solid), mean (dashed), SD {sd}")
        return svg(figure)


def nominal_dose_u(curve: Trumpet) -> tuple[float, str]:
    """Get the dose in U that single ones are compared with, and what it is: programmed, or the mean of them."""
    if curve.dose_interval_s is not None:
        return curve.rate_u_per_h * curve.dose_interval_s / 3600.0, "the programmed dose"
    return float(np.mean(curve.doses_u or (0.0,))), "the mean dose"


def _uncertainty_of_one(axes: Axes, expanded_percent: float) -> None:
    """Draw how well one dose is known, above the bars, at the place of the nominal dose."""
    top = axes.get_ylim()[1]
    axes.set_ylim(0.0, 1.25 * top)
    axes.errorbar([100.0], [1.1 * top], xerr=[expanded_percent], fmt="none", color=INK, elinewidth=0.9, capsize=2.5)
    axes.annotate(
        f"U of one dose, {quantity(expanded_percent, '%', 1)}",
        (100.0 + expanded_percent, 1.1 * top),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        fontsize=8.5,
    )


def _labels(axes: Axes, x: str, y: str) -> None:
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    quiet_grid(axes)


def _note(axes: Axes, words: str) -> None:
    axes.set_title(words, fontsize=8.5, color=GREY, loc="right", pad=3)

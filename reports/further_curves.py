"""Curves beside the trumpet and the boluses: start-up, cumulative error, histogram of doses, classes of boluses.

Each is drawn when its numbers are there. Not responsible for the numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from reports.analyses import Bolus, Trumpet
from reports.blocks import Sections, table
from reports.style import BLUE, GREY, INK, ORANGE, RULE, TINT, house_style, new_figure, quiet_grid, svg
from reports.words import NBSP, NONE, minus, quantity

SIGNED = FuncFormatter(lambda value, _: minus(f"{value:+g}") if value else "0")
CLASS_EDGES_PERCENT = (25.0, 75.0, 95.0, 105.0, 125.0, 175.0, 250.0)
"""Edges of the classes of 21 CFR 880.5730 labels."""


def further_curves(sections: Sections, curve: Trumpet) -> list[dict[str, Any]]:
    """Get the blocks of the curves whose numbers were recorded."""
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
                cumulative_figure(curve),
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
                caption="Single doses by size; the scatter holds that of the weighing, too.",
                alt=f"Histogram of {doses.size} doses, mean {doses.mean():.4g} U, SD {doses.std(ddof=1):.3g} U.",
            )
        )
    return blocks


def start_up_figure(curve: Trumpet) -> str:
    """Draw the flow of each sample interval from the start of the pump."""
    assert curve.start_up is not None
    with house_style():
        figure = new_figure(1.75)
        axes = figure.subplots()
        edges = [curve.start_up.at_h[0] - curve.interval_min / 60.0, *curve.start_up.at_h]
        axes.stairs(curve.start_up.flow_u_per_h, edges, color=BLUE, baseline=None)
        axes.axhline(curve.rate_u_per_h, color=ORANGE, linestyle=(0, (4, 2)))
        axes.set_xlim(edges[0], edges[-1])
        axes.margins(y=0.15)
        _labels(axes, "time since the start of the pump / h", "flow / (U/h)")
        _note(axes, f"programmed {curve.rate_u_per_h:g} U/h (dashed), means of {curve.interval_min:g} min")
        return svg(figure)


def cumulative_figure(curve: Trumpet) -> str:
    """Draw the error of all that was delivered so far; the scale leaves out the first tenth, where little was due."""
    assert curve.cumulative_error_percent is not None
    with house_style():
        figure = new_figure(1.75)
        axes = figure.subplots()
        at_h, error = np.asarray(curve.flow.at_h), np.asarray(curve.cumulative_error_percent)
        axes.axhline(0, color=INK, linewidth=0.6)
        axes.plot(at_h, error, color=BLUE)
        shown = error[error.size // 10 :]
        low, high = min(0.0, float(shown.min())), max(0.0, float(shown.max()))
        room = 0.2 * (high - low) or 1.0
        axes.set_ylim(low - room, high + room)
        axes.set_xlim(0.0, float(at_h[-1]))
        axes.yaxis.set_major_formatter(SIGNED)
        axes.annotate(
            quantity(float(error[-1]), "%", 2, signed=True),
            (float(at_h[-1]), float(error[-1])),
            xytext=(-3, 7),
            textcoords="offset points",
            ha="right",
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
    nominal_u = float(doses_u.mean())
    of = "the mean dose"
    if curve.dose_interval_s is not None:
        nominal_u, of = curve.rate_u_per_h * curve.dose_interval_s / 3600.0, "the programmed dose"
    percent = 100.0 * doses_u / nominal_u
    with house_style():
        figure = new_figure(1.85)
        axes = figure.subplots()
        axes.hist(percent, bins=min(40, max(8, round(2.0 * percent.size ** (1 / 3)))), color=TINT, edgecolor=BLUE)
        axes.axvline(100.0, color=INK, linewidth=0.7)
        axes.axvline(float(percent.mean()), color=ORANGE, linestyle=(0, (4, 2)))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
        _labels(axes, f"dose / % of {of}", "doses")
        sd = quantity(float(percent.std(ddof=1)), "%", 1)
        _note(axes, f"{percent.size} doses of {nominal_u:.4g} U (solid), mean (dashed), SD {sd}")
        return svg(figure)


def bolus_classes(sections: Sections, boluses: Bolus) -> list[dict[str, Any]]:
    """Get the blocks of the label's classes: the scatter across them, and how many are in each."""
    shares = ", ".join(f"{count} in {label} %" for label, count in boluses.bins.items() if count)
    return [
        sections.figure(
            classes_figure(boluses),
            name="bolus-classes",
            caption="Boluses in % of the command (left, dotted: edges of classes), and how many are in each class.",
            alt=f"Boluses by class of size: {shares}.",
        ),
        table(
            "Boluses by size in % of the command (classes of 21 CFR 880.5730 labels).",
            tuple(f"{label}{NBSP}%" for label in boluses.bins),
            [tuple(str(number) if number else NONE for number in boluses.bins.values())],
        ),
    ]


def classes_figure(boluses: Bolus) -> str:
    """Draw the boluses in % of the command across the classes, and the count of each class."""
    percent = 100.0 * np.asarray(boluses.delivered_u) / boluses.programmed_u
    with house_style():
        figure = new_figure(2.1)
        scatter, counts = figure.subplots(1, 2, width_ratios=(1.7, 1))
        scatter.axhspan(95.0, 105.0, color=TINT, linewidth=0)
        low, high = min(90.0, float(percent.min()) - 3.0), max(110.0, float(percent.max()) + 3.0)
        for edge in CLASS_EDGES_PERCENT:
            if low < edge < high:
                scatter.axhline(edge, color=GREY, linewidth=0.7, linestyle=(0, (1, 2)))
        scatter.axhline(100.0, color=INK, linewidth=0.6)
        scatter.plot(np.arange(1, percent.size + 1), percent, "o", color=BLUE)
        scatter.set_ylim(low, high)
        scatter.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=9))
        _labels(scatter, "bolus number", "delivered / % of the command")
        _class_counts(counts, boluses)
        return svg(figure)


def _class_counts(axes: Axes, boluses: Bolus) -> None:
    places = np.arange(len(boluses.bins))
    axes.barh(places, list(boluses.bins.values()), color=TINT, edgecolor=BLUE, height=0.75, linewidth=0.8)
    axes.set_yticks(places, [f"{label} %" for label in boluses.bins])
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    axes.set_xlim(0, 1.18 * max(boluses.bins.values()))
    for place, count in zip(places, boluses.bins.values(), strict=True):
        axes.annotate(str(count), (count, place), xytext=(3, 0), textcoords="offset points", va="center", fontsize=8)
    axes.set_xlabel("boluses")
    axes.grid(True, axis="x", color=RULE)


def _labels(axes: Axes, x: str, y: str) -> None:
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    quiet_grid(axes)


def _note(axes: Axes, text: str) -> None:
    axes.set_title(text, fontsize=8.5, color=GREY, loc="right", pad=3)

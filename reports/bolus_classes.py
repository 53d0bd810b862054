"""Boluses across the eight classes of 21 CFR 880.5730 labels: each of them, and how many are in each class.

Not responsible for counting them (`rig.analysis.bolus`).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator
from numpy.typing import NDArray

from reports.analyses import Bolus
from reports.blocks import Sections, table
from reports.style import BLUE, INK, RULE, TINT, house_style, new_figure, svg
from reports.words import NBSP, NONE

FloatArray = NDArray[np.float64]

CLASS_EDGES_PERCENT = (25.0, 75.0, 95.0, 105.0, 125.0, 175.0, 250.0)
"""Edges of the classes of 21 CFR 880.5730 labels."""

HEIGHTS = (0.8, 0.8, 0.9, 2.6, 0.9, 0.8, 0.8, 0.8)
"""Heights of the classes in the figure, from the lowest: most boluses are in the middle, where room is needed."""

_PLACES = np.concatenate([[0.0], np.cumsum(HEIGHTS)])


def bolus_classes(sections: Sections, boluses: Bolus) -> list[dict[str, Any]]:
    """Get the blocks of the label's classes: the scatter across them, and how many are in each."""
    shares = ", ".join(f"{count} in {label} %" for label, count in boluses.bins.items() if count)
    return [
        sections.figure(
            classes_figure(boluses),
            name="bolus-classes",
            caption="Boluses across the classes of size, and how many are in each; every class has a scale of its own.",
            alt=f"Boluses by class of size: {shares}.",
        ),
        table(
            "Boluses by size in % of the command (classes of 21 CFR 880.5730 labels).",
            tuple(f"{label}{NBSP}%" for label in boluses.bins),
            [tuple(str(number) if number else NONE for number in boluses.bins.values())],
        ),
    ]


def delivered_percent(boluses: Bolus) -> FloatArray:
    """Get each bolus in % of the command, shape (n,)."""
    percent: FloatArray = 100.0 * np.asarray(boluses.delivered_u) / boluses.programmed_u
    return percent


def classes_figure(boluses: Bolus) -> str:
    """Draw the boluses in % of the command across the classes, and beside it the count of each class."""
    percent = delivered_percent(boluses)
    with house_style():
        figure = new_figure(2.7)
        scatter, counts = figure.subplots(1, 2, width_ratios=(2.4, 1), sharey=True)
        scale = _class_scale(percent)
        scatter.set_yscale("function", functions=scale)
        scatter.set_ylim(float(scale[1](_PLACES[0])), float(scale[1](_PLACES[-1])))
        for axes in (scatter, counts):
            axes.axhspan(95.0, 105.0, color=TINT, linewidth=0)
            for edge in CLASS_EDGES_PERCENT:
                axes.axhline(edge, color=RULE, linewidth=0.7)
        scatter.axhline(100.0, color=INK, linewidth=0.6)
        scatter.plot(np.arange(1, percent.size + 1), percent, "o", color=BLUE, gid="boluses")
        scatter.set_xlim(0.3, percent.size + 0.7)
        scatter.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=13))
        scatter.yaxis.set_major_locator(FixedLocator([*CLASS_EDGES_PERCENT, 100.0]))
        scatter.yaxis.set_minor_locator(NullLocator())
        scatter.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        scatter.set_xlabel("bolus number")
        scatter.set_ylabel("delivered / % of the command")
        _counts(counts, boluses, scale)
        return svg(figure)


def _class_scale(percent: FloatArray) -> tuple[Any, Any]:
    """Get the functions from % to places on the axis and back: a straight line within each class."""
    lowest, highest = min(0.0, 1.1 * float(percent.min())), max(400.0, 1.1 * float(percent.max()))
    edges = np.array([lowest, *CLASS_EDGES_PERCENT, highest])

    def place(value: FloatArray) -> FloatArray:
        return np.asarray(np.interp(value, edges, _PLACES))

    def value(place: FloatArray) -> FloatArray:
        return np.asarray(np.interp(place, _PLACES, edges))

    return place, value


def _counts(axes: Axes, boluses: Bolus, scale: tuple[Any, Any]) -> None:
    """Draw a bar in the band of each class, with its count and name."""
    counts = list(boluses.bins.values())
    for (low, high), (label, count) in zip(pairwise(_PLACES), boluses.bins.items(), strict=True):
        middle, bottom, top = ((low + high) / 2.0, (low + high) / 2.0 - 0.28, (low + high) / 2.0 + 0.28)
        if count:
            axes.fill_between([0, count], float(scale[1](bottom)), float(scale[1](top)), color=BLUE, linewidth=0)
        words = f"{count} in {label}{NBSP}%" if count else f"none in {label}{NBSP}%"
        axes.annotate(
            words,
            (count, float(scale[1](middle))),
            xytext=(4, 0),
            textcoords="offset points",
            va="center_baseline",
            fontsize=8.5,
            color=INK,
        )
    axes.set_xlim(0.0, 2.2 * max(counts))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    axes.tick_params(axis="y", which="both", length=0)
    axes.set_xlabel("boluses")

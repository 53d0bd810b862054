"""Bars of uncertainty: how much of each number's variance comes from which source.

Not responsible for the budgets (`rig.analysis.budget`). Fills differ in lightness and in hatching, so that they are
told apart in grey and by every eye.
"""

from __future__ import annotations

import itertools
import re
import textwrap
from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import MultipleLocator

from reports.analyses import Budgets, QuantityBudget
from reports.style import INK, house_style, new_figure, svg
from reports.words import NBSP, value_and_uncertainty

NAMED_FROM_PERCENT = 20.0
WRITTEN_FROM_PERCENT = 6.0
"""A source is named inside its bar from so much on, and its share is written there; narrower ones are in the legend."""

NAME_LETTERS_A_PERCENT = 0.66
"""So many letters of a name fit into a bar of one percent, with the share behind it."""

LEGEND_LETTERS, PATCH_LETTERS = 108, 7
"""So many letters stand beside each other in the legend, and so many are as wide as a patch with its gaps."""

LINE_IN = 0.16
"""Height of a line of text."""

Fill = tuple[str, str | None, str]
"""Fill, hatching, and the colour of letters on it."""

KNOWN_FILLS: dict[str, Fill] = {
    "evaporation": ("#1f5f99", None, "white"),
    "wander of the blank": ("#f3c48f", None, INK),
    "repeatability": ("#a9c9e6", None, INK),
    "readability": ("#ffffff", "////", INK),
    "calibration of the balance": ("#c8641b", None, "white"),
    "Z factor": ("#d5dbe0", None, INK),
}
"""The sources of every weighing look the same in every figure."""

OTHER_FILLS: tuple[Fill, ...] = (
    ("#5b6670", None, "white"),
    ("#ffffff", "....", INK),
    ("#8fb3a5", None, INK),
    ("#ffffff", "xxxx", INK),
    ("#8c5a86", None, "white"),
    ("#e8dfb6", None, INK),
)


def fills_of(budgets: Sequence[QuantityBudget]) -> dict[str, Fill]:
    """Get a fill for each source of these bars, those that come with every weighing first."""
    sources = sources_of(budgets)
    known = {source: fill for source, fill in KNOWN_FILLS.items() if source in sources}
    others = [source for source in sources if source not in known]
    return known | dict(zip(others, itertools.cycle(OTHER_FILLS), strict=False))


def shares_by_source(budget: QuantityBudget) -> dict[str, float]:
    """Get the share in % of each source; what is the same of two weighings ("repeatability, first weighing") is one."""
    shares: dict[str, float] = {}
    for row in budget.rows:
        source = row.source.partition(", ")[0]
        shares[source] = shares.get(source, 0.0) + row.share_percent
    return shares


def sources_of(budgets: Sequence[QuantityBudget]) -> list[str]:
    """Get the sources of all bars, from the one with the largest shares."""
    total: dict[str, float] = {}
    for budget in budgets:
        for source, share in shares_by_source(budget).items():
            total[source] = total.get(source, 0.0) + share
    return sorted(total, key=lambda source: -total[source])


def budget_figure(budgets: Budgets) -> str:
    """Draw a bar for each number: the share of its sources in its variance, and U at its end."""
    bars = [budget for budget in budgets.budgets if budget.rows]
    names = [textwrap.wrap(re.sub(r"(?<=\d) ", NBSP, budget.quantity), 30) for budget in bars]
    heights = [max(2, len(lines)) * LINE_IN for lines in names]
    with house_style():
        figure = new_figure(sum(heights) + 0.08 * len(bars) + 1.0)
        axes = figure.subplots()
        places = np.cumsum(heights) - np.asarray(heights) / 2.0
        fills = fills_of(bars)
        for place, budget in zip(places, bars, strict=True):
            _bar(axes, float(place), budget, fills)
        axes.set_yticks(places, ["\n".join(lines) for lines in names])
        axes.set_ylim(float(sum(heights)), 0.0)
        axes.set_xlim(0.0, 100.0)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.xaxis.set_major_locator(MultipleLocator(20))
        axes.set_xlabel("share of the variance u² / %")
        patches = [
            Patch(facecolor=fill, hatch=hatch, edgecolor=INK, linewidth=0.4, label=source)
            for source, (fill, hatch, _) in fills.items()
        ]
        figure.legend(handles=patches, loc="outside lower center", ncols=_columns(fills), frameon=False, fontsize=8.5)
        return svg(figure)


def _columns(sources: Iterable[str]) -> int:
    """Get how many names stand beside each other in the legend, which fills column by column."""
    lengths = [len(source) + PATCH_LETTERS for source in sources]
    for columns in (4, 3, 2):
        parts = np.array_split(lengths, min(columns, len(lengths)))
        if sum(int(part.max()) for part in parts) <= LEGEND_LETTERS:
            return columns
    return 1


def _bar(axes: Axes, place: float, budget: QuantityBudget, fills: dict[str, Fill]) -> None:
    left = 0.0
    for source, share in shares_by_source(budget).items():
        fill, hatch, ink = fills[source]
        axes.barh(
            place, share, left=left, height=1.4 * LINE_IN, color=fill, hatch=hatch, edgecolor=INK, linewidth=0.4,
            gid=f"{budget.quantity}: {source}",
        )  # fmt: skip
        if share >= WRITTEN_FROM_PERCENT:
            named = share >= NAMED_FROM_PERCENT and len(source) < NAME_LETTERS_A_PERCENT * share
            words = f"{source} {share:.0f}{NBSP}%" if named else f"{share:.0f}{NBSP}%"
            box = {"facecolor": fill, "edgecolor": "none", "pad": 1.5} if hatch else None
            axes.text(
                left + share / 2.0, place, words, ha="center", va="center_baseline", color=ink, fontsize=8, bbox=box
            )
        left += share
    _, expanded = value_and_uncertainty(budget.value, budget.expanded)
    axes.annotate(
        f"U = {expanded or 0}{NBSP}{budget.unit}",
        (100.0, place),
        xytext=(5, 0),
        textcoords="offset points",
        va="center_baseline",
        fontsize=8.5,
        annotation_clip=False,
    )

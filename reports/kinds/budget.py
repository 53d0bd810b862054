"""Uncertainty budgets: how much of each number's variance comes from which source, and U at its end.

Not responsible for computing them (`rig.analysis.budget`). Fills differ in lightness and in hatching, so that they are
told apart in grey and by every eye.
"""

from __future__ import annotations

import itertools
import re
import textwrap
from collections.abc import Collection, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from reports.blocks import Block, table, text
from reports.curve import marks
from reports.curve.description import Axis, Curve, Panel
from reports.kinds.kind import AnalysisKind, DrawnLimits
from reports.style import INK
from reports.words import NBSP, minus, value_and_uncertainty
from rig.record.analyses import Budgets, QuantityBudget
from rig.verdicts.rounding import decimals

COLUMNS = ("Source", "Type", "Value", "u", "ν", "Sensitivity", "Contribution", "Share")

NAMED_FROM_PERCENT = 20.0
WRITTEN_FROM_PERCENT = 6.0
"""A source is named inside its bar from so much on, and its share is written there; narrower ones are in the legend."""

NAME_LETTERS_A_PERCENT = 0.66
"""So many letters of a name fit into a bar of one percent, with the share behind it."""

LEGEND_LETTERS, PATCH_LETTERS = 108, 7
"""So many letters stand beside each other in the legend, and so many are as wide as a patch with its gaps."""

LINE_IN = 0.16
"""Height of a line of text."""


def _fill(color: str, hatch: marks.Hatch | None = None, ink: str = INK) -> marks.Fill:
    return marks.Fill(color, hatch, ink, edge=INK, edge_width=0.4)


KNOWN_FILLS: dict[str, marks.Fill] = {
    "evaporation": _fill("#1f5f99", ink="white"),
    "wander of the blank": _fill("#f3c48f"),
    "repeatability": _fill("#a9c9e6"),
    "readability": _fill("#ffffff", "/"),
    "calibration of the balance": _fill("#c8641b", ink="white"),
    "Z factor": _fill("#d5dbe0"),
}
"""The sources of every weighing look the same in every figure."""

OTHER_FILLS: tuple[marks.Fill, ...] = (
    _fill("#5b6670", ink="white"),
    _fill("#ffffff", "."),
    _fill("#8fb3a5"),
    _fill("#ffffff", "x"),
    _fill("#8c5a86", ink="white"),
    _fill("#e8dfb6"),
)


def _blocks(budgets: Budgets, _: DrawnLimits) -> list[Block]:
    notes = dict.fromkeys(budget.note for budget in budgets.budgets if budget.note is not None)
    drawn = [budget_curve(budgets)] if any(budget.rows for budget in budgets.budgets) else []
    return [*drawn, *(text(note) for note in notes)]


def _annex(budgets: Budgets) -> list[dict[str, Any]]:
    return [table(_caption(budget), COLUMNS, _rows(budget)) for budget in budgets.budgets]


def budget_curve(budgets: Budgets) -> Curve:
    """Describe a bar for each number: the share of its sources in its variance, and U at its end."""
    budgeted = [budget for budget in budgets.budgets if budget.rows]
    shares = [_shares(budget) for budget in budgeted]
    names = [textwrap.wrap(re.sub(r"(?<=\d) ", NBSP, budget.quantity), 30) for budget in budgeted]
    heights = [max(2, len(lines)) * LINE_IN for lines in names]
    places = [float(end - height / 2.0) for end, height in zip(accumulate(heights), heights, strict=True)]
    starts, ends = ([place + half * LINE_IN for place in places] for half in (-0.7, 0.7))
    bases = [dict(zip(each, accumulate(each.values(), initial=0.0), strict=False)) for each in shares]
    fills = _fills(shares)
    bars = [
        marks.Bars(
            source,
            starts,
            ends,
            [each.get(source, 0.0) for each in shares],
            along="x",
            fill=fill,
            bases=[each.get(source, 0.0) for each in bases],
            names=tuple(f"{budget.quantity}: {source}" for budget in budgeted),
        )
        for source, fill in fills.items()
    ]
    inside = [
        marks.Note(words, base[source] + share / 2.0, place, ha="center", color=fills[source].ink, size=8.0,
             ground=fills[source].color if fills[source].hatch else None)
        for each, base, place in zip(shares, bases, places, strict=True)
        for source, share in each.items()
        if (words := _words_inside(source, share))
    ]  # fmt: skip
    expanded = [value_and_uncertainty(budget.value, budget.expanded)[1] or "0" for budget in budgeted]
    behind = [
        marks.Note(f"U = {u}{NBSP}{budget.unit}", 100.0, place, dx=5)
        for u, budget, place in zip(expanded, budgeted, places, strict=True)
    ]
    ticks = tuple((place, "\n".join(lines)) for place, lines in zip(places, names, strict=True))
    return Curve(
        name="uncertainty",
        title="Where the uncertainty comes from",
        caption="Where the uncertainty of each number comes from; parts of both weighings stand together.",
        alt=" ".join(_alt(budget) for budget in budgets.budgets),
        height_in=sum(heights) + 0.08 * len(budgeted) + 1.0,
        legend=_columns(fills),
        panels=(
            Panel(
                Axis("share of the variance u² / %", 0.0, 100.0, every=20.0),
                Axis("", sum(heights), 0.0, ticks=ticks, spine=False),
                (*bars, *inside, *behind),
            ),
        ),
    )


def _words_inside(source: str, share_percent: float) -> str:
    if share_percent < WRITTEN_FROM_PERCENT:
        return ""
    named = share_percent >= NAMED_FROM_PERCENT and len(source) < NAME_LETTERS_A_PERCENT * share_percent
    return f"{source} {share_percent:.0f}{NBSP}%" if named else f"{share_percent:.0f}{NBSP}%"


def _shares(budget: QuantityBudget) -> dict[str, float]:
    """Return the share in % of each source; both weighings ("repeatability, first weighing") are one."""
    shares: dict[str, float] = {}
    for row in budget.rows:
        source = row.source.partition(", ")[0]
        shares[source] = shares.get(source, 0.0) + row.share_percent
    return shares


def _fills(shares: Sequence[dict[str, float]]) -> dict[str, marks.Fill]:
    """Return a fill for each source: those that come with every weighing first, then from the largest on."""
    total: dict[str, float] = {}
    for source, share in (pair for each in shares for pair in each.items()):
        total[source] = total.get(source, 0.0) + share
    known = {source: fill for source, fill in KNOWN_FILLS.items() if source in total}
    others = sorted((source for source in total if source not in known), key=lambda source: -total[source])
    return known | dict(zip(others, itertools.cycle(OTHER_FILLS), strict=False))


def _columns(sources: Collection[str]) -> int:
    """Return how many names stand beside each other in the legend, which fills column by column."""
    lengths = [len(source) + PATCH_LETTERS for source in sources]
    for columns in (4, 3, 2):
        parts = np.array_split(lengths, min(columns, len(lengths)))
        if sum(int(part.max()) for part in parts) <= LEGEND_LETTERS:
            return columns
    return 1


def _alt(budget: QuantityBudget) -> str:
    shares = ", ".join(f"{source} {share:.0f} %" for source, share in _shares(budget).items())
    return f"{budget.quantity}: {shares}."


def _caption(budget: QuantityBudget) -> str:
    value, expanded = value_and_uncertainty(budget.value, budget.expanded)
    return (
        f"{budget.quantity[:1].upper()}{budget.quantity[1:]}: {value}{NBSP}±{NBSP}{expanded or 0}{NBSP}{budget.unit} "
        f"(u{NBSP}={NBSP}{_short(budget.u)}{NBSP}{budget.unit}, ν{NBSP}={NBSP}{_freedom(budget.degrees_of_freedom)}, "
        f"k{NBSP}={NBSP}{budget.coverage_factor:.2f}, {budget.coverage_percent:g}{NBSP}%)."
    )


def _rows(budget: QuantityBudget) -> list[tuple[str, ...]]:
    return [
        (
            row.source,
            row.kind,
            _with_unit(row.value, row.unit, row.u),
            f"{_short(row.u)}{NBSP}{row.unit}",
            _freedom(row.degrees_of_freedom),
            f"{_short(row.sensitivity)}{NBSP}{budget.unit}/{_divisor(row.unit)}",
            f"{_short(row.contribution)}{NBSP}{budget.unit}",
            f"{row.share_percent:.1f}{NBSP}%",
        )
        for row in budget.rows
    ]


def _with_unit(value: float, unit: str, u: float) -> str:
    """Write an input to the digits of its uncertainty."""
    return f"{minus(f'{value:z.{decimals(u)}f}')}{NBSP}{unit}"


def _short(value: float) -> str:
    """Write two significant digits, without an exponent."""
    return minus(f"{value:z.{decimals(abs(value))}f}") if value else "0"


def _divisor(unit: str) -> str:
    return f"({unit})" if "/" in unit else unit


def _freedom(degrees_of_freedom: float | None) -> str:
    return "∞" if degrees_of_freedom is None or degrees_of_freedom > 1e6 else f"{degrees_of_freedom:.0f}"


BUDGET = AnalysisKind(_blocks, annex=_annex)

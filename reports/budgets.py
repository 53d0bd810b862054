"""The section of a report with uncertainty budgets: each number's sources, and what it all makes.

Not responsible for computing them (`rig.analysis.budget`).
"""

from __future__ import annotations

from typing import Any

from reports.analyses import Budgets, QuantityBudget
from reports.blocks import Sections, table, text
from reports.budget_figure import budget_figure, shares_by_source
from reports.words import NBSP, decimals, minus, value_and_uncertainty

COLUMNS = ("Source", "Type", "Value", "u", "ν", "Sensitivity", "Contribution", "Share")


def budget_blocks(sections: Sections, budgets: Budgets) -> list[dict[str, Any]]:
    """Get the bars of all quantities and what must stand beside them; a table for each goes into the annex."""
    blocks: list[dict[str, Any]] = []
    if any(budget.rows for budget in budgets.budgets):
        blocks.append(
            sections.figure(
                budget_figure(budgets),
                name="uncertainty",
                caption="Where the uncertainty of each number comes from; parts of both weighings stand together.",
                alt=" ".join(_bar_words(budget) for budget in budgets.budgets),
            )
        )
    notes = dict.fromkeys(budget.note for budget in budgets.budgets if budget.note is not None)
    blocks += [text(note) for note in notes]
    tables = [table(_caption(budget), COLUMNS, _rows(budget)) for budget in budgets.budgets]
    sections.annex.append({"title": budgets.title, "blocks": tables})
    return blocks


def _bar_words(budget: QuantityBudget) -> str:
    shares = ", ".join(f"{source} {share:.0f} %" for source, share in shares_by_source(budget).items())
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

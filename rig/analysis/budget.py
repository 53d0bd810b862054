"""An uncertainty budget by the GUM (JCGM 100:2008): a value, its U, and every source in a row.

Not responsible for the measurement models that yield budgets (`uncertainty`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rig.analysis.checks import finite, not_negative, positive

if TYPE_CHECKING:
    import GTC


def gtc() -> Any:  # noqa: ANN401 - it publishes no types
    """Give GTC, imported with the first budget: it takes half a second, and most processes make none."""
    import GTC

    return GTC


@dataclass(frozen=True)
class BudgetRow:
    """One source of uncertainty.

    Attributes:
        source: what it is.
        kind: "A" from statistics, "B" from other knowledge (JCGM 100:2008 4.2, 4.3).
        value, unit, u: the input, its unit and its standard uncertainty in it.
        degrees_of_freedom: behind u.
        sensitivity: ∂result/∂input, in units of the result per unit of the input.
        contribution: |sensitivity| u, in the unit of the result.
        share_percent: contribution² of the sum of squares.
    """

    source: str
    kind: str
    value: float
    unit: str
    u: float
    degrees_of_freedom: float
    sensitivity: float
    contribution: float
    share_percent: float


@dataclass(frozen=True)
class Budget:
    """A result in `unit` with its uncertainty: u, degrees of freedom, k, U = k u, and what makes it up.

    `rows` begin with the largest contribution. Inputs taken as exact (u = 0) have no row; nothing else is left out.
    """

    value: float
    unit: str
    u: float
    degrees_of_freedom: float
    coverage_percent: float
    coverage_factor: float
    expanded: float
    rows: tuple[BudgetRow, ...]

    def linear(self, factor: float, *, offset: float = 0.0, unit: str) -> Budget:
        """The budget of factor · result + offset, in `unit`; both are exact. ValueError unless they are finite."""
        factor, offset = finite("factor", factor), finite("offset", offset)
        rows = [
            replace(row, sensitivity=factor * row.sensitivity, contribution=abs(factor) * row.contribution)
            for row in self.rows
        ]
        return replace(
            self,
            value=factor * self.value + offset,
            unit=unit,
            u=abs(factor) * self.u,
            expanded=abs(factor) * self.expanded,
            rows=tuple(rows),
        )

    def error_percent_of(self, programmed: float) -> Budget:
        """The budget of the error in % of `programmed`, which is exact and in the unit of this result.

        ValueError unless it is above 0.
        """
        return self.linear(100.0 / positive("programmed", programmed), offset=-100.0, unit="%")

    def covering(self, coverage_percent: float) -> Budget:
        """The same budget with k and U for another coverage; ValueError unless between 0 and 100 %."""
        if not 0 < finite("coverage_percent", coverage_percent) < 100:
            raise ValueError(f"coverage_percent must lie between 0 and 100, got {coverage_percent!r}")
        k = float(gtc().reporting.k_factor(self.degrees_of_freedom, p=coverage_percent))
        return replace(self, coverage_percent=coverage_percent, coverage_factor=k, expanded=k * self.u)

    def plus(self, source: str, kind: str, u: float, degrees_of_freedom: float = math.inf) -> Budget:
        """This budget with one more independent source, expected to be 0, in the unit of the result.

        k anew by Welch and Satterthwaite (JCGM 100:2008 G.4.1), of all rows. ValueError when `u` is negative.
        """
        own = Input(source, kind, 0.0, self.unit, not_negative("u", u), degrees_of_freedom)
        kept = [gtc().ureal(0.0, row.contribution, row.degrees_of_freedom) for row in self.rows]
        total = own.number + self.value + sum(kept)
        added = combined(total, self.unit, [own], self.coverage_percent)
        rows = [*self.rows, *added.rows]
        shares = [replace(row, share_percent=_share(row.contribution, float(total.v))) for row in rows]
        return replace(added, rows=_largest_first(shares))


class Input:
    """An input quantity and its GTC number."""

    def __init__(self, source: str, kind: str, value: float, unit: str, u: float, freedom: float = math.inf) -> None:
        self.source, self.kind, self.unit = source, kind, unit
        self.value, self.u, self.freedom = value, u, freedom
        self.number = gtc().ureal(value, u, freedom, label=source)


def combined(result: GTC.ureal, unit: str, inputs: Sequence[Input], coverage_percent: float) -> Budget:
    """Write the budget of a GTC number in `unit`: one row for each input that is not exact.

    k from the effective degrees of freedom (Welch and Satterthwaite, JCGM 100:2008 G.4).
    """
    rows = []
    for each in inputs:
        if each.u == 0:
            continue
        sensitivity = float(gtc().reporting.sensitivity(result, each.number))
        contribution = abs(sensitivity) * each.u
        share = _share(contribution, float(result.v))
        rows.append(
            BudgetRow(
                each.source, each.kind, each.value, each.unit, each.u, each.freedom, sensitivity, contribution, share
            )
        )
    freedom, u = float(result.df), float(result.u)
    k = float(gtc().reporting.k_factor(freedom, p=coverage_percent))
    return Budget(float(result.x), unit, u, freedom, coverage_percent, k, k * u, _largest_first(rows))


def _share(contribution: float, variance: float) -> float:
    return 100.0 * contribution**2 / variance if variance else 0.0


def _largest_first(rows: Sequence[BudgetRow]) -> tuple[BudgetRow, ...]:
    return tuple(sorted(rows, key=lambda row: -row.contribution))

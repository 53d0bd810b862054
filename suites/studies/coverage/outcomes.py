"""Outcomes of runs, and how often intervals held the truth.

Not responsible for runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats

from rig.analysis.budget import Budget

COVERAGE_PERCENT = 95.0


@dataclass(frozen=True)
class Outcome:
    """One reported number with its budget, and the truth in the same unit."""

    quantity: str
    truth: float
    budget: Budget

    @property
    def covered(self) -> bool:
        """Whether value ± U holds the truth."""
        return abs(self.budget.value - self.truth) <= self.budget.covering(COVERAGE_PERCENT).expanded

    @property
    def deviation(self) -> float:
        """How far the value is from the truth, in standard uncertainties."""
        return (self.budget.value - self.truth) / self.budget.u


@dataclass(frozen=True)
class Tally:
    """Many runs' outcomes of one quantity.

    Attributes:
        runs, covered: how many, and how many held the truth.
        expanded: mean U, in `unit`.
        deviation_mean, deviation_sd: of (value − truth)/u; an honest budget has 0 and 1.
        largest_source: what contributed most, in the last run.
    """

    quantity: str
    runs: int
    covered: int
    expanded: float
    unit: str
    deviation_mean: float
    deviation_sd: float
    largest_source: str

    @property
    def percent(self) -> float:
        """How often the interval held the truth, in %."""
        return 100.0 * self.covered / self.runs


def tally(outcomes: Iterable[Outcome]) -> dict[str, Tally]:
    """Count outcomes by quantity."""
    by_quantity: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_quantity.setdefault(outcome.quantity, []).append(outcome)
    return {quantity: _tally(quantity, found) for quantity, found in by_quantity.items()}


def _tally(quantity: str, found: list[Outcome]) -> Tally:
    deviations = [outcome.deviation for outcome in found]
    last = found[-1].budget
    return Tally(
        quantity,
        len(found),
        sum(outcome.covered for outcome in found),
        float(np.mean([outcome.budget.covering(COVERAGE_PERCENT).expanded for outcome in found])),
        last.unit,
        float(np.mean(deviations)),
        float(np.std(deviations)),
        f"{last.rows[0].source} ({last.rows[0].share_percent:.0f} %)",
    )


def table(tallies: Mapping[str, Tally]) -> list[str]:
    """The lines to print, a header first."""
    lines = [f"{'quantity':58} {'runs':>5} {'held':>7}  {'mean U':>12}  {'mean':>5} {'SD':>5}  largest source"]
    for row in tallies.values():
        lines.append(
            f"{row.quantity:58} {row.runs:5d} {row.percent:5.1f} %  {row.expanded:9.3g} {row.unit:2}  "
            f"{row.deviation_mean:+5.2f} {row.deviation_sd:5.2f}  {row.largest_source}"
        )
    return lines


def plausible_counts(runs: int, error: float) -> tuple[int, int]:
    """The least and the most of `runs` that hold the truth, were coverage 95 %, but for a chance of `error` a side.

    Quantiles of the binomial distribution.
    """
    low, high = stats.binom.ppf([error, 1.0 - error], runs, COVERAGE_PERCENT / 100.0)
    return int(low), int(high)

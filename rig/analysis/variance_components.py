"""Variance components: how much of the spread is between pumps, between sets of a pump, between runs of a set.

Nested random effects, by the analysis-of-variance method of moments. Not responsible for confidence intervals of the
components, which few pumps leave wide.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rig.analysis.checks import FloatArray, series


@dataclass(frozen=True)
class Component:
    """One level of the nesting.

    Attributes:
        level: "pump", "set" or "run".
        degrees_of_freedom: of its mean square.
        mean_square: in the unit of the values, squared.
        estimate: of the variance by the method of moments; it may be negative, and then speaks for a variance near 0.
        variance: the estimate, 0 where it is negative.
        share_percent: of the sum of the variances; 0 when that sum is 0.
    """

    level: str
    degrees_of_freedom: int
    mean_square: float
    estimate: float
    variance: float
    share_percent: float


@dataclass(frozen=True)
class VarianceComponents:
    """Mean of all values, the three components, and the standard deviation of a single value of any pump, set, run."""

    mean: float
    pump: Component
    set: Component
    run: Component
    total_sd: float


def variance_components(
    values: ArrayLike, *, pumps: Sequence[Hashable], sets: Sequence[Hashable]
) -> VarianceComponents:
    """Estimate the variances of y_ijk = μ + pump_i + set_ij + run_ijk, groups of any sizes.

    Expected mean squares, with n_ij values in set j of pump i, n_i of pump i, N in all, A pumps, B sets:
    E MS_run = σ²_r; E MS_set = σ²_r + k1 σ²_s, k1 = (N − ΣΣ n_ij²/n_i)/(B − A); E MS_pump = σ²_r + k2 σ²_s + k3 σ²_p,
    k2 = (ΣΣ n_ij²/n_i − ΣΣ n_ij²/N)/(A − 1), k3 = (N − Σ n_i²/N)/(A − 1) (Searle, Casella and McCulloch, Variance
    Components, 1992, chapter 5).

    Args:
        values: shape (n,).
        pumps: which pump each value is of.
        sets: which set; a name counts within its pump only.

    Raises:
        ValueError: bad input, or too few pumps, sets or runs to tell the levels apart.
    """
    numbers = series("values", values)
    if not numbers.size == len(pumps) == len(sets):
        raise ValueError(
            f"values, pumps and sets must be equally long, got {numbers.size}, {len(pumps)} and {len(sets)}"
        )
    of_pump, of_set = _groups(list(pumps)), _groups(list(zip(pumps, sets, strict=True)))
    n, a, b = numbers.size, int(of_pump.max()) + 1, int(of_set.max()) + 1
    if a < 2 or b <= a or n <= b:
        raise ValueError(
            f"{n} values of {b} sets of {a} pumps: at least 2 pumps, one with 2 sets, and a set with 2 runs are needed"
        )
    pump_mean, set_mean = _means(numbers, of_pump), _means(numbers, of_set)
    degrees = (a - 1, b - a, n - b)
    squares = (
        float(((pump_mean - numbers.mean()) ** 2).sum()) / degrees[0],
        float(((set_mean - pump_mean) ** 2).sum()) / degrees[1],
        float(((numbers - set_mean) ** 2).sum()) / degrees[2],
    )
    return _components(float(numbers.mean()), degrees, squares, _estimates(squares, of_pump, of_set))


def _groups(labels: list[Hashable]) -> NDArray[np.intp]:
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(label, len(numbers)) for label in labels], dtype=np.intp)


def _means(numbers: FloatArray, group: NDArray[np.intp]) -> FloatArray:
    """For each value the mean of its group, shape (n,)."""
    means: FloatArray = (np.bincount(group, numbers) / np.bincount(group))[group]
    return means


def _estimates(
    squares: tuple[float, float, float], of_pump: NDArray[np.intp], of_set: NDArray[np.intp]
) -> tuple[float, float, float]:
    """Solve the expected mean squares for the variances of pump, set, run."""
    n, n_i, n_ij = of_pump.size, np.bincount(of_pump), np.bincount(of_set)
    a, b = n_i.size, n_ij.size
    # One value stands for n_ij/n_i of ΣΣ n_ij²/n_i: summed over the values of a set that is n_ij²/n_i.
    within = float((n_ij[of_set] / n_i[of_pump]).sum())
    k1 = (n - within) / (b - a)
    k2 = (within - float((n_ij**2).sum()) / n) / (a - 1)
    k3 = (n - float((n_i**2).sum()) / n) / (a - 1)
    pump_square, set_square, run = squares
    of_sets = (set_square - run) / k1
    return (pump_square - run - k2 * of_sets) / k3, of_sets, run


def _components(
    mean: float,
    degrees: tuple[int, int, int],
    squares: tuple[float, float, float],
    estimates: tuple[float, float, float],
) -> VarianceComponents:
    variances = [max(0.0, estimate) for estimate in estimates]
    total = sum(variances)
    pump, of_set, run = (
        Component(level, df, square, estimate, variance, 100.0 * variance / total if total else 0.0)
        for level, df, square, estimate, variance in zip(
            ("pump", "set", "run"), degrees, squares, estimates, variances, strict=True
        )
    )
    return VarianceComponents(mean, pump, of_set, run, math.sqrt(total))

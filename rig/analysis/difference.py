"""Difference of two groups' means, B − A, with its expanded uncertainty: from uncertainties, or from scatter.

Not responsible for which runs make a group, nor for which of their sources of uncertainty are shared
(`reports.shared_sources`).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
import scipy

from rig.analysis.checks import FloatArray, finite, not_negative
from rig.analysis.uncertainty import COVERAGE_PERCENT


class Basis(Enum):
    """What the uncertainty of a difference rests on."""

    UNCERTAINTIES = "U of the values"
    SCATTER = "scatter between runs"


@dataclass(frozen=True)
class Stated:
    """A value with its expanded uncertainty U, both in one unit.

    Attributes:
        shared: contributions to U, signed as the value moves with the source, of sources that other values may share;
            equal keys are one and the same source.
    """

    value: float
    expanded: float
    shared: Mapping[Hashable, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        finite("value", self.value)
        not_negative("expanded", self.expanded)
        if self.own_variance < -1e-9 * self.expanded**2:
            raise ValueError("the shared sources contribute more than the whole uncertainty")

    @property
    def own_variance(self) -> float:
        """U² without the shared sources, in the unit squared."""
        return self.expanded**2 - sum(each**2 for each in self.shared.values())


@dataclass(frozen=True)
class Difference:
    """Mean of B less mean of A with its U (95.45 %), in the unit of the values; ν is None where it is infinite."""

    mean_a: float
    mean_b: float
    difference: float
    expanded: float
    degrees_of_freedom: float | None
    basis: Basis

    @property
    def zero_inside(self) -> bool:
        """Whether 0 lies within difference ± U."""
        return abs(self.difference) <= self.expanded


def difference_of_means(a: Sequence[Stated], b: Sequence[Stated]) -> Difference:
    """Difference of two groups' means in the unit of the values, with U as well founded as the groups allow.

    With two or more values in each group that scatter at all, U is t s by Welch (Biometrika 34 (1947) 28), with
    ν = (va + vb)²/(va²/(na − 1) + vb²/(nb − 1)) of v = s²/n; what sources that the groups do not share may put between
    the means is no scatter within a group and is added in squares. Otherwise U is that of the values: sources of their
    own in squares, shared ones by their signs (JCGM 100:2008, 5.2.2: correlation 1), so that what both groups have in
    common cancels. It then says nothing of further runs.

    Raises:
        ValueError: a group is empty.
    """
    if not a or not b:
        raise ValueError("each group needs a value")
    values_a, values_b = (np.sort([each.value for each in group]) for group in (a, b))
    mean_a, mean_b = (math.fsum(values) / values.size for values in (values_a, values_b))
    between = _of_shared(a, b)
    scatter_a, scatter_b = _variance_of_mean(values_a), _variance_of_mean(values_b)
    scatter = scatter_a + scatter_b
    if min(len(a), len(b)) >= 2 and scatter > 0.0:
        share = scatter_a / scatter
        freedom = 1.0 / (share**2 / (len(a) - 1) + (1.0 - share) ** 2 / (len(b) - 1))
        factor = float(scipy.stats.t.ppf(0.5 + COVERAGE_PERCENT / 200.0, freedom))
        expanded, basis = math.hypot(factor * math.sqrt(scatter), between), Basis.SCATTER
    else:
        own = math.fsum(max(0.0, each.own_variance) / len(group) ** 2 for group in (a, b) for each in group)
        expanded, freedom, basis = math.sqrt(own + between**2), math.inf, Basis.UNCERTAINTIES
    return Difference(mean_a, mean_b, mean_b - mean_a, expanded, freedom if freedom < math.inf else None, basis)


def _variance_of_mean(values: FloatArray) -> float:
    """Estimate s²/n; 0 where the values are equal or one alone, without what rounding leaves."""
    return float(np.var(values, ddof=1)) / values.size if values.size > 1 and np.ptp(values) > 0.0 else 0.0


def _of_shared(a: Sequence[Stated], b: Sequence[Stated]) -> float:
    """Combine what shared sources contribute to the difference: each once, with its mean sign and size in a group."""
    keys = dict.fromkeys(key for each in (*a, *b) for key in each.shared)
    parts = (_mean_part(b, key) - _mean_part(a, key) for key in keys)
    return math.sqrt(math.fsum(part**2 for part in parts))


def _mean_part(group: Sequence[Stated], key: Hashable) -> float:
    return math.fsum(each.shared.get(key, 0.0) for each in group) / len(group)

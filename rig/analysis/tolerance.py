"""Tolerance intervals: where a stated share of all pumps (or doses) lies, with a stated confidence.

From normal theory where the values look normal, from order statistics where they do not. Not responsible for limits nor
verdicts (`rig.verdicts.limits`), nor for values that hang together within a pump or set (`variance_components`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np
import scipy
from numpy.typing import ArrayLike

from rig.analysis.checks import FloatArray, not_negative, positive, series
from rig.analysis.success_run import fraction

ALPHA = 0.05
"""Below this p-value of the Shapiro–Wilk test the values are not taken as normal. A convention."""

LARGEST_N = 100_000
"""Where the search for n ends."""


class Sides(Enum):
    """Which ends an interval has."""

    TWO = "two-sided"
    LOWER = "lower"
    UPPER = "upper"


class IntervalMethod(Enum):
    """What an interval rests on."""

    NORMAL = "normal"
    ORDER_STATISTICS = "order statistics"


@dataclass(frozen=True)
class ToleranceInterval:
    """An interval that holds at least `coverage` of the population with `confidence`; an open end is ±inf.

    Attributes:
        low, high: in the unit of the values.
        n, mean, sd: of the values (sd with n − 1).
        normality_p: p-value of the Shapiro–Wilk test; 0 when all values are equal.
        k: factor of sd in mean ± k sd; None for order statistics.
        confidence: asked for (normal) or reached (order statistics, then no less than asked for).
        coverage: asked for.
    """

    low: float
    high: float
    n: int
    mean: float
    sd: float
    method: IntervalMethod
    normality_p: float
    k: float | None
    confidence: float
    coverage: float


def one_sided_k(n: int, *, confidence: float = 0.95, coverage: float = 0.95) -> float:
    """K such that mean + k sd of n normal values lies above `coverage` of all with `confidence`; exact.

    k = t_{C; n−1, δ}/√n, the noncentral t quantile with δ = z_p √n (ISO 16269-6:2014; NIST e-Handbook 7.2.6.3).
    """
    _enough(n)
    shift = scipy.stats.norm.ppf(fraction("coverage", coverage)) * math.sqrt(n)
    return float(scipy.stats.nct.ppf(fraction("confidence", confidence), n - 1, shift)) / math.sqrt(n)


def two_sided_k(n: int, *, confidence: float = 0.95, coverage: float = 0.95) -> float:
    """Factor k such that mean ± k sd of n normal values holds `coverage` of all with `confidence`; exact, no unit.

    k solves E_z[P(χ²_{n−1} < (n − 1) r²/k²)] = 1 − C over a standard normal z, where r = r(z/√n) is how far an interval
    around z/√n must reach to hold the coverage: Φ(z/√n + r) − Φ(z/√n − r) = p (Odeh and Owen, Tables for Normal
    Tolerance Limits, 1980; Eberhardt, Mee and Reeve, Commun. Stat. Simul. 18 (1989) 397; ISO 16269-6:2014 prints its
    values). The error of the numbers is below 1e-9 of k.

    Raises:
        ValueError: n below 2, or shares that do not lie between 0 and 1.
    """
    _enough(n)
    confidence, coverage = fraction("confidence", confidence), fraction("coverage", coverage)
    reach = _reach(_DEVIATES / math.sqrt(n), coverage)
    if reach[0] == 0.0:  # a coverage below 1e-16 is none
        return 0.0

    def too_short(log_k: float) -> float:
        """Share of studies whose interval holds less than the coverage, above what is allowed."""
        half_chi2 = 0.5 * (n - 1) * (reach / math.exp(log_k)) ** 2
        return float(_WEIGHTS @ scipy.special.gammainc(0.5 * (n - 1), half_chi2)) - (1.0 - confidence)

    # No interval reaches less far than one around the true mean: that is where the search begins.
    low = math.log(reach[0] * math.sqrt((n - 1) / scipy.stats.chi2.ppf(1.0 - confidence, n - 1)))
    high = low + 0.1
    while too_short(high) > 0.0:
        high += 0.5
    return math.exp(float(scipy.optimize.brentq(too_short, low - 1e-6, high, xtol=1e-12)))


_STEP = 0.125
_DEVIATES = np.arange(0.0, 10.0, _STEP)
_WEIGHTS = 2.0 * _STEP * np.exp(-0.5 * _DEVIATES**2) / math.sqrt(2.0 * math.pi)
_WEIGHTS[0] /= 2.0
"""The mean over a standard normal deviate, of a function that is the same for −z: the trapezoidal rule, which converges
exponentially here (Trefethen and Weideman, SIAM Review 56 (2014) 385); 1e-23 lies beyond z = 10."""


def _reach(centre: FloatArray, coverage: float) -> FloatArray:
    """Find how far intervals around `centre`, in SD from the mean, reach to hold `coverage`; shape (n,), in SD."""
    outside = 1.0 - coverage  # in the tails, where numbers near 1 lose no digits
    least = -float(scipy.special.ndtri(outside / 2.0))
    low, high = np.full_like(centre, least), centre + least  # the longer one holds the interval around the mean
    for _ in range(52):  # halvings down to the last bit
        middle = 0.5 * (low + high)
        enough = scipy.special.ndtr(-centre - middle) + scipy.special.ndtr(centre - middle) <= outside
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.asarray(0.5 * (low + high))


def normality_p(values: ArrayLike) -> float:
    """The p-value of the Shapiro–Wilk test (Biometrika 52, 1965), shape (n,) with n ≥ 3; 0 when all are equal."""
    numbers = series("values", values, at_least=3)
    if np.ptp(numbers) == 0.0:
        return 0.0
    return float(scipy.stats.shapiro((numbers - numbers.mean()) / np.ptp(numbers)).pvalue)


def tolerance_interval(
    values: ArrayLike, *, confidence: float = 0.95, coverage: float = 0.95, sides: Sides = Sides.TWO
) -> ToleranceInterval:
    """A tolerance interval of independent values, shape (n,), n ≥ 3, in their unit.

    Mean ± k sd when the Shapiro–Wilk test finds nothing against normality (p ≥ `ALPHA`), else order statistics.

    Raises:
        ValueError: bad input, or values that are not normal and too few for order statistics (says the number needed).
    """
    numbers = series("values", values, at_least=3)
    p = normality_p(numbers)
    if p < ALPHA:
        return _order_statistics(numbers, confidence, coverage, sides, p)
    factor = two_sided_k if sides is Sides.TWO else one_sided_k
    k = factor(numbers.size, confidence=confidence, coverage=coverage)
    mean, sd = float(numbers.mean()), float(numbers.std(ddof=1))
    low, high = _ends(mean - k * sd, mean + k * sd, sides)
    return ToleranceInterval(low, high, numbers.size, mean, sd, IntervalMethod.NORMAL, p, k, confidence, coverage)


def order_statistics_n(*, confidence: float = 0.95, coverage: float = 0.95, sides: Sides = Sides.TWO) -> int:
    """The smallest n whose extremes are a tolerance interval whatever the distribution (Wilks 1941)."""
    confidence, coverage = fraction("confidence", confidence), fraction("coverage", coverage)
    cut = 2 if sides is Sides.TWO else 1
    return _smallest_n(cut, lambda n: bool(scipy.stats.binom.cdf(n - cut, n, coverage) >= confidence))


def values_needed(
    *, margin: float, sd: float, confidence: float = 0.95, coverage: float = 0.95, sides: Sides = Sides.TWO
) -> int | None:
    """The smallest n with k(n) sd ≤ margin, in one unit; None when no n is enough.

    Args:
        margin: from the expected mean to the limit.
        sd: that is expected of single values.
        confidence: that the interval holds `coverage`.
        coverage: share of the population.
        sides: of the limit.
    """
    margin, sd = positive("margin", margin), not_negative("sd", sd)
    two = sides is Sides.TWO
    factor = two_sided_k if two else one_sided_k
    z = float(scipy.stats.norm.ppf((1.0 + coverage) / 2.0 if two else fraction("coverage", coverage)))
    if z * sd >= margin or factor(LARGEST_N, confidence=confidence, coverage=coverage) * sd > margin:
        return None
    return _smallest_n(2, lambda n: factor(n, confidence=confidence, coverage=coverage) * sd <= margin)


def _order_statistics(
    numbers: FloatArray, confidence: float, coverage: float, sides: Sides, p: float
) -> ToleranceInterval:
    """Cut as many values from the ends as the confidence allows: P(X(r) … X(n+1−s) holds p) = B(n − r − s; n, p)."""
    n, step = numbers.size, 2 if sides is Sides.TWO else 1
    cut = step
    if scipy.stats.binom.cdf(n - cut, n, coverage) < confidence:
        needed = order_statistics_n(confidence=confidence, coverage=coverage, sides=sides)
        raise ValueError(
            f"the values are not normal (Shapiro–Wilk p = {p:.2g}), and order statistics need {needed} values for "
            f"{100 * confidence:g} % confidence of {100 * coverage:g} % coverage, got {n}"
        )
    while scipy.stats.binom.cdf(n - cut - step, n, coverage) >= confidence:
        cut += step
    ordered, each = np.sort(numbers), cut // step
    low, high = _ends(float(ordered[each - 1]), float(ordered[n - each]), sides)
    reached = float(scipy.stats.binom.cdf(n - cut, n, coverage))
    mean, sd = float(numbers.mean()), float(numbers.std(ddof=1))
    return ToleranceInterval(low, high, n, mean, sd, IntervalMethod.ORDER_STATISTICS, p, None, reached, coverage)


def _ends(low: float, high: float, sides: Sides) -> tuple[float, float]:
    return (-math.inf if sides is Sides.UPPER else low), (math.inf if sides is Sides.LOWER else high)


def _smallest_n(start: int, enough: Callable[[int], bool]) -> int:
    """Find the smallest n ≥ start that is enough, where every larger n is enough too."""
    few, many = start - 1, start
    while not enough(many):
        few, many = many, 2 * many
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if enough(middle) else (middle, many)
    return many


def _enough(n: int) -> None:
    if n < 2:
        raise ValueError(f"n must be 2 or above, got {n!r}")

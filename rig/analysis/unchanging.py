"""A reading that does not change: how likely that is of an instrument that lives.

Not responsible for what follows from it, nor for instruments whose noise is smaller than their last digit.
"""

from __future__ import annotations

import math

from rig.analysis.checks import positive


def log10_chance_of_equal(readings: int, *, sd: float, digit: float) -> float:
    """The decimal logarithm of the highest chance that so many readings of a living instrument are equal.

    Of normal readings with standard deviation `sd`, rounded to `digit`, one falls into any one digit with a chance of
    p = erf(d/(2 √2 s)) at most, which is that of a true value in the middle of it. n equal ones then have
    Σ pᵢⁿ ≤ pⁿ⁻¹. A true value that moves makes it smaller.

    Args:
        readings: how many, independent of each other.
        sd: of single readings.
        digit: the last digit's step.

    Raises:
        ValueError: `sd` or `digit` is not above 0.
    """
    share = math.erf(positive("digit", digit) / (2.0 * math.sqrt(2.0) * positive("sd", sd)))
    return max(readings - 1, 0) * math.log10(share) if share > 0.0 else (-math.inf if readings > 1 else 0.0)

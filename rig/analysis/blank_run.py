"""What a blank run tells of a balance: repeatability, and whether the reading still settles.

Not responsible for the evaporation rate (`evaporation`), nor for deciding whether a balance is fit.
"""

from __future__ import annotations

import math

import numpy as np
import scipy
from numpy.typing import ArrayLike

from rig.analysis.checks import positive, series, timed_series
from rig.analysis.evaporation import evaporation_rate


def repeatability_g(mass_g: ArrayLike) -> tuple[float, float]:
    """The standard deviation in g of single readings, and its degrees of freedom, whatever their slow drift.

    s² = Σ (m[i+1] − m[i])²/(2 (n − 1)); degrees of freedom 2 (n − 1)²/(3 n − 4), by its variance for normal readings
    (von Neumann, Kent, Bellinson and Hart, Ann. Math. Statist. 12 (1941) 153).

    Args:
        mass_g: (n,) readings at regular times, n ≥ 3.

    Raises:
        ValueError: with a sentence, on input that is not the above.
    """
    steps = np.diff(series("mass_g", mass_g, at_least=3))
    n = steps.size + 1
    return math.sqrt(float(steps @ steps) / (2.0 * (n - 1))), 2.0 * (n - 1) ** 2 / (3.0 * n - 4.0)


def largest_credible_sd(claimed: float, degrees_of_freedom: float, *, share: float) -> float:
    """The SD that measured SDs stay below in `share` of cases when `claimed` is true: √(χ²(share)/ν) of it.

    Raises:
        ValueError: `claimed` or `degrees_of_freedom` is not above 0, or `share` is not between 0 and 1.
    """
    freedom = positive("degrees_of_freedom", degrees_of_freedom)
    if not 0.0 < share < 1.0:
        raise ValueError(f"share must be between 0 and 1, got {share!r}")
    chi_squared = 2.0 * float(scipy.special.gammaincinv(freedom / 2.0, share))  # scipy.stats takes 0.6 s to import
    return positive("claimed", claimed) * math.sqrt(chi_squared / freedom)


def change_of_rate(at_s: ArrayLike, mass_g: ArrayLike) -> tuple[float, float]:
    """By how much in mg/h the loss of the second half of a blank run exceeds that of the first, and its u.

    A vessel evaporates steadily over minutes; a balance that warms up, or a line that still relaxes, does not.

    Args:
        at_s: (n,) times in s, rising, n ≥ 6.
        mass_g: (n,) readings in g with nothing delivered.

    Raises:
        ValueError: with a sentence, on input that is not the above.
    """
    times, mass = timed_series(at_s, "mass_g", mass_g, at_least=6)
    half = times.size // 2
    first, second = evaporation_rate(times[:half], mass[:half]), evaporation_rate(times[half:], mass[half:])
    return second.rate_mg_per_h - first.rate_mg_per_h, math.hypot(first.u_mg_per_h, second.u_mg_per_h)

"""What a vessel loses by itself: evaporation rates with their uncertainty from blank runs.

Not responsible for deciding whether a blank run was quiet enough, nor for applying the rate (`gravimetry`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rig.analysis.checks import FloatArray, finite, not_negative, timed_series
from rig.analysis.gravimetry import MG_PER_G, SECONDS_PER_HOUR


@dataclass(frozen=True)
class EvaporationRate:
    """A loss of mass in mg/h (above 0: the vessel gets lighter), its standard uncertainty and degrees of freedom."""

    rate_mg_per_h: float
    u_mg_per_h: float
    degrees_of_freedom: float
    at_s: float


def evaporation_rate(at_s: ArrayLike, mass_g: ArrayLike) -> EvaporationRate:
    """The evaporation rate in mg/h from a blank run: the slope of the least-squares line, sign turned.

    u² = s²/Σ(t − t̄)² with s² = Σ residual²/(n − 2) (JCGM 100:2008 H.3, with the abscissa exact). It takes residuals as
    independent: a balance that drifts makes the true uncertainty larger, which the two blank runs of `interpolated`
    show.

    Args:
        at_s: (n,) times in s, rising, n ≥ 3.
        mass_g: (n,) readings in g with nothing delivered.

    Raises:
        ValueError: with a sentence, on input that is not the above.
    """
    times, mass = timed_series(at_s, "mass_g", mass_g, at_least=3)
    middle_s = float(times.mean())
    hours, milligrams = (times - middle_s) / SECONDS_PER_HOUR, (mass - mass[0]) * MG_PER_G
    spread = float(hours @ hours)
    slope = float(hours @ milligrams) / spread
    residuals = milligrams - milligrams.mean() - slope * hours
    variance = float(residuals @ residuals) / (times.size - 2)
    return EvaporationRate(-slope, float(np.sqrt(variance / spread)), float(times.size - 2), middle_s)


def interpolated(before: EvaporationRate, after: EvaporationRate, *, at_s: float) -> EvaporationRate:
    """The evaporation rate in mg/h at `at_s` between a blank run before and one after.

    Linear in time. How it went in between nobody saw, so a rectangular distribution over the difference of the two
    joins their uncertainties: u² = ((1 − f) u1)² + (f u2)² + (e2 − e1)²/12, f the share of the way. Degrees of freedom
    by Welch and Satterthwaite (JCGM 100:2008 G.4.1), with the rectangular part taken as known.

    Raises:
        ValueError: `after` is not after `before`, or `at_s` is not between the middles of both runs.
    """
    if after.at_s <= before.at_s:
        raise ValueError(f"the later blank run must follow the earlier, got {after.at_s:g} s after {before.at_s:g} s")
    moment = finite("at_s", at_s)
    if not before.at_s <= moment <= after.at_s:
        raise ValueError(f"at_s must lie between the blank runs, {before.at_s:g} … {after.at_s:g} s, got {moment:g}")
    share = (moment - before.at_s) / (after.at_s - before.at_s)
    difference = after.rate_mg_per_h - before.rate_mg_per_h
    parts = [((1.0 - share) * before.u_mg_per_h) ** 2, (share * after.u_mg_per_h) ** 2]
    variance = sum(parts) + difference**2 / 12.0
    by_freedom = parts[0] ** 2 / before.degrees_of_freedom + parts[1] ** 2 / after.degrees_of_freedom
    freedom = variance**2 / by_freedom if by_freedom > 0 else float("inf")
    return EvaporationRate(before.rate_mg_per_h + share * difference, float(np.sqrt(variance)), freedom, moment)


def with_earlier_knowledge(found: EvaporationRate, rate_mg_per_h: float, u_mg_per_h: float) -> EvaporationRate:
    """The mean of what blank runs showed now and what is known from earlier ones, weighted by 1/u².

    u = 1/√(1/u₁² + 1/u₂²) (JCGM 100:2008 via Gauss–Markov; Aitken 1935). The two are independent; whether they agree is
    to be looked at before. Earlier knowledge without an uncertainty (0) counts as none.

    Raises:
        ValueError: an uncertainty that is negative or not a number.
    """
    u_earlier = not_negative("u_mg_per_h", u_mg_per_h)
    if u_earlier == 0.0 or found.u_mg_per_h == 0.0:
        return found
    weight_now, weight_earlier = found.u_mg_per_h**-2, u_earlier**-2
    total = weight_now + weight_earlier
    mean = (weight_now * found.rate_mg_per_h + weight_earlier * finite("rate_mg_per_h", rate_mg_per_h)) / total
    freedom = found.degrees_of_freedom * (total / weight_now) ** 2
    return EvaporationRate(mean, float(total**-0.5), freedom, found.at_s)


def rate_between(before: EvaporationRate, after: EvaporationRate, at_s: ArrayLike) -> FloatArray:
    """The evaporation rate in mg/h at each of `at_s` on the line through both blank runs, for `gravimetry`."""
    if after.at_s <= before.at_s:
        raise ValueError(f"the later blank run must follow the earlier, got {after.at_s:g} s after {before.at_s:g} s")
    share = (np.asarray(at_s, dtype=np.float64) - before.at_s) / (after.at_s - before.at_s)
    return before.rate_mg_per_h + share * (after.rate_mg_per_h - before.rate_mg_per_h)

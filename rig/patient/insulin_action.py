"""Insulin that still acts and the glucose that it lowers, by the exponential curve of open loops; and momentum. Pure.

What controllers reckon with, beside which a virtual person can be held. The curve is that of Loop and oref0: LoopKit,
ExponentialInsulinModel.swift, after Maksimovic (github.com/LoopKit/Loop, issue 388). Not responsible for how insulin
acts in a person (`person`), for the curves of pumps (`rig.therapy.on_board`), nor for carbohydrates.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rig.analysis.checks import FloatArray

STEEPEST_RISE_MG_PER_DL_MIN = 4.0
"""Momentum is taken to rise no faster (LoopAlgorithm, GlucoseMath.swift)."""


@dataclass(frozen=True)
class ExponentialAction:
    """How the action of a dose comes and goes.

    Attributes:
        action_min: from the beginning of its action to its end.
        peak_min: from the beginning to its strongest action, less than half of that.
        delay_min: from the dose to the beginning.
    """

    action_min: float = 360.0
    peak_min: float = 75.0
    delay_min: float = 10.0

    def __post_init__(self) -> None:
        if not (0.0 < self.peak_min < self.action_min / 2.0 and self.delay_min >= 0.0):
            raise ValueError(
                f"insulin acts strongest before the middle of its action, got a peak at {self.peak_min:g} min of "
                f"{self.action_min:g} min, {self.delay_min:g} min late"
            )

    @property
    def _terms(self) -> tuple[float, float]:
        """The time constant in min, and the scale S (1 - a)."""
        tau = self.peak_min * (1.0 - self.peak_min / self.action_min) / (1.0 - 2.0 * self.peak_min / self.action_min)
        a = 2.0 * tau / self.action_min
        return tau, (1.0 - a) / (1.0 - a + (1.0 + a) * math.exp(-self.action_min / tau))

    def remaining(self, after_min: ArrayLike) -> FloatArray:
        """The share of a dose that still acts so many min later: 1 until the delay is over, 0 after the action."""
        tau, scale = self._terms
        after = np.asarray(after_min, dtype=float) - self.delay_min
        t = np.clip(after, 0.0, self.action_min)
        quadratic = t**2 / (tau * self.action_min * (1.0 - 2.0 * tau / self.action_min)) - t / tau - 1.0
        left = 1.0 - scale * (quadratic * np.exp(-t / tau) + 1.0)
        found: FloatArray = np.where(after >= self.action_min, 0.0, np.where(after <= 0.0, 1.0, left))
        return found

    def _used_min(self, after_min: FloatArray) -> FloatArray:
        """The integral of the share that no longer acts, from the dose to so many min later, in min."""
        tau, scale = self._terms
        after = np.maximum(after_min - self.delay_min, 0.0)
        t = np.minimum(after, self.action_min)
        kept = np.exp(-t / tau)
        squared = tau**3 * (2.0 - kept * ((t / tau) ** 2 + 2.0 * t / tau + 2.0))
        first = tau**2 * (1.0 - kept * (1.0 + t / tau))
        quadratic = squared / (tau * self.action_min * (1.0 - 2.0 * tau / self.action_min)) - first / tau
        found: FloatArray = scale * (quadratic - tau * (1.0 - kept) + t) + (after - t)
        return found

    def used_of_rate(self, after_min: ArrayLike, lasts_min: float) -> FloatArray:
        """The share of a dose given evenly over `lasts_min` that no longer acts, so many min after it began; exact."""
        after = np.asarray(after_min, dtype=float)
        if lasts_min <= 0.0:
            return 1.0 - self.remaining(after)
        found: FloatArray = (self._used_min(after) - self._used_min(after - lasts_min)) / lasts_min
        return found


@dataclass(frozen=True)
class NetDose:
    """Insulin in U beyond the scheduled basal rate, which may be below 0, given evenly; `lasts_min` 0: at once."""

    at_min: float
    insulin_u: float
    lasts_min: float = 0.0


def glucose_effect_mg_per_dl(
    doses: Iterable[NetDose], minute: ArrayLike, *, sensitivity_mg_per_dl: float, action: ExponentialAction
) -> FloatArray:
    """What doses have changed glucose by at each minute, in mg/dL."""
    minutes = np.asarray(minute, dtype=float)
    found = np.zeros(minutes.shape)
    for dose in doses:
        found -= sensitivity_mg_per_dl * dose.insulin_u * action.used_of_rate(minutes - dose.at_min, dose.lasts_min)
    return found


def momentum_mg_per_dl(read_min: ArrayLike, glucose_mg_per_dl: ArrayLike, minute: ArrayLike) -> FloatArray:
    """What glucose will have changed by after the last reading, going on by the slope of a line through readings.

    The line is that of least squares; it rises by at most `STEEPEST_RISE_MG_PER_DL_MIN`.
    """
    at, glucose = np.asarray(read_min, dtype=float), np.asarray(glucose_mg_per_dl, dtype=float)
    if at.size < 2 or at.shape != glucose.shape or not (np.diff(at) > 0.0).all():
        raise ValueError("momentum takes two readings or more, in the order of time")
    from_mean = at - at.mean()
    slope = min(float(from_mean @ glucose / (from_mean @ from_mean)), STEEPEST_RISE_MG_PER_DL_MIN)
    found: FloatArray = slope * np.maximum(np.asarray(minute, dtype=float) - at[-1], 0.0)
    return found

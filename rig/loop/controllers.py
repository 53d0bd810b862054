"""Controllers that stand outside of the pump and command it every 5 min, as a phone does.

Two of them: basal-bolus, which looks at no sensor, the known-bad one; and a PID with insulin feedback, the simple one.
Neither is a therapy. Not responsible for telling a pump anything, nor for what a pump refuses.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from rig.patient.sensor import HIGHEST_MG_PER_DL, LOWEST_MG_PER_DL
from rig.therapy.exact import rounded_down

PERIOD_MIN = 5
STALE_MIN = 20
"""A sensor that has shown the very same for so long is taken for silent: noise never repeats itself."""
LASTS_MIN = 30
"""A temporary rate is told for so long, and anew every period: a pump that hears nothing goes back to its profile."""


@dataclass(frozen=True)
class Seen:
    """What a controller knows at a minute: the sensor's value in mg/dL or None, carbohydrate announced now in g."""

    at_min: int
    glucose_mg_per_dl: float | None
    announced_g: float


@dataclass(frozen=True)
class Wanted:
    """What a controller wants: a temporary rate in U/h or None for the pump's own profile, and a bolus in U."""

    rate_u_per_h: float | None = None
    bolus_u: float = 0.0


@dataclass(frozen=True)
class ControllerSettings:
    """What a controller is told of person and pump.

    Attributes:
        basal_u_per_h: the profile's rate.
        ratio_g: carbohydrate for 1 U.
        rate_step_u_per_h, bolus_step_u: what the pump can be told; amounts are rounded down to it.
        target_mg_per_dl: where to.
    """

    basal_u_per_h: float
    ratio_g: float
    rate_step_u_per_h: float
    bolus_step_u: float
    target_mg_per_dl: float = 110.0

    def meal_u(self, carbs_g: float) -> float:
        """The bolus for a meal, in U."""
        return tellable(carbs_g / self.ratio_g, self.bolus_step_u)


class Controller(Protocol):
    """Decides every 5 min."""

    def decide(self, seen: Seen) -> Wanted:
        """Decide what the pump shall do from now on."""
        ...


class BasalBolus:
    """The profile's rate, and a bolus for each announced meal; it never looks at the sensor."""

    def __init__(self, settings: ControllerSettings) -> None:
        self._settings = settings

    def decide(self, seen: Seen) -> Wanted:
        """Give the meal's bolus."""
        return Wanted(bolus_u=self._settings.meal_u(seen.announced_g))


class PidWithInsulinFeedback:
    """A PID on the sensor, less what its own insulin still does; meals that are announced get their bolus.

    The form is that of Steil (2011, J Clin Endocrinol Metab 96:1402): rate = (1 + γ) PID − γ × insulin in plasma, each
    as a rate. **The tuning is this rig's own**, none of any product: K so that 60 mg/dL above target doubles the basal
    rate, integral time 300 min, derivative time 60 min, γ 0.5; insulin in plasma by two compartments of 55 min. The
    integral stays between 0 and three times basal. The rate lies between 0 and four times basal, and is 0 when the
    sensor is below 70 mg/dL or will be in 30 min by its last slope. Without a value, or with one that has stood still
    for 20 min, it wants nothing: the running rate ends by itself.
    """

    def __init__(self, settings: ControllerSettings) -> None:
        self._settings = settings
        self._gain = settings.basal_u_per_h / 60.0
        self._integral_u_per_h = settings.basal_u_per_h
        self._last: tuple[int, float] | None = None
        self._same_since: tuple[int, float] | None = None
        self._depot = self._plasma = settings.basal_u_per_h
        self._told = Wanted()

    def decide(self, seen: Seen) -> Wanted:
        """Decide on the sensor's value."""
        self._absorb()
        bolus_u = self._settings.meal_u(seen.announced_g)
        self._told = Wanted(self._rate(seen), bolus_u)
        return self._told

    def _rate(self, seen: Seen) -> float | None:
        glucose, basal = seen.glucose_mg_per_dl, self._settings.basal_u_per_h
        if glucose is None or self._is_stale(seen.at_min, glucose):
            return None
        slope = 0.0
        if self._last is not None and seen.at_min > self._last[0]:
            slope = (glucose - self._last[1]) / (seen.at_min - self._last[0])
        self._last = seen.at_min, glucose
        error = glucose - self._settings.target_mg_per_dl
        integral = self._integral_u_per_h + self._gain * error * PERIOD_MIN / 300.0
        self._integral_u_per_h = min(max(integral, 0.0), 3.0 * basal)
        pid = self._gain * (error + 60.0 * slope) + self._integral_u_per_h
        rate = 1.5 * pid - 0.5 * self._plasma
        if glucose < 70.0 or glucose + 30.0 * slope < 70.0:
            return 0.0
        return tellable(min(max(rate, 0.0), 4.0 * basal), self._settings.rate_step_u_per_h)

    def _is_stale(self, at_min: int, glucose: float) -> bool:
        """Has the sensor shown the very same for too long? At the ends of what it can show it may."""
        if (
            self._same_since is None
            or self._same_since[1] != glucose
            or not LOWEST_MG_PER_DL < glucose < HIGHEST_MG_PER_DL
        ):
            self._same_since = at_min, glucose
        return at_min - self._same_since[0] >= STALE_MIN

    def _absorb(self) -> None:
        """Let what was told last act for a period."""
        rate = self._settings.basal_u_per_h if self._told.rate_u_per_h is None else self._told.rate_u_per_h
        rate += self._told.bolus_u * 60.0 / PERIOD_MIN
        kept = math.exp(-PERIOD_MIN / 55.0)
        self._plasma = self._depot + (self._plasma - self._depot) * kept
        self._depot = rate + (self._depot - rate) * kept


CONTROLLERS: Mapping[str, Callable[[ControllerSettings], Controller]] = {
    "basal-bolus": BasalBolus,
    "pid": PidWithInsulinFeedback,
}
"""By their names in a plan."""


def tellable(amount: float, step: float) -> float:
    """Round an amount down to what a pump can be told; what is a multiple within 1e-9 stays that multiple."""
    return float(rounded_down(round(amount, 9), step))

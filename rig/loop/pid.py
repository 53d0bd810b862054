"""A PID with insulin feedback: the simple controller of this rig. No therapy, and no product's.

Not responsible for telling a pump anything, nor for which values of a sensor may be believed (`trust`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rig.loop.accepted import Accepted, Known
from rig.loop.controllers import NOTHING, PERIOD_MIN, ControllerSettings, Seen, Simple, Wanted, tellable
from rig.loop.trust import STALE_MIN, STEEPEST_MG_PER_DL_MIN, Trust

ABSORBED_MIN = 55.0
"""Time constant of each of the two compartments from the skin to plasma, in min."""
REMEMBERED_MIN = 360
"""So far back in the pump's log a PID that is begun anew looks: what came earlier no longer acts."""


@dataclass(frozen=True)
class PidLimits:
    """What bounds the PID's automation. The values are this rig's own.

    Attributes:
        most_of_basal: the highest rate, as a multiple of the profile's.
        longest_suspension_min: after so long at a rate of 0 the profile's rate is told: 2 h less a period, so that the
            pump's next dose comes before 2 h are over.
        resumed_min: for how long, at least, before it may suspend again.
        not_raised_min: for so long after a bolus, its own or a person's, its rate is the profile's at most: a bolus
            acts late, and what is still high is no reason for more.
        blind_min: without a value to act on for so long, the running temporary rate is ended.
        stale_min, steepest_mg_per_dl_min: which values it acts on (`rig.loop.trust`).
    """

    most_of_basal: float = 4.0
    longest_suspension_min: float = 115.0
    resumed_min: float = 30.0
    not_raised_min: float = 60.0
    blind_min: float = 20.0
    stale_min: float = STALE_MIN
    steepest_mg_per_dl_min: float = STEEPEST_MG_PER_DL_MIN


BOUNDED = PidLimits()


class PidWithInsulinFeedback(Simple):
    """A PID on the sensor, less what insulin still does; meals that are announced get their bolus.

    The form is that of Steil (2011, J Clin Endocrinol Metab 96:1402): rate = (1 + γ) PID − γ × insulin in plasma, each
    as a rate. **The tuning is this rig's own**, none of any product: K so that 60 mg/dL above target doubles the basal
    rate, integral time 300 min, derivative time 60 min, γ 0.5; insulin in plasma by two compartments of 55 min, of all
    that the pump accepted, a person's boluses among it. The integral stays between 0 and three times basal.

    It is 0 when the sensor is below 70 mg/dL or will be in 30 min by its last slope, and what else bounds it stands in
    `PidLimits`. Without a value to act on it wants nothing, and after 20 min the end of the running rate. Begun anew,
    it takes insulin from the pump's log, its last value from the sensor, and the basal rate for its integral.
    """

    def __init__(self, settings: ControllerSettings, known: Known = NOTHING, limits: PidLimits = BOUNDED) -> None:
        self._settings, self._limits = settings, limits
        self._trust = Trust(self._limits.stale_min, self._limits.steepest_mg_per_dl_min)
        self._gain = settings.basal_u_per_h / 60.0
        self._integral_u_per_h = settings.basal_u_per_h
        self._last: tuple[int, float] | None = None
        self._depot = self._plasma = settings.basal_u_per_h
        self._accepted_u_per_h = settings.basal_u_per_h
        self._accepted_until_min = 0.0
        self._decided_min: int | None = None
        self._suspended_since_min: int | None = None
        self._not_before_min = -math.inf
        boluses = (each.at_min for each in known.accepted if each.bolus_u is not None)
        self._last_bolus_min = max(boluses, default=-math.inf)
        for each in known.read[-1:]:
            self._last = round(each.at_min), each.glucose_mg_per_dl
            self._trust.believed(round(each.at_min), each.glucose_mg_per_dl)
        remembered_min = REMEMBERED_MIN if known.accepted else 0
        for period_u in known.insulin_u(settings.basal_u_per_h, remembered_min).reshape(-1, PERIOD_MIN).sum(axis=1):
            self._absorb(float(period_u) * 60.0 / PERIOD_MIN)

    def decide(self, seen: Seen) -> Wanted:
        """Decide on the sensor's value."""
        if self._decided_min is not None:
            runs = self._decided_min < self._accepted_until_min
            self._absorb(self._accepted_u_per_h if runs else self._settings.basal_u_per_h)
        self._decided_min = seen.at_min
        bolus_u = self._settings.meal_u(seen.announced_g)
        glucose = self._trust.believed(seen.at_min, seen.glucose_mg_per_dl)
        if glucose is None:
            return self._blind(seen.at_min, bolus_u)
        return Wanted(self._bounded(seen.at_min, self._rate(seen, glucose)), bolus_u)

    def told(self, accepted: Accepted) -> None:
        """Count what the pump accepted: a bolus at once, a rate from now on."""
        if accepted.bolus_u is not None:
            self._depot += accepted.bolus_u * 60.0 / ABSORBED_MIN
            self._last_bolus_min = max(self._last_bolus_min, accepted.at_min)
        else:
            self._accepted_u_per_h = accepted.rate_u_per_h or 0.0
            self._accepted_until_min = accepted.at_min + accepted.lasts_min

    def _blind(self, at_min: int, bolus_u: float) -> Wanted:
        """Without a value: let run what runs, and end it when that has lasted too long."""
        since = self._trust.blind_since_min
        ends = since is not None and at_min - since >= self._limits.blind_min
        if ends:
            self._suspended_since_min = None
        return Wanted(None, bolus_u, ends=ends)

    def _rate(self, seen: Seen, glucose: float) -> float:
        """The rate by the sensor, in U/h, as it would be without limits upwards."""
        slope = 0.0
        if self._last is not None and seen.at_min > self._last[0]:
            slope = (glucose - self._last[1]) / (seen.at_min - self._last[0])
        self._last = seen.at_min, glucose
        error = glucose - self._settings.target_mg_per_dl
        integral = self._integral_u_per_h + self._gain * error * PERIOD_MIN / 300.0
        self._integral_u_per_h = min(max(integral, 0.0), 3.0 * self._settings.basal_u_per_h)
        if glucose < 70.0 or glucose + 30.0 * slope < 70.0:
            return 0.0
        pid = self._gain * (error + 60.0 * slope) + self._integral_u_per_h
        return max(1.5 * pid - 0.5 * self._plasma, 0.0)

    def _bounded(self, at_min: int, rate_u_per_h: float) -> float:
        """Keep the rate below the highest, and a suspension shorter than the longest."""
        basal, limits = self._settings.basal_u_per_h, self._limits
        most = 1.0 if at_min - self._last_bolus_min < limits.not_raised_min else limits.most_of_basal
        rate = tellable(min(rate_u_per_h, most * basal), self._settings.rate_step_u_per_h)
        if rate > 0.0:
            self._suspended_since_min = None
            return rate
        if at_min < self._not_before_min:
            return basal
        if self._suspended_since_min is None:
            self._suspended_since_min = at_min
        if at_min - self._suspended_since_min < limits.longest_suspension_min:
            return 0.0
        self._suspended_since_min = None
        self._not_before_min = at_min + limits.resumed_min
        return basal

    def _absorb(self, rate_u_per_h: float) -> None:
        """Let a rate act for a period."""
        kept = math.exp(-PERIOD_MIN / ABSORBED_MIN)
        self._plasma = self._depot + (self._plasma - self._depot) * kept
        self._depot = rate_u_per_h + (self._depot - rate_u_per_h) * kept

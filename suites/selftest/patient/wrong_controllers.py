"""Controllers that are wrong in one way each, and the one requirement of automated delivery that each must fail."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

from rig.loop.accepted import Accepted, Known
from rig.loop.controllers import NOTHING, BasalBolus, Controller, ControllerSettings, Seen, Wanted
from rig.loop.pid import PidLimits, PidWithInsulinFeedback


class _Pid(PidWithInsulinFeedback):
    """The right PID, to be spoilt."""


class RepeatsItselfWhenBlind(_Pid):
    """Goes on telling the last rate where the sensor shows nothing."""

    _last_told = Wanted()

    def decide(self, seen: Seen) -> Wanted:
        wanted = super().decide(seen)
        if wanted.rate_u_per_h is None:
            return self._last_told
        self._last_told = wanted
        return wanted


class CountsNoBolusOfOthers(_Pid):
    """Knows of its own commands alone."""

    def told(self, accepted: Accepted) -> None:
        if accepted.bolus_u is None:
            super().told(accepted)


class LooksAtTheSensorOnceAnHour(_Pid):
    """Decides every 5 min by a value that is up to an hour old."""

    _old: float | None = None

    def decide(self, seen: Seen) -> Wanted:
        if seen.at_min % 60 == 0 or self._old is None:
            self._old = seen.glucose_mg_per_dl
        old = None if self._old is None else self._old + 1e-3 * (seen.at_min % 60)  # so that it seems alive
        return super().decide(Seen(seen.at_min, old, seen.announced_g))


class AnswersTwoPeriodsLate(_Pid):
    """Decides by what the sensor showed 10 min ago."""

    def __init__(self, settings: ControllerSettings, known: Known) -> None:
        super().__init__(settings, known)
        self._shown: list[float | None] = []

    def decide(self, seen: Seen) -> Wanted:
        self._shown.append(seen.glucose_mg_per_dl)
        return super().decide(Seen(seen.at_min, self._shown[max(0, len(self._shown) - 3)], seen.announced_g))


class GivesUpWhenRefused(_Pid):
    """Wants nothing any more once the pump has not accepted what it wanted."""

    _unanswered = 0

    def decide(self, seen: Seen) -> Wanted:
        if self._unanswered > 2:
            return Wanted()
        wanted = super().decide(seen)
        self._unanswered += wanted.rate_u_per_h is not None
        return wanted

    def told(self, accepted: Accepted) -> None:
        self._unanswered = 0
        super().told(accepted)


def _limited(limits: PidLimits) -> Callable[[ControllerSettings, Known], Controller]:
    return lambda settings, known: PidWithInsulinFeedback(settings, known, limits)


class Wrong(NamedTuple):
    """A wrong controller, the situation that shows it, and the requirement that it fails there."""

    made: Callable[[ControllerSettings, Known], Controller]
    situation: str
    fails: str


WRONG: Mapping[str, Wrong] = {
    "looks at no sensor": Wrong(BasalBolus, "predicted low", "PR-G1.1"),
    "answers two periods late": Wrong(AnswersTwoPeriodsLate, "predicted low", "PR-G1.1"),
    "looks at the sensor once an hour": Wrong(LooksAtTheSensorOnceAnHour, "predicted low", "PR-G1.1"),
    "suspends without end": Wrong(_limited(PidLimits(longest_suspension_min=math.inf)), "lasting low", "PR-G2.1"),
    "repeats itself when blind": Wrong(RepeatsItselfWhenBlind, "sensor lost", "PR-G3.1"),
    "believes what stands still": Wrong(_limited(PidLimits(stale_min=math.inf)), "sensor stale", "PR-G3.2"),
    "believes any leap": Wrong(_limited(PidLimits(steepest_mg_per_dl_min=math.inf)), "sensor jumps", "PR-G3.3"),
    "has no highest rate": Wrong(_limited(PidLimits(most_of_basal=8.0)), "lasting high", "PR-G4.1"),
    "counts no bolus of others": Wrong(CountsNoBolusOfOthers, "bolus beside", "PR-G5.1"),
    "gives up when refused": Wrong(GivesUpWhenRefused, "pump's maximum", "PR-G8.1"),
    "forgets when it restarts": Wrong(
        lambda settings, _: PidWithInsulinFeedback(settings, NOTHING), "controller restarts", "PR-G9.1"
    ),
}

"""Which values of a sensor a controller may act on: none that stand still, leap up, or lie at the upper end. Pure.

A sensor that is lain on falls, and a fall is always believed: to suspend for it is the safe side, and the controller
bounds for how long. Not responsible for what is decided then.
"""

from __future__ import annotations

from rig.patient.sensor import HIGHEST_MG_PER_DL, LOWEST_MG_PER_DL

STALE_MIN = 20.0
"""A sensor that has shown the very same for so long is taken for silent: noise never repeats itself."""
STEEPEST_MG_PER_DL_MIN = 3.0
"""Glucose that rises faster than this is a sensor's error. Assumption: meals of fast sugar come near it."""
RISES_FOR_MIN = 20
"""So long a rise at that speed may have gone on unseen: a sensor that was lain on comes back by 60 mg/dL."""
AGAIN_AFTER_MIN = 60.0
"""A sensor that has leapt, and has since been at one with itself for so long, is believed at its new level."""


class Trust:
    """Says of each value whether it is to be acted on, and since when none was.

    Args:
        stale_min: after how long a value that stands still is none.
        steepest_mg_per_dl_min: a steeper rise is none; infinity believes all.
    """

    def __init__(self, stale_min: float = STALE_MIN, steepest_mg_per_dl_min: float = STEEPEST_MG_PER_DL_MIN) -> None:
        self._stale_min, self._steepest = stale_min, steepest_mg_per_dl_min
        self._same_since: tuple[int, float] | None = None
        self._believed: tuple[int, float] | None = None
        self._before: tuple[int, float] | None = None
        self._alike_since_min = 0
        self.blind_since_min: int | None = None

    def believed(self, at_min: int, glucose_mg_per_dl: float | None) -> float | None:
        """Hand over the value in mg/dL where it may be acted on, else None."""
        if glucose_mg_per_dl is None:
            self._blind(at_min)
            return None
        same_since_min = self._same_since_min(at_min, glucose_mg_per_dl)
        leapt = self._leapt(at_min, glucose_mg_per_dl)
        if at_min - same_since_min >= self._stale_min:
            self._blind(same_since_min)
            return None
        if leapt or glucose_mg_per_dl >= HIGHEST_MG_PER_DL:
            self._blind(at_min)
            return None
        self._believed = at_min, glucose_mg_per_dl
        self.blind_since_min = None
        return glucose_mg_per_dl

    def _blind(self, at_min: int) -> None:
        """Count from the last value that was believed, or from when it has stood still, whichever is earlier."""
        if self.blind_since_min is None:
            self.blind_since_min = at_min if self._believed is None else min(at_min, self._believed[0])

    def _same_since_min(self, at_min: int, glucose: float) -> int:
        """Since when it shows the very same. At the lower end it may: that is a low, and suspends."""
        if self._same_since is None or self._same_since[1] != glucose or glucose <= LOWEST_MG_PER_DL:
            self._same_since = at_min, glucose
        return self._same_since[0]

    def _leapt(self, at_min: int, glucose: float) -> bool:
        """Does it lie higher than glucose can have risen, and is it not yet long at one with itself?

        What has leapt is not believed for having waited: no rise of more than 20 min counts but over a time in which
        the sensor showed nothing.
        """
        before = self._before
        if before is None or not self._can_follow(before, at_min, glucose):
            self._alike_since_min = at_min
        nothing_for_min = 0 if before is None else at_min - before[0]
        self._before = at_min, glucose
        if self._believed is None:
            return False
        since = max(self._believed[0], at_min - max(RISES_FOR_MIN, nothing_for_min))
        if self._can_follow((int(since), self._believed[1]), at_min, glucose):
            return False
        return at_min - self._alike_since_min < AGAIN_AFTER_MIN

    def _can_follow(self, earlier: tuple[int, float], at_min: int, glucose: float) -> bool:
        return glucose - earlier[1] <= self._steepest * (at_min - earlier[0])

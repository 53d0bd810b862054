"""What tells that insulin does not arrive: when glucose reaches a level, and when a controller asks for too much.

Pure: minutes of a life in, hours out. Not responsible for a pump's alarms, nor for ketones (`rig.patient.ketones`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rig.analysis.checks import FloatArray

SIGN_MIN, SIGN_TIMES_BASAL = 60, 2.0
"""A controller that has commanded twice the basal rate for an hour, with no meal, tells that something is off. The
house's own; products warn of their own maximum delivery instead, after hours that their makers do not publish."""


@dataclass(frozen=True)
class Reached:
    """After how many hours something came, and how uncertain that is: k = 2, in h."""

    hours: float
    expanded_h: float


def level_reached(
    glucose_mg_per_dl: FloatArray, u_mg_per_dl: FloatArray, level: float, since_min: int
) -> Reached | None:
    """When glucose first reaches a level after a minute, in h since then; None where it, or it less U, does not.

    Its uncertainty is by two more lives, with the glucose at either end of its U (k = 2): the farther of their hours.
    Between minutes it is taken for a straight line.
    """
    hours = [_hours_to(glucose_mg_per_dl + sign * u_mg_per_dl, level, since_min) for sign in (0.0, -1.0, 1.0)]
    own, late, early = hours
    if own is None or late is None or early is None:
        return None
    return Reached(own, max(late - own, own - early))


def _hours_to(glucose: FloatArray, level: float, since_min: int) -> float | None:
    later = glucose[since_min:]
    above = np.flatnonzero(later >= level)
    if not above.size:
        return None
    first = int(above[0])
    if first == 0:
        return 0.0
    before, after = float(later[first - 1]), float(later[first])
    return (first - 1 + (level - before) / (after - before)) / 60.0


def hours_to_sign(commanded_u: FloatArray, basal_u_per_h: float, since_min: int) -> float | None:
    """When a controller has commanded twice the basal rate for an hour, in h since a minute; None where it never has.

    Args:
        commanded_u: insulin in U of each minute, as the pump was told.
        basal_u_per_h: the profile's rate.
        since_min: from when on hours count.
    """
    high = 60.0 * commanded_u[since_min:] >= SIGN_TIMES_BASAL * basal_u_per_h - 1e-9
    if high.size < SIGN_MIN:
        return None
    held = np.flatnonzero(np.convolve(high, np.ones(SIGN_MIN), "valid") > SIGN_MIN - 0.5)
    return (float(held[0]) + SIGN_MIN) / 60.0 if held.size else None


def most_in_an_hour_percent(commanded_u: FloatArray, basal_u_per_h: float, since_min: int) -> float | None:
    """The most that a controller has commanded in any hour since a minute, in % of the basal rate; None below an hour.

    The arguments are those of `hours_to_sign`.
    """
    later = commanded_u[since_min:]
    if later.size < SIGN_MIN:
        return None
    return float(np.convolve(later, np.ones(SIGN_MIN), "valid").max()) / basal_u_per_h * 100.0

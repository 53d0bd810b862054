"""What a controller that is begun anew in the middle can know: what the sensor remembers, and what the pump's log says.

Not responsible for reading either (`rig.procedures.begun_anew`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rig.analysis.checks import FloatArray


@dataclass(frozen=True)
class Accepted:
    """What the pump accepted at a minute of the loop: a temporary rate, or a bolus.

    Attributes:
        at_min: when; below 0 before the loop.
        rate_u_per_h: the temporary rate in U/h; None: a bolus, or, with `lasts_min` 0, the end of a temporary rate.
        lasts_min: for how long it was told in min, until the next one.
        bolus_u: the bolus in U that comes at once; 0 where all of it is extended.
        extended_u, over_min: what of a bolus comes evenly, and over how many min.
    """

    at_min: float
    rate_u_per_h: float | None = None
    lasts_min: float = 0.0
    bolus_u: float | None = None
    extended_u: float = 0.0
    over_min: float = 0.0


@dataclass(frozen=True)
class Read:
    """What the sensor showed at a minute, in mg/dL."""

    at_min: float
    glucose_mg_per_dl: float


@dataclass(frozen=True)
class Known:
    """What is known at a minute: readings and accepted commands, each in the order of time. At first: nothing."""

    at_min: int = 0
    read: tuple[Read, ...] = ()
    accepted: tuple[Accepted, ...] = ()

    def insulin_u(self, basal_u_per_h: float, minutes: int) -> FloatArray:
        """Insulin of each of the `minutes` before `at_min` in U, as the pump accepted it.

        A bolus counts in the minute that it was accepted in; a rate from there until it ends or the next one comes.
        """
        return insulin_of(self.accepted, basal_u_per_h, self.at_min - minutes, self.at_min)


def insulin_of(accepted: tuple[Accepted, ...], basal_u_per_h: float, first_min: int, end_min: int) -> FloatArray:
    """Insulin in U of each minute from `first_min` to before `end_min`, under a profile of one rate."""
    minutes = np.arange(first_min, end_min)
    rate = np.full(minutes.size, basal_u_per_h)
    insulin_u = np.zeros(minutes.size)
    for each in accepted:
        at_min = int(each.at_min // 1)
        if each.bolus_u is not None:
            insulin_u[minutes == at_min] += each.bolus_u
            if each.extended_u:
                insulin_u[(minutes >= at_min) & (minutes < at_min + each.over_min)] += each.extended_u / each.over_min
        else:
            rate[minutes >= at_min] = basal_u_per_h
            if each.rate_u_per_h is not None:
                rate[(minutes >= at_min) & (minutes < at_min + each.lasts_min)] = each.rate_u_per_h
    found: FloatArray = insulin_u + rate / 60.0
    return found

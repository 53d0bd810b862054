"""A virtual person in step with a bench: he gets what reached the vessel, minute by minute, and nothing else.

Not responsible for turning readings into insulin (`rig.procedures.volume`), nor for the models (`rig.patient`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from rig.analysis.checks import FloatArray
from rig.patient.conditions import BodyConditions
from rig.patient.person import Person


@dataclass(frozen=True)
class Life:
    """What a person lived: glucose in plasma in mg/dL at the minutes 0 to n, insulin in U of each of the n minutes."""

    minute: FloatArray
    glucose_mg_per_dl: FloatArray
    insulin_u: FloatArray


class Living:
    """A person who lives on.

    What was weighed in all can fall by noise; a person gives no insulin back. So he gets what the total exceeds all
    that he has had, and what he has had is the highest total so far: more than the last by no more than noise.

    Args:
        person: who.
        carbs_g: what he announces and eats, one number a minute of all that he will live.
        conditions: what changes him from minute to minute, of as many minutes; nothing where None.
    """

    def __init__(self, person: Person[Any, Any], carbs_g: ArrayLike, conditions: BodyConditions | None = None) -> None:
        self._person = person
        self._carbs_g = np.asarray(carbs_g, dtype=float)
        self._conditions = conditions
        self._state = person.start()
        start = person.advance(self._state, 0)[1]
        self._glucose = [start.glucose_mg_per_dl]
        self._below_skin = float(_below_skin(start)[-1])
        self._insulin: list[FloatArray] = []
        self.minute = 0
        self.given_u = 0.0

    @property
    def below_skin_mg_per_dl(self) -> float:
        """What a sensor feels now; of a model that has no glucose below the skin, that in plasma."""
        return self._below_skin

    def until(self, minute: int, total_u: float) -> None:
        """Live until a minute, by which `total_u` in U had come in all; it comes evenly since the last time.

        Raises:
            ValueError: the minute is none of those to come.
        """
        minutes = minute - self.minute
        if not 0 < minutes <= self._carbs_g.size - self.minute:
            raise ValueError(
                f"a person who has lived {self.minute} min of {self._carbs_g.size} cannot live until {minute} min"
            )
        new_u = max(total_u - self.given_u, 0.0)
        insulin_u = np.full(minutes, new_u / minutes)
        carbs_g = self._carbs_g[self.minute : minute]
        conditions = None if self._conditions is None else self._conditions.part(self.minute, minutes)
        self._state, course = self._person.advance(self._state, minutes, 60.0 * insulin_u, carbs_g, conditions)
        self._glucose.append(course.glucose_mg_per_dl[1:])
        self._below_skin = float(_below_skin(course)[-1])
        self._insulin.append(insulin_u)
        self.minute, self.given_u = minute, self.given_u + new_u

    @property
    def life(self) -> Life:
        """What he has lived so far."""
        return Life(
            np.arange(self.minute + 1.0),
            np.concatenate(self._glucose),
            np.concatenate(self._insulin) if self._insulin else np.empty(0),
        )


def _below_skin(course: Any) -> FloatArray:  # noqa: ANN401 - the course of any model
    found: FloatArray = getattr(course, "glucose_sub_mg_per_dl", course.glucose_mg_per_dl)
    return found


def glucose_uncertainty_mg_per_dl(
    person: Person[Any, Any],
    carbs_g: FloatArray,
    life: Life,
    *,
    u_relative: float,
    u_rate_u_per_h: float,
    u_reading_u: float,
    conditions: BodyConditions | None = None,
) -> FloatArray:
    """What the weighing leaves open of glucose: its standard uncertainty in mg/dL at each minute of a life.

    First order (JCGM 100:2008, 5.1.2), by living once more with each error: all insulin by `u_relative` more, as
    balance, Z and immersion err; `u_rate_u_per_h` more at all times, as evaporation errs; and √2 `u_reading_u` more in
    the first minute, whose largest effect is taken for every minute: readings err by themselves, and theirs do not add
    up. Neither the model nor the person is in it.
    """
    minutes = life.insulin_u.size
    first = np.zeros(minutes)
    first[:1] = np.sqrt(2.0) * u_reading_u
    changes = life.insulin_u * u_relative, np.full(minutes, u_rate_u_per_h / 60.0), first

    def changed(more_u: FloatArray) -> FloatArray:
        now = None if conditions is None else conditions.part(0, minutes)
        lived = person.simulate(minutes, 60.0 * (life.insulin_u + more_u), carbs_g[:minutes], now)
        return np.abs(np.asarray(lived.glucose_mg_per_dl) - life.glucose_mg_per_dl)

    scale, rate, reading = (changed(each) for each in changes)
    found: FloatArray = np.sqrt(scale**2 + rate**2 + reading.max(initial=0.0) ** 2)
    return found

"""What a person does and undergoes in a loop, in words: announced meals, how they are dosed, sport, dawn, a lost set.

Fields that `loop` has beside its own, and what they come to minute by minute. Not responsible for meals as they are
eaten, nor for living them (`loop`, `alive`).
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated, Any, Self

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from rig.analysis.checks import FloatArray
from rig.loop.controllers import PERIOD_MIN, tellable
from rig.patient.conditions import BodyConditions, Exertion, dawn, exercise, slow_meal, usual, variability
from rig.procedures.bounds import Minutes, Share, ShareOrNone, Word, lasting
from rig.procedures.day_in_words import Meals
from rig.procedures.procedure import BetweenBlanks
from rig.roles import Capability
from rig.therapy import BolusRequest
from rig.units import parse, parse_time_of_day

LOOKS_AT_NO_SENSOR = "basal-bolus"
_SLOW = re.compile(r"(\S+) (\S+ \S+) protein,? (\S+ \S+) fat")
_SPORT = re.compile(r"(\S+) for (\S+ \S+) at (\d+) beats")


def _slow(written: object) -> object:
    if not isinstance(written, str):
        return written
    found = _SLOW.fullmatch(written.strip())
    if found is None:
        raise ValueError(f"{written!r} is no time with protein and fat, such as '01:00 50 g protein 20 g fat'")
    return parse_time_of_day(found[1]), parse(found[2], "mass_g"), parse(found[3], "mass_g")


def _sport(written: object) -> object:
    if not isinstance(written, str):
        return written
    found = _SPORT.fullmatch(written.strip())
    if found is None:
        raise ValueError(f"{written!r} is no exercise such as '02:00 for 60 min at 70 beats', those above rest")
    return parse_time_of_day(found[1]), parse(found[2], "time_s") / 60.0, float(found[3])


_Grams = Annotated[float, Field(ge=0.0, le=500.0)]
Slow = Annotated[tuple[int, _Grams, _Grams], BeforeValidator(_slow)]
"""Protein and fat of a meal: at which minute, and g of each."""
Sport = Annotated[
    tuple[int, Annotated[float, Field(gt=0.0, le=1440.0)], Annotated[float, Field(gt=0.0, le=150.0)]],
    BeforeValidator(_sport),
]
"""Exercise: from which minute, for how many, and how much faster the heart beats than at rest, 1/min."""


class Lived(BetweenBlanks):
    """A measurement in which a person lives: what stands beside his meals."""

    experiment: Word | None = None
    announce: Meals | None = None
    extended_percent: Annotated[ShareOrNone, Field(alias="extended")] = 0.0
    over_s: Annotated[Minutes, lasting("0 min", "1 d"), Field(alias="over")] = 0.0
    slow: Slow | None = None
    exercise: Sport | None = None
    dawn_percent: Annotated[ShareOrNone, Field(alias="dawn")] = 0.0
    lost_percent: Annotated[Share, Field(alias="lost")] = 100.0
    until_s: Annotated[Minutes, Field(alias="energised_until")] = 0.0

    @property
    @abstractmethod
    def minutes(self) -> int:
        """How long the person lives, in min."""

    @model_validator(mode="after")
    def _can_be_lived(self) -> Self:
        own: Any = self  # what a loop has of its own stands in its class
        if any(at_min % PERIOD_MIN or at_min >= self.minutes for at_min, _ in self.announce or ()):
            raise ValueError(
                f"what is announced comes at whole multiples of {PERIOD_MIN} min, before the end of the loop"
            )
        if (self.extended_percent == 0.0) != (self.over_s == 0.0):
            raise ValueError("an 'extended' share of a meal's bolus goes with the time that it comes 'over'")
        if self.extended_percent and own.controller != LOOKS_AT_NO_SENSOR:
            raise ValueError(
                f"'extended' is for {LOOKS_AT_NO_SENSOR!r}: a controller on a sensor reckons with boluses at once"
            )
        begins = [each[0] for each in (self.slow, self.exercise) if each is not None]
        if any(at_min >= self.minutes for at_min in begins):
            raise ValueError("'slow' and 'exercise' begin before the end of the loop")
        if self.until_s and (own.line is None or self.until_s <= own.from_s):
            raise ValueError("'energised_until' is later than 'energised_after', and needs 'line'")
        if self.lost_percent < 100.0 and own.line != "waste":
            raise ValueError("'lost' says how much goes beside the vessel: it needs line = \"waste\"")
        return self

    @property
    def needs_of_the_pattern(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for the pattern of meals' boluses."""
        if not self.extended_percent:
            return ()
        return (Capability.EXTENDED_BOLUS if self.extended_percent == 100.0 else Capability.MULTIWAVE_BOLUS,)

    @property
    def conditions(self) -> BodyConditions | None:
        """What changes in him from minute to minute; None where nothing does."""
        own: Any = self
        parts = [] if own.varies is None else [variability(self.minutes, seed=own.varies)]
        if self.dawn_percent:
            parts.append(dawn(self.minutes, rise=self.dawn_percent / 100.0))
        if self.exercise is not None:
            from_min, lasts_min, beats = self.exercise
            parts.append(exercise(self.minutes, [Exertion(from_min, from_min + lasts_min, beats)]))
        if self.slow is not None:
            at_min, protein_g, fat_g = self.slow
            parts.append(slow_meal(self.minutes, at_min=at_min, protein_g=protein_g, fat_g=fat_g))
        joined = usual(self.minutes)
        for each in parts:
            joined = joined.and_also(each)
        return joined if parts else None

    @property
    def undergone(self) -> str:
        """What is announced, and what changes in him, in words; "" where nothing is."""
        parts = {
            "announced": self.announce,
            "extended": f"{self.extended_percent:g} % over {self.over_s:g} s" if self.extended_percent else None,
            "slow": self.slow,
            "exercise": self.exercise,
            "dawn": f"{self.dawn_percent:g} %" if self.dawn_percent else None,
        }
        return "; ".join(f"{name} {what}" for name, what in parts.items() if what is not None)

    @property
    def line_in_words(self) -> str:
        """Until when the line is energised, and which share of the minutes, where that is not all."""
        until = f" to {self.until_s:g} s" if self.until_s else ""
        return until + (f", {self.lost_percent:g} % of the minutes" if self.lost_percent < 100.0 else "")

    def pattern(self, bolus_u: float) -> BolusRequest:
        """A meal's bolus in its pattern: so much of it at once, the rest evenly over its time, each as can be told."""
        own: Any = self
        extended_u = tellable(bolus_u * self.extended_percent / 100.0, own.bolus_step_u)
        fast_u = tellable(bolus_u - extended_u, own.bolus_step_u)
        return BolusRequest(fast_u, extended_u, round(self.over_s / 60.0) if extended_u else 0)

    def energised(self, minute: int, seed: int) -> bool:
        """Whether the line is energised in a minute: in each that is drawn where only a share is lost."""
        own: Any = self
        until_s = self.until_s or 60.0 * self.minutes
        if own.line is None or not own.from_s <= 60.0 * minute < until_s:
            return False
        drawn = np.random.default_rng((seed, 2)).uniform(size=self.minutes)
        return bool(drawn[minute] < self.lost_percent / 100.0)


def by_minute(meals: Sequence[tuple[int, float]], minutes: int) -> FloatArray:
    """Lay meals out as carbohydrate in g of each minute; two at one time are one."""
    carbs = np.zeros(minutes)
    for at_min, grams in meals:
        carbs[at_min] += grams
    return carbs

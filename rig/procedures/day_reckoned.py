"""What a person's meals and corrections should bring over a day, by the oracle, beside what the pump's calculator said.

The pump is told what its own calculator proposes, as a person would do; the programme is the oracle's. A proposal
inside of what the oracle allows stands: the age of insulin on board is known to minutes, and amounts to the accuracy of
a bolus. Not responsible for the arithmetic of either (`rig.therapy`, `rig.analysis.programme`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rig.procedures.calculator_rules import ACCURACY_PERCENT, GRAIN_S, RULES
from rig.procedures.day_in_words import Eat
from rig.record.taking import Fact
from rig.therapy import BolusRequest
from rig.therapy.calculator import Factors, Proposal, proposed
from rig.therapy.exact import rounded_down
from rig.therapy.on_board import GivenDose, OnBoard, on_board

SLICE_MIN = 5
"""An extended part counts as doses so far apart."""


class DayIsReckoned(Fact):
    """The day's programme is the oracle's, with insulin that acts for so long by a line, and these settings.

    Records of earlier versions lack it: their programme is what the pump's calculator proposed.
    """

    action_min: int
    min_glucose_mg_per_dl: float


class Reckoning:
    """The oracle through a day: each meal with the insulin on board of the day's own earlier ones."""

    def __init__(self, factors: Factors, settings: DayIsReckoned, step_u: float) -> None:
        self._factors, self._step_u = factors, step_u
        self._rules = replace(RULES, min_glucose_mg_per_dl=settings.min_glucose_mg_per_dl)
        self._action_min = settings.action_min
        self._doses: list[GivenDose] = []

    def due(self, eat: Eat, at_min: float, told: BolusRequest) -> BolusRequest:
        """Reckon what is due for a meal at a minute of the day, given what the pump was told for it."""
        least, most, likely = (self._proposed(eat, at_min, sign) for sign in (1, -1, 0))
        extended_u = float(rounded_down(likely.meal_u * round(eat.extended_percent) / 100, self._step_u))
        told_u = told.fast_u + told.extended_u
        close = abs(told.extended_u - extended_u) <= 2.0 * self._step_u
        if close and float(least.total_u) - 1e-6 <= told_u <= float(most.total_u) + 1e-6:
            due = told
        else:
            minutes = round(eat.over_s / 60.0) if extended_u else 0
            due = BolusRequest(round(float(likely.total_u) - extended_u, 3), extended_u, minutes)
        self._keep(due, at_min, min(float(likely.correction_u), due.fast_u))
        return due

    def _proposed(self, eat: Eat, at_min: float, sign: int) -> Proposal:
        meal = eat.meal
        found = proposed(
            self._rules,
            self._factors,
            carbohydrate_g=meal.carbohydrate_g,
            glucose_mg_per_dl=meal.glucose_mg_per_dl,
            on_board=self._aboard(at_min, sign),
        )
        return found if isinstance(found, Proposal) else Proposal(rounded_down(0, 1), rounded_down(0, 1))

    def _aboard(self, at_min: float, sign: int) -> OnBoard:
        """What acts, likely (0), at most (1), at least (-1)."""
        scale = 1.0 + sign * ACCURACY_PERCENT / 100.0
        now_s = 60.0 * at_min
        doses = [
            GivenDose(min(dose.at_s + sign * GRAIN_S, now_s), scale * dose.meal_u, scale * dose.correction_u)
            for dose in self._doses
            if dose.at_s <= now_s
        ]
        return on_board(doses, now_s=now_s, action_min=self._action_min)

    def _keep(self, bolus: BolusRequest, at_min: float, correction_u: float) -> None:
        self._doses.append(GivenDose(60.0 * at_min, bolus.fast_u - correction_u, correction_u))
        slices = bolus.duration_min // SLICE_MIN if bolus.extended_u else 0
        for number in range(slices):
            at_s = 60.0 * (at_min + SLICE_MIN * (number + 0.5))
            self._doses.append(GivenDose(at_s, bolus.extended_u / slices))


def reckoned(
    moments: Sequence[object], told: Sequence[tuple[float, BolusRequest]], reckoning: Reckoning
) -> list[BolusRequest | None]:
    """Reckon what is due at each moment of a day; None for one that is no meal."""
    return [
        reckoning.due(moment, at_min, bolus) if isinstance(moment, Eat) else None
        for moment, (at_min, bolus) in zip(moments, told, strict=True)
    ]

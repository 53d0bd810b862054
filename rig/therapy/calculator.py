"""A bolus calculator by published equations: which bolus should be proposed for a meal, a glucose, insulin on board.

After the equations of the Omnipod's calculator, in the makers' variants as parameters of `CalculatorRules`. Exact, so
that rounding at the edge of a step is right. Not responsible for how insulin on board fades (`on_board`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from rig.therapy.exact import Number, exact, rounded_down, rounded_up
from rig.therapy.on_board import OnBoard


class FromMeal(Enum):
    """Whether insulin on board reduces what is proposed for carbohydrates.

    `REMAINING_CORRECTION`: that of corrections does, as far as the correction did not take it up; that of meals never
    (Omnipod, SmartBolus). `BELOW_TARGET`: all of it, and only while glucose is below the target (Tandem).
    `ALWAYS`: as far as the correction did not take it up, of meals too (YpsoPump). `NEVER`: no (Medtronic).
    """

    REMAINING_CORRECTION = "what the correction leaves of earlier corrections"
    BELOW_TARGET = "all of it, below the target"
    ALWAYS = "all of it"
    NEVER = "never"


@dataclass(frozen=True)
class CalculatorRules:
    """A maker's rules.

    Attributes:
        steps: up to how many U a proposal is rounded down to multiples of how many; above the last, by its step.
        resolution_u: in what a pump reckons each part before that, in U, rounding down; None: exactly.
        on_board_step_u: insulin on board is rounded up to a multiple of it first, in U; None: it is not rounded.
        from_meal: whether insulin on board reduces a meal's part.
        reverse_correction: a glucose below the target reduces a meal's part.
        min_glucose_mg_per_dl: below it nothing is proposed.
        lowest_mg_per_dl, highest_mg_per_dl: what is taken for a glucose.
        largest_carbohydrate_g: what is taken for a meal.
        round_each: meal and correction are each rounded down, not their sum.
        corrects_to_upper: a high glucose is corrected to the target's upper end (Medtronic), not to its lower.
    """

    steps: tuple[tuple[Number, Number], ...] = ((math.inf, Fraction(1, 20)),)
    resolution_u: Number | None = None
    on_board_step_u: Number | None = Fraction(1, 20)
    from_meal: FromMeal = FromMeal.REMAINING_CORRECTION
    reverse_correction: bool = True
    min_glucose_mg_per_dl: float = 70.0
    lowest_mg_per_dl: float = 20.0
    highest_mg_per_dl: float = 600.0
    largest_carbohydrate_g: float = 225.0
    round_each: bool = False
    corrects_to_upper: bool = False


@dataclass(frozen=True)
class Factors:
    """A person's factors at one time of the day.

    `sensitivity_mg_per_dl` and `ratio_g` are for a unit. There is a correction above `upper_mg_per_dl` (None: the
    target itself), and a reverse one below `target_mg_per_dl`.
    """

    sensitivity_mg_per_dl: float
    ratio_g: float
    target_mg_per_dl: float
    upper_mg_per_dl: float | None = None


class AdviceRefusal(Enum):
    """Why nothing is proposed."""

    NOTHING_ASKED = "neither glucose nor carbohydrates"
    OUT_OF_RANGE = "glucose or carbohydrates out of range"
    LOW_GLUCOSE = "glucose below the least that is calculated for"


@dataclass(frozen=True)
class Proposal:
    """What should be proposed in U, exact: for the meal and for the correction."""

    meal_u: Fraction
    correction_u: Fraction

    @property
    def total_u(self) -> Fraction:
        """The whole bolus in U."""
        return self.meal_u + self.correction_u


def proposed(
    rules: CalculatorRules,
    factors: Factors,
    *,
    carbohydrate_g: float,
    glucose_mg_per_dl: float | None,
    on_board: OnBoard | None = None,
) -> Proposal | AdviceRefusal:
    """Reckon the bolus that should be proposed, or why none is.

    Prelim. correction (G - target)/CF, meal carbohydrates/ratio. Insulin on board counts only with a glucose; of
    meals first, then of corrections: correction = max(0, max(0, prelim. - meal's) - corrections'). A glucose below the
    target takes (target - G)/CF off the meal. No part is ever below 0.

    Source: Insulet, Omnipod 5 Technical User Guide, "SmartBolus Calculator": calculations and rules.
    """
    if refusal := _refusal(rules, carbohydrate_g, glucose_mg_per_dl):
        return refusal
    zero = Fraction(0)
    meal = _reckoned(rules, exact(carbohydrate_g) / exact(factors.ratio_g))
    correction = zero
    if glucose_mg_per_dl is not None:
        aboard = _rounded(rules, on_board or OnBoard())
        wanted, low_by = _off_target(rules, factors, exact(glucose_mg_per_dl))
        after_meals = max(zero, wanted - aboard.meal_u)
        correction = max(zero, after_meals - aboard.correction_u)
        left = {
            FromMeal.REMAINING_CORRECTION: max(zero, aboard.correction_u - after_meals),
            FromMeal.BELOW_TARGET: aboard.total_u if low_by else zero,
            FromMeal.ALWAYS: max(zero, aboard.total_u - wanted),
            FromMeal.NEVER: zero,
        }[rules.from_meal]
        meal = max(zero, meal - left)
        if rules.reverse_correction:
            meal -= low_by
    return _stepped(rules, max(zero, meal), correction)


def _off_target(rules: CalculatorRules, factors: Factors, glucose: Fraction) -> tuple[Fraction, Fraction]:
    """Reckon what a high glucose wants in U, rounded down, and what a low one takes off, rounded up; one of them 0."""
    target = exact(factors.target_mg_per_dl)
    upper = exact(factors.upper_mg_per_dl) if factors.upper_mg_per_dl is not None else target
    sensitivity = exact(factors.sensitivity_mg_per_dl)
    corrected_to = upper if rules.corrects_to_upper else target
    wanted = _reckoned(rules, (glucose - corrected_to) / sensitivity) if glucose > upper else Fraction(0)
    low_by = max(Fraction(0), (target - glucose) / sensitivity)
    return wanted, rounded_up(low_by, rules.resolution_u) if rules.resolution_u else low_by


def _reckoned(rules: CalculatorRules, part: Fraction) -> Fraction:
    return rounded_down(part, rules.resolution_u) if rules.resolution_u else part


def _refusal(rules: CalculatorRules, carbohydrate_g: float, glucose_mg_per_dl: float | None) -> AdviceRefusal | None:
    if not carbohydrate_g and glucose_mg_per_dl is None:
        return AdviceRefusal.NOTHING_ASKED
    if not 0.0 <= carbohydrate_g <= rules.largest_carbohydrate_g:
        return AdviceRefusal.OUT_OF_RANGE
    if glucose_mg_per_dl is None:
        return None
    if not rules.lowest_mg_per_dl <= glucose_mg_per_dl <= rules.highest_mg_per_dl:
        return AdviceRefusal.OUT_OF_RANGE
    return AdviceRefusal.LOW_GLUCOSE if glucose_mg_per_dl < rules.min_glucose_mg_per_dl else None


def _rounded(rules: CalculatorRules, aboard: OnBoard) -> OnBoard:
    if rules.on_board_step_u is None:
        return aboard
    return OnBoard(
        rounded_up(aboard.meal_u, rules.on_board_step_u), rounded_up(aboard.correction_u, rules.on_board_step_u)
    )


def _stepped(rules: CalculatorRules, meal: Fraction, correction: Fraction) -> Proposal:
    """Round down: each part, or the sum, of which the correction then gives up what is no whole step."""
    step = next((step for up_to, step in rules.steps if meal + correction <= up_to), rules.steps[-1][1])
    if rules.round_each:
        return Proposal(rounded_down(meal, step), rounded_down(correction, step))
    total = rounded_down(meal + correction, step)
    meal = rounded_down(meal, step)
    return Proposal(meal, total - meal)

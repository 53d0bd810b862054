"""What a pump's calculator answered, held against the oracle, with doses as they were weighed and time as it passed.

What the rig cannot know to a point is an interval: the age of a dose (a bolus lasts, and a pump may count in steps),
and its amount (U of the balance, and the accuracy of a bolus: a pump counts what it moved). An answer inside of what
the oracle makes of both ends is right. Not responsible for asking (`calculator`).
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from rig.analysis.budget import Budget
from rig.procedures.budgets import bolus_budget, measured
from rig.procedures.calculator_rules import ACCURACY_PERCENT, CURVES, GRAIN_S, RULES, factors_at
from rig.procedures.consecutive import DeliveredBolus, weigh_delivered
from rig.procedures.procedure import Computed
from rig.procedures.rest import AVERAGED_S
from rig.procedures.volume import VolumeScale
from rig.record.taking import Fact, Taken, joined
from rig.therapy.calculator import AdviceRefusal, CalculatorRules, Proposal, proposed
from rig.therapy.day_profile import ClockSet, second_of_day
from rig.therapy.exact import exact
from rig.therapy.on_board import GivenDose, OnBoard, on_board
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind

BEFORE = "rest before the first dose"
STANDARD_BOLUS_U_PER_MIN = 1.5
WORTH_WEIGHING_U = 0.5
"""Of a smaller proposal an error in % says little."""

DIFFERENCE = Kind(
    "calculator.largest_difference",
    "largest difference between the calculator's proposal and the oracle's",
    ("U",),
    (),
    "How far a proposal lies outside of what the oracle makes of what was weighed and of the time that passed.",
)
WRONG = Kind(
    "calculator.wrong_advices", "wrong proposals of the calculator", ("proposals",), (), "Proposals outside of it."
)
REFUSALS = Kind(
    "calculator.wrong_refusals",
    "refusals of the calculator that are wrong or missing",
    ("refusals",),
    (),
    "What it refused and should have calculated, or calculated and should have refused.",
)
DISOBEYED = Kind(
    "calculator.settings_disobeyed",
    "wrong proposals of the calculator after a setting was changed",
    ("proposals",),
    (),
    "Reverse correction off, insulin on board by a curve, another duration of action, another least glucose.",
)
ON_BOARD = Kind(
    "calculator.largest_on_board_error",
    "largest error of the insulin on board that the pump tells",
    ("U",),
    (),
    "How far what it tells lies outside of what the oracle makes of weighed doses and of the time that passed.",
)
LARGEST, SMALLEST = (
    Kind(
        f"calculator.{which}_delivered_error",
        f"{which} error of a delivered proposal",
        ("%",),
        (),
        "What was weighed of a proposal of the calculator, against the oracle's.",
    )
    for which in ("largest", "smallest")
)
KINDS = (DIFFERENCE, WRONG, REFUSALS, DISOBEYED, ON_BOARD, LARGEST, SMALLEST)


class ClockWasSet(Fact):
    """The pump's wall clock was set: to which date and time."""

    date_time: datetime.datetime


class DoseGiven(Fact):
    """A bolus: its number, when it was commanded, how long it should last, U asked for and of that for correction."""

    number: int
    commanded_at_s: float
    planned_s: float
    asked_u: float
    correction_u: float
    proposed: bool
    accepted: bool


class OnBoardTold(Fact):
    """The insulin on board that the pump told, in U."""

    insulin_u: float


class Advised(Fact):
    """A question to the calculator under these settings, and its answer in U or its refusal."""

    stage: str
    carbohydrate_g: float
    glucose_mg_per_dl: float | None
    action_min: int
    curvilinear: int
    reverse_correction: int
    min_glucose_mg_per_dl: float
    meal_u: float | None = None
    correction_u: float | None = None
    refused: str | None = None

    @property
    def total_u(self) -> Fraction:
        """The whole proposal in U; 0 of a refusal."""
        return exact(round((self.meal_u or 0.0) + (self.correction_u or 0.0), 3))


def advice_phase(number: int) -> str:
    """Name the phase of a dose."""
    return f"dose {number}"


def rest_after(number: int) -> str:
    """Name the phase of the rest after a dose."""
    return f"rest after dose {number}"


@dataclass(frozen=True)
class _Weighed:
    """A dose as it was weighed, in U with its budget, and from when to when it came."""

    given: DoseGiven
    budget: Budget

    def at(self, at_s: float, insulin_u: float) -> GivenDose:
        """The dose at a moment, with an amount in U, shared between meal and correction as it was asked for."""
        asked_u = self.given.asked_u
        share = self.given.correction_u / asked_u if asked_u else 0.0
        amount_u = max(insulin_u, 0.0)
        return GivenDose(at_s, amount_u * (1.0 - share), amount_u * share)

    @property
    def ended_s(self) -> float:
        """When it should have come."""
        return self.given.commanded_at_s + self.given.planned_s


def judged_advice(taken: Taken, scale: VolumeScale) -> Computed:
    """Compute every quantity of the calculator from what was written down."""
    doses = _weigh(taken, scale)
    clock = [ClockSet(fact.at_s, fact.date_time) for fact in taken.facts(ClockWasSet)]
    answers = [(advised, *_allowed(advised, doses, clock)) for advised in taken.facts(Advised)]
    grid = [_outside(*answer) for answer in answers if answer[0].stage in ("grid", "limits", "delivered")]
    changed = [_outside(*answer) for answer in answers if answer[0].stage == "settings"]
    budgets = _delivered(doses, [answer for answer in answers if answer[0].stage == "delivered"])
    told = [_on_board_error(fact, doses) for fact in taken.facts(OnBoardTold)]
    counted = (
        Measurement(DIFFERENCE.of(), float(max(grid))),
        Measurement(WRONG.of(), float(sum(each > 0 for each in grid))),
        Measurement(REFUSALS.of(), float(sum(_wrongly_refused(*answer) for answer in answers))),
        Measurement(DISOBEYED.of(), float(sum(each > 0 for each in changed))),
        Measurement(ON_BOARD.of(), max(told)),
    )
    weighed = {LARGEST.of(): max(budgets, key=lambda each: each.value)} if budgets else {}
    if budgets:
        weighed[SMALLEST.of()] = min(budgets, key=lambda each: each.value)
    return Computed((*counted, *(measured(quantity, budget) for quantity, budget in weighed.items())), budgets=weighed)


def _weigh(taken: Taken, scale: VolumeScale) -> list[_Weighed]:
    doses, before = [], taken.series(BEFORE)
    for given in taken.facts(DoseGiven):
        rest = taken.series(rest_after(given.number))
        readings = joined(before, taken.series(advice_phase(given.number)), rest)
        weighed = weigh_delivered(DeliveredBolus(readings, given.commanded_at_s, given.asked_u), given.planned_s, scale)
        doses.append(_Weighed(given, bolus_budget(scale, weighed)))
        before = rest.part(rest.at_s >= float(rest.at_s[-1]) - AVERAGED_S)
    return doses


def _aboard(
    doses: Sequence[_Weighed], at_s: float, *, most: bool, action_min: int = 240, curvilinear: int = 0
) -> OnBoard:
    """The most or the least insulin on board at a moment that is compatible with what is known."""
    sign = 1.0 if most else -1.0
    return on_board(
        [
            dose.at(
                min(dose.ended_s + GRAIN_S, at_s) if most else dose.given.commanded_at_s - GRAIN_S,
                dose.budget.value * (1.0 + sign * ACCURACY_PERCENT / 100.0) + sign * dose.budget.expanded,
            )
            for dose in doses
            if dose.given.commanded_at_s < at_s
        ],
        now_s=at_s,
        action_min=action_min,
        curve=CURVES[curvilinear],
    )


def _allowed(
    advised: Advised, doses: Sequence[_Weighed], clock: Sequence[ClockSet]
) -> tuple[Proposal | AdviceRefusal, Proposal | AdviceRefusal]:
    """What the oracle proposes with the most and with the least insulin on board."""
    rules = CalculatorRules(
        steps=RULES.steps,
        resolution_u=RULES.resolution_u,
        on_board_step_u=RULES.on_board_step_u,
        from_meal=RULES.from_meal,
        reverse_correction=bool(advised.reverse_correction),
        min_glucose_mg_per_dl=advised.min_glucose_mg_per_dl,
    )
    factors = factors_at(second_of_day(clock, advised.at_s))
    least, most = (
        proposed(
            rules,
            factors,
            carbohydrate_g=advised.carbohydrate_g,
            glucose_mg_per_dl=advised.glucose_mg_per_dl,
            on_board=_aboard(
                doses,
                advised.at_s,
                most=most_on_board,
                action_min=advised.action_min,
                curvilinear=advised.curvilinear,
            ),
        )
        for most_on_board in (True, False)
    )
    return least, most


def _outside(advised: Advised, least: Proposal | AdviceRefusal, most: Proposal | AdviceRefusal) -> Fraction:
    """By how many U an answer lies outside; what is refused on either side is counted elsewhere.

    A part below 0 is outside by its own size, whatever the sum.
    """
    if isinstance(least, AdviceRefusal) or isinstance(most, AdviceRefusal) or advised.refused is not None:
        return Fraction(0)
    below = max(Fraction(0), -exact(advised.meal_u or 0.0), -exact(advised.correction_u or 0.0))
    return max(below, least.total_u - advised.total_u, advised.total_u - most.total_u, Fraction(0))


def _wrongly_refused(advised: Advised, least: Proposal | AdviceRefusal, most: Proposal | AdviceRefusal) -> bool:
    del most
    return isinstance(least, AdviceRefusal) != (advised.refused is not None)


def _delivered(
    doses: Sequence[_Weighed], answers: Sequence[tuple[Advised, Proposal | AdviceRefusal, Proposal | AdviceRefusal]]
) -> list[Budget]:
    """The errors in % of what was weighed, against the proposal as far as the oracle allows it."""
    budgets = []
    of_proposals = [dose for dose in doses if dose.given.proposed]
    for dose, (advised, least, most) in zip(of_proposals, answers, strict=True):
        if isinstance(least, AdviceRefusal) or isinstance(most, AdviceRefusal):
            continue
        due_u = float(min(max(advised.total_u, least.total_u), most.total_u))
        if due_u >= WORTH_WEIGHING_U:
            budgets.append(dose.budget.error_percent_of(due_u))
    return budgets


def _on_board_error(told: OnBoardTold, doses: Sequence[_Weighed]) -> float:
    """By how many U what was told lies outside of what the oracle allows."""
    least, most = (float(_aboard(doses, told.at_s, most=which).total_u) for which in (False, True))
    return max(least - told.insulin_u, told.insulin_u - most, 0.0)

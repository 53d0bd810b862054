"""Insulin on board: what of earlier boluses still acts, by a line or a curve over the duration of insulin action.

Time is time that has passed, never the time of day. Not responsible for rounding what a pump tells (`calculator`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from rig.therapy.exact import Number, exact


class ActionCurve(Enum):
    """How the action of a dose fades.

    `LINEAR`: in proportion to time. `SMOOTH`: 1 - 3x² + 2x³ of the share x of the action's time, the cubic that
    begins and ends level: a house's curve for a curvilinear decay. `PARABOLA`: (1 - x)², fast at first.
    Pumps that say "curvilinear" publish pictures and no formula (Walsh and Roberts, Pumping Insulin, tabulate one).
    """

    LINEAR = "linear"
    SMOOTH = "smooth"
    PARABOLA = "parabola"


@dataclass(frozen=True)
class GivenDose:
    """A bolus or a part of one that came at a moment: s on any clock that only runs forward, and U by what it was for.

    What was given for nothing that is known counts as `correction_u` or `meal_u` as the pump's rules say.
    """

    at_s: float
    meal_u: float = 0.0
    correction_u: float = 0.0


@dataclass(frozen=True)
class OnBoard:
    """Insulin that still acts, in U, exact: of meals and of corrections."""

    meal_u: Fraction = Fraction(0)
    correction_u: Fraction = Fraction(0)

    @property
    def total_u(self) -> Fraction:
        """Both, in U."""
        return self.meal_u + self.correction_u


def remaining_share(after_s: Number, action_min: int, curve: ActionCurve = ActionCurve.LINEAR) -> Fraction:
    """Which share of a dose still acts `after_s` seconds later: 1 at first, 0 from the end of its action on.

    Raises:
        ValueError: the duration of action is not above 0 min.
    """
    if action_min <= 0:
        raise ValueError(f"insulin acts for longer than 0 min, got {action_min}")
    x = min(max(exact(after_s) / (60 * action_min), Fraction(0)), Fraction(1))
    if curve is ActionCurve.LINEAR:
        return 1 - x
    return (1 - x) ** 2 if curve is ActionCurve.PARABOLA else 1 - 3 * x**2 + 2 * x**3


def on_board(
    doses: Iterable[GivenDose],
    *,
    now_s: float,
    action_min: int,
    curve: ActionCurve = ActionCurve.LINEAR,
    look_every_s: int = 0,
) -> OnBoard:
    """Add up what of doses still acts at `now_s`, in U; a dose that is still to come counts nothing.

    Args:
        doses: each at its moment.
        now_s: on their clock.
        action_min: how long insulin acts.
        curve: how it fades.
        look_every_s: a pump that counts whole steps of so many s has seen as many as have passed; 0 for none.
    """
    meal = correction = Fraction(0)
    for dose in doses:
        passed_s = exact(now_s) - exact(dose.at_s)
        if passed_s < 0:
            continue
        seen_s = passed_s // look_every_s * look_every_s if look_every_s else passed_s
        share = remaining_share(seen_s, action_min, curve)
        meal += share * exact(dose.meal_u)
        correction += share * exact(dose.correction_u)
    return OnBoard(meal, correction)

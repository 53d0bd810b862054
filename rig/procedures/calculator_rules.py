"""How the pump under test says that its calculator reckons, and the day and questions by which it is asked.

The rules of the reference pump (`fixtures/controller/README.md`, `instruments/ids/protocol.md` section 10), in one
place. Not responsible for asking (`calculator`) nor for the arithmetic (`rig.therapy`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from rig.therapy import ProfileBlock, ProfileKind, Setting
from rig.therapy.calculator import CalculatorRules, Factors
from rig.therapy.day_profile import values_at
from rig.therapy.on_board import ActionCurve

RULES = CalculatorRules(
    steps=((2.045, Fraction(1, 40)), (20.45, Fraction(1, 20)), (math.inf, Fraction(1, 10))),
    resolution_u=Fraction(1, 1000),
    on_board_step_u=Fraction(1, 40),
)
"""Multiples of a dose, as far as an SFLOAT says them; amounts and settings in mU."""
CURVES = {0: ActionCurve.LINEAR, 1: ActionCurve.SMOOTH}
"""By the setting for a curvilinear decay."""
GRAIN_S = 300.0
"""A pump may count the age of insulin in steps of 5 min."""
ACCURACY_PERCENT = 5.0
"""Of a bolus, as its maker claims: what a pump counts may differ by so much from what it moved."""

PROFILES: dict[ProfileKind, tuple[ProfileBlock, ...]] = {
    ProfileKind.SENSITIVITY: (
        ProfileBlock(360, (60.0,)),
        ProfileBlock(300, (40.0,)),
        ProfileBlock(390, (50.0,)),
        ProfileBlock(270, (45.0,)),
        ProfileBlock(120, (400.0,)),
    ),
    ProfileKind.CARBOHYDRATE_RATIO: (
        ProfileBlock(360, (12.0,)),
        ProfileBlock(300, (8.0,)),
        ProfileBlock(390, (10.0,)),
        ProfileBlock(270, (150.0,)),
        ProfileBlock(120, (2.0,)),
    ),
    ProfileKind.TARGET_GLUCOSE: (
        ProfileBlock(360, (110.0, 130.0)),
        ProfileBlock(960, (90.0, 110.0)),
        ProfileBlock(120, (120.0, 140.0)),
    ),
}
"""A day whose factors differ from hour to hour, up to the ends of what a person is given: 150 g and 2 g for a unit."""
MINUTES = (30.0, 358.0, 360.25, 780.0, 1050.25, 1438.0)
"""When the pump is asked: before and within the first minute after what holds changes, and before midnight. A quarter
of a minute is more than the pump's clock may be off, and enough for all questions."""
CARBOHYDRATES_G = (0.0, 7.0, 30.0, 61.0, 225.0)
GLUCOSES_MG_PER_DL = (None, 70.0, 110.0, 125.0, 183.0, 322.0)
"""At 110 mg/dL the day's target ends, above which is corrected, and the night's begins."""
GRID: tuple[tuple[float, float | None], ...] = tuple(
    (food, glucose) for food in CARBOHYDRATES_G for glucose in GLUCOSES_MG_PER_DL if food or glucose
)
REFUSED_OR_NOT: tuple[tuple[float, float | None], ...] = (
    (30.0, 69.0),
    (0.0, 50.0),
    (30.0, 19.0),
    (30.0, 601.0),
    (226.0, None),
    (0.0, None),
    (30.0, 70.0),
    (30.0, 600.0),
    (225.0, None),
)
"""Just outside and just inside of what is calculated for; inside, the amounts are compared, too."""
CHANGED: tuple[tuple[Setting, float, tuple[tuple[float, float | None], ...]], ...] = (
    (Setting.REVERSE_CORRECTION, 0.0, ((30.0, 70.0), (100.0, 75.0))),
    (Setting.CURVILINEAR_ON_BOARD, 1.0, ((100.0, 322.0), (30.0, 400.0))),
    (Setting.INSULIN_ACTION_MIN, 120.0, ((100.0, 322.0), (30.0, 400.0))),
    (Setting.MIN_GLUCOSE_MG_PER_DL, 60.0, ((100.0, 65.0), (100.0, 59.0))),
)
"""Settings that are changed one at a time, to what, and what is asked under each."""
TO_DELIVER: tuple[tuple[float, float | None], ...] = (
    (12.0, 350.0),  # a meal and a correction in one bolus
    (0.0, 600.0),
    (15.0, None),
    (18.0, None),
    (21.0, None),
    (24.0, None),
    (13.0, None),
    (100.0, 125.0),
    (80.0, 80.0),
    (11.0, None),
)
"""Proposals that are delivered and weighed: a correction, meals by count, meals beside a glucose."""


@dataclass(frozen=True)
class Settings:
    """What decides beside profiles, as the pump's settings: action in min, curve, reverse correction, least glucose."""

    action_min: int = 240
    curvilinear: int = 0
    reverse_correction: int = 1
    min_glucose_mg_per_dl: float = 70.0


def factors_at(second_of_day: float) -> Factors:
    """Look up a person's factors at a second of the day."""
    minute = second_of_day / 60.0
    (sensitivity,), (ratio,), (lower, upper) = (
        values_at(PROFILES[kind], minute)
        for kind in (ProfileKind.SENSITIVITY, ProfileKind.CARBOHYDRATE_RATIO, ProfileKind.TARGET_GLUCOSE)
    )
    return Factors(sensitivity, ratio, lower, upper)

"""What insulin therapy is made of, and an oracle of doses: what by published rules should be proposed and delivered.

The oracle is arithmetic alone, exact at the edge of a step, and knows no pump. Not responsible for asking a pump
anything, nor for limits of acceptance.
"""

from rig.therapy.values import (
    ActiveBasal,
    BasalSegment,
    BolusAdvice,
    BolusReason,
    BolusRequest,
    BolusState,
    DailyTotal,
    InsulinOnBoard,
    Meal,
    ProfileBlock,
    ProfileKind,
    Setting,
    TemporaryRate,
    TherapyState,
    minutes_of,
)

__all__ = [
    "ActiveBasal",
    "BasalSegment",
    "BolusAdvice",
    "BolusReason",
    "BolusRequest",
    "BolusState",
    "DailyTotal",
    "InsulinOnBoard",
    "Meal",
    "ProfileBlock",
    "ProfileKind",
    "Setting",
    "TemporaryRate",
    "TherapyState",
    "minutes_of",
]

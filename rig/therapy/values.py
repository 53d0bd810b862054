"""What insulin therapy is made of: doses, rates, profiles, meals. Frozen values that a pump takes or tells.

Not responsible for what a pump allows: it refuses what is beyond its limits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class TherapyState(Enum):
    """Whether the pump delivers therapy."""

    STOP = "stop"
    PAUSE = "pause"
    RUN = "run"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True)
class BasalSegment:
    """A stretch of a daily basal profile: how long in minutes, and at what rate in U/h."""

    duration_min: int
    rate_u_per_h: float


@dataclass(frozen=True)
class TemporaryRate:
    """A temporary basal rate: in U/h, or as a factor of the profile's rate; one of them is given."""

    duration_min: int
    rate_u_per_h: float | None = None
    factor: float | None = None

    def __post_init__(self) -> None:
        if (self.rate_u_per_h is None) == (self.factor is None):
            raise ValueError("a temporary basal rate is either a rate in U/h or a factor of the profile, one of them")


@dataclass(frozen=True)
class ActiveBasal:
    """The basal rate now: the profile's own, and the temporary rate that replaces it with its remaining minutes."""

    template: int
    profile_rate_u_per_h: float
    temporary: TemporaryRate | None = None
    remaining_min: int = 0


class BolusReason(Enum):
    """What a bolus is for; it decides how its insulin on board counts."""

    NOT_GIVEN = "not given"
    MEAL = "meal"
    CORRECTION = "correction"
    MEAL_AND_CORRECTION = "meal and correction"


@dataclass(frozen=True)
class BolusRequest:
    """A bolus to be delivered, in U: `fast_u` at once, `extended_u` evenly over `duration_min`, both after `delay_min`.

    `recommended` says that the pump's calculator proposed it.
    """

    fast_u: float = 0.0
    extended_u: float = 0.0
    duration_min: int = 0
    delay_min: int = 0
    reason: BolusReason = BolusReason.NOT_GIVEN
    recommended: bool = False


@dataclass(frozen=True)
class BolusState:
    """An active or ended bolus: what was programmed and what has been delivered, in U."""

    bolus_id: int
    programmed_u: float
    delivered_u: float


class ProfileKind(Enum):
    """Daily profiles that the bolus calculator works with."""

    SENSITIVITY = "insulin sensitivity in mg/dL for a unit"
    CARBOHYDRATE_RATIO = "carbohydrate ratio in g for a unit"
    TARGET_GLUCOSE = "target glucose in mg/dL, lower and upper"


@dataclass(frozen=True)
class ProfileBlock:
    """A stretch of a calculator profile: minutes, and its value; a target has two values."""

    duration_min: int
    values: tuple[float, ...]


@dataclass(frozen=True)
class Meal:
    """What a bolus is calculated for: glucose in mg/dL, None when it is not known, and carbohydrates in g."""

    carbohydrate_g: float = 0.0
    glucose_mg_per_dl: float | None = None


@dataclass(frozen=True)
class BolusAdvice:
    """What the calculator proposes in U, and the insulin on board in U that it took into account."""

    meal_u: float
    correction_u: float
    meal_on_board_u: float
    correction_on_board_u: float

    @property
    def total_u(self) -> float:
        """The whole bolus in U."""
        return self.meal_u + self.correction_u


@dataclass(frozen=True)
class InsulinOnBoard:
    """Bolus insulin that still acts, in U, and for how many minutes."""

    insulin_u: float
    remaining_min: int


@dataclass(frozen=True)
class DailyTotal:
    """Insulin since midnight by the pump's clock, in U."""

    bolus_u: float
    basal_u: float


class Setting(Enum):
    """Settings of a pump, each with its unit."""

    MAX_BOLUS_U = "largest bolus in U"
    MAX_BASAL_U_PER_H = "highest basal rate in U/h"
    MAX_HOUR_U = "most insulin in an hour in U"
    MAX_DAY_U = "most insulin in a day in U"
    BOLUS_RATE_U_PER_MIN = "speed of a fast bolus in U/min"
    INSULIN_ACTION_MIN = "duration of insulin action in min"
    CURVILINEAR_ON_BOARD = "whether insulin on board follows a curve (1) or a line (0)"
    MIN_GLUCOSE_MG_PER_DL = "glucose below which nothing is calculated in mg/dL"
    REVERSE_CORRECTION = "whether a low glucose reduces a meal bolus (1) or not (0)"
    OCCLUSION_LEVEL = "occlusion threshold: 0 low, 1 normal, 2 high"
    RESERVOIR_LOW_U = "reservoir-low warning in U"
    SNOOZE_MIN = "how long a snooze lasts in min"
    QUICK_BOLUS_U = "what one press of the bolus key adds in U"


def minutes_of(segments: Sequence[BasalSegment | ProfileBlock]) -> int:
    """How many minutes a profile covers."""
    return sum(segment.duration_min for segment in segments)

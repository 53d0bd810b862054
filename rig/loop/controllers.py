"""What a controller that stands outside of the pump sees and wants every 5 min, as a phone does; and the known-bad one.

Not responsible for the others (`pid`), for telling a pump anything, nor for what a pump refuses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from rig.loop.accepted import Accepted, Known
from rig.therapy.exact import rounded_down

PERIOD_MIN = 5
LASTS_MIN = 30
"""A temporary rate is told for so long, and anew every period: a pump that hears nothing goes back to its profile."""


NOTHING = Known()
"""What a controller knows that begins with the loop."""


@dataclass(frozen=True)
class Seen:
    """What a controller knows at a minute: the sensor's value in mg/dL or None, carbohydrate announced now in g."""

    at_min: int
    glucose_mg_per_dl: float | None
    announced_g: float


@dataclass(frozen=True)
class Wanted:
    """What a controller wants: a temporary rate in U/h, or None for what runs until it ends; and a bolus in U.

    Attributes:
        rate_u_per_h, bolus_u: what is wanted.
        lasts_min: for how long the rate is told.
        ends: a temporary rate that runs is to end now, so that the pump is at its profile.
        failed: why the controller could not decide, in one sentence; then it wants nothing.
    """

    rate_u_per_h: float | None = None
    bolus_u: float = 0.0
    lasts_min: int = LASTS_MIN
    ends: bool = False
    failed: str | None = None


@dataclass(frozen=True)
class ControllerSettings:
    """What a controller is told of person and pump.

    Attributes:
        basal_u_per_h: the profile's rate.
        ratio_g: carbohydrate for 1 U.
        rate_step_u_per_h, bolus_step_u: what the pump can be told; amounts are rounded down to it.
        target_mg_per_dl: where to.
        sensitivity_mg_per_dl: by how much 1 U lowers the person.
        action_h: how long insulin acts.
        max_rate_u_per_h, max_bolus_u: the most that the pump can be told.
        max_iob_u: the most insulin on board to which automation adds.
        micro_boluses: whether automation may give boluses.
    """

    basal_u_per_h: float
    ratio_g: float
    rate_step_u_per_h: float
    bolus_step_u: float
    target_mg_per_dl: float = 110.0
    sensitivity_mg_per_dl: float = 50.0
    action_h: float = 6.0
    max_rate_u_per_h: float = 35.0
    max_bolus_u: float = 25.0
    max_iob_u: float = 0.0
    micro_boluses: bool = False

    def meal_u(self, carbs_g: float) -> float:
        """The bolus for a meal, in U."""
        return tellable(carbs_g / self.ratio_g, self.bolus_step_u)


class Controller(Protocol):
    """Decides every 5 min.

    It is made of its settings and of what is known: nothing at first; in the middle, when it is begun anew, what sensor
    and pump tell. What was announced to the one before is lost, as with a phone that was lost.
    """

    def decide(self, seen: Seen) -> Wanted:
        """Decide what the pump shall do from now on."""
        ...

    def told(self, accepted: Accepted) -> None:
        """Learn what the pump has accepted, of this controller or of others; what it refused is not said."""
        ...

    def close(self) -> None:
        """End, with whatever it has started."""
        ...


class Simple:
    """A controller that keeps nothing of what the pump accepts, and has started nothing."""

    def told(self, accepted: Accepted) -> None:
        """Do without it."""

    def close(self) -> None:
        """Have nothing to end."""


class BasalBolus(Simple):
    """The profile's rate, and a bolus for each announced meal; it never looks at the sensor."""

    def __init__(self, settings: ControllerSettings, known: Known = NOTHING) -> None:
        del known  # it reckons with none of it
        self._settings = settings

    def decide(self, seen: Seen) -> Wanted:
        """Give the meal's bolus."""
        return Wanted(bolus_u=self._settings.meal_u(seen.announced_g))


LARGEST_MANTISSA = 2045
"""Of an SFLOAT, the medical float of 16 bits in which pumps are told amounts (IEEE 11073-20601, annex F.8)."""


def tellable(amount: float, step: float) -> float:
    """Round an amount down to what a pump can be told; what is a multiple within 1e-9 stays that multiple.

    That is a multiple of the step which an SFLOAT holds: 2.475 U has too many digits for one, so that it is 2.45 U.
    """
    told = float(rounded_down(round(amount, 9), step))
    while not _in_sfloat(told):
        told = float(rounded_down(round(told - step, 9), step))
    return told


def _in_sfloat(amount: float) -> bool:
    """Whether a mantissa of an SFLOAT and a power of ten make an amount."""
    scaled = [round(amount * 10.0**places, 6) for places in range(9)]
    return amount <= 0.0 or any(each == round(each) and each <= LARGEST_MANTISSA for each in scaled)

"""What a bench file may say of a New Era syringe pump, checked before anything is sent.

Not responsible for what the pump refuses itself, such as a rate that is too high for its syringe.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass

from instruments.new_era_ne1000.packets import digits
from rig.units import UL_PER_U

DIAMETER_MM = 8.585
"""Of a 3 mL syringe (1200-01, 12.7)."""
BOLUS_U_PER_MIN = 1.5


def bolus_ul_per_h(bolus_u_per_min: float) -> float:
    """Turn the speed of a bolus from U/min into µL/h, in which the pump is told it."""
    return bolus_u_per_min * 60.0 * UL_PER_U


def _told(value: float) -> float:
    digits(value)
    return value


def _told_as_speed(value: float) -> float:
    digits(bolus_ul_per_h(value))
    return value


Address = Annotated[int, Field(ge=0, le=99)]
DiameterMm = Annotated[float, Field(ge=0.1, le=50.0), AfterValidator(_told)]
SafeS = Annotated[int, Field(ge=0, le=255)]
BolusUPerMin = Annotated[float, Field(ge=0.001, le=16.0), AfterValidator(_told_as_speed)]


@dataclass(frozen=True, config=ConfigDict(strict=True))
class Options:
    """The pump's network address, its syringe, its time-out in Safe mode (0: Basic mode), and how fast a bolus is.

    Raises:
        ValueError: an option is out of range, is no number of its kind, or has more digits than the pump takes.
    """

    address: Address = 0
    diameter_mm: DiameterMm = DIAMETER_MM
    safe_s: SafeS = 0
    bolus_u_per_min: BolusUPerMin = BOLUS_U_PER_MIN

    @property
    def bolus_ul_per_h(self) -> float:
        """The speed of a bolus in µL/h."""
        return bolus_ul_per_h(self.bolus_u_per_min)

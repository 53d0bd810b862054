"""What a bench file may say of a New Era syringe pump, checked before anything is sent.

Not responsible for what the pump refuses itself, such as a rate that is too high for its syringe.
"""

from __future__ import annotations

from dataclasses import dataclass

from rig.pump.new_era_ne1000.packets import number
from rig.units import UL_PER_U

DIAMETER_MM = 8.585
"""Of a 3 mL syringe (1200-01, 12.7)."""
BOLUS_U_PER_MIN = 1.5


@dataclass(frozen=True)
class Options:
    """The pump's network address, its syringe, its time-out in Safe mode (0: Basic mode), and how fast a bolus is.

    Raises:
        ValueError: an option is out of range, is no number of its kind, or has more digits than the pump takes.
    """

    address: int = 0
    diameter_mm: float = DIAMETER_MM
    safe_s: int = 0
    bolus_u_per_min: float = BOLUS_U_PER_MIN

    def __post_init__(self) -> None:
        _whole("address", self.address, 0, 99)
        _whole("safe_s", self.safe_s, 0, 255)
        _within("diameter_mm", self.diameter_mm, 0.1, 50.0)
        _within("bolus_u_per_min", self.bolus_u_per_min, 0.001, 16.0)
        number(self.diameter_mm)
        number(self.bolus_ul_per_h)

    @property
    def bolus_ul_per_h(self) -> float:
        """Get the speed of a bolus in µL/h."""
        return self.bolus_u_per_min * 60.0 * UL_PER_U


def _whole(name: str, value: object, least: int, most: int) -> None:
    if not (isinstance(value, int) and least <= value <= most):
        raise ValueError(f"{name} is a whole number from {least} to {most}, got {value!r}")


def _within(name: str, value: object, least: float, most: float) -> None:
    if not (isinstance(value, int | float) and least <= value <= most):
        raise ValueError(f"{name} is a number from {least:g} to {most:g}, got {value!r}")

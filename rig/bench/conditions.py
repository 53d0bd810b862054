"""Conditions of use that a bench is set up to: back pressure, head, temperature, ambient pressure, viscosity.

One table, in a bench file for what holds now and in a test plan for what is to be tried. Not responsible for setting
anything up (people and the virtual bench do), nor for holding readings against it (`rig.procedures`).
"""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rig.toml_files import LengthM, PressureKpa, TemperatureC, ViscosityMpaS

NOMINAL = "nominal"
"""What the conditions are called that no key changes."""
WATER_KPA_PER_M = 9.789
"""Pressure of a metre of water at 20 °C: 998.2 kg/m³ (Tanaka 2001) · 9.80665 m/s² (CGPM 1901)."""


class Conditions(BaseModel):
    """What differs from the ordinary; None where nothing does.

    Attributes:
        back_pressure: gauge pressure at the needle in kPa.
        head: height of the needle above the pump in m.
        temperature: of the air at the balance, and of pump and liquid, in °C. Water's density is known for 0–40 °C, and
            the room may be 2 °C off.
        ambient_pressure: of the air, in kPa: an altitude.
        viscosity: of the liquid, in mPa·s; water has 1.0 at 20 °C.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    UNITS: ClassVar = {
        "back_pressure": "kPa",
        "head": "m",
        "temperature": "°C",
        "ambient_pressure": "kPa",
        "viscosity": "mPa·s",
    }

    back_pressure: PressureKpa | None = Field(default=None, ge=-90, le=90)
    head: LengthM | None = Field(default=None, ge=-5, le=5)
    temperature: TemperatureC | None = Field(default=None, ge=2, le=38)
    ambient_pressure: PressureKpa | None = Field(default=None, ge=50, le=110)
    viscosity: ViscosityMpaS | None = Field(default=None, gt=0, le=100)

    @property
    def settings(self) -> dict[str, float]:
        """What differs, by key, in the unit of `UNITS`."""
        return {key: value for key, value in self.model_dump().items() if value is not None}

    @property
    def title(self) -> str:
        """Such as "back pressure 13.33 kPa, head 0.5 m"; "nominal" when nothing differs."""
        parts = [f"{key.replace('_', ' ')} {value:g} {self.UNITS[key]}" for key, value in self.settings.items()]
        return ", ".join(parts) or NOMINAL

    @property
    def line_pressure_kpa(self) -> float | None:
        """Gauge pressure at rest at the pump's end of the line; None when neither back pressure nor head was set up."""
        if self.back_pressure is None and self.head is None:
            return None
        return (self.back_pressure or 0.0) + WATER_KPA_PER_M * (self.head or 0.0)

    def overrides(self) -> dict[str, str]:
        """The keys of a bench file that say the same."""
        return {f"conditions.{key}": f"{value:g} {self.UNITS[key]}" for key, value in self.settings.items()}


class PlannedCondition(Conditions):
    """A condition that a plan tries: one of them differs, so that what changes can be put down to it."""

    @model_validator(mode="after")
    def _one_differs(self) -> Self:
        if len(self.settings) != 1:
            raise ValueError(f"a condition sets one of {', '.join(self.UNITS)}; the nominal run comes anyway")
        return self

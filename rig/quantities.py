"""Quantities in files that people write: text with a unit, as types that pydantic checks.

Not responsible for the units themselves (`rig.units`).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator

from rig.units import parse

_EXAMPLES = {
    "mass_g": "2.5 µg",
    "voltage_v": "3.7 V",
    "current_a": "0.5 A",
    "pressure_kpa": "0.5 kPa",
    "temperature_c": "15 °C",
    "percent": "80 %",
    "time_s": "3 h",
    "insulin_u": "0.1 U",
    "rate_u_per_h": "1 U/h",
    "length_m": "0.5 m",
    "viscosity_mpa_s": "1 mPa·s",
}


def _quantity(dimension: str) -> BeforeValidator:
    def parsed(text: object) -> float:
        if not isinstance(text, str):
            raise ValueError(f"a quantity needs its unit and quotation marks, such as {_EXAMPLES[dimension]!r}")
        return parse(text, dimension)

    return BeforeValidator(parsed)


MassG = Annotated[float, _quantity("mass_g")]
VoltageV = Annotated[float, _quantity("voltage_v")]
CurrentA = Annotated[float, _quantity("current_a")]
PressureKpa = Annotated[float, _quantity("pressure_kpa")]
TemperatureC = Annotated[float, _quantity("temperature_c")]
Percent = Annotated[float, _quantity("percent")]
TimeS = Annotated[float, _quantity("time_s")]
InsulinU = Annotated[float, _quantity("insulin_u")]
RateUPerH = Annotated[float, _quantity("rate_u_per_h")]
LengthM = Annotated[float, _quantity("length_m")]
ViscosityMpaS = Annotated[float, _quantity("viscosity_mpa_s")]

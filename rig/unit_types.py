"""Quantities in files that people write: text with a unit, as types that pydantic checks.

Code may give a number in the base unit that the field's name ends in; whatever people write must carry its unit
(`rig.validation.validated` says so to the models). Not responsible for the units themselves (`rig.units`), nor for
what is measured (`rig.quantity`).
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationInfo

from rig.units import parse

WRITTEN = "written"
"""Key of the validation context that says: a person wrote this, so a bare number is refused."""

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
    "glucose_mg_per_dl": "140 mg/dL",
}


def _quantity(dimension: str) -> BeforeValidator:
    def parsed(value: object, info: ValidationInfo[dict[str, Any] | None]) -> float:
        if isinstance(value, str):
            return parse(value, dimension)
        written = bool(info.context and info.context.get(WRITTEN))
        if written or isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"a quantity needs its unit and quotation marks, such as {_EXAMPLES[dimension]!r}")
        return float(value)

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
GlucoseMgPerDl = Annotated[float, _quantity("glucose_mg_per_dl")]

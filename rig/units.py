"""Units of the field: conversions, and `parse` for text that people write.

Inside the code a quantity is a float with its unit in its name. Text from people (bench files, Robot arguments, the
command line) must carry its unit and is parsed once, at the edge: a bare number is refused. Not responsible for
density, which depends on the fluid and its temperature.
"""

from __future__ import annotations

import math
import re

UL_PER_U = 10.0
"""Microlitres per insulin unit of U-100 insulin: 100 U/mL (IEC 60601-2-24 ambulatory pumps are tested with water at
this scale; the concentration is printed on every U-100 vial)."""

KPA_PER_MMHG = 0.133322387415
"""Kilopascals per conventional millimetre of mercury (ISO 80000-4)."""

MG_PER_DL_PER_MMOL_PER_L = 18.0156
"""Glucose in mg/dL for 1 mmol/L: a tenth of its molar mass of 180.156 g/mol (IUPAC atomic weights)."""

# One table: unit -> (dimension, factor to the dimension's base unit). Base units are those the code uses in names.
_UNITS: dict[str, tuple[str, float]] = {
    "s": ("time_s", 1.0),
    "ms": ("time_s", 1e-3),
    "min": ("time_s", 60.0),
    "h": ("time_s", 3600.0),
    "d": ("time_s", 86400.0),
    "U": ("insulin_u", 1.0),
    "U/h": ("rate_u_per_h", 1.0),
    "U/min": ("rate_u_per_h", 60.0),
    "nL": ("volume_ul", 1e-3),
    "uL": ("volume_ul", 1.0),
    "µL": ("volume_ul", 1.0),
    "mL": ("volume_ul", 1000.0),
    "g": ("mass_g", 1.0),
    "mg": ("mass_g", 1e-3),
    "ug": ("mass_g", 1e-6),
    "µg": ("mass_g", 1e-6),
    "g/h": ("evaporation_g_per_h", 1.0),
    "mg/h": ("evaporation_g_per_h", 1e-3),
    "ug/h": ("evaporation_g_per_h", 1e-6),
    "µg/h": ("evaporation_g_per_h", 1e-6),
    "mg/dL": ("glucose_mg_per_dl", 1.0),
    "mmol/L": ("glucose_mg_per_dl", MG_PER_DL_PER_MMOL_PER_L),
    "kPa": ("pressure_kpa", 1.0),
    "Pa": ("pressure_kpa", 1e-3),
    "hPa": ("pressure_kpa", 0.1),
    "bar": ("pressure_kpa", 100.0),
    "mmHg": ("pressure_kpa", KPA_PER_MMHG),
    "V": ("voltage_v", 1.0),
    "mV": ("voltage_v", 1e-3),
    "A": ("current_a", 1.0),
    "mA": ("current_a", 1e-3),
    "°C": ("temperature_c", 1.0),
    "degC": ("temperature_c", 1.0),
    "%": ("percent", 1.0),
    "m": ("length_m", 1.0),
    "cm": ("length_m", 0.01),
    "mm": ("length_m", 0.001),
    "mPa·s": ("viscosity_mpa_s", 1.0),
    "cP": ("viscosity_mpa_s", 1.0),
}

_TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_QUANTITY = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(\S+)?\s*")


def parse(text: str, dimension: str) -> float:
    """Parse "2.5 U/h" into a float in the base unit that `dimension` names, such as `rate_u_per_h`.

    Raises:
        ValueError: no number, no unit, an unknown unit, or a unit of another dimension.
    """
    allowed = units_of(dimension)
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a number with a unit, such as '1 {allowed[0]}'")
    number, unit = match.groups()
    if unit is None:
        raise ValueError(f"{text!r} has no unit: write one of {', '.join(allowed)}")
    if unit not in allowed:
        raise ValueError(f"{text!r} is not a {dimension.split('_', 1)[0]}: allowed units are {', '.join(allowed)}")
    value = float(number) * _UNITS[unit][1]
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is not a finite number")
    return value


def units_of(dimension: str) -> tuple[str, ...]:
    """List the units of a dimension; ValueError when this rig has no such dimension."""
    units = tuple(unit for unit, (of, _) in _UNITS.items() if of == dimension)
    if not units:
        raise ValueError(f"{dimension!r} is not a dimension of this rig")
    return units


def dimension_of(unit: str) -> tuple[str, float] | None:
    """The dimension of a unit, such as `mass_g`, and its factor to that; None for a unit this rig does not know."""
    return _UNITS.get(unit)


_SPELLINGS = {
    "sec": "s",
    "secs": "s",
    "second": "s",
    "seconds": "s",
    "mins": "min",
    "minute": "min",
    "minutes": "min",
    "hr": "h",
    "hrs": "h",
    "hour": "h",
    "hours": "h",
    "days": "d",
    "ul": "µL",
    "µl": "µL",
    "ml": "mL",
    "nl": "nL",
}


def canonical_unit(text: str) -> str:
    """A unit as this rig writes it: "sec" is s, "ml" is mL, the Greek µ the micro sign; others stay as they are."""
    unit = text.strip().replace("\N{GREEK SMALL LETTER MU}", "\N{MICRO SIGN}")
    return _SPELLINGS.get(unit, unit)


def parse_time_of_day(text: str) -> int:
    """Parse "07:30" into minutes since midnight; ValueError when it is no time from 00:00 to 23:59."""
    match = _TIME_OF_DAY.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a time of day from 00:00 to 23:59")
    return 60 * int(match[1]) + int(match[2])


def ul_from_u(insulin_u: float) -> float:
    """Convert insulin units of U-100 insulin to microlitres."""
    return insulin_u * UL_PER_U


def u_from_ul(volume_ul: float) -> float:
    """Convert microlitres to insulin units of U-100 insulin."""
    return volume_ul / UL_PER_U


def ml_per_h_from_u_per_h(rate_u_per_h: float) -> float:
    """Convert a rate in U/h of U-100 insulin to mL/h."""
    return rate_u_per_h * UL_PER_U / 1000.0

"""Units as laboratories write them in headers, cells and options: every spelling to one dimension and one factor.

Wider than `rig.units`, which is what this rig's own files allow. A spelling that means two things is refused, never
guessed. Not responsible for finding units (`headers`, `numbers`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from rig.units import KPA_PER_MMHG, UL_PER_U

KPA_PER_PSI = 6.894757293168
"""Kilopascals per pound-force per square inch: 0.45359237 kg × 9.80665 m/s² / (0.0254 m)² (NIST SP 811, B.8)."""

KPA_PER_CMH2O = 0.0980665
"""Kilopascals per conventional centimetre of water (NIST SP 811, B.8)."""

_TIMES: Mapping[str, tuple[float, str]] = {
    "ms": (1e-3, "ms msec msecs millisecond milliseconds millisekunden"),
    "s": (1.0, "s sec secs second seconds sek sekunde sekunden seconde secondes"),
    "min": (60.0, "min mins minute minutes minuten"),
    "h": (3600.0, "h hr hrs hour hours std stunde stunden heure heures"),
    "d": (86400.0, "d day days tag tage"),
}
_MASSES: Mapping[str, tuple[float, str]] = {
    "kg": (1e3, "kg kgs kilogram kilograms kilogramm"),
    "g": (1.0, "g gm gms gram grams gramme grammes gramm"),
    "mg": (1e-3, "mg mgs milligram milligrams milligramm"),
    "µg": (1e-6, "µg ug mcg microgram micrograms mikrogramm"),
    "ng": (1e-9, "ng nanogram nanograms"),
    "ct": (0.2, "ct carat carats"),
    "gn": (0.06479891, "gn grain grains"),
    "oz": (28.349523125, "oz ounce ounces"),
    "lb": (453.59237, "lb lbs pound pounds"),
}
_VOLUMES: Mapping[str, tuple[float, str]] = {
    "L": (1e6, "l liter liters litre litres"),
    "dL": (1e5, "dl deciliter deciliters decilitre decilitres"),
    "mL": (1e3, "ml cc ccm cm3 cm³ cm^3 milliliter milliliters millilitre millilitres"),
    "µL": (1.0, "µl ul mcl mm3 mm³ mm^3 microliter microliters microlitre microlitres"),
    "nL": (1e-3, "nl nanoliter nanoliters nanolitre nanolitres"),
    "pL": (1e-6, "pl picoliter picoliters picolitre picolitres"),
}
_PRESSURES: Mapping[str, tuple[float, str]] = {
    "kPa": (1.0, "kpa kilopascal kilopascals"),
    "Pa": (1e-3, "pa pascal pascals"),
    "hPa": (0.1, "hpa hectopascal"),
    "MPa": (1e3, ""),
    "bar": (100.0, "bar bars bara barg bar(a) bar(g)"),
    "mbar": (0.1, "mbar mbars millibar millibars"),
    "mmHg": (KPA_PER_MMHG, "mmhg torr"),
    "cmH2O": (KPA_PER_CMH2O, "cmh2o cmh₂o cmwc"),
    "mmH2O": (KPA_PER_CMH2O / 10.0, "mmh2o mmh₂o mmwc"),
    "psi": (KPA_PER_PSI, "psi psig psia lbf/in2 lbf/in²"),
    "atm": (101.325, "atm"),
}
_INSULIN: Mapping[str, tuple[float, str]] = {"U": (1.0, "u iu i.u. unit units"), "mU": (1e-3, "mu miu")}

_CASES: Mapping[str, str] = {"MPa": "MPa", "Mpa": "MPa", "MPA": "MPa", "mPa": "", "Mg": ""}
"""Spellings whose case decides: mPa and Mg are other units than most who write them mean."""

AMBIGUOUS: Mapping[str, str] = {
    "gr": "g (gram) or grain",
    "grs": "g (gram) or grain",
    "t": "tonne or another unit",
    "m": "min or month or metre",
}
"""Spellings that mean two things, and which; they are refused by name."""


@dataclass(frozen=True)
class Unit:
    """A unit: how it is written here, the quantity with its base unit (`mass_g`), and its factor to that."""

    name: str
    dimension: str
    factor: float


def _table() -> dict[str, Unit]:
    found: dict[str, Unit] = {}
    for dimension, units in (
        ("time_s", _TIMES),
        ("mass_g", _MASSES),
        ("volume_ul", _VOLUMES),
        ("pressure_kpa", _PRESSURES),
        ("insulin_u", _INSULIN),
    ):
        for name, (factor, spellings) in units.items():
            for spelling in {name.lower(), *spellings.split()} if name != "MPa" else ():
                found[spelling] = Unit(name, dimension, factor)
    return found


_UNITS = _table()
_MPA = Unit("MPa", "pressure_kpa", 1e3)
_PLAIN: Mapping[str, Unit] = {"%": Unit("%", "percent", 1.0)} | {
    spelling: Unit("°C", "temperature_c", 1.0) for spelling in ("°C", "degC", "deg C", "C", "℃", "Deg C", "celsius")
}


def unit_of(text: str) -> Unit | None:
    """Find the unit that a person wrote; None for one this rig does not know, or that means two things.

    Rates of volume are `flow_ul_per_h`, rates of mass `flow_g_per_h`, rates of insulin `rate_u_per_h`.
    """
    plain = _plain(text)
    if plain in _PLAIN:
        return _PLAIN[plain]
    found = _simple(plain)
    if found is not None:
        return found
    parts = re.fullmatch(r"(.+?)\s*(?:/|\s+per\s+|\s*\*\s*|\s+|·)\s*(.+?)(\^?-1|⁻¹)?", plain)
    if parts is None:
        return None
    amount, time, inverse = parts.groups()
    divided = "/" in plain or re.search(r"\sper\s", plain) is not None
    if divided is (inverse is not None):
        return None
    above, below = _simple(amount), _simple(time)
    if above is None or below is None or below.dimension != "time_s":
        return None
    of = {"volume_ul": "flow_ul_per_h", "mass_g": "flow_g_per_h", "insulin_u": "rate_u_per_h"}.get(above.dimension)
    if of is None:
        return None
    return Unit(f"{above.name}/{below.name}", of, above.factor * 3600.0 / below.factor)


def _simple(text: str) -> Unit | None:
    if text in _CASES:
        name = _CASES[text]
        return _MPA if name == "MPa" else _UNITS.get(name)
    if text.lower() in AMBIGUOUS:
        return None
    return _UNITS.get(text.lower())


def _plain(text: str) -> str:
    """Write Greek and other micro signs, brackets and stray dots as one."""
    unit = text.strip().replace("\N{GREEK SMALL LETTER MU}", "\N{MICRO SIGN}")
    unit = unit.removeprefix("[").removesuffix("]").removeprefix("in ").strip()
    return unit.rstrip(".") if unit.count(".") == 1 else unit


def meaning(text: str) -> str:
    """Say what is wrong with a unit that `unit_of` does not know."""
    two = AMBIGUOUS.get(_plain(text).lower())
    return f"which could be {two}" if two else "which is no unit that this rig knows"


_QUANTITY = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(\S.*?)?\s*")

WRITTEN: Mapping[str, str] = {
    "time_s": "s, min, h",
    "mass_g": "µg, mg, g, kg",
    "volume_ul": "nL, µL, mL",
    "pressure_kpa": "kPa, hPa, mbar, bar, mmHg, cmH2O, psi",
    "insulin_u": "U, µL, mL",
    "rate_u_per_h": "U/h, U/min, µL/h, mL/h",
    "flow_ul_per_h": "nL/s, µL/min, mL/h",
    "evaporation_g_per_h": "µg/h, mg/h, g/h",
    "percent": "%",
    "temperature_c": "°C",
}
"""What a sentence proposes for each quantity."""


def parse_quantity(text: str, dimension: str) -> float:
    """Parse "0.01 mL/h" into the base unit that `dimension` names; volumes of insulin are U-100.

    Raises:
        ValueError: no number, no unit, an unknown unit, or a unit of another dimension.
    """
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a number with a unit, such as '1 {WRITTEN[dimension].split(', ')[0]}'")
    number, written = match.groups()
    if written is None:
        raise ValueError(f"{text!r} has no unit: write one of {WRITTEN[dimension]}")
    unit = unit_of("°C" if written == "degC" else written)
    factor = _factor(unit, dimension) if unit is not None else None
    if factor is None:
        name = dimension.split("_", 1)[0]
        raise ValueError(f"{text!r} is not a {name}: allowed units are {WRITTEN[dimension]}")
    value = float(number) * factor
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is not a finite number")
    return value


def _factor(unit: Unit, dimension: str) -> float | None:
    if unit.dimension == dimension:
        return unit.factor
    if (unit.dimension, dimension) in {("volume_ul", "insulin_u"), ("flow_ul_per_h", "rate_u_per_h")}:
        return unit.factor / UL_PER_U
    if (unit.dimension, dimension) == ("flow_g_per_h", "evaporation_g_per_h"):
        return unit.factor
    return None


def order_of(date_format: str) -> str:
    """Read "dd/mm/yyyy", "MM-DD-YY" or "%d.%m.%Y" as dmy, mdy or ymd; ValueError with a sentence for anything else."""
    text = re.sub(r"(?i)h+\W*m+(\W*s+)?", "", date_format).lower().replace("j", "y").replace("t", "d")
    order = "".join(dict.fromkeys(letter for letter in text if letter in "dmy"))
    if order not in ("dmy", "mdy", "ymd"):
        raise ValueError(f"--date-format {date_format!r}: write the order of day, month and year, such as dd/mm/yyyy")
    return order

"""From balance readings to volumes of water: densities, Z factor, corrected volumes.

Not responsible for uncertainty budgets (`uncertainty`), for evaporation rates (`evaporation`), nor for other liquids
than pure water.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from rig.analysis.checks import FloatArray, finite, not_negative, positive, series, timed_series

WaterDensity = Literal["tanaka_2001", "iso_tr_20461", "kell_1975"]
"""tanaka_2001: Metrologia 38 (2001) 301, eq. 1, 0–40 °C, u < 1e-6 relative. iso_tr_20461: ISO/TR 20461:2000 eq. 4 with
the constants of Cor. 1:2008, 5–40 °C. kell_1975: J. Chem. Eng. Data 20 (1975) 97, eq. 16, on the temperature scale of
1968. They agree within 5e-6 between 5 and 40 °C."""

MASS_DENSITY_KG_PER_M3 = 8000.0
"""Density of the masses that a balance is adjusted with (OIML D 28; ISO 8655-6)."""

SECONDS_PER_HOUR = 3600.0
MG_PER_G = 1000.0


def water_density_kg_per_m3(temperature_c: ArrayLike, source: WaterDensity = "tanaka_2001") -> FloatArray:
    """The density of air-free water in kg/m³ at 1013.25 hPa, shape of `temperature_c`.

    Raises:
        ValueError: a temperature outside 0–40 °C or not a number, or an unknown source.
    """
    if source not in get_args(WaterDensity):
        raise ValueError(f"source must be one of {', '.join(get_args(WaterDensity))}, got {source!r}")
    t = _within("temperature_c", temperature_c, 0.0, 40.0)
    if source == "tanaka_2001":
        return 999.974950 * (1.0 - (t - 3.983035) ** 2 * (t + 301.797) / (522528.9 * (t + 69.34881)))
    if source == "iso_tr_20461":
        return _polynomial(t, (999.85308, 6.32693e-2, -8.523829e-3, 6.943248e-5, -3.821216e-7))
    kell = (999.83952, 16.945176, -7.9870401e-3, -46.170461e-6, 105.56302e-9, -280.54253e-12)
    return _polynomial(t, kell) / (1.0 + 16.879850e-3 * t)


def air_density_kg_per_m3(
    temperature_c: ArrayLike, pressure_hpa: ArrayLike, relative_humidity: ArrayLike = 0.5
) -> FloatArray:
    """The density of moist air in kg/m³; the arguments broadcast.

    ρa = [0.34844 p − φ (0.252 t − 2.0582)]/(273.15 + t) with p in hPa, t in °C, φ 0..1 (Spieweck and Bettin, as in
    ISO/TR 20461).

    Raises:
        ValueError: temperature outside 0–40 °C, pressure outside 500–1100 hPa, humidity outside 0–1.
    """
    t = _within("temperature_c", temperature_c, 0.0, 40.0)
    p = _within("pressure_hpa", pressure_hpa, 500.0, 1100.0)
    phi = _within("relative_humidity", relative_humidity, 0.0, 1.0)
    return (0.34844 * p - phi * (0.252 * t - 2.0582)) / (273.15 + t)


def z_factor_ul_per_mg(
    temperature_c: ArrayLike,
    pressure_hpa: ArrayLike,
    relative_humidity: ArrayLike = 0.5,
    *,
    water_density: WaterDensity = "tanaka_2001",
) -> FloatArray:
    """The volume of water in µL that a balance shows as 1 mg in air; the arguments broadcast.

    Z = (1/ρw) (1 − ρa/ρb)/(1 − ρa/ρw), ρb = 8000 kg/m³ (ISO 8655-6; ISO/TR 20461). The water has the temperature of
    the air.

    Raises:
        ValueError: as `water_density_kg_per_m3` and `air_density_kg_per_m3`.
    """
    water = water_density_kg_per_m3(temperature_c, water_density)
    air = air_density_kg_per_m3(temperature_c, pressure_hpa, relative_humidity)
    return 1000.0 / water * (1.0 - air / MASS_DENSITY_KG_PER_M3) / (1.0 - air / water)


def immersion_factor(tube_diameter_mm: float, vessel_bore_mm: float) -> float:
    """The factor 1 − d²/D² for a tube of outer diameter d that dips into a vessel of bore D.

    The rising liquid climbs the fixed tube, which then displaces more of it; the balance carries that lift (derived in
    `immersion`).

    Raises:
        ValueError: a diameter that is negative, or a tube that does not fit into the vessel.
    """
    tube = not_negative("tube_diameter_mm", tube_diameter_mm)
    bore = positive("vessel_bore_mm", vessel_bore_mm)
    if tube >= bore:
        raise ValueError(f"tube_diameter_mm must be below vessel_bore_mm, got {tube:g} and {bore:g}")
    return 1.0 - (tube / bore) ** 2


def corrected_volume_ul(
    at_s: ArrayLike,
    mass_g: ArrayLike,
    *,
    z_ul_per_mg: float,
    evaporation_mg_per_h: ArrayLike = 0.0,
    immersion: float = 1.0,
) -> FloatArray:
    """The delivered volume in µL since the first sample, shape (n,), first value 0.

    V = [(W − W0) + ∫ e dt] Z (1 − d²/D²).

    Args:
        at_s: (n,) times in s, rising.
        mass_g: (n,) balance readings in g.
        z_ul_per_mg: `z_factor_ul_per_mg` of the air at the balance.
        evaporation_mg_per_h: e, what the vessel loses, one number or (n,) at the samples (integrated by trapezoids).
        immersion: `immersion_factor`.

    Raises:
        ValueError: with a sentence, on input that is not the above.
    """
    times, mass = timed_series(at_s, "mass_g", mass_g, at_least=1)
    factor = positive("z_ul_per_mg", z_ul_per_mg) * positive("immersion", immersion)
    evaporated = evaporated_mg(times, evaporation_mg_per_h)
    volume: FloatArray = ((mass - mass[0]) * MG_PER_G + evaporated) * factor
    return volume


def evaporated_mg(times: FloatArray, evaporation_mg_per_h: ArrayLike) -> FloatArray:
    """The mass in mg lost since the first of `times` (s), shape (n,), at one rate or at one rate a sample."""
    hours: FloatArray = (times - times[0]) / SECONDS_PER_HOUR
    if np.ndim(evaporation_mg_per_h) == 0:
        return np.multiply(hours, finite("evaporation_mg_per_h", np.asarray(evaporation_mg_per_h).item()))
    rate = series("evaporation_mg_per_h", evaporation_mg_per_h)
    if rate.size != times.size:
        raise ValueError(f"evaporation_mg_per_h must be one number or one a sample, got {rate.size} for {times.size}")
    return np.concatenate([[0.0], np.cumsum(np.diff(hours) * (rate[1:] + rate[:-1]) / 2.0)])


def _polynomial(t: FloatArray, coefficients: tuple[float, ...]) -> FloatArray:
    """Horner's rule; `coefficients` begin with the constant."""
    value = np.zeros_like(t)
    for coefficient in reversed(coefficients):
        value = value * t + coefficient
    return value


def _within(name: str, values: ArrayLike, low: float, high: float) -> FloatArray:
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be numbers, got {values!r}") from None
    outside = array[~((array >= low) & (array <= high))]
    if outside.size:
        raise ValueError(f"{name} must be within {low:g} … {high:g}, got {outside.flat[0]:g}")
    return array

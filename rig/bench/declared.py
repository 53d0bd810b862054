"""What a bench file declares of a bench, as procedures and the virtual world take it: metrology, and what is set up.

Not responsible for opening anything, nor for holding readings against it (`rig.procedures`).
"""

from __future__ import annotations

import math
from dataclasses import replace

from rig.analysis.immersion import FREE, UNSTATED, Immersion, immersed
from rig.bench.conditions import Conditions
from rig.bench.file import BenchFile
from rig.bench.setup_tables import FluidTable
from rig.errors import BlockedError
from rig.roles import Metrology
from rig.virtual.parameters import VirtualParameters

SET_UP_WITHIN_C = 2.0
SET_UP_WITHIN_KPA = 1.0
"""How near a condition that was set up must come to what was asked for. The house's."""


def metrology(spec: BenchFile) -> Metrology:
    """What the bench file declares of the bench's measuring.

    Raises:
        BlockedError: the outlet is immersed, and the diameters that its correction needs are not all there.
    """
    dipping = immersion(spec)
    return Metrology(
        balance_repeatability_g=spec.balance.repeatability,
        balance_readability_g=spec.balance.readability,
        balance_calibration_percent=spec.balance.calibration_uncertainty,
        evaporation_g_per_h=spec.fluid.evaporation_per_hour,
        evaporation_uncertainty_g_per_h=spec.fluid.evaporation_uncertainty_per_hour,
        pressure_expanded_uncertainty_kpa=spec.pressure.expanded_uncertainty,
        temperature_band_c=_temperature_band_c(spec),
        humidity_band=(spec.environment.lowest_humidity / 100.0, spec.environment.highest_humidity / 100.0),
        blank_wander_g=spec.fluid.blank_wander,
        blank_wander_g_per_h=spec.fluid.blank_wander_per_hour,
        ambient_pressure_band_hpa=_ambient_band_hpa(spec),
        line_pressure_at_rest_kpa=spec.conditions.line_pressure_kpa,
        immersion_factor=dipping.factor,
        immersion_uncertainty=dipping.u,
        evaporation_source=_evaporation_source(spec.fluid),
    )


def _evaporation_source(fluid: FluidTable) -> str | None:
    """Say where the evaporation is from, with its date; None where nobody said, or said no uncertainty with it."""
    if fluid.evaporation_source is None or fluid.evaporation_uncertainty_per_hour <= 0:
        return None
    return f"{fluid.evaporation_source.strip()}, {fluid.evaporation_date}"


def immersion(spec: BenchFile) -> Immersion:
    """The factor of a tube that dips into the vessel; where nothing is said, none with a u that covers it.

    Raises:
        BlockedError: the outlet is immersed, and a diameter or its uncertainty is missing.
    """
    vessel = spec.vessel
    if vessel.outlet is None:
        return UNSTATED
    if vessel.outlet == "free":
        return FREE
    needed = {
        "tube_diameter_mm": vessel.tube_outer_diameter,
        "vessel_bore_mm": vessel.bore,
        "u_tube_mm": vessel.tube_outer_diameter_uncertainty,
        "u_bore_mm": vessel.bore_uncertainty,
    }
    diameters = {name: 1e3 * length_m for name, length_m in needed.items() if length_m is not None}
    if len(diameters) < len(needed):
        raise BlockedError(
            "balance: vessel.outlet is 'immersed', so what is weighed is too large by the immersion of the tube; enter "
            "bore, bore_uncertainty, tube_outer_diameter and tube_outer_diameter_uncertainty in [vessel], or let the "
            "outlet hang free"
        )
    return immersed(**diameters)


def _temperature_band_c(spec: BenchFile) -> tuple[float, float]:
    """The band of the room, or the one around the temperature that was set up."""
    wanted_c = spec.conditions.temperature
    if wanted_c is None:
        return spec.environment.lowest_temperature, spec.environment.highest_temperature
    return wanted_c - SET_UP_WITHIN_C, wanted_c + SET_UP_WITHIN_C


def _ambient_band_hpa(spec: BenchFile) -> tuple[float, float]:
    wanted_kpa = spec.conditions.ambient_pressure
    if wanted_kpa is None:
        return 0.0, math.inf
    return 10.0 * (wanted_kpa - SET_UP_WITHIN_KPA), 10.0 * (wanted_kpa + SET_UP_WITHIN_KPA)


def set_up_world(parameters: VirtualParameters, conditions: Conditions) -> VirtualParameters:
    """The world with the conditions that a person would set up on a real bench."""
    fluid, air = parameters.fluid, parameters.air
    if conditions.back_pressure is not None:
        fluid = replace(fluid, back_pressure_kpa=conditions.back_pressure)
    if conditions.head is not None:
        fluid = replace(fluid, head_m=conditions.head)
    if conditions.viscosity is not None:  # Poiseuille: the resistance is that of a liquid of 1 mPa·s, such as water
        fluid = replace(fluid, resistance_kpa_s_per_ul=fluid.resistance_kpa_s_per_ul * conditions.viscosity)
    if conditions.temperature is not None:
        air = replace(air, temperature_c=conditions.temperature)
    if conditions.ambient_pressure is not None:
        air = replace(air, pressure_hpa=10.0 * conditions.ambient_pressure)
    return replace(parameters, fluid=fluid, air=air)

"""The vessel on the balance, and the weighing cell beneath it: buoyancy, evaporation, drift, filter, noise.

The cell's low-pass is advanced in closed form along the fluid's own exponentials. Not responsible for taring, rounding
to the readability or words on a wire: the instrument is.
"""

from __future__ import annotations

import math

from rig.clock import NS_PER_S, SimClock
from rig.virtual.air import RoomAir, wander
from rig.virtual.fluid import Flow, FluidPath
from rig.virtual.noise import normal, stream
from rig.virtual.parameters import GaugeParameters, WeighingParameters

MASS_DENSITY_KG_PER_M3 = 8000.0
STABLE_G = 5e-6
"""A reading is called stable while the filter lags the load by less than five digits."""


def water_density_kg_per_m3(temperature_c: float) -> float:
    """Get the density of water in kg/m³ at 0–40 °C (Tanaka et al., Metrologia 38 (2001) 301, equation 1)."""
    t = temperature_c
    return 999.974950 * (1.0 - (t - 3.983035) ** 2 * (t + 301.797) / (522528.9 * (t + 69.34881)))


def air_density_kg_per_m3(temperature_c: float, pressure_hpa: float, relative_humidity: float) -> float:
    """Get the density of air in kg/m³ (Spieweck and Bettin, as in ISO/TR 20461)."""
    t = temperature_c
    return (0.34844 * pressure_hpa - relative_humidity * (0.252 * t - 2.0582)) / (273.15 + t)


class WeighingCell:
    """What the balance's cell indicates at the present moment."""

    def __init__(
        self, clock: SimClock, fluid: FluidPath, room: RoomAir, parameters: WeighingParameters, seed: int
    ) -> None:
        self._clock = clock
        self._fluid = fluid
        self._room = room
        self._parameters = parameters
        self._noise = stream(seed, "balance noise")
        self._drift = stream(seed, "balance drift")
        self._gain = 1.0 + normal(stream(seed, "balance sensitivity"), 0) * parameters.sensitivity_error_ppm * 1e-6
        self._filtered_ul = fluid.delivered_ul
        self._update_ns = round(parameters.update_s * NS_PER_S)
        fluid.follow(self._track)

    def weigh(self) -> tuple[float, bool]:
        """Get the indication in g and whether it is stable."""
        delivered_ul = self._fluid.delivered_ul
        air = self._room.now()
        water = water_density_kg_per_m3(air[0])
        lift = air_density_kg_per_m3(*air)
        mass_g = self._mass_g(self._filtered_ul, water)
        shown_g = mass_g * (1.0 - lift / water) / (1.0 - lift / MASS_DENSITY_KG_PER_M3) * self._gain
        hours = self._clock.now() / 3600.0
        shown_g += self._parameters.drift_g_per_h * wander(self._drift, hours)
        shown_g += self._parameters.noise_g * normal(self._noise, self._clock.now_ns // self._update_ns)
        return shown_g, abs(delivered_ul - self._filtered_ul) * water * 1e-6 < STABLE_G

    def true_mass_g(self) -> float:
        """Get the mass in the vessel and of it, in g: what a perfect balance in vacuum would show."""
        return self._mass_g(self._fluid.delivered_ul, water_density_kg_per_m3(self._room.now()[0]))

    def _mass_g(self, volume_ul: float, water_kg_per_m3: float) -> float:
        evaporated_g = self._parameters.evaporation_mg_per_h * 1e-3 * self._clock.now() / 3600.0
        return self._parameters.vessel_g + volume_ul * water_kg_per_m3 * 1e-6 - evaporated_g

    def _track(self, flow: Flow) -> None:
        """Filter y' = (D − y)/T along D(t) = d0 + b t + a (1 − exp(−t/τ))."""
        t, filter_s = flow.elapsed_s, self._parameters.filter_s
        tau_s = flow.tau_s if abs(flow.tau_s - filter_s) > 1e-6 * filter_s else filter_s * (1.0 + 1e-6)
        faded = flow.fading_ul * tau_s / (tau_s - filter_s)
        constant = self._filtered_ul - flow.start_ul - flow.fading_ul + flow.steady_ul_per_s * filter_s + faded
        self._filtered_ul = (
            flow.start_ul
            + flow.fading_ul
            + flow.steady_ul_per_s * (t - filter_s)
            - faded * math.exp(-t / tau_s)
            + constant * math.exp(-t / filter_s)
        )


class PressureGauge:
    """What the pressure sensor in the line feels, in kPa, with its offset and noise."""

    def __init__(self, clock: SimClock, fluid: FluidPath, parameters: GaugeParameters, seed: int) -> None:
        self._clock = clock
        self._fluid = fluid
        self._offset_kpa = normal(stream(seed, "gauge offset"), 0) * parameters.offset_kpa
        self._noise_kpa = parameters.noise_kpa
        self._noise = stream(seed, "gauge noise")

    def read_kpa(self) -> float:
        """Get the gauge pressure in kPa."""
        noise_kpa = self._noise_kpa * normal(self._noise, self._clock.now_ns // 1_000_000)
        return self._fluid.line_pressure_kpa() + self._offset_kpa + noise_kpa

"""The vessel on the balance, the weighing cell beneath it, and the pressure sensor in the line.

The cell: buoyancy, evaporation, immersion, zero and sensitivity, low-pass, noise. The low-pass is advanced in closed
form along the fluid's own exponentials. Not responsible for taring, rounding to the readability or words on a wire:
the instrument is.
"""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

from rig.clock import NS_PER_S, SimClock
from rig.virtual.air import RoomAir
from rig.virtual.fluid import FlowBetweenEvents, FluidPath
from rig.virtual.noise import Wander, normal, occasional, stream
from rig.virtual.parameters import GaugeParameters, WeighingParameters

WEIGHT_DENSITY_KG_PER_M3 = 8000.0
"""Density of the weights that adjusted the balance, by convention (ISO 8655-6; OIML D 28)."""

_NS_PER_H = 3600 * NS_PER_S
_DENSITY_EVERY_NS = 60 * NS_PER_S
"""For so long what is delivered has one density: the room's temperature changes by less than 0.01 K meanwhile."""


def water_density_kg_per_m3(temperature_c: float) -> float:
    """The density of water in kg/m³ at 0–40 °C (Tanaka et al., Metrologia 38 (2001) 301, equation 1)."""
    t = temperature_c
    return 999.974950 * (1.0 - (t - 3.983035) ** 2 * (t + 301.797) / (522528.9 * (t + 69.34881)))


def air_density_kg_per_m3(temperature_c: float, pressure_hpa: float, relative_humidity: float) -> float:
    """The density of air in kg/m³ (Spieweck and Bettin, as in ISO/TR 20461 and ISO 8655-6)."""
    t = temperature_c
    return (0.34844 * pressure_hpa - relative_humidity * (0.252 * t - 2.0582)) / (273.15 + t)


def fading_response(t_s: float, filter_s: float, decay_per_s: float) -> tuple[float, float]:
    """What two equal lags in series, at rest at t = 0, make of exp(−decay t): outputs of the first and the second.

    With a = t/T and z = a − decay t these are a e⁻ᵃ φ₁(z) and a² e⁻ᵃ φ₂(z), φ₁ = (eᶻ − 1)/z, φ₂ = (eᶻ − 1 − z)/z²
    (variation of constants; φ of exponential integrators: Hochbruck and Ostermann, Acta Numerica 19 (2010) 209, 2.1),
    which are smooth where the time constants meet.
    """
    a = t_s / filter_s
    z = a - decay_per_s * t_s
    if z > 1.0:  # eᶻ may overflow where its product with e⁻ᵃ does not
        faded, settled = math.exp(-decay_per_s * t_s), math.exp(-a)
        ratio = a / z
        return ratio * (faded - settled), ratio * ratio * (faded - settled - z * settled)
    weight = a * math.exp(-a)
    if abs(z) < 0.01:
        tail = 0.5 + z * (1 / 6 + z * (1 / 24 + z * (1 / 120 + z * (1 / 720 + z / 5040))))
        return weight * (1.0 + z * tail), weight * a * tail
    first = math.expm1(z) / z
    return weight * first, weight * a * (first - 1.0) / z


class Span(NamedTuple):
    """The low-pass from one event of the fluid to the next: all masses in g.

    At its start, `delivered_g` has been delivered and the two stages lag behind it by `first_g` and `second_g`.
    """

    flow: FlowBetweenEvents
    g_per_ul: float
    delivered_g: float
    first_g: float
    second_g: float

    def delivered_at(self, at_ns: int) -> float:
        """The mass delivered, in g."""
        return self.delivered_g + self.g_per_ul * (self.flow.delivered_at(at_ns) - self.flow.delivered_ul)

    def stages_at(self, at_ns: int, filter_s: float) -> tuple[float, float]:
        """The outputs of the two stages in g, relative to `delivered_g`."""
        flow = self.flow
        t = (at_ns - flow.start_ns) / NS_PER_S
        a = t / filter_s
        settled = math.exp(-a)
        rate, fading = self.g_per_ul * flow.steady_ul_per_s, self.g_per_ul * flow.fading_ul
        first = -self.first_g * settled
        second = -(self.second_g + self.first_g * a) * settled
        if fading != 0.0:
            first_lag, second_lag = fading_response(t, filter_s, flow.decay_per_s)
            first += fading * (1.0 - settled - first_lag)
            second += fading * (1.0 - (1.0 + a) * settled - second_lag)
        if rate != 0.0:
            first += rate * (t - filter_s * (1.0 - settled))
            second += rate * (t - 2.0 * filter_s + (2.0 * filter_s + t) * settled)
        return first, second


class WeighingCell:
    """What the balance's cell indicates at the present moment.

    Its sensitivity is the device's. Reading noise and the wander of zero are the occasion's: no two last alike, and the
    zero was set anew.
    """

    def __init__(
        self,
        clock: SimClock,
        fluid: FluidPath,
        room: RoomAir,
        parameters: WeighingParameters,
        seed: int,
        occasion: str = "",
    ) -> None:
        self._clock = clock
        self._room = room
        self._parameters = p = parameters
        self._noise = occasional(seed, "balance noise", occasion)
        self._zero = Wander(occasional(seed, "balance zero", occasion))
        self._gain = 1.0 + 1e-6 * p.sensitivity_error_ppm * normal(stream(seed, "balance sensitivity"), 0)
        self._adjusted_c = room.now()[0]
        self._immersion = 1.0 / (1.0 - (p.tube_diameter_mm / p.vessel_bore_mm) ** 2)
        self._update_ns = max(1, round(p.update_s * NS_PER_S))
        self._window_ns = round(p.stability_window_s * NS_PER_S)
        self._density_slot, self._g_per_ul = -1, 0.0
        self._load_g = 0.0
        self._spans = deque([Span(fluid.flow, self._density(clock.now_ns), 0.0, 0.0, 0.0)])
        fluid.follow(self._begin)

    def weigh(self) -> tuple[float, bool]:
        """The indication in g, and whether it has kept still for long enough to be called stable.

        Indication = (1 + s) Σ m (1 − ρa/ρ)/(1 − ρa/8000) + warm-up + zero + noise, over glass, water
        and load (ISO 8655-6).
        """
        p, now_ns = self._parameters, self._clock.now_ns
        now_s = now_ns / NS_PER_S
        air = self._room.at(now_s)
        lift = air_density_kg_per_m3(*air)
        filtered_g = self._filtered_at(self._spans[-1], now_ns)
        water_g = p.water_at_start_g + (filtered_g - self._evaporated_g(now_ns)) * self._immersion
        force_g = p.vessel_g * (1.0 - lift / p.vessel_density_kg_per_m3)
        force_g += water_g * (1.0 - lift / water_density_kg_per_m3(air[0]))
        gain = self._gain + 1e-6 * p.sensitivity_drift_ppm_per_k * (air[0] - self._adjusted_c)
        force_g += self._load_g * (1.0 - lift / WEIGHT_DENSITY_KG_PER_M3)
        shown_g = gain * force_g / (1.0 - lift / WEIGHT_DENSITY_KG_PER_M3)
        if p.warm_up_g:
            shown_g += p.warm_up_g * math.exp(-now_s / p.warm_up_s)
        shown_g += p.zero_wander_g * self._zero.at(now_s) + p.noise_g * normal(self._noise, now_ns // self._update_ns)
        return shown_g, self._range_g(filtered_g, now_ns) <= p.stability_range_g

    def place(self, load_g: float) -> None:
        """Put a mass of weights of 8000 kg/m³ beside the vessel, 0 takes it off; it has settled when hands are off."""
        self._load_g = load_g

    def true_mass_g(self) -> float:
        """The mass of vessel and water in g: what a perfect balance would show in vacuum, at once."""
        now_ns = self._clock.now_ns
        p = self._parameters
        return p.vessel_g + p.water_at_start_g + self.delivered_g() - self._evaporated_g(now_ns)

    def delivered_g(self) -> float:
        """The mass in g that has come from the needle."""
        return self._spans[-1].delivered_at(self._clock.now_ns)

    def evaporated_g(self) -> float:
        """The mass in g that has evaporated from the vessel since time 0; no more than there is."""
        return self._evaporated_g(self._clock.now_ns)

    # ---- the equations ----------------------------------------------------------------------------------------

    def _evaporated_g(self, now_ns: int) -> float:
        lost_g = 1e-3 * self._parameters.evaporation_mg_per_h * now_ns / _NS_PER_H
        if lost_g <= self._parameters.water_at_start_g:
            return lost_g
        available_g = self._parameters.water_at_start_g + self._spans[-1].delivered_at(now_ns)
        return min(lost_g, max(available_g, 0.0))

    def _begin(self, flow: FlowBetweenEvents) -> None:
        """Begin a new span where the fluid begins a new flow."""
        at_ns, spans = flow.start_ns, self._spans
        last = spans[-1]
        delivered_g = last.delivered_at(at_ns)
        first, second = last.stages_at(at_ns, self._parameters.filter_s)
        reached_g = delivered_g - last.delivered_g
        if last.flow.start_ns == at_ns:
            spans.pop()
        spans.append(Span(flow, self._density(at_ns), delivered_g, reached_g - first, reached_g - second))
        while len(spans) > 1 and spans[1].flow.start_ns <= at_ns - self._window_ns:
            spans.popleft()

    def _density(self, at_ns: int) -> float:
        """The density in g/µL of what is delivered at `at_ns`: the slot of time decides, not who asks when."""
        slot = at_ns // _DENSITY_EVERY_NS
        if slot != self._density_slot:
            temperature_c = self._room.temperature_c(slot * _DENSITY_EVERY_NS / NS_PER_S)
            self._density_slot, self._g_per_ul = slot, 1e-6 * water_density_kg_per_m3(temperature_c)
        return self._g_per_ul

    def _filtered_at(self, span: Span, at_ns: int) -> float:
        return span.delivered_g + span.stages_at(at_ns, self._parameters.filter_s)[1]

    def _range_g(self, filtered_g: float, now_ns: int) -> float:
        """The range of the low-pass output over the stability window, from its ends and the events within."""
        start_ns = now_ns - self._window_ns
        lowest = highest = filtered_g
        for span in reversed(self._spans):
            begun_ns = span.flow.start_ns
            value_g = span.delivered_g - span.second_g
            if begun_ns < start_ns:
                value_g = self._filtered_at(span, start_ns)
            lowest, highest = min(lowest, value_g), max(highest, value_g)
            if begun_ns <= start_ns:
                break
        return highest - lowest


class PressureGauge:
    """What the pressure sensor in the line reads, in kPa, with its zero and sensitivity errors and noise.

    Zero and sensitivity are the device's, the noise is the occasion's.
    """

    def __init__(
        self, clock: SimClock, fluid: FluidPath, parameters: GaugeParameters, seed: int, occasion: str = ""
    ) -> None:
        self._clock = clock
        self._fluid = fluid
        self._offset_kpa = parameters.offset_kpa * normal(stream(seed, "gauge offset"), 0)
        self._gain = 1.0 + 0.01 * parameters.span_error_percent * normal(stream(seed, "gauge span"), 0)
        self._noise_kpa = parameters.noise_kpa
        self._noise = occasional(seed, "gauge noise", occasion)

    def read_kpa(self) -> float:
        """The gauge pressure in kPa; the noise is that of the present millisecond."""
        noise_kpa = self._noise_kpa * normal(self._noise, self._clock.now_ns // 1_000_000)
        return self._gain * self._fluid.line_pressure_kpa() + self._offset_kpa + noise_kpa

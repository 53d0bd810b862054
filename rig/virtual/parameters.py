"""Parameters of the simulated world, with their sources. A bench file's [virtual.parameters] may change each.

Not responsible for the equations that use them.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ConfigDict

_STRICT = ConfigDict(extra="forbid")  # unknown keys in a bench file are refused


@dataclass(frozen=True)
class DriveParameters:
    """The pump's drive. Values of one device are drawn from the seed.

    Attributes:
        bias_sd_percent: SD of the per-device delivery error: ±5 % claims taken as k = 4 or so.
        pitch_error_percent: scale of the flow error that repeats with each screw turn. Assumption: a lead screw of
            the class ±12 µm in 0.8 mm pitch, 1.5 %.
        stick_slip_ul: mean volume by which the screw leads before the seal slips. What is withheld is uniform, so a
            0.25 µL dose scatters by about 0.8 of this: 0.03 µL gives 10 %, within the published 7–29 %.
        friction_n: greatest seal friction; 1–5 N is usual for syringe-like reservoirs. Assumption.
    """

    __pydantic_config__ = _STRICT

    bias_sd_percent: float = 1.0
    pitch_error_percent: float = 1.5
    stick_slip_ul: float = 0.03
    friction_n: float = 3.0


@dataclass(frozen=True)
class FluidParameters:
    """Reservoir, line and outlet.

    Attributes:
        reservoir_ul: what a full reservoir holds: 3 mL.
        compliance_ul_per_kpa: 0.1–0.5 published; 0.25 is one maker's 2.5 U missed at 100 kPa.
        resistance_kpa_s_per_ul: with the compliance a time constant of 4.5 s, so that about 11 % of 1 U in 40 s
            arrives after its planned end; 9–14 % published.
        back_pressure_kpa: pressure at the needle.
        head_m: height of the needle above the pump.
    """

    __pydantic_config__ = _STRICT

    reservoir_ul: float = 3000.0
    compliance_ul_per_kpa: float = 0.25
    resistance_kpa_s_per_ul: float = 18.0
    back_pressure_kpa: float = 0.0
    head_m: float = 0.0


@dataclass(frozen=True)
class WeighingParameters:
    """Vessel and balance of the class with 1 µg readability.

    Attributes:
        evaporation_mg_per_h: under a cover or oil film.
        noise_g: SD of single readings; 1.5–4 µg is the published repeatability of such balances.
        drift_g_per_h: scale of the zero's slow wander.
        sensitivity_error_ppm: scale of the deviation from the certificate.
        filter_s: time constant of the cell's low-pass; settling in 1.5–5 s is published.
        update_s: time between readings of the display.
        vessel_g: load at the start.
    """

    __pydantic_config__ = _STRICT

    evaporation_mg_per_h: float = 0.02
    noise_g: float = 2e-6
    drift_g_per_h: float = 2e-6
    sensitivity_error_ppm: float = 20.0
    filter_s: float = 0.8
    update_s: float = 0.1
    vessel_g: float = 8.0


@dataclass(frozen=True)
class AirParameters:
    """The room: means, and by how much they wander over hours."""

    __pydantic_config__ = _STRICT

    temperature_c: float = 21.5
    temperature_wander_c: float = 0.3
    pressure_hpa: float = 1008.0
    pressure_wander_hpa: float = 4.0
    relative_humidity: float = 0.48
    relative_humidity_wander: float = 0.03


@dataclass(frozen=True)
class GaugeParameters:
    """The pressure sensor: its offset's scale and the SD of a reading, for a 400 kPa range at 0.05 % FS."""

    __pydantic_config__ = _STRICT

    offset_kpa: float = 0.1
    noise_kpa: float = 0.03


@dataclass(frozen=True)
class VirtualParameters:
    """All of them."""

    __pydantic_config__ = _STRICT

    drive: DriveParameters = DriveParameters()
    fluid: FluidParameters = FluidParameters()
    weighing: WeighingParameters = WeighingParameters()
    air: AirParameters = AirParameters()
    gauge: GaugeParameters = GaugeParameters()

"""Parameters of the simulated world, with their sources. A bench file's [virtual.parameters] may change each.

"Assumption" marks a value without a published source; docs/virtual-bench-physics.md has the reasoning and the
references in full. Not responsible for the equations that use them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field

from rig.virtual.noise import between, normal, stream

_STRICT = ConfigDict(extra="forbid")  # unknown keys in a bench file are refused


def _rising(limits: tuple[float, float]) -> tuple[float, float]:
    if limits[0] > limits[1]:
        raise ValueError("the lowest comes first, then the highest")
    return limits


LARGEST = 1e6
"""Beyond it no number of these is anything but a slip of the pen, and the world's sums would overflow. The house's."""
Finite = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-LARGEST, le=LARGEST)]
Positive = Annotated[Finite, Field(gt=0)]
NotNegative = Annotated[Finite, Field(ge=0)]
Share = Annotated[Finite, Field(ge=0, le=1)]
Range = Annotated[tuple[NotNegative, NotNegative], AfterValidator(_rising)]
"""Lowest and highest: each device has a value between, drawn from the seed."""


@dataclass(frozen=True)
class DriveParameters:
    """The pump's drive. One seed is one device, with values of its own.

    Attributes:
        bias_sd_percent: SD over devices of the delivery error that never changes. Makers claim ±5 % for every device,
            here taken as five SD. Assumption.
        pitch_error_um: amplitude of the displacement error that repeats with each screw turn. The wobble V2πp of ISO
            3408-3 ball screws of grades 1 to 5 is 4–8 µm from crest to trough (not checked against a copy); at 0.8 mm
            a turn that is a flow error of 1.6–3.1 %.
        drift_percent: amplitude of the flow error that changes over tens of U: the bore of a moulded barrel is true to
            some ±0.03 mm of 11.3 mm, which is 0.5 % of its area. Assumption.
        drift_wavelength_ul: stroke, as a volume, in which that error repeats. Assumption: 20–100 U.
        pulse_noise_percent: SD of a 0.25 µL pulse that stick-slip of the plunger causes: 7–29 % of a stroke measured
            by weighing (range of the published values; Bowen and Allender, Eur Endocrinol 12 (2016) 79, for two pumps).
        friction_n: friction of the sliding plunger. Some N for siliconised barrels (of the order in Rathore et al.,
            PDA J 65 (2011) 468). Assumption.
        stiffness_n_per_ul: force by which the drive yields 1 µL, 10 µm of stroke: 1 N/µm. Assumption.
    """

    __pydantic_config__ = _STRICT

    bias_sd_percent: NotNegative = 1.0
    pitch_error_um: Range = (2.0, 4.0)
    drift_percent: Range = (0.0, 0.5)
    drift_wavelength_ul: Annotated[tuple[Positive, Positive], AfterValidator(_rising)] = (200.0, 1000.0)
    pulse_noise_percent: Range = (7.0, 29.0)
    friction_n: NotNegative = 2.0
    stiffness_n_per_ul: Positive = 10.0


@dataclass(frozen=True)
class SeededPump:
    """What the seed made of one pump. Ground truth for tests and coverage studies; no instrument sees it."""

    bias_percent: float
    pitch_error_um: float
    drift_percent: float
    drift_wavelength_ul: float
    pulse_noise_percent: float


def draw_device(parameters: DriveParameters, seed: int) -> SeededPump:
    """Draw the values of one device from its seed."""
    key = stream(seed, "device")
    return SeededPump(
        bias_percent=parameters.bias_sd_percent * normal(key, 0),
        pitch_error_um=between(key, 1, parameters.pitch_error_um),
        drift_percent=between(key, 2, parameters.drift_percent),
        drift_wavelength_ul=between(key, 3, parameters.drift_wavelength_ul),
        pulse_noise_percent=between(key, 4, parameters.pulse_noise_percent),
    )


@dataclass(frozen=True)
class FluidParameters:
    """Reservoir, line and outlet.

    Attributes:
        reservoir_ul: content at the start, 3 mL = 300 U: the full stroke (board page, drive train).
        compliance_ul_per_kpa: volume that line and reservoir yield. 0.1–0.5 published; 0.25 is one maker's 2.5 U missed
            at an alarm pressure of 100 kPa.
        air_bubble_ul: air in the line, at atmospheric pressure; yields V/101.325 kPa more. None in a primed line.
        resistance_kpa_s_per_ul: of line and cannula. With the compliance a time constant of 4.5 s: of 1 U that takes
            40 s (1.5 U/min, a standard bolus speed) (τ/T)(1 − exp(−T/τ)) = 11 % arrives after its planned end; 9–14 %
            is published. It is Poiseuille's resistance of 0.8 m of tubing of 0.2 mm bore.
        back_pressure_kpa: gauge pressure at the needle.
        head_m: height of the needle above the pump.
    """

    __pydantic_config__ = _STRICT

    reservoir_ul: Annotated[Finite, Field(ge=0, le=3000)] = 3000.0
    compliance_ul_per_kpa: Positive = 0.25
    air_bubble_ul: NotNegative = 0.0
    resistance_kpa_s_per_ul: Positive = 18.0
    back_pressure_kpa: Finite = 0.0
    head_m: Finite = 0.0


@dataclass(frozen=True)
class WeighingParameters:
    """Vessel, and balance of the class with 1 µg readability and 22 g capacity.

    Attributes:
        vessel_g: mass of the empty vessel. Assumption: a small weighing bottle with its lid.
        vessel_density_kg_per_m3: borosilicate glass 3.3 (ISO 3585: 2.23 g/cm³).
        vessel_bore_mm: inner diameter of the vessel. Assumption.
        water_at_start_g: water in the vessel at the start, so that the outlet is wet. Assumption.
        tube_diameter_mm: outer diameter of a delivery tube that dips into the water: its rising immersion is weighed
            too. 0: the outlet touches the wall instead, nothing dips in.
        evaporation_mg_per_h: loss through a lid. Stefan diffusion through a hole 0.5 mm wide and 10 mm long at 21.5 °C
            and 48 % humidity outside; an open vessel of 20 mm loses 12–31 mg/h.
        noise_g: SD of single readings; repeatability of such balances is 1.5–4 µg by their data sheets.
        zero_wander_g: by how much the zero wanders over hours. Assumption.
        warm_up_g: by how much the zero is off at time 0 because the balance is still cold. None in one left on.
        warm_up_s: time constant with which that fades. Assumption; manuals ask for hours before the first weighing.
        sensitivity_error_ppm: SD over devices of the deviation from the certificate. Assumption, a fifth of the 0.01 %
            that a bench file may claim.
        sensitivity_drift_ppm_per_k: change of sensitivity with temperature since adjustment; of the order that data
            sheets of such balances state.
        filter_s: time constant of each of the two stages of the cell's low-pass. After a load of 1 g the residual is
            1 µg at 16.7 of them: with 0.2 s that is a settling time of 3.5 s, amid the 1.5–5 s of data sheets.
        update_s: time between readings of the display: 10 a second.
        stability_window_s: for so long the reading must have kept still to be called stable. Assumption.
        stability_range_g: so still: five digits. Assumption.
    """

    __pydantic_config__ = _STRICT

    vessel_g: NotNegative = 8.0
    vessel_density_kg_per_m3: Positive = 2230.0
    vessel_bore_mm: Positive = 15.0
    water_at_start_g: NotNegative = 2.0
    tube_diameter_mm: NotNegative = 0.0
    evaporation_mg_per_h: NotNegative = 0.02
    noise_g: NotNegative = 2e-6
    zero_wander_g: NotNegative = 2e-6
    warm_up_g: Finite = 0.0
    warm_up_s: Positive = 1800.0
    sensitivity_error_ppm: NotNegative = 20.0
    sensitivity_drift_ppm_per_k: Finite = 1.0
    filter_s: Positive = 0.2
    update_s: Positive = 0.1
    stability_window_s: NotNegative = 1.5
    stability_range_g: Positive = 5e-6

    def __post_init__(self) -> None:
        """Refuse a tube that does not fit into the vessel; ValueError."""
        if self.tube_diameter_mm >= self.vessel_bore_mm:
            raise ValueError(f"tube_diameter_mm must be less than vessel_bore_mm, {self.vessel_bore_mm:g}")


@dataclass(frozen=True)
class AirParameters:
    """The room: means, and by how much they wander over hours. Assumptions: an air-conditioned laboratory.

    Ordinary weather changes the pressure by some hPa in a day.
    """

    __pydantic_config__ = _STRICT

    temperature_c: Annotated[Finite, Field(ge=-40, le=60)] = 21.5
    temperature_wander_c: NotNegative = 0.3
    pressure_hpa: Annotated[Finite, Field(ge=500, le=1100)] = 1008.0
    pressure_wander_hpa: NotNegative = 4.0
    relative_humidity: Share = 0.48
    relative_humidity_wander: Share = 0.03


@dataclass(frozen=True)
class GaugeParameters:
    """The pressure sensor in the line.

    Attributes:
        offset_kpa: SD over devices of the zero error: an error band of ±0.05 % of 400 kPa (KELLER data sheet, series
            33X; not checked against a copy) taken as two SD.
        span_error_percent: SD over devices of the sensitivity error: likewise.
        noise_kpa: SD of a reading: the resolution of 0.002 % of 400 kPa (the same data sheet).
    """

    __pydantic_config__ = _STRICT

    offset_kpa: NotNegative = 0.1
    span_error_percent: NotNegative = 0.025
    noise_kpa: NotNegative = 0.008


@dataclass(frozen=True)
class SoundParameters:
    """What a microphone hears and a pickup feels beside the pump, in V at the recorder's inputs.

    Assumptions, but for what has a source.

    Attributes:
        pitch_hz: fundamental of the buzzer, which has an oscillator of its own: of IEC 60601-1-8's 150–1000 Hz.
        partials_db: levels of its harmonics against the fundamental, from the second on; the standard asks for four
            within ±15 dB.
        buzzer_v: amplitude of the fundamental.
        swell_s: in which it rises in a straight line, and falls: 15 % of a pulse of 100 ms, amid the 10–20 % that
            generators of such sounds keep.
        room_v: SD of the room's noise at the microphone, white up to half of the rate.
        hum_v: amplitude of the mains' 50 Hz at the microphone; its third harmonic has a third of it.
        vibration_hz: rotation of the vibrator; small coin motors have 150–250 Hz.
        vibrator_v: its amplitude at the pickup.
        spin_s: in which it comes to speed, and stops; 30–100 ms are usual.
        pickup_v: SD of the pickup's noise.
        leak: share of the buzzer that the pickup hears, and of the vibrator that the microphone hears.
        amplifier_hz: above, the microphone's amplifier lets nothing through, so that nothing folds down.
    """

    __pydantic_config__ = _STRICT

    pitch_hz: Annotated[tuple[Positive, Positive], AfterValidator(_rising)] = (440.0, 560.0)
    partials_db: tuple[Finite, ...] = (-3.0, -6.0, -8.0, -10.0, -13.0)
    buzzer_v: NotNegative = 0.1
    swell_s: Positive = 0.015
    room_v: NotNegative = 0.001
    hum_v: NotNegative = 0.002
    vibration_hz: Annotated[tuple[Positive, Positive], AfterValidator(_rising)] = (170.0, 190.0)
    vibrator_v: NotNegative = 0.5
    spin_s: Positive = 0.040
    pickup_v: NotNegative = 0.002
    leak: Share = 0.005
    amplifier_hz: Positive = 4500.0


@dataclass(frozen=True)
class VirtualParameters:
    """All of them."""

    __pydantic_config__ = _STRICT

    drive: DriveParameters = DriveParameters()
    fluid: FluidParameters = FluidParameters()
    weighing: WeighingParameters = WeighingParameters()
    air: AirParameters = AirParameters()
    gauge: GaugeParameters = GaugeParameters()
    sound: SoundParameters = SoundParameters()

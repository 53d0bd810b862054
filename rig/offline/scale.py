"""From a log's masses to volumes: density, evaporation, and the uncertainty, as far as somebody said it.

Not responsible for the formulas (`rig.analysis`, `rig.procedures.volume`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rig.analysis.gravimetry import MG_PER_G, corrected_volume_ul, evaporated_mg, z_factor_ul_per_mg
from rig.analysis.uncertainty import K
from rig.offline.findings import Finding
from rig.offline.log import BalanceLog, FloatArray
from rig.procedures.volume import VolumeScale
from rig.record.analyses import Evaporation
from rig.roles import Air, Metrology
from rig.units import u_from_ul

STANDARD_DENSITY_G_PER_ML = 0.998
"""IEC 60601-2-24 (method): density of water when nothing else is known; leaves out the buoyancy of air."""


@dataclass(frozen=True)
class Weighing:
    """What is known of the weighing; None where nobody said. Uncertainties u are standard.

    Attributes:
        air: the air at the balance, for the Z factor.
        evaporation_g_per_h: what the vessel loses.
        u_evaporation_g_per_h: of that rate.
        repeatability_g, readability_g, u_calibration_percent: of the balance.
        blank_wander_g, blank_wander_g_per_h: of the vessel (docs/uncertainty.md), between moments far apart and in 1 h.
    """

    air: Air | None = None
    evaporation_g_per_h: float | None = None
    u_evaporation_g_per_h: float | None = None
    repeatability_g: float | None = None
    readability_g: float | None = None
    u_calibration_percent: float | None = None
    blank_wander_g: float | None = None
    blank_wander_g_per_h: float | None = None


@dataclass(frozen=True)
class FlowMeter:
    """What is known of a flow meter, as standard uncertainties; None where nobody said.

    Attributes:
        u_calibration_percent: of its sensitivity.
        u_zero_ul_per_h: of its zero.
    """

    u_calibration_percent: float | None = None
    u_zero_ul_per_h: float | None = None


@dataclass(frozen=True)
class Scale:
    """How masses of this log become volumes.

    Attributes:
        weighing: what is known of the weighing.
        is_volume: the log holds volumes, or flows that were integrated.
        meter: of a log of flows; None for others.
        loss: what stands on the pan is what the pump delivers from, so evaporation counts the other way.
    """

    weighing: Weighing
    is_volume: bool
    meter: FlowMeter | None = None
    loss: bool = False

    @cached_property
    def z_ul_per_mg(self) -> float:
        """Volume in µL of what the balance shows as 1 mg; 1 for logs that hold volumes."""
        air = self.weighing.air
        if self.is_volume:
            return 1.0
        if air is None:
            return 1.0 / STANDARD_DENSITY_G_PER_ML
        return float(z_factor_ul_per_mg(air.temperature_c, air.pressure_hpa, air.relative_humidity))

    @property
    def density_g_per_ml(self) -> float:
        """Apparent density in air, 1/Z."""
        return 1.0 / self.z_ul_per_mg

    @property
    def evaporation_g_per_h(self) -> float:
        """What is added back, below 0 for a reservoir on the pan; 0 when nobody said."""
        return (self.weighing.evaporation_g_per_h or 0.0) * (-1.0 if self.loss else 1.0)

    @property
    def evaporation(self) -> Evaporation | None:
        """Evaporation and its standard uncertainty in mg/h as a bench run records it; None when one is not known."""
        known = self.weighing
        if known.evaporation_g_per_h is None or known.u_evaporation_g_per_h is None:
            return None
        return Evaporation(
            rate_mg_per_h=self.evaporation_g_per_h * MG_PER_G, u_mg_per_h=known.u_evaporation_g_per_h * MG_PER_G
        )

    def dry_mass_g(self, log: BalanceLog) -> FloatArray:
        """The masses in g as they would be without evaporation, shape (n,)."""
        dry: FloatArray = log.mass_g + evaporated_mg(log.at_s, self.evaporation_g_per_h * MG_PER_G) / MG_PER_G
        return dry

    def volume_ul(self, log: BalanceLog) -> FloatArray:
        """The volume in µL delivered since the first sample, shape (n,)."""
        return corrected_volume_ul(
            log.at_s,
            log.mass_g,
            z_ul_per_mg=self.z_ul_per_mg,
            evaporation_mg_per_h=self.evaporation_g_per_h * MG_PER_G,
        )

    @cached_property
    def unsaid(self) -> tuple[str, ...]:
        """The flags that an uncertainty would need and nobody gave."""
        known = self.weighing
        flags = {
            "--repeatability": known.repeatability_g,
            "--readability": known.readability_g,
            "--calibration": known.u_calibration_percent,
            "--evaporation": known.evaporation_g_per_h,
            "--evaporation-u": known.u_evaporation_g_per_h,
            "--air-temperature and --air-pressure": known.air,
        }
        return tuple(flag for flag, value in flags.items() if value is None)

    @cached_property
    def bench_scale(self) -> VolumeScale | None:
        """The scale of a bench with the same declarations; None when some are missing or the log holds volumes."""
        known = self.weighing
        if self.is_volume or known.air is None or self.unsaid:
            return None
        assert known.repeatability_g is not None
        assert known.readability_g is not None
        assert known.u_calibration_percent is not None
        assert known.u_evaporation_g_per_h is not None
        metrology = Metrology(
            balance_repeatability_g=known.repeatability_g,
            balance_readability_g=known.readability_g,
            balance_calibration_percent=known.u_calibration_percent,
            evaporation_g_per_h=self.evaporation_g_per_h,
            evaporation_uncertainty_g_per_h=known.u_evaporation_g_per_h,
            pressure_expanded_uncertainty_kpa=np.nan,
            temperature_band_c=(known.air.temperature_c, known.air.temperature_c),
            humidity_band=(known.air.relative_humidity, known.air.relative_humidity),
            blank_wander_g=known.blank_wander_g or 0.0,
            blank_wander_g_per_h=known.blank_wander_g_per_h or 0.0,
        )
        return VolumeScale.in_air(metrology, known.air)

    def expanded_uncertainty_u(self, insulin_u: float, duration_s: float) -> float | None:
        """Give U in insulin units of a volume from two weighings `duration_s` apart; None when it is not known.

        Of a flow meter (k = 2): its sensitivity counts with the volume, its zero with the time (JCGM 100:2008, 5.1.2).
        """
        if self.meter is not None:
            return self._metered_u(insulin_u, duration_s)
        scale = self.bench_scale
        return scale.expanded_uncertainty_u(insulin_u, duration_s) if scale is not None else None

    def _metered_u(self, insulin_u: float, duration_s: float) -> float | None:
        meter = self.meter
        if meter is None or meter.u_calibration_percent is None or meter.u_zero_ul_per_h is None:
            return None
        zero_u = u_from_ul(meter.u_zero_ul_per_h * duration_s / 3600.0)
        return K * math.hypot(meter.u_calibration_percent / 100.0 * insulin_u, zero_u)

    def findings(self) -> list[Finding]:
        """Say what was assumed where nobody said anything."""
        if self.meter is not None:
            if self.meter.u_calibration_percent is not None and self.meter.u_zero_ul_per_h is not None:
                return []
            return [
                Finding(
                    "uncertainty",
                    "The uncertainty is not known: a flow meter's needs --flow-calibration and --flow-zero.",
                )
            ]
        if self.is_volume:
            return [Finding("uncertainty", "The uncertainty is not known: the log holds volumes, not weighings.")]
        found = []
        if self.weighing.air is None:
            found.append(
                Finding(
                    "density",
                    f"Nothing is said of the air: the density is {STANDARD_DENSITY_G_PER_ML:g} g/mL, the value of IEC "
                    "60601-2-24, which leaves out the buoyancy of air (0.084 % at 20 °C and 1013 hPa).",
                )
            )
        if self.weighing.evaporation_g_per_h is None:
            found.append(Finding("evaporation", "Nothing is said of evaporation: the masses are not corrected for it."))
        if self.unsaid:
            found.append(
                Finding("uncertainty", f"The uncertainty is not known: it needs {', '.join(self.unsaid)} as well.")
            )
        elif self.weighing.blank_wander_g is None:
            found.append(
                Finding(
                    "uncertainty",
                    "Nothing is said of how the vessel's blank wanders (--blank-wander): U has no part for what the "
                    "weather does to its buoyancy.",
                )
            )
        return found

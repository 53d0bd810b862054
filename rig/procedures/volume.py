"""From the balance's readings to delivered volume on this bench: its air, evaporation, immersed tube, uncertainty.

Not responsible for the formulas, which are in `rig.analysis`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rig.analysis.budget import Budget
from rig.analysis.gravimetry import corrected_volume_ul, z_factor_ul_per_mg
from rig.analysis.uncertainty import (
    WeighingUncertainty,
    delivered_volume,
    u_z_factor_ul_per_mg,
)
from rig.record.analyses import Evaporation
from rig.record.taking import Series
from rig.roles import Air, Metrology
from rig.units import u_from_ul, ul_from_u

U_TEMPERATURE_C, U_PRESSURE_HPA, U_RELATIVE_HUMIDITY = 0.5, 5.0, 0.05
"""Standard uncertainties of the air over a test that reads it at its start: how far a room in its band wanders, and
the water's temperature differs from the air's. Assumption; together 0.01 % of a volume."""


@dataclass(frozen=True)
class VolumeScale:
    """How many µL a mg on this balance is, and how well that is known.

    `z_factor_ul_per_mg` is that of ISO 8655-6 in this air, with its standard uncertainty.
    """

    z_factor_ul_per_mg: float
    u_z_factor_ul_per_mg: float
    metrology: Metrology

    @classmethod
    def in_air(cls, metrology: Metrology, air: Air) -> VolumeScale:
        """The scale of a bench that declares `metrology`, in this air."""
        z = z_factor_ul_per_mg(air.temperature_c, air.pressure_hpa, air.relative_humidity)
        u_z = u_z_factor_ul_per_mg(
            air.temperature_c,
            air.pressure_hpa,
            air.relative_humidity,
            u_temperature_c=U_TEMPERATURE_C,
            u_pressure_hpa=U_PRESSURE_HPA,
            u_relative_humidity=U_RELATIVE_HUMIDITY,
        )
        return cls(float(z), u_z, metrology)

    @property
    def z_ul_per_mg(self) -> float:
        """Volume in µL delivered for each mg that this balance shows: Z, and 1 − d²/D² where a tube dips in."""
        return self.z_factor_ul_per_mg * self.metrology.immersion_factor

    def delivered_u(self, readings: Series) -> NDArray[np.float64]:
        """The insulin units delivered since the first reading, evaporation and immersion corrected, shape (n,)."""
        volume_ul = corrected_volume_ul(
            readings.at_s,
            readings.mass_g,
            z_ul_per_mg=self.z_factor_ul_per_mg,
            evaporation_mg_per_h=self.metrology.evaporation_g_per_h * 1e3,
            immersion=self.metrology.immersion_factor,
        )
        delivered: NDArray[np.float64] = u_from_ul(1.0) * volume_ul
        return delivered

    def dry_mass_g(self, readings: Series) -> NDArray[np.float64]:
        """The masses in g as they would be without evaporation, shape (n,)."""
        hours = (readings.at_s - readings.at_s[0]) / 3600.0
        dry: NDArray[np.float64] = readings.mass_g + self.metrology.evaporation_g_per_h * hours
        return dry

    @property
    def density_g_per_ml(self) -> float:
        """Mass that this balance shows for each mL delivered, in g: 1/Z, more where a tube dips in."""
        return 1.0 / self.z_ul_per_mg

    @property
    def evaporation(self) -> Evaporation:
        """The evaporation that it corrects for and its standard uncertainty, for the record."""
        m = self.metrology
        return Evaporation(
            rate_mg_per_h=m.evaporation_g_per_h * 1e3, u_mg_per_h=m.evaporation_uncertainty_g_per_h * 1e3
        )

    @property
    def reading_u(self) -> float:
        """Standard uncertainty in U of one reading of the balance by itself: repeatability and readability."""
        m = self.metrology
        reading_g = math.hypot(m.balance_repeatability_g, m.balance_readability_g / math.sqrt(12.0))
        return u_from_ul(reading_g * 1e3 * self.z_ul_per_mg)

    @property
    def weighing(self) -> WeighingUncertainty:
        """What is known of balance, vessel, tube and Z."""
        m = self.metrology
        return WeighingUncertainty(
            repeatability_g=m.balance_repeatability_g,
            readability_g=m.balance_readability_g,
            u_calibration_percent=m.balance_calibration_percent,
            evaporation_mg_per_h=m.evaporation_g_per_h * 1e3,
            u_evaporation_mg_per_h=m.evaporation_uncertainty_g_per_h * 1e3,
            u_z_ul_per_mg=self.u_z_factor_ul_per_mg,
            blank_wander_g=m.blank_wander_g,
            blank_wander_g_per_h=m.blank_wander_g_per_h,
            immersion_factor=m.immersion_factor,
            u_immersion=m.immersion_uncertainty,
            evaporation_source=m.evaporation_source or "",
        )

    def expanded_uncertainty_u(self, insulin_u: float, duration_s: float) -> float:
        """U (k from the effective degrees of freedom) in U of a volume from two weighings `duration_s` apart."""
        return self.budget(insulin_u, duration_s).expanded

    def budget(
        self,
        insulin_u: float,
        duration_s: float,
        *,
        readings_averaged: int = 1,
    ) -> Budget:
        """The budget in U of a volume from two weighings `duration_s` apart, each a mean of so many readings."""
        hours = duration_s / 3600.0
        net_g = insulin_u * ul_from_u(1.0) / self.z_ul_per_mg * 1e-3 - self.metrology.evaporation_g_per_h * hours
        volume = delivered_volume(
            0.0,
            net_g,
            hours=hours,
            z_ul_per_mg=self.z_factor_ul_per_mg,
            uncertainty=self.weighing,
            readings_averaged=readings_averaged,
        )
        return volume.linear(u_from_ul(1.0), unit="U")

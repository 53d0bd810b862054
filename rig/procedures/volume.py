"""From the balance's readings to delivered volume on this bench: its air, its evaporation, its uncertainty.

Not responsible for the formulas, which are in `rig.analysis`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rig.analysis.gravimetry import corrected_volume_ul, z_factor_ul_per_mg
from rig.procedures.sampling import Series
from rig.roles import Air, Bench, Metrology
from rig.units import u_from_ul

K = 2.0
"""Coverage factor of expanded uncertainties (JCGM 100:2008, 6.3.3)."""


@dataclass(frozen=True)
class VolumeScale:
    """How many µL a mg on this balance is, and how well that is known."""

    z_ul_per_mg: float
    metrology: Metrology

    @classmethod
    def of(cls, bench: Bench, air: Air) -> VolumeScale:
        """Get the scale in the air at the balance."""
        z = z_factor_ul_per_mg(air.temperature_c, air.pressure_hpa, air.relative_humidity)
        return cls(float(z), bench.metrology)

    def delivered_u(self, readings: Series) -> NDArray[np.float64]:
        """Get the insulin units delivered since the first reading, corrected for evaporation, shape (n,)."""
        volume_ul = corrected_volume_ul(
            readings.at_s,
            readings.mass_g,
            z_ul_per_mg=self.z_ul_per_mg,
            evaporation_mg_per_h=self.metrology.evaporation_g_per_h * 1e3,
        )
        delivered: NDArray[np.float64] = u_from_ul(1.0) * volume_ul
        return delivered

    def dry_mass_g(self, readings: Series) -> NDArray[np.float64]:
        """Get the masses in g as they would be without evaporation, shape (n,)."""
        hours = (readings.at_s - readings.at_s[0]) / 3600.0
        dry: NDArray[np.float64] = readings.mass_g + self.metrology.evaporation_g_per_h * hours
        return dry

    @property
    def density_g_per_ml(self) -> float:
        """Apparent density in air: 1/Z."""
        return 1.0 / self.z_ul_per_mg

    def expanded_uncertainty_u(self, insulin_u: float, duration_s: float, *, readings_averaged: int = 1) -> float:
        """Get U (k = 2) in U of a volume from two weighings `duration_s` apart, each the mean of so many readings.

        u² = 2 s²/n + 2 d²/12 + (u_cal m)² + (u_e t)² (JCGM 100:2008, 5.1.2): repeatability s, readability d as a
        rectangular distribution, calibration of the sensitivity, evaporation.
        """
        m = self.metrology
        mass_g = abs(insulin_u) * 10.0 / self.z_ul_per_mg * 1e-3
        variance_g2 = (
            2.0 * m.balance_repeatability_g**2 / readings_averaged
            + 2.0 * m.balance_readability_g**2 / 12.0
            + (m.balance_calibration_percent / 100.0 * mass_g) ** 2
            + (m.evaporation_uncertainty_g_per_h * duration_s / 3600.0) ** 2
        )
        return K * math.sqrt(variance_g2) * 1e3 * self.z_ul_per_mg * u_from_ul(1.0)

"""A corrected volume series with its covariance, so that the uncertainty of any difference in it is right.

Not responsible for the values of its inputs, nor for a budget in rows (`uncertainty`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rig.analysis.checks import FloatArray, frozen, not_negative, timed_series
from rig.analysis.gravimetry import MG_PER_G, SECONDS_PER_HOUR, corrected_volume_ul


@dataclass(frozen=True, eq=False)
class VolumeSeries:
    """Delivered volume in µL since the first sample, with covariance Σ = u² I + Mᵀ M (low rank: O(n) to store).

    Attributes:
        at_s: (n,) times.
        volume_ul: (n,) volumes.
        u_reading_ul: standard uncertainty of each reading by itself (repeatability and readability).
        common_ul: (4, n) what errors common to all readings do to each volume, one standard deviation each: sensitivity
            of the balance, evaporation, Z factor, immersion of the tube.
    """

    at_s: FloatArray
    volume_ul: FloatArray
    u_reading_ul: float
    common_ul: FloatArray

    def covariance_ul2(self) -> FloatArray:
        """The covariance of the volumes since the first sample in µL², shape (n, n); O(n²) of memory.

        The first reading is subtracted from each volume, so its own error is common to all of them too.
        """
        size = self.volume_ul.size
        own = self.u_reading_ul**2 * (np.eye(size) + np.ones((size, size)))
        own[0, :] = own[:, 0] = 0.0
        covariance: FloatArray = own + self.common_ul.T @ self.common_ul
        return covariance

    def difference_ul(self, first: int, last: int) -> tuple[float, float]:
        """The volume in µL from sample `first` to sample `last` and its standard uncertainty."""
        common = self.common_ul[:, last] - self.common_ul[:, first]
        own = 2.0 * self.u_reading_ul**2 if first != last else 0.0
        volume = float(self.volume_ul[last] - self.volume_ul[first])
        return volume, float(np.sqrt(own + common @ common))


def volume_series(
    at_s: ArrayLike,
    mass_g: ArrayLike,
    *,
    z_ul_per_mg: float,
    u_z_ul_per_mg: float,
    u_reading_g: float,
    u_calibration_percent: float,
    evaporation_mg_per_h: float,
    u_evaporation_mg_per_h: float,
    immersion: float = 1.0,
    u_immersion: float = 0.0,
) -> VolumeSeries:
    """The corrected volume series in µL with its covariance (JCGM 102:2011, 6.2, first order).

    Args:
        at_s: (n,) times in s, rising.
        mass_g: (n,) readings in g.
        z_ul_per_mg: Z factor.
        u_z_ul_per_mg: its standard uncertainty.
        u_reading_g: of one reading, repeatability and readability together.
        u_calibration_percent: of the sensitivity of the balance.
        evaporation_mg_per_h: loss of the vessel.
        u_evaporation_mg_per_h: its standard uncertainty.
        immersion: `gravimetry.immersion_factor`.
        u_immersion: its standard uncertainty.

    Raises:
        ValueError: with a sentence, on input that is not the above.
    """
    times, mass = timed_series(at_s, "mass_g", mass_g)
    volume = corrected_volume_ul(
        times, mass, z_ul_per_mg=z_ul_per_mg, evaporation_mg_per_h=evaporation_mg_per_h, immersion=immersion
    )
    factor = z_ul_per_mg * immersion
    net = (mass - mass[0]) * MG_PER_G * factor
    hours = (times - times[0]) / SECONDS_PER_HOUR
    common = np.stack(
        [
            net * not_negative("u_calibration_percent", u_calibration_percent) / 100.0,
            hours * not_negative("u_evaporation_mg_per_h", u_evaporation_mg_per_h) * factor,
            volume * not_negative("u_z_ul_per_mg", u_z_ul_per_mg) / z_ul_per_mg,
            volume * not_negative("u_immersion", u_immersion) / immersion,
        ]
    )
    u_reading = not_negative("u_reading_g", u_reading_g) * MG_PER_G * factor
    return VolumeSeries(frozen(times.copy()), frozen(volume), u_reading, frozen(common))

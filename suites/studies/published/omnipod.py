"""The basal table of a published pump, and the drive whose parameters follow from its first-hour rows alone.

Omnipod 5 user guide: 12 units, no warm-up; median, least and most delivered after 1 h and 12 h. Not responsible for
simulating it (`experiment`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rig.units import ul_from_u
from rig.virtual.fluid import DOSE_UL, STEP_UL, STEPS_PER_TURN, UL_PER_UM
from rig.virtual.parameters import DriveParameters

UNITS = 12
DOSE_U = 0.05
RANGE_PER_SD = 3.258
"""Expected range of 12 normal values, in SD (d₂ of quality control; Tippett, Biometrika 17 (1925) 364)."""


@dataclass(frozen=True)
class Spread:
    """Median, least and most of what 12 units delivered, in U."""

    median_u: float
    least_u: float
    most_u: float

    @property
    def sd_u(self) -> float:
        """The SD over units that the range of 12 stands for, in U."""
        return (self.most_u - self.least_u) / RANGE_PER_SD


PUBLISHED = {
    (0.05, 1): Spread(0.049, 0.0, 0.12),
    (0.05, 12): Spread(0.59, 0.34, 0.99),
    (1.0, 1): Spread(0.99, 0.65, 1.55),
    (1.0, 12): Spread(11.88, 10.53, 13.26),
}
"""By rate in U/h and hours."""


def screw_sd_per_amplitude(volume_ul: float) -> float:
    """The SD of a volume delivered, over all phases, for a screw error of amplitude 1 that repeats each turn.

    A sine taken at two points V apart differs by 2 sin(π V/Λ) cos(…): SD √2 |sin(π V/Λ)|, Λ one turn as a volume.
    """
    return math.sqrt(2.0) * abs(math.sin(math.pi * volume_ul / (STEPS_PER_TURN * STEP_UL)))


def drive_of_first_hour() -> DriveParameters:
    """The drive whose spread over units after one hour is the published one, at 0.05 U/h and at 1 U/h.

    Two spreads, two parameters: s² = (c(V) a)² + n², a the root mean square amplitude of the screw error, n the scatter
    of a dose by stick-slip, which does not grow with the number of doses (docs/virtual-bench-physics.md). Amplitudes
    are spread evenly from none to √3 a over units. No bias and no slow drift. The 12-h rows are not looked at.
    """
    (small, small_ul), (large, large_ul) = (
        (ul_from_u(PUBLISHED[rate, 1].sd_u) ** 2, screw_sd_per_amplitude(ul_from_u(rate)) ** 2) for rate in (0.05, 1.0)
    )
    amplitude2 = (large - small) / (large_ul - small_ul)
    noise_ul = math.sqrt(small - small_ul * amplitude2)
    noise_percent = 100.0 * noise_ul / DOSE_UL
    return DriveParameters(
        bias_sd_percent=0.0,
        pitch_error_um=(0.0, math.sqrt(3.0 * amplitude2) / UL_PER_UM),
        drift_percent=(0.0, 0.0),
        pulse_noise_percent=(noise_percent, noise_percent),
    )

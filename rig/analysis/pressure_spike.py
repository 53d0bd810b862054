"""A spike of a pressure sensor: readings that jump off a line's pressure and back faster than any fluid could.

Not responsible for a sensor that shows one value for ever, nor for what a spike means for a measurement (procedures).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rig.analysis.checks import FloatArray, not_negative, timed_series

STIFFEST_UL_PER_KPA = 0.1
"""No infusion line takes up less for each kPa: published are 0.1 to 0.5 µL/kPa (docs/virtual-bench-physics.md)."""
LARGEST_DOSE_UL = 0.5
"""Pumps deliver basal insulin in doses of 0.05 U of U-100 or smaller; one may come between any two readings."""
SURE_SD = 10.0
"""Beyond so many SD of a reading its noise explains nothing."""
SPIKE_READINGS = 3
"""A spike lasts so many readings at most."""


@dataclass(frozen=True)
class PressureSpike:
    """A jump off and back of `jump_kpa` (above 0: up), from its first reading to the first that is back, in s."""

    from_s: float
    to_s: float
    jump_kpa: float


def pressure_spike(
    at_s: ArrayLike, pressure_kpa: ArrayLike, *, rate_ul_per_h: float, sd_kpa: float
) -> PressureSpike | None:
    """The first spike in kPa of a sensor on a line into which a pump pushes; None where there is none.

    Whatever takes up what is pushed, a pressure changes by (r Δt + V)/C at most between two readings, and in a line of
    the smallest compliance C; V is the dose that the programme r has not reckoned with. Readings of which the first is
    further than that, and `SURE_SD`, from the one before, and the last as far from the one after, on the same side, are
    a spike. A pressure that jumps and stays is a pump that pushes, and a line that opens: it is none.

    Args:
        at_s: (n,) times in s, rising, two or more.
        pressure_kpa: (n,) readings in kPa.
        rate_ul_per_h: programmed rate.
        sd_kpa: SD of a reading.

    Raises:
        ValueError: with a sentence, on input that is not the above.
    """
    times, pressure = timed_series(at_s, "pressure_kpa", pressure_kpa)
    pushed_ul = not_negative("rate_ul_per_h", rate_ul_per_h) / 3600.0 * np.diff(times) + LARGEST_DOSE_UL
    most_kpa = pushed_ul / STIFFEST_UL_PER_KPA + SURE_SD * not_negative("sd_kpa", sd_kpa)
    steps = np.diff(pressure)
    first: PressureSpike | None = None
    for lasts in range(1, min(SPIKE_READINGS, steps.size - 1) + 1):
        found = _jumps_back(times, steps, most_kpa, lasts)
        if found is not None and (first is None or found.from_s < first.from_s):
            first = found
    return first


def _jumps_back(times: FloatArray, steps: FloatArray, most_kpa: FloatArray, lasts: int) -> PressureSpike | None:
    """Find the first jump that is over after so many readings."""
    away, back = steps[:-lasts], steps[lasts:]
    beyond = (np.abs(away) > most_kpa[:-lasts]) & (np.abs(back) > most_kpa[lasts:]) & (away * back < 0.0)
    if not beyond.any():
        return None
    at = int(np.flatnonzero(beyond)[0])
    return PressureSpike(float(times[at + 1]), float(times[at + 1 + lasts]), float(steps[at]))

"""The single doses of a basal record: how far apart, how large, which were left out, or why nobody can tell.

Not responsible for the rules (`dose_cycle`, `pulses`), nor for corrections of the volume (`gravimetry`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rig.analysis.checks import FloatArray, positive, timed_series
from rig.analysis.dose_cycle import find_dose_interval_s
from rig.analysis.pulses import DoseVolumes, MissedDoses, dose_volumes, missed_doses
from rig.analysis.resample import resampled

LONGEST_DOSE_INTERVAL_S = 3600.0
"""No slower rhythm is looked for: a basal dose an hour is the slowest that pumps are known for. Assumption."""

LEAST_DOSES = 10
"""A rhythm is found in a record of so many of its intervals (`find_dose_interval_s`)."""


@dataclass(frozen=True, eq=False)
class SingleDoses:
    """What is known of single doses; None stands for what is not.

    Attributes:
        interval_s: from dose to dose, as programmed where that was told, else as found.
        found_interval_s: as found from the record alone.
        volumes: of every whole dose interval.
        missed: which were left out; only where the programmed dose was told.
        reason: why there are no volumes; None when there are.
    """

    interval_s: float | None
    found_interval_s: float | None
    volumes: DoseVolumes | None
    missed: MissedDoses | None
    reason: str | None


def single_doses(
    at_s: ArrayLike,
    volume_ul: ArrayLike,
    *,
    step_s: float,
    longest_gap_s: float,
    dose_interval_s: float | None = None,
    dose_ul: float | None = None,
) -> SingleDoses:
    """The doses in µL of a record; where they cannot be told apart, the reason instead of them.

    Args:
        at_s: (n,) times in s, rising.
        volume_ul: (n,) delivered volume in µL.
        step_s: the usual time between samples; the rhythm is looked for on a grid of it.
        longest_gap_s: samples further apart have no line between them.
        dose_interval_s: from dose to dose as programmed; None looks for it.
        dose_ul: the programmed dose; None when nobody knows, then no dose can be called missed.

    Raises:
        ValueError: with a sentence, on input that is not the above.
    """
    times, volume = timed_series(at_s, "volume_ul", volume_ul)
    found, reason = _found(times, volume, positive("step_s", step_s), positive("longest_gap_s", longest_gap_s))
    interval = found if dose_interval_s is None else positive("dose_interval_s", dose_interval_s)
    if interval is None:
        return SingleDoses(None, None, None, None, reason)
    try:
        volumes = dose_volumes(times, volume, dose_interval_s=interval)
    except ValueError as error:
        return SingleDoses(interval, found, None, None, str(error))
    missed = None
    if dose_ul is not None:
        missed = missed_doses(times, volume, dose_interval_s=interval, dose_ul=dose_ul)
    return SingleDoses(interval, found, volumes, missed, None)


def _found(
    times: FloatArray, volume: FloatArray, step_s: float, longest_gap_s: float
) -> tuple[float | None, str | None]:
    """Find the rhythm on an even grid; None and the reason where there is none to be found."""
    try:
        grid_s = np.arange(times[0], times[-1], step_s)
        even = resampled(times, volume, grid_s=grid_s, longest_gap_s=longest_gap_s)
        longest_s = min(LONGEST_DOSE_INTERVAL_S, float(grid_s[-1] - grid_s[0]) / LEAST_DOSES)
        return find_dose_interval_s(grid_s, even, longest_s=longest_s), None
    except ValueError as error:
        return None, str(error)

"""The course of an extended or multiwave bolus: volume of equal slices of time, evenness, delay, end.

Not responsible for the total volume (`bolus.weigh_bolus`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rig.analysis.checks import FloatArray, finite, frozen, positive, timed_series
from rig.analysis.crossing import first_crossing_s


@dataclass(frozen=True, eq=False)
class BolusProfile:
    """How a bolus was spread over its programmed time.

    Attributes:
        slice_ul: (k,) volume of each slice in µL, read-only.
        unevenness_percent: largest deviation of a slice from the mean slice, in % of the mean.
        delay_s: from the programmed start until `DELAY_SHARE` of the volume of all slices had arrived, less the time
            that an even delivery takes for it.
    """

    slice_ul: FloatArray
    unevenness_percent: float
    delay_s: float


DELAY_SHARE = 0.1


def bolus_profile(
    at_s: ArrayLike, volume_ul: ArrayLike, *, start_s: float, duration_s: float, slices: int
) -> BolusProfile:
    """The volume in µL of equal slices of the programmed time, their unevenness in % and the delay in s.

    Args:
        at_s: (n,) times in s, rising, from the start of the bolus or before to its end or after.
        volume_ul: (n,) corrected volume in µL.
        start_s: the programmed start.
        duration_s: the programmed duration.
        slices: how many, 2 or more.

    Raises:
        ValueError: with a sentence, on input that is not the above, or when nothing was delivered.
    """
    times, volume = timed_series(at_s, "volume_ul", volume_ul)
    start, duration = finite("start_s", start_s), positive("duration_s", duration_s)
    if slices < 2:
        raise ValueError(f"slices must be 2 or more, got {slices!r}")
    if times[0] > start or times[-1] < start + duration:
        raise ValueError(
            f"the record must hold the whole bolus, {start:g} … {start + duration:g} s, "
            f"got {times[0]:g} … {times[-1]:g} s"
        )
    edges = start + duration * np.arange(slices + 1) / slices
    at_edges = np.interp(edges, times, volume)
    slice_ul = np.diff(at_edges)
    total = positive("the delivered volume", float(at_edges[-1] - at_edges[0]))
    mean = total / slices
    moments = np.concatenate([[start], times[(times > start) & (times <= start + duration)]])
    arrived = first_crossing_s(moments, np.interp(moments, times, volume), at_edges[0] + DELAY_SHARE * total)
    return BolusProfile(
        slice_ul=frozen(slice_ul),
        unevenness_percent=float(100.0 * np.max(np.abs(slice_ul - mean)) / mean),
        delay_s=arrived - start - DELAY_SHARE * duration,
    )


BEGUN_SHARE, ENDED_SHARE = DELAY_SHARE, 0.99
"""A delivery has begun when a tenth of it has arrived, and ended when 99 % has: the last percent is the line's tail."""


def lateness_s(at_s: ArrayLike, volume_ul: ArrayLike, *, start_s: float, share: float, due_s: float) -> float:
    """By how many s later than programmed a share of all that was delivered had arrived.

    Args:
        at_s: (n,) times in s, rising, from the start or before to the plateau.
        volume_ul: (n,) corrected volume in µL.
        start_s: the programmed start.
        share: of the delivered volume, between 0 and 1.
        due_s: when, in s after the start, this share of the programmed volume is due.

    Raises:
        ValueError: with a sentence, on input that is not the above, or when nothing was delivered.
    """
    times, volume = timed_series(at_s, "volume_ul", volume_ul)
    start = finite("start_s", start_s)
    if not 0 < finite("share", share) < 1:
        raise ValueError(f"share must lie between 0 and 1, got {share!r}")
    if not times[0] <= start < times[-1]:
        raise ValueError(f"the record must hold the start at {start:g} s, got {times[0]:g} … {times[-1]:g} s")
    before = float(np.interp(start, times, volume))
    total = positive("the delivered volume", float(volume[-1]) - before)
    since = times > start
    moments, arrived = np.append(start, times[since]), np.append(before, volume[since])
    return first_crossing_s(moments, arrived, before + share * total) - start - finite("due_s", due_s)

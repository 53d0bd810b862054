"""Allan deviation of flow: how steady a delivery is, by averaging time.

Not responsible for corrections of the volume (`gravimetry`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rig.analysis.checks import FloatArray, frozen, positive, series, timed_series, whole_multiple
from rig.analysis.resample import resampled

SECONDS_PER_HOUR = 3600.0

ROUNDING = 1e-6
"""A record that ends so much of an interval early holds that interval, too."""

TIMES_PER_DECADE = 10
LONGEST_SHARE = 1.0 / 3.0
"""No averaging time is longer than this share of the record: towards a half few differences are left. Choice."""


@dataclass(frozen=True, eq=False)
class AllanDeviation:
    """Allan deviation of flow in µL/h beside its averaging time in s; arrays of shape (k,), read-only."""

    averaging_s: FloatArray
    deviation_ul_per_h: FloatArray


def allan_deviation(volume_ul: ArrayLike, *, interval_s: float, averaging_s: Sequence[float]) -> AllanDeviation:
    """The overlapping Allan deviation of flow in µL/h for each averaging time.

    σ²(τ) = mean of (x[i + 2m] − 2 x[i + m] + x[i])²/(2 τ²), x the delivered volume, τ = m S (NIST SP 1065, 5.2.4, with
    volume in place of phase). O(n) for each τ. A steady error of flow leaves it 0, unlike a standard deviation of a
    drifting flow it stays finite.

    Args:
        volume_ul: (n,) delivered volume in µL, evenly sampled.
        interval_s: S.
        averaging_s: each τ, whole multiples of S and at most half of the record.

    Raises:
        ValueError: with a sentence, on input that is not the above.
    """
    interval_s = positive("interval_s", interval_s)
    volume = series("volume_ul", volume_ul, at_least=3)
    times = series("averaging_s", averaging_s).copy()
    deviations = []
    for averaging in times:
        tau = positive("each of averaging_s", float(averaging))
        m = whole_multiple("each of averaging_s", tau, "interval_s", interval_s)
        if 2 * m >= volume.size:
            raise ValueError(f"volume_ul is too short for an averaging time of {tau:g} s: twice that is needed")
        second = volume[2 * m :] - 2.0 * volume[m:-m] + volume[: -2 * m]
        deviations.append(SECONDS_PER_HOUR * np.sqrt(np.mean(second**2) / 2.0) / tau)
    return AllanDeviation(frozen(times), frozen(np.array(deviations)))


def flow_stability(at_s: ArrayLike, volume_ul: ArrayLike, *, interval_s: float, longest_gap_s: float) -> AllanDeviation:
    """The Allan deviation of flow in µL/h of a record, ten averaging times a decade, up to a third of it.

    The volume is taken at a grid of `interval_s`, on straight lines between samples. Where those are not evenly spaced,
    that makes the shortest averaging times somewhat too quiet.

    Args:
        at_s: (n,) times in s, rising.
        volume_ul: (n,) delivered volume in µL.
        interval_s: the usual time between samples.
        longest_gap_s: samples further apart have no line between them.

    Raises:
        ValueError: with a sentence, on input that is not the above, or a record of fewer than three intervals.
    """
    times, volume = timed_series(at_s, "volume_ul", volume_ul)
    interval_s = positive("interval_s", interval_s)
    count = int((times[-1] - times[0]) / interval_s + ROUNDING)
    longest = int(count * LONGEST_SHARE)
    if longest < 1:
        raise ValueError(
            f"the record of {times[-1] - times[0]:g} s is shorter than three intervals of {interval_s:g} s"
        )
    grid_s = np.minimum(times[0] + interval_s * np.arange(count + 1), times[-1])
    even = resampled(times, volume, grid_s=grid_s, longest_gap_s=longest_gap_s)
    steps = int(np.log10(longest) * TIMES_PER_DECADE + ROUNDING) + 1
    multiples = np.unique(np.round(10.0 ** (np.arange(steps) / TIMES_PER_DECADE)))
    return allan_deviation(even, interval_s=interval_s, averaging_s=(interval_s * multiples).tolist())

"""One pulse on a balance log: its volume, time and uncertainty by regression before and after.

Not responsible for finding the pulses (`pulses` cuts the record between them).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rig.analysis.checks import finite, not_negative, positive, timed_series
from rig.analysis.crossing import first_crossing_s

MIN_SAMPLES = 2


@dataclass(frozen=True)
class Pulse:
    """One pulse: volume in µL, its standard uncertainty and degrees of freedom, and when half of it had arrived."""

    volume_ul: float
    u_ul: float
    degrees_of_freedom: int
    at_s: float


def step_volume(at_s: ArrayLike, volume_ul: ArrayLike, *, pulse_at_s: float, settle_s: float, span_s: float) -> Pulse:
    """The volume in µL of the pulse at `pulse_at_s`: the step between two parallel lines through its rests.

    Least squares of V = a + b t + h·(after) over the samples within `span_s` before the pulse and within `span_s` after
    it has settled; h is the volume, b takes up evaporation and drift. u from the residuals (JCGM 100:2008 H.3
    generalised to three parameters; residuals taken as independent).

    Args:
        at_s: (n,) times in s, rising.
        volume_ul: (n,) volume in µL.
        pulse_at_s: the pulse begins here or later.
        settle_s: it has arrived so long after.
        span_s: how much rest to use on each side.

    Raises:
        ValueError: with a sentence, on input that is not the above, or fewer than two samples on a side, or than four
            in all.
    """
    times, volume = timed_series(at_s, "volume_ul", volume_ul)
    pulse = finite("pulse_at_s", pulse_at_s)
    settled = pulse + not_negative("settle_s", settle_s)
    span = positive("span_s", span_s)
    before = (times >= pulse - span) & (times <= pulse)
    after = (times > max(settled, pulse)) & (times <= settled + span)
    counts = int(before.sum()), int(after.sum())
    if min(counts) < MIN_SAMPLES or sum(counts) < 4:
        raise ValueError(
            f"a step needs two samples on each side and four in all, got {counts[0]} before and {counts[1]} after"
        )
    used = before | after
    design = np.column_stack([np.ones(sum(counts)), times[used] - pulse, after[used].astype(np.float64)])
    solution, *_ = np.linalg.lstsq(design, volume[used] - volume[used][0], rcond=None)
    residuals = volume[used] - volume[used][0] - design @ solution
    freedom = sum(counts) - 3
    variance = float(residuals @ residuals) / freedom
    u = float(np.sqrt(variance * np.linalg.inv(design.T @ design)[2, 2]))
    height = float(solution[2])
    inside = (times >= times[before][-1]) & (times <= times[after][0])
    risen = volume[inside] - volume[used][0] - solution[0] - solution[1] * (times[inside] - pulse)
    crossing = first_crossing_s(times[inside], risen * np.sign(height), abs(height) / 2.0)
    return Pulse(volume_ul=height, u_ul=u, degrees_of_freedom=freedom, at_s=crossing)

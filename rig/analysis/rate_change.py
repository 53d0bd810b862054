"""When a flow changed: the crossing of two lines fitted to the volume before and after.

Not responsible for what was programmed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rig.analysis.checks import FloatArray, finite, not_negative, timed_series

MIN_SAMPLES = 5


@dataclass(frozen=True)
class ChangeOfFlow:
    """A change of flow: the flows in µL/h, and when the lines cross in s.

    `u_before_s` and `u_after_s` are what the scatter about each line makes of that moment, as standard uncertainties;
    the degrees of freedom belong to them.
    """

    before_ul_per_h: float
    after_ul_per_h: float
    at_s: float
    u_before_s: float
    u_after_s: float
    freedom_before: float
    freedom_after: float


@dataclass(frozen=True)
class _Line:
    """Volume = `level` + `slope` · (t − `middle_s`); `independent` of its samples count for its uncertainty."""

    level: float
    slope: float
    middle_s: float
    variance: float
    spread: float
    samples: int
    independent: float

    def u_at(self, at_s: float) -> float:
        """The standard uncertainty of the line at a moment (JCGM 100:2008 H.3.4)."""
        share = 1.0 / self.samples + (at_s - self.middle_s) ** 2 / self.spread
        return math.sqrt(self.variance * share * self.samples / self.independent)

    @property
    def freedom(self) -> float:
        return max(self.independent - 2.0, 1.0)


def rate_change(
    at_s: ArrayLike,
    volume_ul: ArrayLike,
    *,
    before_s: tuple[float, float],
    after_s: tuple[float, float],
    dose_ul: float = 0.0,
) -> ChangeOfFlow:
    """Find when a flow changed: where the least-squares lines of the volume before and after cross.

    A pump that delivers in doses draws a staircase about each line, whose samples are not independent: no more of them
    count than there are doses. Lines through staircases of one dose lie half a dose below the programme both before and
    after, so that their crossing is where the programme bends.

    Args:
        at_s: (n,) times in s, rising.
        volume_ul: (n,) corrected volume in µL.
        before_s: from when to when the line before is fitted.
        after_s: the same for the line after.
        dose_ul: volume of a single dose; 0 where delivery is continuous.

    Raises:
        ValueError: with a sentence, on input that is not the above, spans in the wrong order or with too few samples,
            or flows that do not differ.
    """
    times, volume = timed_series(at_s, "volume_ul", volume_ul)
    dose = not_negative("dose_ul", dose_ul)
    ends = [finite("before_s and after_s", end) for end in (*before_s, *after_s)]
    if ends != sorted(ends):
        raise ValueError(f"the span before must end before that after begins, got {before_s} and {after_s} s")
    before, after = (_fitted(times, volume, span, dose) for span in (before_s, after_s))
    bend = after.slope - before.slope
    if bend == 0.0:
        raise ValueError("the flow does not change: both lines have one slope")
    gap = (before.level - before.slope * before.middle_s) - (after.level - after.slope * after.middle_s)
    crossing = gap / bend
    return ChangeOfFlow(
        before_ul_per_h=3600.0 * before.slope,
        after_ul_per_h=3600.0 * after.slope,
        at_s=crossing,
        u_before_s=before.u_at(crossing) / abs(bend),
        u_after_s=after.u_at(crossing) / abs(bend),
        freedom_before=before.freedom,
        freedom_after=after.freedom,
    )


def _fitted(times: FloatArray, volume: FloatArray, span_s: tuple[float, float], dose_ul: float) -> _Line:
    inside = (times >= span_s[0]) & (times <= span_s[1])
    samples = int(np.count_nonzero(inside))
    if samples < MIN_SAMPLES:
        raise ValueError(f"a line needs {MIN_SAMPLES} samples, {span_s[0]:g} … {span_s[1]:g} s holds {samples}")
    middle_s = float(times[inside].mean())
    seconds, level = times[inside] - middle_s, float(volume[inside].mean())
    spread = float(seconds @ seconds)
    slope = float(seconds @ (volume[inside] - level)) / spread
    residuals = volume[inside] - level - slope * seconds
    doses = abs(slope) * (span_s[1] - span_s[0]) / dose_ul if dose_ul else 0.0
    return _Line(
        level=level,
        slope=slope,
        middle_s=middle_s,
        variance=float(residuals @ residuals) / (samples - 2),
        spread=spread,
        samples=samples,
        independent=min(doses, float(samples)) if doses >= 1.0 else float(samples),
    )

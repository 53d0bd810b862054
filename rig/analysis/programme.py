"""What a pump was told to deliver, in U: basal profile with temporary rates, and boluses with their parts.

Not responsible for doses: a pump delivers in steps, this is the line that they follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from rig.analysis.checks import FloatArray, frozen
from rig.therapy import BasalSegment, BolusRequest, TemporaryRate

MINUTES_A_DAY = 1440.0


@dataclass(frozen=True)
class Started:
    """Something that a pump was told at a minute since midnight."""

    at_min: float
    what: BolusRequest | TemporaryRate


def programmed_u(
    profile: Sequence[BasalSegment],
    started: Sequence[Started],
    from_min: float,
    to_min: float,
    *,
    bolus_u_per_min: float,
) -> float:
    """The insulin programmed between two minutes since midnight, in U; temporary rates must not overlap."""
    boluses = [one for one in started if isinstance(one.what, BolusRequest)]
    return _basal_u(profile, started, from_min, to_min) + sum(
        _bolus_u(one.what, one.at_min, to_min, bolus_u_per_min)
        - _bolus_u(one.what, one.at_min, from_min, bolus_u_per_min)
        for one in boluses
        if isinstance(one.what, BolusRequest)
    )


@dataclass(frozen=True, eq=False)
class Course:
    """A programme as the line that delivery follows: knots in s since its start and U since then, shape (k,)."""

    at_s: FloatArray
    insulin_u: FloatArray

    @property
    def total_u(self) -> float:
        """All of it, in U."""
        return float(self.insulin_u[-1])

    def rate_u_per_h(self, until_s: float) -> float:
        """The rate in U/h that leads to `until_s`, which is after the start."""
        after = min(int(np.searchsorted(self.at_s, until_s)), self.at_s.size - 1)
        risen, passed = (float(values[after] - values[after - 1]) for values in (self.insulin_u, self.at_s))
        return 3600.0 * risen / passed

    def due_s(self, insulin_u: float) -> float:
        """When so much is due, in s; the first moment where it stays for a while."""
        after = int(np.searchsorted(self.insulin_u, insulin_u))
        knots = slice(max(after - 1, 0), after + 1)
        return float(np.interp(insulin_u, self.insulin_u[knots], self.at_s[knots]))


def programmed_course(
    profile: Sequence[BasalSegment],
    started: Sequence[Started],
    from_min: float,
    to_min: float,
    *,
    bolus_u_per_min: float,
) -> Course:
    """The line of what is programmed between two minutes since midnight; as `programmed_u`."""
    edges = set(_basal_edges(profile, started, from_min, to_min))
    for one in started:
        if isinstance(one.what, BolusRequest):
            begin_min = one.at_min + one.what.delay_min
            edges |= {begin_min, begin_min + one.what.fast_u / bolus_u_per_min, begin_min + one.what.duration_min}
    at_min = np.array(sorted(edge for edge in edges if from_min <= edge <= to_min))
    insulin_u = [
        programmed_u(profile, started, from_min, float(edge), bolus_u_per_min=bolus_u_per_min) for edge in at_min
    ]
    return Course(frozen(60.0 * (at_min - from_min)), frozen(np.array(insulin_u)))


def _bolus_u(bolus: BolusRequest, at_min: float, now_min: float, bolus_u_per_min: float) -> float:
    """What of a bolus should have come by `now_min`, in U."""
    passed_min = max(now_min - at_min - bolus.delay_min, 0.0)
    fast_u = min(bolus.fast_u, passed_min * bolus_u_per_min)
    share = min(passed_min / bolus.duration_min, 1.0) if bolus.duration_min else 0.0
    return fast_u + bolus.extended_u * share


def _basal_u(profile: Sequence[BasalSegment], started: Sequence[Started], from_min: float, to_min: float) -> float:
    """Integrate the rate from edge to edge: of segments, of temporary rates, of the span."""
    inside = _basal_edges(profile, started, from_min, to_min)
    temporary = _temporary(started)
    return sum(
        (end - begin) / 60.0 * _rate_u_per_h(profile, temporary, (begin + end) / 2.0) for begin, end in pairwise(inside)
    )


def _temporary(started: Sequence[Started]) -> list[tuple[float, TemporaryRate]]:
    return [(one.at_min, one.what) for one in started if isinstance(one.what, TemporaryRate)]


def _basal_edges(
    profile: Sequence[BasalSegment], started: Sequence[Started], from_min: float, to_min: float
) -> list[float]:
    """List the minutes at which the basal rate may change, ends of the span included."""
    edges = {from_min, to_min}
    day_min = from_min // MINUTES_A_DAY * MINUTES_A_DAY
    while day_min < to_min:
        edge = day_min
        for segment in profile:
            edge += segment.duration_min
            edges.add(edge)
        day_min += MINUTES_A_DAY
    for at_min, rate in _temporary(started):
        edges |= {at_min, at_min + rate.duration_min}
    return sorted(edge for edge in edges if from_min <= edge <= to_min)


def _rate_u_per_h(
    profile: Sequence[BasalSegment], temporary: Sequence[tuple[float, TemporaryRate]], at_min: float
) -> float:
    of_day = at_min % MINUTES_A_DAY
    rate_u_per_h, end = 0.0, 0.0
    for segment in profile:
        end += segment.duration_min
        if of_day < end:
            rate_u_per_h = segment.rate_u_per_h
            break
    for begin_min, rate in temporary:
        if begin_min <= at_min < begin_min + rate.duration_min:
            return rate.rate_u_per_h if rate.rate_u_per_h is not None else rate_u_per_h * (rate.factor or 0.0)
    return rate_u_per_h

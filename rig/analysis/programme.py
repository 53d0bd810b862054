"""What a pump was told to deliver, in U: basal profile with temporary rates, and boluses with their parts.

Not responsible for doses: a pump delivers in steps, this is the line that they follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from rig.therapy import BasalSegment, Bolus, TemporaryRate

MINUTES_A_DAY = 1440.0


@dataclass(frozen=True)
class Started:
    """Something that a pump was told at a minute since midnight."""

    at_min: float
    what: Bolus | TemporaryRate


def programmed_u(
    profile: Sequence[BasalSegment],
    started: Sequence[Started],
    from_min: float,
    to_min: float,
    *,
    bolus_u_per_min: float,
) -> float:
    """Get the insulin programmed between two minutes since midnight, in U; temporary rates must not overlap."""
    boluses = [one for one in started if isinstance(one.what, Bolus)]
    return _basal_u(profile, started, from_min, to_min) + sum(
        _bolus_u(one.what, one.at_min, to_min, bolus_u_per_min)
        - _bolus_u(one.what, one.at_min, from_min, bolus_u_per_min)
        for one in boluses
        if isinstance(one.what, Bolus)
    )


def _bolus_u(bolus: Bolus, at_min: float, now_min: float, bolus_u_per_min: float) -> float:
    """Get what of a bolus should have come by `now_min`, in U."""
    passed_min = max(now_min - at_min - bolus.delay_min, 0.0)
    fast_u = min(bolus.fast_u, passed_min * bolus_u_per_min)
    share = min(passed_min / bolus.duration_min, 1.0) if bolus.duration_min else 0.0
    return fast_u + bolus.extended_u * share


def _basal_u(profile: Sequence[BasalSegment], started: Sequence[Started], from_min: float, to_min: float) -> float:
    """Integrate the rate from edge to edge: of segments, of temporary rates, of the span."""
    temporary = [(one.at_min, one.what) for one in started if isinstance(one.what, TemporaryRate)]
    edges = {from_min, to_min}
    day_min = from_min // MINUTES_A_DAY * MINUTES_A_DAY
    while day_min < to_min:
        edge = day_min
        for segment in profile:
            edge += segment.duration_min
            edges.add(edge)
        day_min += MINUTES_A_DAY
    for at_min, rate in temporary:
        edges |= {at_min, at_min + rate.duration_min}
    inside = sorted(edge for edge in edges if from_min <= edge <= to_min)
    return sum(
        (end - begin) / 60.0 * _rate_u_per_h(profile, temporary, (begin + end) / 2.0) for begin, end in pairwise(inside)
    )


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

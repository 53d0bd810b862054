"""Profiles of a day: what holds at a time of day, which are whole, what a clock that is set does to them.

The time of day is that of a clock on the wall, which may be set; its days have 24 h. Not responsible for pumps.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from rig.therapy.exact import exact
from rig.therapy.values import BasalSegment, ProfileBlock, TemporaryRate

MINUTES_A_DAY = 1440
SECONDS_A_DAY = 86_400


def values_at(blocks: Sequence[ProfileBlock], minute: float) -> tuple[float, ...]:
    """Look up what holds at a minute since any midnight; a block begins with its first minute.

    Raises:
        ValueError: the blocks do not cover 24 h.
    """
    left = minute % MINUTES_A_DAY
    if sum(block.duration_min for block in blocks) != MINUTES_A_DAY:
        raise ValueError("a day's profile has 1440 min")
    for block in blocks:
        if left < block.duration_min:
            return block.values
        left -= block.duration_min
    raise ValueError("a day's profile has blocks of no length")  # a sum of 1440 min, with one below 0


def refused_profile(
    segments: Sequence[BasalSegment], *, most_segments: int, max_rate_u_per_h: float, step_u_per_h: float
) -> str | None:
    """Say why a pump must refuse a basal profile; None for one that it must take."""
    if not segments or len(segments) > most_segments:
        return f"1 to {most_segments} segments"
    if any(segment.duration_min <= 0 for segment in segments):
        return "a segment of no length"
    if sum(segment.duration_min for segment in segments) != MINUTES_A_DAY:
        return "not 24 h"
    for segment in segments:
        if not 0 <= segment.rate_u_per_h <= max_rate_u_per_h:
            return "a rate above the maximum"
        if exact(segment.rate_u_per_h) % exact(step_u_per_h):
            return "a rate between two steps"
    return None


@dataclass(frozen=True)
class ClockSet:
    """A wall clock that shows `date_time` from the bench's second `at_s` on, and runs on from there."""

    at_s: float
    date_time: datetime.datetime


@dataclass(frozen=True)
class RateStarted:
    """A temporary rate that began at a bench's second, and ends when its minutes have passed, or when cancelled."""

    at_s: float
    temporary: TemporaryRate
    cancelled_at_s: float | None = None

    @property
    def until_s(self) -> float:
        """The bench's second at which the profile holds again."""
        ends_s = self.at_s + 60.0 * self.temporary.duration_min
        return ends_s if self.cancelled_at_s is None else min(ends_s, self.cancelled_at_s)


def basal_u(
    segments: Sequence[BasalSegment],
    clock: Sequence[ClockSet],
    from_s: float,
    to_s: float,
    *,
    temporary: Sequence[RateStarted] = (),
    max_rate_u_per_h: float | None = None,
) -> Fraction:
    """Integrate what a profile should deliver between two of the bench's seconds, in U.

    Segments go by the wall clock as it was last set, temporary rates by the time that has passed. A rate above the
    maximum is capped where `max_rate_u_per_h` is given.

    Args:
        segments: of one day, 24 h together.
        clock: how the wall clock was set, in order; the first no later than `from_s`.
        from_s: in s.
        to_s: in s.
        temporary: temporary rates, none of which begins before another has ended.
        max_rate_u_per_h: caps what comes of a share of the profile.

    Raises:
        ValueError: the clock was not set before `from_s`.
    """
    if not clock or clock[0].at_s > from_s:
        raise ValueError("when the wall clock was set first is not known")
    edges = {exact(from_s), exact(to_s)}
    for setting, later in zip(clock, [*clock[1:], None], strict=True):
        until = exact(min(later.at_s, to_s) if later else to_s)
        edges.add(exact(setting.at_s))
        edge = exact(setting.at_s) - _second_of_day(setting.date_time)
        while edge < until:
            for segment in segments:
                edge += 60 * segment.duration_min
                if exact(setting.at_s) < edge < until:
                    edges.add(edge)
    for rate in temporary:
        edges |= {exact(rate.at_s), exact(rate.until_s)}
    inside = sorted(edge for edge in edges if exact(from_s) <= edge <= exact(to_s))
    total = Fraction(0)
    for begin, end in pairwise(inside):
        rate_u_per_h = _rate(segments, clock, temporary, (begin + end) / 2)
        if max_rate_u_per_h is not None:
            rate_u_per_h = min(rate_u_per_h, exact(max_rate_u_per_h))
        total += rate_u_per_h * (end - begin) / 3600
    return total


def second_of_day(clock: Sequence[ClockSet], at_s: float) -> float:
    """Tell the second of the day that the wall clock shows at the bench's second `at_s`, as it was last set."""
    return float(_shown(clock, exact(at_s)))


def _rate(
    segments: Sequence[BasalSegment], clock: Sequence[ClockSet], temporary: Sequence[RateStarted], at_s: Fraction
) -> Fraction:
    blocks = [ProfileBlock(each.duration_min, (each.rate_u_per_h,)) for each in segments]
    of_profile = exact(values_at(blocks, float(_shown(clock, at_s) / 60))[0])
    for started in temporary:
        if exact(started.at_s) <= at_s < exact(started.until_s):
            rate, factor = started.temporary.rate_u_per_h, started.temporary.factor
            return exact(rate) if rate is not None else of_profile * exact(factor or 0.0)
    return of_profile


def _shown(clock: Sequence[ClockSet], at_s: Fraction) -> Fraction:
    last = max((setting for setting in clock if setting.at_s <= at_s), key=lambda setting: setting.at_s)
    return (_second_of_day(last.date_time) + at_s - exact(last.at_s)) % SECONDS_A_DAY


def _second_of_day(moment: datetime.datetime) -> Fraction:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return Fraction(round((moment - midnight).total_seconds() * 1_000_000), 1_000_000)

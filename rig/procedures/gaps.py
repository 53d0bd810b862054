"""Gaps between readings: noticed as they happen, kept, and what they leave unknown of a series.

A reading that comes late is no gap: it has its own time, and everything is computed from times. Not responsible for
the cause, nor for the wait between readings (`sampling`).
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from rig.analysis.budget import Budget
from rig.analysis.checks import FloatArray
from rig.analysis.resample import on_grid
from rig.errors import BlockedError
from rig.record.taking import Fact, Recorder, Taken

LATE_SHARE, LATE_S = 0.5, 5.0
"""A reading may come later than it is due by half of the time between readings, or by 5 s, and leaves no gap. The
house's own: an answer that is asked for a second time is there by then."""
SOURCE = "gap between readings"


class _AtMoment(Protocol):
    @property
    def at_s(self) -> float: ...


class Gap(Fact):
    """No reading came for so long, up to `at_s` on the bench's clock, in a phase that is read every `every_s`."""

    phase: str
    lasted_s: float
    every_s: float


def longest_step_s(every_s: float) -> float:
    """The longest time in s between two readings that are due `every_s` apart which is no gap."""
    return every_s + max(LATE_SHARE * every_s, LATE_S)


def notice_gap(
    record: Recorder, phase: str, before: _AtMoment, now: _AtMoment, *, every_s: float, longest_gap_s: float
) -> None:
    """Keep a gap between two readings as a fact and an incident; BlockedError when it is longer than the method allows.

    The sentence says when, how long, what is allowed and what to do.
    """
    lasted_s = now.at_s - before.at_s
    if lasted_s <= longest_step_s(every_s):
        return
    record.fact(Gap(at_s=now.at_s, phase=phase, lasted_s=lasted_s, every_s=every_s))
    record.incident("rig", f"no reading for {lasted_s:.4g} s in the {phase}, which is read every {every_s:g} s")
    if lasted_s > longest_gap_s:
        raise BlockedError(
            f"rig: no reading from {before.at_s:.0f} to {now.at_s:.0f} s, {lasted_s:.4g} s in the {phase}, and this "
            f"measurement can do without readings for {longest_gap_s:.4g} s; find out what held the computer up "
            "(sleep, updates, other programs) or the instrument, and measure again"
        )


def gaps_in(taken: Taken) -> tuple[Gap, ...]:
    """Read the gaps of a measurement, in their order."""
    return taken.facts(Gap)


def doubt_in_gaps(at_s: FloatArray, values: FloatArray, moments_s: FloatArray, *, every_s: float) -> FloatArray:
    """The most by which a series that never turns back may be off the line at each moment, shape of `moments_s`.

    0 where the readings around a moment are no gap apart: what lies between two of them is known as well as ever. A
    moment just before the first reading or after the last counts as theirs.
    """
    found = on_grid(at_s, values, grid_s=np.clip(moments_s, at_s[0], at_s[-1]))
    return np.where(found.step_s > longest_step_s(every_s), found.doubt, 0.0)


def step_at_s(at_s: FloatArray, moment_s: float, *, every_s: float) -> float:
    """How far apart in s the readings around a moment are: as they are due, `every_s`, or a gap."""
    after = int(np.clip(np.searchsorted(at_s, moment_s), 1, at_s.size - 1))
    step_s = float(at_s[after] - at_s[after - 1])
    return step_s if step_s > longest_step_s(every_s) else every_s


def with_doubt(budget: Budget, doubt: float) -> Budget:
    """Add to a budget what a gap leaves unknown, in its unit: a rectangle of that half-width; nothing where it is 0."""
    return budget.plus(SOURCE, "B", doubt / math.sqrt(3.0)) if doubt else budget

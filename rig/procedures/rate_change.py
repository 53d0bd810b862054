"""A change of the basal rate and what follows, between two blank runs: what temporary rates and switches share.

Not responsible for the two measurements themselves (`temporary`, `switch`), nor for the formulas
(`rig.analysis.rate_change`, `rig.analysis.programme`).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from rig.analysis.budget import Budget, Input, combined
from rig.analysis.programme import Course, Started, programmed_course
from rig.analysis.rate_change import rate_change
from rig.analysis.uncertainty import COVERAGE_PERCENT
from rig.errors import BlockedError
from rig.procedures.answers import confirm_if_allowed
from rig.procedures.at_once import at_once
from rig.procedures.between_blanks import between_blanks, scale_between_blanks
from rig.procedures.bounds import Dose
from rig.procedures.budgets import measured
from rig.procedures.contents import Part, profile_content
from rig.procedures.from_sheet import FromSheet
from rig.procedures.gaps import doubt_in_gaps, with_doubt
from rig.procedures.preparation import MIDNIGHT, MINUTES_A_DAY, start_therapy
from rig.procedures.procedure import BetweenBlanks, Computed
from rig.procedures.rest import wait_for_rest
from rig.procedures.sampling import sample_for
from rig.procedures.volume import VolumeScale
from rig.record.taking import Fact, Recorder, Series, Taken
from rig.roles import Bench, Capability, Metrology, require
from rig.therapy import BasalSegment, TemporaryRate
from rig.units import ul_from_u
from rig.verdicts.quantities import Quantity

SAMPLE_EVERY_S = 10.0
NOTICED_S = 60.0
"""How long it takes a person to confirm that a temporary rate is over. Unconfirmed, a pump may beep for hours."""
RATE_OVER = "temporary basal rate over"
FOLLOWED_S, FOLLOWED_SHARE = 300.0, 0.25
"""So long after a change no line is fitted, and no longer than this share of the stretch: it holds the delay itself."""
LATE_S = 10.0
"""Therapy and a temporary rate are started so much later than programmed at most: the time between two readings."""
FITTED_DOSES = 40.0
"""A line is fitted to so many doses beside a change. More would scatter less, but a pump's flow drifts: of an error of
0.03 U that repeats every 8 U, a line through 1 U makes 0.002 U, and one through 3 U 0.02 U where it ends."""


@dataclass(frozen=True)
class Stretch:
    """A stretch of one rate: what it is called, how long in min, its rate in U/h."""

    name: str
    duration_min: int
    rate_u_per_h: float


@dataclass(frozen=True)
class RateChange:
    """Stretches of one rate in their order, and what each change from one to the next is called.

    `title` is of the whole. With a `temporary` rate the second stretch is that, started by hand; without, the stretches
    are segments of the profile, and the pump's clock changes from one to the next.
    """

    title: str
    stretches: tuple[Stretch, ...]
    changes: tuple[str, ...]
    temporary: TemporaryRate | None = None
    dose_u: float = 0.025

    @property
    def profile(self) -> tuple[BasalSegment, ...]:
        """The basal profile that the pump is given, of 24 h."""
        if self.temporary is not None:
            return (BasalSegment(MINUTES_A_DAY, self.stretches[0].rate_u_per_h),)
        *first, last = self.stretches
        rest_min = MINUTES_A_DAY - sum(stretch.duration_min for stretch in first)
        segments = [BasalSegment(stretch.duration_min, stretch.rate_u_per_h) for stretch in first]
        return (*segments, BasalSegment(rest_min, last.rate_u_per_h))

    @property
    def edges_s(self) -> tuple[float, ...]:
        """When each stretch begins, and the last one ends, in s after the start."""
        minutes = [stretch.duration_min for stretch in self.stretches]
        return tuple(60.0 * sum(minutes[:number]) for number in range(len(minutes) + 1))

    @property
    def course(self) -> Course:
        """The line that delivery is programmed to follow."""
        first_min = float(self.stretches[0].duration_min)
        started = [Started(first_min, self.temporary)] if self.temporary is not None else []
        return programmed_course(self.profile, started, 0.0, self.edges_s[-1] / 60.0, bolus_u_per_min=1.0)

    def fitted_s(self, change: int) -> tuple[tuple[float, float], tuple[float, float]]:
        """Choose the spans in s beside a change, by its number, to which the lines before and after it are fitted."""
        begin_s, change_s, end_s = self.edges_s[change : change + 3]
        before_s, after_s = (self._fitted_doses_s(stretch) for stretch in self.stretches[change : change + 2])
        from_s = change_s + min(FOLLOWED_S, FOLLOWED_SHARE * (end_s - change_s))
        first_s = begin_s + min(FOLLOWED_S, FOLLOWED_SHARE * (change_s - begin_s))
        return (max(first_s, change_s - before_s), change_s), (from_s, min(end_s, from_s + after_s))

    def _fitted_doses_s(self, stretch: Stretch) -> float:
        """Compute how long `FITTED_DOSES` take in s; endless without delivery."""
        return FITTED_DOSES * self.dose_u / stretch.rate_u_per_h * 3600.0 if stretch.rate_u_per_h else math.inf


class DeliveryStarted(Fact):
    """When therapy was started, on the bench's clock."""


class Changing(BetweenBlanks, ABC):
    """What a temporary rate and a profile switch have in common."""

    dose_u: Annotated[Dose, FromSheet("dose.size"), Field(alias="dose")] = 0.025

    @property
    @abstractmethod
    def change(self) -> RateChange:
        """The stretches and changes."""

    @abstractmethod
    def error_of(self, stretch: Stretch) -> Quantity:
        """Name the error of a stretch: in %, or in U where nothing is to be delivered."""

    @abstractmethod
    def delay_of(self, change: str) -> Quantity:
        """Name the delay of a change."""

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        change = self.change
        return (
            *(self.error_of(stretch) for stretch in change.stretches),
            *(self.delay_of(each) for each in change.changes),
        )

    def take(self, bench: Bench, record: Recorder) -> None:
        """Deliver stretch after stretch and read throughout; stops the pump at the end."""
        plan = self.change
        between_blanks(
            bench,
            record,
            rate_u_per_h=0.0,
            blank_s=self.blank_s,
            deliver=lambda: _deliver(bench, record, plan),
        )

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Weigh each stretch, and compute when each change of flow came."""
        scale, plan = scale_between_blanks(taken, metrology, blank_s=self.blank_s), self.change
        readings = taken.series(*(stretch.name for stretch in plan.stretches))
        since_s = readings.at_s - taken.the(DeliveryStarted).at_s
        parts, delays = _parts(since_s, readings, plan, scale), _delays(since_s, readings, plan, scale)
        profile = profile_content(
            plan.title[:1].upper() + plan.title[1:],
            course=plan.course,
            at_s=since_s,
            delivered_u=scale.delivered_u(readings),
            parts=parts,
            moments=delays,
            evaporation=scale.evaporation,
        )
        budgets = {
            self.error_of(stretch): part.delivered.error_percent_of(part.programmed_u)
            if part.programmed_u
            else part.delivered
            for stretch, part in zip(plan.stretches, parts, strict=True)
        }
        budgets |= {self.delay_of(change): budget for change, budget in delays.items()}
        measurements = tuple(measured(quantity, each) for quantity, each in budgets.items())
        return Computed(measurements, {"profile": profile}, budgets)


SHORTEST_S = 120.0
"""Of a stretch: a line is then fitted to 9 readings of it or more, beside what follows a change."""
LEAST_CHANGE = 0.1
"""Of the higher rate. At 1 U/h, two hours of doses then tell the moment of a change to some 5 min (U)."""


def check_change(rate_u_per_h: float, then_u_per_h: float) -> None:
    """Refuse rates that are too close for their doses to tell when one became the other; ValueError."""
    least_u_per_h = LEAST_CHANGE * max(rate_u_per_h, then_u_per_h)
    if then_u_per_h == rate_u_per_h or abs(then_u_per_h - rate_u_per_h) < least_u_per_h * (1.0 - 1e-9):
        raise ValueError(
            f"a change from {rate_u_per_h:g} to {then_u_per_h:g} U/h is too small to say when it came: "
            f"{100.0 * LEAST_CHANGE:g} % of the higher rate are needed"
        )


def _deliver(bench: Bench, record: Recorder, plan: RateChange) -> None:
    """Deliver all stretches up to the rest after them.

    A profile is switched by the pump's clock, which is set to midnight as therapy starts.
    """
    require(bench.pump, Capability.BASAL_PROFILE).set_basal_profile(plan.profile)
    start_s = at_once(bench.clock, "starting therapy", lambda: _start(bench, record, plan), within_s=LATE_S)
    for number, (stretch, end_s) in enumerate(zip(plan.stretches, plan.edges_s[1:], strict=True)):
        if plan.temporary is not None and number == 1:
            _refuse_late(bench.clock.now() - start_s - plan.edges_s[1])
            starting = partial(require(bench.pump, Capability.TEMPORARY_BASAL).set_temporary_rate, plan.temporary)
            at_once(bench.clock, "starting the temporary rate", starting, within_s=LATE_S)
        record.step(f"{stretch.name}: {stretch.rate_u_per_h:g} U/h", minutes=stretch.duration_min)
        if plan.temporary is not None and number == 2:
            sample_for(bench, record, stretch.name, duration_s=NOTICED_S, every_s=SAMPLE_EVERY_S)
            _confirm_the_end(bench, record)
        remaining_s = start_s + end_s - bench.clock.now()
        sample_for(
            bench,
            record,
            stretch.name,
            duration_s=remaining_s,
            every_s=SAMPLE_EVERY_S,
            longest_gap_s=min(FOLLOWED_S, FOLLOWED_SHARE * 60.0 * stretch.duration_min),
        )
    bench.pump.stop()
    record.step("therapy stopped")
    wait_for_rest(bench, record, "rest after the last stretch")


def _start(bench: Bench, record: Recorder, plan: RateChange) -> float:
    """Start therapy, at midnight on the pump's clock where it changes the rates; returns when, in s."""
    if plan.temporary is None:
        require(bench.pump, Capability.CLOCK).set_clock(MIDNIGHT)
    start_s = bench.clock.now()
    record.fact(DeliveryStarted(at_s=start_s))
    start_therapy(bench, record)
    return start_s


def _refuse_late(late_s: float) -> None:
    """Refuse to start a temporary rate late: its delay would be this computer's, and not the pump's."""
    if late_s > LATE_S:
        raise BlockedError(
            f"rig: the temporary rate was due {late_s:.4g} s ago, and may be started up to {LATE_S:g} s late; find out "
            "what held the computer up (sleep, updates, other programs), and measure again"
        )


def _confirm_the_end(bench: Bench, record: Recorder) -> None:
    """Confirm what the pump says of the end of its temporary rate, as a person would; anything else stays."""
    for annunciation in bench.pump.annunciations():
        if annunciation.kind == RATE_OVER and confirm_if_allowed(bench, record, annunciation):
            record.step("confirmed", kind=annunciation.kind)


def _parts(since_s: NDArray[np.float64], readings: Series, plan: RateChange, scale: VolumeScale) -> tuple[Part, ...]:
    """Weigh what came in each stretch; what the line still holds at its end counts for the next."""
    delivered_u, edges_s = scale.delivered_u(readings), np.array(plan.edges_s)
    at_edges_u = np.interp(edges_s, since_s, delivered_u)
    doubt_u = doubt_in_gaps(since_s, delivered_u, edges_s, every_s=SAMPLE_EVERY_S)
    return tuple(
        Part(
            f"{stretch.name}, {stretch.rate_u_per_h:g} U/h",
            from_s,
            to_s,
            stretch.rate_u_per_h * stretch.duration_min / 60.0,
            with_doubt(scale.budget(float(volume_u), to_s - from_s), float(before_u + after_u)),
        )
        for stretch, (from_s, to_s), volume_u, (before_u, after_u) in zip(
            plan.stretches, pairwise(plan.edges_s), np.diff(at_edges_u), pairwise(doubt_u), strict=True
        )
    )


def _delays(since_s: NDArray[np.float64], readings: Series, plan: RateChange, scale: VolumeScale) -> dict[str, Budget]:
    """Compute by how much later than programmed each change of flow came, in s, by the change's name."""
    volume_ul = ul_from_u(1.0) * scale.delivered_u(readings)
    delays = {}
    for number, change in enumerate(plan.changes):
        before_s, after_s = plan.fitted_s(number)
        found = rate_change(since_s, volume_ul, before_s=before_s, after_s=after_s, dose_ul=ul_from_u(plan.dose_u))
        bend_ul_per_s = abs(found.after_ul_per_h - found.before_ul_per_h) / 3600.0
        wander_g = scale.weighing.u_blank_g((after_s[1] - before_s[0]) / 3600.0)
        inputs = [
            Input("scatter about the line before", "A", 0.0, "s", found.u_before_s, found.freedom_before),
            Input("scatter about the line after", "A", 0.0, "s", found.u_after_s, found.freedom_after),
            Input("wander of the blank", "A", 0.0, "s", wander_g * 1e3 * scale.z_ul_per_mg / bend_ul_per_s),
        ]
        late = found.at_s - plan.edges_s[number + 1] + sum(each.number for each in inputs)
        delays[change] = combined(late, "s", inputs, COVERAGE_PERCENT)
    return delays

"""A change of the basal rate and what follows: a temporary rate, or a switch of the profile, between two blank runs.

Not responsible for limits, nor for the formulas (`rig.analysis.rate_change`, `rig.analysis.programme`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rig.analysis.budget import Budget, Input, combined
from rig.analysis.programme import Course, Started, programmed_course
from rig.analysis.rate_change import rate_change
from rig.analysis.uncertainty import COVERAGE_PERCENT
from rig.evidence import TestRecorder
from rig.limits import Measurement
from rig.procedures.between_blanks import between_blanks
from rig.procedures.bolus import wait_for_rest
from rig.procedures.budgets import keep_budgets, measured
from rig.procedures.contents import Part, profile_content
from rig.procedures.day import MIDNIGHT
from rig.procedures.gates import BLANK_S
from rig.procedures.preparation import MINUTES_A_DAY, start_therapy
from rig.procedures.sampling import Sample, Series, sample_for, series
from rig.procedures.volume import VolumeScale
from rig.roles import Bench
from rig.therapy import BasalSegment, TemporaryRate
from rig.units import ul_from_u

SAMPLE_EVERY_S = 10.0
NOTICED_S = 60.0
"""How long it takes a person to confirm that a temporary rate is over. Unconfirmed, a pump may beep for hours."""
RATE_OVER = "temporary basal rate over"
FOLLOWED_S, FOLLOWED_SHARE = 300.0, 0.25
"""So long after a change no line is fitted, and no longer than this share of the stretch: it holds the delay itself."""
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
class RateChangePlan:
    """What to measure: stretches in their order, and what each change from one to the next is called.

    `title` is of the whole. With a `temporary` rate the second stretch is that, started by hand; without, the stretches
    are segments of the profile, and the pump's clock changes from one to the next.
    """

    title: str
    stretches: tuple[Stretch, ...]
    changes: tuple[str, ...]
    temporary: TemporaryRate | None = None
    dose_u: float = 0.025
    blank_s: float = BLANK_S

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
        """Get the spans in s beside a change, by its number, to which the lines before and after it are fitted."""
        begin_s, change_s, end_s = self.edges_s[change : change + 3]
        before_s, after_s = (self._fitted_doses_s(stretch) for stretch in self.stretches[change : change + 2])
        from_s = change_s + min(FOLLOWED_S, FOLLOWED_SHARE * (end_s - change_s))
        first_s = begin_s + min(FOLLOWED_S, FOLLOWED_SHARE * (change_s - begin_s))
        return (max(first_s, change_s - before_s), change_s), (from_s, min(end_s, from_s + after_s))

    def _fitted_doses_s(self, stretch: Stretch) -> float:
        """Get how long `FITTED_DOSES` take in s; endless without delivery."""
        return FITTED_DOSES * self.dose_u / stretch.rate_u_per_h * 3600.0 if stretch.rate_u_per_h else math.inf

    @property
    def names(self) -> frozenset[str]:
        """What the measurements are called."""
        return frozenset(self.error_name(stretch) for stretch in self.stretches) | {
            self.delay_name(change) for change in self.changes
        }

    def error_name(self, stretch: Stretch) -> str:
        """Get what the error of a stretch is called."""
        return f"error {stretch.name} {self.title}"

    def delay_name(self, change: str) -> str:
        """Get what the delay of a change is called."""
        return f"delay of the {change} of {self.title}" if len(self.changes) > 1 else f"delay of {self.title}"


@dataclass(frozen=True)
class RateChangeResult:
    """The stretches with budgets in U, and the measurements that requirements ask for with theirs, by name."""

    parts: tuple[Part, ...]
    measurements: tuple[Measurement, ...]
    budgets: dict[str, Budget]


def measure_rate_change(bench: Bench, record: TestRecorder, plan: RateChangePlan) -> RateChangeResult:
    """Deliver stretch after stretch and weigh throughout; stops the pump at the end."""
    (start_s, samples), scale = between_blanks(
        bench, record, rate_u_per_h=0.0, blank_s=plan.blank_s, deliver=lambda: _deliver(bench, record, plan)
    )
    readings = series(samples)
    since_s = readings.at_s - start_s
    parts, delays = _parts(since_s, readings, plan, scale), _delays(since_s, readings, plan, scale)
    record.analysis(
        "profile",
        "profile",
        profile_content(
            plan.title[:1].upper() + plan.title[1:],
            course=plan.course,
            at_s=since_s,
            delivered_u=scale.delivered_u(readings),
            parts=parts,
            moments=delays,
            evaporation=scale.evaporation,
        ),
    )
    budgets = rate_change_budgets(plan, parts, delays)
    keep_budgets(record, plan.title, budgets)
    return RateChangeResult(parts, tuple(measured(name, budget) for name, budget in budgets.items()), budgets)


def _deliver(bench: Bench, record: TestRecorder, plan: RateChangePlan) -> tuple[float, list[Sample]]:
    """Deliver all stretches up to the rest after them; returns when they began on the bench's clock, and the samples.

    A profile is switched by the pump's clock, which is set to midnight as therapy starts.
    """
    bench.pump.set_basal_profile(plan.profile)
    if plan.temporary is None:
        bench.pump.set_clock(MIDNIGHT)
    start_s = bench.clock.now()
    start_therapy(bench, record)
    samples: list[Sample] = []
    for number, (stretch, end_s) in enumerate(zip(plan.stretches, plan.edges_s[1:], strict=True)):
        if plan.temporary is not None and number == 1:
            bench.pump.set_temporary_rate(plan.temporary)
        record.step(f"{stretch.name}: {stretch.rate_u_per_h:g} U/h", minutes=stretch.duration_min)
        doing = f"{stretch.name} {plan.title}"
        if plan.temporary is not None and number == 2:
            samples += sample_for(bench, record, doing, duration_s=NOTICED_S, every_s=SAMPLE_EVERY_S)
            _confirm_the_end(bench, record)
        remaining_s = start_s + end_s - bench.clock.now()
        samples += sample_for(bench, record, doing, duration_s=remaining_s, every_s=SAMPLE_EVERY_S)
    bench.pump.stop()
    record.step("therapy stopped")
    wait_for_rest(bench, record, "rest after the last stretch")
    return start_s, samples


def _confirm_the_end(bench: Bench, record: TestRecorder) -> None:
    """Confirm what the pump says of the end of its temporary rate, as a person would; anything else stays."""
    for annunciation in bench.pump.annunciations():
        if annunciation.kind == RATE_OVER:
            bench.pump.confirm(annunciation.annunciation_id)
            record.step("confirmed", kind=annunciation.kind)


def _parts(
    since_s: NDArray[np.float64], readings: Series, plan: RateChangePlan, scale: VolumeScale
) -> tuple[Part, ...]:
    """Get what came in each stretch; what the line still holds at its end counts for the next."""
    at_edges_u = np.interp(plan.edges_s, since_s, scale.delivered_u(readings))
    return tuple(
        Part(
            f"{stretch.name}, {stretch.rate_u_per_h:g} U/h",
            from_s,
            to_s,
            stretch.rate_u_per_h * stretch.duration_min / 60.0,
            scale.budget(float(volume_u), to_s - from_s),
        )
        for stretch, (from_s, to_s), volume_u in zip(
            plan.stretches, pairwise(plan.edges_s), np.diff(at_edges_u), strict=True
        )
    )


def _delays(
    since_s: NDArray[np.float64], readings: Series, plan: RateChangePlan, scale: VolumeScale
) -> dict[str, Budget]:
    """Get by how much later than programmed each change of flow came, in s, by the change's name."""
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


def rate_change_budgets(plan: RateChangePlan, parts: Sequence[Part], delays: Mapping[str, Budget]) -> dict[str, Budget]:
    """Get a budget for each number that is reported, by name; a stretch without delivery has an error in U."""
    errors = {
        plan.error_name(stretch): part.delivered.error_percent_of(part.programmed_u)
        if part.programmed_u
        else part.delivered
        for stretch, part in zip(plan.stretches, parts, strict=True)
    }
    return errors | {plan.delay_name(change): budget for change, budget in delays.items()}

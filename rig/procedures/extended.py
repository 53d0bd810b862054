"""Extended and multiwave boluses: their whole course on the balance, between two blank runs.

What comes at once, how evenly the rest is spread, when it begins and ends. Not responsible for limits, nor for what the
readings of one bolus show (`extended_course`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rig.analysis.budget import Budget
from rig.evidence import TestRecorder
from rig.limits import Measurement
from rig.procedures.bolus import (
    AVERAGED_S,
    SAMPLE_EVERY_S,
    DeliveredBolus,
    consecutive_boluses,
    logged_bolus_u,
    wait_for_rest,
)
from rig.procedures.budgets import bolus_budget, error_of, keep_budgets, mean_bolus_budget, measured
from rig.procedures.contents import profile_content
from rig.procedures.extended_course import (
    BEGINNING,
    END,
    SLOW_SAMPLE_EVERY_S,
    ExtendedCourse,
    ExtendedPlan,
    analyse_course,
)
from rig.procedures.sampling import Sample, sample_for, series
from rig.procedures.volume import VolumeScale
from rig.roles import Bench


@dataclass(frozen=True)
class ExtendedResult:
    """Each bolus, and the measurements that requirements ask for with the budget of each, by name."""

    boluses: tuple[ExtendedCourse, ...]
    measurements: tuple[Measurement, ...]
    budgets: dict[str, Budget]


def measure_extended(bench: Bench, record: TestRecorder, plan: ExtendedPlan) -> ExtendedResult:
    """Deliver the boluses over a basal rate of 0 and weigh their course; stops the pump at the end."""
    delivered, scale = consecutive_boluses(
        bench,
        record,
        count=plan.count,
        blank_s=plan.blank_s,
        deliver_one=lambda rest, number: _one_bolus(bench, record, plan, rest, number),
    )
    courses = tuple(analyse_course(bolus, plan, scale) for bolus in delivered)
    for number, course in enumerate(courses, start=1):
        of_several = f", {number} of {plan.count}" if plan.count > 1 else ""
        content = profile_content(
            plan.title + of_several,
            course=plan.course,
            at_s=course.at_s,
            delivered_u=course.delivered_u,
            parts=course.parts,
            moments=course.moments,
            evaporation=scale.evaporation,
        )
        record.analysis(f"profile-{number}", "profile", content)
    budgets = extended_budgets(plan, scale, courses)
    keep_budgets(record, plan.title, budgets)
    return ExtendedResult(courses, tuple(measured(name, budget) for name, budget in budgets.items()), budgets)


def _one_bolus(
    bench: Bench, record: TestRecorder, plan: ExtendedPlan, rest: list[Sample], number: int
) -> DeliveredBolus:
    """Deliver one bolus, from the rest before it to the rest after it.

    The extended part is given one dose interval more than programmed: between two doses a line is at rest too.
    """
    bolus, doing = plan.bolus, f"bolus {number} of {plan.count}, {plan.title}"
    start_s = bench.clock.now()
    bolus_id = bench.pump.deliver(bolus)
    record.step("bolus", number=number, bolus_id=bolus_id, fast_u=bolus.fast_u, extended_u=bolus.extended_u)
    during = sample_for(bench, record, doing, duration_s=plan.immediate_s, every_s=SAMPLE_EVERY_S)
    until_s = start_s + plan.duration_s + plan.dose_interval_s
    during += sample_for(bench, record, doing, duration_s=until_s - bench.clock.now(), every_s=SLOW_SAMPLE_EVERY_S)
    after = wait_for_rest(bench, record, doing)
    plateau_s = after[-1].at_s - AVERAGED_S
    logged_u = logged_bolus_u(bench, bolus_id)
    record.step("bolus at rest", number=number, logged_u=logged_u)
    return DeliveredBolus(
        series([*rest, *during, *after]), start_s, [sample for sample in after if sample.at_s >= plateau_s], logged_u
    )


def extended_budgets(plan: ExtendedPlan, scale: VolumeScale, courses: Sequence[ExtendedCourse]) -> dict[str, Budget]:
    """Get a budget for each number that is reported, by the name of its measurement.

    Of several boluses the total is their mean; every other number is that of the bolus that is farthest off.
    """
    names, parts = plan.names, [part for course in courses for part in course.parts]
    weighed = [course.weighed for course in courses]
    total = mean_bolus_budget(scale, weighed) if len(weighed) > 1 else bolus_budget(scale, weighed[0])
    immediate = [error_of(part.programmed_u, part.delivered) for part in parts if part.from_s == 0.0 < plan.immediate_s]
    slices = [part.delivered.error_percent_of(part.programmed_u) for part in parts if part.from_s >= plan.immediate_s]
    return {
        names.total: error_of(plan.insulin_u, total),
        **({names.immediate: _farthest(immediate)} if immediate else {}),
        names.largest_slice: max(slices, key=lambda budget: budget.value),
        names.smallest_slice: min(slices, key=lambda budget: budget.value),
        names.delay: _farthest([course.moments[BEGINNING] for course in courses]),
        names.end: _farthest([course.moments[END] for course in courses]),
    }


def _farthest(budgets: Sequence[Budget]) -> Budget:
    return max(budgets, key=lambda budget: abs(budget.value))

"""Consecutive boluses, each weighed on its own from rest to plateau, between two blank runs.

Not responsible for limits, nor for the formulas (`rig.analysis.bolus`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rig.analysis.bolus import BolusStatistics, WeighedBolus, bolus_statistics, plateau_reached, weigh_bolus
from rig.analysis.budget import Budget
from rig.errors import BlockedError
from rig.evidence import TestRecorder
from rig.limits import Measurement
from rig.procedures.between_blanks import between_blanks
from rig.procedures.budgets import bolus_budget, bolus_budgets, keep_budgets, measured
from rig.procedures.contents import bolus_content
from rig.procedures.gates import BLANK_S
from rig.procedures.preparation import start_therapy
from rig.procedures.sampling import Sample, Series, sample_for, series
from rig.procedures.volume import VolumeScale
from rig.roles import Bench, HistoryEvent, Metrology
from rig.units import u_from_ul, ul_from_u

SAMPLE_EVERY_S = 2.0
REST_SPAN_S = 60.0
AVERAGED_S = 30.0
"""Of the rest that was seen, the later part is averaged. The test of rest lets the foot of a tail pass in the earlier
part: with a tail that fades in 4.5 s that alone made 0.05 U read 0.06 % low (docs/uncertainty.md)."""
LONGEST_REST_S = 1800.0


class BolusNames(NamedTuple):
    """Names of the measurements of boluses of one size, by which requirements ask for them."""

    mean: str
    largest: str
    smallest: str
    logged: str

    @classmethod
    def of(cls, insulin_u: float) -> BolusNames:
        """Get the names for a size in U."""
        error, size = "bolus error at", f"{insulin_u:g} U"
        return cls(
            f"mean {error} {size}",
            f"largest {error} {size}",
            f"smallest {error} {size}",
            f"logged less weighed bolus volume at {size}",
        )


@dataclass(frozen=True)
class BolusPlan:
    """What to measure: so many boluses of one size in U, of `planned_s` each, between blank runs of `blank_s`."""

    insulin_u: float
    count: int
    planned_s: float
    blank_s: float = BLANK_S

    @property
    def names(self) -> BolusNames:
        """What the measurements are called."""
        return BolusNames.of(self.insulin_u)


@dataclass(frozen=True)
class BolusResult:
    """Each bolus in U, the statistics of all, and the measurements that requirements ask for.

    `budgets` has one for each weighed number, by its name.
    """

    statistics: BolusStatistics
    boluses: tuple[WeighedBolus, ...]
    logged_u: tuple[float, ...]
    measurements: tuple[Measurement, ...]
    budgets: dict[str, Budget]


def rest_tolerance_g(metrology: Metrology) -> float:
    """Get the change over `REST_SPAN_S` that counts as rest: 3.5 s/√n, below which noise decides, three times over."""
    readings = REST_SPAN_S / SAMPLE_EVERY_S
    return 3.0 * 3.5 * metrology.balance_repeatability_g / float(np.sqrt(readings))


def wait_for_rest(bench: Bench, record: TestRecorder, doing: str) -> list[Sample]:
    """Sample until the balance has come to rest; BlockedError when it does not in half an hour."""
    seen: list[Sample] = []

    def at_rest(sample: Sample) -> bool:
        seen.append(sample)
        recent = series(seen[-round(REST_SPAN_S / SAMPLE_EVERY_S) - 5 :])
        return plateau_reached(
            recent.at_s,
            recent.mass_g,
            span_s=REST_SPAN_S,
            tolerance_g=rest_tolerance_g(bench.metrology),
            evaporation_g_per_h=bench.metrology.evaporation_g_per_h,
        )

    samples = sample_for(bench, record, doing, duration_s=LONGEST_REST_S, every_s=SAMPLE_EVERY_S, until=at_rest)
    if samples[-1].at_s - samples[0].at_s >= LONGEST_REST_S:
        raise BlockedError(
            f"balance: not at rest after {LONGEST_REST_S / 60:g} min of {doing}; "
            "look for draught, a drip at the needle, or a leak"
        )
    return samples


def measure_boluses(bench: Bench, record: TestRecorder, plan: BolusPlan) -> BolusResult:
    """Deliver consecutive boluses over a basal rate of 0 and weigh each to its plateau; stops the pump at the end."""
    delivered, scale = consecutive_boluses(
        bench,
        record,
        count=plan.count,
        blank_s=plan.blank_s,
        deliver_one=lambda rest, number: _one_bolus(bench, record, plan, rest, number),
    )
    weighed = [weigh_delivered(bolus, plan.planned_s, scale) for bolus in delivered]
    logged = [bolus.logged_u for bolus in delivered]
    statistics = bolus_statistics([bolus.volume_ul for bolus in weighed], programmed_ul=ul_from_u(plan.insulin_u))
    budgets = bolus_budgets(plan.insulin_u, scale, weighed)
    measurements = _measurements(plan, budgets, weighed, logged)
    result = BolusResult(statistics, tuple(weighed), tuple(logged), measurements, budgets)
    record.analysis(
        "bolus",
        "bolus",
        bolus_content(
            statistics,
            u_u=[bolus_budget(scale, bolus).expanded for bolus in weighed],
            logged_u=logged,
            tail_percent=float(np.mean([bolus.tail_percent for bolus in weighed])),
            z_ul_per_mg=scale.z_ul_per_mg,
            evaporation=scale.evaporation,
        ),
    )
    keep_budgets(record, f"{plan.count} boluses of {plan.insulin_u:g} U", budgets)
    return result


def consecutive_boluses(
    bench: Bench,
    record: TestRecorder,
    *,
    count: int,
    blank_s: float,
    deliver_one: Callable[[list[Sample], int], DeliveredBolus],
) -> tuple[list[DeliveredBolus], VolumeScale]:
    """Deliver boluses over a basal rate of 0 between two blank runs; stops the pump at the end.

    `deliver_one` gets the rest before its bolus and its number from 1, and goes on to the rest after it.
    """

    def deliver() -> list[DeliveredBolus]:
        start_therapy(bench, record)
        rest = wait_for_rest(bench, record, "rest before the first bolus")
        delivered: list[DeliveredBolus] = []
        for number in range(1, count + 1):
            delivered.append(deliver_one(rest, number))
            rest = delivered[-1].rest
        return delivered

    return between_blanks(bench, record, rate_u_per_h=0.0, blank_s=blank_s, deliver=deliver)


@dataclass(frozen=True)
class DeliveredBolus:
    """One bolus, not weighed yet: the readings around it, its start, the rest after it, and what the pump logged."""

    readings: Series
    start_s: float
    rest: list[Sample]
    logged_u: float


def _one_bolus(bench: Bench, record: TestRecorder, plan: BolusPlan, rest: list[Sample], number: int) -> DeliveredBolus:
    """Deliver one bolus, from the rest before it to the rest after it."""
    start_s = bench.clock.now()
    bolus_id = bench.pump.bolus(plan.insulin_u)
    doing = f"bolus {number} of {plan.count}, {plan.insulin_u:g} U"
    record.step("bolus", number=number, bolus_id=bolus_id, insulin_u=plan.insulin_u)
    during = sample_for(bench, record, doing, duration_s=plan.planned_s, every_s=SAMPLE_EVERY_S)
    after = wait_for_rest(bench, record, doing)
    plateau_s = max(start_s + plan.planned_s, after[-1].at_s - AVERAGED_S)
    logged_u = logged_bolus_u(bench, bolus_id)
    record.step("bolus at rest", number=number, logged_u=logged_u)
    return DeliveredBolus(
        series([*rest, *during, *after]), start_s, [sample for sample in after if sample.at_s >= plateau_s], logged_u
    )


def weigh_delivered(bolus: DeliveredBolus, planned_s: float, scale: VolumeScale) -> WeighedBolus:
    """Weigh a bolus in µL from rest to rest; it was planned to last `planned_s`."""
    readings, planned_end_s = bolus.readings, bolus.start_s + planned_s
    return weigh_bolus(
        readings.at_s,
        readings.mass_g,
        start_s=bolus.start_s,
        planned_end_s=planned_end_s,
        plateau_s=max(planned_end_s, float(readings.at_s[-1]) - AVERAGED_S),
        z_ul_per_mg=scale.z_ul_per_mg,
        evaporation_g_per_h=scale.metrology.evaporation_g_per_h,
        u_evaporation_g_per_h=scale.metrology.evaporation_uncertainty_g_per_h,
    )


def logged_bolus_u(bench: Bench, bolus_id: int) -> float:
    """Get what the pump's log says of a bolus that has ended, in U; 0 when the log does not know it."""
    events = [event for event in bench.pump.history() if _tells_delivery(event, bolus_id)]
    return float(events[-1].fields["delivered_u"]) if events else 0.0


def _tells_delivery(event: HistoryEvent, bolus_id: int) -> bool:
    return event.kind == "bolus delivered" and event.fields.get("bolus_id") == bolus_id


def _measurements(
    plan: BolusPlan, budgets: Mapping[str, Budget], weighed: Sequence[WeighedBolus], logged_u: Sequence[float]
) -> tuple[Measurement, ...]:
    total_u = u_from_ul(sum(bolus.volume_ul for bolus in weighed))
    *deciding, _ = budgets.items()
    mean = deciding[0][1]
    u_mean = mean.expanded if mean.unit == "%" else 100.0 * mean.expanded / plan.insulin_u
    return (
        *(measured(name, budget) for name, budget in deciding),
        Measurement(plan.names.logged, 100.0 * (sum(logged_u) - total_u) / total_u, "%", u_mean),
    )

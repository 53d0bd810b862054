"""Occlusions one after the other at one threshold of the pump, and free delivery that must not be alarmed.

Not responsible for the steps of one occlusion (`occlusion`), nor for limits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from rig.analysis.budget import Budget, Input, combined
from rig.analysis.occlusion import alarm_times
from rig.analysis.uncertainty import COVERAGE_PERCENT
from rig.evidence import TestRecorder
from rig.limits import Measurement
from rig.procedures.between_blanks import between_blanks
from rig.procedures.bolus import wait_for_rest
from rig.procedures.budgets import keep_budgets, measured
from rig.procedures.gates import BLANK_S
from rig.procedures.occlusion import (
    LOOK_EVERY_S,
    RELEASE_S,
    OcclusionResult,
    OcclusionTest,
    occlusion_is_alarmed,
)
from rig.procedures.preparation import start_therapy
from rig.procedures.sampling import Sample, sample_for, series
from rig.procedures.volume import VolumeScale
from rig.roles import Bench
from rig.therapy import Setting

LEVELS: Mapping[str, float] = {"low": 0.0, "normal": 1.0, "high": 2.0}
"""Occlusion thresholds as people call them, and as `Setting.OCCLUSION_LEVEL` counts them."""
FREE_SAMPLE_EVERY_S = 300.0


class OcclusionNames(NamedTuple):
    """Names of the measurements of a series of occlusions, by which requirements ask for them."""

    unalarmed: str
    typical: str
    longest: str
    at_alarm: str
    highest: str
    missed: str
    released: str

    @classmethod
    def at(cls, title: str) -> OcclusionNames:
        """Get the names at a rate and threshold that are called `title`."""
        return cls(
            f"occlusions without an alarm at {title}",
            f"typical time to the alarm at {title}",
            f"longest time to the alarm at {title}",
            f"typical pressure at the alarm at {title}",
            f"highest pressure at {title}",
            f"largest missed volume at {title}",
            f"largest bolus on release at {title}",
        )


@dataclass(frozen=True)
class OcclusionPlan:
    """What to measure: `count` occlusions at a rate in U/h; `threshold` low, normal, high, or None: as it is set.

    Each has free delivery of `free_s` before, is given up after `giving_up_after_u` missed, and watched for `watch_s`.
    """

    rate_u_per_h: float
    threshold: str | None = None
    count: int = 1
    free_s: float = 600.0
    watch_s: float = 600.0
    giving_up_after_u: float = 7.0
    blank_s: float = BLANK_S

    @property
    def title(self) -> str:
        """What it is called: its rate and threshold."""
        return at_threshold(self.rate_u_per_h, self.threshold)

    @property
    def names(self) -> OcclusionNames:
        """What the measurements are called."""
        return OcclusionNames.at(self.title)


@dataclass(frozen=True)
class FreePlan:
    """What to measure: free delivery at a rate in U/h for `duration_s`; `threshold` as in `OcclusionPlan`."""

    rate_u_per_h: float
    duration_s: float
    threshold: str | None = None
    blank_s: float = BLANK_S

    @property
    def title(self) -> str:
        """What it is called: its rate and threshold."""
        return at_threshold(self.rate_u_per_h, self.threshold)

    @property
    def names(self) -> tuple[str, str]:
        """What the false alarms and the error of the delivery are called."""
        return f"false occlusion alarms at {self.title}", f"error of free delivery at {self.title}"


def at_threshold(rate_u_per_h: float, threshold: str | None) -> str:
    """Name a rate in U/h, and the threshold where one is set."""
    return f"{rate_u_per_h:g} U/h" + (f", threshold {threshold}" if threshold is not None else "")


@contextmanager
def threshold_set(bench: Bench, record: TestRecorder, threshold: str | None) -> Iterator[None]:
    """Set the pump's occlusion threshold for a while, and give it back as it was; None leaves it alone."""
    if threshold is None:
        yield
        return
    before = bench.pump.setting(Setting.OCCLUSION_LEVEL)
    bench.pump.set_setting(Setting.OCCLUSION_LEVEL, LEVELS[threshold])
    record.step("occlusion threshold", threshold=threshold)
    try:
        yield
    finally:
        bench.pump.set_setting(Setting.OCCLUSION_LEVEL, before)


def measure_occlusions(bench: Bench, record: TestRecorder, plan: OcclusionPlan) -> tuple[Measurement, ...]:
    """Occlude again and again between two blank runs; the first occlusion that is not alarmed is the last one."""
    with threshold_set(bench, record, plan.threshold):
        tests, scale = between_blanks(
            bench,
            record,
            rate_u_per_h=plan.rate_u_per_h,
            blank_s=plan.blank_s,
            deliver=lambda: _occlude(bench, record, plan),
        )
    results = [
        test.result(f"occlusion-{number}", scale, title=f"Occlusion {number} of {len(tests)} at {plan.title}")
        for number, test in enumerate(tests, start=1)
    ]
    record.analysis("occlusions", "occlusions", _content(plan, results))
    budgets = occlusion_budgets(plan, results, scale)
    keep_budgets(record, f"occlusions at {plan.title}", budgets)
    unalarmed = float(sum(not result.alarmed for result in results))
    return (
        Measurement(plan.names.unalarmed, unalarmed, "occlusions"),
        *(measured(name, budget) for name, budget in budgets.items()),
    )


def _occlude(bench: Bench, record: TestRecorder, plan: OcclusionPlan) -> list[OcclusionTest]:
    tests: list[OcclusionTest] = []
    while len(tests) < plan.count and all(test.alarmed for test in tests):
        test = OcclusionTest(bench, record, rate_u_per_h=plan.rate_u_per_h)
        test.deliver_freely(plan.free_s)
        test.close_outlet()
        test.wait_for_alarm(giving_up_after_u=plan.giving_up_after_u)
        test.watch_after_alarm(plan.watch_s)
        test.open_outlet()
        tests.append(test)
    return tests


def occlusion_budgets(plan: OcclusionPlan, results: Sequence[OcclusionResult], scale: VolumeScale) -> dict[str, Budget]:
    """Get a budget for each number that is reported of a series, by the name of its measurement.

    The pump is asked every `LOOK_EVERY_S`: an alarm is seen up to that much late. For an occlusion that was not alarmed
    the time is that until it was given up.
    """
    late_s = LOOK_EVERY_S / math.sqrt(3.0)
    times = alarm_times([result.alarm.time_to_alarm_s for result in results])
    typical_kpa = median(result.alarm.pressure_at_alarm_kpa for result in results)
    u_kpa = scale.metrology.pressure_expanded_uncertainty_kpa / 2.0
    worst = max(results, key=lambda result: result.missed_u)
    missed = scale.budget(worst.missed_u, worst.alarm.time_to_alarm_s)
    names = plan.names
    return {
        names.typical: _with_one_source(times.typical_s, "s", "time between looks at the pump", late_s),
        names.longest: _with_one_source(times.longest_s, "s", "time between looks at the pump", late_s),
        names.at_alarm: _with_one_source(typical_kpa, "kPa", "pressure sensor", u_kpa),
        names.highest: _with_one_source(
            max(result.alarm.pressure_max_kpa for result in results), "kPa", "pressure sensor", u_kpa
        ),
        names.missed: missed.plus("time between looks at the pump", "B", plan.rate_u_per_h * late_s / 3600.0),
        names.released: scale.budget(max(result.released_u for result in results), RELEASE_S),
    }


def _with_one_source(value: float, unit: str, source: str, u: float) -> Budget:
    known = Input(source, "B", 0.0, unit, u)
    return combined(value + known.number, unit, [known], COVERAGE_PERCENT)


def _content(plan: OcclusionPlan, results: Sequence[OcclusionResult]) -> dict[str, object]:
    return {
        "title": f"Occlusions at {plan.title}",
        "rate_u_per_h": plan.rate_u_per_h,
        "occlusions": [
            {
                "time_to_alarm_s": result.alarm.time_to_alarm_s if result.alarmed else None,
                "pressure_at_alarm_kpa": result.alarm.pressure_at_alarm_kpa,
                "missed_u": result.missed_u,
                "released_u": result.released_u,
            }
            for result in results
        ],
    }


def measure_free_delivery(bench: Bench, record: TestRecorder, plan: FreePlan) -> tuple[Measurement, ...]:
    """Deliver with the outlet open between two blank runs, and look for occlusion alarms; it ends at the first one.

    What was delivered by then is weighed beside: a pump that delivers nothing alarms nothing.
    """
    with threshold_set(bench, record, plan.threshold):
        (samples, alarmed), scale = between_blanks(
            bench,
            record,
            rate_u_per_h=plan.rate_u_per_h,
            blank_s=plan.blank_s,
            deliver=lambda: _deliver_freely(bench, record, plan),
        )
    readings = series(samples)
    lasted_s = float(readings.at_s[-1] - readings.at_s[0])
    delivered = scale.budget(float(scale.delivered_u(readings)[-1]), lasted_s)
    false_alarms, error = plan.names
    budgets = {error: delivered.error_percent_of(plan.rate_u_per_h * lasted_s / 3600.0)}
    keep_budgets(record, f"free delivery at {plan.title}", budgets)
    return Measurement(false_alarms, float(alarmed), "alarms"), measured(error, budgets[error])


def _deliver_freely(bench: Bench, record: TestRecorder, plan: FreePlan) -> tuple[list[Sample], bool]:
    """Deliver up to the rest after it; returns the samples, and whether an occlusion was alarmed."""
    start_therapy(bench, record)
    samples = sample_for(
        bench,
        record,
        f"free delivery at {plan.title}",
        duration_s=plan.duration_s,
        every_s=FREE_SAMPLE_EVERY_S,
        until=lambda _: occlusion_is_alarmed(bench),
    )
    alarmed = occlusion_is_alarmed(bench)
    record.step("false occlusion alarm" if alarmed else "no occlusion alarm", hours=plan.duration_s / 3600.0)
    bench.pump.stop()
    wait_for_rest(bench, record, "rest after free delivery")
    return samples, alarmed

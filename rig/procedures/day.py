"""A day in a person's life on a pump: its profile, its meals, sport and corrections, weighed hour by hour.

The pump's own calculator doses meals and corrections. At the end the log, the reservoir's account and the balance are
reconciled. Not responsible for limits, nor for the programme's arithmetic (`rig.analysis.programme`).
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rig.analysis.programme import MINUTES_A_DAY, Started, programmed_u
from rig.evidence import TestRecorder
from rig.limits import Measurement
from rig.procedures.bolus import wait_for_rest
from rig.procedures.preparation import prepare, start_therapy
from rig.procedures.sampling import Sample, sample_for, series
from rig.procedures.volume import VolumeScale
from rig.roles import Bench, Capability, HistoryEvent
from rig.therapy import BasalSegment, Bolus, BolusReason, Meal, ProfileBlock, ProfileKind, TemporaryRate
from rig.units import parse, parse_time_of_day

SAMPLE_EVERY_S = 60.0
MIDNIGHT = datetime.datetime(2026, 1, 1)
BOLUS_U_PER_MIN = 1.5
EXTENDED_STEP_U = 0.05
"""Multiples of it can be told to a pump up to 20 U: an SFLOAT has three digits and a little more."""
NEEDS = (
    Capability.BASAL_PROFILE,
    Capability.FAST_BOLUS,
    Capability.MULTIWAVE_BOLUS,
    Capability.TEMPORARY_BASAL,
    Capability.CALCULATOR,
    Capability.CLOCK,
    Capability.DAILY_TOTAL,
    Capability.HISTORY,
    Capability.RESERVOIR_LEVEL,
)
"""What a pump must be able to do for a whole day."""


@dataclass(frozen=True)
class Eating:
    """A meal, or a correction without one; a share of its insulin may be extended, as for protein and fat."""

    meal: Meal
    extended_share: float = 0.0
    duration_min: int = 0


@dataclass(frozen=True)
class Moment:
    """What happens at a minute since midnight."""

    at_min: int
    what: Eating | TemporaryRate


@dataclass(frozen=True)
class Person:
    """A person's basal profile and what their calculator works with."""

    profile: tuple[BasalSegment, ...]
    sensitivity_mg_per_dl: float
    carbohydrate_ratio_g: float
    target_mg_per_dl: float


@dataclass(frozen=True)
class DayPlan:
    """A person and the moments of one day, in their order."""

    name: str
    person: Person
    moments: tuple[Moment, ...]
    reservoir_u: float = 200.0


@dataclass
class _Lived:
    """What was asked of the pump, when, and what was read meanwhile."""

    started: list[Started] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)


def read_profile(segments: Sequence[str]) -> tuple[BasalSegment, ...]:
    """Read a basal profile from words such as "04:00 1.2 U/h"; ValueError unless it begins at 00:00 and goes on."""
    parts = [segment.split(maxsplit=1) for segment in segments]
    starts = [parse_time_of_day(part[0]) for part in parts]
    if any(len(part) != 2 for part in parts) or starts[:1] != [0] or starts != sorted(set(starts)):
        raise ValueError(f"{', '.join(segments)!r} is not a profile: times from 00:00 on, each with a rate in U/h")
    rates = [parse(part[1], "rate_u_per_h") for part in parts]
    ends = [*starts[1:], int(MINUTES_A_DAY)]
    return tuple(BasalSegment(end - start, rate) for start, end, rate in zip(starts, ends, rates, strict=True))


def live_a_day(bench: Bench, record: TestRecorder, plan: DayPlan) -> tuple[Measurement, ...]:
    """Live the plan's 24 h from midnight on the pump's clock; returns errors of each hour, and of the accounts."""
    scale = VolumeScale.of(bench, prepare(bench, record, rate_u_per_h=0.0, reservoir_u=plan.reservoir_u))
    _set_up(bench, plan.person)
    rest = wait_for_rest(bench, record, "rest before the day")
    first_event = bench.pump.history()[-1].sequence + 1
    lived = _Lived(samples=[rest[-1]])
    midnight_s = _begin(bench, record, plan.person)
    for moment, following in zip((None, *plan.moments), (*plan.moments, None), strict=True):
        if moment is not None:
            _do(bench, record, moment, lived, midnight_s)
        until_s = midnight_s + (following.at_min if following else MINUTES_A_DAY) * 60.0
        doing = f"{plan.name}, until {_time_of_day(following.at_min if following else 1440)}"
        lived.samples += sample_for(
            bench, record, doing, duration_s=max(until_s - bench.clock.now(), 0.0), every_s=SAMPLE_EVERY_S
        )
    total = bench.pump.daily_total()  # of the day before, should its midnight just have passed
    bench.pump.stop()
    lived.samples += wait_for_rest(bench, record, "rest after the day")
    events = [event for event in bench.pump.history() if event.sequence >= first_event]
    measurements, content = _evaluate(plan, scale, lived, midnight_s, events, bench.pump.status().reservoir_u)
    record.step("the pump's total of the day", bolus_u=total.bolus_u, basal_u=total.basal_u)
    record.analysis("day", "day", content)
    return measurements


def _set_up(bench: Bench, person: Person) -> None:
    pump = bench.pump
    for kind, values in (
        (ProfileKind.SENSITIVITY, (person.sensitivity_mg_per_dl,)),
        (ProfileKind.CARBOHYDRATE_RATIO, (person.carbohydrate_ratio_g,)),
        (ProfileKind.TARGET_GLUCOSE, (person.target_mg_per_dl, person.target_mg_per_dl)),
    ):
        pump.set_profile(kind, [ProfileBlock(int(MINUTES_A_DAY), values)])
    pump.set_basal_profile(person.profile)


def _begin(bench: Bench, record: TestRecorder, person: Person) -> float:
    """Set the pump's clock to midnight and start therapy; returns the bench's time of that midnight."""
    bench.pump.set_clock(MIDNIGHT)
    midnight_s = bench.clock.now()
    start_therapy(bench, record)
    record.step("midnight", segments=len(person.profile))
    return midnight_s


def _do(bench: Bench, record: TestRecorder, moment: Moment, lived: _Lived, midnight_s: float) -> None:
    what = moment.what
    if isinstance(what, TemporaryRate):
        bench.pump.set_temporary_rate(what)
        record.step(
            "temporary rate", factor=what.factor, rate_u_per_h=what.rate_u_per_h, duration_min=what.duration_min
        )
        lived.started.append(Started((bench.clock.now() - midnight_s) / 60.0, what))
        return
    advice = bench.pump.calculate(what.meal)
    record.step("calculated", meal_u=advice.meal_u, correction_u=advice.correction_u, total_u=advice.total_u)
    extended_u = int(advice.meal_u * what.extended_share / EXTENDED_STEP_U + 1e-9) * EXTENDED_STEP_U
    bolus = Bolus(
        fast_u=round(advice.total_u - extended_u, 3),
        extended_u=round(extended_u, 3),
        duration_min=what.duration_min if extended_u else 0,
        reason=BolusReason.MEAL_AND_CORRECTION if what.meal.carbohydrate_g else BolusReason.CORRECTION,
        recommended=True,
    )
    if not advice.total_u:
        return  # the insulin on board is enough
    bench.pump.deliver(bolus)
    record.step("bolus", fast_u=bolus.fast_u, extended_u=bolus.extended_u, duration_min=bolus.duration_min)
    lived.started.append(Started((bench.clock.now() - midnight_s) / 60.0, bolus))


def _evaluate(
    plan: DayPlan,
    scale: VolumeScale,
    lived: _Lived,
    midnight_s: float,
    events: Sequence[HistoryEvent],
    reservoir_u: float | None,
) -> tuple[tuple[Measurement, ...], dict[str, Any]]:
    readings = series(lived.samples)
    delivered_u = scale.delivered_u(readings)
    hours_s = midnight_s + 3600.0 * np.arange(25)
    weighed: list[float] = np.diff(np.interp(hours_s, readings.at_s, delivered_u)).tolist()
    programmed = [
        programmed_u(
            plan.person.profile, lived.started, 60.0 * hour, 60.0 * hour + 60.0, bolus_u_per_min=BOLUS_U_PER_MIN
        )
        for hour in range(24)
    ]
    errors = [100.0 * (got - wanted) / wanted for got, wanted in zip(weighed, programmed, strict=True)]
    worst = max(range(24), key=lambda hour: abs(errors[hour]))
    u_hour = 100.0 * scale.expanded_uncertainty_u(weighed[worst], 3600.0) / programmed[worst]
    whole_u = float(delivered_u[-1])
    u_whole = 100.0 * scale.expanded_uncertainty_u(whole_u, float(readings.at_s[-1] - readings.at_s[0])) / whole_u
    logged_u = _logged_u(events)
    measurements = [
        Measurement("largest error of an hour of the day", max(errors), "%", u_hour),
        Measurement("smallest error of an hour of the day", min(errors), "%", u_hour),
        Measurement("error of the day", 100.0 * (whole_u - sum(programmed)) / sum(programmed), "%", u_whole),
        Measurement("logged less weighed insulin of the day", 100.0 * (logged_u - whole_u) / whole_u, "%", u_whole),
    ]
    if reservoir_u is not None:
        used_u = plan.reservoir_u - reservoir_u
        measurements.append(
            Measurement("reservoir less weighed insulin of the day", 100.0 * (used_u - whole_u) / whole_u, "%", u_whole)
        )
    content = {
        "title": plan.name,
        "programmed_u": programmed,
        "weighed_u": weighed,
        "logged_u": logged_u,
        "delivered_u": whole_u,
        "reservoir_u": reservoir_u,
    }
    return tuple(measurements), content


def _logged_u(events: Sequence[HistoryEvent]) -> float:
    """Add up what the log says was delivered: its boluses, and the basal insulin of its daily totals.

    The day's last doses may lie behind the pump's midnight; that total is still open, and the pump is stopped then.
    """
    boluses = sum(float(event.fields["delivered_u"]) for event in events if event.kind == "bolus delivered")
    basal = sum(float(event.fields["basal_u"]) for event in events if event.kind == "daily total")
    return boluses + basal


def _time_of_day(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"

"""A day in a person's life on a pump: its profile, its meals, sport and corrections, weighed hour by hour.

The pump's own calculator doses meals and corrections; what they should bring is the oracle's (`day_reckoned`). At the
end the log, the reservoir's account and the balance are reconciled. Not responsible for limits, nor for the programme's
arithmetic (`rig.analysis.programme`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from rig.analysis.budget import Budget
from rig.analysis.programme import Started, programmed_u
from rig.errors import RefusedError
from rig.procedures.at_once import at_once
from rig.procedures.between_blanks import between_blanks, scale_between_blanks
from rig.procedures.bounds import Carbohydrates, Dose, Glucose, Size, Word
from rig.procedures.budgets import measured, told_less_weighed
from rig.procedures.calculator_rules import Settings
from rig.procedures.day_in_words import Eat, Exercise, Profile, segments_of, time_of_day
from rig.procedures.day_reckoned import DayIsReckoned, Reckoning, reckoned
from rig.procedures.from_sheet import FromSheet
from rig.procedures.gaps import doubt_in_gaps, with_doubt
from rig.procedures.parameters import PERSON
from rig.procedures.preparation import MIDNIGHT, MINUTES_A_DAY, start_therapy
from rig.procedures.procedure import BetweenBlanks, Computed
from rig.procedures.rate_change import RATE_OVER
from rig.procedures.rest import wait_for_rest
from rig.procedures.sampling import sample_for
from rig.record.analyses import DayNumbers
from rig.record.taking import Fact, Recorder, Taken, joined
from rig.roles import Bench, Capability, Metrology, require
from rig.therapy import (
    BasalSegment,
    BolusAdvice,
    BolusReason,
    BolusRequest,
    ProfileBlock,
    ProfileKind,
    Setting,
    TemporaryRate,
)
from rig.therapy.calculator import Factors
from rig.verdicts.quantities import Kind, Quantity

SAMPLE_EVERY_S = 60.0
LONGEST_GAP_S = 900.0
"""A quarter of an hour without a reading leaves no hour to judge."""
BOLUS_U_PER_MIN = 1.5
EXTENDED_STEP_U = 0.05
"""Multiples of it can be told to a pump up to 20 U: an SFLOAT has three digits and a little more."""
BEFORE, DAY, AFTER = "rest before the day", "day", "rest after the day"


def _kind(name: str, sentence: str, meaning: str, unit: str = "%") -> Kind:
    return Kind(f"day.{name}", f"{sentence} of {{person}}", (unit,), (PERSON,), meaning)


LARGEST = _kind("largest_hour_error", "largest error of an hour of the day", "Largest error of the 24 single hours.")
SMALLEST = _kind("smallest_hour_error", "smallest error of an hour of the day", "Smallest error of the 24 hours.")
WHOLE = _kind("error", "error of the day", "Error of the whole day, from the rest before it to the rest after it.")
LOGGED = _kind(
    "logged_less_weighed",
    "logged less weighed insulin of the day",
    "Boluses and basal insulin that the pump logs, less what was weighed, in % of it.",
)
RESERVOIR = _kind(
    "reservoir_less_weighed",
    "reservoir less weighed insulin of the day",
    "What the pump says has left its reservoir, less what was weighed, in % of it.",
)
IDLE = _kind(
    "idle_hour",
    "most insulin of an idle hour of the day",
    "Most that came in an hour in which less than one dose was programmed: an error in % has no meaning there.",
    "U",
)


class DayBegan(Fact):
    """Midnight on the pump's clock, at the bench's second; entries of its log from this number on are the day's."""

    first_entry: int


class Told(Fact):
    """What the pump was told at a minute of the day: a bolus in its parts, in U, a temporary rate, or nothing."""

    at_min: float
    duration_min: int
    fast_u: float = 0.0
    extended_u: float = 0.0
    rate_u_per_h: float | None = None
    factor: float | None = None

    @property
    def bolus(self) -> BolusRequest:
        """The bolus, which may be of nothing."""
        return BolusRequest(self.fast_u, self.extended_u, self.duration_min)

    @property
    def started(self) -> Started | None:
        """The same, for the arithmetic of programmes; None for a meal that insulin on board was enough for."""
        if self.rate_u_per_h is not None or self.factor is not None:
            return Started(self.at_min, TemporaryRate(self.duration_min, self.rate_u_per_h, self.factor))
        if not self.fast_u and not self.extended_u:
            return None
        return Started(self.at_min, self.bolus)


class DayAccounts(Fact):
    """What the pump says of the day: insulin that its log adds up to, and what its reservoir has left, in U.

    The log's boluses, and the basal insulin of its daily totals: the day's last doses may lie behind the pump's
    midnight; that total is still open, and the pump is stopped then. `reservoir_u` is None when it cannot tell.
    """

    bolus_u: tuple[float, ...]
    basal_u: tuple[float, ...]
    reservoir_u: float | None


class Day(BetweenBlanks):
    """Live a person's day from midnight to midnight, weighed hour by hour and reconciled with log and reservoir."""

    TABLE: ClassVar = "day"
    KEYWORD: ClassVar = ""
    KINDS: ClassVar = (LARGEST, SMALLEST, WHOLE, LOGGED, RESERVOIR, IDLE)
    EXPECTED: ClassVar = frozenset({RATE_OVER, "reservoir low"})

    called: Word
    person: Word
    profile: Profile
    sensitivity_mg_per_dl: Annotated[Glucose, Field(alias="sensitivity")]
    ratio_g: Annotated[Carbohydrates, Field(alias="ratio", gt=0)]
    target_mg_per_dl: Annotated[Glucose, Field(alias="target")]
    eat: tuple[Eat, ...] = ()
    exercise: tuple[Exercise, ...] = ()
    reservoir_u: Annotated[Size, Field(alias="reservoir")] = 200.0
    dose_u: Annotated[Dose, FromSheet("dose.size"), Field(alias="dose")] = 0.025

    @model_validator(mode="after")
    def _something_is_programmed(self) -> Self:
        if not any(rate_u_per_h for _, rate_u_per_h in self.profile):
            raise ValueError("the profile is 0 U/h all day: a day has errors only where insulin is programmed")
        return self

    @model_validator(mode="after")
    def _one_thing_at_a_time(self) -> Self:
        minutes = [each.at_min for each in (*self.eat, *self.exercise)]
        for minute in minutes:
            if minutes.count(minute) > 1:
                raise ValueError(f"two things happen at {time_of_day(minute)}")
        return self

    @property
    def title(self) -> str:
        """What the day is called."""
        return self.called

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (
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

    @property
    def needed_u(self) -> float:
        """Insulin that the reservoir is told to hold, in U."""
        return self.reservoir_u

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures; idle hours only where some rate of the day is below a dose an hour."""
        kinds = (LARGEST, SMALLEST, WHOLE, LOGGED, RESERVOIR, *((IDLE,) if self._may_be_idle else ()))
        return tuple(kind.of(person=self.person) for kind in kinds)

    @property
    def bench_time_s(self) -> float:
        """The day and what is around it, in s."""
        return 86400.0 + self.around_s

    @property
    def extent(self) -> Mapping[str, float]:
        """How many meals it has, corrections without a meal, and temporary rates for exercise."""
        meals = sum(eat.carbohydrates_g > 0.0 for eat in self.eat)
        return {"meals": meals, "corrections": len(self.eat) - meals, "exercises": len(self.exercise)}

    @property
    def _may_be_idle(self) -> bool:
        lowest_u_per_h = min(rate_u_per_h for _, rate_u_per_h in self.profile)
        shares = [factor for _, factor in (each.rate for each in self.exercise) if factor is not None]
        rates_u_per_h = [rate for rate, _ in (each.rate for each in self.exercise) if rate is not None]
        return min([lowest_u_per_h * min([1.0, *shares]), *rates_u_per_h]) < self.dose_u

    @property
    def segments(self) -> tuple[BasalSegment, ...]:
        """The basal profile as the pump is told."""
        return segments_of(self.profile)

    @property
    def moments(self) -> Sequence[Eat | Exercise]:
        """What happens, in its order."""
        return sorted((*self.eat, *self.exercise), key=lambda each: each.at_min)

    def take(self, bench: Bench, record: Recorder) -> None:
        """Live the 24 h from midnight on the pump's clock."""
        between_blanks(
            bench,
            record,
            rate_u_per_h=0.0,
            blank_s=self.blank_s,
            deliver=lambda: self._live(bench, record),
            reservoir_u=self.reservoir_u,
        )

    def _live(self, bench: Bench, record: Recorder) -> None:
        log = require(bench.pump, Capability.HISTORY)
        accounts = require(bench.pump, Capability.DAILY_TOTAL)
        self._set_up(bench)
        record.fact(_with_settings(bench))
        wait_for_rest(bench, record, BEFORE)
        first_entry = log.history()[-1].sequence + 1
        midnight_s = at_once(bench.clock, "starting the day", lambda: _begin(bench, record, first_entry))
        record.step("midnight", segments=len(self.segments))
        for moment, until_min in self._stretches():
            if moment is not None:
                self._do(bench, record, moment, midnight_s)
            left_s = max(midnight_s + until_min * 60.0 - bench.clock.now(), 0.0)
            sample_for(bench, record, DAY, duration_s=left_s, every_s=SAMPLE_EVERY_S, longest_gap_s=LONGEST_GAP_S)
        total = accounts.daily_total()  # of the day before, should its midnight just have passed
        bench.pump.stop()
        wait_for_rest(bench, record, AFTER)
        events = [event for event in log.history() if event.sequence >= first_entry]
        record.fact(
            DayAccounts(
                at_s=bench.clock.now(),
                bolus_u=tuple(float(e.fields["delivered_u"]) for e in events if e.kind == "bolus delivered"),
                basal_u=tuple(float(e.fields["basal_u"]) for e in events if e.kind == "daily total"),
                reservoir_u=bench.pump.status().reservoir_u,
            )
        )
        record.step("the pump's total of the day", bolus_u=total.bolus_u, basal_u=total.basal_u)

    def _stretches(self) -> Iterator[tuple[Eat | Exercise | None, int]]:
        """Walk through the day: what happens, and until which minute nothing else does."""
        ends = [*(moment.at_min for moment in self.moments), MINUTES_A_DAY]
        yield from zip((None, *self.moments), ends, strict=True)

    def _set_up(self, bench: Bench) -> None:
        calculator = require(bench.pump, Capability.CALCULATOR)
        for kind, values in (
            (ProfileKind.SENSITIVITY, (self.sensitivity_mg_per_dl,)),
            (ProfileKind.CARBOHYDRATE_RATIO, (self.ratio_g,)),
            (ProfileKind.TARGET_GLUCOSE, (self.target_mg_per_dl, self.target_mg_per_dl)),
        ):
            calculator.set_profile(kind, [ProfileBlock(MINUTES_A_DAY, values)])
        require(bench.pump, Capability.BASAL_PROFILE).set_basal_profile(self.segments)

    def _do(self, bench: Bench, record: Recorder, moment: Eat | Exercise, midnight_s: float) -> None:
        if isinstance(moment, Exercise):
            what = moment.temporary
            change = require(bench.pump, Capability.TEMPORARY_BASAL).set_temporary_rate
            at_once(bench.clock, "starting a temporary rate", partial(change, what))
            record.step(
                "temporary rate", factor=what.factor, rate_u_per_h=what.rate_u_per_h, duration_min=what.duration_min
            )
            at_s = bench.clock.now()
            record.fact(
                Told(
                    at_s=at_s,
                    at_min=(at_s - midnight_s) / 60.0,
                    duration_min=what.duration_min,
                    rate_u_per_h=what.rate_u_per_h,
                    factor=what.factor,
                )
            )
            return
        advice = _advice(bench, record, moment)
        record.step("calculated", meal_u=advice.meal_u, correction_u=advice.correction_u, total_u=advice.total_u)
        share = moment.extended_percent / 100.0
        extended_u = int(advice.meal_u * share / EXTENDED_STEP_U + 1e-9) * EXTENDED_STEP_U
        told = BolusRequest(
            fast_u=round(advice.total_u - extended_u, 3),
            extended_u=round(extended_u, 3),
            duration_min=round(moment.over_s / 60.0) if extended_u else 0,
            reason=BolusReason.MEAL_AND_CORRECTION if moment.carbohydrates_g else BolusReason.CORRECTION,
            recommended=True,
        )
        bolus = told if advice.total_u else BolusRequest()  # the insulin on board may be enough
        if advice.total_u:
            deliver = require(bench.pump, Capability.MULTIWAVE_BOLUS).deliver
            try:
                at_once(bench.clock, "starting a bolus", partial(deliver, bolus))
                record.step("bolus", fast_u=bolus.fast_u, extended_u=bolus.extended_u, duration_min=bolus.duration_min)
            except RefusedError as error:  # what does not come is weighed
                record.step("bolus refused", reason=str(error))
                bolus = BolusRequest()
        at_s = bench.clock.now()
        record.fact(
            Told(
                at_s=at_s,
                at_min=(at_s - midnight_s) / 60.0,
                duration_min=bolus.duration_min,
                fast_u=bolus.fast_u,
                extended_u=bolus.extended_u,
            )
        )

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Compute the error of each hour and of the day, and hold the pump's accounts against the balance."""
        scale = scale_between_blanks(taken, metrology, blank_s=self.blank_s)
        before = taken.series(BEFORE)
        readings = joined(before.part(slice(-1, None)), taken.series(DAY), taken.series(AFTER))
        delivered_u = scale.delivered_u(readings)
        hours_s = taken.the(DayBegan).at_s + 3600.0 * np.arange(25, dtype=np.float64)
        weighed: list[float] = np.diff(np.interp(hours_s, readings.at_s, delivered_u)).tolist()
        doubt_u = doubt_in_gaps(readings.at_s, delivered_u, hours_s, every_s=SAMPLE_EVERY_S)
        started = self._due(taken)
        programmed = [
            programmed_u(self.segments, started, 60.0 * hour, 60.0 * hour + 60.0, bolus_u_per_min=BOLUS_U_PER_MIN)
            for hour in range(24)
        ]
        hours = [
            with_doubt(scale.budget(insulin_u, 3600.0), float(before_u + after_u))
            for insulin_u, (before_u, after_u) in zip(weighed, pairwise(doubt_u), strict=True)
        ]
        whole = scale.budget(float(delivered_u[-1]), float(readings.at_s[-1] - readings.at_s[0]))
        budgets = self._budgets(hours, programmed, whole, taken.the(DayAccounts))
        accounts = taken.the(DayAccounts)
        content = DayNumbers(
            title=self.called,
            programmed_u=tuple(programmed),
            weighed_u=tuple(weighed),
            u_u=tuple(hour.expanded for hour in hours),
            logged_u=sum(accounts.bolus_u) + sum(accounts.basal_u),
            delivered_u=whole.value,
            reservoir_u=accounts.reservoir_u,
            evaporation=scale.evaporation,
        )
        measurements = tuple(measured(quantity, budget) for quantity, budget in budgets.items())
        return Computed(measurements, {"day": content}, budgets)

    def _due(self, taken: Taken) -> list[Started]:
        """List what should have been delivered beside the profile: the oracle's boluses, and the temporary rates.

        A record of an earlier version has what the pump's calculator proposed.
        """
        told = taken.exactly(len(self.moments), Told)
        settings = taken.facts(DayIsReckoned)
        if not settings:
            return [started for each in told if (started := each.started) is not None]
        factors = Factors(self.sensitivity_mg_per_dl, self.ratio_g, self.target_mg_per_dl)
        boluses = reckoned(
            self.moments, [(each.at_min, each.bolus) for each in told], Reckoning(factors, settings[0], EXTENDED_STEP_U)
        )
        due = [
            each.started if bolus is None else Started(each.at_min, bolus)
            for each, bolus in zip(told, boluses, strict=True)
        ]
        return [started for started in due if started is not None]

    def _budgets(
        self, hours: Sequence[Budget], programmed: Sequence[float], whole: Budget, accounts: DayAccounts
    ) -> dict[Quantity, Budget]:
        """Write a budget for each number that is reported: each extreme has that of its own hour."""
        due = [(hour, due_u) for hour, due_u in zip(hours, programmed, strict=True) if due_u >= self.dose_u]
        errors = [hour.error_percent_of(due_u) for hour, due_u in due]
        idle = [hour for hour, due_u in zip(hours, programmed, strict=True) if due_u < self.dose_u]
        budgets = {}
        if errors:
            budgets[LARGEST] = max(errors, key=lambda error: error.value)
            budgets[SMALLEST] = min(errors, key=lambda error: error.value)
        budgets[WHOLE] = whole.error_percent_of(sum(programmed))
        if whole.value > 0.0:  # of nothing no account differs by a percentage, and the error of the day says it
            logged_u = sum(accounts.bolus_u) + sum(accounts.basal_u)
            budgets[LOGGED] = told_less_weighed(logged_u, whole)
            if accounts.reservoir_u is not None:
                budgets[RESERVOIR] = told_less_weighed(self.reservoir_u - accounts.reservoir_u, whole)
        if idle:
            budgets[IDLE] = max(idle, key=lambda hour: hour.value)
        return {kind.of(person=self.person): budget for kind, budget in budgets.items()}


def _advice(bench: Bench, record: Recorder, eat: Eat) -> BolusAdvice:
    """Ask the pump's calculator; one that refuses proposes nothing."""
    try:
        return require(bench.pump, Capability.CALCULATOR).calculate(eat.meal)
    except RefusedError as error:
        record.step("nothing calculated", reason=str(error))
        return BolusAdvice(0.0, 0.0, 0.0, 0.0)


def _with_settings(bench: Bench) -> DayIsReckoned:
    """Set what the calculator reckons with, as far as the pump has settings, and say it for the record."""
    usual = Settings()
    if Capability.SETTINGS in bench.pump.capabilities:
        settings = require(bench.pump, Capability.SETTINGS)
        settings.set_setting(Setting.INSULIN_ACTION_MIN, float(usual.action_min))
        settings.set_setting(Setting.CURVILINEAR_ON_BOARD, float(usual.curvilinear))
        settings.set_setting(Setting.REVERSE_CORRECTION, float(usual.reverse_correction))
        settings.set_setting(Setting.MIN_GLUCOSE_MG_PER_DL, usual.min_glucose_mg_per_dl)
    return DayIsReckoned(
        at_s=bench.clock.now(), action_min=usual.action_min, min_glucose_mg_per_dl=usual.min_glucose_mg_per_dl
    )


def _begin(bench: Bench, record: Recorder, first_entry: int) -> float:
    """Make it midnight on the pump's clock and start therapy; returns when, in s."""
    require(bench.pump, Capability.CLOCK).set_clock(MIDNIGHT)
    midnight_s = bench.clock.now()
    record.fact(DayBegan(at_s=midnight_s, first_entry=first_entry))
    start_therapy(bench, record)
    return midnight_s

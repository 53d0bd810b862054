"""Delivery through a fault of fluid path or drive: what came, when it was alarmed, and what the pump's account claims.

The same course for every such fault: free delivery, the fault for a fixed time whatever the pump does, and a fixed time
after it. Three accounts are compared at its end: what was weighed, what the pump logs, what its reservoir fell by. No
pump can know of insulin that leaks or of air that takes its place: then its log says what its motor delivered, and what
was weighed is less. Not responsible for limits, nor for what a fault is (`rig.faults`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from rig.analysis.budget import Budget
from rig.procedures.alarm_course import AlarmCourse, AlarmsSeen, runs
from rig.procedures.answers import ask_for_bolus, ask_pump
from rig.procedures.astray import AccountRead, AccountReader
from rig.procedures.bolus import STANDARD_BOLUS_U_PER_H
from rig.procedures.bounds import RateOrNone, Size, lasting
from rig.procedures.budgets import measured, with_one_source
from rig.procedures.parameters import FAULT
from rig.procedures.preparation import MIDNIGHT
from rig.procedures.procedure import Computed
from rig.procedures.provoking import provoking
from rig.procedures.rest import SAMPLE_EVERY_S, wait_for_rest
from rig.procedures.sampling import Sample, sample_for
from rig.procedures.under_fault import TAIL_S, UnderFault, came, scale_of_bench, without_blanks
from rig.procedures.volume import VolumeScale
from rig.record.taking import Fact, Recorder, Series, Taken, joined
from rig.roles import Bench, Capability, Metrology, require
from rig.toml_files import TimeS
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Parameter, Quantity

RESERVOIR_U = 200.0
"""What the pump is told to hold: up to 204.7 U the link's numbers have a step of 0.1 U, above it of 1 U."""
BEFORE, FREE, FAULTY, AFTER, STOPPED = (
    "rest before",
    "delivery before",
    "delivery through the fault",
    "fault cleared",
    "rest after",
)
WHEN = Parameter("when", words=("running", "stopped"))
_PARAMETERS = (FAULT, WHEN)


def _kind(name: str, words: str, unit: str, meaning: str) -> Kind:
    return Kind(f"through_fault.{name}", f"{words} of fault {{fault}}, {{when}}", (unit,), _PARAMETERS, meaning)


UNALARMED = _kind("unalarmed", "missing alarm", "alarms", "1 where the pump did not alarm it while it held.")
ALARMS = _kind("alarms", "alarms", "alarms", "How many alarms came while it held and after it.")
WENT = _kind("went", "alarms gone unconfirmed", "alarms", "How often an alarm went though nobody had confirmed it.")
TIME = _kind("time_to_alarm", "time to the alarm", "s", "From the fault's beginning to the alarm, or to its end.")
BEYOND = _kind(
    "delivered_beyond", "delivered beyond the programme", "U",
    "What came from the fault's beginning to the alarm, or to its end unalarmed, less what was programmed meanwhile.",
)  # fmt: skip
AFTER_ALARM = _kind(
    "after_alarm", "delivered after the alarm", "U", "What came from the alarm to the fault's end; 0 without an alarm."
)
RELEASED = _kind(
    "released", "released at the end", "U",
    "What came when the fault had ended, less what was programmed then: nothing where the pump had stopped.",
)  # fmt: skip
LOGGED = _kind(
    "logged_less_weighed", "the pump's account less what was weighed", "U", "By its log and totals, over all of it."
)
PROGRAMMED = _kind(
    "logged_less_programmed", "the pump's account less what was programmed", "U",
    "By its log and totals, less what was programmed until the alarm: what the motor was told.",
)  # fmt: skip
RESERVOIR = _kind(
    "reservoir_less_logged", "fall of the reservoir count less the pump's account", "U", "Over all of it."
)


class FaultCourse(Fact):
    """A course through a fault, in s on the bench's clock; a bolus was commanded where `bolus_at_s` is none of None."""

    started_s: float
    began_s: float
    cleared_s: float
    stopped_s: float
    bolus_at_s: float | None


class ThroughFault(UnderFault):
    """Deliver, inject a fault for a fixed time, clear it, and read on; then ask the pump for its account.

    Stopped, it has no therapy throughout. Nobody confirms an alarm.
    """

    TABLE: ClassVar = "through_fault"
    KEYWORD: ClassVar = "Deliver Through Fault"
    IN_WORDS: ClassVar = "fault {title}"
    KINDS: ClassVar = (
        UNALARMED, ALARMS, WENT, TIME, BEYOND, AFTER_ALARM, RELEASED, LOGGED, PROGRAMMED, RESERVOIR
    )  # fmt: skip
    EXPECTED: ClassVar = frozenset(
        {"occlusion", "mechanical issue", "system issue", "air pressure out of range", "maximum delivery"}
    )

    when: Literal["running", "stopped"] = "running"
    rate_u_per_h: Annotated[RateOrNone, Field(alias="rate")] = 0.0
    bolus_u: Annotated[Size | None, Field(alias="bolus")] = None
    free_s: Annotated[TimeS, lasting("10 s", "1 d"), Field(alias="free")] = 300.0
    held_s: Annotated[TimeS, lasting("10 s", "2 d"), Field(alias="held")] = 1800.0
    after_s: Annotated[TimeS, lasting("10 s", "1 d"), Field(alias="after")] = 300.0
    look_every_s: Annotated[TimeS, lasting("0.5 s", "1 h"), Field(alias="look_every")] = 10.0

    @model_validator(mode="after")
    def _stopped_delivers_nothing(self) -> Self:
        if self.when == "stopped" and (self.rate_u_per_h or self.bolus_u):
            raise ValueError("a pump that is stopped has neither rate nor bolus")
        return self

    @property
    def title(self) -> str:
        """What tells it from others: the fault, and whether the pump runs."""
        return f"{self.fault}, {self.when}"

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (
            Capability.BASAL_PROFILE,
            Capability.CLOCK,
            Capability.DAILY_TOTAL,
            Capability.HISTORY,
            Capability.RESERVOIR_LEVEL,
            *((Capability.FAST_BOLUS,) if self.bolus_u is not None else ()),
        )

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U."""
        return self.rate_u_per_h * (self.free_s + self.held_s + self.after_s) / 3600.0 + (self.bolus_u or 0.0)

    @property
    def bench_time_s(self) -> float:
        """Its three parts and what is around them, in s."""
        return self.free_s + self.held_s + self.after_s + 4.0 * TAIL_S

    @property
    def extent(self) -> Mapping[str, float]:
        """For how long it holds the fault, in s."""
        return {"analysis": self.held_s}

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        return tuple(self._quantity(kind) for kind in self.KINDS)

    def _quantity(self, kind: Kind) -> Quantity:
        return kind.of(fault=self.fault, when=self.when)

    def take(self, bench: Bench, record: Recorder) -> None:
        """Deliver through the fault, and read on for fixed times whatever the pump does."""
        without_blanks(
            bench, record, rate_u_per_h=self.rate_u_per_h, reservoir_u=RESERVOIR_U,
            deliver=lambda: self._course(bench, record),
        )  # fmt: skip

    def _course(self, bench: Bench, record: Recorder) -> None:
        require(bench.pump, Capability.CLOCK).set_clock(MIDNIGHT)
        wait_for_rest(bench, record, BEFORE)
        account = AccountReader(bench, record)
        account.keep()
        if self.when == "running":
            ask_pump(bench, record, "therapy", bench.pump.run)
        started_s, bolus_at_s = bench.clock.now(), None
        sample_for(bench, record, FREE, duration_s=self.free_s, every_s=self.look_every_s)
        alarms = AlarmCourse(bench, record, self.injection.fault.annunciated)
        with provoking(bench, record) as faults:
            began_s = faults.inject(self.injection)
            if self.bolus_u is not None:
                bolus_at_s = bench.clock.now()
                ask_for_bolus(bench, record, self.bolus_u)

            def look(_: Sample) -> bool:
                faults.advance()
                alarms.look()
                return False

            left_s = began_s + self.held_s - bench.clock.now()
            sample_for(bench, record, FAULTY, duration_s=left_s, every_s=self.look_every_s, until=look)
            alarms.keep(self.look_every_s)
            faults.clear(self.injection)
        cleared_s = bench.clock.now()
        sample_for(bench, record, AFTER, duration_s=self.after_s, every_s=self.look_every_s)
        alarms.look()
        alarms.keep(self.look_every_s)
        ask_pump(bench, record, "stopping", bench.pump.stop)
        stopped_s = bench.clock.now()
        sample_for(bench, record, STOPPED, duration_s=TAIL_S, every_s=SAMPLE_EVERY_S)
        account.keep()
        record.fact(
            FaultCourse(
                at_s=bench.clock.now(), started_s=started_s, began_s=began_s, cleared_s=cleared_s, stopped_s=stopped_s,
                bolus_at_s=bolus_at_s,
            )
        )  # fmt: skip

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Weigh what came in each part of the course, and hold the pump's account against it."""
        course, account = taken.the(FaultCourse), taken.exactly(2, AccountRead)
        held, seen = taken.exactly(2, AlarmsSeen)
        alarm_s = held.first_at_s
        alarmed = alarm_s is not None
        stopped_s = course.stopped_s if alarm_s is None or runs(held) else alarm_s
        until_s = min(stopped_s, course.cleared_s)
        readings = _joined(taken)
        weighed = _Weighed(scale_of_bench(taken, metrology), readings)
        whole = weighed.between(course.started_s, readings.at_s[-1])
        logged_u = account[1].logged_u - account[0].logged_u
        fell_u = (account[0].reservoir_u or 0.0) - (account[1].reservoir_u or 0.0)
        beyond_u = self._programmed_u(course, course.began_s, until_s)
        released_u = self._programmed_u(course, course.cleared_s, max(stopped_s, course.cleared_s))
        programmed_u = self._programmed_u(course, course.started_s, stopped_s)
        waited_s = (alarm_s if alarm_s is not None else course.cleared_s) - course.began_s
        late_s = held.looked_every_s / math.sqrt(3.0)
        budgets = {
            TIME: with_one_source(waited_s, "s", "time between looks at the pump", late_s),
            BEYOND: weighed.between(course.began_s, until_s).linear(1.0, offset=-beyond_u, unit="U"),
            AFTER_ALARM: weighed.between(until_s, course.cleared_s),
            RELEASED: weighed.between(course.cleared_s, readings.at_s[-1]).linear(1.0, offset=-released_u, unit="U"),
            LOGGED: whole.linear(-1.0, offset=logged_u, unit="U"),
        }
        counted = {
            UNALARMED: float(not alarmed),
            ALARMS: float(len(seen.kinds)),
            WENT: float(seen.went),
            PROGRAMMED: round(logged_u - programmed_u, 6),
            RESERVOIR: round(fell_u - logged_u, 6),
        }
        by_quantity = {self._quantity(kind): budget for kind, budget in budgets.items()}
        numbers = tuple(Measurement(self._quantity(kind), value) for kind, value in counted.items())
        note = f"The pump's account is {logged_u:.4g} U, its reservoir count fell by {fell_u:.4g} U."
        return Computed(
            (*numbers, *(measured(quantity, budget) for quantity, budget in by_quantity.items())),
            budgets=by_quantity,
            notes={self._quantity(LOGGED): note},
        )

    def _programmed_u(self, course: FaultCourse, from_s: float, to_s: float) -> float:
        """Find what is programmed between two moments of the course in U: the rate, and what of the bolus is due."""
        bolus_u = 0.0
        if self.bolus_u is not None and course.bolus_at_s is not None:
            due_u = [
                min(max(STANDARD_BOLUS_U_PER_H * (at_s - course.bolus_at_s) / 3600.0, 0.0), self.bolus_u)
                for at_s in (from_s, to_s)
            ]
            bolus_u = due_u[1] - due_u[0]
        return self.rate_u_per_h * (to_s - from_s) / 3600.0 + bolus_u


class _Weighed:
    """What came between moments, from readings without a gap between phases."""

    def __init__(self, scale: VolumeScale, readings: Series) -> None:
        self._scale, self._readings = scale, readings

    def between(self, from_s: float, to_s: float) -> Budget:
        """Write the budget in U of what came from the last reading before a moment to the first one after another."""
        at_s = self._readings.at_s
        first = max(int(np.searchsorted(at_s, from_s, side="right")) - 1, 0)
        last = min(max(int(np.searchsorted(at_s, to_s, side="left")), first), len(at_s) - 1)
        return came(self._scale, self._readings.part(slice(first, last + 1)))


def _joined(taken: Taken) -> Series:
    return joined(taken.series(BEFORE), taken.series(FREE, FAULTY, AFTER, STOPPED))

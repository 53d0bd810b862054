"""A person on the pump: what is weighed reaches a virtual person; his sensor feeds a controller that commands the pump.

Every minute the corrected increment of the balance is given to him, never what was commanded; so a leak, an occlusion,
a missed dose and a lost message become glucose. Not responsible for the person (`rig.patient`), the controllers
(`rig.loop`), what is done while he lives (`alive`), limits, or for the efficacy of any therapy.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import AfterValidator, Field, model_validator

from rig.analysis.checks import FloatArray
from rig.errors import BlockedError
from rig.loop.accepted import insulin_of
from rig.loop.choice import PROGRAMS, refuse_missing_programs
from rig.loop.controllers import PERIOD_MIN, ControllerSettings, tellable
from rig.loop.living import Life, Living, glucose_uncertainty_mg_per_dl
from rig.loop.persons import known_person, person_named, ratio_of
from rig.patient import metrics
from rig.patient.sensor_faults import SensorFault
from rig.procedures.alive import LOOP, Alive, ControllerFailed, LoopBegan, SensorRead, minutes_and_totals
from rig.procedures.astray import RESERVOIR_U, AccountRead, AccountReader
from rig.procedures.automated import Automated
from rig.procedures.between_blanks import between_blanks, scale_between_blanks
from rig.procedures.bounds import Carbohydrates, Minutes, Rate, Size, Word, lasting
from rig.procedures.budgets import measured, told_less_weighed
from rig.procedures.commanding import Commanded
from rig.procedures.day_in_words import Meals
from rig.procedures.from_sheet import FromSheet
from rig.procedures.lived import LOOKS_AT_NO_SENSOR, by_minute
from rig.procedures.loop_signs import OF_COMMANDS, SIGNS, loop_kind, signs_of
from rig.procedures.preparation import MIDNIGHT, start_therapy
from rig.procedures.procedure import Computed
from rig.procedures.rate_change import RATE_OVER
from rig.procedures.rest import wait_for_rest
from rig.procedures.sampling import air_of, sample_for
from rig.procedures.sensor_link import SensorFaultName, sensor_faults_by
from rig.procedures.volume import VolumeScale
from rig.record.analyses import LoopNumbers
from rig.record.taking import Recorder, Taken, joined
from rig.roles import Bench, Capability, LinkFault, Metrology, require
from rig.units import u_from_ul
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Quantity

BEFORE, AFTER = "rest before the loop", "rest after the loop"
SAMPLE_EVERY_S = 60.0
LONGEST_GAP_S = 900.0
"""A quarter of an hour without a reading leaves no glucose to judge."""
U_GLUCOSE_K = 2.0
LEAST_MG_PER_DL = 2.0
"""What a model that was given far too much shows below is summarised as this: risk indices end at 1 mg/dL."""
NOT_THERAPY = (
    "The person is a model, and its own uncertainty is not in U: that says what the weighing leaves open. It shows "
    "what the pump's execution does to this model, and nothing of the efficacy of a therapy."
)


IN_RANGE = loop_kind("time_in_range", "time in range", "Time with 70 to 180 mg/dL in plasma, in % of the loop.", "%")
BELOW = loop_kind(
    "time_below_70", "time below 70 mg/dL", "Time with less than 70 mg/dL in plasma, in % of the loop.", "%"
)
ABOVE = loop_kind(
    "time_above_180", "time above 180 mg/dL", "Time with more than 180 mg/dL in plasma, in % of the loop.", "%"
)
LOWEST = loop_kind("lowest", "lowest glucose", "The lowest glucose in plasma.", "mg/dL")
HIGHEST = loop_kind("highest", "highest glucose", "The highest glucose in plasma.", "mg/dL")
SHIFT = loop_kind(
    "glucose_for_the_pump",
    "what the pump did to the glucose",
    "The largest difference between the glucose of what was weighed and that of what was commanded, with its sign.",
    "mg/dL",
)
LOGGED = loop_kind(
    "logged_less_weighed",
    "logged less weighed insulin",
    "Insulin that the pump logs, less what was weighed from the rest before to the rest after, in % of it.",
    "%",
)
GIVEN = loop_kind(
    "given_less_weighed",
    "given less weighed insulin",
    "What the person has had at the end of the loop, less what was weighed until then: nothing is lost on the way.",
    "U",
)


class Loop(Automated):
    """Let a virtual person live on what is weighed, and a controller command the pump by what his sensor shows."""

    TABLE: ClassVar = "loop"
    KEYWORD: ClassVar = "Let A Person Live"
    IN_WORDS: ClassVar = "a person on the pump, {title}"
    KINDS: ClassVar = (IN_RANGE, BELOW, ABOVE, LOWEST, HIGHEST, SHIFT, LOGGED, GIVEN, *SIGNS)
    EXPECTED: ClassVar = frozenset({RATE_OVER, "reservoir low", "occlusion"})

    called: Word
    person: Annotated[str, AfterValidator(known_person)] = "type 1"
    controller: Literal["basal-bolus", "pid", "oref0"] = "pid"
    duration_s: Annotated[Minutes, lasting("30 min", "23 h"), Field(alias="duration")] = 28800.0
    eat: Meals = ()
    varies: Annotated[int, Field(ge=0)] | None = None
    ratio_g: Annotated[Annotated[Carbohydrates, Field(gt=0)] | None, Field(alias="ratio")] = None
    sensor: Literal["breton", "facchinetti", "vettoretti-g5", "vettoretti-g6", "vettoretti-mean"] = "vettoretti-g6"
    seed: Annotated[int, Field(ge=0)] = 1
    sensor_fault: SensorFaultName | None = None
    fault_from_s: Annotated[Minutes, Field(alias="fault_from")] = 0.0
    fault_to_s: Annotated[Minutes, Field(alias="fault_to")] = 0.0
    line: Literal["waste", "occluder"] | None = None
    from_s: Annotated[Minutes, Field(alias="energised_after")] = 0.0
    rate_step_u_per_h: Annotated[Rate, FromSheet("basal.step"), Field(alias="rate_step")] = 0.025
    bolus_step_u: Annotated[Size, FromSheet("bolus.step"), Field(alias="bolus_step")] = 0.025

    @model_validator(mode="after")
    def _whole_periods(self) -> Self:
        if self.duration_s % (60.0 * PERIOD_MIN):
            raise ValueError(f"duration is a whole number of {PERIOD_MIN} min, as a controller decides")
        if any(at_min % PERIOD_MIN or at_min >= self.minutes for at_min, _ in self.eat):
            raise ValueError(f"meals come at whole multiples of {PERIOD_MIN} min, before the end of the loop")
        if (self.sensor_fault is None) != (self.fault_to_s == 0.0) or self.fault_from_s > self.fault_to_s:
            raise ValueError("a 'sensor_fault' lasts from 'fault_from' to 'fault_to', which is later")
        if self.from_s and (self.line is None or self.from_s >= self.duration_s):
            raise ValueError("'energised_after' lies before the end, and needs 'line'")
        return self

    @property
    def title(self) -> str:
        """What tells it from others."""
        return f"{self.person} on {self.controller}, {self.called}"

    @property
    def minutes(self) -> int:
        """How long the person lives, in min."""
        return round(self.duration_s / 60.0)

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (
            Capability.BASAL_PROFILE,
            Capability.FAST_BOLUS,
            Capability.TEMPORARY_BASAL,
            Capability.CLOCK,
            Capability.DAILY_TOTAL,
            Capability.HISTORY,
            Capability.RESERVOIR_LEVEL,
            *self.needs_of_the_pattern,
        )

    @property
    def needed_programs(self) -> tuple[str, ...]:
        """The controller, where that is a program of other people."""
        return (self.controller,) if self.controller in PROGRAMS else ()

    @property
    def needed_lines(self) -> tuple[str, ...]:
        """The valve that is moved."""
        return () if self.line is None else (self.line,)

    @property
    def needed_u(self) -> float:
        """Insulin that the reservoir is told to hold, in U."""
        return RESERVOIR_U

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures; with the cannula out the account says nothing of what was weighed, and signs count."""
        signs = [kind for kind in SIGNS if kind not in OF_COMMANDS or self.controller != LOOKS_AT_NO_SENSOR]
        left_out = SIGNS if self.line is None else (LOGGED, *(kind for kind in SIGNS if kind not in signs))
        kinds = [kind for kind in self.KINDS if kind not in left_out]
        return tuple(kind.of(person=self.person, controller=self.controller, called=self.called) for kind in kinds)

    @property
    def bench_time_s(self) -> float:
        """The loop and what is around it, in s."""
        return self.duration_s + self.around_s

    @property
    def extent(self) -> Mapping[str, float]:
        """For how long the person lives, in s."""
        return {"analysis": self.duration_s}

    @property
    def rate_u_per_h(self) -> float:
        """The profile's rate: the person's basal rate, to the nearest step of the pump that it can be told."""
        steps = max(1.0, round(person_named(self.person).basal_u_per_h / self.rate_step_u_per_h))
        return tellable(steps * self.rate_step_u_per_h, self.rate_step_u_per_h)

    @property
    def grams_for_1_u(self) -> float:
        """Carbohydrate for 1 U of a meal's bolus, in g: what suits the person, where nobody says."""
        return ratio_of(self.person) if self.ratio_g is None else self.ratio_g

    @property
    def controller_settings(self) -> ControllerSettings:
        """What the controller is told of person and pump."""
        return self.settings_for(
            self.person, basal_u_per_h=self.rate_u_per_h, ratio_g=self.grams_for_1_u,
            rate_step_u_per_h=self.rate_step_u_per_h, bolus_step_u=self.bolus_step_u,
        )  # fmt: skip

    @property
    def sensor_faults(self) -> tuple[SensorFault, ...]:
        """What is wrong with the sensor, in min of the loop."""
        return () if self.sensor_fault is None else sensor_faults_by(self.sensor_fault, *self.fault_min)

    @property
    def link_fault(self) -> LinkFault | None:
        """What is wrong with the link to the sensor, where it is no fault of the sensor itself."""
        return next((each for each in LinkFault if each.value == self.sensor_fault), None)

    @property
    def fault_min(self) -> tuple[float, float]:
        """From which minute on the sensor or its link fails, and until before which."""
        return self.fault_from_s / 60.0, self.fault_to_s / 60.0

    @property
    def needed_roles(self) -> tuple[str, ...]:
        """A link can only fail where there is one."""
        return () if self.link_fault is None else ("sensor",)

    @property
    def disturbed(self) -> str:
        """What is done to person, sensor and line, in words; "" where nothing is."""
        sensor = f"{self.sensor_fault} from {self.fault_from_s:g} to {self.fault_to_s:g} s" if self.sensor_fault else ""
        line = f"{self.line} from {self.from_s:g} s{self.line_in_words}" if self.line else ""
        varies = "" if self.varies is None else f"varies by seed {self.varies}"
        return "; ".join(each for each in (varies, sensor, line, self.undergone) if each)

    @property
    def carbs_g(self) -> FloatArray:
        """What is eaten in each minute, in g."""
        return by_minute(self.eat, self.minutes)

    @property
    def announced_g(self) -> FloatArray:
        """What the controller is told of in each minute, in g: what is eaten, where nobody says otherwise."""
        return by_minute(self.eat if self.announce is None else self.announce, self.minutes)

    def take(self, bench: Bench, record: Recorder) -> None:
        """Let the person live in step with the bench."""
        refuse_missing_programs(self.needed_programs)

        def deliver() -> None:
            wait_for_rest(bench, record, BEFORE)
            require(bench.pump, Capability.CLOCK).set_clock(MIDNIGHT)
            account = AccountReader(bench, record)
            account.keep()
            start_therapy(bench, record)
            alive = Alive(self, bench, record)
            try:
                sample_for(
                    bench, record, LOOP, duration_s=self.duration_s, every_s=SAMPLE_EVERY_S,
                    longest_gap_s=LONGEST_GAP_S, until=alive.sampled,
                )  # fmt: skip
            finally:
                alive.close()
                if self.line is not None:
                    bench.switch.set_line(self.line, energised=False)
            bench.pump.stop()
            account.keep()
            wait_for_rest(bench, record, AFTER)

        between_blanks(
            bench, record, rate_u_per_h=self.rate_u_per_h, blank_s=self.blank_s, deliver=deliver,
            reservoir_u=RESERVOIR_U,
        )  # fmt: skip

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Let the person live again on the raw weighings, and beside it on what was commanded."""
        refuse_failed(self, taken.facts(ControllerFailed))
        living = VolumeScale.in_air(metrology, air_of(taken, LOOP))
        weighed = Living(person_named(self.person), self.carbs_g, self.conditions)
        readings = taken.series(LOOP)
        for at_min, total_u in minutes_and_totals(readings, living):
            minute = min(at_min, self.minutes)  # the last reading may be late, as `Alive` sees it
            if minute > weighed.minute:
                weighed.until(minute, total_u)
        life = weighed.life
        scale = scale_between_blanks(taken, metrology, blank_s=self.blank_s)
        u = self._uncertainty(life, scale, metrology)
        by_command = self._by_command(taken, life.insulin_u.size)
        shift = life.glucose_mg_per_dl - by_command.glucose_mg_per_dl
        worst = int(np.abs(shift).argmax())
        summary, low, high = (
            metrics.summary(life.minute, np.maximum(life.glucose_mg_per_dl + sign * u, LEAST_MG_PER_DL))
            for sign in (0, -1, 1)
        )
        at_low, at_high = int(life.glucose_mg_per_dl.argmin()), int(life.glucose_mg_per_dl.argmax())
        total_u = float(living.delivered_u(readings)[-1])
        whole = scale.budget(total_u, float(readings.at_s[-1] - readings.at_s[0]))
        of = {quantity.kind: quantity for quantity in self.quantities}

        def spread(name: str) -> float:
            own: float = getattr(summary, name)
            return max(abs(float(getattr(other, name)) - own) for other in (low, high))

        found = [
            Measurement(of[IN_RANGE.name], summary.time_in_range_percent, spread("time_in_range_percent")),
            Measurement(of[BELOW.name], summary.time_below_70_percent, spread("time_below_70_percent")),
            Measurement(of[ABOVE.name], summary.time_above_180_percent, spread("time_above_180_percent")),
            Measurement(of[LOWEST.name], float(life.glucose_mg_per_dl[at_low]), float(u[at_low])),
            Measurement(of[HIGHEST.name], float(life.glucose_mg_per_dl[at_high]), float(u[at_high])),
            Measurement(of[SHIFT.name], float(shift[worst]), float(u[worst])),
            Measurement(of[GIVEN.name], weighed.given_u - total_u, whole.expanded),
        ]
        budgets = {}
        began, ended = taken.exactly(2, AccountRead)
        since_min = math.ceil(self.from_s / 60.0)
        found += signs_of(
            of, life.glucose_mg_per_dl, u, by_command.insulin_u, basal_u_per_h=self.rate_u_per_h,
            since_min=since_min, annunciated=set(ended.annunciated) - {RATE_OVER},
        )  # fmt: skip
        if LOGGED.name in of:
            all_of_it = joined(taken.series(BEFORE).part(slice(-1, None)), taken.series(LOOP, AFTER))
            in_all = scale.budget(
                float(scale.delivered_u(all_of_it)[-1]), float(all_of_it.at_s[-1] - all_of_it.at_s[0])
            )
            error = told_less_weighed(ended.logged_u - began.logged_u, in_all)
            found.append(measured(of[LOGGED.name], error))
            budgets[of[LOGGED.name]] = error
        read = ((each.at_min, each.seen_mg_per_dl) for each in taken.facts(SensorRead))
        shown = [(at_min, mg_per_dl) for at_min, mg_per_dl in read if mg_per_dl is not None]
        content = LoopNumbers(
            title=f"Glucose and insulin of {self.in_words}",
            person=self.person,
            controller=self.controller,
            called=self.called,
            sensor=self.sensor,
            seed=self.seed,
            disturbed=self.disturbed,
            u_weighed_u=whole.expanded,
            glucose_mg_per_dl=tuple(life.glucose_mg_per_dl),
            u_mg_per_dl=tuple(u),
            commanded_mg_per_dl=tuple(by_command.glucose_mg_per_dl),
            weighed_u=tuple(life.insulin_u),
            commanded_u=tuple(by_command.insulin_u),
            carbs_g=tuple(self.carbs_g[: life.insulin_u.size]),
            sensor_min=tuple(at_min for at_min, _ in shown),
            sensor_mg_per_dl=tuple(mg_per_dl for _, mg_per_dl in shown),
            experiment=self.experiment,
            announced_g=tuple(self.announced_g[: life.insulin_u.size]),
            basal_u_per_h=self.rate_u_per_h,
            lost_from_min=since_min if self.line == "waste" else None,
            exercise_min=None if self.exercise is None else (self.exercise[0], sum(self.exercise[:2])),
        )
        return Computed(
            tuple(found), analyses={"loop": content}, budgets=budgets, notes=dict.fromkeys(budgets, NOT_THERAPY)
        )

    def _uncertainty(self, life: Life, scale: VolumeScale, metrology: Metrology) -> FloatArray:
        """U of the glucose in mg/dL, k = 2, at each minute.

        He lived with the evaporation of the bench file; the blank runs around him say how wrong that was.
        """
        m = scale.metrology
        relative = math.hypot(
            m.balance_calibration_percent / 100.0,
            scale.u_z_factor_ul_per_mg / scale.z_factor_ul_per_mg,
            m.immersion_uncertainty / m.immersion_factor,
        )
        lived_with_mg_per_h = metrology.evaporation_g_per_h * 1e3
        found = scale.evaporation
        u_rate_mg_per_h = math.hypot(found.u_mg_per_h, lived_with_mg_per_h - found.rate_mg_per_h)
        return U_GLUCOSE_K * glucose_uncertainty_mg_per_dl(
            person_named(self.person), self.carbs_g, life,
            u_relative=relative, u_rate_u_per_h=u_from_ul(u_rate_mg_per_h * scale.z_ul_per_mg),
            u_reading_u=scale.reading_u, conditions=self.conditions,
        )  # fmt: skip

    def _by_command(self, taken: Taken, minutes: int) -> Life:
        """Live on what the pump accepted, as one would who believes the pump."""
        accepted = tuple(each.accepted for each in taken.facts(Commanded) if each.accepted is not None)
        insulin_u = insulin_of(accepted, taken.the(LoopBegan).rate_u_per_h, 0, minutes)
        living = Living(person_named(self.person), self.carbs_g, self.conditions)
        for minute, total_u in enumerate(np.cumsum(insulin_u), start=1):
            living.until(minute, float(total_u))
        return living.life


def refuse_failed(loop: Loop, failed: Sequence[ControllerFailed]) -> None:
    """Refuse to judge a loop whose controller could not decide: neither glucose nor commands are the pump's word then.

    Raises:
        BlockedError: it could not, once or more often.
    """
    if failed:
        raise BlockedError(
            f"rig: in {loop.in_words} the controller gave no decision {len(failed)} of "
            f"{loop.minutes // PERIOD_MIN} times, first at minute {failed[0].at_min}: {failed[0].why}; it wanted "
            "nothing then, what was read is kept, and nothing is judged; measure again"
        )

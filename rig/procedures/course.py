"""A course of commands, each at its time and with the answer that the pump should give, weighed in stated windows.

What several functions of a pump make together, such as a stop in the middle of a bolus, is one list of commands and
one list of windows in a protocol. Not responsible for what should come in a window: requirements say that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import BeforeValidator, Field, field_validator, model_validator

from rig.analysis.budget import Budget
from rig.procedures.between_blanks import between_blanks, scale_between_blanks
from rig.procedures.bounds import RateOrNone, SampleEvery, Word
from rig.procedures.budgets import measured
from rig.procedures.consecutive import logged_bolus_u
from rig.procedures.course_commands import Commander, PumpCommand, parse_command
from rig.procedures.preparation import FULL_RESERVOIR_U, start_therapy
from rig.procedures.procedure import BetweenBlanks, Computed
from rig.procedures.rest import SAMPLE_EVERY_S
from rig.procedures.sampling import sample_for
from rig.procedures.watch import watch_quantities
from rig.record.taking import Fact, Recorder, Taken
from rig.roles import Bench, Capability, Metrology, require
from rig.units import parse
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Parameter, Quantity

READINGS, OPENED, ENDED = "course", "outlet open", "after the course"
FADING_S = 120.0
"""A line that fades in 4.5 s shows after it what was delivered to the last nU; one ten times as slow, but for 7 %."""
HOUR_S = 3600.0
COURSE, DURING = Parameter("course"), Parameter("during")
DELIVERED = Kind(
    "course.delivered",
    "delivered {during}, in {course}",
    ("U",),
    (COURSE, DURING),
    "What is weighed in one of the windows of a course of commands.",
)
WRONG = Kind(
    "course.wrong_answers",
    "commands answered otherwise than stated, in {course}",
    ("commands",),
    (COURSE,),
    "How many commands the pump did not obey, or did not refuse for the stated reason, and how many stated states and "
    "annunciations were not to be seen.",
)
MOST = Kind(
    "course.most_in_an_hour",
    "most delivered in any hour, in {course}",
    ("U",),
    (COURSE,),
    "The largest amount weighed in 60 min, whenever they begin.",
)
LOGGED = Kind(
    "course.logged_less_weighed",
    "logged less weighed, in {course}",
    ("U",),
    (COURSE,),
    "What the pump logs of all boluses of a course, less what was weighed over it: of a course without basal delivery.",
)


class CourseBegan(Fact):
    """The moment from which the times of a course count."""


class CommandAnswered(Fact):
    """A command of a course: its number from 1, its words, how it should have been answered, and how it was."""

    number: int
    words: str
    expected: str
    answered: str


class BolusesLogged(Fact):
    """What the pump logs in the end of all boluses that it accepted, in U; None of a pump without a log."""

    logged_u: float | None


def _several(written: object) -> object:
    """Take "0 min: run; 10 min: stop" apart, as a protocol writes it."""
    return tuple(part.strip() for part in written.split(";")) if isinstance(written, str) else written


Several = BeforeValidator(_several)


class CommandCourse(BetweenBlanks):
    """Let therapy run, give commands at their times, and weigh what comes in each window."""

    TABLE: ClassVar = "course"
    KEYWORD: ClassVar = "Weigh Course Of Commands"
    IN_WORDS: ClassVar = "{title}"
    KINDS: ClassVar = (DELIVERED, WRONG, MOST, LOGGED)
    EXPECTED: ClassVar = frozenset(
        {
            "bolus cancelled",
            "maximum delivery",
            "reservoir low",
            "temporary basal rate over",
            "temporary basal rate cancelled",
        }
    )

    called: Word
    commands: Annotated[tuple[Word, ...], Several, Field(min_length=1)]
    weighed: Annotated[tuple[Word, ...], Several, Field(min_length=1)]
    rate_u_per_h: Annotated[RateOrNone, Field(alias="rate")] = 0.0
    sample_every_s: Annotated[SampleEvery, Field(alias="sample_every")] = 5.0

    @field_validator("commands")
    @classmethod
    def _are_commands(cls, written: tuple[str, ...]) -> tuple[str, ...]:
        times = [parse_command(each).at_s for each in written]
        if times != sorted(times):
            raise ValueError("the commands are not in the order of their times")
        return written

    @model_validator(mode="after")
    def _windows_fit(self) -> Self:
        names = [name for name, _, _ in self.windows]
        if len(set(names)) != len(names):
            raise ValueError("two windows have one name")
        return self

    @property
    def title(self) -> str:
        """What tells it from others: what it is called."""
        return self.called

    @property
    def plan(self) -> tuple[PumpCommand, ...]:
        """The commands."""
        return tuple(parse_command(each) for each in self.commands)

    @property
    def windows(self) -> tuple[tuple[str, float, float], ...]:
        """Each window by its name, with its beginning and end in s; ValueError when one is written wrongly."""
        return tuple(_window(each) for each in self.weighed)

    @property
    def lasts_s(self) -> float:
        """How long it lasts: until its last window has ended and its last command is given."""
        return max([end_s for _, _, end_s in self.windows] + [command.at_s for command in self.plan])

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        basal = (Capability.BASAL_PROFILE,) if self.rate_u_per_h else ()
        return tuple(dict.fromkeys((*basal, *(each for command in self.plan for each in command.needs))))

    @property
    def needed_lines(self) -> tuple[str, ...]:
        """Lines of the bench's switch that its commands move."""
        return tuple(dict.fromkeys(line for command in self.plan for line in command.lines))

    @property
    def needed_roles(self) -> tuple[str, ...]:
        """Instruments that its commands use and not every bench has."""
        return tuple(dict.fromkeys(role for command in self.plan for role in command.roles))

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U, at most."""
        rate_u_per_h = max([self.rate_u_per_h] + [command.rate_u_per_h or 0.0 for command in self.plan])
        return sum(command.most_u for command in self.plan) + rate_u_per_h * self.lasts_s / HOUR_S

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        found = [self._delivered(name) for name, _, _ in self.windows]
        found.append(WRONG.of(course=self.called))
        found += [MOST.of(course=self.called)] if self._keeps_an_hour else []
        found += [LOGGED.of(course=self.called)] if self._only_boluses else []
        return tuple(found)

    @property
    def declared(self) -> tuple[Quantity, ...]:
        """What it measures, and what is watched: its blank runs have the outlet closed and show no flow of the pump."""
        return (*self.quantities, *watch_quantities())

    @property
    def extent(self) -> Mapping[str, float]:
        """How long it weighs, in s."""
        return {"analysis": self.lasts_s}

    @property
    def _only_boluses(self) -> bool:
        """Whether nothing but boluses is delivered, by a pump that has a log."""
        kinds = {need for command in self.plan for need in command.needs}
        others = {Capability.BASAL_PROFILE, Capability.TEMPORARY_BASAL, Capability.PRIMING}
        return not self.rate_u_per_h and not kinds & others

    @property
    def _keeps_an_hour(self) -> bool:
        """Whether a maximum of an hour is set and an hour is weighed, so that the most in any hour says something."""
        return self.lasts_s >= HOUR_S and any(command.words.startswith("maximum of an hour") for command in self.plan)

    def _delivered(self, window: str) -> Quantity:
        return DELIVERED.of(course=self.called, during=window)

    def take(self, bench: Bench, record: Recorder) -> None:
        """Give the commands, each at its time whatever the pump said to those before, and read the balance."""
        hands = Commander(bench, record)

        def deliver() -> None:
            sample_for(bench, record, OPENED, duration_s=FADING_S, every_s=SAMPLE_EVERY_S)
            start_therapy(bench, record)
            hands.begin(*self.plan)
            start_s = bench.clock.now()
            record.fact(CourseBegan(at_s=start_s))
            for number, command in enumerate(self.plan, start=1):
                self._sample_until(bench, record, start_s + command.at_s)
                answered = command.given(hands)
                record.step(command.words, answered=answered, expected=command.expected)
                record.fact(
                    CommandAnswered(
                        at_s=bench.clock.now(),
                        number=number,
                        words=command.words,
                        expected=command.expected,
                        answered=answered,
                    )
                )
            self._sample_until(bench, record, start_s + self.lasts_s)
            bench.pump.stop()
            hands.restore()
            record.fact(BolusesLogged(at_s=bench.clock.now(), logged_u=_logged_u(hands)))
            sample_for(bench, record, ENDED, duration_s=FADING_S, every_s=SAMPLE_EVERY_S)

        between_blanks(
            bench,
            record,
            rate_u_per_h=self.rate_u_per_h,
            blank_s=self.blank_s,
            deliver=deliver,
            reservoir_u=FULL_RESERVOIR_U,
            outlet_closed=True,
        )

    def _sample_until(self, bench: Bench, record: Recorder, at_s: float) -> None:
        left_s = at_s - bench.clock.now()
        if left_s > 0.0:
            sample_for(bench, record, READINGS, duration_s=left_s, every_s=self.sample_every_s)

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Weigh each window, and count the answers that are other than stated."""
        scale = scale_between_blanks(taken, metrology, blank_s=self.blank_s)
        readings, start_s = taken.series(OPENED, READINGS, ENDED), taken.the(CourseBegan).at_s
        at_s, delivered_u = readings.at_s - start_s, scale.delivered_u(readings)

        def weighed(begin_s: float, end_s: float) -> Budget:
            volume_u = float(np.diff(np.interp([begin_s, end_s], at_s, delivered_u))[0])
            return scale.budget(volume_u, end_s - begin_s)

        budgets = {self._delivered(name): weighed(begin_s, end_s) for name, begin_s, end_s in self.windows}
        if self._keeps_an_hour:
            begins_s = np.arange(-FADING_S / 2.0, self.lasts_s - HOUR_S + FADING_S, self.sample_every_s)
            sums_u = np.interp(begins_s + HOUR_S, at_s, delivered_u) - np.interp(begins_s, at_s, delivered_u)
            budgets[MOST.of(course=self.called)] = scale.budget(float(np.max(sums_u)), HOUR_S)
        if self._only_boluses:
            logged_u = taken.the(BolusesLogged).logged_u or 0.0
            whole = weighed(float(at_s[0]), float(at_s[-1]))
            budgets[LOGGED.of(course=self.called)] = whole.linear(-1.0, offset=logged_u, unit="U")
        answers = taken.exactly(len(self.commands), CommandAnswered)
        wrong = sum(answer.answered != answer.expected for answer in answers)
        return Computed(
            measured=(
                *(measured(quantity, budget) for quantity, budget in budgets.items()),
                Measurement(WRONG.of(course=self.called), float(wrong)),
            ),
            budgets=budgets,
        )


def _window(written: str) -> tuple[str, float, float]:
    """Read "after the stop: 10 min to 30 min"; ValueError when it is written otherwise."""
    name, colon, times = written.partition(": ")
    begin, to, end = times.partition(" to ")
    if not colon or not to:
        raise ValueError(f'{written!r} is no window: write such as "after the stop: 10 min to 30 min"')
    begin_s, end_s = parse(begin, "time_s"), parse(end, "time_s")
    if end_s <= begin_s:
        raise ValueError(f"{written!r} ends before it begins")
    return name.strip(), begin_s, end_s


def _logged_u(hands: Commander) -> float | None:
    if Capability.HISTORY not in hands.bench.pump.capabilities:
        return None
    log = require(hands.bench.pump, Capability.HISTORY)
    return sum(logged_bolus_u(log, bolus_id) for bolus_id in hands.bolus_ids)

"""A pump whose wall clock is set, over an hour of summer time, midnight and a leap day, weighed throughout.

Segments go by the new time of day; totals and the most insulin in an hour go by the time that passed. Not responsible
for insulin on board (`calculator`, which sets the clock from hour to hour), nor for limits.
"""

from __future__ import annotations

import datetime
from typing import ClassVar

import numpy as np

from rig.analysis.budget import Budget
from rig.errors import BadReplyError, DeviceError, RefusedError
from rig.procedures.basal_course import BasalCourse, errors_of, stretch_phase, worst_of
from rig.procedures.between_blanks import between_blanks, scale_between_blanks
from rig.procedures.budgets import measured, told_less_weighed
from rig.procedures.procedure import BetweenBlanks, Computed
from rig.procedures.rest import SAMPLE_EVERY_S, wait_for_rest
from rig.procedures.sampling import sample_for
from rig.procedures.volume import VolumeScale
from rig.record.taking import Fact, Recorder, Taken
from rig.roles import Bench, Capability, KeepsTime, Metrology, require
from rig.therapy import BasalSegment, Setting
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Quantity

ERROR = Kind(
    "clock.largest_error",
    "largest error of a stretch after the clock was set",
    ("U",),
    (),
    "What is weighed in a stretch, less what the profile makes due by the time of day that was set.",
)
SHOWN = Kind(
    "clock.shown_late",
    "how late the pump's clock is after midnight of a leap day and of each month's last day",
    ("s",),
    (),
    "Date and time that it should show, less what it shows; the largest of them.",
)
DATES = Kind(
    "clock.wrong_dates",
    "daily totals that are logged under another day",
    ("entries",),
    (),
    "Of the day that ended with the leap day; 1 where none was logged.",
)
TOTALS = Kind(
    "clock.totals_less_weighed",
    "daily totals less weighed insulin over settings of the clock",
    ("%",),
    (),
    "The basal total of today and those logged of days that ended, less what was weighed: no bolus is among it.",
)
HOUR = Kind(
    "clock.most_in_an_hour",
    "most insulin in an hour of passed time though the clock was set",
    ("U",),
    (),
    "The pump is told 5 U as most in an hour, and boluses beyond, with the clock set 2 h forward in between.",
)
MOST_U = 5.0
BOLUS_U = 2.0
BOLUSES = "boluses up to the most in an hour"
PROFILE = (BasalSegment(120, 3.0), BasalSegment(60, 0.5), BasalSegment(1200, 1.5), BasalSegment(60, 4.0))
SUMMER_TIME = datetime.datetime(2026, 3, 29, 1, 40)
LEAP_DAY = datetime.datetime(2028, 2, 28, 23, 50)
STRETCHES = 4
EVES = tuple(
    datetime.datetime(2026 + month // 12, month % 12 + 1, 1) - datetime.timedelta(seconds=5) for month in range(1, 13)
)
"""Five seconds before each month of a year with 365 days ends."""
EVE_LASTS_S = 10.0
NO_DATE = datetime.datetime(2000, 1, 1)


class ClockShown(Fact):
    """What the pump's clock showed, and what it should have shown."""

    shown: datetime.datetime
    due: datetime.datetime


class TotalsTold(Fact):
    """What the pump's daily totals grew by since therapy began, in U: those logged and today's."""

    insulin_u: float


class DaysLogged(Fact):
    """The dates of the daily totals that were logged while the leap day began."""

    dates: tuple[str, ...]


class ClockIsSet(BetweenBlanks):
    """Deliver by a profile while the clock is set forward, back and to the eve of a leap day."""

    TABLE: ClassVar = "clock"
    KEYWORD: ClassVar = "Set The Clock While It Delivers"
    IN_WORDS: ClassVar = "settings of the clock"
    KINDS: ClassVar = (ERROR, SHOWN, TOTALS, HOUR, DATES)
    EXPECTED: ClassVar = frozenset({"maximum delivery"})

    @property
    def title(self) -> str:
        """What tells it from others."""
        return "summer time, midnight, a leap day"

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (
            Capability.BASAL_PROFILE,
            Capability.FAST_BOLUS,
            Capability.CLOCK,
            Capability.SETTINGS,
            Capability.DAILY_TOTAL,
            Capability.HISTORY,
        )

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U, about."""
        return 8.0

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        return tuple(kind.of() for kind in self.KINDS)

    def take(self, bench: Bench, record: Recorder) -> None:
        """Set the clock, weigh, and at the end ask for more than the most in an hour."""

        def deliver() -> None:
            settings = require(bench.pump, Capability.SETTINGS)
            before = settings.setting(Setting.MAX_HOUR_U)
            settings.set_setting(Setting.MAX_HOUR_U, MOST_U)
            self._live(bench, record)
            bench.pump.stop()
            _pass_eves(bench, record)
            settings.set_setting(Setting.MAX_HOUR_U, before)
            wait_for_rest(bench, record, "rest after")

        between_blanks(bench, record, rate_u_per_h=0.0, blank_s=self.blank_s, deliver=deliver)

    def _live(self, bench: Bench, record: Recorder) -> None:
        course, clock = BasalCourse(bench, record), require(bench.pump, Capability.CLOCK)
        log, accounts = require(bench.pump, Capability.HISTORY), require(bench.pump, Capability.DAILY_TOTAL)
        first_entry = log.history()[-1].sequence + 1
        course.start(PROFILE, SUMMER_TIME)
        began = accounts.daily_total()
        course.weigh("before summer time", 20.0)
        course.set_clock(SUMMER_TIME + datetime.timedelta(minutes=80))
        course.weigh("summer time", 20.0)
        course.set_clock(SUMMER_TIME + datetime.timedelta(minutes=40))
        course.weigh("winter time again", 20.0)
        course.set_clock(LEAP_DAY)
        set_at_s = bench.clock.now()
        course.weigh("into a leap day", 20.0)
        passed = datetime.timedelta(seconds=bench.clock.now() - set_at_s)
        record.fact(ClockShown(at_s=bench.clock.now(), shown=clock.clock(), due=LEAP_DAY + passed))
        total = accounts.daily_total()
        days = [event for event in log.history(since=first_entry) if event.kind == "daily total"]
        told_u = total.basal_u - began.basal_u + sum(float(event.fields["basal_u"]) for event in days)
        record.fact(DaysLogged(at_s=bench.clock.now(), dates=tuple(str(event.fields["date"]) for event in days)))
        record.fact(TotalsTold(at_s=bench.clock.now(), insulin_u=told_u))
        for _ in range(2):
            try:
                require(bench.pump, Capability.FAST_BOLUS).bolus(BOLUS_U)
            except RefusedError as error:
                record.step("bolus refused", insulin_u=BOLUS_U, reason=str(error))
            sample_for(bench, record, BOLUSES, duration_s=150.0, every_s=SAMPLE_EVERY_S)
            course.set_clock(LEAP_DAY + datetime.timedelta(hours=3))

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Compute the errors of the stretches, and hold clock, totals and hour against the time that passed."""
        scale = scale_between_blanks(taken, metrology, blank_s=self.blank_s)
        shown, told = taken.exactly(1 + len(EVES), ClockShown), taken.the(TotalsTold)
        dates = taken.the(DaysLogged).dates
        weighed = _weighed(taken, scale, *(stretch_phase(number + 1) for number in range(STRETCHES)))
        budgets = {
            ERROR.of(): worst_of(errors_of(taken, scale, PROFILE)),
            TOTALS.of(): told_less_weighed(told.insulin_u, weighed),
            HOUR.of(): _most_in_an_hour(taken, scale),
        }
        late = Measurement(SHOWN.of(), max(((each.due - each.shown).total_seconds() for each in shown), key=abs))
        ended = LEAP_DAY.date().isoformat()
        wrong = Measurement(DATES.of(), float(sum(date != ended for date in dates)) if dates else 1.0)
        return Computed(
            (late, wrong, *(measured(quantity, each) for quantity, each in budgets.items())), budgets=budgets
        )


def _pass_eves(bench: Bench, record: Recorder) -> None:
    """Let the stopped pump's clock go over the end of each month, and read it after that."""
    clock = require(bench.pump, Capability.CLOCK)
    for eve in EVES:
        try:
            clock.set_clock(eve)
        except DeviceError as error:
            record.step("clock refused", shows=eve.isoformat(), reason=str(error))
        set_at_s = bench.clock.now()
        bench.clock.sleep(EVE_LASTS_S)
        passed = datetime.timedelta(seconds=bench.clock.now() - set_at_s)
        record.fact(ClockShown(at_s=bench.clock.now(), shown=_shown(clock), due=eve + passed))


def _shown(clock: KeepsTime) -> datetime.datetime:
    """Read a clock; one that shows what is no date shows `NO_DATE`."""
    try:
        return clock.clock()
    except BadReplyError:
        return NO_DATE


def _weighed(taken: Taken, scale: VolumeScale, *phases: str) -> Budget:
    readings = taken.series(*phases)
    return scale.budget(float(scale.delivered_u(readings)[-1]), float(readings.at_s[-1] - readings.at_s[0]))


def _most_in_an_hour(taken: Taken, scale: VolumeScale) -> Budget:
    """Weigh the hour of passed time in which most came, in U."""
    readings = taken.series(*(stretch_phase(number + 1) for number in range(STRETCHES)), BOLUSES)
    delivered_u = scale.delivered_u(readings)
    before_u = np.interp(readings.at_s - 3600.0, readings.at_s, delivered_u)
    return scale.budget(float((delivered_u - before_u).max()), 3600.0)

"""A pump that travels: time zone and summer time are set while it delivers by its profile, weighed throughout.

Where they are set its clock moves, forward and back, east and west, and segments go by the time that it then shows. Not
responsible for a clock that is set by hand (`clock_set`).
"""

from __future__ import annotations

import datetime
from typing import ClassVar

from rig.procedures.basal_course import BasalCourse, errors_of, worst_of
from rig.procedures.between_blanks import between_blanks, scale_between_blanks
from rig.procedures.budgets import measured
from rig.procedures.procedure import BetweenBlanks, Computed
from rig.procedures.rest import wait_for_rest
from rig.record.taking import Fact, Recorder, Taken
from rig.roles import Bench, Capability, Metrology, require
from rig.therapy import BasalSegment
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Quantity

ERROR = Kind(
    "time_zones.largest_error",
    "largest error of a stretch after time zone or summer time were set",
    ("U",),
    (),
    "What is weighed in a stretch, less what the profile makes due by the time that the pump should show.",
)
SHOWN = Kind(
    "time_zones.shown_late",
    "how late the pump's clock is after time zone or summer time were set",
    ("s",),
    (),
    "Date and time that it should show, less what it shows; the largest after any of the settings.",
)
PROFILE = (BasalSegment(120, 3.0), BasalSegment(60, 0.5), BasalSegment(1200, 1.5), BasalSegment(60, 4.0))
"""Each stretch of `JOURNEY` has a rate that differs from those an hour, or 2.5 h, before and after."""
BEGINS = datetime.datetime(2026, 3, 29, 1, 10)
STRETCH_MIN = 15.0
JOURNEY: tuple[tuple[str, int, int], ...] = (
    ("summer time", 0, 60),
    ("winter time again", 0, 0),
    ("two and a half hours west", -150, 0),
    ("back in the east", 0, 0),
)
"""What is set, as time zone and summer time in min, and what the stretch after it is called."""


class ZoneShown(Fact):
    """What the pump's clock showed in the end of a stretch, and what it should have shown."""

    shown: datetime.datetime
    due: datetime.datetime


class TimeZones(BetweenBlanks):
    """Deliver by a profile while summer time begins and ends, and the pump travels west and back."""

    TABLE: ClassVar = "time_zones"
    KEYWORD: ClassVar = "Travel While It Delivers"
    IN_WORDS: ClassVar = "settings of the time zone"
    KINDS: ClassVar = (ERROR, SHOWN)

    @property
    def title(self) -> str:
        """What tells it from others."""
        return "summer time and back, west and back"

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (Capability.BASAL_PROFILE, Capability.CLOCK, Capability.TIME_ZONE)

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U, at most."""
        return 4.0 * STRETCH_MIN / 60.0 * (len(JOURNEY) + 1)

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        return tuple(kind.of() for kind in self.KINDS)

    def take(self, bench: Bench, record: Recorder) -> None:
        """Set what a journey sets, and weigh after each."""
        between_blanks(
            bench, record, rate_u_per_h=0.0, blank_s=self.blank_s, deliver=lambda: self._travel(bench, record)
        )

    def _travel(self, bench: Bench, record: Recorder) -> None:
        course, clock = BasalCourse(bench, record), require(bench.pump, Capability.CLOCK)
        course.set_zone(0, 0, BEGINS)
        course.start(PROFILE, BEGINS)
        began_s = bench.clock.now()
        course.weigh("at home", STRETCH_MIN)
        for what, zone_min, summer_min in JOURNEY:
            ahead = datetime.timedelta(minutes=zone_min + summer_min)
            course.set_zone(zone_min, summer_min, _shows(began_s, bench.clock.now(), ahead))
            course.weigh(what, STRETCH_MIN)
            now_s = bench.clock.now()
            record.fact(ZoneShown(at_s=now_s, shown=clock.clock(), due=_shows(began_s, now_s, ahead)))
        bench.pump.stop()
        wait_for_rest(bench, record, "rest after")

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Compute the errors of the stretches, and how far the clock is off."""
        scale = scale_between_blanks(taken, metrology, blank_s=self.blank_s)
        budgets = {ERROR.of(): worst_of(errors_of(taken, scale, PROFILE))}
        late_s = [(fact.due - fact.shown).total_seconds() for fact in taken.exactly(len(JOURNEY), ZoneShown)]
        return Computed(
            (
                *(measured(quantity, budget) for quantity, budget in budgets.items()),
                Measurement(SHOWN.of(), max(late_s, key=abs)),
            ),
            budgets=budgets,
        )


def _shows(began_s: float, now_s: float, ahead: datetime.timedelta) -> datetime.datetime:
    """What a clock shows that was set at a moment of the bench's clock, so far ahead of the time at home."""
    return BEGINS + datetime.timedelta(seconds=now_s - began_s) + ahead

"""Temporary rates as a person uses them: nothing, double, very low, over a switch of the profile, cancelled, too high.

Not responsible for one rate by itself with its delays (`temporary`), nor for limits.
"""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from rig.procedures.basal_course import BasalCourse, errors_of, taken_wrongly, worst_of
from rig.procedures.between_blanks import between_blanks, scale_between_blanks
from rig.procedures.budgets import measured
from rig.procedures.preparation import MIDNIGHT
from rig.procedures.procedure import BetweenBlanks, Computed
from rig.procedures.rate_change import RATE_OVER
from rig.procedures.rest import wait_for_rest
from rig.record.taking import Recorder, Taken
from rig.roles import Bench, Capability, Metrology, require
from rig.therapy import BasalSegment, Setting, TemporaryRate
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Quantity

ACCEPTED = Kind(
    "temporary_course.accepted",
    "temporary rates above the maximum that were taken",
    ("rates",),
    (),
    "Temporary rates that would exceed the highest basal rate and were not refused.",
)
ERROR = Kind(
    "temporary_course.largest_error",
    "largest error of a stretch of temporary rates",
    ("U",),
    (),
    "What is weighed in a stretch, less what profile and temporary rate make due.",
)
MAX_U_PER_H = 4.0
PROFILE = (BasalSegment(60, 2.0), BasalSegment(1380, 1.0))


class TemporaryCourse(BetweenBlanks):
    """Begin temporary rates of 0 %, 150 % over a switch, 200 % and 0.1 U/h, let them end or cancel, and weigh."""

    TABLE: ClassVar = "temporary_course"
    KEYWORD: ClassVar = "Weigh Several Temporary Rates"
    IN_WORDS: ClassVar = "temporary rates one after the other"
    KINDS: ClassVar = (ACCEPTED, ERROR)
    EXPECTED: ClassVar = frozenset({RATE_OVER, "temporary basal rate cancelled"})

    @property
    def title(self) -> str:
        """What tells it from others."""
        return "0 %, 150 %, 200 %, 0.1 U/h"

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (Capability.BASAL_PROFILE, Capability.TEMPORARY_BASAL, Capability.CLOCK, Capability.SETTINGS)

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U, about."""
        return 4.0

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        return (ACCEPTED.of(), ERROR.of())

    def take(self, bench: Bench, record: Recorder) -> None:
        """Begin one temporary rate after the other."""

        def deliver() -> None:
            settings = require(bench.pump, Capability.SETTINGS)
            before = settings.setting(Setting.MAX_BASAL_U_PER_H)
            settings.set_setting(Setting.MAX_BASAL_U_PER_H, MAX_U_PER_H)
            self._live(BasalCourse(bench, record), bench)
            bench.pump.stop()
            settings.set_setting(Setting.MAX_BASAL_U_PER_H, before)
            wait_for_rest(bench, record, "rest after")

        between_blanks(bench, record, rate_u_per_h=0.0, blank_s=self.blank_s, deliver=deliver)

    def _live(self, course: BasalCourse, bench: Bench) -> None:
        course.start(PROFILE, MIDNIGHT)
        course.weigh("the profile", 10.0)
        course.begin(TemporaryRate(15, factor=0.0))
        course.weigh("0 %", 14.0)
        course.weigh("the end of 0 %, and the profile", 16.0)
        course.begin(TemporaryRate(30, factor=1.5))
        course.weigh("150 % over a switch of the profile", 29.0)
        course.weigh("the end of 150 %, and the profile", 11.0)
        course.begin(TemporaryRate(60, factor=2.0))
        course.weigh("200 %", 15.0)
        course.cancel()
        course.weigh("200 % cancelled", 10.0)
        course.begin(TemporaryRate(15, rate_u_per_h=0.1))
        course.weigh("0.1 U/h", 14.0)
        course.weigh("the end of 0.1 U/h, and the profile", 11.0)
        set_rate = require(bench.pump, Capability.TEMPORARY_BASAL).set_temporary_rate
        for what, too_high in (
            (f"{MAX_U_PER_H + 0.5:g} U/h", TemporaryRate(30, rate_u_per_h=MAX_U_PER_H + 0.5)),
            ("250 %, in an hour above the maximum", TemporaryRate(30, factor=2.5)),
        ):
            course.try_wrong(what, partial(set_rate, too_high))
            course.weigh(f"after {what}", 10.0)

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Count what was taken, and compute the largest error of a stretch."""
        error = worst_of(errors_of(taken, scale_between_blanks(taken, metrology, blank_s=self.blank_s), PROFILE))
        accepted = Measurement(ACCEPTED.of(), float(taken_wrongly(taken)))
        return Computed((accepted, measured(ERROR.of(), error)), budgets={ERROR.of(): error})

"""Basal profiles that are no profile of a day: refused, and the one before goes on, weighed.

A profile that overlaps itself cannot be told to a pump that takes durations: it is one that is longer than a day.
Not responsible for limits.
"""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from rig.procedures.basal_course import BasalCourse, errors_of, taken_wrongly, worst_of
from rig.procedures.between_blanks import between_blanks, scale_between_blanks
from rig.procedures.budgets import measured
from rig.procedures.preparation import MIDNIGHT, MINUTES_A_DAY
from rig.procedures.procedure import BetweenBlanks, Computed
from rig.procedures.rest import wait_for_rest
from rig.record.taking import Recorder, Taken
from rig.roles import Bench, Capability, Metrology, require
from rig.therapy import BasalSegment, Setting
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Quantity

ACCEPTED = Kind(
    "wrong_profiles.accepted", "wrong basal profiles that were taken", ("profiles",), (), "Profiles it did not refuse."
)
ERROR = Kind(
    "wrong_profiles.largest_error",
    "largest error of a stretch after a wrong basal profile",
    ("U",),
    (),
    "What is weighed in 10 min after each, less what the profile before makes due.",
)
MAX_U_PER_H = 5.0
GOOD = (BasalSegment(720, 2.0), BasalSegment(720, 1.0))
WRONG: tuple[tuple[str, tuple[BasalSegment, ...]], ...] = (
    ("a profile with a gap of an hour", (BasalSegment(600, 0.0), BasalSegment(780, 4.0))),
    ("a profile of 25 h", (BasalSegment(720, 0.0), BasalSegment(780, 4.0))),
    ("a profile with a rate above the maximum", (BasalSegment(MINUTES_A_DAY, MAX_U_PER_H + 1.0),)),
    ("a profile with a segment of no length", (BasalSegment(0, 1.0), BasalSegment(MINUTES_A_DAY, 4.0))),
    ("a profile of 60 segments", tuple(BasalSegment(24, 4.0) for _ in range(60))),
)


class WrongProfiles(BetweenBlanks):
    """Deliver by a profile, tell the pump five that are none, and weigh on after each."""

    TABLE: ClassVar = "wrong_profiles"
    KEYWORD: ClassVar = "Tell Wrong Profiles"
    IN_WORDS: ClassVar = "wrong basal profiles"
    KINDS: ClassVar = (ACCEPTED, ERROR)

    @property
    def title(self) -> str:
        """What tells it from others: how many."""
        return f"{len(WRONG)} profiles"

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (Capability.BASAL_PROFILE, Capability.CLOCK, Capability.SETTINGS)

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U, about."""
        return 3.0

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        return (ACCEPTED.of(), ERROR.of())

    def take(self, bench: Bench, record: Recorder) -> None:
        """Tell the profiles one after the other, and weigh."""

        def deliver() -> None:
            settings = require(bench.pump, Capability.SETTINGS)
            before = settings.setting(Setting.MAX_BASAL_U_PER_H)
            settings.set_setting(Setting.MAX_BASAL_U_PER_H, MAX_U_PER_H)
            course, tell = BasalCourse(bench, record), require(bench.pump, Capability.BASAL_PROFILE).set_basal_profile
            course.start(GOOD, MIDNIGHT)
            course.weigh("before any", 10.0)
            for what, segments in WRONG:
                course.try_wrong(what, partial(tell, segments))
                course.weigh(f"after {what}", 10.0)
            bench.pump.stop()
            settings.set_setting(Setting.MAX_BASAL_U_PER_H, before)
            wait_for_rest(bench, record, "rest after")

        between_blanks(bench, record, rate_u_per_h=0.0, blank_s=self.blank_s, deliver=deliver)

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Count what was taken, and compute the largest error of a stretch."""
        error = worst_of(errors_of(taken, scale_between_blanks(taken, metrology, blank_s=self.blank_s), GOOD))
        accepted = Measurement(ACCEPTED.of(), float(taken_wrongly(taken)))
        return Computed((accepted, measured(ERROR.of(), error)), budgets={ERROR.of(): error})

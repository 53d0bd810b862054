"""Automated delivery: what a controller and the pump that it commands deliver in situations that put them to the test.

Every number is what the balance weighed, in % of what the profile alone would have delivered: of a time that a
situation names, at most in an hour or from decision to decision, or the longest time in which no dose came. Neither
pump nor controller is asked. Not responsible for the situations (`automation_situations`), nor for limits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from rig.analysis.budget import Budget
from rig.analysis.checks import FloatArray
from rig.loop.accepted import Known, insulin_of
from rig.loop.choice import CONTROLLERS
from rig.loop.controllers import PERIOD_MIN, Controller, ControllerSettings
from rig.procedures.alive import LOOP, LoopBegan
from rig.procedures.astray import RESERVOIR_U
from rig.procedures.automating import AutomatedDelivery
from rig.procedures.automation_situations import BOLUS_U, SITUATIONS, Situation
from rig.procedures.between_blanks import between_blanks, scale_between_blanks
from rig.procedures.bounds import Dose, Rate, Size
from rig.procedures.budgets import measured
from rig.procedures.commanding import Commanded
from rig.procedures.from_sheet import FromSheet
from rig.procedures.parameters import RATE
from rig.procedures.power import stop_and_fade
from rig.procedures.preparation import MIDNIGHT, start_therapy
from rig.procedures.procedure import BetweenBlanks, Computed
from rig.procedures.rate_change import RATE_OVER
from rig.procedures.rest import wait_for_rest
from rig.procedures.sampling import sample_for
from rig.procedures.settings import setting_set
from rig.procedures.volume import VolumeScale
from rig.record.taking import Recorder, Taken
from rig.roles import Bench, Capability, Metrology, require
from rig.therapy import Setting
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Parameter, Quantity

REST = "rest before the loop"
SAMPLE_EVERY_S = 60.0
LONGEST_GAP_S = 300.0
"""A period without a reading leaves it open within which of them something came."""
HOUR_MIN = 60
ABOUT_A_BOLUS_MIN = 60
"""A person's bolus is weighed together with what automation gives within an hour from it."""
RATIO_G = 10.0
"""Nobody eats here: what a controller is told of meals plays no part."""
SITUATION = Parameter("situation", words=tuple(SITUATIONS))
STRETCH = Parameter("stretch")
CONTROLLER = Parameter("controller")
_ALL = (SITUATION, CONTROLLER, RATE)
_OF = "{situation}, {controller} at {rate}"

DELIVERED = Kind(
    "automation.delivered", f"delivered {{stretch}}: {_OF}", ("%",), (STRETCH, *_ALL),
    "Weighed in a stretch of the situation, in % of what the profile alone would have delivered then.",
)  # fmt: skip
BESIDE = Kind(
    "automation.beside_a_bolus", f"delivered beside a person's bolus: {_OF}", ("%",), _ALL,
    "Weighed within an hour from a person's bolus on, less the bolus, in % of the profile's insulin in that hour.",
)  # fmt: skip
AT_ONCE = Kind(
    "automation.bolus_error", f"error of a person's bolus: {_OF}", ("U",), _ALL,
    "Weighed from a person's bolus until the next decision, less the bolus: what automation gives meanwhile is in it.",
)  # fmt: skip
WITHOUT = Kind(
    "automation.longest_without", f"longest time without a dose: {_OF}", ("min",), _ALL,
    "Between two doses that were weighed.",
)  # fmt: skip
HOUR = Kind(
    "automation.most_in_an_hour", f"most in an hour: {_OF}", ("%",), _ALL,
    "The most that was weighed within any hour, in % of the profile's insulin in an hour.",
)  # fmt: skip
PERIOD = Kind(
    "automation.most_in_a_period", f"most from decision to decision: {_OF}", ("%",), _ALL,
    "The most that was weighed within any 5 min, in % of the profile's insulin in 5 min.",
)  # fmt: skip
ASKED = Kind(
    "automation.weighed_less_asked", f"weighed less asked insulin: {_OF}", ("%",), _ALL,
    "What was weighed less what the pump accepted, over the whole situation, in % of that.",
)  # fmt: skip


class Automation(BetweenBlanks):
    """Let a controller command the pump by what a sensor shows, bring both into a situation, and weigh what comes."""

    TABLE: ClassVar = "automation"
    KEYWORD: ClassVar = "Automate Delivery"
    IN_WORDS: ClassVar = "automated delivery, {title}"
    KINDS: ClassVar = (DELIVERED, AT_ONCE, BESIDE, WITHOUT, HOUR, PERIOD, ASKED)
    EXPECTED: ClassVar = frozenset(
        {RATE_OVER, "temporary rate cancelled", "reservoir low", "system issue", "date and time issue"}
    )

    situation: Literal[
        "predicted low", "lasting low", "sensor lost", "sensor stale", "sensor jumps", "sensor out of range",
        "compression low", "sensor restarts", "lasting high", "bolus beside", "controller restarts", "clock set",
        "link lost", "pump's maximum", "pump restarts",
    ]  # fmt: skip
    controller: Literal["pid", "basal-bolus"] = "pid"
    rate_u_per_h: Annotated[Rate, Field(alias="rate")] = 1.0
    rate_step_u_per_h: Annotated[Rate, FromSheet("basal.step"), Field(alias="rate_step")] = 0.025
    bolus_step_u: Annotated[Size, FromSheet("bolus.step"), Field(alias="bolus_step")] = 0.025
    dose_u: Annotated[Dose, FromSheet("dose.size"), Field(alias="dose")] = 0.025

    @property
    def title(self) -> str:
        """What tells it from others: situation, controller and the profile's rate."""
        return f"{self.situation}, {self.controller} at {self.rate_u_per_h:g} U/h"

    @property
    def written_out(self) -> Situation:
        """The situation to the minute."""
        return SITUATIONS[self.situation]()

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        situation = self.written_out
        return (
            Capability.BASAL_PROFILE, Capability.TEMPORARY_BASAL, Capability.FAST_BOLUS, Capability.CLOCK,
            Capability.HISTORY,
            Capability.DAILY_TOTAL,
            *((Capability.SETTINGS,) if situation.pump_maximum is not None else ()),
            *((Capability.TAPPED_LINE,) if situation.loses_link else ()),
        )  # fmt: skip

    @property
    def needed_roles(self) -> tuple[str, ...]:
        """The supply, where the pump restarts."""
        return ("supply",) if self.written_out.needs_supply else ()

    @property
    def needed_u(self) -> float:
        """Insulin that the reservoir is told to hold, in U."""
        return RESERVOIR_U

    @property
    def bench_time_s(self) -> float:
        """The situation and what is around it, in s."""
        return 60.0 * self.written_out.minutes + self.around_s

    @property
    def extent(self) -> Mapping[str, float]:
        """For how long it is weighed, in s."""
        return {"analysis": 60.0 * self.written_out.minutes}

    def _of(self, kind: Kind, **further: str) -> Quantity:
        return kind.of(situation=self.situation, controller=self.controller, rate=self.rate_u_per_h, **further)

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        situation = self.written_out
        return (
            *(self._of(DELIVERED, stretch=each.name) for each in situation.stretches),
            *((self._of(AT_ONCE), self._of(BESIDE)) if situation.bolus_min is not None else ()),
            *((self._of(WITHOUT),) if situation.longest_without else ()),
            *((self._of(HOUR), self._of(PERIOD), self._of(ASKED)) if situation.most else ()),
        )

    def controller_for(self, settings: ControllerSettings, known: Known) -> Controller:
        """The controller that is put to the test, with what it knows."""
        return CONTROLLERS[self.controller](settings, known)

    def take(self, bench: Bench, record: Recorder) -> None:
        """Let the controller command the pump for as long as the situation lasts."""
        situation = self.written_out
        settings = ControllerSettings(self.rate_u_per_h, RATIO_G, self.rate_step_u_per_h, self.bolus_step_u)

        def deliver() -> None:
            wait_for_rest(bench, record, REST)
            require(bench.pump, Capability.CLOCK).set_clock(MIDNIGHT)
            start_therapy(bench, record)
            automated = AutomatedDelivery(
                situation, lambda known: self.controller_for(settings, known), bench, record,
                rate_u_per_h=self.rate_u_per_h,
            )  # fmt: skip
            try:
                sample_for(
                    bench, record, LOOP, duration_s=60.0 * situation.minutes, every_s=SAMPLE_EVERY_S,
                    longest_gap_s=LONGEST_GAP_S, until=automated.sampled,
                )  # fmt: skip
            finally:
                automated.end()
            stop_and_fade(bench, record)

        highest = situation.pump_maximum
        with (
            nullcontext()
            if highest is None
            else setting_set(bench, record, Setting.MAX_BASAL_U_PER_H, highest * self.rate_u_per_h)
        ):
            between_blanks(
                bench, record, rate_u_per_h=self.rate_u_per_h, blank_s=self.blank_s, deliver=deliver,
                reservoir_u=RESERVOIR_U,
            )  # fmt: skip

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Weigh each stretch, and look for the extremes."""
        situation = self.written_out
        weighed = MinuteTotals(scale_between_blanks(taken, metrology, blank_s=self.blank_s), taken)
        budgets = {
            self._of(DELIVERED, stretch=each.name): self._of_profile(weighed, each.from_min, each.to_min)
            for each in situation.stretches
        }
        found = []
        if situation.bolus_min is not None:
            at_min, end_min = situation.bolus_min, situation.bolus_min + ABOUT_A_BOLUS_MIN
            decided_min = -(-at_min // PERIOD_MIN) * PERIOD_MIN
            budgets[self._of(AT_ONCE)] = weighed.between(at_min, decided_min).linear(1.0, offset=-BOLUS_U, unit="U")
            budgets[self._of(BESIDE)] = self._of_profile(weighed, at_min, end_min, less_u=BOLUS_U)
        if situation.longest_without:
            longest_min, u_min = weighed.longest_without_min(self.dose_u)
            found.append(Measurement(self._of(WITHOUT), longest_min, u_min))
        if situation.most:
            for kind, length_min in ((HOUR, HOUR_MIN), (PERIOD, PERIOD_MIN)):
                at_min = weighed.richest_min(length_min)
                budgets[self._of(kind)] = self._of_profile(weighed, at_min, at_min + length_min)
            budgets[self._of(ASKED)] = self._less_asked(taken, weighed, situation.minutes)
        return Computed(
            (*(measured(quantity, budget) for quantity, budget in budgets.items()), *found), budgets=budgets
        )

    def _of_profile(self, weighed: MinuteTotals, from_min: int, to_min: int, *, less_u: float = 0.0) -> Budget:
        """What came between two minutes, less an amount, in % of the profile's insulin in that time."""
        percent_per_u = 100.0 / (self.rate_u_per_h * (to_min - from_min) / 60.0)
        return weighed.between(from_min, to_min).linear(percent_per_u, offset=-less_u * percent_per_u, unit="%")

    def _less_asked(self, taken: Taken, weighed: MinuteTotals, minutes: int) -> Budget:
        accepted = tuple(each.accepted for each in taken.facts(Commanded) if each.accepted is not None)
        asked_u = float(insulin_of(accepted, taken.the(LoopBegan).rate_u_per_h, 0, minutes).sum())
        return weighed.between(0, minutes).error_percent_of(asked_u)


class MinuteTotals:
    """What had come at each minute of a situation, in U."""

    def __init__(self, scale: VolumeScale, taken: Taken) -> None:
        self._scale = scale
        readings = taken.series(LOOP)
        self._minute: FloatArray = (readings.at_s - readings.at_s[0]) / 60.0
        self._total_u: FloatArray = np.asarray(scale.delivered_u(readings))

    def _at(self, minute: float) -> float:
        return float(np.interp(minute, self._minute, self._total_u))

    def between(self, from_min: float, to_min: float) -> Budget:
        """The budget of what came between two minutes, in U."""
        return self._scale.budget(self._at(to_min) - self._at(from_min), 60.0 * (to_min - from_min))

    def richest_min(self, length_min: int) -> int:
        """The minute from which most came within so many min."""
        starts = np.arange(0, math.floor(self._minute[-1]) - length_min + 1)
        came = [self._at(start + length_min) - self._at(start) for start in starts]
        return int(starts[int(np.argmax(came))])

    def longest_without_min(self, dose_u: float) -> tuple[float, float]:
        """The longest time between two readings that more than half of a dose lies between, and its U, in min."""
        doses = [0.0]
        level_u = self._total_u[0]
        for minute, total_u in zip(self._minute, self._total_u, strict=True):
            if total_u - level_u > 0.5 * dose_u:
                doses.append(float(minute))
                level_u = total_u
        doses.append(float(self._minute[-1]))
        return float(np.diff(doses).max()), SAMPLE_EVERY_S / 60.0

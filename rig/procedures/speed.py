"""The speed at which a bolus is delivered, from the balance, at a speed that the pump was set to.

Not responsible for how much comes (`bolus`) nor for limits.
"""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from rig.analysis.budget import Budget
from rig.procedures.between_blanks import between_blanks, scale_between_blanks
from rig.procedures.bounds import Dose, Size, Speed
from rig.procedures.budgets import measured, with_one_source
from rig.procedures.course_commands import Commander, parse_command
from rig.procedures.preparation import start_therapy
from rig.procedures.procedure import BetweenBlanks, Computed
from rig.procedures.rest import wait_for_rest
from rig.procedures.sampling import sample_for
from rig.record.taking import Fact, Recorder, Taken
from rig.roles import Bench, Capability, Metrology
from rig.verdicts.quantities import Kind, Parameter, Quantity

BEFORE, DURING = "rest before", "bolus"
SAMPLE_EVERY_S = 1.0
FROM, TO = 0.3, 0.8
"""Of the volume: between them the line's delay is the same, and drops out. With a line that fades in 4.5 s the flow has
settled to 3 % at 30 % of a bolus of 40 s, and goes on at 80 %."""
LONGER = 3.0
"""So many times as long as planned is waited, for a pump that is slower than it was set."""
SPEED = Parameter("speed", ("U/min",))
ERROR = Kind(
    "speed.error",
    "error of the bolus speed at {speed}",
    ("%",),
    (SPEED,),
    "The speed between 30 and 80 % of what came, less the one that the pump was set to, in % of it.",
)


class SpeedAnswered(Fact):
    """What the pump said to being set to a speed and to the bolus."""

    set_answered: str
    bolus_answered: str


class BolusSpeed(BetweenBlanks):
    """Set the speed of a bolus, give one, and read from the balance how fast it came."""

    TABLE: ClassVar = "speed"
    KEYWORD: ClassVar = "Weigh Bolus Speed"
    IN_WORDS: ClassVar = "the bolus speed {title}"
    KINDS: ClassVar = (ERROR,)

    speed_u_per_h: Annotated[Speed, Field(alias="speed")]
    size_u: Annotated[Size, Field(alias="size")]
    dose_u: Annotated[Dose, Field(alias="dose")] = 0.025

    @property
    def title(self) -> str:
        """What tells it from others: the speed."""
        return f"{self.speed_u_per_h / 60.0:g} U/min"

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (Capability.FAST_BOLUS, Capability.SETTINGS)

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U."""
        return self.size_u

    @property
    def planned_s(self) -> float:
        """How long the bolus should take in s."""
        return self.size_u / self.speed_u_per_h * 3600.0

    @property
    def _quantity(self) -> Quantity:
        return ERROR.of(speed=f"{self.speed_u_per_h / 60.0:.12g} U/min")

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        return (self._quantity,)

    def take(self, bench: Bench, record: Recorder) -> None:
        """Set the speed, give the bolus and read the balance; the former speed is set again."""
        hands = Commander(bench, record)

        def deliver() -> None:
            set_answered = parse_command(f"0 s: bolus speed {self.title}").given(hands)
            start_therapy(bench, record)
            wait_for_rest(bench, record, BEFORE)
            bolus_answered = parse_command(f"0 s: bolus {self.size_u:g} U").given(hands)
            answers = SpeedAnswered(at_s=bench.clock.now(), set_answered=set_answered, bolus_answered=bolus_answered)
            record.fact(answers)
            record.step("bolus", insulin_u=self.size_u, speed=set_answered, bolus=bolus_answered)
            duration_s = LONGER * self.planned_s + 60.0
            sample_for(bench, record, DURING, duration_s=duration_s, every_s=SAMPLE_EVERY_S)
            bench.pump.stop()
            hands.restore()
            wait_for_rest(bench, record, "rest after")

        between_blanks(bench, record, rate_u_per_h=0.0, blank_s=self.blank_s, deliver=deliver)

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Find when 30 and 80 % had come; a bolus that did not come has no speed, which is −100 %."""
        scale = scale_between_blanks(taken, metrology, blank_s=self.blank_s)
        readings = taken.series(DURING)
        delivered_u = scale.delivered_u(readings)
        whole_u = float(delivered_u[-1])
        if whole_u < self.size_u / 2.0:
            budget = with_one_source(-100.0, "%", "no bolus", 0.0)
        else:
            rising_u = np.maximum.accumulate(delivered_u)
            begin_s, end_s = np.interp([FROM * whole_u, TO * whole_u], rising_u, readings.at_s)
            budget = self._budget(whole_u, float(end_s - begin_s))
        return Computed(measured=(measured(self._quantity, budget),), budgets={self._quantity: budget})

    def _budget(self, whole_u: float, took_s: float) -> Budget:
        """Write the budget: each moment is known to a reading and to a dose, both rectangles, and they are two."""
        took_s = max(took_s, SAMPLE_EVERY_S)
        speed_u_per_h = (TO - FROM) * whole_u / took_s * 3600.0
        each_s = math.hypot(SAMPLE_EVERY_S, self.dose_u / speed_u_per_h * 3600.0) / math.sqrt(12.0)
        error_percent = 100.0 * (speed_u_per_h / self.speed_u_per_h - 1.0)
        u_percent = 100.0 * math.sqrt(2.0) * each_s / took_s * speed_u_per_h / self.speed_u_per_h
        return with_one_source(error_percent, "%", "moments, by readings and doses", u_percent)

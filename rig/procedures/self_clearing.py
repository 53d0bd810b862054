"""Occlusions that clear by themselves in the middle of a bolus: no alarm comes, and no more than was asked for.

Not responsible for limits.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from rig.procedures.answers import ask_for_bolus, ask_pump
from rig.procedures.bolus import STANDARD_BOLUS_U_PER_H
from rig.procedures.bounds import Size, Speed
from rig.procedures.budgets import measured
from rig.procedures.parameters import SIZE
from rig.procedures.preparation import start_therapy
from rig.procedures.procedure import Computed
from rig.procedures.provoking import provoking
from rig.procedures.rest import SAMPLE_EVERY_S, wait_for_rest
from rig.procedures.sampling import sample_for
from rig.procedures.under_fault import TAIL_S, FaultName, UnderFault, came, scale_of_bench, without_blanks
from rig.record.taking import Fact, Recorder, Taken
from rig.roles import Bench, Capability, Metrology, require
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Quantity

BEFORE, DURING, AFTER = "rest before", "line free again", "rest after"
ALARM = "occlusion"
FALSE_ALARMS = Kind(
    "self_clearing.alarms",
    "alarms of occlusions that cleared in a bolus of {size}",
    ("alarms",),
    (SIZE,),
    "Occlusion alarms in the pump's log.",
)
ERROR = Kind(
    "self_clearing.error",
    "error of a bolus of {size} through occlusions that cleared",
    ("%",),
    (SIZE,),
    "Of the whole bolus, what the line held back and released again included.",
)


class ClearedByItself(Fact):
    """How many occlusions the pump alarmed from the bolus on, by its log."""

    alarms: int


class SelfClearing(UnderFault):
    """Close the line again and again while a bolus is delivered, each time too short for an alarm; weigh it whole."""

    TABLE: ClassVar = "self_clearing"
    KEYWORD: ClassVar = "Give A Bolus Through Occlusions That Clear"
    IN_WORDS: ClassVar = "a bolus of {title}"
    KINDS: ClassVar = (FALSE_ALARMS, ERROR)

    fault: FaultName = "F5"
    size_u: Annotated[Size, Field(alias="size")] = 4.0
    speed_u_per_h: Annotated[Speed, Field(alias="speed")] = STANDARD_BOLUS_U_PER_H

    @property
    def title(self) -> str:
        """What tells it from others: its size."""
        return f"{self.size_u:g} U through occlusions that clear"

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (Capability.FAST_BOLUS, Capability.OCCLUSION_DETECTION, Capability.HISTORY)

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U."""
        return self.size_u

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        return tuple(kind.of(size=self.size_u) for kind in self.KINDS)

    def take(self, bench: Bench, record: Recorder) -> None:
        """Give a bolus, and close and open the line meanwhile."""
        log = require(bench.pump, Capability.HISTORY)

        def deliver() -> None:
            start_therapy(bench, record)
            wait_for_rest(bench, record, BEFORE)
            first = max((event.sequence for event in log.history()), default=0) + 1
            start_s = bench.clock.now()
            ask_for_bolus(bench, record, self.size_u)
            with provoking(bench, record) as faults:
                faults.inject(self.injection)
            left_s = start_s + 3600.0 * self.size_u / self.speed_u_per_h - bench.clock.now()
            sample_for(bench, record, DURING, duration_s=max(0.0, left_s), every_s=SAMPLE_EVERY_S)
            sample_for(bench, record, AFTER, duration_s=2.0 * TAIL_S, every_s=SAMPLE_EVERY_S)
            ask_pump(bench, record, "stopping", bench.pump.stop)
            alarms = [event for event in log.history(since=first) if event.fields.get("annunciation") == ALARM]
            record.fact(ClearedByItself(at_s=bench.clock.now(), alarms=len(alarms)))

        without_blanks(bench, record, rate_u_per_h=0.0, deliver=deliver)

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Weigh the bolus, and count the alarms."""
        scale = scale_of_bench(taken, metrology)
        alarms, error = self.quantities
        budget = came(scale, taken.series(BEFORE, DURING, AFTER)).error_percent_of(self.size_u)
        counted = Measurement(alarms, float(taken.the(ClearedByItself).alarms))
        return Computed((counted, measured(error, budget)), budgets={error: budget})

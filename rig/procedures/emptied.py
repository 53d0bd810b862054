"""A reservoir that is emptied by boluses: the alarm comes before it can run dry, and the pump's count is right.

Not responsible for the warning before it (`reservoir`), nor for limits.
"""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

from pydantic import Field

from rig.procedures.answers import accepted, ask_for_bolus, ask_pump
from rig.procedures.bounds import Size, lasting
from rig.procedures.budgets import measured
from rig.procedures.parameters import SIZE
from rig.procedures.preparation import start_therapy
from rig.procedures.procedure import Computed
from rig.procedures.provoking import provoking
from rig.procedures.rest import SAMPLE_EVERY_S, wait_for_rest
from rig.procedures.sampling import sample_for
from rig.procedures.under_fault import (
    TAIL_S,
    AlarmAwaited,
    FaultName,
    UnderFault,
    await_alarm,
    came,
    scale_of_bench,
    shown_now,
    without_blanks,
)
from rig.record.taking import Fact, Recorder, Taken
from rig.roles import Bench, Capability, Metrology
from rig.toml_files import TimeS
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Quantity

BEFORE, EMPTYING, AFTER = "rest before", "emptying", "empty"
LOOK_EVERY_S = 2.0
TOO_MANY = 2
"""So many boluses are asked for beyond what the reservoir is said to hold: a pump that gives them pushes air."""
ANYWAY = "therapy with the reservoir empty"


def _kind(name: str, words: str, unit: str, meaning: str) -> Kind:
    return Kind(f"emptied.{name}", f"{words} of a reservoir filled with {{size}}", (unit,), (SIZE,), meaning)


UNALARMED = _kind(
    "unalarmed", "missing empty alarm", "alarms", "1 where more was given than it held, and no alarm came."
)
BEYOND = _kind(
    "delivered_beyond", "delivered beyond the content", "U", "By weight, what came less what it was filled with."
)
COUNT = _kind(
    "count_less_weighed", "count less weighed content", "U", "What the pump says is left, less what is by weight."
)
STARTS = _kind("starts", "starts of therapy at the end", "starts", "How often therapy could be started with it empty.")


class ReservoirRanOut(Fact):
    """What the pump says its reservoir still holds, in U; None where it cannot tell."""

    told_u: float | None


class Emptied(UnderFault):
    """Tell the pump that its reservoir holds so much, and give boluses until it alarms, or gives more than there is."""

    TABLE: ClassVar = "emptied"
    KEYWORD: ClassVar = "Empty Reservoir Until Alarmed"
    IN_WORDS: ClassVar = "an emptied reservoir of {title}"
    KINDS: ClassVar = (UNALARMED, BEYOND, COUNT, STARTS)
    EXPECTED: ClassVar = frozenset({"reservoir low", "reservoir empty"})

    fault: FaultName = "F13"
    filled_u: Annotated[Size, Field(alias="filled")]
    bolus_u: Annotated[Size, Field(alias="bolus")]
    one_takes_s: Annotated[TimeS, lasting("1 s", "1 d"), Field(alias="one_takes")]

    @property
    def title(self) -> str:
        """What tells it from others: how full the reservoir is."""
        return f"{self.filled_u:g} U"

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (Capability.FAST_BOLUS, Capability.RESERVOIR_DETECTION, Capability.RESERVOIR_LEVEL)

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U, at most."""
        return self.filled_u + (TOO_MANY + 2) * self.bolus_u

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        return tuple(kind.of(size=self.filled_u) for kind in self.KINDS)

    def take(self, bench: Bench, record: Recorder) -> None:
        """Give boluses until the alarm, and ask for more."""

        def empty() -> None:
            start_therapy(bench, record)
            wait_for_rest(bench, record, BEFORE)
            with provoking(bench, record) as faults:
                faults.inject(self.injection, command=lambda: self._give_until_alarmed(bench, record))
            told_u = bench.pump.status().reservoir_u
            ask_pump(bench, record, ANYWAY, bench.pump.run)
            ask_for_bolus(bench, record, self.bolus_u)
            sample_for(bench, record, AFTER, duration_s=self.one_takes_s + TAIL_S, every_s=SAMPLE_EVERY_S)
            record.fact(ReservoirRanOut(at_s=bench.clock.now(), told_u=told_u))

        without_blanks(
            bench,
            record,
            rate_u_per_h=0.0,
            deliver=empty,
            reservoir_u=self.filled_u,
        )

    def _give_until_alarmed(self, bench: Bench, record: Recorder) -> None:
        """Give boluses until the empty reservoir is alarmed, or more than it holds has been asked for."""
        before, start_s = shown_now(bench), bench.clock.now()
        for _ in range(math.ceil(self.filled_u / self.bolus_u) + TOO_MANY):
            ask_for_bolus(bench, record, self.bolus_u)
            alarm = await_alarm(
                bench, record, EMPTYING, kinds=self.injection.fault.annunciated, before=before, since_s=start_s,
                watch_s=self.one_takes_s, every_s=LOOK_EVERY_S, further=False, keep=False,
            )  # fmt: skip
            if alarm.seen:
                break
        record.fact(alarm)

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Weigh what came, and hold the pump's count against it; a pump that cannot tell counts as telling 0 U."""
        scale = scale_of_bench(taken, metrology)
        unalarmed, beyond, count, starts = self.quantities
        delivered = came(scale, taken.series(BEFORE, EMPTYING, AFTER))
        told_u = taken.the(ReservoirRanOut).told_u or 0.0
        budgets = {
            beyond: delivered.linear(1.0, offset=-self.filled_u, unit="U"),
            count: delivered.linear(1.0, offset=told_u - self.filled_u, unit="U"),
        }
        seen = any(alarm.seen for alarm in taken.facts(AlarmAwaited))
        return Computed(
            (
                Measurement(unalarmed, float(not seen)),
                *(measured(quantity, budget) for quantity, budget in budgets.items()),
                Measurement(starts, float(accepted(taken, ANYWAY))),
            ),
            budgets=budgets,
        )

"""Emptying a nearly empty reservoir until the pump warns, between two blank runs.

Not responsible for limits.
"""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

from pydantic import Field

from rig.procedures.between_blanks import between_blanks, scale_between_blanks
from rig.procedures.bounds import Size, lasting
from rig.procedures.budgets import measured
from rig.procedures.preparation import start_therapy
from rig.procedures.procedure import BetweenBlanks, Computed
from rig.procedures.rest import SAMPLE_EVERY_S, wait_for_rest
from rig.procedures.sampling import sample_for
from rig.record.taking import Fact, Recorder, Taken
from rig.roles import Bench, Capability, Metrology, require
from rig.toml_files import TimeS
from rig.verdicts.quantities import Kind, Quantity

WARNING = "reservoir low"
BEFORE, EMPTYING, AFTER = "rest before", "emptying", "rest after"
REMAINING = Kind(
    "reservoir.remaining_at_warning",
    "remaining at the low-reservoir warning",
    ("U",),
    (),
    "What the reservoir still held, by weight, when the pump warned.",
)


class ReservoirEmptied(Fact):
    """Whether the pump had warned of a low reservoir by the end, after so many boluses."""

    warned: bool
    boluses: int


class Reservoir(BetweenBlanks):
    """Tell the pump that its reservoir holds so much, and give boluses until it warns or has none left."""

    TABLE: ClassVar = "reservoir"
    KEYWORD: ClassVar = "Empty Reservoir Until Warned"
    IN_WORDS: ClassVar = "a reservoir of {title}"
    KINDS: ClassVar = (REMAINING,)
    EXPECTED: ClassVar = frozenset({WARNING})

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
        return self.filled_u

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        return (REMAINING.of(),)

    @property
    def most_boluses(self) -> int:
        """How many whole boluses the reservoir holds."""
        return math.floor(self.filled_u / self.bolus_u + 1e-9)

    @property
    def bench_time_s(self) -> float:
        """At most as many boluses as empty it, and what is around them, in s."""
        return self.filled_u / self.bolus_u * self.one_takes_s + self.around_s

    def take(self, bench: Bench, record: Recorder) -> None:
        """Give boluses until the pump warns."""
        pump = require(bench.pump, Capability.FAST_BOLUS)

        def empty() -> None:
            start_therapy(bench, record)
            wait_for_rest(bench, record, BEFORE)
            warned, given = False, 0
            while not warned and given < self.most_boluses:
                pump.bolus(self.bolus_u)
                given += 1
                record.step("bolus", number=given, insulin_u=self.bolus_u)
                sample_for(bench, record, EMPTYING, duration_s=self.one_takes_s, every_s=SAMPLE_EVERY_S)
                warned = any(annunciation.kind == WARNING for annunciation in bench.pump.annunciations())
            wait_for_rest(bench, record, AFTER)
            record.fact(ReservoirEmptied(at_s=bench.clock.now(), warned=warned, boluses=given))
            record.step("reservoir low" if warned else "no warning", boluses=given)

        between_blanks(bench, record, rate_u_per_h=0.0, blank_s=self.blank_s, deliver=empty, reservoir_u=self.filled_u)

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Weigh what was left when the pump warned; nothing when it never did."""
        if not taken.the(ReservoirEmptied).warned:
            return Computed(())
        scale = scale_between_blanks(taken, metrology, blank_s=self.blank_s)
        readings = taken.series(BEFORE, EMPTYING, AFTER)
        delivered = scale.budget(float(scale.delivered_u(readings)[-1]), float(readings.at_s[-1] - readings.at_s[0]))
        remaining = delivered.linear(-1.0, offset=self.filled_u, unit="U")
        return Computed((measured(REMAINING.of(), remaining),), budgets={REMAINING.of(): remaining})

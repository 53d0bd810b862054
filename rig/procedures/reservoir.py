"""Emptying a nearly empty reservoir until the pump warns, between two blank runs.

A pump that never warns is judged by what is left when its boluses end. Not responsible for limits.
"""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

from pydantic import Field

from rig.procedures.answers import ask_for_bolus
from rig.procedures.between_blanks import between_blanks, scale_between_blanks
from rig.procedures.bounds import Size, lasting
from rig.procedures.budgets import measured
from rig.procedures.preparation import start_therapy
from rig.procedures.procedure import BetweenBlanks, Computed
from rig.procedures.rest import SAMPLE_EVERY_S, wait_for_rest
from rig.procedures.sampling import sample_for
from rig.procedures.settings import setting_set
from rig.record.taking import Fact, Recorder, Taken
from rig.roles import Bench, Capability, Metrology
from rig.therapy import Setting
from rig.toml_files import TimeS
from rig.verdicts.quantities import Kind, Parameter, Quantity

WARNING = "reservoir low"
SETTING = Parameter("setting", ("U",), needed=False)
BEFORE, EMPTYING, AFTER = "rest before", "emptying", "rest after"
REMAINING = Kind(
    "reservoir.remaining_at_warning",
    "remaining at the low-reservoir warning[ set to {setting}]",
    ("U",),
    (SETTING,),
    "What the reservoir still held, by weight, when the pump warned; or in the end, when it never did.",
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
    low_u: Annotated[Size | None, Field(alias="low")] = None

    @property
    def title(self) -> str:
        """What tells it from others: how full the reservoir is, and when the pump is set to warn."""
        return f"{self.filled_u:g} U" + (f", warning at {self.low_u:g} U" if self.low_u is not None else "")

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        settings = (Capability.SETTINGS,) if self.low_u is not None else ()
        return (Capability.FAST_BOLUS, Capability.RESERVOIR_DETECTION, Capability.RESERVOIR_LEVEL, *settings)

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U, at most."""
        return self.filled_u

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        return (REMAINING.of(setting=self.low_u),)

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

        def empty() -> None:
            start_therapy(bench, record)
            wait_for_rest(bench, record, BEFORE)
            warned, given = False, 0
            while not warned and given < self.most_boluses:
                if ask_for_bolus(bench, record, self.bolus_u) is None:
                    break
                given += 1
                record.step("bolus", number=given, insulin_u=self.bolus_u)
                sample_for(bench, record, EMPTYING, duration_s=self.one_takes_s, every_s=SAMPLE_EVERY_S)
                warned = any(annunciation.kind == WARNING for annunciation in bench.pump.annunciations())
            wait_for_rest(bench, record, AFTER)
            record.fact(ReservoirEmptied(at_s=bench.clock.now(), warned=warned, boluses=given))
            record.step("reservoir low" if warned else "no warning", boluses=given)

        with setting_set(bench, record, Setting.RESERVOIR_LOW_U, self.low_u):
            between_blanks(
                bench, record, rate_u_per_h=0.0, blank_s=self.blank_s, deliver=empty, reservoir_u=self.filled_u
            )

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Weigh what was left when the pump warned, or in the end when it never did."""
        scale = scale_between_blanks(taken, metrology, blank_s=self.blank_s)
        readings = taken.series(BEFORE, EMPTYING, AFTER)
        delivered = scale.budget(float(scale.delivered_u(readings)[-1]), float(readings.at_s[-1] - readings.at_s[0]))
        (quantity,) = self.quantities
        remaining = delivered.linear(-1.0, offset=self.filled_u, unit="U")
        return Computed((measured(quantity, remaining),), budgets={quantity: remaining})

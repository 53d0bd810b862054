"""A pump that nobody speaks to for hours: what is programmed goes on, and is weighed.

Not responsible for limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from rig.procedures.between_blanks import between_blanks, scale_between_blanks
from rig.procedures.bounds import Rate, lasting
from rig.procedures.budgets import measured
from rig.procedures.parameters import RATE
from rig.procedures.power import weighed_over, with_dose_unknown
from rig.procedures.preparation import start_therapy
from rig.procedures.procedure import BetweenBlanks, Computed
from rig.procedures.rest import SAMPLE_EVERY_S
from rig.procedures.sampling import sample_for, take_sample, ticks
from rig.record.taking import Fact, Recorder, Taken
from rig.roles import Bench, Capability, Metrology
from rig.toml_files import TimeS
from rig.verdicts.quantities import Kind, Quantity

SILENCE, FADING = "nobody asks", "fading"
FADING_S = 300.0
DOSE_U = 0.025
"""A dose may fall to either side of the end; those of pumps are no larger, but for few."""

ERROR = Kind(
    "unattended.error",
    "error of basal delivery at {rate} while nobody asks",
    ("%",),
    (RATE,),
    "Over all the time in which nothing was said to the pump.",
)


class Silence(Fact):
    """From when until when nothing was said to the pump, in s of the bench's clock."""

    from_s: float
    to_s: float


class Unattended(BetweenBlanks):
    """Start basal delivery, say nothing to the pump for a duration, and weigh what comes."""

    TABLE: ClassVar = "unattended"
    KEYWORD: ClassVar = "Leave The Pump Alone"
    IN_WORDS: ClassVar = "a pump left alone {title}"
    KINDS: ClassVar = (ERROR,)

    rate_u_per_h: Annotated[Rate, Field(alias="rate")]
    duration_s: Annotated[TimeS, lasting("10 min", "3 d"), Field(alias="duration")]
    every_s: Annotated[TimeS, lasting("1 s", "10 min"), Field(alias="sample_every")] = 60.0

    @property
    def title(self) -> str:
        """What tells it from others: rate and duration."""
        return f"at {self.rate_u_per_h:g} U/h for {self.duration_s / 3600.0:g} h"

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (Capability.BASAL_PROFILE,)

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U."""
        return self.rate_u_per_h * self.duration_s / 3600.0

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        return (ERROR.of(rate=self.rate_u_per_h),)

    @property
    def extent(self) -> Mapping[str, float]:
        """For how long nobody asks, in s."""
        return {"analysis": self.duration_s}

    def take(self, bench: Bench, record: Recorder) -> None:
        """Let basal insulin come and read the balance alone: the watch over the pump would speak to it."""

        def deliver() -> None:
            start_therapy(bench, record)
            from_s = bench.clock.now()
            for _ in ticks(bench, self.every_s, self.duration_s):
                take_sample(bench, record, SILENCE)
            record.fact(Silence(at_s=bench.clock.now(), from_s=from_s, to_s=bench.clock.now()))
            bench.pump.stop()
            sample_for(bench, record, FADING, duration_s=FADING_S, every_s=SAMPLE_EVERY_S)

        between_blanks(bench, record, rate_u_per_h=self.rate_u_per_h, blank_s=self.blank_s, deliver=deliver)

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Weigh what came, against rate times time."""
        scale = scale_between_blanks(taken, metrology, blank_s=self.blank_s)
        silence = taken.the(Silence)
        programmed_u = self.rate_u_per_h * (silence.to_s - silence.from_s) / 3600.0
        weighed = weighed_over(scale, taken.series(SILENCE, FADING))
        error = with_dose_unknown(weighed, DOSE_U, "a dose at the end").error_percent_of(programmed_u)
        quantity = ERROR.of(rate=self.rate_u_per_h)
        return Computed((measured(quantity, error),), budgets={quantity: error})

"""Free delivery during which no occlusion may be alarmed, between two blank runs.

What was delivered is weighed beside: a pump that delivers nothing alarms nothing. Not responsible for limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from rig.procedures.between_blanks import between_blanks, scale_between_blanks
from rig.procedures.bounds import Rate, lasting
from rig.procedures.budgets import measured
from rig.procedures.parameters import RATE, THRESHOLD, Threshold
from rig.procedures.preparation import start_therapy
from rig.procedures.procedure import BetweenBlanks, Computed
from rig.procedures.rest import wait_for_rest
from rig.procedures.sampling import sample_for
from rig.procedures.threshold import at_threshold, occlusion_is_alarmed, occlusion_needs, threshold_set
from rig.record.taking import Fact, Recorder, Taken
from rig.roles import Bench, Capability, Metrology
from rig.toml_files import TimeS
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Quantity

SAMPLE_EVERY_S = 300.0
FREE = "free delivery"

ALARMS = Kind(
    "unoccluded.false_alarms",
    "false occlusion alarms at {rate}[, threshold {threshold}]",
    ("alarms",),
    (RATE, THRESHOLD),
    "Occlusion alarms with the outlet open.",
)
ERROR = Kind(
    "unoccluded.error",
    "error of free delivery at {rate}[, threshold {threshold}]",
    ("%",),
    (RATE, THRESHOLD),
    "Error of what was delivered meanwhile: a pump that delivers nothing alarms nothing.",
)


class FreeDeliveryEnded(Fact):
    """Whether an occlusion was alarmed by the end of the delivery."""

    alarmed: bool


class Unoccluded(BetweenBlanks):
    """Deliver at one rate with the outlet open and look for false occlusion alarms; it ends at the first one."""

    TABLE: ClassVar = "unoccluded"
    KEYWORD: ClassVar = "Deliver Without An Occlusion"
    IN_WORDS: ClassVar = "free delivery at {title}"
    KINDS: ClassVar = (ALARMS, ERROR)

    rate_u_per_h: Annotated[Rate, Field(alias="rate")]
    duration_s: Annotated[TimeS, lasting("10 min"), Field(alias="duration")] = 24 * 3600.0
    threshold: Threshold | None = None

    @property
    def title(self) -> str:
        """What it is called: its rate and threshold."""
        return at_threshold(self.rate_u_per_h, self.threshold)

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return occlusion_needs(self.threshold)

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U."""
        return self.rate_u_per_h * self.duration_s / 3600.0

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        return tuple(kind.of(rate=self.rate_u_per_h, threshold=self.threshold) for kind in self.KINDS)

    @property
    def bench_time_s(self) -> float:
        """The delivery and what is around it, in s."""
        return self.duration_s + self.around_s

    @property
    def extent(self) -> Mapping[str, float]:
        """How long it delivers, in s."""
        return {"analysis": self.duration_s}

    def take(self, bench: Bench, record: Recorder) -> None:
        """Deliver with the outlet open; stops the pump at the end."""

        def deliver() -> None:
            start_therapy(bench, record)
            sample_for(
                bench,
                record,
                FREE,
                duration_s=self.duration_s,
                every_s=SAMPLE_EVERY_S,
                until=lambda _: occlusion_is_alarmed(bench),
            )
            alarmed = occlusion_is_alarmed(bench)
            record.fact(FreeDeliveryEnded(at_s=bench.clock.now(), alarmed=alarmed))
            record.step("false occlusion alarm" if alarmed else "no occlusion alarm", hours=self.duration_s / 3600.0)
            bench.pump.stop()
            wait_for_rest(bench, record, "rest after free delivery")

        with threshold_set(bench, record, self.threshold):
            between_blanks(bench, record, rate_u_per_h=self.rate_u_per_h, blank_s=self.blank_s, deliver=deliver)

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Count the alarms and compute the error of what was delivered by then."""
        scale = scale_between_blanks(taken, metrology, blank_s=self.blank_s)
        readings = taken.series(FREE)
        lasted_s = float(readings.at_s[-1] - readings.at_s[0])
        false_alarms, error_of_it = self.quantities
        alarms = Measurement(false_alarms, float(taken.the(FreeDeliveryEnded).alarmed))
        if lasted_s == 0.0:  # alarmed at the first look: there is nothing to have an error
            return Computed((alarms,))
        delivered = scale.budget(float(scale.delivered_u(readings)[-1]), lasted_s)
        error = delivered.error_percent_of(self.rate_u_per_h * lasted_s / 3600.0)
        return Computed((alarms, measured(error_of_it, error)), budgets={error_of_it: error})

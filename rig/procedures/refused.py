"""Boluses above the pump's maximum, which it must refuse, weighed between two blank runs.

Not responsible for limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field

from rig.errors import RefusedError, WhyRefused
from rig.procedures.between_blanks import between_blanks, scale_between_blanks
from rig.procedures.bounds import Size, lasting
from rig.procedures.budgets import measured
from rig.procedures.preparation import start_therapy
from rig.procedures.procedure import BetweenBlanks, Computed
from rig.procedures.rest import SAMPLE_EVERY_S, wait_for_rest
from rig.procedures.sampling import sample_for, take_sample
from rig.record.taking import Fact, Recorder, Taken
from rig.roles import Bench, Capability, Metrology, require
from rig.toml_files import TimeS
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Quantity

WATCHED = "after refusal"
REFUSED = Kind(
    "refused.share",
    "boluses above the maximum that were refused as out of range",
    ("%",),
    (),
    "Share of the boluses that it refused as out of range. One refused for another reason counts as one given: a pump "
    "that refuses everything keeps no maximum.",
)
DELIVERED = Kind(
    "refused.delivered", "delivered after a refused bolus", ("U",), (), "What was delivered from the first command on."
)


class BolusAnswered(Fact):
    """What the pump said to a bolus above its maximum: whether it refused it, and for which reason."""

    size_u: float
    refused: bool
    reason: str | None = None


def _several(written: object) -> object:
    """Take "25.5 U, 30 U" apart, as a protocol writes it."""
    return [size.strip() for size in written.split(",")] if isinstance(written, str) else written


class Refused(BetweenBlanks):
    """Command boluses above the pump's maximum, and weigh for a while whether anything is delivered."""

    TABLE: ClassVar = "refused"
    KEYWORD: ClassVar = "Command Boluses Above The Maximum"
    IN_WORDS: ClassVar = "boluses of {title}"
    KINDS: ClassVar = (REFUSED, DELIVERED)

    sizes_u: Annotated[tuple[Size, ...], BeforeValidator(_several), Field(alias="sizes", min_length=1)]
    watch_s: Annotated[TimeS, lasting("1 min"), Field(alias="watch")] = 600.0

    @property
    def title(self) -> str:
        """What tells it from others: the sizes."""
        return ", ".join(f"{size_u:g} U" for size_u in self.sizes_u)

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (Capability.FAST_BOLUS,)

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        return (REFUSED.of(), DELIVERED.of())

    @property
    def bench_time_s(self) -> float:
        """The watch and what is around it, in s."""
        return self.watch_s + self.around_s

    @property
    def extent(self) -> Mapping[str, float]:
        """For how long the pump is watched after the last command, in s."""
        return {"analysis": self.watch_s}

    def take(self, bench: Bench, record: Recorder) -> None:
        """Command the boluses and read the balance."""
        pump = require(bench.pump, Capability.FAST_BOLUS)

        def command() -> None:
            start_therapy(bench, record)
            wait_for_rest(bench, record, "rest before")
            take_sample(bench, record, WATCHED)  # before the commands: what comes while the pump answers counts too
            for size_u in self.sizes_u:
                refused, reason = False, None
                try:
                    bolus_id = pump.bolus(size_u)
                    record.step("bolus accepted", insulin_u=size_u, bolus_id=bolus_id)
                except RefusedError as error:
                    refused, reason = True, error.refusal.value
                    record.step("bolus refused", insulin_u=size_u, reason=str(error))
                record.fact(BolusAnswered(at_s=bench.clock.now(), size_u=size_u, refused=refused, reason=reason))
            sample_for(bench, record, WATCHED, duration_s=self.watch_s, every_s=SAMPLE_EVERY_S)
            bench.pump.stop()  # one that it accepted may go on for longer
            wait_for_rest(bench, record, "rest after watching")

        between_blanks(bench, record, rate_u_per_h=0.0, blank_s=self.blank_s, deliver=command)

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Count the refusals and weigh what came."""
        scale = scale_between_blanks(taken, metrology, blank_s=self.blank_s)
        answers = taken.exactly(len(self.sizes_u), BolusAnswered)
        readings = taken.series(WATCHED)
        watched_s = float(readings.at_s[-1] - readings.at_s[0])
        budget = scale.budget(float(scale.delivered_u(readings)[-1]), watched_s)
        share_percent = 100.0 * sum(map(_as_out_of_range, answers)) / len(answers)
        return Computed(
            measured=(Measurement(REFUSED.of(), share_percent), measured(DELIVERED.of(), budget)),
            budgets={DELIVERED.of(): budget},
        )


def _as_out_of_range(answer: BolusAnswered) -> bool:
    """Say whether a bolus was refused because it is too large; records of earlier versions do not say why."""
    return answer.refused and answer.reason in (None, WhyRefused.OUT_OF_RANGE.value)

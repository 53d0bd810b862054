"""A pump that delivers and is stopped, weighed from the stop on: it must deliver nothing.

Not responsible for limits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from rig.errors import BlockedError
from rig.procedures.at_once import at_once
from rig.procedures.between_blanks import between_blanks, scale_between_blanks
from rig.procedures.bounds import lasting
from rig.procedures.budgets import measured
from rig.procedures.preparation import start_therapy
from rig.procedures.procedure import BetweenBlanks, Computed
from rig.procedures.rest import SAMPLE_EVERY_S
from rig.procedures.sampling import sample_for, take_sample
from rig.procedures.watch import watch_quantities
from rig.record.taking import Recorder, Taken
from rig.roles import Bench, Capability, Metrology
from rig.toml_files import TimeS
from rig.verdicts.quantities import Kind, Quantity

RUNS, STAYS = "therapy before the stop", "pump stopped"
FADING_S = 300.0
"""66 time constants of a line that fades in 4.5 s, 6 of one that fades ten times as slowly."""
RATE_U_PER_H = 1.0
"""At which the pump delivers before it is stopped, so that there is something to stop."""
RUNS_S = 600.0
"""Of therapy before the stop: 0.17 U. Doses of 0.0125, 0.025, 0.05 or 0.1 U, the first an interval after the start,
then come 6 s or more before the stop and never at it: of a dose of 0.025 U, 60 s earlier, a line that fades in 4.5 s
holds no nU any more, one that fades in 45 s 7 mU."""
RHYTHM_S = 360.0
"""A whole number of intervals of each of these doses: so much later therapy stands as it does after `RUNS_S`."""
LATE_S = 3.0
"""The stop may come so much later than planned: half of the time since the last dose."""
ANSWERED_S = 20.0
"""The stop is answered within so much, or this computer stood still. What a pump delivers until it answers is held
against it, and a driver waits 12 s for an answer on a line; of a pump that is right 0.006 U come meanwhile."""
DELIVERED = Kind(
    "stopped.delivered", "delivered while stopped", ("U",), (), "What a pump delivers from the moment of its stop on."
)
BEFORE_THE_STOP = "delivered by therapy before the stop"
SETTLING_S = 5.0
"""In which a balance shows what has come; data sheets of microbalances say 1.5 to 5 s."""
NOT_YET_SHOWN_U = RATE_U_PER_H * SETTLING_S / 3600.0
"""What came before the stop at most, and is read after it: flow times settling time. 0 is as likely: a rectangle."""


class Stopped(BetweenBlanks):
    """Let a pump deliver 1 U/h for 10 min, stop it, and weigh for a duration what still comes."""

    TABLE: ClassVar = "stopped"
    KEYWORD: ClassVar = "Weigh Stopped Pump"
    IN_WORDS: ClassVar = "a pump {title}"
    KINDS: ClassVar = (DELIVERED,)

    duration_s: Annotated[TimeS, lasting("1 min"), Field(alias="duration")]

    @property
    def title(self) -> str:
        """What tells it from others: how long it is weighed."""
        return f"{self.duration_s / 60.0:g} min stopped"

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it: nothing. One that has no basal profile runs without."""
        return ()

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U: what is delivered before the stop."""
        return RATE_U_PER_H * RUNS_S / 3600.0

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        return (DELIVERED.of(),)

    @property
    def declared(self) -> tuple[Quantity, ...]:
        """What it measures, and what is watched: its blank runs have the outlet closed and show no flow of the pump."""
        return (*self.quantities, *watch_quantities())

    @property
    def bench_time_s(self) -> float:
        """What fades, what is run, what is watched and what is around it, in s."""
        return FADING_S + RUNS_S + self.duration_s + self.around_s

    @property
    def extent(self) -> Mapping[str, float]:
        """How long it weighs from the stop on, in s."""
        return {"analysis": self.duration_s}

    def take(self, bench: Bench, record: Recorder) -> None:
        """Start therapy, stop it, and read the balance from before the command on.

        A pump that goes on delivering would never let the balance come to rest, so that what it may have pressed into
        the closed line gets a fixed time to fade; that is before therapy, because after the stop every reading counts.
        """

        def deliver_and_stop() -> None:
            sample_for(bench, record, "fading", duration_s=FADING_S, every_s=SAMPLE_EVERY_S)
            start_therapy(bench, record)
            _run_before_the_stop(bench, record)
            before = take_sample(bench, record, STAYS)  # what a pump delivers until it answers the command counts too
            _refuse_late(bench.clock.now() - before.at_s)
            at_once(bench.clock, "stopping the pump", bench.pump.stop, within_s=ANSWERED_S)
            record.step("pump told to stop", minutes=self.duration_s / 60.0)
            sample_for(bench, record, STAYS, duration_s=self.duration_s, every_s=SAMPLE_EVERY_S)

        rate_u_per_h = RATE_U_PER_H if Capability.BASAL_PROFILE in bench.pump.capabilities else 0.0
        between_blanks(
            bench,
            record,
            rate_u_per_h=rate_u_per_h,
            blank_s=self.blank_s,
            deliver=deliver_and_stop,
            outlet_closed=True,
        )

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Weigh what came from the stop on, and for the record what therapy delivered before it."""
        scale = scale_between_blanks(taken, metrology, blank_s=self.blank_s)
        after, before = (
            scale.budget(float(scale.delivered_u(readings)[-1]), float(readings.at_s[-1] - readings.at_s[0]))
            for readings in (taken.series(STAYS), taken.series(RUNS))
        )
        after = after.plus("flow that the balance shows after the stop", "B", NOT_YET_SHOWN_U / math.sqrt(3.0))
        return Computed(
            (measured(DELIVERED.of(), after),),
            budgets={DELIVERED.of(): after},
            further={BEFORE_THE_STOP: before},
        )


def _run_before_the_stop(bench: Bench, record: Recorder) -> None:
    """Let therapy run for `RUNS_S`; where the computer stood still at the end, for `RHYTHM_S` more or as often."""
    start_s, runs_s = bench.clock.now(), RUNS_S
    while True:
        left_s = start_s + runs_s - bench.clock.now()
        sample_for(bench, record, RUNS, duration_s=left_s, every_s=SAMPLE_EVERY_S)
        if bench.clock.now() - start_s - runs_s <= LATE_S:
            return
        runs_s += RHYTHM_S


def _refuse_late(late_s: float) -> None:
    """Refuse to stop a pump long after the reading from which on it should deliver nothing: it had not been told to."""
    if late_s > LATE_S:
        raise BlockedError(
            f"rig: {late_s:.4g} s passed between the reading and the command to stop, {LATE_S:g} s may; find out what "
            "held the computer up (sleep, updates, other programs), and measure again"
        )

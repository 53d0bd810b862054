"""A bolus that is cancelled under way, weighed between two blank runs beside what the pump logs of it.

Not responsible for limits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from rig.analysis.bolus import weigh_bolus
from rig.analysis.budget import Budget
from rig.errors import BlockedError, RefusedError
from rig.procedures.at_once import at_once
from rig.procedures.between_blanks import between_blanks, scale_between_blanks
from rig.procedures.bounds import Dose, Size, lasting
from rig.procedures.budgets import bolus_budget, measured
from rig.procedures.consecutive import logged_bolus_u
from rig.procedures.preparation import start_therapy
from rig.procedures.procedure import BetweenBlanks, Computed
from rig.procedures.rest import AVERAGED_S, SAMPLE_EVERY_S, wait_for_rest
from rig.procedures.sampling import sample_for
from rig.procedures.volume import VolumeScale
from rig.record.taking import Fact, Recorder, Series, Taken, joined
from rig.roles import Bench, Capability, Metrology, require
from rig.toml_files import TimeS
from rig.verdicts.quantities import Kind, Quantity

BEFORE, DURING, AFTER = "rest before", "bolus", "rest after cancelling"
DELIVERED_AFTER = Kind(
    "cancelled.delivered_after",
    "delivered after cancelling",
    ("U",),
    (),
    "What was weighed of the whole bolus minutes later, less what its weighed flow had brought until the cancel.",
)
LOGGED = Kind(
    "cancelled.logged_less_weighed",
    "logged less weighed amount of a cancelled bolus",
    ("U",),
    (),
    "What the pump logs of a cancelled bolus, less what was weighed.",
)


LATE_S = 3.0
"""From asking what was delivered to cancelling, at most. What comes meanwhile would be held against the pump."""


class BolusCancelled(Fact):
    """A bolus that was cancelled: when it was commanded and cancelled, what the pump told just before, what it logs."""

    commanded_at_s: float
    cancelled_at_s: float | None = None
    told_u: float | None
    logged_u: float


class Cancelled(BetweenBlanks):
    """Start a bolus, cancel it after a while, and weigh what came, beside what the pump logged."""

    TABLE: ClassVar = "cancelled"
    KEYWORD: ClassVar = "Cancel A Bolus"
    IN_WORDS: ClassVar = "a bolus of {title}"
    KINDS: ClassVar = (DELIVERED_AFTER, LOGGED)
    EXPECTED: ClassVar = frozenset({"bolus cancelled"})

    size_u: Annotated[Size, Field(alias="size")]
    after_s: Annotated[TimeS, lasting("1 s", "1 d"), Field(alias="after")]
    watch_s: Annotated[TimeS, lasting("1 min", "1 d"), Field(alias="watch")] = 600.0
    dose_u: Annotated[Dose, Field(alias="dose")] = 0.025

    @property
    def title(self) -> str:
        """What tells it from others: its size, and when it is cancelled."""
        return f"{self.size_u:g} U, cancelled after {self.after_s:g} s"

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (Capability.FAST_BOLUS, Capability.CANCEL_BOLUS, Capability.HISTORY)

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U, at most."""
        return self.size_u

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        return (DELIVERED_AFTER.of(), LOGGED.of())

    @property
    def bench_time_s(self) -> float:
        """The bolus until it is cancelled, the watch and what is around it, in s."""
        return self.after_s + self.watch_s + self.around_s

    @property
    def extent(self) -> Mapping[str, float]:
        """For how long it is watched after it was told to cancel, in s."""
        return {"analysis": self.watch_s}

    def take(self, bench: Bench, record: Recorder) -> None:
        """Give the bolus, cancel it, and read on for a fixed time: a pump that only pauses would let rest be found."""
        pump, cancelling = require(bench.pump, Capability.FAST_BOLUS), require(bench.pump, Capability.CANCEL_BOLUS)
        log = require(bench.pump, Capability.HISTORY)

        def deliver() -> None:
            start_therapy(bench, record)
            wait_for_rest(bench, record, BEFORE)
            start_s = bench.clock.now()
            bolus_id = pump.bolus(self.size_u)
            record.step("bolus", bolus_id=bolus_id, insulin_u=self.size_u)
            sample_for(bench, record, DURING, duration_s=self.after_s, every_s=SAMPLE_EVERY_S)
            asked_at_s = bench.clock.now()
            told = {bolus.bolus_id: bolus.delivered_u for bolus in pump.active_boluses()}
            _refuse_late(bench.clock.now() - asked_at_s)
            cancelled_at_s = bench.clock.now()
            try:
                at_once(bench.clock, "cancelling the bolus", lambda: cancelling.cancel_bolus(bolus_id))
                record.step("bolus cancelled", pump_says_delivered_u=told.get(bolus_id))
            except RefusedError as error:  # what it then delivers is weighed
                record.step("the pump refused to cancel the bolus", reason=str(error))
            sample_for(bench, record, AFTER, duration_s=self.watch_s, every_s=SAMPLE_EVERY_S)
            bench.pump.stop()  # one that goes on would never let the balance rest
            wait_for_rest(bench, record, AFTER)
            logged_u = logged_bolus_u(log, bolus_id)
            record.fact(
                BolusCancelled(
                    at_s=bench.clock.now(),
                    commanded_at_s=start_s,
                    cancelled_at_s=cancelled_at_s,
                    told_u=told.get(bolus_id),
                    logged_u=logged_u,
                )
            )

        between_blanks(bench, record, rate_u_per_h=0.0, blank_s=self.blank_s, deliver=deliver)

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Weigh the bolus as far as it came, and hold the log against it."""
        scale = scale_between_blanks(taken, metrology, blank_s=self.blank_s)
        during, after, fact = taken.series(DURING), taken.series(AFTER), taken.the(BolusCancelled)
        readings = joined(taken.series(BEFORE), during, after)
        weighed = weigh_bolus(
            readings.at_s,
            readings.mass_g,
            start_s=fact.commanded_at_s,
            planned_end_s=float(during.at_s[-1]),
            plateau_s=max(float(during.at_s[-1]), float(after.at_s[-1]) - AVERAGED_S),
            z_ul_per_mg=scale.z_ul_per_mg,
            evaporation_g_per_h=scale.metrology.evaporation_g_per_h,
            u_evaporation_g_per_h=scale.metrology.evaporation_uncertainty_g_per_h,
        )
        whole = bolus_budget(scale, weighed)
        logged = whole.linear(-1.0, offset=fact.logged_u, unit="U")
        still_came = self._after_cancelling(whole, during, scale, fact)
        return Computed(
            measured=(measured(DELIVERED_AFTER.of(), still_came), measured(LOGGED.of(), logged)),
            budgets={DELIVERED_AFTER.of(): still_came, LOGGED.of(): logged},
        )

    def _after_cancelling(self, whole: Budget, during: Series, scale: VolumeScale, fact: BolusCancelled) -> Budget:
        """Write the budget of the whole bolus less what had come until the cancel.

        The line's tail is no delivery, so that the balance's reading at the cancel says too little. What had come is
        the flow times the time since the command, by the slope of the later half, where the line has settled; and half
        a dose more, because the first of the doses comes at once. It is known to a dose.
        """
        cancelled_at_s = fact.cancelled_at_s if fact.cancelled_at_s is not None else float(during.at_s[-1])
        delivered_s = cancelled_at_s - fact.commanded_at_s
        settled = during.at_s >= fact.commanded_at_s + delivered_s / 2.0
        at_s, delivered_u = during.at_s[settled], scale.delivered_u(during)[settled]
        from_middle_s = at_s - np.mean(at_s)
        spread_s2 = max(float(np.sum(from_middle_s**2)), self.after_s**2 / 12.0)
        u_per_s = float(np.sum(from_middle_s * delivered_u)) / spread_s2
        flow = "flow until the cancel"
        return (
            whole.linear(1.0, offset=-(u_per_s * delivered_s + self.dose_u / 2.0), unit="U")
            .plus(flow, "A", scale.reading_u / math.sqrt(spread_s2) * delivered_s)
            .plus("the dose at the cancel", "B", self.dose_u / 2.0 / math.sqrt(3.0))
        )


def _refuse_late(late_s: float) -> None:
    """Refuse to cancel a bolus long after the pump told what it had delivered: it had not been told to stop."""
    if late_s > LATE_S:
        raise BlockedError(
            f"rig: {late_s:.4g} s passed between asking what was delivered and cancelling, {LATE_S:g} s may; find out "
            "what held the computer up (sleep, updates, other programs), and measure again"
        )

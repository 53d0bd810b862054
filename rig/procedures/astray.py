"""Insulin that leaves the pump and does not reach the person: what measurements of it share.

A valve leads the needle beside the vessel. No pump can know of it: nothing presses, nothing is missing in its account.
Not responsible for what is delivered meanwhile (`cannula`, `dislodged`), nor for limits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, ClassVar

from pydantic import Field

from rig.errors import RefusedError
from rig.procedures.bounds import Rate
from rig.procedures.preparation import MIDNIGHT, start_therapy
from rig.procedures.procedure import BetweenBlanks
from rig.procedures.rate_change import RATE_OVER
from rig.procedures.rest import wait_for_rest
from rig.record.taking import Fact, Recorder
from rig.roles import Bench, Capability, require
from rig.verdicts.quantities import Quantity

SAMPLE_EVERY_S = 60.0
RESERVOIR_U = 200.0
"""What the pump is told to hold: up to 204.7 U the link's numbers have a step of 0.1 U, above it of 1 U."""
BEFORE, IN_PLACE, ASTRAY, AFTER = "rest before", "set in place", "set out", "rest after"


class AccountRead(Fact):
    """What the pump says it has delivered since the start, in U, and what it says is left in its reservoir."""

    bolus_u: float
    basal_u: float
    reservoir_u: float | None
    annunciated: tuple[str, ...]

    @property
    def logged_u(self) -> float:
        """Both kinds of delivery together, in U."""
        return self.bolus_u + self.basal_u


class NeedleStretch(Fact):
    """Where the needle was from `from_s` to `at_s`, in s of the bench's clock, and what was programmed meanwhile."""

    from_s: float
    astray: bool
    programmed_u: float


class BolusRefused(Fact):
    """The pump refused a bolus, with its own word."""

    came_back: str


class Astray(BetweenBlanks):
    """What both measurements share: the account, and the valve."""

    EXPECTED: ClassVar = frozenset({RATE_OVER, "reservoir low"})

    rate_u_per_h: Annotated[Rate, Field(alias="rate")]

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (
            Capability.BASAL_PROFILE,
            Capability.FAST_BOLUS,
            Capability.CLOCK,
            Capability.DAILY_TOTAL,
            Capability.HISTORY,
            Capability.RESERVOIR_LEVEL,
        )

    @property
    def needed_lines(self) -> tuple[str, ...]:
        """The valve beside the vessel."""
        return ("waste",)

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        return tuple(kind.of(rate=self.rate_u_per_h) for kind in self.KINDS)

    def begin(self, bench: Bench, record: Recorder) -> AccountReader:
        """Make it midnight on the pump's clock, so that its total of the day holds all of it, and start therapy."""
        wait_for_rest(bench, record, BEFORE)
        require(bench.pump, Capability.CLOCK).set_clock(MIDNIGHT)
        reader = AccountReader(bench, record)
        reader.keep()
        start_therapy(bench, record)
        return reader


class AccountReader:
    """Reads the pump's account since a moment."""

    def __init__(self, bench: Bench, record: Recorder) -> None:
        self._bench, self._record = bench, record
        self._log = require(bench.pump, Capability.HISTORY)
        self._totals = require(bench.pump, Capability.DAILY_TOTAL)
        self._first_entry = max((event.sequence for event in self._log.history()), default=-1) + 1
        self._basal_u = self._totals.daily_total().basal_u
        self._shown = {each.annunciation_id for each in bench.pump.annunciations()}

    def keep(self) -> None:
        """Keep what the pump says now."""
        pump = self._bench.pump
        events = [event for event in self._log.history() if event.sequence >= self._first_entry]
        self._record.fact(
            AccountRead(
                at_s=self._bench.clock.now(),
                bolus_u=sum(float(e.fields["delivered_u"]) for e in events if e.kind == "bolus delivered"),
                basal_u=self._totals.daily_total().basal_u - self._basal_u,
                reservoir_u=pump.status().reservoir_u,
                annunciated=tuple(
                    each.kind for each in pump.annunciations() if each.annunciation_id not in self._shown
                ),
            )
        )


@contextmanager
def beside_the_vessel(bench: Bench, record: Recorder) -> Iterator[None]:
    """Lead the needle beside the vessel for a while."""
    bench.switch.set_line("waste", energised=True)
    record.step("the needle is beside the vessel")
    try:
        yield
    finally:
        bench.switch.set_line("waste", energised=False)
        record.step("the needle is in the vessel")


def give_bolus(bench: Bench, record: Recorder, insulin_u: float) -> None:
    """Give a bolus in U; a refusal is written down, and measured by what is missing."""
    try:
        bolus_id = bench.pump.bolus(insulin_u)
    except RefusedError as error:
        record.fact(BolusRefused(at_s=bench.clock.now(), came_back=error.came_back))
    else:
        record.step("bolus", bolus_id=bolus_id, insulin_u=insulin_u)

"""A value in the pump's memory that flips, and is asked for: does the pump use it?

A debug probe inverts a bit of it. Then the pump is asked for what depends on it: a bolus above its maximum, or the
insulin on board. What comes is weighed, what it tells is compared with what it told before. Not responsible for limits,
nor for values that delivery itself depends on (`fault_response`).
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from rig.errors import RefusedError
from rig.procedures.answers import accepted, ask_for_bolus, ask_pump
from rig.procedures.bounds import Size, Speed, lasting
from rig.procedures.budgets import measured
from rig.procedures.from_sheet import FromSheet
from rig.procedures.parameters import FAULT
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
from rig.roles import Bench, Capability, Metrology, require
from rig.toml_files import TimeS
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Quantity

GIVEN, ASKED, WATCHED = "bolus before", "rest before", "after it was asked"
BOLUS = "a bolus above the maximum"
LOOK_EVERY_S = 0.5


def _kind(name: str, words: str, unit: str, meaning: str) -> Kind:
    return Kind(f"corrupted.{name}", f"{words} after fault {{fault}}", (unit,), (FAULT,), meaning)


ACCEPTED = _kind("accepted", "boluses that were accepted", "boluses", "Of one that is above the maximum.")
DELIVERED = _kind("delivered", "delivered", "U", "From the fault on.")
UNTOLD = _kind("unannunciated", "missing annunciation", "annunciations", "1 where it was given up unannunciated.")
TOLD_ERROR = _kind(
    "on_board_error", "insulin on board told wrong", "U", "Of what it told, less what it told before the fault."
)


class ToldOnBoard(Fact):
    """The insulin on board in U that the pump told before the fault and after it."""

    before_u: float
    after_u: float


class CorruptedValue(UnderFault):
    """Give a bolus, let a value flip, ask for what depends on it, and weigh what comes."""

    TABLE: ClassVar = "corrupted"
    KEYWORD: ClassVar = "Ask For A Value That Flipped"
    IN_WORDS: ClassVar = "fault {title}"
    KINDS: ClassVar = (ACCEPTED, DELIVERED, UNTOLD, TOLD_ERROR)
    EXPECTED: ClassVar = frozenset({"system issue"})

    fault: FaultName
    ask: Literal["bolus", "insulin on board"] = "bolus"
    given_u: Annotated[Size, Field(alias="given")] = 1.0
    size_u: Annotated[Size, Field(alias="size")] = 30.0
    watch_s: Annotated[TimeS, lasting("1 s", "1 h"), Field(alias="watch")] = 60.0
    bolus_speed_u_per_h: Annotated[Speed, FromSheet("bolus.speed"), Field(alias="speed")] = 90.0

    @property
    def title(self) -> str:
        """What tells it from others: the fault, and what is asked."""
        return f"{self.fault}, asked for {self.ask if self.ask != 'bolus' else f'{self.size_u:g} U'}"

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (Capability.FAST_BOLUS, *((Capability.INSULIN_ON_BOARD,) if self.ask != "bolus" else ()))

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U, at most."""
        return self.given_u + (self.size_u if self.ask == "bolus" else 0.0)

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        kinds = (ACCEPTED, DELIVERED, UNTOLD) if self.ask == "bolus" else (DELIVERED, UNTOLD, TOLD_ERROR)
        return tuple(kind.of(fault=self.fault) for kind in kinds)

    def take(self, bench: Bench, record: Recorder) -> None:
        """Give a bolus, let the value flip at rest, ask, and read on for fixed times whatever the pump does."""

        def deliver() -> None:
            ask_pump(bench, record, "therapy", bench.pump.run)
            ask_for_bolus(bench, record, self.given_u)
            lasts_s = 3600.0 * self.given_u / self.bolus_speed_u_per_h + TAIL_S
            sample_for(bench, record, GIVEN, duration_s=lasts_s, every_s=SAMPLE_EVERY_S)
            wait_for_rest(bench, record, ASKED)
            before, before_u = shown_now(bench), self._on_board_u(bench, 0.0)
            with provoking(bench, record) as faults:
                began_s = faults.inject(self.injection)
            if self.ask == "bolus":
                ask_for_bolus(bench, record, self.size_u, BOLUS)
            record.fact(
                ToldOnBoard(at_s=bench.clock.now(), before_u=before_u, after_u=self._on_board_u(bench, before_u))
            )
            await_alarm(
                bench, record, WATCHED, kinds=self.injection.fault.annunciated, before=before, since_s=began_s,
                watch_s=self.watch_s, every_s=LOOK_EVERY_S,
            )  # fmt: skip
            ask_pump(bench, record, "stopping", bench.pump.stop)
            sample_for(bench, record, WATCHED, duration_s=TAIL_S, every_s=SAMPLE_EVERY_S)

        without_blanks(bench, record, rate_u_per_h=0.0, deliver=deliver)

    def _on_board_u(self, bench: Bench, otherwise_u: float) -> float:
        """Ask for the insulin on board in U, where that is asked; a pump that refuses tells nothing wrong."""
        if self.ask == "bolus":
            return 0.0
        try:
            return require(bench.pump, Capability.INSULIN_ON_BOARD).insulin_on_board().insulin_u
        except RefusedError:
            return otherwise_u

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Weigh what came after the fault, and count what was accepted and told."""
        scale = scale_of_bench(taken, metrology)
        told, alarm = taken.the(ToldOnBoard), taken.the(AlarmAwaited)
        delivered = came(scale, taken.series(ASKED, WATCHED))
        values = {
            UNTOLD: float(not alarm.seen),
            ACCEPTED: float(accepted(taken, BOLUS)),
            TOLD_ERROR: told.after_u - told.before_u,
        }
        counts = [Measurement(kind.of(fault=self.fault), value) for kind, value in values.items()]
        quantity = DELIVERED.of(fault=self.fault)
        return Computed(
            (*(each for each in counts if each.quantity in self.quantities), measured(quantity, delivered)),
            budgets={quantity: delivered},
        )

"""A fault in the middle of a bolus: does the pump stop, say so, log what came, and wait for a person?

Not responsible for limits, nor for occlusions (`occluded_bolus`).
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from rig.procedures.answers import accepted, ask_for_bolus, ask_pump, confirm_all
from rig.procedures.bolus import STANDARD_BOLUS_U_PER_H
from rig.procedures.bounds import Size, Speed, lasting
from rig.procedures.budgets import measured
from rig.procedures.consecutive import logged_bolus_u
from rig.procedures.parameters import FAULT
from rig.procedures.preparation import start_therapy
from rig.procedures.procedure import Computed
from rig.procedures.provoking import provoking
from rig.procedures.rest import SAMPLE_EVERY_S, wait_for_rest
from rig.procedures.sampling import sample_for
from rig.procedures.under_fault import (
    TAIL_S,
    AlarmAwaited,
    UnderFault,
    await_alarm,
    came,
    onset_u_s,
    scale_of_bench,
    shown_now,
    time_to_alarm,
    without_blanks,
)
from rig.record.taking import Fact, Recorder, Taken
from rig.roles import Bench, Capability, Metrology, require
from rig.toml_files import TimeS
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Quantity

BEFORE, DURING, FAULTY, HELD, CLEARED, AGAIN = (
    "rest before",
    "bolus",
    "bolus under the fault",
    "fault held",
    "fault cleared",
    "bolus afterwards",
)
LOOK_EVERY_S = 0.5
RUN, ANOTHER = "therapy while the fault holds", "a bolus while the fault holds"
_AT = "of fault {fault} in a bolus"


def _kind(name: str, words: str, unit: str, meaning: str) -> Kind:
    return Kind(f"fault_in_bolus.{name}", f"{words} {_AT}", (unit,), (FAULT,), meaning)


TIME = _kind("time_to_alarm", "time to the alarm", "s", "Until the pump annunciates it, or was given up unalarmed.")
EXCESS = _kind(
    "delivered_beyond", "delivered beyond the programme", "U",
    "What came of the bolus until the fault was cleared, less what was programmed by its beginning.",
)  # fmt: skip
RUNS = _kind("starts", "starts of therapy", "starts", "How often therapy could be started while the fault held.")
RESUMED = _kind(
    "resumed", "delivered after the end", "U", "What came when the fault was over, before anybody confirmed."
)
LOGGED = _kind(
    "logged_less_weighed", "logged less weighed amount", "U", "What the pump logs of the bolus, less what came."
)
AGAIN_ERROR = _kind(
    "error_afterwards", "error of the bolus after the end", "%", "Of a bolus once a person has confirmed."
)


class BolusUnderFault(Fact):
    """A bolus that met a fault: when it was commanded, when the fault began, and what the pump logs of it, in U."""

    commanded_at_s: float
    began_at_s: float
    logged_u: float


class FaultInBolus(UnderFault):
    """Inject a fault while a bolus is delivered; watch for the alarm, ask for more, clear it and look who goes on."""

    TABLE: ClassVar = "fault_in_bolus"
    KEYWORD: ClassVar = "Inject Fault In A Bolus"
    IN_WORDS: ClassVar = "fault {title}"
    KINDS: ClassVar = (TIME, EXCESS, RUNS, RESUMED, LOGGED, AGAIN_ERROR)
    EXPECTED: ClassVar = frozenset({"mechanical issue", "reservoir issue", "system issue"})

    size_u: Annotated[Size, Field(alias="size")] = 2.0
    after_s: Annotated[TimeS, lasting("1 s", "1 d"), Field(alias="after")] = 20.0
    watch_s: Annotated[TimeS, lasting("1 s", "1 d"), Field(alias="watch")] = 60.0
    speed_u_per_h: Annotated[Speed, Field(alias="speed")] = STANDARD_BOLUS_U_PER_H
    then_u: Annotated[Size | None, Field(alias="then")] = None

    @property
    def title(self) -> str:
        """What tells it from others: the fault, and the bolus that it is in."""
        return f"{self.fault} in a bolus of {self.size_u:g} U"

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (Capability.FAST_BOLUS, Capability.HISTORY)

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U, at most."""
        return 2.0 * self.size_u + (self.then_u or 0.0)

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        kinds = self.KINDS if self.then_u is not None else self.KINDS[:-1]
        return tuple(kind.of(fault=self.fault) for kind in kinds)

    def take(self, bench: Bench, record: Recorder) -> None:
        """Give a bolus, inject the fault, and read on for fixed times whatever the pump does."""
        log = require(bench.pump, Capability.HISTORY)

        def deliver() -> None:
            start_therapy(bench, record)
            wait_for_rest(bench, record, BEFORE)
            before, start_s = shown_now(bench), bench.clock.now()
            bolus_id = ask_for_bolus(bench, record, self.size_u)
            sample_for(bench, record, DURING, duration_s=self.after_s, every_s=SAMPLE_EVERY_S)
            with provoking(bench, record) as faults:
                began_s = faults.inject(self.injection)
                await_alarm(
                    bench, record, FAULTY, kinds=self.injection.fault.annunciated, before=before, since_s=began_s,
                    watch_s=self.watch_s, every_s=LOOK_EVERY_S,
                )  # fmt: skip
                ask_pump(bench, record, RUN, bench.pump.run)
                ask_for_bolus(bench, record, self.size_u, ANOTHER)
                sample_for(bench, record, HELD, duration_s=TAIL_S, every_s=SAMPLE_EVERY_S)
                faults.clear(self.injection)
                sample_for(bench, record, CLEARED, duration_s=2.0 * TAIL_S, every_s=SAMPLE_EVERY_S)
            ask_pump(bench, record, "stopping", bench.pump.stop)
            logged_u = logged_bolus_u(log, bolus_id)
            record.fact(
                BolusUnderFault(at_s=bench.clock.now(), commanded_at_s=start_s, began_at_s=began_s, logged_u=logged_u)
            )
            if self.then_u is not None:
                self._go_on(bench, record, self.then_u)

        without_blanks(bench, record, rate_u_per_h=0.0, deliver=deliver)

    def _go_on(self, bench: Bench, record: Recorder, then_u: float) -> None:
        """Confirm what is annunciated, start therapy and give a bolus, as a person does when all is well again."""
        confirm_all(bench, record)
        sample_for(bench, record, AGAIN, duration_s=SAMPLE_EVERY_S, every_s=SAMPLE_EVERY_S)
        if ask_pump(bench, record, "therapy afterwards", bench.pump.run):
            ask_for_bolus(bench, record, then_u, "a bolus afterwards")
        planned_s = 3600.0 * then_u / self.speed_u_per_h
        sample_for(bench, record, AGAIN, duration_s=planned_s + TAIL_S, every_s=SAMPLE_EVERY_S)

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Weigh what came under the fault and after it, and hold the log against it."""
        scale = scale_of_bench(taken, metrology)
        fact, alarm = taken.the(BolusUnderFault), taken.the(AlarmAwaited)
        programmed_u = min(self.size_u, self.speed_u_per_h * (fact.began_at_s - fact.commanded_at_s) / 3600.0)
        under = came(scale, taken.series(BEFORE, DURING, FAULTY, HELD))
        whole = came(scale, taken.series(BEFORE, DURING, FAULTY, HELD, CLEARED))
        beyond = under.linear(1.0, offset=-programmed_u, unit="U")
        if u_s := onset_u_s(taken):
            beyond = beyond.plus("what comes in the moment of the operator", "B", self.speed_u_per_h * u_s / 3600.0)
        budgets = {
            TIME: time_to_alarm(taken, alarm),
            EXCESS: beyond,
            RESUMED: came(scale, taken.series(CLEARED)),
            LOGGED: whole.linear(-1.0, offset=fact.logged_u, unit="U"),
        }
        if self.then_u is not None:
            budgets[AGAIN_ERROR] = came(scale, taken.series(AGAIN)).error_percent_of(self.then_u)
        by_quantity = {kind.of(fault=self.fault): budget for kind, budget in budgets.items()}
        starts = Measurement(RUNS.of(fault=self.fault), float(accepted(taken, RUN)))
        return Computed(
            (starts, *(measured(quantity, budget) for quantity, budget in by_quantity.items())), budgets=by_quantity
        )

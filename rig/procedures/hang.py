"""A controller whose program goes on no more: does its watchdog reset it, and what comes before and after?

The core is halted, sent into a loop or made to crash by a debug probe, in a state of the pump. It is asked until it
answers, and weighed meanwhile. One that never answers is given up, and its supply is switched off and on, so that it is
not left so. Not responsible for limits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, ClassVar

from pydantic import Field

from rig.errors import BadReplyError, NoReplyError, NotConnectedError
from rig.procedures.bounds import lasting
from rig.procedures.budgets import measured, with_one_source
from rig.procedures.fault_states import STATE
from rig.procedures.in_state import FILLED_U, Accounts, FaultInState, accounted
from rig.procedures.parameters import FAULT
from rig.procedures.power import pass_over, put_battery_in, take_battery_out
from rig.procedures.procedure import Computed
from rig.procedures.provoking import provoking
from rig.procedures.rest import SAMPLE_EVERY_S, wait_for_rest
from rig.procedures.sampling import sample_for
from rig.procedures.under_fault import (
    TAIL_S,
    AlarmAwaited,
    await_alarm,
    came,
    scale_of_bench,
    shown_now,
    without_blanks,
)
from rig.procedures.watch import WatchedBench
from rig.record.taking import Fact, Recorder, Taken
from rig.roles import Bench, Metrology
from rig.roles.pump import Reconnects
from rig.therapy import TherapyState
from rig.toml_files import TimeS
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Quantity

BEFORE, FREE, HUNG, ANSWERS, AFTER = (
    "rest before",
    "delivery before it hangs",
    "while it hangs",
    "once it answers",
    "stopped at the end",
)
TOLD_WITHIN_S, LOOK_EVERY_S, OFF_S = 10.0, 0.5, 5.0


def _kind(name: str, words: str, unit: str, meaning: str) -> Kind:
    return Kind(f"hang.{name}", f"{words} after fault {{fault}}, {{state}}", (unit,), (FAULT, STATE), meaning)


SILENT = _kind("silent", "silence without end", "pumps", "1 where it was given up; its supply was switched then.")
TIME = _kind("time_to_answer", "time to the next answer", "s", "From the fault until it answered, or was given up.")
UNTOLD = _kind("unannunciated", "missing annunciation", "annunciations", "1 where it answered, and told nothing of it.")
RUNS = _kind("runs", "therapy that runs unasked", "pumps", "By its state, before anybody told it to run.")
BEYOND = _kind(
    "delivered_beyond", "delivered beyond the programme", "U",
    "All that came until the end, less what was programmed until it hung.",
)  # fmt: skip
LOGGED = _kind("logged_less_weighed", "logged less weighed amount", "U", "What the pump accounts for, less what came.")


class Hung(Fact):
    """When delivery and fault began, the last time it was silent and the first it answered, and whether it ran then."""

    begun_at_s: float
    onset_at_s: float
    silent_at_s: float
    answered_at_s: float
    answered: bool
    runs: bool


class ControllerHangs(FaultInState):
    """Let the controller hang in a state of the pump; wait for its watchdog, look what it says, and weigh."""

    TABLE: ClassVar = "hang"
    KEYWORD: ClassVar = "Let The Controller Hang"
    IN_WORDS: ClassVar = "fault {title}"
    KINDS: ClassVar = (SILENT, TIME, UNTOLD, RUNS, BEYOND, LOGGED)
    EXPECTED: ClassVar = frozenset({"system issue", "bolus cancelled", "date and time issue"})

    watch_s: Annotated[TimeS, lasting("10 s", "1 h"), Field(alias="watch")] = 120.0

    @property
    def title(self) -> str:
        """What tells it from others: the fault, the state, and when it begins."""
        return f"{self.fault}, {self.state}, after {self.onset_s:g} s"

    @property
    def needed_roles(self) -> tuple[str, ...]:
        """What the fault is provoked by, and a supply that ends a hang which the watchdog does not end."""
        return (*self.injection.roles, "supply")

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U, at most."""
        lasts_s = self.onset_s + self.watch_s + 2.0 * TAIL_S
        return self.size_u + self.programme.basal_u_per_h * lasts_s / 3600.0

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        return tuple(self._of(kind) for kind in self.KINDS)

    def take(self, bench: Bench, record: Recorder) -> None:
        """Bring the pump into the state, let it hang, wait until it answers, and look what it says and does."""
        programme = self.programme

        def deliver() -> None:
            wait_for_rest(bench, record, BEFORE)
            with accounted(bench, record, programme):
                begun_s = programme.begin(bench, record)
                sample_for(bench, record, FREE, duration_s=self.onset_s, every_s=SAMPLE_EVERY_S)
                before = shown_now(bench)
                with left_alone(bench), provoking(bench, record) as faults:
                    onset_s = faults.inject(self.injection)
                    silent_s, answered_s, answered = self._wait(bench, record)
                    faults.clear_all()
                    if not answered:
                        take_battery_out(bench, record)
                        bench.clock.sleep(OFF_S)
                        put_battery_in(bench, record)
                pass_over(bench)
                await_alarm(
                    bench, record, ANSWERS, kinds=self.injection.fault.annunciated, before=before, since_s=answered_s,
                    watch_s=TOLD_WITHIN_S, every_s=LOOK_EVERY_S,
                )  # fmt: skip
                runs = bench.pump.status().therapy is TherapyState.RUN
                sample_for(bench, record, ANSWERS, duration_s=TAIL_S, every_s=SAMPLE_EVERY_S)
                programme.end(bench, record)
                sample_for(bench, record, AFTER, duration_s=TAIL_S, every_s=SAMPLE_EVERY_S)
            record.fact(
                Hung(
                    at_s=bench.clock.now(),
                    begun_at_s=begun_s,
                    onset_at_s=onset_s,
                    silent_at_s=silent_s,
                    answered_at_s=answered_s,
                    answered=answered,
                    runs=runs,
                )
            )

        without_blanks(bench, record, rate_u_per_h=programme.basal_u_per_h, deliver=deliver, reservoir_u=FILLED_U)

    def _wait(self, bench: Bench, record: Recorder) -> tuple[float, float, bool]:
        """Ask until it answers, or is given up; returns when it was last silent, when it answered, and whether."""
        begun_s = bench.clock.now()
        while True:
            silent_s = bench.clock.now()
            sample_for(bench, record, HUNG, duration_s=SAMPLE_EVERY_S, every_s=SAMPLE_EVERY_S)
            if is_reached(bench):
                record.step("answers again", after_s=round(bench.clock.now() - begun_s, 1))
                return silent_s, bench.clock.now(), True
            if bench.clock.now() - begun_s >= self.watch_s:
                record.step("silent, given up", after_s=round(bench.clock.now() - begun_s, 1))
                return bench.clock.now(), bench.clock.now(), False

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Weigh what came, and compare it with programme and log."""
        scale = scale_of_bench(taken, metrology)
        fact, alarm, accounts = taken.the(Hung), taken.the(AlarmAwaited), taken.the(Accounts)
        delivered = came(scale, taken.series(BEFORE, FREE, HUNG, ANSWERS, AFTER))
        programmed_u = self.programme.programmed_u(fact.onset_at_s - fact.begun_at_s)
        within_s = (fact.answered_at_s - fact.silent_at_s) / math.sqrt(3.0)
        budgets = {
            TIME: with_one_source(fact.answered_at_s - fact.onset_at_s, "s", "time between questions", within_s),
            BEYOND: delivered.linear(1.0, offset=-programmed_u, unit="U"),
            LOGGED: delivered.linear(-1.0, offset=accounts.told_u, unit="U"),
        }
        by_quantity = {self._of(kind): budget for kind, budget in budgets.items()}
        counts = {SILENT: not fact.answered, UNTOLD: not alarm.seen, RUNS: fact.runs}
        return Computed(
            (
                *(Measurement(self._of(kind), float(value)) for kind, value in counts.items()),
                *(measured(quantity, budget) for quantity, budget in by_quantity.items()),
            ),
            budgets=by_quantity,
        )


def is_reached(bench: Bench) -> bool:
    """Ask the pump for its state, over a new connection where there can be one; says whether it answered."""
    try:
        if isinstance(bench.pump, Reconnects):
            bench.pump.reconnect()
        bench.pump.status()
    except (NoReplyError, BadReplyError, NotConnectedError):
        return False
    return True


@contextmanager
def left_alone(bench: Bench) -> Iterator[None]:
    """Let nobody look at the pump meanwhile, where it is watched."""
    if isinstance(bench, WatchedBench):
        with bench.watch.left_alone():
            yield
    else:
        yield

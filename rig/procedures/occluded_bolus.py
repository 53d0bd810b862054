"""A bolus into a closed line, a second one after the alarm, the opening, and a bolus once a person has confirmed.

The line is closed at its outlet, or between reservoir and line, where its pressure says nothing. Not responsible for
occlusions under basal delivery (`occlusion`), nor for limits.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from rig.analysis.budget import Budget
from rig.faults import shipped_faults
from rig.procedures.answers import ask_for_bolus, ask_pump, confirm_all
from rig.procedures.bolus import STANDARD_BOLUS_U_PER_H
from rig.procedures.bounds import Size, Speed, lasting
from rig.procedures.budgets import measured, with_one_source
from rig.procedures.consecutive import logged_bolus_u
from rig.procedures.parameters import FAULT, SIZE
from rig.procedures.preparation import start_therapy
from rig.procedures.procedure import Computed
from rig.procedures.provoking import FaultBench, provoking
from rig.procedures.rest import SAMPLE_EVERY_S, wait_for_rest
from rig.procedures.sampling import sample_for
from rig.procedures.under_fault import (
    TAIL_S,
    AlarmAwaited,
    UnderFault,
    await_alarm,
    came,
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

BEFORE, WAITING, WATCHED, SECOND, RELEASE, AGAIN = (
    "rest before",
    "bolus into the closed line",
    "after the alarm",
    "second bolus",
    "release",
    "bolus afterwards",
)
LOOK_EVERY_S = 1.0
RELEASE_S = 180.0
"""40 time constants of a line that fades in 4.5 s, 4 of one that fades ten times as slowly."""
_PARAMETERS = (FAULT, SIZE)
_AT = "of a bolus of {size} under fault {fault}"


def _kind(name: str, words: str, unit: str, meaning: str) -> Kind:
    return Kind(f"occluded_bolus.{name}", f"{words} {_AT}", (unit,), _PARAMETERS, meaning)


UNALARMED = _kind("unalarmed", "missing alarm", "alarms", "1 where the bolus ended and no alarm came.")
TIME = _kind("time_to_alarm", "time to the alarm", "s", "From the command to the alarm, or until it was given up.")
HIGHEST = _kind("highest_pressure", "highest pressure", "kPa", "Highest line pressure until the outlet was opened.")
RISE = _kind("pressure_rise", "pressure rise after the alarm", "kPa", "How far the line's pressure rises after it.")
SECOND_RISE = _kind(
    "rise_by_second",
    "pressure rise by a second bolus",
    "kPa",
    "How far it rises after more was asked for, unconfirmed.",
)
RELEASED = _kind("released", "bolus on release", "U", "What came when the line was opened, before anybody confirmed.")
LOGGED = _kind(
    "logged_less_released", "logged less released amount", "U", "What the first bolus is logged with, less that."
)
AFTERWARDS = _kind("error_afterwards", "error of a bolus afterwards", "%", "Of a bolus once a person has confirmed.")


class BolusOccluded(Fact):
    """A bolus into a closed line: when it was commanded, and the line opened, and what the pump logs of it, in U."""

    commanded_at_s: float
    opened_at_s: float
    logged_u: float


class OccludedBolus(UnderFault):
    """Give a bolus into a closed line, ask for another after the alarm, open the line, confirm, and give one more."""

    TABLE: ClassVar = "occluded_bolus"
    KEYWORD: ClassVar = "Give A Bolus Into A Closed Line"
    IN_WORDS: ClassVar = "a bolus under fault {title}"
    KINDS: ClassVar = (UNALARMED, TIME, HIGHEST, RISE, SECOND_RISE, RELEASED, LOGGED, AFTERWARDS)
    EXPECTED: ClassVar = frozenset({"occlusion", "mechanical issue"})

    size_u: Annotated[Size, Field(alias="size")] = 5.0
    then_u: Annotated[Size, Field(alias="then")] = 1.0
    watch_s: Annotated[TimeS, lasting("10 s", "1 d"), Field(alias="watch")] = 120.0
    speed_u_per_h: Annotated[Speed, Field(alias="speed")] = STANDARD_BOLUS_U_PER_H

    @property
    def title(self) -> str:
        """What tells it from others: where the line is closed, and the size of the bolus."""
        return f"{self.fault}, {self.size_u:g} U"

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (Capability.FAST_BOLUS, Capability.OCCLUSION_DETECTION, Capability.HISTORY)

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U, at most."""
        return self.size_u + 2.0 * self.then_u

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        return tuple(self._quantity(kind) for kind in self.KINDS)

    def _quantity(self, kind: Kind) -> Quantity:
        return kind.of(fault=self.fault, size=self.size_u)

    def take(self, bench: Bench, record: Recorder) -> None:
        """Close the line and ask for boluses; every phase lasts a fixed time, whatever the pump does."""

        def deliver() -> None:
            start_therapy(bench, record)
            wait_for_rest(bench, record, BEFORE)
            with provoking(bench, record) as faults:
                faults.inject(self.injection)
                self._press(bench, record, faults)
            self._go_on(bench, record)

        without_blanks(bench, record, rate_u_per_h=0.0, deliver=deliver)

    def _press(self, bench: Bench, record: Recorder, faults: FaultBench) -> None:
        log = require(bench.pump, Capability.HISTORY)
        before, start_s = shown_now(bench), bench.clock.now()
        bolus_id = ask_for_bolus(bench, record, self.size_u, "a bolus into the closed line")
        await_alarm(
            bench, record, WAITING, kinds=self.injection.fault.annunciated, before=before, since_s=start_s,
            watch_s=self._planned_s(self.size_u) + TAIL_S, every_s=LOOK_EVERY_S, further=False,
        )  # fmt: skip
        sample_for(bench, record, WATCHED, duration_s=self.watch_s, every_s=SAMPLE_EVERY_S)
        self._ask_for_more(bench, record, faults)
        sample_for(bench, record, SECOND, duration_s=self._planned_s(self.then_u) + TAIL_S, every_s=SAMPLE_EVERY_S)
        ask_pump(bench, record, "stopping", bench.pump.stop)
        faults.clear(self.injection)
        opened_at_s = bench.clock.now()
        sample_for(bench, record, RELEASE, duration_s=RELEASE_S, every_s=SAMPLE_EVERY_S)
        record.fact(
            BolusOccluded(
                at_s=bench.clock.now(),
                commanded_at_s=start_s,
                opened_at_s=opened_at_s,
                logged_u=logged_bolus_u(log, bolus_id),
            )
        )

    def _ask_for_more(self, bench: Bench, record: Recorder, faults: FaultBench) -> None:
        """Ask for a second bolus as it is, and once more after starting therapy, without confirming the alarm."""

        def more() -> None:
            if ask_for_bolus(bench, record, self.then_u, "a second bolus") is not None:
                return
            if ask_pump(bench, record, "therapy with the alarm unconfirmed", bench.pump.run):
                ask_for_bolus(bench, record, self.then_u, "a second bolus")

        faults.inject(shipped_faults().injection("F6"), command=more)

    def _go_on(self, bench: Bench, record: Recorder) -> None:
        """Confirm, start therapy and give a bolus, as a person does when the line is open again."""
        confirm_all(bench, record)
        sample_for(bench, record, AGAIN, duration_s=SAMPLE_EVERY_S, every_s=SAMPLE_EVERY_S)
        if ask_pump(bench, record, "therapy afterwards", bench.pump.run):
            ask_for_bolus(bench, record, self.then_u, "a bolus afterwards")
        sample_for(bench, record, AGAIN, duration_s=self._planned_s(self.then_u) + TAIL_S, every_s=SAMPLE_EVERY_S)

    def _planned_s(self, size_u: float) -> float:
        return 3600.0 * size_u / self.speed_u_per_h

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Read pressures and weigh the release; the log is held against it."""
        scale = scale_of_bench(taken, metrology)
        fact, alarm = taken.the(BolusOccluded), taken.the(AlarmAwaited)
        waiting, watched, second = (taken.series(phase).pressure_kpa for phase in (WAITING, WATCHED, SECOND))
        u_kpa = metrology.pressure_expanded_uncertainty_kpa / 2.0

        def pressure(kpa: float) -> Budget:
            return with_one_source(kpa, "kPa", "pressure sensor", u_kpa)

        released = came(scale, taken.series(BEFORE, WAITING, WATCHED, SECOND, RELEASE))
        budgets = {
            TIME: time_to_alarm(taken, alarm),
            HIGHEST: pressure(float(np.max(np.concatenate([waiting, watched, second])))),
            RISE: pressure(float(np.max(watched) - waiting[-1])),
            SECOND_RISE: pressure(float(np.max(second) - watched[-1])),
            RELEASED: released,
            LOGGED: released.linear(-1.0, offset=fact.logged_u, unit="U"),
            AFTERWARDS: came(scale, taken.series(AGAIN)).error_percent_of(self.then_u),
        }
        by_quantity = {self._quantity(kind): budget for kind, budget in budgets.items()}
        return Computed(
            (
                Measurement(self._quantity(UNALARMED), float(not alarm.seen)),
                *(measured(quantity, budget) for quantity, budget in by_quantity.items()),
            ),
            budgets=by_quantity,
        )

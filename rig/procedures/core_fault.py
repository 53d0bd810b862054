"""A controller that loses its time or its memory: told to a person, and nothing delivered on what is no longer known.

Provoked through the pump's own wires: the crystal of its calendar is shorted while it runs, or its backup cell is taken
out while it has no supply. Not responsible for limits, nor for bits that flip in memory, which need a port into it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from rig.errors import RefusedError
from rig.procedures.between_blanks import between_blanks, scale_between_blanks
from rig.procedures.bounds import Rate, lasting
from rig.procedures.budgets import measured
from rig.procedures.parameters import PART
from rig.procedures.power import (
    confirm_what_is_shown,
    put_battery_in,
    shown_kinds,
    stop_and_fade,
    take_battery_out,
    weighed_over,
)
from rig.procedures.preparation import start_therapy
from rig.procedures.procedure import BetweenBlanks, Computed
from rig.procedures.rest import SAMPLE_EVERY_S
from rig.procedures.sampling import sample_for
from rig.record.taking import Fact, Recorder, Taken
from rig.roles import Bench, Capability, Metrology
from rig.therapy import TherapyState
from rig.toml_files import TimeS
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Quantity

LINES: Mapping[str, str] = {"crystal": "crystal", "backup cell": "backup_cell"}
"""The line of the switch for each part."""
THERAPY, WATCHED, FADING = "therapy", "after the alarm", "fading"
RUNS_S, OFF_S, FADING_S = 300.0, 10.0, 60.0
LOOKED_S, LOOK_EVERY_S = 300.0, 5.0
"""So long an annunciation is waited for, and how often it is looked for."""

DELAY = Kind(
    "core_fault.alarm_delay",
    "time until a fault of the {part} is annunciated",
    ("s",),
    (PART,),
    "From the fault, or from when the pump has its supply again; the time of waiting where nothing came.",
)
DELIVERED = Kind(
    "core_fault.delivered_after",
    "delivered after a fault of the {part}",
    ("U",),
    (PART,),
    "From a minute after the annunciation on.",
)
RAN = Kind(
    "core_fault.therapy_runs",
    "therapy that runs with a fault of the {part}",
    ("pumps",),
    (PART,),
    "By its state, after it was told to run while the fault holds.",
)


class CoreFault(Fact):
    """After how long in s a fault was annunciated, as what, and whether therapy ran in spite of it."""

    delay_s: float
    annunciated: tuple[str, ...]
    runs: bool


class ControllerFault(BetweenBlanks):
    """Deliver basal insulin, disturb a part of the controller, wait until that is told, and weigh what still comes."""

    TABLE: ClassVar = "core_fault"
    KEYWORD: ClassVar = "Disturb The Controller"
    IN_WORDS: ClassVar = "a fault of the {part}"
    KINDS: ClassVar = (DELAY, DELIVERED, RAN)
    EXPECTED: ClassVar = frozenset({"system issue", "date and time issue", "bolus cancelled"})

    part: Literal["crystal", "backup cell"]
    rate_u_per_h: Annotated[Rate, Field(alias="rate")] = 2.0
    watch_s: Annotated[TimeS, lasting("1 min", "25 min"), Field(alias="watch")] = 600.0

    @property
    def title(self) -> str:
        """What tells it from others: the part."""
        return self.part

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (Capability.BASAL_PROFILE,)

    @property
    def needed_lines(self) -> tuple[str, ...]:
        """Lines of the switch that it energises."""
        return (LINES[self.part],)

    @property
    def needed_roles(self) -> tuple[str, ...]:
        """Instruments that it uses."""
        return ("supply",)

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U, at most."""
        return self.rate_u_per_h * (RUNS_S + LOOKED_S + FADING_S + self.watch_s) / 3600.0

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        return tuple(kind.of(part=self.part) for kind in self.KINDS)

    @property
    def extent(self) -> Mapping[str, float]:
        """How long it weighs after the annunciation, in s."""
        return {"analysis": self.watch_s}

    def take(self, bench: Bench, record: Recorder) -> None:
        """Disturb the part, look, tell the pump to run, and weigh; the part is whole again at the end."""
        line = LINES[self.part]

        def disturb() -> None:
            start_therapy(bench, record)
            sample_for(bench, record, THERAPY, duration_s=RUNS_S, every_s=SAMPLE_EVERY_S)
            told = {each.annunciation_id for each in bench.pump.annunciations()}
            try:
                self._disturb(bench, record, line)
                delay_s, kinds = _looked(bench, record, told)
                sample_for(bench, record, FADING, duration_s=FADING_S, every_s=SAMPLE_EVERY_S)
                runs = self._told_to_run(bench, record)
                record.fact(CoreFault(at_s=bench.clock.now(), delay_s=delay_s, annunciated=kinds, runs=runs))
                sample_for(bench, record, WATCHED, duration_s=self.watch_s, every_s=SAMPLE_EVERY_S)
            finally:
                bench.switch.set_line(line, energised=False)
            stop_and_fade(bench, record)
            confirm_what_is_shown(bench, record)

        between_blanks(bench, record, rate_u_per_h=self.rate_u_per_h, blank_s=self.blank_s, deliver=disturb)

    def _disturb(self, bench: Bench, record: Recorder, line: str) -> None:
        """Let the fault begin; a cell is missed only where there is no supply."""
        if self.part == "crystal":
            bench.switch.set_line(line, energised=True)
            record.step("crystal shorted")
            return
        take_battery_out(bench, record)
        bench.switch.set_line(line, energised=True)
        bench.clock.sleep(OFF_S)
        bench.switch.set_line(line, energised=False)
        record.step("backup cell was out")
        put_battery_in(bench, record)

    def _told_to_run(self, bench: Bench, record: Recorder) -> bool:
        """Tell the pump to run where the fault holds; where it is over, a person may. Say whether therapy runs."""
        if self.part == "crystal":
            try:
                bench.pump.run()
            except RefusedError as error:
                record.step("run refused", reason=str(error))
        return bench.pump.status().therapy is TherapyState.RUN

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Tell the delay and weigh what came."""
        scale = scale_between_blanks(taken, metrology, blank_s=self.blank_s)
        fact, delivered = taken.the(CoreFault), weighed_over(scale, taken.series(WATCHED))
        return Computed(
            measured=(
                Measurement(DELAY.of(part=self.part), fact.delay_s),
                measured(DELIVERED.of(part=self.part), delivered),
                Measurement(RAN.of(part=self.part), float(fact.runs)),
            ),
            budgets={DELIVERED.of(part=self.part): delivered},
        )


def _looked(bench: Bench, record: Recorder, told: set[int]) -> tuple[float, tuple[str, ...]]:
    """Look until something new is annunciated; returns after how long in s, and its kinds."""
    begun_s = bench.clock.now()
    while True:
        kinds = tuple(each.kind for each in shown_kinds(bench) if each.annunciation_id not in told)
        if kinds or bench.clock.now() >= begun_s + LOOKED_S:
            return bench.clock.now() - begun_s, kinds
        sample_for(bench, record, "looking", duration_s=LOOK_EVERY_S, every_s=LOOK_EVERY_S)

"""A pump whose buzzer or vibrator is broken: the alarm reaches a person by the other one, and the failure is told.

Judged by a recording of pickup and microphone. Not responsible for limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from rig.faults import shipped_faults
from rig.procedures.alarm import LEAD_S
from rig.procedures.alarm_causes import (
    ANNUNCIATED,
    CAUSE,
    CauseName,
    Priority,
    Provoked,
    cause_lines,
    delivering,
    kinds_told,
    needs_of,
    provoke,
    refuse_incomplete,
)
from rig.procedures.alarm_numbers import numbers_of
from rig.procedures.bounds import lasting
from rig.procedures.budgets import measured
from rig.procedures.listening import begin_listening, end_listening, heard_in, of_priority, time_between
from rig.procedures.procedure import Computed, Procedure
from rig.record.taking import Fact, Recorder, Taken
from rig.roles import Bench, Capability, Metrology
from rig.toml_files import TimeS
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Quantity

SOUND = "cut"
ISSUE = "system issue"
"""How a pump annunciates that a part of itself is broken."""

FELT = Kind(
    "annunciator_cut.felt_after",
    "time to the first vibration with a broken buzzer: {cause}",
    ("s",),
    (CAUSE,),
    "From the alarm's cause; where nothing was felt, as long as was listened.",
)
UNTOLD = Kind(
    "annunciator_cut.not_told",
    "broken buzzers that are not annunciated: {cause}",
    ("failures",),
    (CAUSE,),
    "As a system issue, at the end of the recording.",
)
HEARD = Kind(
    "annunciator_cut.heard",
    "bursts with a broken vibrator: {cause}",
    ("bursts",),
    (CAUSE,),
    "Of the right priority, from the alarm's cause on.",
)


class ToldOfIt(Fact):
    """What the pump annunciated at the end; None where it did not answer."""

    annunciated: tuple[str, ...] | None


class AnnunciatorCut(Procedure):
    """Break the wire to buzzer or vibrator, bring a cause about, and listen to what is left."""

    TABLE: ClassVar = "annunciator_cut"
    KEYWORD: ClassVar = "Listen To Alarm With Broken"
    IN_WORDS: ClassVar = "an alarm with a broken {title}"
    KINDS: ClassVar = (FELT, UNTOLD, HEARD)
    EXPECTED: ClassVar = ANNUNCIATED | {ISSUE}

    part: Literal["buzzer", "vibrator"]
    cause: CauseName
    priority: Priority
    due_s: Annotated[TimeS, lasting("0.1 s", "10 min"), Field(alias="due")]
    listen_s: Annotated[TimeS, lasting("10 s", "10 min"), Field(alias="listen")] = 30.0

    @property
    def title(self) -> str:
        """What tells it from others: the part and the cause."""
        return f"{self.part}, {self.cause}"

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return needs_of(self.cause)

    @property
    def needed_lines(self) -> tuple[str, ...]:
        """Lines of the switch that it energises."""
        return (*cause_lines(self.cause), self.part)

    @property
    def needed_roles(self) -> tuple[str, ...]:
        """The recorder."""
        return ("sound",)

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        kinds = (FELT, UNTOLD) if self.part == "buzzer" else (HEARD,)
        return tuple(kind.of(cause=self.cause) for kind in kinds)

    @property
    def extent(self) -> Mapping[str, float]:
        """For how long it is listened after the alarm is due, in s."""
        return {"analysis": self.listen_s}

    @property
    def bench_time_s(self) -> float:
        """How long it takes, in s: what is listened to and waited for."""
        return LEAD_S + self.due_s + self.listen_s

    def take(self, bench: Bench, record: Recorder) -> None:
        """Break the wire, bring the cause about and listen."""
        with delivering(bench, record, self.cause) as faults:
            faults.inject(shipped_faults().injection(f"F32 {self.part}"))
            begin_listening(bench, record, lasting_s=LEAD_S + self.due_s + self.listen_s)
            bench.clock.sleep(LEAD_S)
            provoke(bench, record, faults, self.cause)
            end_listening(bench, record, SOUND)
            record.fact(ToldOfIt(at_s=bench.clock.now(), annunciated=kinds_told(bench)))

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Time the first vibration, or count the bursts."""
        del metrology  # times on one clock, and no level
        refuse_incomplete(taken, faults=2)
        provoked = taken.the(Provoked)
        said = taken.the(ToldOfIt)
        heard = heard_in(taken, SOUND)
        analyses = {"alarm": numbers_of(heard.sound, f"Alarm with a broken {self.title}")}
        if self.part == "vibrator":
            bursts = of_priority(heard.bursts(since_s=provoked.from_s), self.priority)
            return Computed((Measurement(HEARD.of(cause=self.cause), float(len(bursts))),), analyses)
        felt = heard.felt(since_s=provoked.from_s)
        comes_s = heard.begins_s(felt[0]) if felt else heard.to_s
        after = time_between(heard, comes_s, provoked.from_s, provoked.to_s)
        annunciated = said.annunciated or ()
        quantity = FELT.of(cause=self.cause)
        return Computed(
            (
                measured(quantity, after),
                Measurement(UNTOLD.of(cause=self.cause), 0.0 if ISSUE in annunciated else 1.0),
            ),
            analyses,
            budgets={quantity: after},
        )

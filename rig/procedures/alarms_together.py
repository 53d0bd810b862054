"""Two alarms whose causes hold at once: the more urgent one is heard, whichever came first, and no less loud.

Judged by a recording. Not responsible for limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from rig.analysis.alarm_signal import RANK
from rig.analysis.alarm_signal import Priority as Rank
from rig.procedures.alarm import LEAD_S
from rig.procedures.alarm_causes import (
    ANNUNCIATED,
    CAUSE,
    CauseName,
    Priority,
    Provoked,
    cause_lines,
    delivering,
    needs_of,
    provoke,
    refuse_incomplete,
)
from rig.procedures.alarm_numbers import numbers_of
from rig.procedures.bounds import lasting
from rig.procedures.budgets import measured
from rig.procedures.listening import begin_listening, end_listening, heard_in, of_priority, time_between
from rig.procedures.procedure import Computed, Procedure
from rig.record.taking import Recorder, Taken
from rig.roles import Bench, Capability, Metrology
from rig.toml_files import TimeS
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Parameter, Quantity

SOUND = "alarms"
ALONE_S = 12.0
"""For so long the first one sounds alone after it is due: a burst or two."""
FIRST = Parameter("first", words=CAUSE.words)
THEN = Parameter("then", words=CAUSE.words)

DELAY = Kind(
    "alarms_together.delay",
    "time from the second cause to the more urgent alarm: {first}, then {then}",
    ("s",),
    (FIRST, THEN),
    "Where that was not heard, as long as was listened.",
)
LOWER = Kind(
    "alarms_together.lower_bursts",
    "bursts of the less urgent alarm while both causes hold: {first}, then {then}",
    ("bursts",),
    (FIRST, THEN),
    "After the first burst of the more urgent one; from the second cause on where that came first or was not heard.",
)
LEVEL = Kind(
    "alarms_together.level_change",
    "level of the more urgent alarm over the other: {first}, then {then}",
    ("dB",),
    (FIRST, THEN),
    "Medians of the bursts heard; −100 dB where one was not heard. Only where the less urgent one came first.",
)
LEVEL_U_DB = 1.0
"""Standard uncertainty of a difference of levels at one place, of tones of one pitch. Assumption."""
NOT_HEARD_DB = -100.0


class AlarmsTogether(Procedure):
    """Bring two causes about, one after the other, and listen to which alarm sounds."""

    TABLE: ClassVar = "alarms_together"
    KEYWORD: ClassVar = "Listen To Two Alarms"
    IN_WORDS: ClassVar = "two alarms, {title}"
    KINDS: ClassVar = (DELAY, LOWER, LEVEL)
    EXPECTED: ClassVar = ANNUNCIATED

    first: CauseName
    then: CauseName
    first_priority: Priority
    then_priority: Priority
    first_due_s: Annotated[TimeS, lasting("0.1 s", "10 min"), Field(alias="first_due")]
    then_due_s: Annotated[TimeS, lasting("0.1 s", "10 min"), Field(alias="then_due")]
    listen_s: Annotated[TimeS, lasting("10 s", "10 min"), Field(alias="listen")] = 30.0

    @model_validator(mode="after")
    def _one_is_more_urgent(self) -> Self:
        if self.first_priority == self.then_priority:
            raise ValueError("first_priority and then_priority are the same: one of the alarms is the more urgent")
        return self

    @property
    def title(self) -> str:
        """What tells it from others: both causes."""
        return f"{self.first}, then {self.then}"

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return needs_of(self.first, self.then)

    @property
    def needed_lines(self) -> tuple[str, ...]:
        """Lines of the switch that it energises."""
        return cause_lines(self.first, self.then)

    @property
    def needed_roles(self) -> tuple[str, ...]:
        """The recorder."""
        return ("sound",)

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        kinds = self.KINDS if self._then_is_higher else (DELAY, LOWER)
        return tuple(kind.of(first=self.first, then=self.then) for kind in kinds)

    @property
    def extent(self) -> Mapping[str, float]:
        """For how long it is listened after the second alarm is due, in s."""
        return {"analysis": self.listen_s}

    @property
    def _then_is_higher(self) -> bool:
        return RANK[Rank(self.then_priority)] > RANK[Rank(self.first_priority)]

    @property
    def bench_time_s(self) -> float:
        """How long it takes, in s: what is listened to and waited for."""
        return LEAD_S + self.first_due_s + ALONE_S + self.then_due_s + self.listen_s

    def take(self, bench: Bench, record: Recorder) -> None:
        """Listen from before the first cause on, until so long after the second alarm is due."""
        with delivering(bench, record, self.first, self.then) as faults:
            lasting_s = LEAD_S + self.first_due_s + ALONE_S + self.then_due_s + self.listen_s
            begin_listening(bench, record, lasting_s=lasting_s)
            bench.clock.sleep(LEAD_S)
            provoke(bench, record, faults, self.first)
            bench.clock.sleep(self.first_due_s + ALONE_S)
            provoke(bench, record, faults, self.then)
            end_listening(bench, record, SOUND)

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Find which alarm sounded once both causes held."""
        del metrology  # times on one clock, and levels of one recording
        refuse_incomplete(taken, causes=2, faults=2)
        heard = heard_in(taken, SOUND)
        _, second = taken.exactly(2, Provoked)
        after = heard.bursts(since_s=second.from_s)
        higher, lower = (
            (self.then_priority, self.first_priority)
            if self._then_is_higher
            else (self.first_priority, self.then_priority)
        )
        urgent = of_priority(after, higher)
        comes_s = heard.begins_s(urgent[0]) if urgent else heard.to_s
        from_s = comes_s if self._then_is_higher and urgent else second.from_s
        still = [burst for burst in of_priority(after, lower) if heard.begins_s(burst) > from_s]
        before = of_priority(heard.bursts(until_s=second.from_s), lower)
        named = {"first": self.first, "then": self.then}
        delay = time_between(heard, comes_s, second.from_s, second.to_s)
        found = [measured(DELAY.of(**named), delay), Measurement(LOWER.of(**named), float(len(still)))]
        if self._then_is_higher:
            louder_db = (
                median(burst.level_db for burst in urgent) - median(burst.level_db for burst in before)
                if urgent and before
                else NOT_HEARD_DB
            )
            found.append(Measurement(LEVEL.of(**named), louder_db, 2.0 * LEVEL_U_DB))
        return Computed(
            tuple(found),
            {"alarm": numbers_of(heard.sound, f"Two alarms: {self.title}")},
            budgets={DELAY.of(**named): delay},
        )

"""One alarm, from its cause to its repetitions: what is heard of it, how soon, in what rhythm, and what is felt.

Judged by a recording of microphone and pickup alone; what the pump annunciates over its line is kept beside it. Not
responsible for limits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, ClassVar

from pydantic import Field

from rig.analysis.alarm_signal import Burst
from rig.analysis.budget import Budget
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
from rig.procedures.listening import Heard, begin_listening, end_listening, heard_in, of_priority, time_between
from rig.procedures.procedure import Computed, Procedure
from rig.record.taking import Recorder, Taken
from rig.roles import Bench, Capability, Metrology
from rig.toml_files import TimeS
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Quantity

LEAD_S = 2.0
"""Of quiet before the cause, so that a pulse that was there before is not taken for its answer."""
FELT_WITHIN_S = 0.6
"""A burst is accompanied by a buzz that begins so soon before or after its first pulse. Assumption."""
SOUND = "alarm"

HEARD = Kind(
    "alarm.heard", "bursts of an alarm: {cause}", ("bursts",), (CAUSE,), "Of the right priority, from the cause on."
)
OTHERS = Kind(
    "alarm.of_another_priority",
    "bursts of another priority: {cause}",
    ("bursts",),
    (CAUSE,),
    "Heard from the cause on; those whose priority nobody could tell are among them.",
)
UNLIKE = Kind(
    "alarm.not_conforming",
    "bursts unlike the table of IEC 60601-1-8: {cause}",
    ("bursts",),
    (CAUSE,),
    "In pulses, rhythm, pitch or harmonics, among those of the right priority.",
)
DELAY = Kind(
    "alarm.delay",
    "time from the cause to the first pulse: {cause}",
    ("s",),
    (CAUSE,),
    "Where nothing was heard it is as long as was listened.",
)
SHORTEST = Kind(
    "alarm.shortest_pause",
    "shortest pause between two bursts: {cause}",
    ("s",),
    (CAUSE,),
    "From the end of a burst to the next; to the end of the recording where there was one burst alone.",
)
LONGEST = Kind(
    "alarm.longest_pause",
    "longest pause after a burst: {cause}",
    ("s",),
    (CAUSE,),
    "To the next burst, or to the end of the recording; as long as was listened where nothing was heard.",
)
UNFELT = Kind(
    "alarm.not_felt",
    "bursts without a vibration: {cause}",
    ("bursts",),
    (CAUSE,),
    "At the pickup, within 0.6 s of the first pulse; 1 where neither a burst was heard nor a vibration felt.",
)


class Alarm(Procedure):
    """Bring a cause about while the pump delivers, and listen to the alarm."""

    TABLE: ClassVar = "alarm"
    KEYWORD: ClassVar = "Listen To Alarm"
    IN_WORDS: ClassVar = "the alarm {title}"
    KINDS: ClassVar = (HEARD, OTHERS, UNLIKE, DELAY, SHORTEST, LONGEST, UNFELT)
    EXPECTED: ClassVar = ANNUNCIATED

    cause: CauseName
    priority: Priority
    due_s: Annotated[TimeS, lasting("0.1 s", "10 min"), Field(alias="due")]
    listen_s: Annotated[TimeS, lasting("10 s", "10 min"), Field(alias="listen")] = 30.0

    @property
    def title(self) -> str:
        """What tells it from others: the cause."""
        return self.cause

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return needs_of(self.cause)

    @property
    def needed_lines(self) -> tuple[str, ...]:
        """Lines of the switch that it energises."""
        return cause_lines(self.cause)

    @property
    def needed_roles(self) -> tuple[str, ...]:
        """The recorder."""
        return ("sound",)

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures; of a low alarm no vibration is asked."""
        kinds = self.KINDS if self.priority != "low" else tuple(kind for kind in self.KINDS if kind is not UNFELT)
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
        """Listen from before the cause on, until so long after the alarm is due."""
        with delivering(bench, record, self.cause) as faults:
            begin_listening(bench, record, lasting_s=LEAD_S + self.due_s + self.listen_s)
            bench.clock.sleep(LEAD_S)
            provoke(bench, record, faults, self.cause)
            end_listening(bench, record, SOUND)

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Count bursts and buzzes, and time them."""
        del metrology  # times on one clock, and no level
        refuse_incomplete(taken)
        provoked = taken.the(Provoked)
        heard = heard_in(taken, SOUND)
        bursts = heard.bursts(since_s=provoked.from_s)
        right = of_priority(bursts, self.priority)
        delay = first_heard(heard, provoked, bursts)
        pauses = pauses_s(heard, bursts)
        values: dict[Kind, float] = {
            HEARD: float(len(right)),
            OTHERS: float(len(bursts) - len(right)),
            UNLIKE: float(sum(burst.conforms is False for burst in right)),
            SHORTEST: min(pauses[:-1] or pauses),
            LONGEST: max(pauses),
            UNFELT: float(not_felt(heard, provoked.from_s)),
        }
        delay_quantity = DELAY.of(cause=self.cause)
        counted = [Measurement(kind.of(cause=self.cause), value) for kind, value in values.items()]
        return Computed(
            tuple(each for each in (*counted, measured(delay_quantity, delay)) if each.quantity in self.quantities),
            {"alarm": numbers_of(heard.sound, f"Alarm: {self.title}")},
            budgets={delay_quantity: delay},
        )


def first_heard(heard: Heard, provoked: Provoked, bursts: Sequence[Burst]) -> Budget:
    """Write the budget of the time from a cause to the first of these bursts, or to the end where there is none."""
    at_s = heard.begins_s(bursts[0]) if bursts else heard.to_s
    return time_between(heard, at_s, provoked.from_s, provoked.to_s)


def pauses_s(heard: Heard, bursts: Sequence[Burst]) -> list[float]:
    """List the pauses in s after each burst, the last to the end of the recording; all of it where there is none."""
    if not bursts:
        return [heard.to_s - heard.from_s]
    between = [max(0.0, after.at_s - before.end_s) for before, after in pairwise(bursts)]
    return [*between, max(0.0, heard.to_s - heard.ends_s(bursts[-1]))]


def not_felt(heard: Heard, since_s: float) -> int:
    """Count the bursts since a moment that no vibration accompanies; 1 where nothing was heard and nothing felt."""
    felt_s = [heard.begins_s(buzz) for buzz in heard.felt(since_s)]
    bursts = heard.bursts(since_s)
    if not bursts:
        return 0 if felt_s else 1
    return sum(all(abs(heard.begins_s(burst) - at_s) > FELT_WITHIN_S for at_s in felt_s) for burst in bursts)

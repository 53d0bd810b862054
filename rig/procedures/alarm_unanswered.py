"""An alarm that nobody answers: after how long it becomes more urgent, by a higher priority or a quicker rhythm.

Judged by two recordings, of its beginning and of the minutes around the time claimed. Not responsible for limits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from rig.analysis.alarm_signal import RANK, Burst
from rig.analysis.budget import Budget, Input, combined
from rig.analysis.uncertainty import COVERAGE_PERCENT
from rig.procedures.alarm import LEAD_S, pauses_s
from rig.procedures.alarm_causes import (
    ANNUNCIATED,
    CAUSE,
    CauseName,
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
from rig.procedures.from_sheet import FromSheet
from rig.procedures.listening import ONSET_U_S, Heard, begin_listening, end_listening, heard_in
from rig.procedures.procedure import Computed, Procedure
from rig.record.taking import Recorder, Taken
from rig.roles import Bench, Capability, Metrology
from rig.toml_files import TimeS
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Quantity

FIRST, LATER = "first", "around the escalation"
FIRST_LISTENED_S = 20.0

ESCALATED = Kind(
    "alarm_unanswered.escalated_after",
    "time until an unanswered alarm becomes more urgent: {cause}",
    ("min",),
    (CAUSE,),
    "From its first pulse; where it never became so, as long as was listened; where it was so before, a minute less.",
)
LONGEST = Kind(
    "alarm_unanswered.longest_pause",
    "longest pause of an unanswered alarm: {cause}",
    ("s",),
    (CAUSE,),
    "Within the minutes around the time claimed.",
)


class AlarmUnanswered(Procedure):
    """Bring a cause about, answer nothing, and listen at the beginning and for a while around the time claimed."""

    TABLE: ClassVar = "alarm_unanswered"
    KEYWORD: ClassVar = "Leave Alarm Unanswered"
    IN_WORDS: ClassVar = "the unanswered alarm {title}"
    KINDS: ClassVar = (ESCALATED, LONGEST)
    EXPECTED: ClassVar = ANNUNCIATED

    cause: CauseName
    due_s: Annotated[TimeS, lasting("0.1 s", "10 min"), Field(alias="due")]
    escalates_s: Annotated[TimeS, lasting("2 min", "2 h"), Field(alias="escalates"), FromSheet("alarms.escalation")] = (
        600.0
    )
    either_side_s: Annotated[TimeS, lasting("10 s", "10 min"), Field(alias="around")] = 60.0

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
        """What it measures."""
        return tuple(kind.of(cause=self.cause) for kind in self.KINDS)

    @property
    def extent(self) -> Mapping[str, float]:
        """For how long nobody answers, in s."""
        return {"analysis": self.escalates_s}

    @property
    def bench_time_s(self) -> float:
        """How long it takes, in s: what is listened to and waited for."""
        return LEAD_S + self.due_s + self.escalates_s + self.either_side_s

    def take(self, bench: Bench, record: Recorder) -> None:
        """Listen to the first bursts, wait, and listen again around the time claimed."""
        with delivering(bench, record, self.cause) as faults:
            begin_listening(bench, record, lasting_s=LEAD_S + self.due_s + FIRST_LISTENED_S)
            bench.clock.sleep(LEAD_S)
            provoke(bench, record, faults, self.cause)
            provoked_s = bench.clock.now()
            end_listening(bench, record, FIRST)
            bench.clock.sleep(max(0.0, provoked_s + self.escalates_s - self.either_side_s - bench.clock.now()))
            begin_listening(bench, record, lasting_s=self.due_s + 2.0 * self.either_side_s)
            end_listening(bench, record, LATER)

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Find the first burst that is more urgent than those at the beginning."""
        del metrology  # times on one clock, and no level
        refuse_incomplete(taken, recordings=2)
        provoked = taken.the(Provoked)
        first, later = heard_in(taken, FIRST), heard_in(taken, LATER)
        escalated = _escalated_after(provoked, first, later)
        quantity = ESCALATED.of(cause=self.cause)
        longest = Measurement(LONGEST.of(cause=self.cause), max(pauses_s(later, later.signals)))
        return Computed(
            (measured(quantity, escalated), longest),
            {
                "alarm": numbers_of(first.sound, f"Unanswered alarm: {self.title}"),
                "alarm_later": numbers_of(later.sound, f"Unanswered alarm, later: {self.title}"),
            },
            budgets={quantity: escalated},
        )


def _escalated_after(provoked: Provoked, first: Heard, later: Heard) -> Budget:
    """Write the budget in min of the time from the first pulse to the first of a more urgent burst."""
    at_first = first.bursts(since_s=provoked.from_s)
    begin_s = first.begins_s(at_first[0]) if at_first else (provoked.from_s + provoked.to_s) / 2.0
    more = _more_urgent(at_first, later)
    end_s = later.begins_s(more) if more is not None else later.to_s
    inputs = [
        Input("beginning of the first recording on the bench's clock", "B", first.from_s, "s", first.u_s),
        Input("beginning of the second recording on the bench's clock", "B", later.from_s, "s", later.u_s),
        Input("onset of the first pulse in its recording", "B", begin_s - first.from_s, "s", ONSET_U_S),
        Input("onset of the more urgent burst in its recording", "B", end_s - later.from_s, "s", ONSET_U_S),
    ]
    from_first, from_later, onset, urgent = (each.number for each in inputs)
    taken_s = combined(from_later + urgent - from_first - onset, "s", inputs, COVERAGE_PERCENT)
    return taken_s.linear(1.0 / 60.0, unit="min")


def _more_urgent(at_first: tuple[Burst, ...], later: Heard) -> Burst | None:
    """Find the first later burst of a higher priority than any at the beginning, or that comes sooner, or louder."""
    usual = max((RANK.get(burst.priority, 0) for burst in at_first), default=math.inf)
    urgent = [burst for burst in later.signals if RANK.get(burst.priority, 0) > usual]
    for escalation in later.sound.escalations:
        sooner = escalation.kind == "interburst"  # told of the burst before the shorter pause
        urgent += [
            burst
            for burst in later.signals
            if burst.at_s > escalation.at_s or (not sooner and burst.at_s == escalation.at_s)
        ][:1]
    return min(urgent, key=lambda burst: burst.at_s, default=None)

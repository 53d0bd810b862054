"""An alarm that is answered: snoozed it is silent and comes back; confirming does not clear it while its cause holds.

Where a protocol asks for it, another alarm comes while this one is snoozed, and its own cause comes a second time after
all was confirmed: both are to be heard. Judged by recordings of what sounds after each answer; what the pump says to it
is kept beside them. Not responsible for limits.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from rig.errors import RefusedError
from rig.procedures.alarm import LEAD_S
from rig.procedures.alarm_causes import (
    ANNUNCIATED,
    CAUSE,
    CAUSES,
    Answered,
    CauseName,
    Provoked,
    answer,
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
from rig.procedures.from_sheet import FromSheet
from rig.procedures.listening import Heard, begin_listening, end_listening, heard_in, time_between
from rig.procedures.procedure import Computed, Procedure
from rig.procedures.settings import setting_set
from rig.record.taking import Fact, Recorder, Taken
from rig.roles import Bench, Capability, Metrology
from rig.therapy import Setting
from rig.toml_files import TimeS
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Quantity

SNOOZED, MEANWHILE, AGAIN, CONFIRMED, ANEW = "snoozed", "another", "sounds again", "confirmed", "comes anew"
HEARD_S = 10.0
"""For so long the alarm sounds before it is answered: a burst of each priority and more."""
QUIET_S = 20.0
"""It is listened for so long after the snooze, and as long before its end."""
AGAIN_S = 25.0
HOLDS_S = 20.0
"""The cause holds for so long after the alarm was confirmed: longer than the pauses of high alarms, which are 15 s."""
CLEARED_S = 15.0
OVER_S = 0.5
"""A pulse that sounds while the answer is on the line is over by then."""

SILENCED = Kind(
    "alarm_answered.silenced_after",
    "time from snoozing to the last pulse: {cause}",
    ("s",),
    (CAUSE,),
    "0 where none came after it; as long as was listened where it went on.",
)
AGAIN_AFTER = Kind(
    "alarm_answered.sounds_again_after",
    "time from snoozing to the next burst: {cause}",
    ("min",),
    (CAUSE,),
    "Where none came, as long as was listened.",
)
HOLDING = Kind(
    "alarm_answered.heard_while_cause_holds",
    "bursts after confirming while the cause holds: {cause}",
    ("bursts",),
    (CAUSE,),
    "Within 20 s of it.",
)
CLEARED = Kind(
    "alarm_answered.heard_after_cleared",
    "bursts after cause and alarm are gone: {cause}",
    ("bursts",),
    (CAUSE,),
    "Once the cause was taken away and the alarm confirmed.",
)
OTHER = Kind(
    "alarm_answered.heard_of_another",
    "bursts of another alarm while one is snoozed: {cause}",
    ("bursts",),
    (CAUSE,),
    "From its own cause on, until it is confirmed.",
)
COMES_ANEW = Kind(
    "alarm_answered.heard_anew",
    "bursts when the cause comes again after its alarm was confirmed: {cause}",
    ("bursts",),
    (CAUSE,),
    "From its cause on, for as long as it is due and 15 s more.",
)


class CauseGone(Fact):
    """The cause was taken away by `at_s`; what the pump annunciated just before, None where it did not answer."""

    annunciated: tuple[str, ...] | None


class AlarmAnswered(Procedure):
    """Bring a cause about, snooze the alarm, confirm it while the cause holds, take that away and confirm again."""

    TABLE: ClassVar = "alarm_answered"
    KEYWORD: ClassVar = "Snooze And Confirm Alarm"
    IN_WORDS: ClassVar = "the answered alarm {title}"
    KINDS: ClassVar = (SILENCED, AGAIN_AFTER, HOLDING, CLEARED, OTHER, COMES_ANEW)
    EXPECTED: ClassVar = ANNUNCIATED

    cause: CauseName
    due_s: Annotated[TimeS, lasting("0.1 s", "10 min"), Field(alias="due")]
    snooze_s: Annotated[TimeS, lasting("1 min", "2 h"), Field(alias="snooze"), FromSheet("alarms.snooze")] = 300.0
    set_s: Annotated[Annotated[TimeS, lasting("1 min", "30 min")] | None, Field(alias="set")] = None
    meanwhile: CauseName | None = None
    meanwhile_due_s: Annotated[TimeS, lasting("0.1 s", "10 min"), Field(alias="meanwhile_due")] = 30.0
    comes: Literal["once", "again"] = "once"

    @model_validator(mode="after")
    def _another_fits_into_the_snooze(self) -> Self:
        if self.meanwhile == self.cause:
            raise ValueError(f"meanwhile is {self.cause}, too: another alarm is to come while this one is snoozed")
        if self.meanwhile is not None and self.silent_s < 2.0 * QUIET_S + self._meanwhile_s:
            raise ValueError(
                f"the alarm meanwhile takes {self._meanwhile_s:g} s: a snooze of {self.silent_s:g} s is too short"
            )
        return self

    @property
    def title(self) -> str:
        """What tells it from others: the cause, and to what the snooze is set."""
        return self.cause + (f", snooze set to {self.set_s / 60.0:g} min" if self.set_s is not None else "")

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        settings = (Capability.SETTINGS,) if self.set_s is not None else ()
        return (*needs_of(*self._causes), Capability.SNOOZE, *settings)

    @property
    def _causes(self) -> tuple[CauseName, ...]:
        return (self.cause,) if self.meanwhile is None else (self.cause, self.meanwhile)

    @property
    def _meanwhile_s(self) -> float:
        return 2.0 * LEAD_S + self.meanwhile_due_s + HEARD_S

    @property
    def silent_s(self) -> float:
        """How long the snooze should last, in s: as it was set, else as the pump comes."""
        return self.snooze_s if self.set_s is None else self.set_s

    @property
    def needed_lines(self) -> tuple[str, ...]:
        """Lines of the switch that it energises."""
        return cause_lines(*self._causes)

    @property
    def needed_roles(self) -> tuple[str, ...]:
        """The recorder."""
        return ("sound",)

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        more = {OTHER: self.meanwhile is not None, COMES_ANEW: self.comes == "again"}
        return tuple(kind.of(cause=self.cause) for kind in self.KINDS if more.get(kind, True))

    @property
    def bench_time_s(self) -> float:
        """How long it takes, in s: what is listened to and waited for."""
        anew_s = LEAD_S + self.due_s + CLEARED_S if self.comes == "again" else 0.0
        return LEAD_S + self.due_s + HEARD_S + self.silent_s + AGAIN_S + HOLDS_S + CLEARED_S + 3.0 * LEAD_S + anew_s

    def take(self, bench: Bench, record: Recorder) -> None:
        """Answer the alarm three times, and listen after each answer."""
        minutes = None if self.set_s is None else self.set_s / 60.0
        with (
            setting_set(bench, record, Setting.SNOOZE_MIN, minutes),
            delivering(bench, record, *self._causes) as faults,
        ):
            begin_listening(bench, record, lasting_s=LEAD_S + self.due_s + HEARD_S + QUIET_S)
            bench.clock.sleep(LEAD_S)
            provoke(bench, record, faults, self.cause)
            bench.clock.sleep(self.due_s + HEARD_S)
            answer(bench, record, "snooze")
            snoozed_s = bench.clock.now()
            end_listening(bench, record, SNOOZED)
            if self.meanwhile is not None:
                begin_listening(bench, record, lasting_s=LEAD_S + self.meanwhile_due_s + HEARD_S)
                bench.clock.sleep(LEAD_S)
                provoke(bench, record, faults, self.meanwhile)
                end_listening(bench, record, MEANWHILE)
                _confirm_kind(bench, record, CAUSES[self.meanwhile].kind)
            bench.clock.sleep(max(0.0, snoozed_s + self.silent_s - QUIET_S - bench.clock.now()))
            begin_listening(bench, record, lasting_s=QUIET_S + AGAIN_S)
            end_listening(bench, record, AGAIN)
            begin_listening(bench, record, lasting_s=LEAD_S + HOLDS_S + CLEARED_S + 2.0 * LEAD_S)
            bench.clock.sleep(LEAD_S)
            answer(bench, record, "confirm")
            bench.clock.sleep(HOLDS_S)
            before = kinds_told(bench)
            faults.clear_all()
            record.fact(CauseGone(at_s=bench.clock.now(), annunciated=before))
            bench.clock.sleep(LEAD_S)
            answer(bench, record, "confirm")
            end_listening(bench, record, CONFIRMED)
            if self.comes == "again":
                begin_listening(bench, record, lasting_s=LEAD_S + self.due_s + CLEARED_S)
                bench.clock.sleep(LEAD_S)
                provoke(bench, record, faults, self.cause)
                end_listening(bench, record, ANEW)

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Find what sounded after each answer."""
        del metrology  # times on one clock, and no level
        more = [name for name in (MEANWHILE, ANEW) if self._records(name)]
        count = 1 + len(more)
        refuse_incomplete(taken, causes=count, faults=count, recordings=3 + len(more))
        snoozed, holding, cleared = taken.exactly(3, Answered)
        gone_s = taken.the(CauseGone).at_s
        first, again, last = (heard_in(taken, name) for name in (SNOOZED, AGAIN, CONFIRMED))
        pulses_s = [s for s in _pulse_ends_s(first) if s > snoozed.to_s]
        comes_s = next((again.begins_s(burst) for burst in again.signals), again.to_s)
        after = time_between(again, comes_s, snoozed.from_s, snoozed.to_s, unit="min")
        silenced = time_between(
            first, max(pulses_s, default=(snoozed.from_s + snoozed.to_s) / 2.0), snoozed.from_s, snoozed.to_s
        )
        silenced_quantity, after_quantity = SILENCED.of(cause=self.cause), AGAIN_AFTER.of(cause=self.cause)
        held = last.bursts(holding.to_s + OVER_S, gone_s)
        provoked = taken.exactly(count, Provoked)[1:]
        kinds = {MEANWHILE: OTHER, ANEW: COMES_ANEW}
        heard = [
            (kinds[name], heard_in(taken, name).bursts(since.from_s))
            for name, since in zip(more, provoked, strict=True)
        ]
        return Computed(
            (
                measured(silenced_quantity, silenced),
                measured(after_quantity, after),
                Measurement(HOLDING.of(cause=self.cause), float(len(held))),
                Measurement(CLEARED.of(cause=self.cause), float(len(last.bursts(cleared.to_s + OVER_S)))),
                *(Measurement(kind.of(cause=self.cause), float(len(bursts))) for kind, bursts in heard),
            ),
            {
                "alarm": numbers_of(first.sound, f"Snoozed alarm: {self.title}"),
                "alarm_again": numbers_of(again.sound, f"Alarm after its snooze: {self.title}"),
                "alarm_confirmed": numbers_of(last.sound, f"Confirmed alarm: {self.title}"),
            },
            budgets={silenced_quantity: silenced, after_quantity: after},
        )

    def _records(self, name: str) -> bool:
        return self.meanwhile is not None if name == MEANWHILE else self.comes == "again"


def _confirm_kind(bench: Bench, record: Recorder, kind: str) -> None:
    """Confirm what is annunciated of a kind, and nothing else; a pump that refuses is heard going on."""
    for each in bench.pump.annunciations():
        if each.kind == kind:
            try:
                bench.pump.confirm(each.annunciation_id)
            except RefusedError as error:
                record.step("confirm refused", reason=str(error))


def _pulse_ends_s(heard: Heard) -> list[float]:
    return [heard.from_s + pulse.end_s for burst in heard.signals for pulse in burst.pulses]

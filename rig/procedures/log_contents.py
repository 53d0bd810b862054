"""What stands in a pump's log, against what the bench did and what was weighed.

The pump's times are put on the bench's time base by comparing the clocks at the turn of the pump's second; an entry's
time is whole seconds and is taken as the middle of its second. Not responsible for limits, nor for what is done
(`log_script`).
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping, Sequence
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from rig.analysis.budget import Budget
from rig.analysis.log_match import Done, Entry, Matched, matched
from rig.procedures.between_blanks import between_blanks, scale_between_blanks
from rig.procedures.budgets import measured
from rig.procedures.log_script import (
    EPOCH,
    POLLED_FOR_S,
    RESERVOIR,
    AlarmProvoked,
    Did,
    PumpClock,
    Script,
    Weighed,
    rest_of,
)
from rig.procedures.power import weighed_over
from rig.procedures.procedure import BetweenBlanks, Computed
from rig.procedures.rest import wait_for_rest
from rig.procedures.tapped import last_number
from rig.procedures.volume import VolumeScale
from rig.record.taking import Fact, Recorder, Series, Taken, joined
from rig.roles import Bench, Capability, HistoryEvent, Metrology, require
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Quantity

REST = "rest before"
FILLED_U = 18.0
"""Little enough that the pump's state tells the reservoir in steps of 0.01 U."""
FOLLOWS = frozenset(
    {
        "bolus programmed, part 2",
        "bolus delivered, part 2",
        "annunciation, part 2",
        "operational state changed",
        "reservoir amount changed",
        "basal rate changed",
        "daily total",
    }
)
"""Entries that go with others, or say again what those say."""
FOLLOWS_WITHIN_S, APART_S = 2.0, 3.0
SECOND_S = 0.5
"""An entry's time may be so far from the middle of its second."""
PART_OF_SFLOAT_U = 0.005
"""Half of the last digit in which the reservoir is told."""

UNLOGGED = Kind(
    "log_contents.unlogged", "what was done and does not stand in the log", ("entries",), (), "Entries that it lacks."
)
UNEXPLAINED = Kind(
    "log_contents.unexplained",
    "what stands in the log and was not done",
    ("entries",),
    (),
    "Entries of nothing that the bench did or the pump showed, those that stand twice among them.",
)
DISORDER = Kind(
    "log_contents.out_of_order", "log entries out of order", ("entries",), (), "Numbered before what came earlier."
)
TIME = Kind(
    "log_contents.time_error",
    "largest error of a logged time",
    ("s",),
    (),
    "Outside of the time in which its cause was, on the bench's clock.",
)
AMOUNT = Kind(
    "log_contents.amount_error",
    "largest difference of a logged and a weighed delivery",
    ("U",),
    (),
    "Boluses whole, cancelled and interrupted, and a priming; its size.",
)
SUM = Kind(
    "log_contents.sum_less_weighed",
    "sum of logged deliveries less weighed",
    ("U",),
    (),
    "Of all boluses and the priming, whole and interrupted.",
)
DECREMENT = Kind(
    "log_contents.reservoir_less_weighed",
    "what the reservoir lost by its account less weighed",
    ("U",),
    (),
    "By the pump's state before and after.",
)
LOGGED_LATENCY = Kind(
    "log_contents.alarm_latency",
    "time from a provoked alarm to its time in the log",
    ("s",),
    (),
    "The cartridge is taken out in the middle of a bolus.",
)
SEEN_LATENCY = Kind(
    "log_contents.alarm_seen",
    "time from a provoked alarm until it is seen on the link",
    ("s",),
    (),
    "The link is read every 0.1 s; the time is known to the two readings between which it was.",
)


class LoggedEntry(BaseModel):
    """An entry: number, kind, fields, and its time by the pump's clock, in s since 2000."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: int
    kind: str
    fields: dict[str, float | int | str]
    wall_s: float


class LogHeld(Fact):
    """What the log gained; how many things were done, clocks compared and deliveries weighed; the reservoir in U."""

    entries: tuple[LoggedEntry, ...]
    done: int
    compared: int
    weighed: int
    before_u: float
    after_u: float


class LogContents(BetweenBlanks):
    """Do one of each of what a pump logs, and hold its log against what was done and weighed."""

    TABLE: ClassVar = "log_contents"
    KEYWORD: ClassVar = "Hold The Log Against What Was Done"
    KINDS: ClassVar = (
        UNLOGGED,
        UNEXPLAINED,
        DISORDER,
        TIME,
        AMOUNT,
        SUM,
        DECREMENT,
        LOGGED_LATENCY,
        SEEN_LATENCY,
    )
    EXPECTED: ClassVar = frozenset({"reservoir issue", "system issue", "bolus cancelled", "priming issue"})

    @property
    def title(self) -> str:
        """What it is called."""
        return "contents of the log"

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (
            Capability.HISTORY,
            Capability.FAST_BOLUS,
            Capability.CANCEL_BOLUS,
            Capability.NUMBERED_PROFILES,
            Capability.TEMPORARY_BASAL,
            Capability.SETTINGS,
            Capability.PRIMING,
            Capability.RESERVOIR_LEVEL,
            Capability.RESERVOIR_DETECTION,
            Capability.CLOCK,
        )

    @property
    def needed_lines(self) -> tuple[str, ...]:
        """Lines of the switch that it energises."""
        return (RESERVOIR,)

    @property
    def needed_roles(self) -> tuple[str, ...]:
        """Instruments that it uses."""
        return ("supply",)

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U, at most."""
        return 8.0

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        return tuple(kind.of() for kind in self.KINDS)

    def take(self, bench: Bench, record: Recorder) -> None:
        """Play the script and read the log."""
        log = require(bench.pump, Capability.HISTORY)

        def play() -> None:
            wait_for_rest(bench, record, REST)
            last, before_u = last_number(log), bench.pump.status().reservoir_u
            script = Script(bench, record)
            script.play()
            after_u = bench.pump.status().reservoir_u
            entries = _with_times(log.history())
            record.fact(
                LogHeld(
                    at_s=bench.clock.now(),
                    entries=tuple(entry for entry in entries if entry.number > last),
                    done=script.done,
                    compared=script.compared,
                    weighed=script.weighed,
                    before_u=before_u or 0.0,
                    after_u=after_u or 0.0,
                )
            )

        between_blanks(bench, record, rate_u_per_h=0.0, blank_s=self.blank_s, deliver=play, reservoir_u=FILLED_U)

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Match what was done with what was logged, and weigh what was delivered."""
        scale = scale_between_blanks(taken, metrology, blank_s=self.blank_s)
        held = taken.the(LogHeld)
        clocks = taken.exactly(held.compared, PumpClock)
        entries = [each for each in _on_bench(held.entries, clocks) if not _is_periodic(each)]
        done = [Done(each.kind, each.fields, each.from_s, each.to_s) for each in taken.exactly(held.done, Did)]
        found = matched(done, entries, follows=FOLLOWS, within_s=FOLLOWS_WITHIN_S, apart_s=APART_S)
        deliveries = taken.exactly(held.weighed, Weighed)
        amounts = _amounts(taken, scale, entries, deliveries)
        logged_u = sum(told_u for told_u, _ in amounts)
        total = weighed_over(scale, joined(taken.series(REST).part(slice(-1, None)), *_all_parts(taken, deliveries)))
        budgets = {
            AMOUNT.of(): _largest([weighed.linear(-1.0, offset=told_u, unit="U") for told_u, weighed in amounts]),
            SUM.of(): total.linear(-1.0, offset=logged_u, unit="U"),
            DECREMENT.of(): total.linear(-1.0, offset=held.before_u - held.after_u, unit="U").plus(
                "last digit of the reservoir's account", "B", PART_OF_SFLOAT_U / math.sqrt(1.5)
            ),
        }
        u_clock_s = max((clock.u_s for clock in clocks), default=1.0)
        return Computed(
            measured=(
                Measurement(UNLOGGED.of(), float(len(found.unlogged))),
                Measurement(UNEXPLAINED.of(), float(len(found.unexplained))),
                Measurement(DISORDER.of(), float(len(found.out_of_order))),
                Measurement(
                    TIME.of(), max((abs(each) for each in found.time_errors_s), default=0.0), SECOND_S + u_clock_s
                ),
                *_latencies(taken, entries, u_clock_s),
                *(measured(quantity, budget) for quantity, budget in budgets.items()),
            ),
            budgets=budgets,
        )


def told(found: Matched) -> list[str]:
    """Write what a log lacks and has too much, one line each."""
    lacks = [f"not logged: {each.kind} {dict(each.fields)} at {each.from_s:.0f} s" for each in found.unlogged]
    return lacks + [f"not done: entry {each.number}, {each.kind} {dict(each.fields)}" for each in found.unexplained]


def _with_times(events: list[HistoryEvent]) -> list[LoggedEntry]:
    """Give every entry its time by the pump's clock; that of a reference time is the one that it states."""
    origin = next((_stated(event) for event in events if event.kind == "reference time"), EPOCH)
    return [
        LoggedEntry(
            number=event.sequence,
            kind=event.kind,
            fields=dict(event.fields),
            wall_s=(
                (_stated(event) - EPOCH).total_seconds()
                if event.kind == "reference time"
                else (origin - EPOCH).total_seconds() + event.pump_time_s
            ),
        )
        for event in events
    ]


def _stated(event: HistoryEvent) -> datetime.datetime:
    return datetime.datetime.fromisoformat(str(event.fields["date_time"]))


def _on_bench(entries: tuple[LoggedEntry, ...], clocks: tuple[PumpClock, ...]) -> list[Entry]:
    """Put entries on the bench's time base, each by the comparison of the clocks that holds for its number."""
    return [
        Entry(entry.number, entry.kind, entry.fields, entry.wall_s + SECOND_S - _ahead_s(entry.number, clocks))
        for entry in entries
    ]


def _ahead_s(number: int, clocks: tuple[PumpClock, ...]) -> float:
    """Tell by how much the pump's clock was ahead of the bench's, in s, when an entry was written."""
    holding = [clock for clock in clocks if clock.from_number <= number] or list(clocks[:1])
    return holding[-1].wall_s - holding[-1].tick_s if holding else 0.0


def _is_periodic(entry: Entry) -> bool:
    return entry.kind == "reference time" and entry.fields.get("reason") == "periodic"


def _amounts(
    taken: Taken, scale: VolumeScale, entries: list[Entry], deliveries: Sequence[Weighed]
) -> list[tuple[float, Budget]]:
    """Pair what the log says of each delivery in U with what was weighed of it; 0 where the log says nothing."""
    pairs, before = [], taken.series(REST).part(slice(-1, None))
    for weighed in deliveries:
        rest = taken.series(rest_of(weighed.phase))
        budget = weighed_over(scale, joined(before, taken.series(weighed.phase), rest))
        pairs.append((_logged_u(entries, weighed.bolus_id), budget))
        before = rest.part(slice(-1, None))
    return pairs


def _logged_u(entries: list[Entry], bolus_id: int) -> float:
    """Add up what a log says of a bolus by its id, or of priming (0), in U."""
    kind, of = ("bolus delivered", {"bolus_id": bolus_id}) if bolus_id else ("priming done", {})
    return sum(
        float(entry.fields["delivered_u"])
        for entry in entries
        if entry.kind == kind and all(entry.fields.get(name) == value for name, value in of.items())
    )


def _all_parts(taken: Taken, deliveries: Sequence[Weighed]) -> list[Series]:
    return [taken.series(phase) for each in deliveries for phase in (each.phase, rest_of(each.phase))]


def _largest(differences: list[Budget]) -> Budget:
    largest = max(differences, key=lambda each: abs(each.value))
    return largest if largest.value >= 0.0 else largest.linear(-1.0, unit="U")


def _latencies(taken: Taken, entries: list[Entry], u_clock_s: float) -> tuple[Measurement, ...]:
    """Tell how long after it was provoked an alarm stands in the log, and was seen on the link."""
    alarm = taken.the(AlarmProvoked)
    provoked_s, u_provoked_s = (alarm.from_s + alarm.to_s) / 2.0, (alarm.to_s - alarm.from_s) / 2.0
    of: Mapping[str, str] = {"annunciation": alarm.kind, "status": "pending"}
    logged = [
        entry.at_s
        for entry in entries
        if entry.kind == "annunciation" and all(entry.fields.get(name) == value for name, value in of.items())
    ]
    latency_s = min(logged, key=lambda at_s: abs(at_s - provoked_s)) - provoked_s if logged else POLLED_FOR_S
    seen_s = POLLED_FOR_S if alarm.seen_s is None else (alarm.seen_s + alarm.unseen_s) / 2.0 - provoked_s
    u_seen_s = u_provoked_s if alarm.seen_s is None else u_provoked_s + (alarm.seen_s - alarm.unseen_s) / 2.0
    return (
        Measurement(LOGGED_LATENCY.of(), latency_s, SECOND_S + u_clock_s + u_provoked_s),
        Measurement(SEEN_LATENCY.of(), seen_s, u_seen_s),
    )

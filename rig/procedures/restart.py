"""A pump that loses its supply, or restarts, in the middle of a bolus: nothing moves, nothing resumes, nothing is lost.

Not responsible for limits, nor for restarts that nobody caused (`watch`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from rig.analysis.budget import Budget
from rig.errors import RefusedError
from rig.procedures.between_blanks import between_blanks, scale_between_blanks
from rig.procedures.bounds import Rate, Size, lasting
from rig.procedures.budgets import measured
from rig.procedures.parameters import BY, OFF
from rig.procedures.power import (
    commanded,
    confirm_what_is_shown,
    pass_over,
    put_battery_in,
    shown_kinds,
    take_battery_out,
    weighed_over,
)
from rig.procedures.preparation import start_therapy
from rig.procedures.procedure import BetweenBlanks, Computed
from rig.procedures.rest import SAMPLE_EVERY_S, wait_for_rest
from rig.procedures.sampling import sample_for
from rig.procedures.watch import RESET
from rig.record.taking import Fact, Recorder, Taken, joined
from rig.roles import Bench, Capability, HistoryEvent, KeepsSettings, Metrology, require
from rig.therapy import BasalSegment, Setting, TherapyState
from rig.toml_files import TimeS
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Quantity

EARLIER, BOLUS, OFF_PHASE, AFTER, AGAIN = "earlier bolus", "bolus", "without supply", "after the restart", "run again"
REST, LAST_REST = "rest before therapy", "rest at the end"
EARLIER_U, EARLIER_TAKES_S = 3.0, 145.0
"""A bolus before the one that is interrupted, so that there is insulin on board and a total to keep; with its tail."""
MAX_HOUR_U = 6.0
"""Set while it is measured: what came before the restart and what comes after it do not both fit into an hour."""
AGAIN_TAKES_S = 300.0
ACTION_MIN = 240.0
"""Duration of insulin action that is set while it is measured; insulin on board then fades along a line."""
FADING_S, SHORT_S = 60.0, 120.0
"""Without supply for less than the second, nothing is weighed apart; the line's tail is over after the first."""

WHILE_OFF = Kind(
    "restart.delivered_while_off",
    "delivered without supply, for {off}",
    ("U",),
    (OFF,),
    "Weighed from a minute after the supply was taken away.",
)
DELIVERED_AFTER = Kind(
    "restart.delivered_after",
    "delivered after a restart by {by}, {off} without supply",
    ("U",),
    (BY, OFF),
    "Nobody has told the pump to run: neither bolus nor basal insulin may come.",
)
LOGGED = Kind(
    "restart.logged_less_weighed",
    "logged less weighed amount of a bolus that a restart by {by} interrupted, {off} without supply",
    ("U",),
    (BY, OFF),
    "What the pump's log says of it, less what was weighed.",
)
ON_BOARD = Kind(
    "restart.on_board_error",
    "error of the insulin on board after a restart by {by}, {off} without supply",
    ("U",),
    (BY, OFF),
    "What the pump tells, less what is left of the weighed boluses by then.",
)
HOUR = Kind(
    "restart.hour_error",
    "delivered in the hour around a restart by {by}, {off} without supply, less its maximum",
    ("U",),
    (BY, OFF),
    "A bolus follows that would exceed the hour's maximum; the pump stops there if it knows what it gave before.",
)
CHANGED = Kind(
    "restart.changed_settings",
    "settings and profiles that a restart by {by} changed, {off} without supply",
    ("settings",),
    (BY, OFF),
    "Each setting and the basal profile, read before and after.",
)
LOST = Kind(
    "restart.log_faults",
    "log entries lost or amiss around a restart by {by}, {off} without supply",
    ("entries",),
    (BY, OFF),
    "Entries that changed or are gone, gaps in the numbers, and restarts logged more or less often than once.",
)
SILENT = Kind(
    "restart.unannounced",
    "restarts that the pump did not annunciate, {off} without supply",
    ("restarts",),
    (OFF,),
    "Nothing new was shown after it.",
)


class Interrupted(Fact):
    """What was read around a restart: what the log tells of the bolus in U, insulin on board, and what changed."""

    earlier_s: float
    bolus_s: float
    interrupted_s: float
    asked_on_board_s: float
    logged_u: float
    on_board_u: float
    runs: bool
    annunciated: tuple[str, ...]
    changed: tuple[str, ...]
    log_faults: tuple[str, ...]


class Restart(BetweenBlanks):
    """Give a bolus, interrupt the next one by a restart, and weigh and read what comes of it."""

    TABLE: ClassVar = "restart"
    KEYWORD: ClassVar = "Restart In The Middle Of A Bolus"
    IN_WORDS: ClassVar = "a restart by {title}"
    KINDS: ClassVar = (WHILE_OFF, DELIVERED_AFTER, LOGGED, ON_BOARD, HOUR, CHANGED, LOST, SILENT)
    EXPECTED: ClassVar = frozenset({"system issue", "bolus cancelled", "maximum delivery", "date and time issue"})

    by: Literal["supply", "command"]
    off_s: Annotated[TimeS, lasting("0 s", "25 min"), Field(alias="off")] = 0.0
    size_u: Annotated[Size, Field(alias="size")] = 4.0
    after_s: Annotated[TimeS, lasting("1 s", "1 min"), Field(alias="after")] = 20.0
    rate_u_per_h: Annotated[Rate, Field(alias="rate")] = 0.5
    watch_s: Annotated[TimeS, lasting("5 min", "25 min"), Field(alias="watch")] = 900.0

    @property
    def title(self) -> str:
        """What tells it from others: by what, and how long it had no supply."""
        return f"{self.by}, {self.off_s:g} s without supply"

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        needs = (
            Capability.FAST_BOLUS,
            Capability.NUMBERED_PROFILES,
            Capability.HISTORY,
            Capability.SETTINGS,
            Capability.INSULIN_ON_BOARD,
        )
        return (*needs, Capability.RESTART) if self.by == "command" else needs

    @property
    def needed_roles(self) -> tuple[str, ...]:
        """Instruments that it uses."""
        return ("supply",) if self.by == "supply" else ()

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U, at most."""
        return EARLIER_U + 2.0 * self.size_u + 1.0

    @property
    def _weighs_off(self) -> bool:
        return self.by == "supply" and self.off_s >= SHORT_S

    def _of(self, kind: Kind) -> Quantity:
        """Name a quantity of this restart."""
        return kind.of(by=self.by, off=self.off_s)

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        named = tuple(self._of(kind) for kind in (DELIVERED_AFTER, LOGGED, ON_BOARD, HOUR, CHANGED, LOST))
        silent = (SILENT.of(off=self.off_s),) if self.by == "supply" else ()
        return (*((WHILE_OFF.of(off=self.off_s),) if self._weighs_off else ()), *named, *silent)

    @property
    def extent(self) -> Mapping[str, float]:
        """How long it weighs after the restart, in s."""
        return {"analysis": self.watch_s}

    def take(self, bench: Bench, record: Recorder) -> None:
        """Give the boluses, interrupt the second, and read what the pump kept."""
        settings = require(bench.pump, Capability.SETTINGS)
        kept = {each: settings.setting(each) for each in _SET}

        def deliver() -> None:
            for each, value in _SET.items():
                settings.set_setting(each, value)
            self._interrupt(bench, record)

        try:
            between_blanks(bench, record, rate_u_per_h=self.rate_u_per_h, blank_s=self.blank_s, deliver=deliver)
        finally:
            for each, value in kept.items():
                settings.set_setting(each, value)

    def _interrupt(self, bench: Bench, record: Recorder) -> None:
        pump, log = require(bench.pump, Capability.FAST_BOLUS), require(bench.pump, Capability.HISTORY)
        wait_for_rest(bench, record, REST)
        start_therapy(bench, record)
        earlier_s = bench.clock.now()
        commanded(record, lambda: pump.bolus(EARLIER_U))
        sample_for(bench, record, EARLIER, duration_s=EARLIER_TAKES_S, every_s=SAMPLE_EVERY_S)
        state, entries = _settings_of(bench), log.history()
        told = {(each.annunciation_id, each.kind) for each in bench.pump.annunciations()}
        bolus_s = bench.clock.now()
        second = commanded(record, lambda: pump.bolus(self.size_u))
        sample_for(bench, record, BOLUS, duration_s=self.after_s, every_s=SAMPLE_EVERY_S)
        interrupted_s = bench.clock.now()
        runs = self._restart(bench, record)
        annunciated = tuple(each.kind for each in shown_kinds(bench) if (each.annunciation_id, each.kind) not in told)
        asked_s = bench.clock.now()
        on_board_u = require(bench.pump, Capability.INSULIN_ON_BOARD).insulin_on_board().insulin_u
        now = log.history()
        record.fact(
            Interrupted(
                at_s=bench.clock.now(),
                earlier_s=earlier_s,
                bolus_s=bolus_s,
                interrupted_s=interrupted_s,
                asked_on_board_s=asked_s,
                logged_u=_logged_u(now, second),
                on_board_u=on_board_u,
                runs=runs,
                annunciated=annunciated,
                changed=_differing(state, _settings_of(bench)),
                log_faults=log_faults(entries, now),
            )
        )
        sample_for(bench, record, AFTER, duration_s=self.watch_s, every_s=SAMPLE_EVERY_S)
        self._run_again(bench, record)

    def _restart(self, bench: Bench, record: Recorder) -> bool:
        """Restart the pump, and say whether its therapy runs afterwards."""
        if self.by == "command":
            bench.pump.stop()
            require(bench.pump, Capability.RESTART).restart()
            pass_over(bench)
            record.step("restarted by command")
            sample_for(bench, record, OFF_PHASE, duration_s=FADING_S, every_s=SAMPLE_EVERY_S)
            return bench.pump.status().therapy is TherapyState.RUN
        take_battery_out(bench, record)
        if self._weighs_off:
            sample_for(bench, record, BOLUS, duration_s=FADING_S, every_s=SAMPLE_EVERY_S)
            sample_for(bench, record, OFF_PHASE, duration_s=self.off_s - FADING_S, every_s=SAMPLE_EVERY_S)
        else:
            bench.clock.sleep(self.off_s)
        status = put_battery_in(bench, record)
        if not self._weighs_off:
            sample_for(bench, record, OFF_PHASE, duration_s=FADING_S, every_s=SAMPLE_EVERY_S)
        return status.therapy is TherapyState.RUN

    def _run_again(self, bench: Bench, record: Recorder) -> None:
        """Tell the pump to run, as a person would who has read its annunciations; ask for more than the hour has."""
        confirm_what_is_shown(bench, record)
        try:
            bench.pump.run()
            require(bench.pump, Capability.FAST_BOLUS).bolus(self.size_u)
        except RefusedError as error:
            record.step("bolus refused", reason=str(error))
        sample_for(bench, record, AGAIN, duration_s=AGAIN_TAKES_S, every_s=SAMPLE_EVERY_S)
        bench.pump.stop()
        wait_for_rest(bench, record, LAST_REST)

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Weigh the parts, and hold log, account and settings against them."""
        scale = scale_between_blanks(taken, metrology, blank_s=self.blank_s)
        fact = taken.the(Interrupted)
        start = taken.series(REST).part(slice(-1, None))
        earlier, bolus, off = (taken.series(phase) for phase in (EARLIER, BOLUS, OFF_PHASE))
        after, again, rest = (taken.series(phase) for phase in (AFTER, AGAIN, LAST_REST))
        first = weighed_over(scale, joined(start, earlier))
        second = weighed_over(scale, joined(earlier.part(slice(-1, None)), bolus, off))
        budgets = {
            self._of(DELIVERED_AFTER): weighed_over(scale, after),
            self._of(LOGGED): second.linear(-1.0, offset=fact.logged_u, unit="U"),
            self._of(ON_BOARD): _on_board_error(fact, first, second),
            self._of(HOUR): weighed_over(scale, joined(start, earlier, bolus, off, after, again, rest)).linear(
                1.0, offset=-MAX_HOUR_U, unit="U"
            ),
        }
        if self._weighs_off:
            budgets[WHILE_OFF.of(off=self.off_s)] = weighed_over(scale, off)
        counts = {self._of(CHANGED): len(fact.changed), self._of(LOST): len(fact.log_faults)}
        if self.by == "supply":
            counts[SILENT.of(off=self.off_s)] = int(not fact.annunciated)
        return Computed(
            measured=(
                *(measured(quantity, budget) for quantity, budget in budgets.items()),
                *(Measurement(quantity, float(count)) for quantity, count in counts.items()),
            ),
            budgets=budgets,
        )


_SET: Mapping[Setting, float] = {
    Setting.MAX_HOUR_U: MAX_HOUR_U,
    Setting.INSULIN_ACTION_MIN: ACTION_MIN,
    Setting.CURVILINEAR_ON_BOARD: 0.0,
    Setting.MAX_BOLUS_U: 20.0,
    Setting.RESERVOIR_LOW_U: 15.0,
    Setting.SNOOZE_MIN: 7.0,
}
"""What is set before: values that no pump begins with, so that one which forgets them shows it."""


def _settings_of(bench: Bench) -> dict[str, float | tuple[BasalSegment, ...] | None]:
    """Read every setting that the pump has, and its basal profile; None for what it refuses to tell."""
    settings = require(bench.pump, Capability.SETTINGS)
    found: dict[str, float | tuple[BasalSegment, ...] | None] = {}
    for each in Setting:
        found[each.value] = _setting(settings, each)
    try:
        profile = require(bench.pump, Capability.NUMBERED_PROFILES).read_basal_profile(1)
        found["basal profile"] = tuple(profile)
    except RefusedError:
        found["basal profile"] = None
    return found


def _setting(settings: KeepsSettings, which: Setting) -> float | None:
    try:
        return settings.setting(which)
    except RefusedError:
        return None


def _differing(before: Mapping[str, object], after: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(name for name, value in before.items() if after.get(name) != value)


def _logged_u(log: list[HistoryEvent], bolus_id: int) -> float:
    """Add up what a log says was delivered of a bolus, in U; told twice, it counts twice."""
    return sum(
        float(event.fields["delivered_u"])
        for event in log
        if event.kind == "bolus delivered" and event.fields.get("bolus_id") == bolus_id
    )


def log_faults(before: list[HistoryEvent], after: list[HistoryEvent]) -> tuple[str, ...]:
    """List what a restart did to a log: entries that are gone or differ, gaps, and restarts not logged once."""
    now = {event.sequence: event for event in after}
    numbers = sorted(now)
    first = numbers[0] if numbers else 0
    faults = [
        f"entry {event.sequence} ({event.kind}) is gone or differs"
        for event in before
        if event.sequence >= first and (now.get(event.sequence) is None or now[event.sequence].kind != event.kind)
    ]
    if before and numbers and numbers[-1] < before[-1].sequence:
        faults.append("its numbers began anew")
    faults += [
        f"entry {number} is missing" for number in range(first, numbers[-1] if numbers else 0) if number not in now
    ]
    last = before[-1].sequence if before else -1
    resets = sum(event.kind == RESET for event in after if event.sequence > last)
    if resets != 1:
        faults.append(f"{resets} restarts are logged")
    return tuple(faults)


def _on_board_error(fact: Interrupted, first: Budget, second: Budget) -> Budget:
    """Write the budget in U of what the pump says is on board, less what is left of the weighed boluses.

    Each fades along a line over `ACTION_MIN`, reckoned from the middle of its delivery.
    """
    minutes = ACTION_MIN * 60.0
    shares = [
        max(0.0, 1.0 - (fact.asked_on_board_s - middle_s) / minutes)
        for middle_s in (
            fact.earlier_s + 0.5 * min(EARLIER_TAKES_S, fact.bolus_s - fact.earlier_s),
            0.5 * (fact.bolus_s + fact.interrupted_s),
        )
    ]
    left_u = first.value * shares[0] + second.value * shares[1]
    return first.linear(-shares[0], offset=fact.on_board_u - left_u + first.value * shares[0], unit="U")

"""The script by which a pump's log is tried: what the bench does, step by step, each with the entry that it must leave.

A step is written down with the time in which it happened on the bench's clock. The pump's clock is compared with the
bench's at its own second's turn, anew whenever the pump restarted or was set. Not responsible for what the log says of
it (`log_contents`).
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from functools import partial

from rig.errors import DeviceError, RefusedError
from rig.procedures.power import commanded, put_battery_in, take_battery_out
from rig.procedures.rest import SAMPLE_EVERY_S, wait_for_rest
from rig.procedures.sampling import sample_for
from rig.procedures.tapped import last_number
from rig.procedures.watch import RESET, WatchedBench
from rig.record.taking import Fact, Recorder
from rig.roles import Bench, Capability, require
from rig.therapy import BasalSegment, Setting, TemporaryRate, TherapyState

EPOCH = datetime.datetime(2000, 1, 1)
RESERVOIR = "reservoir"
"""The line of the switch that takes the cartridge out."""
POLL_S, POLLED_FOR_S = 0.1, 20.0
TICK_EVERY_S, TICK_WITHIN_S = 0.02, 3.0
BOLUS_TAKES_S, STOPPED_AFTER_S = 60.0, 10.0
ATTENDED_AT_MOST = 10
RESERVOIR_LOW_U = 5.0
OFF_S, RESTART_WITHIN_S = 5.0, 30.0
"""Without supply; and the time after it in which what the restart leaves in the log may stand."""


class Did(Fact):
    """Something that the bench did or the pump showed, and the entry that its log must have of it."""

    kind: str
    fields: dict[str, float | int | str]
    from_s: float
    to_s: float


class PumpClock(Fact):
    """The pump's clock turned to `wall_s` (since 2000) at `tick_s` ± `u_s` of the bench's; holds from an entry on."""

    from_number: int
    wall_s: float
    tick_s: float
    u_s: float


class Weighed(Fact):
    """An amount that was delivered under a phase, until its rest: a bolus by its id, or a priming (0)."""

    phase: str
    bolus_id: int


class AlarmProvoked(Fact):
    """An alarm that was provoked from `from_s` to `to_s`, unseen at `unseen_s`, seen at `seen_s`; None: never."""

    kind: str
    from_s: float
    to_s: float
    unseen_s: float
    seen_s: float | None


def rest_of(phase: str) -> str:
    """Name the rest after a delivery."""
    return f"rest after {phase}"


class Script:
    """Does what the log is tried by; `play` does all of it.

    Attributes:
        done, compared, weighed: how many facts of each kind were written down.
    """

    def __init__(self, bench: Bench, record: Recorder) -> None:
        self._bench, self._record = bench, record
        self._log = require(bench.pump, Capability.HISTORY)
        self._fast = require(bench.pump, Capability.FAST_BOLUS)
        self._settings = require(bench.pump, Capability.SETTINGS)
        self.done = self.compared = self.weighed = 0

    def play(self) -> None:
        """Do every step."""
        self.compare_clocks(last_number(self._log) + 1)
        self._set(Setting.RESERVOIR_LOW_U, RESERVOIR_LOW_U)
        self._set(Setting.SNOOZE_MIN, 7.0)
        self._profile()
        self._therapy(TherapyState.RUN)
        self._bolus("bolus", 1.0)
        self._cancelled()
        self._temporary()
        self._refused()
        self._therapy(TherapyState.PAUSE)
        self._therapy(TherapyState.RUN)
        self._reservoir_out()
        self._primed()
        self._therapy(TherapyState.RUN)
        self._power_lost()
        self._clock_set()
        self._restarted()

    # ---- writing down --------------------------------------------------------------------------------------

    def _now(self) -> float:
        return self._bench.clock.now()

    def _did(self, kind: str, from_s: float, **fields: float | int | str) -> None:
        """Keep what was done from a moment until now."""
        now_s = self._now()
        self.done += 1
        self._record.fact(Did(at_s=now_s, kind=kind, fields=fields, from_s=from_s, to_s=now_s))

    def _do(self, command: Callable[[], object], kind: str, **fields: float | int | str) -> None:
        """Give a command that must leave an entry; one that the pump refuses has none."""
        from_s = self._now()
        try:
            command()
        except RefusedError as error:
            self._record.step("refused", reason=str(error))
            return
        self._did(kind, from_s, **fields)

    def compare_clocks(self, from_number: int) -> None:
        """Compare the pump's clock with the bench's at the turn of its second; it holds from an entry on."""
        if Capability.CLOCK not in self._bench.pump.capabilities:
            return
        clock = require(self._bench.pump, Capability.CLOCK)
        begun_s, before_s, before = self._now(), self._now(), clock.clock()
        now = before
        while now == before and self._now() < begun_s + TICK_WITHIN_S:
            self._bench.clock.sleep(TICK_EVERY_S)
            before_s = self._now()
            now = clock.clock()
        after_s = self._now()
        self.compared += 1
        self._record.fact(
            PumpClock(
                at_s=after_s,
                from_number=from_number,
                wall_s=(now - EPOCH).total_seconds(),
                tick_s=(before_s - TICK_EVERY_S + after_s) / 2.0,
                u_s=(after_s - before_s + TICK_EVERY_S) / 2.0,
            )
        )

    # ---- steps ---------------------------------------------------------------------------------------------

    def _set(self, setting: Setting, value: float) -> None:
        if self._settings.setting(setting) == value:
            return
        scale = 1000.0 if setting is Setting.RESERVOIR_LOW_U else 1.0  # as the log has it, in mU
        self._do(lambda: self._settings.set_setting(setting, value), "setting changed", new=value * scale)

    def _profile(self) -> None:
        """Write and activate a second profile of no delivery, and the first one again."""
        profiles = require(self._bench.pump, Capability.NUMBERED_PROFILES)
        blocks = [BasalSegment(720, 0.0), BasalSegment(720, 0.0)]
        from_s = self._now()
        profiles.write_basal_profile(2, blocks)
        for number in (1, 2):
            self._did("basal profile block", from_s, template=2, block=number, duration_min=720)
        self._do(lambda: profiles.activate_basal_profile(2), "profile activated", new_template=2)
        self._do(lambda: profiles.activate_basal_profile(1), "profile activated", new_template=1)

    def _therapy(self, wanted: TherapyState) -> None:
        pump = self._bench.pump
        now = pump.status().therapy
        command = {TherapyState.RUN: pump.run, TherapyState.PAUSE: pump.pause, TherapyState.STOP: pump.stop}[wanted]
        if now is not wanted:
            self._do(command, "therapy changed", old=now.value, new=wanted.value)

    def _begin(self, phase: str, size_u: float) -> tuple[int, float]:
        """Command a bolus, and return its id and since when it runs; one that is refused is missed in the log."""
        from_s = self._now()
        bolus_id = commanded(self._record, lambda: self._fast.bolus(size_u))
        self._did("bolus programmed", from_s, bolus_id=bolus_id, programmed_u=size_u)
        self._record.step("bolus", bolus_id=bolus_id, insulin_u=size_u)
        self._weigh(phase, bolus_id)
        return bolus_id, from_s

    def _weigh(self, phase: str, bolus_id: int) -> None:
        self.weighed += 1
        self._record.fact(Weighed(at_s=self._now(), phase=phase, bolus_id=bolus_id))

    def _sample(self, phase: str, duration_s: float) -> None:
        sample_for(self._bench, self._record, phase, duration_s=duration_s, every_s=SAMPLE_EVERY_S)

    def _rest(self, phase: str) -> None:
        wait_for_rest(self._bench, self._record, rest_of(phase))

    def _bolus(self, phase: str, size_u: float) -> None:
        bolus_id, from_s = self._begin(phase, size_u)
        self._sample(phase, BOLUS_TAKES_S)
        self._did("bolus delivered", from_s, bolus_id=bolus_id)
        self._rest(phase)

    def _cancelled(self) -> None:
        phase = "cancelled bolus"
        bolus_id, _ = self._begin(phase, 2.0)
        self._sample(phase, STOPPED_AFTER_S)
        cancelling = require(self._bench.pump, Capability.CANCEL_BOLUS)
        self._do(lambda: cancelling.cancel_bolus(bolus_id), "bolus delivered", bolus_id=bolus_id)
        self._sample(phase, STOPPED_AFTER_S)
        self._rest(phase)

    def _temporary(self) -> None:
        temporary = require(self._bench.pump, Capability.TEMPORARY_BASAL)
        rate = TemporaryRate(15, rate_u_per_h=1.0)
        self._do(
            lambda: temporary.set_temporary_rate(rate), "temporary rate started", rate_u_per_h=1.0, duration_min=15
        )
        self._bench.clock.sleep(STOPPED_AFTER_S)
        self._do(temporary.cancel_temporary_rate, "temporary rate ended", end_reason="cancelled")

    def _refused(self) -> None:
        """Command a bolus above the maximum: what is refused stands in the log, too."""
        from_s = self._now()
        try:
            self._fast.bolus(self._settings.setting(Setting.MAX_BOLUS_U) + 5.0)
        except RefusedError:
            self._did("command refused", from_s)

    def _attend(self, since_s: float) -> None:
        """Confirm what is annunciated since a moment, one by one; showing and confirming leave an entry each."""
        for _ in range(ATTENDED_AT_MOST):
            shown = self._bench.pump.annunciations()
            if not shown:
                return
            one = shown[0]
            told: dict[str, float | int | str] = {"annunciation_id": one.annunciation_id, "annunciation": one.kind}
            self._did("annunciation", since_s, **told, status="pending")
            self._do(
                partial(self._bench.pump.confirm, one.annunciation_id),
                "annunciation",
                **told,
                status="confirmed",
            )

    def _reservoir_out(self) -> None:
        """Take the cartridge out in the middle of a bolus, see when that is alarmed, and put it back."""
        phase = "bolus without reservoir"
        bolus_id, _ = self._begin(phase, 2.0)
        self._sample(phase, STOPPED_AFTER_S)
        from_s = self._now()
        self._bench.switch.set_line(RESERVOIR, energised=True)
        to_s, unseen_s, seen_s, kind = self._now(), from_s, None, ""
        while seen_s is None and self._now() < to_s + POLLED_FOR_S:
            asked_s = self._now()
            for each in self._bench.pump.annunciations():
                seen_s, kind = self._now(), each.kind
            if seen_s is None:
                unseen_s = asked_s
                self._bench.clock.sleep(POLL_S)
        self._record.fact(
            AlarmProvoked(at_s=self._now(), kind=kind, from_s=from_s, to_s=to_s, unseen_s=unseen_s, seen_s=seen_s)
        )
        self._did("bolus delivered", from_s, bolus_id=bolus_id)
        self._did("therapy changed", from_s, old="run", new="stop")
        self._bench.switch.set_line(RESERVOIR, energised=False)
        self._sample(phase, STOPPED_AFTER_S)
        self._snoozed()
        self._attend(from_s)
        self._rest(phase)

    def _snoozed(self) -> None:
        shown = self._bench.pump.annunciations()
        if shown and Capability.SNOOZE in self._bench.pump.capabilities:
            number = shown[0].annunciation_id
            snoozing = require(self._bench.pump, Capability.SNOOZE)
            self._do(
                lambda: snoozing.snooze(number), "annunciation", annunciation=shown[0].kind, annunciation_id=number,
                status="snoozed",
            )  # fmt: skip

    def _primed(self) -> None:
        phase = "priming"
        priming = require(self._bench.pump, Capability.PRIMING)
        from_s = self._now()
        self._do(lambda: priming.prime(1.0), "priming started", programmed_u=1.0)
        self._weigh(phase, 0)
        self._sample(phase, BOLUS_TAKES_S)
        self._did("priming done", from_s)
        self._rest(phase)

    def _power_lost(self) -> None:
        phase = "bolus without power"
        bolus_id, _ = self._begin(phase, 2.0)
        self._sample(phase, STOPPED_AFTER_S)
        last = last_number(self._log)
        take_battery_out(self._bench, self._record)
        self._bench.clock.sleep(OFF_S)
        from_s = self._now()
        put_battery_in(self._bench, self._record)
        self._compare_after(last)
        self._did(RESET, from_s)
        self._did("bolus delivered", from_s, bolus_id=bolus_id)
        self._did("therapy changed", from_s, old="run", new="stop")
        self._attend(from_s)
        self._sample(phase, STOPPED_AFTER_S)
        self._rest(phase)

    def _compare_after(self, last: int) -> None:
        """Compare the clocks for what stands in the log after an entry."""
        self.compare_clocks(last + 1)

    def _clock_set(self) -> None:
        """Set the clock an hour ahead, change a setting, and set it back."""
        if Capability.CLOCK not in self._bench.pump.capabilities:
            return
        clock = require(self._bench.pump, Capability.CLOCK)
        hour = datetime.timedelta(hours=1)
        for ahead, snooze_min in ((hour, 8.0), (-hour, 9.0)):
            last = last_number(self._log)
            from_s = self._now()
            wanted = clock.clock() + ahead
            clock.set_clock(wanted)
            self._did("reference time", from_s, reason="set")
            self._compare_after(last)
            self._set(Setting.SNOOZE_MIN, snooze_min)

    def _restarted(self) -> None:
        if Capability.RESTART not in self._bench.pump.capabilities:
            return
        self._therapy(TherapyState.STOP)
        last = last_number(self._log)
        from_s = self._now()
        try:
            require(self._bench.pump, Capability.RESTART).restart()
        except DeviceError as error:
            self._record.step("restart refused", reason=str(error))
            return
        if isinstance(self._bench, WatchedBench):
            self._bench.watch.passed_over()
        self._did(RESET, from_s)
        self._compare_after(last)
        self._attend(from_s)

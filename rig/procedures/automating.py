"""A controller that commands a pump while a bench weighs, in a situation that is written out to the minute.

Not responsible for the situations (`automation_situations`), nor for what is computed of them (`automation`).
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np

from rig.loop.accepted import Accepted, Known, Read
from rig.loop.controllers import NOTHING, PERIOD_MIN, Controller, Seen
from rig.procedures.alive import LoopBegan, SensorRead
from rig.procedures.answers import ask_for_bolus, ask_pump
from rig.procedures.automation_situations import BOLUS_U, Happens, Situation
from rig.procedures.begun_anew import accepted_by_log
from rig.procedures.commanding import PumpCommander
from rig.procedures.power import confirm_what_is_shown, put_battery_in, take_battery_out
from rig.procedures.sampling import Sample
from rig.procedures.tapped import reached, tapped
from rig.procedures.watch import WatchedBench
from rig.record.taking import Fact, Recorder
from rig.roles import Bench, Capability, require

SET_BACK = datetime.timedelta(hours=3)


class BolusBeside(Fact):
    """A person gave a bolus beside the automation, at a minute of the loop, in U; refused where the pump took none."""

    at_min: int
    insulin_u: float
    refused: bool


class AutomatedDelivery:
    """Sensor, controller and pump, and whatever happens to them, at each reading of the balance."""

    def __init__(
        self,
        situation: Situation,
        controller: Callable[[Known], Controller],
        bench: Bench,
        record: Recorder,
        *,
        rate_u_per_h: float,
    ) -> None:
        self._situation, self._make, self._bench, self._record = situation, controller, bench, record
        self._rate_u_per_h = rate_u_per_h
        self._controller = controller(NOTHING)
        self._commander = PumpCommander(bench, record)
        self._read: list[Read] = []
        self._due = list(situation.happens)
        self._silent = ExitStack()
        self._is_silent = False
        self._first_s: float | None = None
        self._decided = -1
        self._log = require(bench.pump, Capability.HISTORY)
        self._seen_entry = max((each.sequence for each in self._log.history()), default=-1)
        self._totals = require(bench.pump, Capability.DAILY_TOTAL)
        self._bolus_u = self._totals.daily_total().bolus_u

    def sampled(self, sample: Sample) -> bool:
        """Do what is due at a reading; it never ends the loop."""
        if self._first_s is None:
            self._first_s = sample.at_s
            self._record.fact(LoopBegan(at_s=sample.at_s, rate_u_per_h=self._rate_u_per_h))
        minute = round((sample.at_s - self._first_s) / 60.0)
        while self._due and self._due[0][0] <= minute:
            self._happen(minute, self._due.pop(0)[1])
        period = minute // PERIOD_MIN
        if period > self._decided and minute < self._situation.minutes:
            self._decided = period
            self._decide(minute, float(self._situation.shown_mg_per_dl[period]))
        return False

    def end(self) -> None:
        """Give the line back, and end the controller."""
        self._silent.close()
        self._controller.close()

    def _decide(self, minute: int, shown_mg_per_dl: float) -> None:
        glucose = None if np.isnan(shown_mg_per_dl) else shown_mg_per_dl
        self._record.fact(SensorRead(at_s=self._bench.clock.now(), at_min=minute, shown_mg_per_dl=glucose))
        if glucose is not None:
            self._read.append(Read(minute, glucose))
        for given in self._given_beside(minute):
            self._controller.told(given)
        for accepted in self._commander.tell(minute, self._controller.decide(Seen(minute, glucose, 0.0))):
            self._controller.told(accepted)

    def _given_beside(self, minute: int) -> list[Accepted]:
        """Read in the pump's log which boluses others have programmed, where its total of boluses has changed."""
        if self._is_silent:
            return []
        bolus_u = self._totals.daily_total().bolus_u
        if bolus_u == self._bolus_u:
            return []
        self._bolus_u = bolus_u
        entries = self._log.history(since=self._seen_entry + 1)
        self._seen_entry = max((each.sequence for each in entries), default=self._seen_entry)
        return [
            Accepted(minute, bolus_u=float(each.fields["programmed_u"]))
            for each in entries
            if each.kind == "bolus programmed" and each.fields.get("bolus_id") not in self._commander.boluses
        ]

    def _happen(self, minute: int, what: Happens) -> None:
        self._record.step(what, at_min=minute)
        happenings: dict[Happens, Callable[[int], None]] = {
            "bolus": self._give_bolus,
            "clock is set back by 3 h": self._set_clock_back,
            "link is lost": self._lose_link,
            "link is back": self._find_link,
            "controller restarts": self._restart_controller,
            "supply off": self._switch_off,
            "supply on": self._switch_on,
            "a person starts therapy": self._start_therapy,
        }
        happenings[what](minute)

    def _give_bolus(self, minute: int) -> None:
        given = ask_for_bolus(self._bench, self._record, BOLUS_U, "a person's bolus")
        self._record.fact(
            BolusBeside(at_s=self._bench.clock.now(), at_min=minute, insulin_u=BOLUS_U, refused=given is None)
        )

    def _set_clock_back(self, _: int) -> None:
        clock = require(self._bench.pump, Capability.CLOCK)
        clock.set_clock(clock.clock() - SET_BACK)

    def _lose_link(self, _: int) -> None:
        self._fall_silent()
        self._silent.enter_context(tapped(self._bench).line_tap().mute())

    def _find_link(self, _: int) -> None:
        self._silent.close()
        self._is_silent = False
        self._record.step("link back", answers=reached(self._bench, self._record))

    def _restart_controller(self, minute: int) -> None:
        """Begin the controller anew: it knows what the sensor showed, and what the pump's log says."""
        self._controller.close()
        self._commander.forget()
        self._seen_entry = max((each.sequence for each in self._log.history()), default=-1)
        known = Known(minute, tuple(self._read), accepted_by_log(self._bench, minute))
        self._controller = self._make(known)
        self._record.step("controller begun anew", accepted=len(known.accepted))

    def _switch_off(self, _: int) -> None:
        take_battery_out(self._bench, self._record)
        self._fall_silent()

    def _switch_on(self, _: int) -> None:
        self._silent.close()
        self._is_silent = False
        put_battery_in(self._bench, self._record)

    def _start_therapy(self, _: int) -> None:
        confirm_what_is_shown(self._bench, self._record)
        ask_pump(self._bench, self._record, "therapy", self._bench.pump.run)

    def _fall_silent(self) -> None:
        """From here on the rig itself keeps the pump from answering; nobody holds that against it."""
        self._is_silent = True
        self._silent = ExitStack()
        self._silent.enter_context(self._commander.silenced())
        watched: Any = self._bench
        if isinstance(watched, WatchedBench):
            self._silent.enter_context(watched.watch.left_alone())

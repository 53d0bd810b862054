"""A virtual person while a bench measures: he gets what is weighed, his sensor is read, his controller tells the pump.

Not responsible for what is computed of it afterwards (`loop`).
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from rig.analysis.checks import FloatArray
from rig.loop.accepted import Known, Read
from rig.loop.choice import CONTROLLERS
from rig.loop.controllers import NOTHING, PERIOD_MIN, Controller, ControllerSettings, Seen
from rig.loop.living import Living
from rig.loop.persons import person_named
from rig.patient import cgm
from rig.patient.conditions import BodyConditions
from rig.patient.sensor_faults import SensorFault, shown_with_faults
from rig.procedures.begun_anew import accepted_by_log
from rig.procedures.commanding import PumpCommander
from rig.procedures.sampling import Sample, read_air, series_of
from rig.procedures.sensor_link import SensorLink
from rig.procedures.volume import VolumeScale
from rig.record.taking import Fact, Recorder, Series
from rig.roles import Bench, LinkFault
from rig.therapy import BolusRequest

LOOP = "loop"
"""The phase under which the weighings are kept that a person lives on."""


class LoopBegan(Fact):
    """The person's minute 0: the first weighing of the loop, and the profile's rate in U/h."""

    rate_u_per_h: float


class SensorRead(Fact):
    """What the sensor showed at a minute, in mg/dL; None: nothing. And what came over the link, where there is one."""

    at_min: int
    shown_mg_per_dl: float | None
    over_link: bool = False
    received_mg_per_dl: float | None = None

    @property
    def seen_mg_per_dl(self) -> float | None:
        """What the controller was given: what came over the link, or what was shown where there is none."""
        return self.received_mg_per_dl if self.over_link else self.shown_mg_per_dl


class ControllerFailed(Fact):
    """At a minute the controller could not decide, and so wanted nothing: why, in one sentence."""

    at_min: int
    why: str


class ControllerBegun(Fact):
    """The controller was begun anew at a minute, with as many readings and commands as sensor and pump told."""

    at_min: int
    readings: int
    accepted: int


class LivedThrough(Protocol):
    """What a loop says of person, controller and pump."""

    @property
    def person(self) -> str:
        """Who lives."""

    @property
    def controller(self) -> str:
        """Who decides."""

    @property
    def sensor(self) -> str:
        """Which kind of sensor is worn."""

    @property
    def seed(self) -> int:
        """The seed of its noise."""

    @property
    def sensor_faults(self) -> tuple[SensorFault, ...]:
        """What is wrong with the sensor."""

    @property
    def link_fault(self) -> LinkFault | None:
        """What is wrong with the link to it."""

    @property
    def fault_min(self) -> tuple[float, float]:
        """From which minute on, and until before which."""

    @property
    def line(self) -> str | None:
        """Which line of the switch is energised meanwhile."""

    @property
    def from_s(self) -> float:
        """From when on, in s."""

    @property
    def controller_settings(self) -> ControllerSettings:
        """What the controller is told of person and pump."""

    @property
    def minutes(self) -> int:
        """How long the person lives."""

    @property
    def rate_u_per_h(self) -> float:
        """The profile's rate."""

    @property
    def carbs_g(self) -> FloatArray:
        """What is eaten in each minute."""

    @property
    def announced_g(self) -> FloatArray:
        """What the controller is told of in each minute."""

    @property
    def conditions(self) -> BodyConditions | None:
        """What changes in the person from minute to minute."""

    def pattern(self, bolus_u: float) -> BolusRequest:
        """A meal's bolus in its pattern."""

    def energised(self, minute: int, seed: int) -> bool:
        """Whether the line is energised in a minute."""


def minutes_and_totals(readings: Series, scale: VolumeScale) -> list[tuple[int, float]]:
    """Turn the readings of a loop into whole minutes since the first, and what had come by then, in U."""
    since_s = readings.at_s - readings.at_s[0]
    return list(zip(np.rint(since_s / 60.0).astype(int).tolist(), scale.delivered_u(readings).tolist(), strict=True))


class Alive:
    """Person, sensor and controller while the bench measures."""

    def __init__(self, loop: LivedThrough, bench: Bench, record: Recorder) -> None:
        self._loop, self._bench, self._record = loop, bench, record
        self._commander = PumpCommander(bench, record, loop.pattern)
        self._controller = self._controller_that_knows(NOTHING)
        self._sensor = cgm(loop.sensor, loop.seed)
        self._link = SensorLink(bench, record, loop.link_fault, *loop.fault_min)
        self._living = Living(person_named(loop.person), loop.carbs_g, loop.conditions)
        self._scale = VolumeScale.in_air(bench.metrology, read_air(bench, record, LOOP))
        self._minutes: list[float] = []
        self._sensed: list[float] = []
        self._read: list[Read] = []
        self._first: Sample | None = None
        self._decided = -1
        self._moved = False

    def _controller_that_knows(self, known: Known) -> Controller:
        return CONTROLLERS[self._loop.controller](self._loop.controller_settings, known)

    def begin_controller_anew(self, minute: int) -> None:
        """End the controller and begin it anew: it knows what the sensor showed, and what the pump's log says."""
        self._controller.close()
        self._commander.forget()
        known = Known(minute, tuple(self._read), accepted_by_log(self._bench, minute))
        self._controller = self._controller_that_knows(known)
        readings, accepted = len(known.read), len(known.accepted)
        self._record.fact(
            ControllerBegun(at_s=self._bench.clock.now(), at_min=minute, readings=readings, accepted=accepted)
        )

    def close(self) -> None:
        """End the controller."""
        self._controller.close()

    def sampled(self, sample: Sample) -> bool:
        """Live until a sample, and let the controller decide when that is due; it never ends the loop."""
        if self._first is None:
            self._first = sample
            self._record.fact(LoopBegan(at_s=sample.at_s, rate_u_per_h=self._loop.rate_u_per_h))
        minute, total_u = 0, 0.0
        if sample is not self._first:
            minute, total_u = minutes_and_totals(series_of([self._first, sample]), self._scale)[-1]
        minute = min(minute, self._loop.minutes)
        if minute > self._living.minute:
            self._living.until(minute, total_u)
        self._move_the_line(minute)
        period = minute // PERIOD_MIN
        if period > self._decided and minute < self._loop.minutes:
            self._decide(minute, missed=range((self._decided + 1) * PERIOD_MIN, minute))
            self._decided = period
        return False

    def _move_the_line(self, minute: int) -> None:
        line, energised = self._loop.line, self._loop.energised(minute, self._loop.seed)
        if line is not None and energised != self._moved:
            self._bench.switch.set_line(line, energised=energised)
            self._record.step(f"line {line} is {'energised' if energised else 'let go'}", at_min=minute)
            self._moved = energised

    def _decide(self, minute: int, missed: range) -> None:
        shown = self._shown(minute)
        over_link, received = self._link.pass_on(minute, shown)
        read = SensorRead(
            at_s=self._bench.clock.now(), at_min=minute, shown_mg_per_dl=shown, over_link=over_link,
            received_mg_per_dl=received,
        )  # fmt: skip
        self._record.fact(read)
        glucose = read.seen_mg_per_dl
        announced = self._loop.announced_g
        announced_g = float(announced[minute] + sum(announced[each] for each in missed))
        wanted = self._controller.decide(Seen(minute, glucose, announced_g))
        if glucose is not None:
            self._read.append(Read(minute, glucose))
        if wanted.failed is not None:
            self._record.fact(ControllerFailed(at_s=self._bench.clock.now(), at_min=minute, why=wanted.failed))
            self._record.incident(f"controller {self._loop.controller}", wanted.failed)
        for accepted in self._commander.tell(minute, wanted):
            self._controller.told(accepted)

    def _shown(self, minute: int) -> float | None:
        """What the sensor shows now, with what is wrong with it."""
        self._minutes.append(float(minute))
        self._sensed.append(float(self._sensor.read([minute], [self._living.below_skin_mg_per_dl])[0]))
        shown = shown_with_faults(np.array(self._minutes), np.array(self._sensed), self._loop.sensor_faults)[-1]
        return None if np.isnan(shown) else float(shown)

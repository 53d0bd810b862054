"""Basal delivery through what a person does to a pump, stretch by stretch against what the oracle says is due.

The clock is set, temporary rates begin and are cancelled, commands are tried that must be refused. What is due is
reckoned from what the rig did (`rig.therapy.day_profile`). Not responsible for what is done (the procedures).
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence

from rig.analysis.budget import Budget
from rig.errors import RefusedError
from rig.procedures.advice_judged import ClockWasSet
from rig.procedures.answers import confirm_if_allowed
from rig.procedures.preparation import start_therapy
from rig.procedures.rate_change import RATE_OVER
from rig.procedures.sampling import sample_for
from rig.procedures.volume import VolumeScale
from rig.record.taking import Fact, Recorder, Taken
from rig.roles import Bench, Capability, require
from rig.therapy import BasalSegment, TemporaryRate
from rig.therapy.day_profile import ClockSet, RateStarted, basal_u

SAMPLE_EVERY_S = 5.0


class StretchWeighed(Fact):
    """A stretch of delivery that was weighed, under the phase of its number, to its end."""

    number: int
    what: str


class TemporaryBegan(Fact):
    """A temporary rate that the pump was told, and should have taken."""

    duration_min: int
    rate_u_per_h: float | None
    factor: float | None
    refused: bool


class TemporaryCancelled(Fact):
    """The temporary rate was cancelled."""


class MustRefuse(Fact):
    """A command that a pump must refuse, and whether it did."""

    what: str
    refused: bool


class BasalCourse:
    """What is done to a pump that delivers by its profile, written down as it is done."""

    def __init__(self, bench: Bench, record: Recorder) -> None:
        self._bench, self._record = bench, record
        self._stretches = 0

    def set_clock(self, shown: datetime.datetime) -> None:
        """Set the pump's wall clock; one that refuses goes by another time, and that is weighed."""
        clock = require(self._bench.pump, Capability.CLOCK)
        self._refused(lambda: clock.set_clock(shown))
        self._record.fact(ClockWasSet(at_s=self._bench.clock.now(), date_time=shown))
        self._record.step("clock set", to=shown.isoformat())

    def set_zone(self, zone_min: int, summer_min: int, shown: datetime.datetime) -> None:
        """Set time zone and summer time in min, by which the pump's clock comes to show a date and time."""
        zones = require(self._bench.pump, Capability.TIME_ZONE)
        self._refused(lambda: zones.set_time_zone(zone_min, summer_min))
        self._record.fact(ClockWasSet(at_s=self._bench.clock.now(), date_time=shown))
        self._record.step("time zone set", zone_min=zone_min, summer_min=summer_min, shows=shown.isoformat())

    def start(self, segments: Sequence[BasalSegment], shown: datetime.datetime) -> None:
        """Deliver by a profile from a time of day on."""
        require(self._bench.pump, Capability.BASAL_PROFILE).set_basal_profile(segments)
        self.set_clock(shown)
        start_therapy(self._bench, self._record)

    def weigh(self, what: str, minutes: float) -> None:
        """Weigh a stretch of so many minutes."""
        self._stretches += 1
        phase = stretch_phase(self._stretches)
        sample_for(self._bench, self._record, phase, duration_s=60.0 * minutes, every_s=SAMPLE_EVERY_S)
        self._record.fact(StretchWeighed(at_s=self._bench.clock.now(), number=self._stretches, what=what))
        for annunciation in self._bench.pump.annunciations():
            if annunciation.kind == RATE_OVER:
                confirm_if_allowed(self._bench, self._record, annunciation)

    def begin(self, temporary: TemporaryRate) -> None:
        """Begin a temporary rate that the pump should take."""
        command = require(self._bench.pump, Capability.TEMPORARY_BASAL).set_temporary_rate
        refused = self._refused(lambda: command(temporary))
        self._record.fact(
            TemporaryBegan(
                at_s=self._bench.clock.now(),
                duration_min=temporary.duration_min,
                rate_u_per_h=temporary.rate_u_per_h,
                factor=temporary.factor,
                refused=refused,
            )
        )

    def cancel(self) -> None:
        """Cancel the temporary rate; one that refuses goes on with it, and that is weighed."""
        self._refused(require(self._bench.pump, Capability.TEMPORARY_BASAL).cancel_temporary_rate)
        self._record.fact(TemporaryCancelled(at_s=self._bench.clock.now()))

    def try_wrong(self, what: str, command: Callable[[], object]) -> None:
        """Give a command that must be refused."""
        refused = self._refused(command)
        self._record.fact(MustRefuse(at_s=self._bench.clock.now(), what=what, refused=refused))
        self._record.step(f"{what}: {'refused' if refused else 'taken'}")

    def _refused(self, command: Callable[[], object]) -> bool:
        try:
            command()
        except RefusedError as error:
            self._record.step("refused", reason=str(error))
            return True
        return False


def stretch_phase(number: int) -> str:
    """Name the phase of a stretch."""
    return f"stretch {number}"


def errors_of(taken: Taken, scale: VolumeScale, segments: Sequence[BasalSegment]) -> list[Budget]:
    """Compute the error in U of each stretch: what was weighed, less what was due while the rig read the balance."""
    clock = [ClockSet(fact.at_s, fact.date_time) for fact in taken.facts(ClockWasSet)]
    cancelled = [fact.at_s for fact in taken.facts(TemporaryCancelled)]
    temporary = [
        RateStarted(
            fact.at_s,
            TemporaryRate(fact.duration_min, fact.rate_u_per_h, fact.factor),
            next((at_s for at_s in cancelled if fact.at_s < at_s < fact.at_s + 60.0 * fact.duration_min), None),
        )
        for fact in taken.facts(TemporaryBegan)
    ]
    errors = []
    for stretch in taken.facts(StretchWeighed):
        readings = taken.series(stretch_phase(stretch.number))
        from_s, to_s = float(readings.at_s[0]), float(readings.at_s[-1])
        due_u = float(basal_u(segments, clock, from_s, to_s, temporary=temporary))
        weighed = scale.budget(float(scale.delivered_u(readings)[-1]), to_s - from_s)
        errors.append(weighed.linear(1.0, offset=-due_u, unit="U"))
    return errors


def worst_of(errors: Sequence[Budget]) -> Budget:
    """Choose the error that is furthest from 0."""
    return max(errors, key=lambda error: abs(error.value))


def taken_wrongly(taken: Taken) -> int:
    """Count the commands that should have been refused and were not."""
    return sum(not fact.refused for fact in taken.facts(MustRefuse))

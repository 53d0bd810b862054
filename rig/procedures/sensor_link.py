"""The glucose sensor that a bench plays, beside a virtual person: it shows what he has, and hands over what came of it.

What the controller is given is what came over the link, and no older than half a period; a lost packet so becomes a
missing glucose. Not responsible for what the sensor shows (`alive`), nor for octets (drivers).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from rig.errors import UnableError
from rig.patient.sensor_faults import BelowRange, CompressionLow, DropOut, Jump, SensorFault, Stale
from rig.record.taking import Fact, Recorder
from rig.roles import Bench, FailsOnItsLink, GlucoseReading, LinkFault

SensorFaultName = Literal[
    "drop-out", "stale", "compression low", "jump", "below range",
    "link lost", "packets lost", "bad crc", "session stopped",
]  # fmt: skip
"""What may go wrong with a sensor; the last four with the link to it (`rig.roles.LinkFault`)."""
FAULT_BY_MG_PER_DL = 60.0
"""By so much a sensor that is lain on reads low, and one that jumps reads high. The house's own."""
FRESH_S = 150.0
"""Half a period of 5 min: an older reading is one of before."""


class GlucoseReceived(Fact):
    """One reading that came over the link by a minute of the loop; glucose in mg/dL, None: no valid one.

    `offset_min` is the sensor's own time, in min since its session began; `caught_up`: it had been missed, and came
    when it was asked for; `fresh`: it is of this period, and the controller was given it.
    """

    at_min: int
    offset_min: int
    glucose_mg_per_dl: float | None
    annunciated: tuple[str, ...] = ()
    trend_mg_per_dl_per_min: float | None = None
    quality_percent: float | None = None
    caught_up: bool = False
    fresh: bool = False


class SensorLink:
    """The played sensor and its link, with a fault from one minute until before another.

    Args:
        bench: has the sensor, or has none.
        record: keeps what came.
        fault: what goes wrong with the link; None: nothing.
        from_min, to_min: between which minutes of the loop.

    Raises:
        UnableError: a fault is asked for, and the bench has no sensor whose link can be made to fail.
    """

    def __init__(
        self, bench: Bench, record: Recorder, fault: LinkFault | None, from_min: float, to_min: float
    ) -> None:  # fmt: skip
        self._bench, self._record = bench, record
        self._sensor = bench.sensor
        self._fault, self._from_min, self._to_min = fault, from_min, to_min
        self._failing: LinkFault | None = None
        if fault is not None and not isinstance(self._sensor, FailsOnItsLink):
            raise UnableError(asked=f"a sensor's link that fails by {fault.value!r}", of_whom="this bench")

    def pass_on(self, at_min: int, shown_mg_per_dl: float | None) -> tuple[bool, float | None]:
        """Show a value, or nothing; returns whether the rig listens to the link, and what came fresh over it."""
        sensor = self._sensor
        if sensor is None:
            return False, None
        self._fail_by(at_min)
        if shown_mg_per_dl is None:
            sensor.show_nothing()
        else:
            sensor.show(shown_mg_per_dl)
        came = sensor.received()
        if came is None:
            return False, None
        now_s = self._bench.clock.now()
        fresh = [each for each in came if each.measured_at_s is not None and now_s - each.measured_at_s <= FRESH_S]
        for each in came:
            self._record.fact(_received(each, now_s, at_min, fresh=each in fresh))
        return True, fresh[-1].glucose_mg_per_dl if fresh else None

    def _fail_by(self, at_min: int) -> None:
        wanted = self._fault if self._from_min <= at_min < self._to_min else None
        if wanted is not self._failing and isinstance(self._sensor, FailsOnItsLink):
            self._sensor.fail(wanted)
            self._record.step(f"the sensor's link: {wanted.value if wanted else 'as it should be'}", at_min=at_min)
        self._failing = wanted


def sensor_faults_by(name: SensorFaultName, first_min: float, last_min: float) -> tuple[SensorFault, ...]:
    """What is wrong with what a sensor shows, by its name, between two minutes of the loop; nothing of its link."""
    faults: Mapping[str, tuple[SensorFault, ...]] = {
        "drop-out": (DropOut(first_min, last_min),),
        "stale": (Stale(first_min, last_min),),
        "compression low": (CompressionLow(first_min, last_min, FAULT_BY_MG_PER_DL),),
        "jump": (Jump(first_min, FAULT_BY_MG_PER_DL), Jump(last_min, -FAULT_BY_MG_PER_DL)),
        "below range": (BelowRange(first_min, last_min),),
    }
    return faults.get(name, ())


def _received(each: GlucoseReading, now_s: float, at_min: int, *, fresh: bool) -> GlucoseReceived:
    return GlucoseReceived(
        at_s=now_s,
        at_min=at_min,
        offset_min=each.offset_min,
        glucose_mg_per_dl=each.glucose_mg_per_dl,
        annunciated=each.annunciated,
        trend_mg_per_dl_per_min=each.trend_mg_per_dl_per_min,
        quality_percent=each.quality_percent,
        caught_up=each.caught_up,
        fresh=fresh,
    )

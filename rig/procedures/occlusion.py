"""Provoking an occlusion: close the outlet under basal delivery, wait for the alarm, open it again.

Not responsible for the numbers, which `rig.analysis.occlusion` computes from the trace, nor for limits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rig.analysis.occlusion import OcclusionAlarm, occlusion_alarm, released_volume_ul
from rig.evidence import TestRecorder
from rig.limits import Measurement
from rig.procedures.bolus import REST_SPAN_S, SAMPLE_EVERY_S, wait_for_rest
from rig.procedures.contents import occlusion_content
from rig.procedures.preparation import prepare, start_therapy
from rig.procedures.sampling import Sample, Series, sample_for, series
from rig.procedures.volume import VolumeScale
from rig.roles import Bench
from rig.units import u_from_ul, ul_from_u

LOOK_EVERY_S = 10.0
BURST_KPA = 350.0
"""The bench gives up above this line pressure, to spare the tubing and a sensor with a range of 400 kPa."""


RELEASE_S = 600.0
"""So far apart at most are the weighings before and after a release."""


@dataclass(frozen=True)
class OcclusionResult:
    """What one occlusion showed: whether it was alarmed, missed and released insulin in U, and the rise afterwards."""

    alarmed: bool
    alarm: OcclusionAlarm
    missed_u: float
    released_u: float
    rise_kpa: float


class OcclusionTest:
    """One occlusion under basal delivery at a rate in U/h, step by step, in the order of the methods."""

    def __init__(self, bench: Bench, record: TestRecorder, *, rate_u_per_h: float) -> None:
        self._bench = bench
        self._record = record
        self._rate_u_per_h = rate_u_per_h
        self._samples: list[Sample] = []
        self._scale = VolumeScale.of(bench, prepare(bench, record, rate_u_per_h=rate_u_per_h))
        self._closed_at_s = self._alarm_at_s = self._opened_at_s = 0.0
        self._alarmed = False

    @property
    def alarmed(self) -> bool:
        """Whether the pump has alarmed the occlusion."""
        return self._alarmed

    def deliver_freely(self, duration_s: float) -> None:
        """Deliver with the outlet open for `duration_s`."""
        start_therapy(self._bench, self._record)
        self._sample("free delivery", duration_s)

    def close_outlet(self) -> None:
        """Occlude the line."""
        self._bench.switch.set_line("occluder", energised=True)
        self._closed_at_s = self._bench.clock.now()
        self._record.step("outlet closed")

    def wait_for_alarm(self, *, giving_up_after_u: float) -> None:
        """Wait for an occlusion annunciation, until `giving_up_after_u` are missed or the line is about to burst."""
        longest_s = giving_up_after_u / self._rate_u_per_h * 3600.0
        samples = sample_for(
            self._bench,
            self._record,
            "waiting for the occlusion alarm",
            duration_s=longest_s,
            every_s=LOOK_EVERY_S,
            until=lambda sample: self._alarm_is_on() or sample.pressure_kpa > BURST_KPA,
        )
        self._samples += samples
        self._alarm_at_s = samples[-1].at_s
        self._record.step("occlusion alarm" if self._alarmed else "no occlusion alarm, given up")
        if not self._alarmed:
            self._bench.pump.stop()

    def watch_after_alarm(self, duration_s: float) -> None:
        """Go on sampling with the outlet closed, to see whether the pump really stopped."""
        self._sample("after the alarm", duration_s)

    def open_outlet(self) -> None:
        """Stop the pump, open the outlet and sample until the balance has come to rest."""
        self._bench.pump.stop()
        self._sample("before opening", REST_SPAN_S)
        self._bench.switch.set_line("occluder", energised=False)
        self._opened_at_s = self._bench.clock.now()
        self._record.step("outlet opened")
        self._samples += wait_for_rest(self._bench, self._record, "release")

    def evaluate(self) -> tuple[Measurement, ...]:
        """Compute what requirements ask for, and keep the trace."""
        return self._measurements(self.result())

    def result(
        self, name: str = "occlusion", scale: VolumeScale | None = None, *, title: str | None = None
    ) -> OcclusionResult:
        """Compute what one occlusion showed, and keep it with its trace as the analysis `name`, called `title`.

        `scale` is for a bench whose evaporation is known better than at the start.
        """
        scale = scale or self._scale
        readings = series(self._samples)
        delivered_u = scale.delivered_u(readings)
        alarm = occlusion_alarm(
            readings.at_s,
            readings.pressure_kpa,
            ul_from_u(1.0) * delivered_u,
            occluded_at_s=self._closed_at_s,
            alarm_at_s=self._alarm_at_s,
            rate_ul_per_h=ul_from_u(self._rate_u_per_h),
        )
        around = readings.at_s >= self._opened_at_s - REST_SPAN_S
        released_u = u_from_ul(
            released_volume_ul(
                readings.at_s[around],
                ul_from_u(1.0) * delivered_u[around],
                released_at_s=self._opened_at_s,
                plateau_s=readings.at_s[-1] - REST_SPAN_S,
            )
        )
        watched = (readings.at_s >= self._alarm_at_s) & (readings.at_s <= self._opened_at_s)
        rise_kpa = float(np.max(readings.pressure_kpa[watched]) - alarm.pressure_at_alarm_kpa)
        title = title or f"Occlusion at {self._rate_u_per_h:g} U/h"
        self._keep(name, title, readings, delivered_u, alarm, released_u)
        return OcclusionResult(self._alarmed, alarm, u_from_ul(alarm.missed_ul), released_u, rise_kpa)

    def _keep(
        self,
        name: str,
        title: str,
        readings: Series,
        delivered_u: NDArray[np.float64],
        alarm: OcclusionAlarm,
        released_u: float,
    ) -> None:
        content = occlusion_content(
            alarm,
            title=title,
            rate_u_per_h=self._rate_u_per_h,
            occluded_at_s=self._closed_at_s,
            alarm_at_s=self._alarm_at_s if self._alarmed else None,
            released_at_s=self._opened_at_s,
            released_u=released_u,
            at_s=readings.at_s,
            pressure_kpa=readings.pressure_kpa,
            delivered_u=delivered_u,
        )
        self._record.analysis(name, "occlusion", content)

    def _measurements(self, result: OcclusionResult) -> tuple[Measurement, ...]:
        u_kpa = self._bench.metrology.pressure_expanded_uncertainty_kpa
        u_missed = self._scale.expanded_uncertainty_u(result.missed_u, result.alarm.time_to_alarm_s)
        u_released = self._scale.expanded_uncertainty_u(result.released_u, RELEASE_S)
        return (
            Measurement("occlusion alarms", float(result.alarmed), "alarms"),
            Measurement("missed volume at the alarm", result.missed_u, "U", u_missed),
            Measurement("highest pressure during an occlusion", result.alarm.pressure_max_kpa, "kPa", u_kpa),
            Measurement("pressure rise after the alarm", result.rise_kpa, "kPa", u_kpa),
            Measurement("bolus on release", result.released_u, "U", u_released),
        )

    def _alarm_is_on(self) -> bool:
        self._alarmed = occlusion_is_alarmed(self._bench)
        return self._alarmed

    def _sample(self, doing: str, duration_s: float) -> None:
        self._samples += sample_for(self._bench, self._record, doing, duration_s=duration_s, every_s=SAMPLE_EVERY_S)


def occlusion_is_alarmed(bench: Bench) -> bool:
    """Say whether the pump alarms an occlusion now."""
    return any(annunciation.kind == "occlusion" for annunciation in bench.pump.annunciations())

"""An occluded line: time and pressure to the alarm, what was missed, how compliant the line is, what is released.

Not responsible for provoking the occlusion (procedures) nor for limits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rig.analysis.checks import FloatArray, finite, not_negative, positive, series, timed_series

SECONDS_PER_HOUR = 3600.0
RISE_FROM, RISE_TO = 0.2, 0.9
"""The compliance is that of the rise between 20 and 90 % of the pressure at the alarm: below is slack in the plunger
and the bubbles that dissolve, above the pump may already slow down."""


@dataclass(frozen=True)
class OcclusionAlarm:
    """What happened from the occlusion to the alarm.

    Attributes:
        time_to_alarm_s: from occlusion to alarm.
        pressure_at_alarm_kpa: line pressure at the alarm, interpolated.
        pressure_max_kpa: highest pressure from occlusion to alarm.
        programmed_ul: rate times time.
        delivered_ul: what reached the balance meanwhile.
        missed_ul: programmed less delivered; it sits in the line under pressure.
        compliance_ul_per_kpa: volume that the line takes up for each kPa; None when the pressure does not rise, or has
            fewer than three samples between 20 and 90 % of its rise.
        u_compliance_ul_per_kpa: its standard uncertainty from the scatter about the line, None with it.
    """

    time_to_alarm_s: float
    pressure_at_alarm_kpa: float
    pressure_max_kpa: float
    programmed_ul: float
    delivered_ul: float
    missed_ul: float
    compliance_ul_per_kpa: float | None
    u_compliance_ul_per_kpa: float | None


def occlusion_alarm(
    at_s: ArrayLike,
    pressure_kpa: ArrayLike,
    volume_ul: ArrayLike,
    *,
    occluded_at_s: float,
    alarm_at_s: float,
    rate_ul_per_h: float,
) -> OcclusionAlarm:
    """Time in s, pressure in kPa and missed volume in µL from occlusion to alarm, and the line's compliance.

    IEC 60601-2-24 (method: occlusion) asks for the time and the bolus. Missed = r (t_alarm − t_occlusion) − delivered.

    Args:
        at_s: (n,) times in s, rising, from before the occlusion to the alarm or later.
        pressure_kpa: (n,) gauge pressure in the line.
        volume_ul: (n,) corrected volume on the balance in µL since any moment.
        occluded_at_s: the outlet was closed, on the same clock.
        alarm_at_s: the alarm was seen, on the same clock.
        rate_ul_per_h: programmed rate.

    Raises:
        ValueError: with a sentence, on input that is not the above.
    """
    times, pressure, volume = _trace(at_s, pressure_kpa, volume_ul)
    rate = positive("rate_ul_per_h", rate_ul_per_h) / SECONDS_PER_HOUR
    start, alarm = _inside("occluded_at_s", occluded_at_s, times), _inside("alarm_at_s", alarm_at_s, times)
    if alarm <= start:
        raise ValueError(f"the alarm must follow the occlusion, got {alarm:g} s after {start:g} s")
    at_start, at_alarm = (float(np.interp(moment, times, pressure)) for moment in (start, alarm))
    before, after = (float(np.interp(moment, times, volume)) for moment in (start, alarm))
    during = (times >= start) & (times <= alarm)
    compliance, u = _compliance(times[during], pressure[during], at_start, at_alarm, rate)
    programmed, delivered = rate * (alarm - start), after - before
    return OcclusionAlarm(
        time_to_alarm_s=alarm - start,
        pressure_at_alarm_kpa=at_alarm,
        pressure_max_kpa=float(pressure[during].max(initial=max(at_start, at_alarm))),
        programmed_ul=programmed,
        delivered_ul=delivered,
        missed_ul=programmed - delivered,
        compliance_ul_per_kpa=compliance,
        u_compliance_ul_per_kpa=u,
    )


def _compliance(
    times: FloatArray, pressure: FloatArray, at_start: float, at_alarm: float, rate_ul_per_s: float
) -> tuple[float | None, float | None]:
    """C = r/(dp/dt) in µL/kPa and its standard uncertainty, over the steep part of the rise."""
    rise = at_alarm - at_start
    above = np.flatnonzero(pressure >= at_start + RISE_FROM * rise)
    below = np.flatnonzero(pressure <= at_start + RISE_TO * rise)
    if rise <= 0 or not above.size or not below.size or below[-1] - above[0] < 2:
        return None, None
    steep = slice(int(above[0]), int(below[-1]) + 1)
    seconds, kpa = times[steep] - times[steep].mean(), pressure[steep]
    spread = float(seconds @ seconds)
    slope = float(seconds @ kpa) / spread
    if slope <= 0:
        return None, None
    residuals = kpa - kpa.mean() - slope * seconds
    u_slope = float(np.sqrt(residuals @ residuals / (kpa.size - 2) / spread))
    compliance = rate_ul_per_s / slope
    return compliance, compliance * u_slope / slope


def released_volume_ul(
    at_s: ArrayLike,
    volume_ul: ArrayLike,
    *,
    released_at_s: float,
    plateau_s: float,
    rate_ul_per_h: float = 0.0,
) -> float:
    """The bolus in µL that an opened line releases: mean volume on the plateau less that before the release.

    Args:
        at_s: (n,) times in s, rising; only samples of the rest before the release should precede it.
        volume_ul: (n,) corrected volume on the balance in µL.
        released_at_s: the outlet was opened; samples up to then are "before".
        plateau_s: samples from then on are "after".
        rate_ul_per_h: what the pump delivers meanwhile, 0 while its alarm has stopped it; it is taken off.

    Raises:
        ValueError: with a sentence, on input that is not the above, or no sample on one side.
    """
    times, volume = timed_series(at_s, "volume_ul", volume_ul)
    rate = not_negative("rate_ul_per_h", rate_ul_per_h) / SECONDS_PER_HOUR
    released, plateau = finite("released_at_s", released_at_s), finite("plateau_s", plateau_s)
    if plateau <= released:
        raise ValueError(f"the plateau must follow the release, got {plateau:g} s after {released:g} s")
    before, after = times <= released, times >= plateau
    for side, name in ((before, f"before {released:g} s"), (after, f"after {plateau:g} s")):
        if not side.any():
            raise ValueError(f"there is no sample {name}")
    undelivered = volume - rate * (times - times[0])
    return float(undelivered[after].mean() - undelivered[before].mean())


@dataclass(frozen=True)
class AlarmTimes:
    """Typical (median) and longest time to alarm in s of several occlusions, as labels state them."""

    occlusions: int
    typical_s: float
    longest_s: float


def alarm_times(time_to_alarm_s: ArrayLike) -> AlarmTimes:
    """The typical (median) and the longest of times to alarm in s, shape (n,) (21 CFR 880.5730 labels)."""
    times = series("time_to_alarm_s", time_to_alarm_s)
    return AlarmTimes(times.size, float(np.median(times)), float(times.max()))


def _trace(at_s: ArrayLike, pressure_kpa: ArrayLike, volume_ul: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    times, pressure = timed_series(at_s, "pressure_kpa", pressure_kpa)
    return times, pressure, timed_series(at_s, "volume_ul", volume_ul)[1]


def _inside(name: str, moment_s: float, times: FloatArray) -> float:
    moment = finite(name, moment_s)
    if not times[0] <= moment <= times[-1]:
        raise ValueError(f"{name} must lie in the record, {times[0]:g} … {times[-1]:g} s, got {moment:g}")
    return moment

"""An occlusion from a log of mass and line pressure, with the moments that somebody noted.

Not responsible for the formulas (`rig.analysis.occlusion`) nor for finding the moments: an alarm is heard, not weighed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rig.analysis.occlusion import occlusion_alarm, released_volume_ul
from rig.offline.analysed import Analysed, Measured
from rig.offline.findings import Finding
from rig.offline.log import BalanceLog, FloatArray
from rig.offline.plausible import judged
from rig.offline.scale import Scale
from rig.procedures.contents import occlusion_content
from rig.procedures.rest import REST_SPAN_S
from rig.units import u_from_ul, ul_from_u


@dataclass(frozen=True)
class OcclusionQuestion:
    """What to compute: rate, and when the outlet was closed, the alarm came and the outlet was opened.

    Moments are s on the clock of the log. `alarm_at_s` is None when no alarm came: the record up to the opening, or to
    its end, then counts as waiting. `released_at_s` is None when the opening was not recorded.
    """

    rate_u_per_h: float
    closed_at_s: float
    alarm_at_s: float | None = None
    released_at_s: float | None = None
    rest_s: float = REST_SPAN_S
    accept_implausible: bool = False


HIGHEST_KPA = 1000.0
"""No line of an insulin pump holds more: a wrong unit. Assumption."""

ABSOLUTE_KPA = (80.0, 115.0)
"""A line at rest that shows so much shows the air's pressure as well."""

FREE_U = 0.1
"""What was delivered before the outlet was closed is compared with the rate when it should have been so much."""


def analyse_occlusion(log: BalanceLog, asked: OcclusionQuestion, scale: Scale) -> Analysed:
    """Compute time and pressure to the alarm, missed volume, compliance, and the bolus on release.

    Raises:
        ValueError: a sentence: no pressure, moments out of order or outside the record.
    """
    if log.pressure_kpa is None:
        raise ValueError("an occlusion needs a pressure column")
    volume_ul = scale.volume_ul(log)
    odd = [*_free_delivery(log, volume_ul, asked, scale), *_pressure(log.pressure_kpa)]
    until_s = next(
        moment for moment in (asked.alarm_at_s, asked.released_at_s, float(log.at_s[-1])) if moment is not None
    )
    if asked.released_at_s is not None and asked.released_at_s < until_s:
        raise ValueError(f"--released must not be before --alarm, got {asked.released_at_s:g} and {until_s:g} s")
    alarm = occlusion_alarm(
        log.at_s,
        log.pressure_kpa,
        volume_ul,
        occluded_at_s=asked.closed_at_s,
        alarm_at_s=until_s,
        rate_ul_per_h=ul_from_u(asked.rate_u_per_h),
    )
    released_u = _released_u(log, volume_ul, asked)
    content = occlusion_content(
        alarm,
        title=f"Occlusion at {asked.rate_u_per_h:g} U/h",
        rate_u_per_h=asked.rate_u_per_h,
        occluded_at_s=asked.closed_at_s,
        alarm_at_s=asked.alarm_at_s,
        released_at_s=asked.released_at_s,
        released_u=released_u,
        at_s=log.at_s,
        pressure_kpa=log.pressure_kpa,
        delivered_u=u_from_ul(1.0) * volume_ul,
    )
    missed_u = u_from_ul(alarm.missed_ul)
    measured = [
        Measured("missed volume", missed_u, "U", scale.expanded_uncertainty_u(missed_u, alarm.time_to_alarm_s)),
        Measured("highest pressure until the alarm", alarm.pressure_max_kpa, "kPa", None),
    ]
    if asked.alarm_at_s is not None:
        measured.insert(0, Measured("time to alarm", alarm.time_to_alarm_s, "s", None))
    if released_u is not None:
        u_released = scale.expanded_uncertainty_u(released_u, float(log.at_s[-1]) - (asked.released_at_s or 0.0))
        measured.append(Measured("bolus on release", released_u, "U", u_released))
    return Analysed(content, tuple(measured), (*odd, *scale.findings(), *_unsaid(asked)))


def _released_u(log: BalanceLog, volume_ul: FloatArray, asked: OcclusionQuestion) -> float | None:
    """The bolus on release from the means of the rest before it and of the record's last readings."""
    if asked.released_at_s is None:
        return None
    around = log.at_s >= asked.released_at_s - asked.rest_s
    return u_from_ul(
        released_volume_ul(
            log.at_s[around],
            volume_ul[around],
            released_at_s=asked.released_at_s,
            plateau_s=float(np.max(log.at_s)) - asked.rest_s,
        )
    )


def _free_delivery(log: BalanceLog, volume_ul: FloatArray, asked: OcclusionQuestion, scale: Scale) -> list[Finding]:
    """Compare what came before the outlet was closed with the rate: a wrong unit shows there."""
    free = np.flatnonzero(log.at_s <= asked.closed_at_s)
    if free.size < 2:
        return []
    programmed_u = asked.rate_u_per_h * float(log.at_s[free[-1]] - log.at_s[0]) / 3600.0
    if programmed_u < FREE_U:
        return []
    ratio = u_from_ul(float(volume_ul[free[-1]] - volume_ul[0])) / programmed_u
    return judged(ratio, what="volume" if scale.is_volume else "mass", accept=asked.accept_implausible)


def _pressure(pressure_kpa: FloatArray) -> list[Finding]:
    """Report pressures that look like a wrong unit, or like absolute ones."""
    highest, first = float(pressure_kpa.max()), float(np.median(pressure_kpa[:10]))
    if highest > HIGHEST_KPA:
        return [Finding("implausible", f"The highest pressure is {highest:.4g} kPa: look at the unit of that column.")]
    if ABSOLUTE_KPA[0] <= first <= ABSOLUTE_KPA[1]:
        return [
            Finding(
                "absolute pressure",
                f"The pressure begins at {first:.4g} kPa, about that of the air: it looks absolute, and was taken as "
                "it stands.",
            )
        ]
    return []


def _unsaid(asked: OcclusionQuestion) -> list[Finding]:
    found = []
    if asked.alarm_at_s is None:
        found.append(Finding("no alarm", "No --alarm is given: the record counts as an occlusion without an alarm."))
    if asked.released_at_s is None:
        found.append(Finding("no release", "No --released is given: the bolus on release is not computed."))
    return found

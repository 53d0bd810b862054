"""What a record keeps of each kind of analysis, beside its numbers what a reader must see with them.

One home, so that a bench run and a log from elsewhere say the same things. Pure: results in, the record's models out.
Not responsible for computing (`rig.analysis`) nor for how it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rig.analysis.allan import AllanDeviation
from rig.analysis.bolus import BolusStatistics
from rig.analysis.budget import Budget
from rig.analysis.flow import StartUpCurve, WindowStatistics, flow_ul_per_h
from rig.analysis.occlusion import OcclusionAlarm
from rig.analysis.programme import Course
from rig.analysis.pulses import stroke_statistics
from rig.analysis.single_doses import SingleDoses
from rig.analysis.trumpet import TrumpetCurve
from rig.procedures.volume import VolumeScale
from rig.record.analyses import (
    BolusNumbers,
    CourseNumbers,
    Delivered,
    DeliveryProfile,
    Evaporation,
    Flow,
    Hourly,
    MissedDosesNumbers,
    OcclusionNumbers,
    ProfileMoment,
    ProfilePart,
    Stability,
    Strokes,
    Trace,
    Trumpet,
)
from rig.units import u_from_ul

BINS = ("<25", "25–<75", "75–<95", "95–<105", "105–<125", "125–<175", "175–250", ">250")
"""Classes of 21 CFR 880.5730 labels, in % of the command."""


def trumpet_content(
    curve: TrumpetCurve,
    mass_g: NDArray[np.float64],
    *,
    rate_u_per_h: float,
    stabilisation_h: float,
    hourly: WindowStatistics | None,
    evaporation: Evaporation | None,
    doses: SingleDoses,
    start_up: StartUpCurve | None,
    stability: AllanDeviation | None,
    scale: VolumeScale | None,
) -> Trumpet:
    """Gather what belongs to a trumpet curve; None for what is not known.

    `mass_g` are the masses at the ends of its sample intervals; `scale` tells how well one dose and one reading of the
    balance are known.
    """
    missed = doses.missed
    flow = flow_ul_per_h(mass_g, interval_min=curve.interval_min, density_g_per_ml=curve.density_g_per_ml)
    return Trumpet(
        title=f"Basal delivery at {rate_u_per_h:g} U/h",
        rate_u_per_h=rate_u_per_h,
        interval_min=curve.interval_min,
        stabilisation_h=stabilisation_h,
        analysis_h=curve.period_min / 60.0,
        density_g_per_ml=curve.density_g_per_ml,
        evaporation=evaporation,
        dose_interval_s=doses.interval_s,
        windows_min=tuple(curve.windows_min.tolist()),
        error_max_percent=tuple(curve.error_max_percent.tolist()),
        error_min_percent=tuple(curve.error_min_percent.tolist()),
        overall_error_percent=curve.overall_error_percent,
        hourly=hourly_content(hourly) if hourly is not None else None,
        missed_doses=MissedDosesNumbers(doses=missed.doses, missed=missed.missed) if missed is not None else None,
        dose_interval_found_s=doses.found_interval_s,
        no_doses_because=doses.reason,
        dose_expanded_u=_dose_expanded_u(doses, scale),
        flow=_flow(np.arange(1.0, flow.size + 1.0) * (curve.interval_min / 60.0), flow),
        cumulative_error_percent=tuple(_cumulative_error_percent(curve, mass_g).tolist()),
        start_up=_flow(start_up.at_min / 60.0, start_up.flow_ul_per_h) if start_up is not None else None,
        doses_u=_doses_u(doses),
        strokes=_strokes(doses),
        stability=_stability(stability, scale) if stability is not None else None,
    )


def _doses_u(doses: SingleDoses) -> tuple[float, ...] | None:
    """List the volumes of single doses in U; those beside a gap between readings are left out."""
    if doses.volumes is None:
        return None
    return tuple((u_from_ul(1.0) * doses.volumes.volume_ul[doses.volumes.told]).tolist())


def _strokes(doses: SingleDoses) -> Strokes | None:
    """Gather how single doses scatter; None for fewer than two, or where nothing flowed."""
    if doses.volumes is None:
        return None
    volume_ul = doses.volumes.volume_ul[doses.volumes.told]
    if volume_ul.size < 2 or volume_ul.mean() <= 0.0:
        return None
    strokes = stroke_statistics(volume_ul)
    return Strokes(
        doses=strokes.doses,
        mean_u=u_from_ul(strokes.mean_ul),
        sd_u=u_from_ul(strokes.sd_ul),
        min_u=u_from_ul(strokes.min_ul),
        max_u=u_from_ul(strokes.max_ul),
        cv_percent=strokes.cv_percent,
    )


def _dose_expanded_u(doses: SingleDoses, scale: VolumeScale | None) -> float | None:
    """Compute U in insulin units of a dose of mean size: the difference of two readings one dose interval apart."""
    if doses.volumes is None or scale is None:
        return None
    mean_u = u_from_ul(float(doses.volumes.volume_ul.mean()))
    return scale.expanded_uncertainty_u(mean_u, doses.volumes.dose_interval_s)


def _stability(stability: AllanDeviation, scale: VolumeScale | None) -> Stability:
    return Stability(
        averaging_s=tuple(stability.averaging_s.tolist()),
        deviation_u_per_h=tuple((u_from_ul(1.0) * stability.deviation_ul_per_h).tolist()),
        reading_u=scale.reading_u if scale is not None else None,
    )


def _flow(at_h: NDArray[np.float64], flow_ul_per_h: NDArray[np.float64]) -> Flow:
    return Flow(at_h=tuple(at_h.tolist()), flow_u_per_h=tuple((u_from_ul(1.0) * flow_ul_per_h).tolist()))


def _cumulative_error_percent(curve: TrumpetCurve, mass_g: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the error in % of all that was delivered until the end of each sample interval, shape (n,)."""
    programmed_g = curve.rate_ml_per_h * curve.density_g_per_ml * curve.interval_min / 60.0 * np.arange(1, mass_g.size)
    error: NDArray[np.float64] = 100.0 * ((mass_g[1:] - mass_g[0]) / programmed_g - 1.0)
    return error


def hourly_content(hourly: WindowStatistics) -> Hourly:
    """Gather mean and SD in %, and the share (0..1) of windows within ± so many %."""
    shares = zip(hourly.bands_percent, hourly.share_within_percent, strict=True)
    return Hourly(
        mean_percent=hourly.mean_percent,
        sd_percent=hourly.sd_percent,
        within={f"{band:g}": share / 100.0 for band, share in shares},
    )


def bolus_content(
    statistics: BolusStatistics,
    *,
    u_u: Sequence[float] | None,
    logged_u: Sequence[float] | None,
    tail_percent: float | None,
    z_ul_per_mg: float,
    evaporation: Evaporation | None,
) -> BolusNumbers:
    """Gather what belongs to a series of boluses; `u_u` are expanded uncertainties in U, None when not known."""
    programmed_u = u_from_ul(statistics.programmed_ul)
    return BolusNumbers(
        title=f"{statistics.boluses} boluses of {programmed_u:g} U",
        programmed_u=programmed_u,
        delivered_u=tuple(u_from_ul(volume) for volume in statistics.volume_ul.tolist()),
        logged_u=tuple(logged_u) if logged_u is not None else None,
        u_u=tuple(u_u) if u_u is not None else None,
        mean_error_percent=statistics.mean_error_percent,
        sd_percent=100.0 * statistics.sd_ul / statistics.programmed_ul,
        worst_error_percent=max(statistics.error_percent.tolist(), key=abs),
        bins=dict(zip(BINS, statistics.bins, strict=True)),
        tail_percent=tail_percent,
        z_ul_per_mg=z_ul_per_mg,
        evaporation=evaporation,
    )


def occlusion_content(
    alarm: OcclusionAlarm,
    *,
    title: str,
    rate_u_per_h: float,
    occluded_at_s: float,
    alarm_at_s: float | None,
    released_at_s: float | None,
    released_u: float | None,
    at_s: NDArray[np.float64],
    pressure_kpa: NDArray[np.float64],
    delivered_u: NDArray[np.float64],
) -> OcclusionNumbers:
    """Gather what belongs to an occlusion; None for an alarm that never came and a line that was not seen to open."""
    return OcclusionNumbers(
        title=title,
        rate_u_per_h=rate_u_per_h,
        occluded_at_s=occluded_at_s,
        alarm_at_s=alarm_at_s,
        released_at_s=released_at_s,
        time_to_alarm_s=alarm.time_to_alarm_s if alarm_at_s is not None else None,
        pressure_at_alarm_kpa=alarm.pressure_at_alarm_kpa,
        missed_u=u_from_ul(alarm.missed_ul),
        released_u=released_u,
        compliance_ul_per_kpa=alarm.compliance_ul_per_kpa,
        trace=Trace(
            at_s=tuple(at_s.tolist()),
            pressure_kpa=tuple(pressure_kpa.tolist()),
            delivered_u=tuple(delivered_u.tolist()),
        ),
    )


@dataclass(frozen=True)
class Part:
    """A part of a delivery from `from_s` to `to_s` after its start: what was programmed in U, and the budget in U."""

    name: str
    from_s: float
    to_s: float
    programmed_u: float
    delivered: Budget


def profile_content(
    title: str,
    *,
    course: Course,
    at_s: NDArray[np.float64],
    delivered_u: NDArray[np.float64],
    parts: Sequence[Part],
    moments: Mapping[str, Budget],
    evaporation: Evaporation | None,
) -> DeliveryProfile:
    """Gather what belongs to a delivery that follows a programme; times in s since its start, U since then.

    `moments` are how late in s the programme's moments came, by name.
    """
    return DeliveryProfile(
        title=title,
        course=CourseNumbers(at_s=tuple(course.at_s.tolist()), insulin_u=tuple(course.insulin_u.tolist())),
        trace=Delivered(at_s=tuple(at_s.tolist()), delivered_u=tuple(delivered_u.tolist())),
        parts=tuple(
            ProfilePart(
                name=part.name,
                from_s=part.from_s,
                to_s=part.to_s,
                programmed_u=part.programmed_u,
                delivered_u=part.delivered.value,
                u_u=part.delivered.expanded,
            )
            for part in parts
        ),
        moments=tuple(
            ProfileMoment(name=name, late_s=budget.value, u_s=budget.expanded) for name, budget in moments.items()
        ),
        evaporation=evaporation,
    )

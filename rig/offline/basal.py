"""Basal delivery from a log: the curve on a grid of the sample interval, start-up, hours, volumes, doses.

Not responsible for the formulas (`rig.analysis`) nor for what the log needs before it is one (`columns`, `breaks`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rig.analysis.allan import AllanDeviation, flow_stability
from rig.analysis.flow import StartUpCurve, hourly_windows, start_up_of_record
from rig.analysis.resample import resampled
from rig.analysis.single_doses import SingleDoses, single_doses
from rig.analysis.trumpet import AMBULATORY, TrumpetCurve, trumpet_curve
from rig.offline.analysed import Analysed, Measured
from rig.offline.breaks import usual_step_s
from rig.offline.findings import Finding
from rig.offline.log import BalanceLog, FloatArray
from rig.offline.plausible import judged
from rig.offline.scale import Scale
from rig.procedures.contents import trumpet_content
from rig.units import ml_per_h_from_u_per_h, u_from_ul, ul_from_u

VOLUMES_H = (1.0, 6.0, 12.0)
"""21 CFR 880.5730 labels state the volume after so many hours without warm-up."""

BURST = 3.0
"""A sample interval with so many times the usual flow is worth a sentence. Assumption."""

MANY = 400_000
"""More samples than this are averaged before a rhythm is looked for: a day at 5 Hz."""

CHANGED = 0.25
"""Two parts whose mean flows differ by this share of the rate, and by 4 standard errors, are worth a sentence."""


@dataclass(frozen=True)
class BasalQuestion:
    """What to compute: rate, and the method's parameters, by default those of ambulatory pumps.

    Attributes:
        rate_u_per_h: programmed rate.
        start_s: the pump was started, on the clock of the log; None for its first sample.
        stabilisation_h: T1, left out of the curve.
        analysis_h: T2; None for all whole sample intervals after the stabilisation.
        interval_min: S.
        windows_min: P.
        dose_u: programmed dose; None when nobody knows, then no dose can be called missed.
        longest_gap_s: samples further apart have no line between them.
        accept_implausible: a volume that looks like a wrong unit is reported, not refused.
    """

    rate_u_per_h: float
    start_s: float | None = None
    stabilisation_h: float = AMBULATORY.stabilisation_min / 60.0
    analysis_h: float | None = AMBULATORY.analysis_min / 60.0
    interval_min: float = AMBULATORY.interval_min
    windows_min: tuple[float, ...] = AMBULATORY.windows_min
    dose_u: float | None = None
    longest_gap_s: float = AMBULATORY.interval_min * 60.0
    accept_implausible: bool = False


def analyse_basal(log: BalanceLog, asked: BasalQuestion, scale: Scale) -> Analysed:
    """Compute what a bench run records of basal delivery, and the start-up curve and volumes from the pump's start.

    The masses, corrected for evaporation, are taken at a grid of S from the start of the analysis period, on straight
    lines between samples that are no further apart than `longest_gap_s`.

    Raises:
        ValueError: a sentence: the log is too short for the periods, or has a wrong unit.
    """
    start_s = log.at_s[0] if asked.start_s is None else asked.start_s
    if not log.at_s[0] <= start_s < log.at_s[-1]:
        raise ValueError(f"--start: {start_s:g} s is outside the record, {log.at_s[0]:g} to {log.at_s[-1]:g} s")
    intervals = _intervals(log, start_s, asked)
    dry = replace(log, mass_g=scale.dry_mass_g(log))
    first_s = start_s + 3600.0 * asked.stabilisation_h
    mass_g = _on_grid(dry, first_s, intervals, asked)
    common: Mapping[str, Any] = {
        "interval_min": asked.interval_min,
        "rate_ml_per_h": ml_per_h_from_u_per_h(asked.rate_u_per_h),
        "density_g_per_ml": scale.density_g_per_ml,
    }
    curve = trumpet_curve(mass_g, windows_min=asked.windows_min, **common)
    odd = judged(
        1.0 + curve.overall_error_percent / 100.0,
        what="volume" if scale.is_volume else "mass",
        accept=asked.accept_implausible,
    )
    hour = 60.0 / asked.interval_min
    hourly = hourly_windows(mass_g, **common) if hour.is_integer() and intervals >= 2 * hour else None
    part = _analysis_part(log, first_s, first_s + 60.0 * curve.period_min)
    part, thinned = _thinned(part)
    doses = _doses(part, asked, scale)
    content = trumpet_content(
        curve,
        mass_g,
        rate_u_per_h=asked.rate_u_per_h,
        stabilisation_h=asked.stabilisation_h,
        hourly=hourly,
        evaporation=scale.evaporation,
        doses=doses,
        start_up=_start_up(dry, start_s, asked, scale),
        stability=_stability(part, asked, scale),
        scale=scale.bench_scale,
    )
    findings = (
        *odd,
        *thinned,
        *scale.findings(),
        *_dose_findings(doses, asked),
        *_changed(mass_g, curve, first_s, log),
        *_bursts(mass_g, curve, first_s, log),
    )
    return Analysed(content, _measured(log, curve, start_s, asked, scale), findings)


def _intervals(log: BalanceLog, start_s: float, asked: BasalQuestion) -> int:
    """How many sample intervals the analysis period has."""
    interval_s = 60.0 * asked.interval_min
    left_s = log.at_s[-1] - start_s - 3600.0 * asked.stabilisation_h
    wanted_s = 3600.0 * asked.analysis_h if asked.analysis_h is not None else left_s
    intervals = int(np.floor(wanted_s / interval_s + 1e-9))
    if intervals * interval_s > left_s + 1e-6 * interval_s or intervals * asked.interval_min < max(asked.windows_min):
        needed_s = 60.0 * max(asked.windows_min) if asked.analysis_h is None else wanted_s
        least = f"{max(asked.windows_min):g} min of the longest window"
        raise ValueError(
            f"the record holds {(log.at_s[-1] - start_s) / 3600.0:.4g} h from the start of the pump; "
            f"{asked.stabilisation_h:g} h of stabilisation and "
            f"{least if asked.analysis_h is None else f'{asked.analysis_h:g} h of analysis'} do not "
            f"fit, {_lasting(max(needed_s - left_s, 60.0 * max(asked.windows_min) - left_s))} is missing: change "
            "--stabilisation, --analysis or --windows (--analysis rest takes all that is left)"
        )
    return intervals


def _lasting(duration_s: float) -> str:
    """Write a duration in the largest unit that it fills."""
    unit, size_s = next((each for each in (("h", 3600.0), ("min", 60.0)) if duration_s >= each[1]), ("s", 1.0))
    return f"{duration_s / size_s:.4g} {unit}"


def _on_grid(dry: BalanceLog, first_s: float, intervals: int, asked: BasalQuestion) -> FloatArray:
    grid_s = np.minimum(first_s + 60.0 * asked.interval_min * np.arange(intervals + 1), dry.at_s[-1])
    return resampled(dry.at_s, dry.mass_g, grid_s=grid_s, longest_gap_s=asked.longest_gap_s)


def _start_up(dry: BalanceLog, start_s: float, asked: BasalQuestion, scale: Scale) -> StartUpCurve | None:
    """The flow over the stabilisation period; None when there is none."""
    return start_up_of_record(
        dry.at_s,
        dry.mass_g,
        start_s=start_s,
        duration_min=60.0 * asked.stabilisation_h,
        interval_min=asked.interval_min,
        longest_gap_s=asked.longest_gap_s,
        density_g_per_ml=scale.density_g_per_ml,
    )


def _analysis_part(log: BalanceLog, first_s: float, last_s: float) -> BalanceLog:
    """The samples of the analysis period."""
    inside = np.flatnonzero((log.at_s >= first_s - 1e-6) & (log.at_s <= last_s + 1e-6))
    return log.part(slice(int(inside[0]), int(inside[-1]) + 1))


def _thinned(part: BalanceLog) -> tuple[BalanceLog, list[Finding]]:
    """Take means of as many samples as keep single doses and stability computable, and say so."""
    together = -(-part.at_s.size // MANY)
    if together == 1:
        return part, []
    whole = part.at_s.size // together * together
    means = replace(
        part,
        at_s=part.at_s[:whole].reshape(-1, together).mean(axis=1),
        mass_g=part.mass_g[:whole].reshape(-1, together).mean(axis=1),
        row=part.row[:whole:together],
        pressure_kpa=None,
        events=(),
    )
    return means, [
        Finding("thinned", f"For single doses and the stability of the flow, means of {together} samples were taken.")
    ]


def _doses(part: BalanceLog, asked: BasalQuestion, scale: Scale) -> SingleDoses:
    return single_doses(
        part.at_s,
        scale.volume_ul(part),
        step_s=usual_step_s(part),
        longest_gap_s=asked.longest_gap_s,
        dose_interval_s=3600.0 * asked.dose_u / asked.rate_u_per_h if asked.dose_u is not None else None,
        dose_ul=ul_from_u(asked.dose_u) if asked.dose_u is not None else None,
    )


def _dose_findings(doses: SingleDoses, asked: BasalQuestion) -> list[Finding]:
    """Say what is not known of single doses."""
    found = []
    if doses.reason is not None:
        found.append(Finding("doses", f"Single doses cannot be told apart: {doses.reason}."))
    if asked.dose_u is None and doses.interval_s is not None:
        found.append(
            Finding(
                "doses",
                f"The dose interval of {doses.interval_s:.5g} s was found from the data. Without --dose no dose can "
                "be called left out: a mean found from the record sinks with each.",
            )
        )
    return found


def _stability(part: BalanceLog, asked: BasalQuestion, scale: Scale) -> AllanDeviation | None:
    """The Allan deviation of flow; None for a part that is too short."""
    try:
        return flow_stability(
            part.at_s, scale.volume_ul(part), interval_s=usual_step_s(part), longest_gap_s=asked.longest_gap_s
        )
    except ValueError:
        return None


def _changed(mass_g: FloatArray, curve: TrumpetCurve, first_s: float, log: BalanceLog) -> list[Finding]:
    """Report a lasting change of flow: the cut that leaves the least squares, when the two means clearly differ."""
    flow = np.diff(mass_g) / (curve.rate_ml_per_h * curve.density_g_per_ml * curve.interval_min / 60.0)
    least = max(4, flow.size // 10)
    cuts = np.arange(least, flow.size - least + 1)
    if not cuts.size:
        return []
    sums, squares = np.concatenate([[0.0], np.cumsum(flow)]), float(flow @ flow)
    left = squares - sums[cuts] ** 2 / cuts - (sums[-1] - sums[cuts]) ** 2 / (flow.size - cuts)
    cut = int(cuts[np.argmin(left)])
    before, after = flow[:cut], flow[cut:]
    change = float(after.mean() - before.mean())
    u_change = float(np.hypot(before.std(ddof=1) / np.sqrt(before.size), after.std(ddof=1) / np.sqrt(after.size)))
    if abs(change) < max(CHANGED, 4.0 * u_change):
        return []
    at_s = first_s + 60.0 * curve.interval_min * cut
    row = int(log.row[np.searchsorted(log.at_s, at_s - 1e-6)])
    return [
        Finding(
            "change of flow",
            f"Up to about row {row} the mean flow is {before.mean():.3g} times the rate, from there {after.mean():.3g} "
            "times: if the programme changed there, cut the file and analyse the parts; one analysis has one rate.",
            row,
        )
    ]


def _bursts(mass_g: FloatArray, curve: TrumpetCurve, first_s: float, log: BalanceLog) -> list[Finding]:
    """Report a sample interval in which far more, or far less, came than in most: it decides the extremes."""
    flow = np.diff(mass_g) / (curve.rate_ml_per_h * curve.density_g_per_ml * curve.interval_min / 60.0)
    middle = float(np.median(flow))
    odd = np.flatnonzero((flow > BURST * max(middle, 1.0)) | (flow < -1.0))
    if not odd.size:
        return []
    worst = int(odd[np.argmax(np.abs(flow[odd]))])
    row = int(log.row[np.searchsorted(log.at_s, first_s + 60.0 * curve.interval_min * worst - 1e-6)])
    return [
        Finding(
            "burst",
            f"In {odd.size} of {flow.size} sample intervals the flow is far from the rest: {flow[worst]:.3g} times the "
            f"rate in that from row {row}. A pump may do so; so does a hand on the balance.",
            row,
        )
    ]


def _measured(
    log: BalanceLog, curve: TrumpetCurve, start_s: float, asked: BasalQuestion, scale: Scale
) -> tuple[Measured, ...]:
    def error(name: str, percent: float, hours: float) -> Measured:
        programmed_u = asked.rate_u_per_h * hours
        delivered_u = programmed_u * (1.0 + percent / 100.0)  # as on a bench: U is of what was weighed
        u = scale.expanded_uncertainty_u(delivered_u, 3600.0 * hours)
        return Measured(name, percent, "%", 100.0 * u / programmed_u if u is not None else None)

    found = [error("mean basal error", curve.overall_error_percent, curve.period_min / 60.0)]
    for index in np.flatnonzero(curve.windows_min == 60.0):
        found.append(error("largest error of a 60 min window", float(curve.error_max_percent[index]), 1.0))
        found.append(error("smallest error of a 60 min window", float(curve.error_min_percent[index]), 1.0))
    hours = [each for each in VOLUMES_H if start_s + 3600.0 * each <= log.at_s[-1]]
    if hours:
        grid_s = start_s + 3600.0 * np.array([0.0, *hours])
        at = resampled(log.at_s, scale.volume_ul(log), grid_s=grid_s, longest_gap_s=asked.longest_gap_s)
        for each, volume_ul in zip(hours, at[1:] - at[0], strict=True):
            volume_u = u_from_ul(float(volume_ul))
            name = f"volume in the first {each:g} h, without warm-up"
            found.append(Measured(name, volume_u, "U", scale.expanded_uncertainty_u(volume_u, 3600.0 * each)))
    return tuple(found)

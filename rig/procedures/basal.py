"""Basal delivery at one rate: blank run, stabilisation, the analysis period sampled throughout, blank run.

Not responsible for limits, nor for the formulas (`rig.analysis`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from rig.analysis.allan import AllanDeviation, flow_stability
from rig.analysis.budget import Budget
from rig.analysis.checks import FloatArray
from rig.analysis.flow import StartUpCurve, WindowStatistics, hourly_windows, start_up_of_record
from rig.analysis.pulses import MissedDoses, missed_doses
from rig.analysis.single_doses import single_doses
from rig.analysis.trumpet import TrumpetCurve, trumpet_curve
from rig.evidence import TestRecorder
from rig.limits import Measurement
from rig.procedures.bolus import wait_for_rest
from rig.procedures.budgets import (
    LARGEST,
    MEAN,
    SMALLEST,
    VOLUMES_H,
    WINDOW_MIN,
    basal_budgets,
    first_hours_measured,
    first_hours_names,
    keep_budgets,
    measured,
    notes_on_extremes,
)
from rig.procedures.contents import trumpet_content
from rig.procedures.gates import BLANK_S, blank_run, with_blanks
from rig.procedures.preparation import prepare, start_therapy
from rig.procedures.sampling import Series, sample_for, series
from rig.procedures.volume import VolumeScale
from rig.roles import Bench
from rig.units import ml_per_h_from_u_per_h, ul_from_u


class BasalNames(NamedTuple):
    """Names of the measurements at one rate, by which requirements ask for them."""

    mean: str
    largest: str
    smallest: str
    missed: str

    @classmethod
    def at(cls, rate_u_per_h: float) -> BasalNames:
        """Get the names at a rate in U/h."""
        window, rate = f"error of a {WINDOW_MIN} min window", f"at {rate_u_per_h:g} U/h"
        return cls(
            f"mean basal error {rate}", f"largest {window} {rate}", f"smallest {window} {rate}", f"missed doses {rate}"
        )


@dataclass(frozen=True)
class BasalPlan:
    """What to measure: rate in U/h, stabilisation and analysis period in h, sample interval S of the curve in min.

    IEC 60601-2-24 (method) for ambulatory pumps: S = 15 min, 24 h of stabilisation, 25 h of analysis. Single doses of
    `dose_u` are told apart by reading the balance every `sample_every_s`. Blank runs of `blank_s` stand around it all.
    """

    rate_u_per_h: float
    dose_u: float
    stabilisation_h: float = 24.0
    analysis_h: float = 25.0
    interval_min: float = 15.0
    windows_min: tuple[float, ...] = (15, 60, 150, 330, 570, 930)
    sample_every_s: float = 15.0
    stabilisation_sample_every_s: float = 300.0
    blank_s: float = BLANK_S

    @property
    def dose_interval_s(self) -> float:
        """Time from dose to dose in s."""
        return self.dose_u / self.rate_u_per_h * 3600.0

    @property
    def longest_gap_s(self) -> float:
        """Readings further apart than S have no line between them; a tenth more is the time that a reading takes."""
        return 66.0 * self.interval_min

    @property
    def names(self) -> BasalNames:
        """What the measurements are called."""
        return BasalNames.at(self.rate_u_per_h)

    @property
    def first_hours(self) -> tuple[str, ...]:
        """What the volumes of the first hours and their errors are called; none after a warm-up."""
        if self.stabilisation_h > 0.0:
            return ()
        rate = self.rate_u_per_h
        return tuple(name for hours in VOLUMES_H if hours <= self.analysis_h for name in first_hours_names(rate, hours))

    @property
    def stride(self) -> int:
        """Samples of the balance in a sample interval of the curve."""
        return round(self.interval_min * 60.0 / self.sample_every_s)


@dataclass(frozen=True)
class BasalResult:
    """The curve, hourly statistics and missed doses of one rate, and the measurements that requirements ask for.

    `budgets` has one for each weighed number, by its name.
    """

    curve: TrumpetCurve
    hourly: WindowStatistics
    missed: MissedDoses
    measurements: tuple[Measurement, ...]
    budgets: dict[str, Budget]


def measure_basal(bench: Bench, record: TestRecorder, plan: BasalPlan) -> BasalResult:
    """Deliver at one rate and measure what arrives; stops the pump at the end."""
    air = prepare(bench, record, rate_u_per_h=plan.rate_u_per_h)
    opening = blank_run(bench, record, "opening", duration_s=plan.blank_s)
    start_therapy(bench, record)
    record.step("stabilisation", hours=plan.stabilisation_h)
    stabilising_s = plan.stabilisation_h * 3600.0
    stabilising = series(
        sample_for(bench, record, "stabilisation", duration_s=stabilising_s, every_s=plan.stabilisation_sample_every_s)
    )
    record.step("analysis period", hours=plan.analysis_h)
    readings = series(
        sample_for(bench, record, "analysis period", duration_s=plan.analysis_h * 3600.0, every_s=plan.sample_every_s)
    )
    bench.pump.stop()
    record.step("therapy stopped")
    wait_for_rest(bench, record, "rest after the analysis period")
    closing = blank_run(bench, record, "closing", duration_s=plan.blank_s)
    scale = VolumeScale.of(with_blanks(bench, opening, closing), air)
    result = analyse_basal(readings, plan, scale)
    record.analysis("trumpet", "trumpet", _content(stabilising, readings, plan, scale, result))
    notes = notes_on_extremes(result.curve, result.budgets)
    keep_budgets(record, f"basal delivery at {plan.rate_u_per_h:g} U/h", result.budgets, notes)
    return result


def analyse_basal(readings: Series, plan: BasalPlan, scale: VolumeScale) -> BasalResult:
    """Compute the curve and the measurements from the readings of the analysis period."""
    mass_g = scale.dry_mass_g(readings)[:: plan.stride]
    common: dict[str, Any] = {
        "interval_min": plan.interval_min,
        "rate_ml_per_h": ml_per_h_from_u_per_h(plan.rate_u_per_h),
        "density_g_per_ml": scale.density_g_per_ml,
    }
    curve = trumpet_curve(mass_g, windows_min=plan.windows_min, **common)
    missed = missed_doses(
        readings.at_s,
        ul_from_u(1.0) * scale.delivered_u(readings),
        dose_interval_s=plan.dose_interval_s,
        dose_ul=ul_from_u(plan.dose_u),
    )
    budgets = basal_budgets(readings, curve, plan.rate_u_per_h, scale)
    names = plan.names
    asked_for = {MEAN: names.mean, LARGEST: names.largest, SMALLEST: names.smallest}
    measurements = (
        *(measured(asked_for[name], budget) for name, budget in budgets.items() if name in asked_for),
        Measurement(names.missed, missed.share_percent, "%"),
        *(first_hours_measured(budgets, plan.rate_u_per_h) if plan.stabilisation_h == 0.0 else ()),
    )
    return BasalResult(curve, hourly_windows(mass_g, **common), missed, measurements, budgets)


def _content(
    stabilising: Series, readings: Series, plan: BasalPlan, scale: VolumeScale, result: BasalResult
) -> dict[str, Any]:
    """Get what a reader of the curve must see beside it."""
    volume_ul = ul_from_u(1.0) * scale.delivered_u(readings)
    return trumpet_content(
        result.curve,
        scale.dry_mass_g(readings)[:: plan.stride],
        rate_u_per_h=plan.rate_u_per_h,
        stabilisation_h=plan.stabilisation_h,
        hourly=result.hourly,
        evaporation=scale.evaporation,
        doses=single_doses(
            readings.at_s,
            volume_ul,
            step_s=plan.sample_every_s,
            longest_gap_s=plan.longest_gap_s,
            dose_interval_s=plan.dose_interval_s,
            dose_ul=ul_from_u(plan.dose_u),
        ),
        start_up=_start_up(stabilising, plan, scale),
        stability=_stability(readings, volume_ul, plan),
        scale=scale,
    )


def _start_up(stabilising: Series, plan: BasalPlan, scale: VolumeScale) -> StartUpCurve | None:
    """Get the flow over the stabilisation period; None where it was read too seldom, or holds no sample interval."""
    try:
        return start_up_of_record(
            stabilising.at_s,
            scale.dry_mass_g(stabilising),
            start_s=float(stabilising.at_s[0]),
            duration_min=60.0 * plan.stabilisation_h,
            interval_min=plan.interval_min,
            longest_gap_s=plan.longest_gap_s,
            density_g_per_ml=scale.density_g_per_ml,
        )
    except ValueError:
        return None


def _stability(readings: Series, volume_ul: FloatArray, plan: BasalPlan) -> AllanDeviation | None:
    """Get the Allan deviation of flow; None where the analysis period is too short."""
    try:
        return flow_stability(
            readings.at_s, volume_ul, interval_s=plan.sample_every_s, longest_gap_s=plan.longest_gap_s
        )
    except ValueError:
        return None

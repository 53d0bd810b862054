"""Basal delivery at one rate: blank run, stabilisation, the analysis period sampled throughout, blank run.

Not responsible for limits, nor for the formulas (`rig.analysis`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from rig.analysis.allan import AllanDeviation, flow_stability
from rig.analysis.budget import Budget
from rig.analysis.capability import Measurand
from rig.analysis.checks import FloatArray
from rig.analysis.dose_phase import MIN_SAMPLES_PER_DOSE
from rig.analysis.flow import StartUpCurve, hourly_windows, start_up_of_record
from rig.analysis.pulses import MIN_DOSES, missed_doses
from rig.analysis.resample import on_grid
from rig.analysis.single_doses import single_doses
from rig.analysis.trumpet import AMBULATORY, TrumpetCurve, trumpet_curve
from rig.analysis.uncertainty import OF_ONE_WEIGHING, bias_of_extremes
from rig.procedures.between_blanks import scale_between_blanks
from rig.procedures.bounds import Dose, Rate, SampleEvery, lasting
from rig.procedures.budgets import measured
from rig.procedures.contents import trumpet_content
from rig.procedures.from_sheet import FromSheet
from rig.procedures.gaps import longest_step_s, with_doubt
from rig.procedures.gates import blank_run
from rig.procedures.parameters import HOURS, RATE, WINDOW
from rig.procedures.preparation import prepare, start_therapy
from rig.procedures.procedure import BetweenBlanks, Computed
from rig.procedures.rest import wait_for_rest
from rig.procedures.sampling import sample_for
from rig.procedures.volume import VolumeScale
from rig.record.taking import Recorder, Series, Taken, joined
from rig.roles import Bench, Capability, Metrology
from rig.toml_files import TimeS
from rig.units import ml_per_h_from_u_per_h, u_from_ul, ul_from_u
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Quantity

WINDOW_MIN = 60
FIRST_HOURS = (1, 6, 12)
"""21 CFR 880.5730 labels state the volume after so many hours without warm-up."""
STABILISATION, ANALYSIS, REST = "stabilisation", "analysis period", "rest after the analysis period"
SHOWN_S = 3.0
"""A dose takes no less to come through a line and to be shown by a balance: a reading that is off its moment by a tenth
of it may show a tenth of a dose too much or too little."""
MOMENTS = "moments of readings"
AFTER = 10
"""Readings that follow the analysis period and may lie around its end, when the first one came late."""
KNOWN_SHARE = 0.5
"""A mass on the grid that a gap leaves in doubt by more than this share of the smallest window's U is not known: two of
them would hide that much."""

MEAN = Kind("basal.mean_error", "mean basal error at {rate}", ("%",), (RATE,), "Error over the whole analysis period.")
LARGEST, SMALLEST = (
    Kind(
        f"basal.{which}_window_error",
        f"{which} error of a {{window}} window at {{rate}}",
        ("%",),
        (WINDOW, RATE),
        f"The {which} flow error of all windows of that length, overlapping (IEC 60601-2-24, method: trumpet curve).",
    )
    for which in ("largest", "smallest")
)
MISSED = Kind("basal.missed_doses", "missed doses at {rate}", ("%",), (RATE,), "Share of single doses left out.")
FIRST_VOLUME = Kind(
    "basal.first_volume",
    "volume of the first {hours} at {rate}",
    ("U",),
    (HOURS, RATE),
    "Volume after 1, 6 or 12 h from the first request, without warm-up (21 CFR 880.5730 labels).",
)
FIRST_ERROR = Kind(
    "basal.first_error", "error of the first {hours} at {rate}", ("%",), (HOURS, RATE), "The error of that volume."
)


@dataclass(frozen=True, eq=False)
class MassesOnGrid:
    """Masses in g at each S, corrected for evaporation; which are known; and u in g of one read off its moment."""

    mass_g: FloatArray
    known: NDArray[np.bool_]
    u_moment_g: float


_STABILISATION_S = 60.0 * AMBULATORY.stabilisation_min


class Basal(BetweenBlanks):
    """Weigh basal delivery at one rate: stabilisation, then an analysis period; S and P of the trumpet curve.

    IEC 60601-2-24 (method) for ambulatory pumps: S = 15 min, 24 h of stabilisation, 25 h of analysis. Single doses of
    `dose_u` are told apart by reading the balance every `sample_every_s`.
    """

    TABLE: ClassVar = "basal"
    KEYWORD: ClassVar = "Weigh Basal Delivery"
    IN_WORDS: ClassVar = "basal delivery at {title}"
    KINDS: ClassVar = (MEAN, LARGEST, SMALLEST, MISSED, FIRST_VOLUME, FIRST_ERROR)

    rate_u_per_h: Annotated[Rate, Field(alias="rate")]
    dose_u: Annotated[Dose, FromSheet("dose.size"), Field(alias="dose")] = 0.025
    stabilisation_s: Annotated[TimeS, lasting("0 h"), Field(alias="stabilisation")] = (
        60.0 * AMBULATORY.stabilisation_min
    )
    analysis_s: Annotated[TimeS, lasting("1 h"), Field(alias="analysis")] = 60.0 * AMBULATORY.analysis_min
    interval_s: Annotated[TimeS, lasting("1 s"), Field(alias="interval")] = 60.0 * AMBULATORY.interval_min
    windows_s: Annotated[tuple[Annotated[TimeS, lasting("1 s")], ...], Field(alias="windows", min_length=1)] = tuple(
        60.0 * window_min for window_min in AMBULATORY.windows_min
    )
    sample_every_s: Annotated[SampleEvery, Field(alias="sample_every")] = 15.0
    warm_up_sample_every_s: Annotated[SampleEvery, Field(alias="warm_up_sample_every")] = 300.0

    @model_validator(mode="after")
    def _periods_fit(self) -> Self:
        for what, longer in {"a window": self.windows_s, "1 h": (3600.0,), "analysis": (self.analysis_s,)}.items():
            if any(_broken(each, self.interval_s) for each in longer):
                raise ValueError(f"interval is {self.interval_s:g} s, and {what} is not a multiple of it")
        if _broken(self.interval_s, self.sample_every_s):
            raise ValueError(f"interval is {self.interval_s:g} s, which is no multiple of sample_every")
        if max(self.windows_s) > self.analysis_s:
            raise ValueError(f"the longest window, {max(self.windows_s):g} s, is longer than analysis")
        if twice := [each for each in self.windows_s if self.windows_s.count(each) > 1]:
            raise ValueError(f"windows has {twice[0]:g} s twice")
        return self

    @model_validator(mode="after")
    def _doses_can_be_told_apart(self) -> Self:
        longest_s = self.dose_interval_s / MIN_SAMPLES_PER_DOSE
        came = f"doses of {self.dose_u:g} U at {self.rate_u_per_h:g} U/h come every {self.dose_interval_s:g} s"
        if self.sample_every_s > longest_s * (1.0 + 1e-9):
            raise ValueError(
                f"{came}, so that sample_every must be {longest_s:g} s or shorter, and it is {self.sample_every_s:g} s"
            )
        if self.analysis_s < MIN_DOSES * self.dose_interval_s:
            raise ValueError(f"{came}, and analysis, {self.analysis_s:g} s, is shorter than {MIN_DOSES} of them")
        return self

    @property
    def title(self) -> str:
        """What tells it from other basal measurements: its rate."""
        return f"{self.rate_u_per_h:g} U/h"

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (Capability.BASAL_PROFILE,)

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U."""
        return self.rate_u_per_h * (self.stabilisation_s + self.analysis_s) / 3600.0

    @property
    def dose_interval_s(self) -> float:
        """Time from dose to dose in s."""
        return self.dose_u / self.rate_u_per_h * 3600.0

    @property
    def longest_gap_s(self) -> float:
        """Readings further apart than S have no line between them; a tenth more is the time that a reading takes."""
        return 1.1 * self.interval_s

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures; volumes of the first hours only without a warm-up."""
        rate = self.rate_u_per_h
        windows = [kind.of(window=60.0 * WINDOW_MIN, rate=rate) for kind in (LARGEST, SMALLEST) if self._has_hours]
        first = [kind.of(hours=3600.0 * hours, rate=rate) for hours in self._first_hours for kind in _FIRST]
        return (MEAN.of(rate=rate), *windows, MISSED.of(rate=rate), *first)

    @property
    def bench_time_s(self) -> float:
        """Stabilisation, analysis and what is around them, in s."""
        return self.stabilisation_s + self.analysis_s + self.around_s

    @property
    def extent(self) -> Mapping[str, float]:
        """How long it stabilises and analyses, in s."""
        return {"stabilisation": self.stabilisation_s, "analysis": self.analysis_s}

    @property
    def measurands(self) -> Mapping[Quantity, Measurand]:
        """The whole analysis period, and each window of an hour."""
        hours, hour_ul = self.analysis_s / 3600.0, ul_from_u(self.rate_u_per_h)
        each = Measurand(hour_ul, 1.0, round((self.analysis_s - 3600.0) / self.interval_s) + 1)
        windows = {quantity: each for quantity in self.quantities if quantity.kind in (LARGEST.name, SMALLEST.name)}
        return {MEAN.of(rate=self.rate_u_per_h): Measurand(hour_ul * hours, hours), **windows}

    @property
    def _has_hours(self) -> bool:
        return 60.0 * WINDOW_MIN in self.windows_s

    @property
    def _first_hours(self) -> tuple[int, ...]:
        if self.stabilisation_s > 0.0:
            return ()
        return tuple(hours for hours in FIRST_HOURS if 3600.0 * hours <= self.analysis_s)

    def take(self, bench: Bench, record: Recorder) -> None:
        """Deliver at one rate and read what arrives; stops the pump at the end."""
        prepare(bench, record, rate_u_per_h=self.rate_u_per_h)
        blank_run(bench, record, "opening", duration_s=self.blank_s)
        start_therapy(bench, record)
        record.step("stabilisation", hours=self.stabilisation_s / 3600.0)
        every_s = self.warm_up_sample_every_s
        sample_for(bench, record, STABILISATION, duration_s=self.stabilisation_s, every_s=every_s)
        record.step("analysis period", hours=self.analysis_s / 3600.0)
        sample_for(
            bench,
            record,
            ANALYSIS,
            duration_s=self.analysis_s,
            every_s=self.sample_every_s,
            longest_gap_s=self.longest_gap_s,
        )
        bench.pump.stop()
        record.step("therapy stopped")
        wait_for_rest(bench, record, REST)
        blank_run(bench, record, "closing", duration_s=self.blank_s)

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Compute the curve and the measurements from the readings of the analysis period."""
        scale = scale_between_blanks(taken, metrology, blank_s=self.blank_s)
        return self.computed(taken.series(STABILISATION), taken.series(ANALYSIS), taken.series(REST), scale)

    def computed(self, stabilising: Series, readings: Series, after: Series, scale: VolumeScale) -> Computed:
        """Compute the same from arrays and a scale; `after` are readings after the analysis period."""
        whole = joined(readings, after.part(slice(0, AFTER)))
        grid = self.on_grid(whole, scale)
        mass_g, known = grid.mass_g, grid.known
        volume_ul = ul_from_u(1.0) * scale.delivered_u(readings)
        common: dict[str, Any] = {
            "interval_min": self.interval_s / 60.0,
            "rate_ml_per_h": ml_per_h_from_u_per_h(self.rate_u_per_h),
            "density_g_per_ml": scale.density_g_per_ml,
            "known": known,
        }
        curve = trumpet_curve(mass_g, windows_min=tuple(each / 60.0 for each in self.windows_s), **common)
        hourly = hourly_windows(mass_g, **common) if self.analysis_s >= 2 * 60.0 * WINDOW_MIN else None
        doses: dict[str, float] = {"dose_interval_s": self.dose_interval_s, "dose_ul": ul_from_u(self.dose_u)}
        missed = missed_doses(readings.at_s, volume_ul, **doses)
        budgets = self.budgets(whole, curve, scale, u_moment_g=grid.u_moment_g)
        analysis = trumpet_content(
            curve,
            mass_g,
            rate_u_per_h=self.rate_u_per_h,
            stabilisation_h=self.stabilisation_s / 3600.0,
            hourly=hourly,
            evaporation=scale.evaporation,
            doses=single_doses(
                readings.at_s,
                volume_ul,
                step_s=self.sample_every_s,
                longest_gap_s=self.longest_gap_s,
                **doses,
            ),
            start_up=self._start_up(stabilising, scale),
            stability=self._stability(readings, volume_ul),
            scale=scale,
        )
        return Computed(
            measured=(
                *(measured(quantity, budget) for quantity, budget in budgets.items()),
                Measurement(MISSED.of(rate=self.rate_u_per_h), missed.share_percent),
            ),
            analyses={"trumpet": analysis},
            budgets=budgets,
            notes=notes_on_extremes(curve, budgets),
        )

    def on_grid(self, readings: Series, scale: VolumeScale) -> MassesOnGrid:
        """Take the masses at each S from the first reading on, on lines between readings at the times they came.

        One that a gap leaves in doubt has no place in a window; one whose reading came a little off its moment has, and
        U holds what that may be.
        """
        start_s = float(readings.at_s[0])
        grid_s = start_s + self.interval_s * np.arange(round(self.analysis_s / self.interval_s) + 1)
        found = on_grid(readings.at_s, scale.dry_mass_g(readings), grid_s=grid_s)
        window_s = min(self.windows_s)
        window = scale.budget(self.rate_u_per_h * window_s / 3600.0, window_s)
        allowed_g = KNOWN_SHARE * ul_from_u(window.expanded) * scale.density_g_per_ml * 1e-3
        in_a_gap = (found.step_s > longest_step_s(self.sample_every_s)) | ~np.isfinite(found.doubt)
        late_g = np.where(in_a_gap, found.doubt, found.beside * np.minimum(found.apart_s / SHOWN_S, 1.0))
        known = ~in_a_gap | (found.doubt <= allowed_g)
        return MassesOnGrid(found.values, known, float(np.sqrt(np.mean(late_g[known] ** 2) / 3.0)))

    def budgets(
        self, readings: Series, curve: TrumpetCurve, scale: VolumeScale, *, u_moment_g: float = 0.0
    ) -> dict[Quantity, Budget]:
        """Write a budget for each weighed number; first hours count from the first reading.

        `u_moment_g` is the standard uncertainty of a mass on the grid whose reading came off its moment.
        """
        rate = self.rate_u_per_h
        u_moments_u = math.sqrt(2.0) * u_from_ul(u_moment_g * 1e3 / scale.density_g_per_ml)

        def error(percent: float, hours: float) -> Budget:
            programmed_u = rate * hours
            delivered_u = programmed_u * (1.0 + percent / 100.0)
            volume = scale.budget(delivered_u, 3600.0 * hours)
            if u_moments_u:
                volume = volume.plus(MOMENTS, "B", u_moments_u)
            return volume.error_percent_of(programmed_u)

        budgets = {MEAN.of(rate=rate): error(curve.overall_error_percent, curve.period_min / 60.0)}
        for window in _hours_in(curve):
            for kind, extremes in ((LARGEST, curve.error_max_percent), (SMALLEST, curve.error_min_percent)):
                quantity = kind.of(window=60.0 * WINDOW_MIN, rate=rate)
                budgets[quantity] = error(float(extremes[window]), WINDOW_MIN / 60.0)
        if not self._first_hours:
            return budgets
        at_s, delivered_u = readings.at_s - readings.at_s[0], scale.delivered_u(readings)
        first = on_grid(at_s, delivered_u, grid_s=3600.0 * np.array(self._first_hours, dtype=np.float64))
        for hours, volume_u, doubt_u in zip(self._first_hours, first.values, first.doubt, strict=True):
            volume = with_doubt(scale.budget(float(volume_u), 3600.0 * hours), float(doubt_u))
            budgets[FIRST_VOLUME.of(hours=3600.0 * hours, rate=rate)] = volume
            budgets[FIRST_ERROR.of(hours=3600.0 * hours, rate=rate)] = volume.error_percent_of(rate * hours)
        return budgets

    def _start_up(self, stabilising: Series, scale: VolumeScale) -> StartUpCurve | None:
        """Compute the flow over the stabilisation period; None where it was read too seldom, or holds no interval."""
        try:
            return start_up_of_record(
                stabilising.at_s,
                scale.dry_mass_g(stabilising),
                start_s=float(stabilising.at_s[0]),
                duration_min=self.stabilisation_s / 60.0,
                interval_min=self.interval_s / 60.0,
                longest_gap_s=self.longest_gap_s,
                density_g_per_ml=scale.density_g_per_ml,
            )
        except ValueError:
            return None

    def _stability(self, readings: Series, volume_ul: FloatArray) -> AllanDeviation | None:
        """Compute the Allan deviation of flow; None where the analysis period is too short."""
        try:
            return flow_stability(
                readings.at_s, volume_ul, interval_s=self.sample_every_s, longest_gap_s=self.longest_gap_s
            )
        except ValueError:
            return None


_FIRST = (FIRST_VOLUME, FIRST_ERROR)


def _hours_in(curve: TrumpetCurve) -> list[int]:
    """Find the window of an hour in a curve; none where a plan left it out."""
    return [int(window) for window in np.flatnonzero(curve.windows_min == WINDOW_MIN)]


def notes_on_extremes(curve: TrumpetCurve, budgets: Mapping[Quantity, Budget]) -> dict[Quantity, str]:
    """Say by how much noise may have pushed the extreme windows outwards: a bias that U holds no part of."""
    notes: dict[Quantity, str] = {}
    for quantity, budget in budgets.items():
        if quantity.kind not in (LARGEST.name, SMALLEST.name):
            continue
        (window,) = _hours_in(curve)
        windows = curve.windows_counted[window]
        own = [row.contribution for row in budget.rows if row.source in OF_ONE_WEIGHING]
        bias = bias_of_extremes(math.hypot(*own), windows)
        notes[quantity] = (
            f"The extreme of {windows} windows: noise pushes it outwards, on average by no more than {bias:.2g} %, "
            "and by next to nothing where the pump itself varies far more than that. U holds no part of it."
        )
    return notes


def _broken(longer_s: float, shorter_s: float) -> bool:
    """Say whether `shorter_s` does not go into `longer_s` a whole number of times."""
    return abs(longer_s / shorter_s - round(longer_s / shorter_s)) > 1e-9

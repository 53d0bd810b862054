"""One run of the light bench: basal delivery or consecutive boluses, analysed as the procedures do.

Not responsible for counting (`outcomes`), nor for the whole bench (`whole_bench`).
"""

from __future__ import annotations

import numpy as np

from rig.analysis.bolus import WeighedBolus, plateau_reached, weigh_bolus
from rig.analysis.trumpet import trumpet_curve
from rig.procedures.basal import (
    FIRST_ERROR,
    FIRST_HOURS,
    FIRST_VOLUME,
    LARGEST,
    MEAN,
    SMALLEST,
    WINDOW_MIN,
    Basal,
)
from rig.procedures.budgets import bolus_budget, mean_bolus_budget
from rig.procedures.rest import AVERAGED_S, REST_SPAN_S, SAMPLE_EVERY_S, rest_tolerance_g
from rig.procedures.sampling import Sample, series_of
from rig.procedures.volume import VolumeScale
from rig.units import ml_per_h_from_u_per_h, ul_from_u
from rig.verdicts.quantities import Quantity
from suites.studies.coverage.laboratory import Laboratory
from suites.studies.coverage.light import DOSE_U, LightBench
from suites.studies.coverage.outcomes import Outcome

ANALYSIS_H = 25.0
INTERVAL_MIN = 15.0
RATES_U_PER_H = (0.05, 0.1, 1.0)
BOLUSES = {0.05: 25, 1.0: 25, 10.0: 12}
"""Size in U: how many."""


def basal_run(lab: Laboratory, rate_u_per_h: float) -> list[Outcome]:
    """Deliver for 25 h from the start, the first dose at any moment of its interval; the budgets that a test keeps."""
    bench = LightBench(lab)
    first_dose_s = np.random.default_rng([lab.seed, 1]).uniform(0.0, DOSE_U / rate_u_per_h * 3600.0)
    samples = bench.basal(
        rate_u_per_h, first_dose_s=first_dose_s, duration_s=ANALYSIS_H * 3600.0, sample_every_s=INTERVAL_MIN * 60.0
    )
    scale = lab.scale(bench.air)
    readings = series_of(samples)
    curve = trumpet_curve(
        scale.dry_mass_g(readings),
        interval_min=INTERVAL_MIN,
        rate_ml_per_h=ml_per_h_from_u_per_h(rate_u_per_h),
        density_g_per_ml=scale.density_g_per_ml,
    )
    budgets = cold_start(rate_u_per_h).budgets(readings, curve, scale)
    truths = basal_truths(np.array(bench.truth_u), rate_u_per_h)
    return [Outcome(str(quantity), truths[quantity], budget) for quantity, budget in budgets.items()]


def cold_start(rate_u_per_h: float) -> Basal:
    """Ask for basal delivery for 25 h without warm-up: every number that a basal test reports."""
    return Basal(
        rate_u_per_h=rate_u_per_h,
        dose_u=DOSE_U,
        stabilisation_s=0.0,
        analysis_s=ANALYSIS_H * 3600.0,
        interval_s=INTERVAL_MIN * 60.0,
        sample_every_s=15.0 if rate_u_per_h >= 1.0 else 60.0,
    )


def basal_truths(truth_u: np.ndarray, rate_u_per_h: float) -> dict[Quantity, float]:
    """Compute what the budgets of a basal test ought to hold, from the truth at each sample interval of the curve."""
    per_hour = round(60.0 / INTERVAL_MIN)
    span = round(WINDOW_MIN / INTERVAL_MIN)
    programmed_u = rate_u_per_h * WINDOW_MIN / 60.0
    windows = 100.0 * ((truth_u[span:] - truth_u[:-span]) / programmed_u - 1.0)
    whole_u = rate_u_per_h * (truth_u.size - 1) / per_hour
    window_s = 60.0 * WINDOW_MIN
    truths = {
        MEAN.of(rate=rate_u_per_h): float(100.0 * ((truth_u[-1] - truth_u[0]) / whole_u - 1.0)),
        LARGEST.of(window=window_s, rate=rate_u_per_h): float(windows.max()),
        SMALLEST.of(window=window_s, rate=rate_u_per_h): float(windows.min()),
    }
    for hours in FIRST_HOURS:
        first_s = 3600.0 * hours
        volume_u = float(truth_u[hours * per_hour] - truth_u[0])
        truths[FIRST_VOLUME.of(hours=first_s, rate=rate_u_per_h)] = volume_u
        truths[FIRST_ERROR.of(hours=first_s, rate=rate_u_per_h)] = 100.0 * (volume_u / (rate_u_per_h * hours) - 1.0)
    return truths


def bolus_run(lab: Laboratory, insulin_u: float, count: int) -> list[Outcome]:
    """Deliver consecutive boluses and weigh each to its plateau, as `rig.procedures.bolus` does."""
    bench = LightBench(lab)
    scale = lab.scale(bench.air)
    rest = _rest(bench, lab)
    weighed, truths_u = [], []
    for _ in range(count):
        before_u, start_s = bench.delivered_u(), bench.clock.now()
        bench.bolus(insulin_u)
        planned_end_s = bench.clock.now()
        after = _rest(bench, lab)
        bolus, rest = _weigh(scale, rest, after, start_s, planned_end_s)
        weighed.append(bolus)
        truths_u.append(bench.delivered_u() - before_u)
    volumes_ul = [bolus.volume_ul for bolus in weighed]
    mean = mean_bolus_budget(scale, weighed)
    scatter_u = float(np.std(volumes_ul, ddof=1)) / ul_from_u(1.0) / np.sqrt(count)
    long_run_u = insulin_u * (1.0 + bench.bias_percent / 100.0)
    largest, smallest = (weighed[int(pick(volumes_ul))] for pick in (np.argmax, np.argmin))
    size = f"{insulin_u:g} U"
    return [
        Outcome(f"{size}: single bolus", truths_u[-1], bolus_budget(scale, weighed[-1])),
        Outcome(f"{size}: largest bolus", max(truths_u), bolus_budget(scale, largest)),
        Outcome(f"{size}: smallest bolus", min(truths_u), bolus_budget(scale, smallest)),
        Outcome(f"{size}: mean of {count}", float(np.mean(truths_u)), mean),
        Outcome(
            f"{size}: pump in the long run, from the scatter of {count}",
            long_run_u,
            mean.plus("scatter", "A", scatter_u, count - 1),
        ),
    ]


def _rest(bench: LightBench, lab: Laboratory) -> list[Sample]:
    """Sample until the balance is at rest."""
    metrology, samples = lab.declares, [bench.sample()]
    look_back = round(REST_SPAN_S / SAMPLE_EVERY_S) + 5
    while True:
        recent = series_of(samples[-look_back:])
        if plateau_reached(
            recent.at_s,
            recent.mass_g,
            span_s=REST_SPAN_S,
            tolerance_g=rest_tolerance_g(metrology),
            evaporation_g_per_h=metrology.evaporation_g_per_h,
        ):
            return samples
        bench.clock.sleep(SAMPLE_EVERY_S)
        samples.append(bench.sample())


def _weigh(
    scale: VolumeScale, rest: list[Sample], after: list[Sample], start_s: float, planned_end_s: float
) -> tuple[WeighedBolus, list[Sample]]:
    """Weigh one bolus; returns it and the rest that the next one begins from."""
    plateau_s = max(planned_end_s, after[-1].at_s - AVERAGED_S)
    readings = series_of([*rest, *after])
    weighed = weigh_bolus(
        readings.at_s,
        readings.mass_g,
        start_s=start_s,
        planned_end_s=planned_end_s,
        plateau_s=plateau_s,
        z_ul_per_mg=scale.z_ul_per_mg,
        evaporation_g_per_h=scale.metrology.evaporation_g_per_h,
    )
    return weighed, [sample for sample in after if sample.at_s >= plateau_s]

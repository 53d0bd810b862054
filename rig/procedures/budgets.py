"""A budget for each number that a procedure reports, the measurement it stands behind, and its place in the record.

Not responsible for the arithmetic of budgets (`rig.analysis.budget`) nor for what is measured.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import product
from typing import Any

import numpy as np

from rig.analysis.bolus import WeighedBolus
from rig.analysis.budget import Budget
from rig.analysis.trumpet import TrumpetCurve
from rig.analysis.uncertainty import OF_ONE_WEIGHING, bias_of_extremes
from rig.evidence import TestRecorder
from rig.limits import Measurement
from rig.procedures.sampling import Series
from rig.procedures.volume import VolumeScale
from rig.units import u_from_ul

WINDOW_MIN = 60
MEAN = "mean basal error"
LARGEST, SMALLEST = (f"{which} error of a {WINDOW_MIN} min window" for which in ("largest", "smallest"))
VOLUMES_H = (1, 6, 12)
FIRST_HOURS = {hours: f"volume of the first {hours} h" for hours in VOLUMES_H}


def measured(name: str, budget: Budget) -> Measurement:
    """Get the measurement that a budget stands behind: its value, unit and U."""
    return Measurement(name, budget.value, budget.unit, budget.expanded)


def basal_budgets(readings: Series, curve: TrumpetCurve, rate_u_per_h: float, scale: VolumeScale) -> dict[str, Budget]:
    """Get a budget for the mean error and the extreme windows in %, and the volumes after 1, 6 and 12 h in U, by name.

    Volumes count from the first reading; those after its end are left out.
    """

    def error(percent: float, hours: float) -> Budget:
        programmed_u = rate_u_per_h * hours
        delivered_u = programmed_u * (1.0 + percent / 100.0)
        return scale.budget(delivered_u, 3600.0 * hours).error_percent_of(programmed_u)

    budgets = {MEAN: error(curve.overall_error_percent, curve.period_min / 60.0)}
    for window in _windows(curve):
        budgets[LARGEST] = error(float(curve.error_max_percent[window]), WINDOW_MIN / 60.0)
        budgets[SMALLEST] = error(float(curve.error_min_percent[window]), WINDOW_MIN / 60.0)
    at_s, delivered_u = readings.at_s - readings.at_s[0], scale.delivered_u(readings)
    for hours in VOLUMES_H:
        if 60.0 * hours <= curve.period_min:
            volume_u = float(np.interp(3600.0 * hours, at_s, delivered_u))
            budgets[FIRST_HOURS[hours]] = scale.budget(volume_u, 3600.0 * hours)
    return budgets


def first_hours_measured(budgets: Mapping[str, Budget], rate_u_per_h: float) -> list[Measurement]:
    """Get the volumes after 1, 6 and 12 h in U and their errors in % as measurements, from the budgets of a test.

    They tell of the start only where nothing was delivered before (21 CFR 880.5730 labels, without warm-up).
    """
    measurements = []
    for hours, name in FIRST_HOURS.items():
        if name in budgets:
            error = budgets[name].error_percent_of(rate_u_per_h * hours)
            volume_name, error_name = first_hours_names(rate_u_per_h, hours)
            measurements += [measured(volume_name, budgets[name]), measured(error_name, error)]
    return measurements


def first_hours_names(rate_u_per_h: float, hours: float) -> tuple[str, str]:
    """Get what the volume of the first hours at a rate in U/h and its error are called as measurements."""
    of = f"of the first {hours:g} h at {rate_u_per_h:g} U/h"
    return f"volume {of}", f"error {of}"


def notes_on_extremes(curve: TrumpetCurve, budgets: Mapping[str, Budget]) -> dict[str, str]:
    """Say by how much noise may have pushed the extreme windows outwards: a bias that U holds no part of."""
    notes = {}
    for name, window in product((LARGEST, SMALLEST), _windows(curve)):
        windows = curve.windows_counted[window]
        own = [row.contribution for row in budgets[name].rows if row.source in OF_ONE_WEIGHING]
        bias = bias_of_extremes(math.hypot(*own), windows)
        notes[name] = (
            f"The extreme of {windows} windows: noise pushes it outwards, on average by no more than {bias:.2g} %, "
            "and by next to nothing where the pump itself varies far more than that. U holds no part of it."
        )
    return notes


def _windows(curve: TrumpetCurve) -> list[int]:
    """Find the window of `WINDOW_MIN` in a curve; none where a plan left it out."""
    return [int(window) for window in np.flatnonzero(curve.windows_min == WINDOW_MIN)]


def bolus_budget(scale: VolumeScale, bolus: WeighedBolus) -> Budget:
    """Get the budget of one weighed bolus in U."""
    return scale.budget(u_from_ul(bolus.volume_ul), bolus.rest_s, readings_averaged=bolus.readings)


def mean_bolus_budget(scale: VolumeScale, weighed: Sequence[WeighedBolus]) -> Budget:
    """Get the budget in U of the mean of consecutive boluses, as delivered.

    Each rest ends one bolus and begins the next, so their sum is one difference of the last rest and the first: their
    scatter counts once, and calibration, Z, evaporation and wander do not average out.
    """
    budget = scale.budget(
        u_from_ul(sum(bolus.volume_ul for bolus in weighed)),
        sum(bolus.rest_s for bolus in weighed),
        readings_averaged=min(bolus.readings for bolus in weighed),
    )
    return budget.linear(1.0 / len(weighed), unit="U")


def bolus_budgets(insulin_u: float, scale: VolumeScale, weighed: Sequence[WeighedBolus]) -> dict[str, Budget]:
    """Get a budget for each number that is reported of a series, by the name of its measurement.

    The last is for more boluses of this pump than these n: their scatter is then a source too (type A, n − 1 degrees
    of freedom), as if boluses were independent, which they need not be (docs/uncertainty.md). It decides nothing.
    """
    size, n = f"{insulin_u:g} U", len(weighed)
    by_volume = sorted(weighed, key=lambda bolus: bolus.volume_ul)
    mean = mean_bolus_budget(scale, weighed)
    scatter_u = u_from_ul(float(np.std([bolus.volume_ul for bolus in weighed], ddof=1))) / math.sqrt(n)
    budgets = {
        f"mean bolus error at {size}": mean,
        f"largest bolus error at {size}": bolus_budget(scale, by_volume[-1]),
        f"smallest bolus error at {size}": bolus_budget(scale, by_volume[0]),
        f"mean bolus error at {size}, of more than these {n}": mean.plus(f"scatter of {n}", "A", scatter_u, n - 1),
    }
    return {name: error_of(insulin_u, budget) for name, budget in budgets.items()}


def error_of(programmed_u: float, delivered: Budget) -> Budget:
    """Get the error of a delivered amount: in % from 1 U up, in U below, as accuracy claims are made."""
    if programmed_u >= 1.0:
        return delivered.error_percent_of(programmed_u)
    return delivered.linear(1.0, offset=-programmed_u, unit="U")


def moment_budget(late_s: float, volume: Budget, *, flow_u_per_h: float, sources: Mapping[str, float]) -> Budget:
    """Get the budget in s of the moment at which a volume in U was reached, given how late in s that was.

    What is not known of the volume is, at this flow, a time; `sources` are further standard uncertainties in s, type B.
    """
    seconds_per_u = 3600.0 / flow_u_per_h
    budget = volume.linear(seconds_per_u, offset=late_s - seconds_per_u * volume.value, unit="s")
    for source, u_s in sources.items():
        budget = budget.plus(source, "B", u_s)
    return budget


def keep_budgets(
    record: TestRecorder, of_what: str, budgets: Mapping[str, Budget], notes: Mapping[str, str] | None = None
) -> None:
    """Keep budgets by the name of their quantity as the analysis "uncertainty", with a sentence beside some of them."""
    kept = [
        {"quantity": name, "note": (notes or {}).get(name), **_plain(asdict(budget))}
        for name, budget in budgets.items()
    ]
    record.analysis("uncertainty", "budget", {"title": f"Uncertainty of {of_what}", "budgets": kept})


def _plain(content: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Replace infinite degrees of freedom, which JSON does not know, by None."""
    if isinstance(content, dict):
        return {key: _plain(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_plain(value) for value in content]
    return None if content == math.inf else content

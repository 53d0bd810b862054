"""Basal delivery at one rate: the trumpet curve, what must stand beside it, and its further curves.

Not responsible for the numbers, which the record holds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from reports.blocks import Block, evaporation_rows, facts, table, text
from reports.kinds.basal_curves import drawn_trumpet, flow_curve, further_curves
from reports.kinds.kind import AnalysisKind, DrawnLimits, Method
from reports.tables import Cell, Tables
from reports.words import NBSP, and_list, quantity
from rig.record.analyses import Hourly, Trumpet

FOUND = 3e-4
"""Relative: the clock of a pump and that of a log may differ by so much. Assumption."""


def _blocks(curve: Trumpet, limits: DrawnLimits) -> list[Block]:
    further, missing = further_curves(curve, limits)
    return [
        facts(
            ("Programmed rate", f"{curve.rate_u_per_h:g}{NBSP}U/h"),
            ("Error over the whole period", quantity(curve.overall_error_percent, "%", 2, signed=True)),
            ("Stabilisation, then analysis", f"{curve.stabilisation_h:g}{NBSP}h, {curve.analysis_h:g}{NBSP}h"),
            ("Sample interval of the curve", f"{curve.interval_min:g}{NBSP}min"),
            ("Density for volume from mass", quantity(curve.density_g_per_ml, "g/mL", 5)),
            ("Dose interval", _seconds(curve.dose_interval_s) if curve.dose_interval_s is not None else "not known"),
            *_single_doses(curve),
            *evaporation_rows(curve.evaporation),
        ),
        drawn_trumpet(curve, limits.windows_percent),
        table(
            "Extremes by window length, and how many doses a window holds.",
            ("Window", *(f"{window:g}{NBSP}min" for window in curve.windows_min)),
            (
                ("Largest error", *(quantity(error, "%", 2, signed=True) for error in curve.error_max_percent)),
                ("Smallest error", *(quantity(error, "%", 2, signed=True) for error in curve.error_min_percent)),
                *_doses_row(curve),
            ),
        ),
        text(_dose_sentence(curve)),
        *_hourly(curve.hourly),
        flow_curve(curve),
        *further,
        *([text(missing)] if missing else []),
    ]


def _hourly(hourly: Hourly | None) -> list[Block]:
    if hourly is None:
        return []
    return [
        table(
            "Errors of windows of one hour that do not overlap: mean, standard deviation, share within bands.",
            ("Mean", "SD", *(f"within ±{band}{NBSP}%" for band in hourly.within)),
            [
                (
                    quantity(hourly.mean_percent, "%", 2, signed=True),
                    quantity(hourly.sd_percent, "%", 2),
                    *(quantity(100.0 * share, "%", 0) for share in hourly.within.values()),
                )
            ],
        )
    ]


def _seconds(seconds: float) -> str:
    return f"{seconds:.5g}{NBSP}s"


def _doses_row(curve: Trumpet) -> list[tuple[str, ...]]:
    if curve.dose_interval_s is None:
        return []
    doses = (f"{_doses(curve.dose_interval_s, window):g}" for window in curve.windows_min)
    return [("Doses in a window", *doses)]


def _single_doses(curve: Trumpet) -> list[tuple[str, str]]:
    """Return what is known of single doses: their rhythm as found, their mean and scatter, how many were left out."""
    rows = []
    if curve.dose_interval_found_s is not None:
        rows.append(("Dose interval as found", _seconds(curve.dose_interval_found_s)))
    if curve.strokes is not None:
        mean = f"{curve.strokes.mean_u:.4g}{NBSP}U, {quantity(curve.strokes.cv_percent, '%', 1)}"
        rows.append(("Mean and SD of a dose", mean))
    if curve.missed_doses is not None:
        rows.append(("Doses left out", f"{curve.missed_doses.missed} of {curve.missed_doses.doses}"))
    return rows


def _doses(dose_interval_s: float, window_min: float) -> float:
    """Return how many doses a window holds; an interval that was found from data is not known better than `FOUND`."""
    doses = window_min * 60.0 / dose_interval_s
    whole = float(round(doses))
    return whole if abs(doses - whole) <= FOUND * doses else round(doses, 3)


def _dose_sentence(curve: Trumpet) -> str:
    """Say which windows hold no whole number of doses, and how much error that alone makes.

    A window of N doses on average holds floor(N) or ceil(N) of them: a perfect pump then reads between
    100 (floor(N)/N − 1) and 100 (ceil(N)/N − 1) %.
    """
    interval_s = curve.dose_interval_s
    if interval_s is None:
        return (
            "The dose interval is not known. Windows that hold no whole number of doses show the rhythm of the doses "
            "as an error of flow."
        )
    every = f"The pump doses every {_seconds(interval_s)}."
    broken = [window for window in curve.windows_min if not _doses(interval_s, window).is_integer()]
    if not broken:
        return f"{every} Every window holds a whole number of doses: their rhythm alone makes no error."
    parts = []
    for window in broken:
        doses = _doses(interval_s, window)
        low, high = (100.0 * (whole / doses - 1.0) for whole in (math.floor(doses), math.ceil(doses)))
        parts.append(f"{window:g}{NBSP}min ({quantity(low, '%', 1)} to {quantity(high, '%', 1, signed=True)})")
    return (
        f"{every} Windows of {and_list(parts)} hold no whole number of doses: a perfect pump would show the error in "
        "brackets there. That part of the curve is the rhythm of the doses, not an error of flow."
    )


def _errors_percent(curve: Trumpet) -> tuple[str, list[float]]:
    """Return the errors of the whole hours of the analysis period."""
    per_hour = round(60.0 / curve.interval_min)
    flow = np.array(curve.flow.flow_u_per_h)
    hours = flow[: flow.size // per_hour * per_hour].reshape(-1, per_hour).mean(axis=1)
    return f"hours at {curve.rate_u_per_h:g} U/h", (100.0 * (hours / curve.rate_u_per_h - 1.0)).tolist()


def _tables(curve: Trumpet) -> Tables:
    extremes = zip(curve.windows_min, curve.error_min_percent, curve.error_max_percent, strict=True)
    cumulative: Sequence[Cell] = curve.cumulative_error_percent or [None] * len(curve.flow.at_h)
    tables: Tables = {
        "trumpet": (("window_min", "error_min_percent", "error_max_percent"), list(extremes)),
        "flow": (
            ("at_h", "flow_u_per_h", "cumulative_error_percent"),
            list(zip(curve.flow.at_h, curve.flow.flow_u_per_h, cumulative, strict=True)),
        ),
    }
    if curve.start_up is not None:
        start_up = curve.start_up
        tables["start-up"] = (("at_h", "flow_u_per_h"), list(zip(start_up.at_h, start_up.flow_u_per_h, strict=True)))
    if curve.hourly is not None:
        names = tuple(f"share_within_{band}_percent" for band in curve.hourly.within)
        row = (curve.hourly.mean_percent, curve.hourly.sd_percent, *curve.hourly.within.values())
        tables["hourly"] = (("mean_percent", "sd_percent", *names), [row])
    if curve.doses_u is not None:
        tables["doses"] = (("number", "dose_u"), list(enumerate(curve.doses_u, start=1)))
    return tables


BASAL = AnalysisKind(
    _blocks,
    tables=_tables,
    left_out=lambda curve: further_curves(curve, DrawnLimits())[1],
    errors_percent=_errors_percent,
    method=Method(
        "Basal delivery",
        of_run="The pump delivers at one programmed rate into a vessel on the balance. After the stabilisation the "
        "balance is read throughout the analysis period. For each window length P the curve shows the largest and the "
        "smallest flow error of all windows of that length; windows overlap, stepped by one sample interval (IEC "
        "60601-2-24, method). Masses are corrected for evaporation. A trumpet curve shows extremes only, so "
        "statistics of single hours stand beside it.",
        of_log="The masses are taken at the ends of the sample intervals, on straight lines between the samples around "
        "each; two samples further apart than is allowed have no line between them. For each window length P the curve "
        "shows the largest and the smallest flow error of all windows of that length; windows overlap, stepped by one "
        "sample interval (IEC 60601-2-24, method). A trumpet curve shows extremes only, so statistics of single hours "
        "stand beside it. Volumes after 1, 6 and 12 h count from the start of the pump (21 CFR 880.5730 labels).",
    ),
)

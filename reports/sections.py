"""One section of the report for each analysis: facts, figure, tables, and the sentences that must stand beside them.

Not responsible for layout (`report.typ`), for drawing (`reports.figures`), nor for numbers, which the record holds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from reports.analyses import (
    Analysis,
    Bolus,
    Budgets,
    Hourly,
    Occlusion,
    Trumpet,
)
from reports.blocks import Sections, evaporation_rows, facts, table, text
from reports.bolus_classes import bolus_classes
from reports.budgets import budget_blocks
from reports.courses import Day, DeliveryProfile, OcclusionSeries
from reports.day import day_blocks
from reports.delivery_profile import profile_blocks
from reports.drawn_limits import DrawnLimits, limits_of
from reports.figures import bolus_figure, flow_figure, occlusion_figure, trumpet_figure
from reports.further_curves import further_curves
from reports.occlusion_series import series_blocks
from reports.record import MeasurementRecord
from reports.run import Run
from reports.words import NBSP, NONE, and_list, duration, quantity, value_and_uncertainty

FOUND = 3e-4
"""Relative: the clock of a pump and that of a log may differ by so much. Assumption."""


def analysis_sections(run: Run) -> Sections:
    """Write the section of each analysis, in the order of the tests."""
    sections = Sections()
    told: set[str] = set()
    for each in run.analyses:
        test, analysis = each.test, each.analysis
        measured = measured_by(run, test)
        sections.content.append(
            {
                "title": f"{analysis.title[:1].upper()}{analysis.title[1:]}",
                "on_one_page": isinstance(analysis, Bolus | Occlusion | DeliveryProfile | Day),
                "test": test,
                "decides": [
                    {"id": row.id, "verdict": row.verdict.value}
                    for row in run.results.requirements
                    if test in row.tests
                ],
                "blocks": [
                    *analysis_blocks(sections, analysis, measured),
                    *([] if test in told else _reported(run, test)),
                ],
            }
        )
        told.add(test)
    return sections


def measured_by(run: Run, test: str) -> list[MeasurementRecord]:
    """Get what a test measured that requirements ask for, with their limits."""
    return [m for row in run.results.requirements for m in row.measurements if m.test == test]


def _reported(run: Run, test: str) -> list[dict[str, Any]]:
    """Tabulate what a test measured beside what requirements ask for."""
    rows = []
    for reported in run.results.reported:
        if reported.test == test:
            value, uncertainty = value_and_uncertainty(reported.value, reported.expanded_uncertainty)
            rows.append((reported.name, value, uncertainty or NONE, reported.unit))
    return [table("Measured, and judged by no requirement.", ("", "Value", "U", "Unit"), rows)] if rows else []


def analysis_blocks(
    sections: Sections, analysis: Analysis, measured: Sequence[MeasurementRecord]
) -> list[dict[str, Any]]:
    """Write the blocks of one analysis; limits come with what was measured."""
    limits = limits_of(analysis, measured)
    if isinstance(analysis, Trumpet):
        return _trumpet(sections, analysis, limits)
    if isinstance(analysis, Bolus):
        return _bolus(sections, analysis, limits)
    if isinstance(analysis, Occlusion):
        return _occlusion(sections, analysis, limits)
    if isinstance(analysis, OcclusionSeries):
        return series_blocks(analysis)
    if isinstance(analysis, DeliveryProfile):
        return profile_blocks(sections, analysis)
    if isinstance(analysis, Day):
        return day_blocks(sections, analysis)
    if isinstance(analysis, Budgets):
        return budget_blocks(sections, analysis)
    return [facts(*((key.replace("_", " "), value) for key, value in analysis.values.items()))]


def _trumpet(sections: Sections, curve: Trumpet, limits: DrawnLimits) -> list[dict[str, Any]]:
    return [
        facts(
            ("Programmed rate", f"{curve.rate_u_per_h:g}{NBSP}U/h"),
            ("Error over the whole period", quantity(curve.overall_error_percent, "%", 2, signed=True)),
            ("Stabilisation, then analysis", f"{curve.stabilisation_h:g}{NBSP}h, {curve.analysis_h:g}{NBSP}h"),
            ("Sample interval of the curve", f"{curve.interval_min:g}{NBSP}min"),
            ("Density for volume from mass", quantity(curve.density_g_per_ml, "g/mL", 5)),
            ("Dose interval", _dose_interval(curve)),
            *_single_doses(curve),
            *evaporation_rows(curve.evaporation),
        ),
        sections.figure(
            trumpet_figure(curve, limits.windows_percent),
            name="trumpet",
            caption="Trumpet curve: largest and smallest flow error of any window of a given length.",
            alt=f"Trumpet curve. {_trumpet_words(curve)}",
        ),
        table(
            "Extremes by window length, and how many doses a window holds.",
            ("Window", *(f"{window:g}{NBSP}min" for window in curve.windows_min)),
            (
                ("Largest error", *(quantity(error, "%", 2, signed=True) for error in curve.error_max_percent)),
                ("Smallest error", *(quantity(error, "%", 2, signed=True) for error in curve.error_min_percent)),
                *_doses_row(curve),
            ),
        ),
        text(dose_sentence(curve)),
        *_hourly(curve.hourly),
        sections.figure(
            flow_figure(curve),
            name="flow",
            caption="Flow over the analysis period.",
            alt=f"Mean flow of each {curve.interval_min:g} min: {min(curve.flow.flow_u_per_h):.3g} to "
            f"{max(curve.flow.flow_u_per_h):.3g} U/h, programmed {curve.rate_u_per_h:g} U/h.",
        ),
        *further_curves(sections, curve, limits),
    ]


def _hourly(hourly: Hourly | None) -> list[dict[str, Any]]:
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


def _trumpet_words(curve: Trumpet) -> str:
    rows = zip(curve.windows_min, curve.error_min_percent, curve.error_max_percent, strict=True)
    return " ".join(f"{window:g} min: {low:+.2f} to {high:+.2f} %." for window, low, high in rows)


def _seconds(seconds: float) -> str:
    return f"{seconds:.5g}{NBSP}s"


def _doses_row(curve: Trumpet) -> list[tuple[str, ...]]:
    if curve.dose_interval_s is None:
        return []
    doses = (f"{_doses(curve.dose_interval_s, window):g}" for window in curve.windows_min)
    return [("Doses in a window", *doses)]


def _single_doses(curve: Trumpet) -> list[tuple[str, str]]:
    """Get what is known of single doses: their rhythm as found, their mean and scatter, how many were left out."""
    rows = []
    if curve.dose_interval_found_s is not None:
        rows.append(("Dose interval as found", _seconds(curve.dose_interval_found_s)))
    if curve.strokes is not None:
        mean = f"{curve.strokes.mean_u:.4g}{NBSP}U, {quantity(curve.strokes.cv_percent, '%', 1)}"
        rows.append(("Mean and SD of a dose", mean))
    if curve.missed_doses is not None:
        rows.append(("Doses left out", f"{curve.missed_doses.missed} of {curve.missed_doses.doses}"))
    return rows


def _dose_interval(curve: Trumpet) -> str:
    return _seconds(curve.dose_interval_s) if curve.dose_interval_s is not None else "not known"


def _doses(dose_interval_s: float, window_min: float) -> float:
    """Get how many doses a window holds; an interval that was found from data is not known better than `FOUND`."""
    doses = window_min * 60.0 / dose_interval_s
    whole = float(round(doses))
    return whole if abs(doses - whole) <= FOUND * doses else round(doses, 3)


def dose_sentence(curve: Trumpet) -> str:
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


def _bolus(sections: Sections, boluses: Bolus, limits: DrawnLimits) -> list[dict[str, Any]]:
    count = len(boluses.delivered_u)
    weighed_u = sum(boluses.delivered_u)
    return [
        facts(
            ("Command", f"{count} × {boluses.programmed_u:g}{NBSP}U"),
            ("Mean error", quantity(boluses.mean_error_percent, "%", 2, signed=True)),
            ("Standard deviation", quantity(boluses.sd_percent, "%", 2)),
            ("Worst single error", quantity(boluses.worst_error_percent, "%", 2, signed=True)),
            (
                "After its planned end, on average",
                quantity(boluses.tail_percent, "%", 1) if boluses.tail_percent is not None else "not known",
            ),
            ("Weighed in all", quantity(weighed_u, "U", 3)),
            *([("Logged by the pump", quantity(sum(boluses.logged_u), "U", 3))] if boluses.logged_u else []),
            *evaporation_rows(boluses.evaporation),
        ),
        sections.figure(
            bolus_figure(boluses, limits.bolus_u),
            name="boluses",
            caption="Each bolus as weighed; "
            + ("bars are the expanded uncertainty U (k = 2)." if boluses.u_u else "its uncertainty is not known."),
            alt=f"{count} boluses between {min(boluses.delivered_u):.4g} and {max(boluses.delivered_u):.4g} U; "
            f"command {boluses.programmed_u:g} U.",
        ),
        *bolus_classes(sections, boluses),
    ]


def _occlusion(sections: Sections, test: Occlusion, limits: DrawnLimits) -> list[dict[str, Any]]:
    alarmed = test.time_to_alarm_s is not None
    alarm = duration(test.time_to_alarm_s) if test.time_to_alarm_s is not None else "no alarm"
    moment = "the alarm" if alarmed else "giving up"
    return [
        facts(
            ("Programmed rate", f"{test.rate_u_per_h:g}{NBSP}U/h"),
            ("From closing to the alarm", alarm),
            (f"Pressure at {moment}", quantity(test.pressure_at_alarm_kpa, "kPa", 1)),
            (f"Missed up to {moment}", quantity(test.missed_u, "U", 2)),
            ("Released on opening", quantity(test.released_u, "U", 2)),
            ("Compliance of pump and line", quantity(test.compliance_ul_per_kpa, "µL/kPa", 3)),
        ),
        sections.figure(
            occlusion_figure(test, limits.pressure_kpa),
            name="occlusion",
            caption="Line pressure and delivered insulin from closing the outlet to its opening.",
            alt=f"Occlusion at {test.rate_u_per_h:g} U/h: alarm {alarm}, {test.pressure_at_alarm_kpa:.1f} kPa, "
            f"missed {test.missed_u:.2f} U, released {test.released_u:.2f} U.",
        ),
        text(
            f"Missed is what was programmed from closing to {moment}, less what reached the balance. "
            "It is stored in the pump and the line, and comes out at once when the line opens."
        ),
    ]

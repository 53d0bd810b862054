"""Boluses from a log: when each began, its plateau, its volume, the statistics of all.

Not responsible for the formulas (`rig.analysis.bolus`). Moments that nobody gave are found from the steps of the mass,
and that is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rig.analysis.bolus import BolusStatistics, WeighedBolus, bolus_statistics, plateau_reached, weigh_bolus
from rig.analysis.gravimetry import MG_PER_G
from rig.analysis.uncertainty import K
from rig.offline.analysed import Analysed, Measured
from rig.offline.disturbances import SD_OF_MAD
from rig.offline.findings import Finding
from rig.offline.log import BalanceLog, FloatArray
from rig.offline.plausible import judged
from rig.offline.scale import Scale
from rig.procedures.contents import bolus_content
from rig.procedures.rest import REST_SPAN_S
from rig.units import u_from_ul, ul_from_u

LEAST_SHARE = 0.2
"""A rise of less than this share of the command is not taken for a bolus when boluses are found from the data."""


@dataclass(frozen=True)
class BolusQuestion:
    """What to compute.

    Attributes:
        insulin_u: the command.
        starts_s: when each bolus was commanded, on the clock of the log; None to find them from the data.
        planned_s: how long one should take; None when nobody knows, then no tail can be told.
        rest_s: how long the balance must have been at rest at the end, and what is averaged.
        accept_implausible: volumes that look like a wrong unit are reported, not refused.
    """

    insulin_u: float
    starts_s: tuple[float, ...] | None = None
    planned_s: float | None = None
    rest_s: float = REST_SPAN_S
    accept_implausible: bool = False


def analyse_boluses(log: BalanceLog, asked: BolusQuestion, scale: Scale) -> Analysed:
    """Weigh each bolus from the rest before it to the rest before the next; the last for as long as the longest.

    Raises:
        ValueError: a sentence: fewer than two boluses, moments outside the record, or no readings around one.
    """
    programmed_ul = ul_from_u(asked.insulin_u)
    findings = scale.findings()
    starts_s = asked.starts_s
    if starts_s is None:
        starts_s = found_starts_s(
            log, scale.dry_mass_g(log), programmed_ul / scale.z_ul_per_mg / MG_PER_G, asked.rest_s
        )
        findings.append(_how_found(log, starts_s))
    _check_starts(log, starts_s)
    spans = _spans(log, starts_s, asked)
    weighed = [_weigh(span, number, asked, scale) for number, span in enumerate(spans, start=1)]
    statistics = bolus_statistics([bolus.volume_ul for bolus in weighed], programmed_ul=programmed_ul)
    findings += judged(
        1.0 + statistics.mean_error_percent / 100.0,
        what="volume" if scale.is_volume else "mass",
        accept=asked.accept_implausible,
    )
    known = scale.bench_scale is not None
    tail = float(np.mean([bolus.tail_percent for bolus in weighed])) if asked.planned_s is not None else None
    content = bolus_content(
        statistics,
        u_u=[K * u_from_ul(bolus.u_ul) for bolus in weighed] if known else None,
        logged_u=None,
        tail_percent=tail,
        z_ul_per_mg=scale.z_ul_per_mg,
        evaporation=scale.evaporation,
    )
    findings += _restless(spans, asked, scale)
    return Analysed(content, _measured(statistics, spans, asked, scale), tuple(findings))


@dataclass(frozen=True, eq=False)
class _Span:
    """One bolus: the log from the rest before it to the rest after it, its start, and where that rest begins."""

    log: BalanceLog
    start_s: float
    plateau_s: float


def found_starts_s(log: BalanceLog, mass_g: FloatArray, bolus_g: float, rest_s: float) -> tuple[float, ...]:
    """Find boluses as rises between rests: samples that rise by more than noise, less than `rest_s` / 2 apart.

    Noise is six standard deviations of the steps of mass (from their median absolute deviation): most samples must be
    at rest. A rise in all of less than a fifth of the command is none.
    """
    steps_g = np.diff(mass_g)
    middle = float(np.median(steps_g))
    noise_g = max(6.0 * SD_OF_MAD * float(np.median(np.abs(steps_g - middle))), 0.002 * bolus_g)
    rising = np.flatnonzero(steps_g - middle > noise_g)
    if not rising.size:
        return ()
    apart = np.flatnonzero(np.diff(log.at_s[rising]) > rest_s / 2.0) + 1
    starts = []
    for group in np.split(rising, apart):
        before = mass_g[max(0, group[0] - 2) : group[0] + 1].mean()
        if mass_g[group[-1] + 1] - before >= LEAST_SHARE * bolus_g:
            starts.append(float(log.at_s[group[0]]))
    return tuple(starts)


def _how_found(log: BalanceLog, starts_s: Sequence[float]) -> Finding:
    rows = [str(log.row[np.searchsorted(log.at_s, start_s)]) for start_s in starts_s]
    where = f", beginning after the rows {', '.join(rows)}" if rows else ""
    return Finding(
        "boluses found",
        f"{len(rows)} boluses were found from the data{where}. One that delivered less than {100 * LEAST_SHARE:g} % of "
        "the command is not seen this way: give the moments by --at or --starts to count it.",
    )


def _check_starts(log: BalanceLog, starts_s: Sequence[float]) -> None:
    if len(starts_s) < 2:
        raise ValueError(
            f"a series needs two boluses or more, there {'is' if len(starts_s) == 1 else 'are'} {len(starts_s)}"
        )
    for number, (before, start_s) in enumerate(zip((-np.inf, *starts_s), starts_s, strict=False), start=1):
        if not log.at_s[0] <= start_s <= log.at_s[-1]:
            raise ValueError(
                f"bolus {number} starts at {start_s:g} s, outside the record, {log.at_s[0]:g} to {log.at_s[-1]:g} s"
            )
        if start_s <= before:
            raise ValueError(f"bolus {number} starts at {start_s:g} s, not after the one before at {before:g} s")


def _spans(log: BalanceLog, starts_s: Sequence[float], asked: BolusQuestion) -> list[_Span]:
    """Cut the log into boluses; each rest is the last `rest_s` before the next start."""
    longest_s = float(np.max(np.diff(starts_s)))
    ends_s = [*starts_s[1:], min(starts_s[-1] + longest_s, log.at_s[-1])]
    spans = []
    rest_from_s = _rest_from_s(log, starts_s[0], asked)
    for start_s, end_s in zip(starts_s, ends_s, strict=True):
        plateau_s = max(_rest_from_s(log, end_s, asked), start_s + (asked.planned_s or 0.0))
        inside = np.flatnonzero((log.at_s >= rest_from_s) & (log.at_s <= end_s))
        spans.append(_Span(log.part(slice(int(inside[0]), int(inside[-1]) + 1)), start_s, plateau_s))
        rest_from_s = plateau_s
    return spans


def _rest_from_s(log: BalanceLog, end_s: float, asked: BolusQuestion) -> float:
    last = int(np.searchsorted(log.at_s, end_s, side="right")) - 1
    return float(log.at_s[last]) - asked.rest_s


def _weigh(span: _Span, number: int, asked: BolusQuestion, scale: Scale) -> WeighedBolus:
    try:
        return weigh_bolus(
            span.log.at_s,
            span.log.mass_g,
            start_s=span.start_s,
            planned_end_s=span.start_s + (asked.planned_s or 0.0),
            plateau_s=span.plateau_s,
            z_ul_per_mg=scale.z_ul_per_mg,
            evaporation_g_per_h=scale.evaporation_g_per_h,
            u_evaporation_g_per_h=scale.weighing.u_evaporation_g_per_h or 0.0,
        )
    except ValueError as error:
        raise ValueError(f"bolus {number}, about row {span.log.row[-1]}: {error}") from None


def _restless(spans: Sequence[_Span], asked: BolusQuestion, scale: Scale) -> list[Finding]:
    """Report boluses after which the balance was not at rest: three times what noise alone would show."""
    rests = [span.log.at_s >= span.plateau_s for span in spans]
    sd_g = scale.weighing.repeatability_g or float(
        np.median([_scatter_g(span.log, rest) for span, rest in zip(spans, rests, strict=True)])
    )
    found = []
    for number, (span, rest) in enumerate(zip(spans, rests, strict=True), start=1):
        tolerance_g = 3.0 * 3.5 * sd_g / float(np.sqrt(max(1, int(rest.sum()))))
        if tolerance_g > 0 and not plateau_reached(
            span.log.at_s,
            span.log.mass_g,
            span_s=min(asked.rest_s, float(span.log.at_s[-1] - span.start_s)),
            tolerance_g=tolerance_g,
            evaporation_g_per_h=scale.evaporation_g_per_h,
        ):
            found.append(
                Finding(
                    "not at rest",
                    f"After bolus {number} the balance was not at rest by row {span.log.row[-1]}: over the last "
                    f"{asked.rest_s:g} s the mass changed by more than {1e3 * tolerance_g:.2g} mg. Its volume is the "
                    "mean over that time.",
                    int(span.log.row[-1]),
                )
            )
    return found


def _scatter_g(log: BalanceLog, rest: NDArray[np.bool_]) -> float:
    """The standard deviation in g of readings about their own line."""
    times, mass = log.at_s[rest], log.mass_g[rest]
    if times.size < 4:
        return 0.0
    slope, offset = np.polyfit(times - times[0], mass - mass[0], 1)
    residuals = mass - mass[0] - offset - slope * (times - times[0])
    return float(np.sqrt(residuals @ residuals / (times.size - 2)))


def _measured(
    statistics: BolusStatistics, spans: Sequence[_Span], asked: BolusQuestion, scale: Scale
) -> tuple[Measured, ...]:
    """The errors of the series with U: a sum of boluses is one difference of the last rest and the first."""

    def error(which: str, percent: float, count: int, duration_s: float) -> Measured:
        total_u = asked.insulin_u * count * (1.0 + percent / 100.0)
        u = scale.expanded_uncertainty_u(total_u, duration_s)
        expanded = 100.0 * u / (count * asked.insulin_u) if u is not None else None
        return Measured(f"{which} bolus error at {asked.insulin_u:g} U", percent, "%", expanded)

    one_s = max(float(span.log.at_s[-1] - span.log.at_s[0]) for span in spans)
    all_s = float(spans[-1].log.at_s[-1] - spans[0].log.at_s[0])
    return (
        error("mean", statistics.mean_error_percent, statistics.boluses, all_s),
        error("largest", statistics.max_error_percent, 1, one_s),
        error("smallest", statistics.min_error_percent, 1, one_s),
    )

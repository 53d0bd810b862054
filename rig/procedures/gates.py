"""Blank runs: is the balance fit to measure now, and what does the vessel lose? Before a measurement, and after it.

A gate that is not passed is BlockedError with what to do; it never says anything of the pump. Not responsible for
what comes before the run, with a person's hands and eyes: level, needle, film, reference mass (`rig.cli.balance_test`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from rig.analysis.blank_run import change_of_rate, largest_credible_sd, repeatability_g
from rig.analysis.evaporation import EvaporationRate, evaporation_rate, interpolated, with_earlier_knowledge
from rig.analysis.uncertainty import WeighingUncertainty
from rig.errors import BlockedError
from rig.procedures.flows_on import keep_flow, look_with_outlet_closed
from rig.procedures.sampling import read_air, samples_for, series_of
from rig.record.taking import Recorder, Series, Taken
from rig.roles import Air, Bench, Metrology

SAMPLE_EVERY_S = 10.0
BLANK_S = 600.0
"""Of a blank run, unless a plan says otherwise: with readings of 2.5 µg it tells the evaporation to 0.01 mg/h (u)."""
U_PER_GATE = 3.0
"""A blank run may lie 3 standard uncertainties off: fewer than 3 in 1,000 good ones are then stopped."""
ONCE_MORE = " once more"
"""Behind the phase of a blank run that followed one that a gate stopped: of good ones chance stops 1 % somewhere, and
twice in turn 1 in 10,000; a bench that is not fit is stopped by both."""
LINE_WITHIN_KPA = 1.0
"""A resting line may be so far from what back pressure and head make, beside U of the sensor. The house's."""
GAP_SHARE = 0.5
"""A blank run that misses more than this share of its readings at once says too little of what lies around it."""
CREDIBLE_SHARE = 0.999
"""1 good balance in 1,000 shows more scatter than `largest_credible_sd` allows, and is stopped."""


@dataclass(frozen=True)
class BlankRun:
    """What one blank run showed: the evaporation, and the SD of single readings in g."""

    evaporation: EvaporationRate
    repeatability_g: float


def blank_run(
    bench: Bench, record: Recorder, which: str, *, duration_s: float, outlet_closed: bool = False
) -> BlankRun:
    """Weigh for `duration_s` with the pump stopped and the line at rest, and hold the balance to its bench file.

    With `outlet_closed` the line has no pressure to rest at: a pump that goes on delivering raises it, and is no fault
    of the bench.

    A blank run that a gate stops is weighed once more, and then counts.

    Raises:
        BlockedError: the air is outside its band; or twice in turn the line does not rest at what was set up, the
            readings scatter more than the bench file claims, they still settle, or the vessel loses more or less than
            the bench file allows.
    """
    phase = f"{which} blank run"
    air = read_air(bench, record, phase)
    try:
        return _weighed(bench, record, phase, air, duration_s, outlet_closed)
    except _NotHeldError as error:
        record.incident("balance", f"{error}: weighed once more")
    try:
        return _weighed(bench, record, f"{phase}{ONCE_MORE}", air, duration_s, outlet_closed)
    except _NotHeldError as error:
        if not outlet_closed:
            look_with_outlet_closed(bench, record, air)
        raise BlockedError(str(error)) from error


class _NotHeldError(BlockedError):
    """A blank run is not as the bench file says; by chance one in some hundred is not."""


def _weighed(bench: Bench, record: Recorder, phase: str, air: Air, duration_s: float, outlet_closed: bool) -> BlankRun:
    """Weigh a blank run once."""
    readings = series_of(
        samples_for(
            bench,
            record,
            phase,
            duration_s=duration_s,
            every_s=SAMPLE_EVERY_S,
            longest_gap_s=GAP_SHARE * duration_s,
        )
    )
    metrology = bench.metrology
    found = blank_shown(readings, metrology, duration_s=duration_s)
    record.step(
        phase,
        evaporation_mg_per_h=found.evaporation.rate_mg_per_h,
        u_evaporation_mg_per_h=found.evaporation.u_mg_per_h,
        repeatability_g=found.repeatability_g,
    )
    again = phase.endswith(ONCE_MORE)
    try:
        if not outlet_closed:  # else nothing of the pump's comes through it
            _check_line(readings, metrology, phase)
        _hold_balance(readings, found, metrology, phase, duration_s)
    except BlockedError as error:
        if again and not outlet_closed:
            keep_flow(record, phase, found.evaporation, metrology, air, at_s=bench.clock.now())
        raise _NotHeldError(str(error)) from error
    if not outlet_closed:
        keep_flow(record, phase, found.evaporation, metrology, air, at_s=bench.clock.now())
    return found


def _hold_balance(readings: Series, found: BlankRun, metrology: Metrology, phase: str, duration_s: float) -> None:
    """Hold the balance and its vessel to the bench file; BlockedError with what to do."""
    _check_repeatability(readings, metrology, phase)
    _check_drift(readings, metrology, phase, _u_wander_mg_per_h(metrology, duration_s))
    _check_evaporation(found.evaporation, metrology, phase)


def blank_shown(readings: Series, metrology: Metrology, *, duration_s: float) -> BlankRun:
    """Compute what the readings of a blank run of `duration_s` show."""
    fitted = evaporation_rate(readings.at_s, readings.mass_g)
    u_wander = _u_wander_mg_per_h(metrology, duration_s)
    scatter_g, _ = repeatability_g(readings.mass_g)
    return BlankRun(replace(fitted, u_mg_per_h=math.hypot(fitted.u_mg_per_h, u_wander)), scatter_g)


def blanks_of(taken: Taken, metrology: Metrology, *, duration_s: float) -> Metrology:
    """Join the metrology with the evaporation that the recorded blank runs around a measurement showed."""
    opening, closing = (
        blank_shown(taken.series(_last_phase(taken, f"{which} blank run")), metrology, duration_s=duration_s)
        for which in ("opening", "closing")
    )
    return with_blanks(metrology, opening, closing)


def _last_phase(taken: Taken, phase: str) -> str:
    """Name the phase of a blank run that counts: the one that was weighed once more, where there is one."""
    again = f"{phase}{ONCE_MORE}"
    return again if again in taken.phases else phase


def with_blanks(metrology: Metrology, before: BlankRun, after: BlankRun) -> Metrology:
    """Join the metrology with the evaporation that the blank runs around a measurement showed, halfway between them.

    What the bench file knows from earlier and longer blank runs is joined with it, if it says which: `_joined`. What
    the weather does to the vessel's buoyancy is `blank_wander` in a budget.
    """
    middle_s = (before.evaporation.at_s + after.evaporation.at_s) / 2.0
    found = _joined(interpolated(before.evaporation, after.evaporation, at_s=middle_s), metrology)
    return replace(
        metrology,
        evaporation_g_per_h=found.rate_mg_per_h * 1e-3,
        evaporation_uncertainty_g_per_h=found.u_mg_per_h * 1e-3,
    )


def _joined(found: EvaporationRate, metrology: Metrology) -> EvaporationRate:
    """Join what blank runs found with the bench file's evaporation, each by its weight 1/u².

    The gates have seen to it that they agree. A figure without its source and date joins nothing: it serves the gates
    as what is plausible, where it can only stop a measurement, and makes no U smaller.
    """
    if metrology.evaporation_source is None:
        return found
    return with_earlier_knowledge(
        found, metrology.evaporation_g_per_h * 1e3, metrology.evaporation_uncertainty_g_per_h * 1e3
    )


def _check_line(readings: Series, metrology: Metrology, doing: str) -> None:
    """Hold the pressure of the resting line to the back pressure and head that were set up, if any were."""
    wanted_kpa = metrology.line_pressure_at_rest_kpa
    if wanted_kpa is None:
        return
    found_kpa = float(np.mean(readings.pressure_kpa))
    allowed_kpa = metrology.pressure_expanded_uncertainty_kpa + LINE_WITHIN_KPA
    if abs(found_kpa - wanted_kpa) > allowed_kpa:
        raise BlockedError(
            f"pressure: the line rested at {found_kpa:.2f} kPa in the {doing}, and the bench file's conditions make "
            f"{wanted_kpa:.2f} ± {allowed_kpa:.2g} kPa; set up back pressure and head as named, or correct them"
        )


def _check_repeatability(readings: Series, metrology: Metrology, doing: str) -> None:
    scatter_g, freedom = repeatability_g(readings.mass_g)
    claimed_g = math.hypot(metrology.balance_repeatability_g, metrology.balance_readability_g / math.sqrt(12.0))
    allowed_g = largest_credible_sd(claimed_g, freedom, share=CREDIBLE_SHARE)
    if scatter_g > allowed_g:
        raise BlockedError(
            f"balance: readings of the {doing} scatter by {scatter_g * 1e6:.3g} µg, and the bench file's repeatability "
            f"of {metrology.balance_repeatability_g * 1e6:.3g} µg allows {allowed_g * 1e6:.3g} µg; keep off draught "
            "and vibration, close the draught shield, or enter the repeatability that the balance really has"
        )


def _u_wander_mg_per_h(metrology: Metrology, duration_s: float) -> float:
    """What the wander of the blank makes of a rate that is read within `duration_s`, as a standard uncertainty."""
    known = WeighingUncertainty(
        repeatability_g=metrology.balance_repeatability_g,
        readability_g=metrology.balance_readability_g,
        u_calibration_percent=metrology.balance_calibration_percent,
        blank_wander_g=metrology.blank_wander_g,
        blank_wander_g_per_h=metrology.blank_wander_g_per_h,
    )
    hours = duration_s / 3600.0
    return known.u_blank_g(hours) / hours * 1e3


def _check_drift(readings: Series, metrology: Metrology, doing: str, u_wander_mg_per_h: float) -> None:
    change, u_change = change_of_rate(readings.at_s, readings.mass_g)
    allowed = U_PER_GATE * math.hypot(u_change, metrology.evaporation_uncertainty_g_per_h * 1e3, u_wander_mg_per_h)
    if abs(change) > allowed:
        raise BlockedError(
            f"balance: its drift changed by {change:+.3g} mg/h within the {doing}, more than {allowed:.2g} mg/h; "
            "let balance, vessel and room come to one temperature (warm-up), and begin again"
        )


def _check_evaporation(found: EvaporationRate, metrology: Metrology, doing: str) -> None:
    declared, u_declared = metrology.evaporation_g_per_h * 1e3, metrology.evaporation_uncertainty_g_per_h * 1e3
    allowed = U_PER_GATE * math.hypot(found.u_mg_per_h, u_declared)
    excess = found.rate_mg_per_h - declared
    if abs(excess) <= allowed:
        return
    remedy = (
        "renew the oil film or the cover of the vessel, or enter the evaporation that blank runs show"
        if excess > 0
        else "look for a drip, a leak or a siphon, and for condensation; does the pump deliver while stopped?"
    )
    raise BlockedError(
        f"balance: the vessel lost {found.rate_mg_per_h:.3g} mg/h in the {doing}, and the bench file allows "
        f"{declared:.3g} ± {allowed:.2g} mg/h; {remedy}"
    )

"""Short tests of what a pump must not do: deliver while stopped, go on after cancelling, take a bolus out of range.

Not responsible for limits.
"""

from __future__ import annotations

from rig.analysis.bolus import weigh_bolus
from rig.errors import RefusedError
from rig.evidence import TestRecorder
from rig.limits import Measurement
from rig.procedures.bolus import AVERAGED_S, SAMPLE_EVERY_S, logged_bolus_u, wait_for_rest
from rig.procedures.budgets import bolus_budget
from rig.procedures.preparation import prepare, start_therapy
from rig.procedures.sampling import sample_for, series
from rig.procedures.volume import VolumeScale
from rig.roles import Bench


def measure_stopped(bench: Bench, record: TestRecorder, *, duration_s: float) -> tuple[Measurement, ...]:
    """Weigh for `duration_s` what a stopped pump delivers."""
    scale = VolumeScale.of(bench, prepare(bench, record, rate_u_per_h=1.0))
    wait_for_rest(bench, record, "rest before")
    record.step("pump stays stopped", minutes=duration_s / 60.0)
    readings = series(sample_for(bench, record, "pump stopped", duration_s=duration_s, every_s=SAMPLE_EVERY_S))
    delivered_u = float(scale.delivered_u(readings)[-1])
    u_u = scale.expanded_uncertainty_u(delivered_u, duration_s)
    return (Measurement("delivered while stopped", delivered_u, "U", u_u),)


def measure_cancelled_bolus(
    bench: Bench, record: TestRecorder, *, insulin_u: float, cancel_after_s: float
) -> tuple[Measurement, ...]:
    """Start a bolus, cancel it, and weigh what came before and after, beside what the pump logged."""
    scale = VolumeScale.of(bench, prepare(bench, record, rate_u_per_h=0.0))
    start_therapy(bench, record)
    rest = wait_for_rest(bench, record, "rest before")
    start_s = bench.clock.now()
    bolus_id = bench.pump.bolus(insulin_u)
    record.step("bolus", bolus_id=bolus_id, insulin_u=insulin_u)
    during = sample_for(bench, record, "bolus", duration_s=cancel_after_s, every_s=SAMPLE_EVERY_S)
    told = {bolus.bolus_id: bolus.delivered_u for bolus in bench.pump.active_boluses()}
    bench.pump.cancel_bolus(bolus_id)
    record.step("bolus cancelled", pump_says_delivered_u=told.get(bolus_id))
    after = wait_for_rest(bench, record, "after cancelling")
    readings = series([*rest, *during, *after])
    weighed = weigh_bolus(
        readings.at_s,
        readings.mass_g,
        start_s=start_s,
        planned_end_s=during[-1].at_s,
        plateau_s=max(during[-1].at_s, after[-1].at_s - AVERAGED_S),
        z_ul_per_mg=scale.z_ul_per_mg,
        evaporation_g_per_h=bench.metrology.evaporation_g_per_h,
        u_evaporation_g_per_h=bench.metrology.evaporation_uncertainty_g_per_h,
    )
    weight = bolus_budget(scale, weighed)
    logged_u = logged_bolus_u(bench, bolus_id)
    return (
        # The line's own tail is no delivery: what counts is how far the pump's own account grew after the command.
        Measurement("delivered after cancelling", logged_u - told.get(bolus_id, 0.0), "U"),
        Measurement("logged less weighed amount of a cancelled bolus", logged_u - weight.value, "U", weight.expanded),
    )


def measure_refused_boluses(
    bench: Bench, record: TestRecorder, *, too_large_u: tuple[float, ...], watch_s: float
) -> tuple[Measurement, ...]:
    """Command boluses above the pump's maximum and weigh whether anything is delivered for `watch_s` afterwards."""
    scale = VolumeScale.of(bench, prepare(bench, record, rate_u_per_h=0.0))
    start_therapy(bench, record)
    wait_for_rest(bench, record, "rest before")
    refused = 0
    for insulin_u in too_large_u:
        try:
            bolus_id = bench.pump.bolus(insulin_u)
            record.step("bolus accepted", insulin_u=insulin_u, bolus_id=bolus_id)
        except RefusedError as error:
            refused += 1
            record.step("bolus refused", insulin_u=insulin_u, reason=str(error))
    readings = series(sample_for(bench, record, "after refusal", duration_s=watch_s, every_s=SAMPLE_EVERY_S))
    delivered_u = float(scale.delivered_u(readings)[-1])
    return (
        Measurement("boluses above the maximum that were refused", 100.0 * refused / len(too_large_u), "%"),
        Measurement(
            "delivered after a refused bolus", delivered_u, "U", scale.expanded_uncertainty_u(delivered_u, watch_s)
        ),
    )

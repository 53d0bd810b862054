"""Emptying a nearly empty reservoir until the pump warns, and reconciling its log.

Not responsible for limits.
"""

from __future__ import annotations

from rig.evidence import TestRecorder
from rig.limits import Measurement
from rig.procedures.bolus import SAMPLE_EVERY_S, wait_for_rest
from rig.procedures.preparation import prepare, start_therapy
from rig.procedures.sampling import Sample, sample_for, series
from rig.procedures.volume import VolumeScale
from rig.roles import Bench


def deliver_until_reservoir_low(
    bench: Bench, record: TestRecorder, *, filled_u: float, bolus_u: float, bolus_s: float
) -> tuple[Measurement, ...]:
    """Tell the pump that its reservoir holds `filled_u`, and give boluses until it warns or has none left."""
    scale = VolumeScale.of(bench, prepare(bench, record, rate_u_per_h=0.0, reservoir_u=filled_u))
    start_therapy(bench, record)
    samples: list[Sample] = wait_for_rest(bench, record, "rest before")
    warned = False
    for number in range(int(filled_u / bolus_u)):
        bench.pump.bolus(bolus_u)
        record.step("bolus", number=number + 1, insulin_u=bolus_u)
        samples += sample_for(bench, record, "emptying", duration_s=bolus_s, every_s=SAMPLE_EVERY_S)
        warned = any(annunciation.kind == "reservoir low" for annunciation in bench.pump.annunciations())
        if warned:
            break
    samples += wait_for_rest(bench, record, "rest after")
    readings = series(samples)
    delivered_u = float(scale.delivered_u(readings)[-1])
    record.step("reservoir low" if warned else "no warning", delivered_u=delivered_u)
    if not warned:
        return ()
    u_u = scale.expanded_uncertainty_u(delivered_u, float(readings.at_s[-1] - readings.at_s[0]))
    return (Measurement("remaining at the low-reservoir warning", filled_u - delivered_u, "U", u_u),)


def count_missing_log_entries(bench: Bench, record: TestRecorder) -> tuple[Measurement, ...]:
    """Count the gaps in the sequence numbers of the pump's log."""
    numbers = [event.sequence for event in bench.pump.history()]
    missing = numbers[-1] - numbers[0] + 1 - len(numbers) if numbers else 0
    record.step("log read", entries=len(numbers), missing=missing)
    return (Measurement("missing log entries", float(missing), "entries"),)

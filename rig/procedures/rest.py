"""Waiting until the balance has come to rest, and what counts as rest.

Not responsible for the test of rest itself (`rig.analysis.bolus.plateau_reached`).
"""

from __future__ import annotations

import math
from itertools import pairwise

from rig.analysis.bolus import plateau_reached
from rig.analysis.evaporation import evaporation_rate
from rig.errors import BlockedError
from rig.procedures.flows_on import keep_flow, look_with_outlet_closed
from rig.procedures.sampling import Sample, samples_for, series_of
from rig.record.taking import Recorder
from rig.roles import Bench, Metrology

SAMPLE_EVERY_S = 2.0
REST_SPAN_S = 60.0
AVERAGED_S = 30.0
"""Of the rest that was seen, the later part is averaged. The test of rest lets the foot of a tail pass in the earlier
part: with a tail that fades in 4.5 s that alone made 0.05 U read 0.06 % low (docs/uncertainty.md)."""
LONGEST_REST_S = 1800.0
FLOWING_S = 600.0
"""What flows while there is no rest is read over so long."""
LONGEST_GAP_S = 10.0
"""Readings further apart show no rest between them: a minute without a longer gap is waited for."""


def rest_tolerance_g(metrology: Metrology) -> float:
    """Compute the change over `REST_SPAN_S` that counts as rest: 3.5 s/√n, below which noise decides, three times."""
    readings = REST_SPAN_S / SAMPLE_EVERY_S
    return 3.0 * 3.5 * metrology.balance_repeatability_g / math.sqrt(readings)


def wait_for_rest(bench: Bench, record: Recorder, phase: str) -> list[Sample]:
    """Sample until the balance has come to rest; BlockedError when it does not in half an hour of readings."""
    seen: list[Sample] = []
    rested = False

    def at_rest(sample: Sample) -> bool:
        nonlocal rested
        seen.append(sample)
        recent = series_of(_since(seen, sample.at_s - REST_SPAN_S))
        rested = plateau_reached(
            recent.at_s,
            recent.mass_g,
            span_s=REST_SPAN_S,
            tolerance_g=rest_tolerance_g(bench.metrology),
            evaporation_g_per_h=bench.metrology.evaporation_g_per_h,
            longest_gap_s=LONGEST_GAP_S,
        )
        return rested

    left_s = LONGEST_REST_S
    while not rested and left_s > 0.0:
        samples = samples_for(bench, record, phase, duration_s=left_s, every_s=SAMPLE_EVERY_S, until=at_rest)
        left_s = _unseen_s(samples)
    if not rested:
        _keep_what_flows(bench, record, phase, seen)
        raise BlockedError(
            f"balance: not at rest after {LONGEST_REST_S / 60:g} min of {phase}; "
            "look for draught, a drip at the needle, or a leak"
        )
    return seen


def _keep_what_flows(bench: Bench, record: Recorder, phase: str, seen: list[Sample]) -> None:
    """Keep what flows in the last `FLOWING_S` of waiting for rest."""
    last = series_of(_since(seen, seen[-1].at_s - FLOWING_S))
    found = evaporation_rate(last.at_s, last.mass_g)
    air = bench.environment.read_air()
    keep_flow(record, phase, found, bench.metrology, air, at_s=bench.clock.now())
    look_with_outlet_closed(bench, record, air)


def _since(seen: list[Sample], at_s: float) -> list[Sample]:
    """Take the samples from a moment on, and the one before it."""
    first = len(seen) - 1
    while first > 0 and seen[first].at_s >= at_s:
        first -= 1
    return seen[first:]


def _unseen_s(samples: list[Sample]) -> float:
    """Add up the gaps between samples, in s: time in which nobody looked whether there was rest."""
    steps_s = (later.at_s - earlier.at_s for earlier, later in pairwise(samples))
    return sum(step_s for step_s in steps_s if step_s > LONGEST_GAP_S)

"""What flows while the pump is stopped: a leak, a siphon, or a pump that runs on. It is the pump's, and is judged.

A blank run shows it, or a balance that never comes to rest. A balance that drifts or jumps shows the same; so the
outlet is then closed for a while, and opened again: what stops and comes back is the pump's, all else the balance's.
Not responsible for whether a bench is fit (`gates`): a gate that is not passed for it ends a measurement as BLOCKED,
and what flowed is kept and judged all the same.
"""

from __future__ import annotations

import math

from rig.analysis.evaporation import EvaporationRate, evaporation_rate
from rig.procedures.sampling import Sample, samples_for, series_of
from rig.procedures.volume import VolumeScale
from rig.record.taking import Fact, Recorder, Taken
from rig.roles import Air, Bench, Metrology
from rig.units import u_from_ul
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind

FLOW = Kind(
    "pump.flow_while_stopped",
    "flow of the stopped pump",
    ("U/h",),
    (),
    "What flows in the blank run after a measurement, or while the balance never comes to rest: a leak, a siphon, or a "
    "pump that runs on.",
)
COVERAGE = 2.0
CLOSED, REOPENED = "outlet closed", "outlet open again"
"""Phases in which the balance is read to tell a flow from what a balance shows by itself."""
LOOK_S, SETTLED_AFTER_S, EVERY_S = 630.0, 30.0, 5.0
"""So long each of them is, and from when on its readings count: a drop at the needle has come by then. A pump that runs
on at 0.15 U/h by doses of 0.025 U gives one in each."""
PRESSED_KPA = 100.0
"""The outlet is opened again when a pump that runs on has raised the line by so much."""


class FlowWhileStopped(Fact):
    """What flowed in a phase in which the pump was stopped, in U/h, with its standard uncertainty."""

    phase: str
    flow_u_per_h: float
    u_u_per_h: float


class FlowWithOutletClosed(FlowWhileStopped):
    """What seemed to flow, in U/h, while the outlet was closed: that is no flow, but the balance or its vessel."""


def keep_flow(
    record: Recorder,
    phase: str,
    found: EvaporationRate,
    metrology: Metrology,
    air: Air,
    *,
    at_s: float,
    kind: type[FlowWhileStopped] = FlowWhileStopped,
) -> None:
    """Keep what flowed: by how much more mass came, in mg/h, than the bench file's evaporation leaves.

    An evaporation without its source takes nothing off: what then flows is what the vessel gains.
    """
    u_per_mg = u_from_ul(VolumeScale.in_air(metrology, air).z_ul_per_mg)
    trusted = 1e3 if metrology.evaporation_source is not None else 0.0
    known_mg_per_h = trusted * metrology.evaporation_g_per_h
    u_known_mg_per_h = trusted * metrology.evaporation_uncertainty_g_per_h
    record.fact(
        kind(
            at_s=at_s,
            phase=phase,
            flow_u_per_h=(known_mg_per_h - found.rate_mg_per_h) * u_per_mg,
            u_u_per_h=math.hypot(u_known_mg_per_h, found.u_mg_per_h) * u_per_mg,
        )
    )


def look_with_outlet_closed(bench: Bench, record: Recorder, air: Air) -> None:
    """Read the balance with the outlet closed and open again, and keep what seems to flow in each."""
    record.step("outlet closed, to tell a flow from what the balance shows by itself")
    bench.switch.set_line("occluder", energised=True)
    rested_kpa = bench.pressure.read_kpa()

    def pressed(sample: Sample) -> bool:
        return sample.pressure_kpa - rested_kpa > PRESSED_KPA

    try:
        closed = samples_for(bench, record, CLOSED, duration_s=LOOK_S, every_s=EVERY_S, until=pressed)
    finally:
        bench.switch.set_line("occluder", energised=False)
    reopened = samples_for(bench, record, REOPENED, duration_s=LOOK_S, every_s=EVERY_S)
    if pressed(closed[-1]):  # by what pushes into a closed line, of which nothing comes out
        none = FlowWithOutletClosed(at_s=closed[-1].at_s, phase=CLOSED, flow_u_per_h=0.0, u_u_per_h=0.0)
        record.fact(none)
    else:
        _keep_seen(bench, record, CLOSED, closed, air, FlowWithOutletClosed)
    _keep_seen(bench, record, REOPENED, reopened, air, FlowWhileStopped)


def _keep_seen(
    bench: Bench, record: Recorder, phase: str, seen: list[Sample], air: Air, kind: type[FlowWhileStopped]
) -> None:
    readings = series_of(seen)
    settled = readings.part(readings.at_s >= readings.at_s[0] + SETTLED_AFTER_S)
    found = evaporation_rate(settled.at_s, settled.mass_g)
    keep_flow(record, phase, found, bench.metrology, air, at_s=bench.clock.now(), kind=kind)


def flow_in(taken: Taken) -> Measurement:
    """Read back what flowed in the later of the two blank runs; EvidenceError when one of them is missing."""
    return _measured(taken.exactly(2, FlowWhileStopped)[-1])


def flow_found(taken: Taken) -> tuple[Measurement, ...]:
    """Read back what flowed where a measurement broke off: how much more with the outlet open again than closed.

    Nothing where that may be nothing: a balance that drifts or jumps does so with the outlet closed, too.
    """
    if not (seen := taken.facts(FlowWithOutletClosed)):
        return ()
    opened, closed = taken.facts(FlowWhileStopped)[-1], seen[-1]
    flow_u_per_h = opened.flow_u_per_h - closed.flow_u_per_h
    u_u_per_h = math.hypot(opened.u_u_per_h, closed.u_u_per_h)
    if flow_u_per_h <= COVERAGE * u_u_per_h:
        return ()
    return (_measured(opened.model_copy(update={"flow_u_per_h": flow_u_per_h, "u_u_per_h": u_u_per_h})),)


def _measured(flow: FlowWhileStopped) -> Measurement:
    return Measurement(FLOW.of(), flow.flow_u_per_h, COVERAGE * flow.u_u_per_h)

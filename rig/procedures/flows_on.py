"""What flows while the pump is stopped: a leak, a siphon, or a pump that runs on. It is the pump's, and is judged.

A blank run shows it, or a balance that never comes to rest. Not responsible for whether a bench is fit (`gates`): a
gate that is not passed for it ends a measurement as BLOCKED, and what flowed is kept and judged all the same.
"""

from __future__ import annotations

import math

from rig.analysis.evaporation import EvaporationRate
from rig.procedures.volume import VolumeScale
from rig.record.taking import Fact, Recorder, Taken
from rig.roles import Air, Metrology
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


class FlowWhileStopped(Fact):
    """What flowed in a phase in which the pump was stopped, in U/h, with its standard uncertainty."""

    phase: str
    flow_u_per_h: float
    u_u_per_h: float


def keep_flow(
    record: Recorder, phase: str, found: EvaporationRate, metrology: Metrology, air: Air, *, at_s: float
) -> None:
    """Keep what flowed: by how much more mass came, in mg/h, than the bench file's evaporation leaves.

    An evaporation without its source takes nothing off: what then flows is what the vessel gains.
    """
    u_per_mg = u_from_ul(VolumeScale.in_air(metrology, air).z_ul_per_mg)
    trusted = 1e3 if metrology.evaporation_source is not None else 0.0
    known_mg_per_h = trusted * metrology.evaporation_g_per_h
    u_known_mg_per_h = trusted * metrology.evaporation_uncertainty_g_per_h
    record.fact(
        FlowWhileStopped(
            at_s=at_s,
            phase=phase,
            flow_u_per_h=(known_mg_per_h - found.rate_mg_per_h) * u_per_mg,
            u_u_per_h=math.hypot(u_known_mg_per_h, found.u_mg_per_h) * u_per_mg,
        )
    )


def flow_in(taken: Taken) -> Measurement:
    """Read back what flowed in the later of the two blank runs; EvidenceError when one of them is missing."""
    return _measured(taken.exactly(2, FlowWhileStopped)[-1])


def flow_found(taken: Taken) -> tuple[Measurement, ...]:
    """Read back what flowed where a measurement broke off; nothing where that may be nothing."""
    last = taken.facts(FlowWhileStopped)[-1:]
    return tuple(_measured(each) for each in last if each.flow_u_per_h > COVERAGE * each.u_u_per_h)


def _measured(flow: FlowWhileStopped) -> Measurement:
    return Measurement(FLOW.of(), flow.flow_u_per_h, COVERAGE * flow.u_u_per_h)

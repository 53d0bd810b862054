"""Boluses one after the other over a basal rate of 0, from rest to rest, and what the record says of each.

Not responsible for what is made of one: fast (`bolus`), extended (`extended`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from rig.analysis.bolus import WeighedBolus, weigh_bolus
from rig.procedures.at_once import LATE_S, at_once
from rig.procedures.between_blanks import between_blanks
from rig.procedures.preparation import start_therapy
from rig.procedures.rest import AVERAGED_S, wait_for_rest
from rig.procedures.volume import VolumeScale
from rig.record.taking import Fact, Recorder, Series, Taken, joined
from rig.roles import Bench, Capability, HistoryEvent, KeepsHistory, Pump, require
from rig.therapy import BolusRequest

BEFORE = "rest before the first bolus"


class BolusGiven(Fact):
    """A bolus of a series: its number from 1, when it was commanded, its id, and what the log says in the end, in U."""

    number: int
    commanded_at_s: float
    bolus_id: int
    logged_u: float


def phase_of(number: int) -> str:
    """Name the phase of a bolus, from its command to the rest that follows."""
    return f"bolus {number}"


def _rest_after(number: int) -> str:
    """Name the phase of the rest after a bolus."""
    return f"rest after bolus {number}"


def give_boluses(
    bench: Bench,
    record: Recorder,
    bolus: BolusRequest,
    *,
    count: int,
    blank_s: float,
    during: Callable[[str, float], None],
) -> None:
    """Give a bolus so many times over a basal rate of 0 between two blank runs; stops the pump at the end.

    `during` samples while a bolus is delivered, under the phase that it is given; it is told when it was commanded.
    """

    def deliver() -> None:
        command, log = _commanding(bench.pump, bolus), require(bench.pump, Capability.HISTORY)
        late_s = LATE_S if bolus.extended_u else math.inf  # only of those the course is judged
        start_therapy(bench, record)
        wait_for_rest(bench, record, BEFORE)
        for number in range(1, count + 1):
            start_s = bench.clock.now()
            bolus_id = at_once(bench.clock, "starting the bolus", command, within_s=late_s)
            record.step("bolus", number=number, bolus_id=bolus_id, fast_u=bolus.fast_u, extended_u=bolus.extended_u)
            during(phase_of(number), start_s)
            wait_for_rest(bench, record, _rest_after(number))
            logged_u = logged_bolus_u(log, bolus_id)
            record.fact(
                BolusGiven(
                    at_s=bench.clock.now(),
                    number=number,
                    commanded_at_s=start_s,
                    bolus_id=bolus_id,
                    logged_u=logged_u,
                )
            )
            record.step("bolus at rest", number=number, logged_u=logged_u)

    between_blanks(bench, record, rate_u_per_h=0.0, blank_s=blank_s, deliver=deliver)


def _commanding(pump: Pump, bolus: BolusRequest) -> Callable[[], int]:
    """Choose the command that starts a bolus, which returns its id; UnableError when the pump has none for it."""
    if not bolus.extended_u:
        fast = require(pump, Capability.FAST_BOLUS)
        return lambda: fast.bolus(bolus.fast_u)
    timed = require(pump, Capability.MULTIWAVE_BOLUS if bolus.fast_u else Capability.EXTENDED_BOLUS)
    return lambda: timed.deliver(bolus)


@dataclass(frozen=True)
class DeliveredBolus:
    """One bolus, not weighed yet: the readings around it, its start on the bench's clock, and what the pump logged."""

    readings: Series
    start_s: float
    logged_u: float


def delivered_boluses(taken: Taken, *, count: int, planned_s: float = 0.0) -> list[DeliveredBolus]:
    """Read back the boluses of a series of so many, each from the rest before it to the rest after it.

    Of a rest between two, the later one gets the part that the earlier one's plateau is averaged over: the last
    `AVERAGED_S`, and nothing before the planned end of the bolus.
    """
    before, delivered = taken.series(BEFORE), []
    for given in taken.exactly(count, BolusGiven):
        rest = taken.series(_rest_after(given.number))
        readings = joined(before, taken.series(phase_of(given.number)), rest)
        delivered.append(DeliveredBolus(readings, given.commanded_at_s, given.logged_u))
        before = rest.part(rest.at_s >= max(given.commanded_at_s + planned_s, float(rest.at_s[-1]) - AVERAGED_S))
    return delivered


def weigh_delivered(bolus: DeliveredBolus, planned_s: float, scale: VolumeScale) -> WeighedBolus:
    """Weigh a bolus in µL from rest to rest; it was planned to last `planned_s`."""
    readings, planned_end_s = bolus.readings, bolus.start_s + planned_s
    return weigh_bolus(
        readings.at_s,
        readings.mass_g,
        start_s=bolus.start_s,
        planned_end_s=planned_end_s,
        plateau_s=max(planned_end_s, float(readings.at_s[-1]) - AVERAGED_S),
        z_ul_per_mg=scale.z_ul_per_mg,
        evaporation_g_per_h=scale.metrology.evaporation_g_per_h,
        u_evaporation_g_per_h=scale.metrology.evaporation_uncertainty_g_per_h,
    )


def logged_bolus_u(log: KeepsHistory, bolus_id: int | None) -> float:
    """Read what the pump's log says of a bolus that has ended, in U; 0 when the log does not know it, or none was."""
    if bolus_id is None:
        return 0.0
    events = [event for event in log.history() if _tells_delivery(event, bolus_id)]
    return float(events[-1].fields["delivered_u"]) if events else 0.0


def _tells_delivery(event: HistoryEvent, bolus_id: int) -> bool:
    return event.kind == "bolus delivered" and event.fields.get("bolus_id") == bolus_id

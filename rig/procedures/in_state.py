"""A measurement under a fault that meets the pump in a state: its programme, and what the pump accounts for meanwhile.

Not responsible for the states themselves (`fault_states`), nor for what is measured (`fault_response`, `hang`).
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from pydantic import Field

from rig.procedures.bounds import Minutes, Rate, Size, Speed, lasting
from rig.procedures.fault_states import NEEDS, Programme, State
from rig.procedures.from_sheet import FromSheet
from rig.procedures.under_fault import UnderFault
from rig.record.taking import Fact, Recorder
from rig.roles import Bench, Capability, require
from rig.toml_files import TimeS
from rig.verdicts.quantities import Kind, Quantity

FILLED_U = 100.0
"""What the reservoir is said to hold: a pump that tells four digits tells it to 0.1 U."""


class Accounts(Fact):
    """What the pump says was delivered since before its programme, in U; `reservoir_u` is None where it cannot tell."""

    told_u: float
    reservoir_u: float | None


class FaultInState(UnderFault, ABC):
    """A fault that begins `onset_s` after the delivery of a state has begun."""

    state: State
    rate_u_per_h: Annotated[Rate, Field(alias="rate")] = 6.0
    size_u: Annotated[Size, Field(alias="size")] = 2.0
    duration_s: Annotated[Minutes, lasting("15 min", "1 d"), Field(alias="duration")] = 900.0
    onset_s: Annotated[TimeS, lasting("0 s", "1 d"), Field(alias="onset")] = 20.0
    bolus_speed_u_per_h: Annotated[Speed, FromSheet("bolus.speed"), Field(alias="speed")] = 90.0
    priming_speed_u_per_h: Annotated[Speed, FromSheet("priming.speed"), Field(alias="priming_speed")] = 180.0

    @property
    def programme(self) -> Programme:
        """What the pump is told to deliver."""
        flow_u_per_h = {
            "bolus": self.bolus_speed_u_per_h,
            "priming": self.priming_speed_u_per_h,
            "extended": 3600.0 * self.size_u / self.duration_s,
        }.get(self.state, self.rate_u_per_h)
        return Programme(self.state, self.rate_u_per_h, self.size_u, flow_u_per_h)

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return NEEDS[self.state]

    def _of(self, kind: Kind) -> Quantity:
        return kind.of(fault=self.fault, state=self.state)


@contextmanager
def accounted(bench: Bench, record: Recorder, programme: Programme) -> Iterator[None]:
    """Keep what the pump's own accounts grew by meanwhile."""
    able, pump = bench.pump.capabilities, bench.pump

    def day_u() -> float:
        if not programme.of_therapy:
            return 0.0
        total = require(pump, Capability.DAILY_TOTAL).daily_total()
        return total.basal_u + total.bolus_u

    log = require(pump, Capability.HISTORY) if Capability.HISTORY in able else None
    last = max((each.sequence for each in log.history()), default=-1) if log is not None else -1
    before_u, held_u = day_u(), pump.status().reservoir_u
    yield
    entries = log.history(since=last + 1) if log is not None else []
    left_u = pump.status().reservoir_u
    record.fact(
        Accounts(
            at_s=bench.clock.now(),
            told_u=programme.told_u(entries, day_u() - before_u),
            reservoir_u=None if held_u is None or left_u is None else held_u - left_u,
        )
    )

"""What measurements under a fault have in common: no blank runs, fixed times, and a watch for the alarm.

A pump that delivers though it should not must be weighed and judged, and never be taken for draught at the balance: so
nothing waits for a rest after a fault. What a vessel loses in the minutes that it lasts is taken from the bench file,
with its uncertainty: blank runs would take three times as long, and their gates stop 3 good benches in 1,000 each time.
Not responsible for injecting (`provoking`).
"""

from __future__ import annotations

import math
from abc import ABC
from collections.abc import Callable, Collection
from typing import Annotated

from pydantic import AfterValidator

from rig.analysis.budget import Budget
from rig.errors import BenchFileError
from rig.faults import Injection, shipped_faults
from rig.procedures.answers import ask_pump
from rig.procedures.budgets import with_one_source
from rig.procedures.preparation import FULL_RESERVOIR_U, PREPARATION, prepare
from rig.procedures.procedure import Procedure
from rig.procedures.provoking import FaultInjected
from rig.procedures.sampling import Sample, air_of, sample_for
from rig.procedures.volume import VolumeScale
from rig.record.taking import Fact, Recorder, Series, Taken
from rig.roles import Bench, Metrology


def known_fault(name: str) -> str:
    """Refuse a name that the catalogue of faults does not have; ValueError with the nearest."""
    try:
        shipped_faults().injection(name)
    except BenchFileError as error:
        raise ValueError(str(error)) from error
    return name


FaultName = Annotated[str, AfterValidator(known_fault)]
"""A fault of the catalogue, with the way to provoke it where there are several, such as "F33 hot"."""
TAIL_S = 60.0
"""13 time constants of a line that fades in 4.5 s: what was pushed into it has come."""


class AlarmAwaited(Fact):
    """An alarm that was waited for from `since_s` on: when it was seen, or, where it never was, given up."""

    since_s: float
    seen: bool
    kind: str
    looked_every_s: float


class UnderFault(Procedure, ABC):
    """A measurement under a fault."""

    fault: FaultName

    @property
    def injection(self) -> Injection:
        """The fault, from the catalogue."""
        return shipped_faults().injection(self.fault)

    @property
    def needed_lines(self) -> tuple[str, ...]:
        """Lines of the bench's switch that the fault is provoked by."""
        return self.injection.lines

    @property
    def lines_by_hand(self) -> tuple[str, ...]:
        """Those of them that an operator's hands stand in for."""
        return self.injection.lines_by_hand

    @property
    def needed_roles(self) -> tuple[str, ...]:
        """A supply that feeds the pump, where the fault is provoked by it."""
        return self.injection.roles


def without_blanks(
    bench: Bench,
    record: Recorder,
    *,
    rate_u_per_h: float,
    deliver: Callable[[], None],
    reservoir_u: float = FULL_RESERVOIR_U,
) -> None:
    """Prepare a flat profile in U/h, let `deliver` do what is to be measured, and stop the pump."""
    prepare(bench, record, rate_u_per_h=rate_u_per_h, reservoir_u=reservoir_u)
    deliver()
    ask_pump(bench, record, "stopping", bench.pump.stop)


def scale_of_bench(taken: Taken, metrology: Metrology) -> VolumeScale:
    """Compute the scale of a measurement: the air at its preparation, the evaporation that the bench file declares."""
    return VolumeScale.in_air(metrology, air_of(taken, PREPARATION))


def shown_now(bench: Bench) -> frozenset[int]:
    """List what is annunciated now, by number."""
    return frozenset(each.annunciation_id for each in bench.pump.annunciations())


def await_alarm(
    bench: Bench,
    record: Recorder,
    phase: str,
    *,
    kinds: Collection[str],
    before: Collection[int],
    since_s: float,
    watch_s: float,
    every_s: float,
    further: bool = True,
    keep: bool = True,
) -> AlarmAwaited:
    """Read the bench for `watch_s`, and look each time whether the pump annunciates one of `kinds`.

    Args:
        bench: the bench.
        record: where to write.
        phase: what the readings are kept under.
        kinds: words of annunciations that count; any where it is empty.
        before: numbers of annunciations that do not count.
        since_s: from when on it is waited for, on the bench's clock.
        watch_s: for how long in s.
        every_s: from look to look in s.
        further: whether the readings go on after the alarm to the end of `watch_s`.
        keep: whether the fact is kept; whoever waits in several parts keeps the last.
    """
    seen: tuple[float, str] | None = None

    def look(_: Sample) -> bool:
        nonlocal seen
        if seen is None:
            for each in bench.pump.annunciations():
                if each.annunciation_id not in before and (not kinds or each.kind in kinds):
                    seen = (bench.clock.now(), each.kind)
                    record.step(f"annunciated: {each.kind}", after_s=round(seen[0] - since_s, 3))
        return seen is not None and not further

    sample_for(bench, record, phase, duration_s=watch_s, every_s=every_s, until=look)
    at_s, kind = seen or (bench.clock.now(), "")
    if seen is None:
        record.step("no alarm, given up", after_s=round(at_s - since_s, 3))
    fact = AlarmAwaited(at_s=at_s, since_s=since_s, seen=seen is not None, kind=kind, looked_every_s=every_s)
    if keep:
        record.fact(fact)
    return fact


def onset_u_s(taken: Taken) -> float:
    """Compute the standard uncertainty in s of when the fault began: 0 where the bench provoked it.

    What a person confirms within ± a is taken as rectangular, a/√3 (JCGM 100:2008 4.3.7).
    """
    return max((fact.uncertainty_s for fact in taken.facts(FaultInjected)), default=0.0) / math.sqrt(3.0)


def time_to_alarm(taken: Taken, alarm: AlarmAwaited) -> Budget:
    """Write the budget in s of the time from the beginning of a fault to its alarm, or until it was given up."""
    late_s = alarm.looked_every_s / math.sqrt(3.0)
    budget = with_one_source(alarm.at_s - alarm.since_s, "s", "time between looks at the pump", late_s)
    u_s = onset_u_s(taken)
    return budget.plus("moment at which the operator confirmed the fault", "B", u_s) if u_s else budget


def came(scale: VolumeScale, readings: Series) -> Budget:
    """Write the budget in U of what came between the first and the last of some readings."""
    return scale.budget(float(scale.delivered_u(readings)[-1]), float(readings.at_s[-1] - readings.at_s[0]))

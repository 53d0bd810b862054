"""A pump that may not deliver yet: no reservoir, a changed one that is not primed, or just started.

It is asked for therapy and a bolus, and weighed. Not responsible for limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from rig.faults import shipped_faults
from rig.procedures.answers import accepted, ask_for_bolus, ask_pump
from rig.procedures.bounds import lasting
from rig.procedures.budgets import measured
from rig.procedures.procedure import Computed
from rig.procedures.provoking import FaultBench, provoking
from rig.procedures.rest import SAMPLE_EVERY_S
from rig.procedures.restarting import restarted_on_purpose
from rig.procedures.sampling import sample_for
from rig.procedures.under_fault import FaultName, UnderFault, came, scale_of_bench, without_blanks
from rig.record.taking import Recorder, Taken
from rig.roles import Bench, Capability, Metrology, require
from rig.toml_files import TimeS
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Parameter, Quantity

State = Literal["without a reservoir", "not primed", "started"]
WATCHED = "asked for therapy"
RATE_U_PER_H, BOLUS_U, PRIME_U = 5.0, 1.0, 0.3
"""What it is programmed and asked for, so that there is something to withhold; and what it is primed with."""
SETTLED_S = 10.0
RUN, BOLUS = "therapy", "a bolus"
STATE = Parameter("state", words=("without a reservoir", "not primed", "started"))
DELIVERED = Kind(
    "not_yet.delivered", "delivered {state}", ("U",), (STATE,), "What came of therapy and a bolus that were asked for."
)
STARTS = Kind(
    "not_yet.starts", "starts of therapy {state}", ("starts",), (STATE,), "How often it ran, asked for or by itself."
)


class NotYet(UnderFault):
    """Bring the pump into a state in which it may not deliver, ask for therapy and a bolus, and weigh."""

    TABLE: ClassVar = "not_yet"
    KEYWORD: ClassVar = "Ask For Therapy Too Early"
    IN_WORDS: ClassVar = "a pump {title}"
    KINDS: ClassVar = (DELIVERED, STARTS)
    EXPECTED: ClassVar = frozenset({"reservoir issue"})

    fault: FaultName = "F14 removed"
    state: State
    watch_s: Annotated[TimeS, lasting("1 min", "1 d"), Field(alias="watch")] = 600.0

    @property
    def title(self) -> str:
        """What tells it from others: the state."""
        return self.state

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        more = {"not primed": (Capability.PRIMING,), "started": (Capability.RESTART,)}.get(self.state, ())
        return (Capability.BASAL_PROFILE, Capability.FAST_BOLUS, *more)

    @property
    def needed_lines(self) -> tuple[str, ...]:
        """Lines of the bench's switch that the state is made by."""
        return () if self.state == "started" else self.injection.lines

    @property
    def lines_by_hand(self) -> tuple[str, ...]:
        """Those of them that an operator's hands stand in for."""
        return self.injection.lines_by_hand if self.state == "without a reservoir" else ()

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U, at most."""
        return RATE_U_PER_H * self.watch_s / 3600.0 + BOLUS_U + PRIME_U

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        return (DELIVERED.of(state=self.state), STARTS.of(state=self.state))

    @property
    def extent(self) -> Mapping[str, float]:
        """For how long it is weighed, in s: twice as long after a start, of which nobody asked anything."""
        return {"analysis": self.watch_s * (2.0 if self.state == "started" else 1.0)}

    def take(self, bench: Bench, record: Recorder) -> None:
        """Bring it there, ask, and weigh for `watch_s`."""

        def deliver() -> None:
            sample_for(bench, record, WATCHED, duration_s=SETTLED_S, every_s=SAMPLE_EVERY_S)
            with provoking(bench, record) as faults:
                self._bring(bench, record, faults)
                sample_for(bench, record, WATCHED, duration_s=self.watch_s, every_s=SAMPLE_EVERY_S)
            ask_pump(bench, record, "stopping", bench.pump.stop)
            if self.state != "started":
                sample_for(bench, record, "reservoir attached", duration_s=SETTLED_S, every_s=SAMPLE_EVERY_S)
                self._prime(bench, record)

        without_blanks(bench, record, rate_u_per_h=RATE_U_PER_H, deliver=deliver)

    def _bring(self, bench: Bench, record: Recorder, faults: FaultBench) -> None:
        if self.state == "started":
            restarted_on_purpose(bench, record)
            sample_for(bench, record, WATCHED, duration_s=self.watch_s, every_s=SAMPLE_EVERY_S)
            if bench.pump.status().therapy.value != "stop":
                ask_pump(bench, record, RUN, lambda: None)  # it runs, and nobody asked
            return
        way = "F14 changed" if self.state == "not primed" else self.fault
        faults.inject(shipped_faults().injection(way))
        sample_for(bench, record, WATCHED, duration_s=SETTLED_S, every_s=SAMPLE_EVERY_S)
        ask_pump(bench, record, RUN, bench.pump.run)
        ask_for_bolus(bench, record, BOLUS_U, BOLUS)

    def _prime(self, bench: Bench, record: Recorder) -> None:
        """Prime, so that the next measurement finds the pump ready."""
        if Capability.PRIMING not in bench.pump.capabilities:
            return
        ask_pump(bench, record, "priming", lambda: require(bench.pump, Capability.PRIMING).prime(PRIME_U))
        sample_for(bench, record, "priming", duration_s=60.0, every_s=SAMPLE_EVERY_S)

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Weigh what came, and count the starts."""
        scale = scale_of_bench(taken, metrology)
        delivered, starts = self.quantities
        budget = came(scale, taken.series(WATCHED))
        return Computed(
            (measured(delivered, budget), Measurement(starts, float(accepted(taken, RUN)))),
            budgets={delivered: budget},
        )

"""States that a fault may meet a pump in: how it is brought into each, and what it is programmed to deliver there.

Not responsible for faults (`fault_response`), nor for the occlusions of `occluded_bolus`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rig.procedures.answers import ask_for_bolus, ask_pump
from rig.procedures.rest import SAMPLE_EVERY_S
from rig.procedures.under_fault import await_alarm
from rig.record.taking import Recorder
from rig.roles import Bench, Capability, HistoryEvent, require
from rig.therapy import BolusRequest
from rig.verdicts.quantities import Parameter

State = Literal["stopped", "basal", "bolus", "extended", "priming", "alarm"]
"""What a pump is doing when a fault begins; "alarm" is basal delivery with a low reservoir annunciated, unconfirmed."""
STATE = Parameter("state", words=("stopped", "basal", "bolus", "extended", "priming", "alarm"))
WARNED = "reservoir low"
WARNED_WITHIN_S = 600.0
"""A low reservoir is annunciated with the first dose: so long it is waited for, which is a dose of 0.1 U at 0.6 U/h."""
WARNING = "until the first warning"
NEEDS: dict[State, tuple[Capability, ...]] = {
    "stopped": (),
    "basal": (Capability.BASAL_PROFILE, Capability.DAILY_TOTAL),
    "bolus": (Capability.FAST_BOLUS, Capability.HISTORY),
    "extended": (Capability.EXTENDED_BOLUS, Capability.HISTORY),
    "priming": (Capability.PRIMING, Capability.HISTORY),
    "alarm": (Capability.BASAL_PROFILE, Capability.DAILY_TOTAL, Capability.RESERVOIR_LEVEL),
}
"""What a pump must be able to do to be brought into each."""


@dataclass(frozen=True)
class Programme:
    """What a pump is told to deliver in a state: steadily from its beginning on, up to a size in U where it has one."""

    state: State
    rate_u_per_h: float
    size_u: float
    flow_u_per_h: float

    @property
    def of_therapy(self) -> bool:
        """Whether it is basal delivery, which has no end of its own."""
        return self.state in ("basal", "alarm")

    @property
    def basal_u_per_h(self) -> float:
        """The basal rate of the profile in U/h: boluses and priming come over none."""
        return self.rate_u_per_h if self.of_therapy else 0.0

    def programmed_u(self, since_s: float) -> float:
        """Compute what is programmed to have come so many s after the beginning, in U."""
        if self.state == "stopped":
            return 0.0
        delivered_u = self.flow_u_per_h * max(0.0, since_s) / 3600.0
        return delivered_u if self.of_therapy else min(self.size_u, delivered_u)

    def begin(self, bench: Bench, record: Recorder) -> float:
        """Bring the pump into the state; returns when its delivery began, in s of the bench's clock.

        A pump that refuses what is asked delivers nothing of its programme, and is measured all the same.
        """
        pump, begun_s = bench.pump, bench.clock.now()
        if self.state == "stopped":
            return begun_s
        if self.state == "priming":
            ask_pump(bench, record, "priming", lambda: require(pump, Capability.PRIMING).prime(self.size_u))
            return begun_s
        ask_pump(bench, record, "therapy", pump.run)
        begun_s = bench.clock.now()
        if self.state == "alarm":
            await_alarm(
                bench, record, WARNING, kinds=(WARNED,), before=(), since_s=begun_s, watch_s=WARNED_WITHIN_S,
                every_s=SAMPLE_EVERY_S, further=False, keep=False,
            )  # fmt: skip
        elif self.state == "bolus":
            ask_for_bolus(bench, record, self.size_u)
        elif self.state == "extended":
            minutes = round(60.0 * self.size_u / self.flow_u_per_h)
            bolus = BolusRequest(extended_u=self.size_u, duration_min=minutes)
            timed = require(pump, Capability.EXTENDED_BOLUS)
            ask_pump(bench, record, "an extended bolus", lambda: timed.deliver(bolus))
        return begun_s

    def end(self, bench: Bench, record: Recorder) -> None:
        """Stop whatever the pump still does."""
        if self.state == "priming":
            ask_pump(bench, record, "stopping to prime", require(bench.pump, Capability.PRIMING).stop_priming)
        ask_pump(bench, record, "stopping", bench.pump.stop)

    def told_u(self, entries: Sequence[HistoryEvent], day_u: float) -> float:
        """Tell what the pump's own account of this state says was delivered, in U; 0 where it has no entry of it.

        Of boluses and priming that is its log, of basal delivery its total of the day.
        """
        kind = {"bolus": "bolus delivered", "extended": "bolus delivered", "priming": "priming done"}.get(self.state)
        if kind is None:
            return day_u
        return sum(float(each.fields["delivered_u"]) for each in entries if each.kind == kind)

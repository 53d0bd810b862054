"""A stopped pump, weighed between two blank runs with the outlet closed: it must deliver nothing.

Not responsible for limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from rig.procedures.between_blanks import between_blanks, scale_between_blanks
from rig.procedures.bounds import lasting
from rig.procedures.budgets import measured
from rig.procedures.procedure import BetweenBlanks, Computed
from rig.procedures.rest import SAMPLE_EVERY_S
from rig.procedures.sampling import sample_for
from rig.record.taking import Recorder, Taken
from rig.roles import Bench, Capability, Metrology
from rig.toml_files import TimeS
from rig.verdicts.quantities import Kind, Quantity

STAYS = "pump stopped"
FADING_S = 300.0
"""66 time constants of a line that fades in 4.5 s, 6 of one that fades ten times as slowly."""
RATE_U_PER_H = 1.0
"""Of the profile that the stopped pump holds, so that there is something for it to withhold."""
DELIVERED = Kind("stopped.delivered", "delivered while stopped", ("U",), (), "What a stopped pump delivers.")


class Stopped(BetweenBlanks):
    """Weigh for a duration what a stopped pump delivers."""

    TABLE: ClassVar = "stopped"
    KEYWORD: ClassVar = "Weigh Stopped Pump"
    IN_WORDS: ClassVar = "a pump {title}"
    KINDS: ClassVar = (DELIVERED,)

    duration_s: Annotated[TimeS, lasting("1 min"), Field(alias="duration")]

    @property
    def title(self) -> str:
        """What tells it from others: how long it is weighed."""
        return f"{self.duration_s / 60.0:g} min stopped"

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it: nothing. One that has no basal profile is weighed without."""
        return ()

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        return (DELIVERED.of(),)

    @property
    def extent(self) -> Mapping[str, float]:
        """How long it weighs, in s."""
        return {"analysis": self.duration_s}

    def take(self, bench: Bench, record: Recorder) -> None:
        """Leave the pump stopped and read the balance.

        A pump that goes on delivering would never let the balance come to rest, so that what was in the line is given
        a fixed time to fade.
        """

        def stay() -> None:
            sample_for(bench, record, "fading", duration_s=FADING_S, every_s=SAMPLE_EVERY_S)
            record.step("pump stays stopped", minutes=self.duration_s / 60.0)
            sample_for(bench, record, STAYS, duration_s=self.duration_s, every_s=SAMPLE_EVERY_S)

        rate_u_per_h = RATE_U_PER_H if Capability.BASAL_PROFILE in bench.pump.capabilities else 0.0
        between_blanks(bench, record, rate_u_per_h=rate_u_per_h, blank_s=self.blank_s, deliver=stay, outlet_closed=True)

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Weigh what came."""
        scale = scale_between_blanks(taken, metrology, blank_s=self.blank_s)
        budget = scale.budget(float(scale.delivered_u(taken.series(STAYS))[-1]), self.duration_s)
        return Computed((measured(DELIVERED.of(), budget),), budgets={DELIVERED.of(): budget})

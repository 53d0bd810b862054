"""A stopped pump, weighed: it must deliver nothing.

Blank runs before and after hold the balance to its bench file, but the evaporation is the bench file's: a blank run
with a pump that delivers while stopped would count what it delivers as the vessel's. Not responsible for limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from rig.procedures.budgets import measured
from rig.procedures.gates import blank_run
from rig.procedures.preparation import PREPARATION, prepare
from rig.procedures.procedure import BetweenBlanks, Computed
from rig.procedures.rest import SAMPLE_EVERY_S
from rig.procedures.sampling import air_of, sample_for
from rig.procedures.volume import VolumeScale
from rig.record.taking import Recorder, Taken
from rig.roles import Bench, Capability, Metrology
from rig.toml_files import TimeS
from rig.verdicts.quantities import Kind, Quantity

STAYS = "pump stopped"
DELIVERED = Kind("stopped.delivered", "delivered while stopped", ("U",), (), "What a stopped pump delivers.")


class Stopped(BetweenBlanks):
    """Weigh for a duration what a stopped pump delivers."""

    TABLE: ClassVar = "stopped"
    KEYWORD: ClassVar = "Weigh Stopped Pump"
    KINDS: ClassVar = (DELIVERED,)

    duration_s: Annotated[TimeS, Field(alias="duration", ge=60.0)]

    @property
    def title(self) -> str:
        """What tells it from others: how long it is weighed."""
        return f"{self.duration_s / 60.0:g} min stopped"

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it: nothing."""
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
        """Leave the pump stopped and read the balance."""
        has_profile = Capability.BASAL_PROFILE in bench.pump.capabilities
        prepare(bench, record, rate_u_per_h=1.0 if has_profile else 0.0)
        blank_run(bench, record, "opening", duration_s=self.blank_s, gain_is_judged=True)
        record.step("pump stays stopped", minutes=self.duration_s / 60.0)
        sample_for(bench, record, STAYS, duration_s=self.duration_s, every_s=SAMPLE_EVERY_S)
        blank_run(bench, record, "closing", duration_s=self.blank_s, gain_is_judged=True)

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Weigh what came."""
        scale = VolumeScale.in_air(metrology, air_of(taken, PREPARATION))
        budget = scale.budget(float(scale.delivered_u(taken.series(STAYS))[-1]), self.duration_s)
        return Computed((measured(DELIVERED.of(), budget),), budgets={DELIVERED.of(): budget})

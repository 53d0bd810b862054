"""The insulin that a pump is made for: the concentration that it states, against a bolus that is weighed.

A pump feels no insulin, and water has none: what can be wrong on its side is the concentration by which it turns units
into volume, or the one that it states, by which a person or a phone fills and doses. Not responsible for limits.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from rig.procedures.answers import ask_for_bolus
from rig.procedures.between_blanks import between_blanks, scale_between_blanks
from rig.procedures.bounds import Size
from rig.procedures.budgets import measured
from rig.procedures.preparation import start_therapy
from rig.procedures.procedure import BetweenBlanks, Computed
from rig.procedures.rest import wait_for_rest
from rig.procedures.sampling import sample_for
from rig.procedures.under_fault import came
from rig.record.taking import Fact, Recorder, Taken
from rig.roles import Bench, Capability, Metrology, require
from rig.units import UL_PER_U
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Quantity

BEFORE, DURING, AFTER = "rest before", "bolus", "rest after"
SAMPLE_EVERY_S = 10.0
WATCHED_S = 300.0
"""Long enough for a bolus of 3 U at 0.6 U/min, the slowest of the reference pump's speeds."""
MOST_U_PER_ML = 1000.0
"""Above it, and for what is no number, 0 is written down: no insulin is sold above U-500."""
STATED = Kind("concentration.stated", "stated insulin concentration", ("U/mL",), (), "What the pump states of itself.")
ERROR = Kind(
    "concentration.unit_error", "error of a unit at the stated concentration", ("%",), (),
    "The weighed insulin at the concentration that the pump states, less the size of the bolus, in % of it.",
)  # fmt: skip


class ConcentrationStated(Fact):
    """The insulin concentration that the pump states, in U/mL; 0 where it states no number."""

    concentration_u_per_ml: float


class Concentration(BetweenBlanks):
    """Ask the pump for its insulin concentration, and weigh whether a unit is one at it."""

    TABLE: ClassVar = "concentration"
    KEYWORD: ClassVar = "Weigh A Unit Of Insulin"
    IN_WORDS: ClassVar = "the insulin concentration by {title}"
    KINDS: ClassVar = (STATED, ERROR)

    size_u: Annotated[Size, Field(alias="size")] = 2.0

    @property
    def title(self) -> str:
        """What tells it from others: the bolus."""
        return f"a bolus of {self.size_u:g} U"

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (Capability.FAST_BOLUS, Capability.CONCENTRATION)

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U."""
        return self.size_u

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        return tuple(kind.of() for kind in self.KINDS)

    def take(self, bench: Bench, record: Recorder) -> None:
        """Ask, give a bolus, and weigh it from rest to rest."""

        def deliver() -> None:
            stated = require(bench.pump, Capability.CONCENTRATION).concentration_u_per_ml()
            record.fact(
                ConcentrationStated(
                    at_s=bench.clock.now(), concentration_u_per_ml=stated if 0.0 < stated < MOST_U_PER_ML else 0.0
                )
            )
            start_therapy(bench, record)
            wait_for_rest(bench, record, BEFORE)
            ask_for_bolus(bench, record, self.size_u)
            sample_for(bench, record, DURING, duration_s=WATCHED_S, every_s=SAMPLE_EVERY_S)
            bench.pump.stop()
            wait_for_rest(bench, record, AFTER)

        between_blanks(bench, record, rate_u_per_h=0.0, blank_s=self.blank_s, deliver=deliver)

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Turn what was weighed into insulin by the stated concentration, and compare it with what was asked for."""
        scale = scale_between_blanks(taken, metrology, blank_s=self.blank_s)
        stated_u_per_ml = taken.the(ConcentrationStated).concentration_u_per_ml
        weighed = came(scale, taken.series(BEFORE, DURING, AFTER))
        per_percent = 100.0 * stated_u_per_ml * UL_PER_U / 1000.0 / self.size_u
        error = weighed.linear(per_percent, offset=-100.0, unit="%")
        return Computed(
            (Measurement(STATED.of(), stated_u_per_ml), measured(ERROR.of(), error)), budgets={ERROR.of(): error}
        )

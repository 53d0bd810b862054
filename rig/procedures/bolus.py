"""Consecutive boluses, each weighed on its own from rest to plateau, between two blank runs.

Not responsible for limits, nor for the formulas (`rig.analysis.bolus`), nor for the steps that extended boluses share
(`consecutive`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from rig.analysis.bolus import WeighedBolus, bolus_statistics
from rig.analysis.budget import Budget
from rig.analysis.capability import Measurand, Statistic
from rig.procedures.between_blanks import scale_between_blanks
from rig.procedures.bounds import Size, Speed
from rig.procedures.budgets import bolus_budget, error_of, error_unit, mean_bolus_budget, measured, told_less_weighed
from rig.procedures.consecutive import delivered_boluses, give_boluses, weigh_delivered
from rig.procedures.contents import bolus_content
from rig.procedures.from_sheet import FromSheet
from rig.procedures.parameters import SIZE
from rig.procedures.procedure import AT_REST_S, BetweenBlanks, Computed
from rig.procedures.rest import SAMPLE_EVERY_S
from rig.procedures.sampling import sample_for
from rig.procedures.volume import VolumeScale
from rig.record.taking import Recorder, Taken
from rig.roles import Bench, Capability, Metrology
from rig.therapy import BolusRequest
from rig.toml_files import WholeNumber
from rig.units import u_from_ul, ul_from_u
from rig.verdicts.quantities import Kind, Quantity

BOLUS_H = 5.0 / 60.0
"""Assumed time between the weighings before and after a bolus, for what evaporation may do meanwhile."""
STANDARD_BOLUS_U_PER_H = 90.0
"""1.5 U/min, the usual speed of a fast bolus."""

MEAN, LARGEST, SMALLEST = (
    Kind(f"bolus.{which}_error", f"{which} bolus error at {{size}}", ("%", "U"), (SIZE,), meaning)
    for which, meaning in (
        ("mean", "Mean error of consecutive boluses: in % from 1 U up, in U below."),
        ("largest", "Error of the largest of them: in % from 1 U up, in U below."),
        ("smallest", "Error of the smallest of them: in % from 1 U up, in U below."),
    )
)
LOGGED = Kind(
    "bolus.logged_less_weighed",
    "logged less weighed bolus volume at {size}",
    ("%",),
    (SIZE,),
    "What the pump's log adds up to, less what was weighed, in % of it.",
)


class Bolus(BetweenBlanks):
    """Weigh consecutive boluses of one size, at the speed at which the pump delivers them."""

    TABLE: ClassVar = "bolus"
    KEYWORD: ClassVar = "Weigh Boluses"
    IN_WORDS: ClassVar = "{count} boluses of {title}"
    KINDS: ClassVar = (MEAN, LARGEST, SMALLEST, LOGGED)

    size_u: Annotated[Size, Field(alias="size")]
    count: WholeNumber = Field(ge=2, le=1000)
    speed_u_per_h: Annotated[Speed, FromSheet("bolus.speed"), Field(alias="speed")] = STANDARD_BOLUS_U_PER_H

    @property
    def title(self) -> str:
        """What tells it from other series of boluses: its size."""
        return f"{self.size_u:g} U"

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (Capability.FAST_BOLUS, Capability.HISTORY)

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U."""
        return self.size_u * self.count

    @property
    def planned_s(self) -> float:
        """How long one bolus should take in s."""
        return round(self.size_u / self.speed_u_per_h * 3600.0, 6)

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        return (*(self._error(kind) for kind in (MEAN, LARGEST, SMALLEST)), LOGGED.of(size=self.size_u))

    @property
    def bench_time_s(self) -> float:
        """Each bolus with its time to rest, and what is around them, in s."""
        return self.count * (self.planned_s + AT_REST_S) + self.around_s

    @property
    def extent(self) -> Mapping[str, float]:
        """How many there are."""
        return {"count": float(self.count)}

    @property
    def measurands(self) -> Mapping[Quantity, Measurand]:
        """Each bolus, and the mean of all."""
        volume_ul = ul_from_u(self.size_u)
        each = Measurand(volume_ul, BOLUS_H, self.count)
        mean = Measurand(volume_ul, BOLUS_H, self.count, Statistic.MEAN)
        return {self._error(MEAN): mean, self._error(LARGEST): each, self._error(SMALLEST): each}

    def _error(self, kind: Kind) -> Quantity:
        return kind.of(size=self.size_u, unit=error_unit(self.size_u))

    def take(self, bench: Bench, record: Recorder) -> None:
        """Deliver the boluses over a basal rate of 0, each to its plateau; stops the pump at the end."""

        def during(phase: str, start_s: float) -> None:
            del start_s
            sample_for(bench, record, phase, duration_s=self.planned_s, every_s=SAMPLE_EVERY_S)

        bolus = BolusRequest(fast_u=self.size_u)
        give_boluses(bench, record, bolus, count=self.count, blank_s=self.blank_s, during=during)

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Weigh each bolus from rest to rest, and compute the errors of all."""
        scale = scale_between_blanks(taken, metrology, blank_s=self.blank_s)
        delivered = delivered_boluses(taken, count=self.count, planned_s=self.planned_s)
        weighed = [weigh_delivered(bolus, self.planned_s, scale) for bolus in delivered]
        logged_u = [bolus.logged_u for bolus in delivered]
        budgets = self.budgets(scale, weighed)
        total = mean_bolus_budget(scale, weighed).linear(float(self.count), unit="U")
        return Computed(
            measured=(
                *(measured(quantity, budget) for quantity, budget in budgets.items()),
                measured(LOGGED.of(size=self.size_u), told_less_weighed(sum(logged_u), total)),
            ),
            analyses={
                "bolus": bolus_content(
                    bolus_statistics([each.volume_ul for each in weighed], programmed_ul=ul_from_u(self.size_u)),
                    u_u=[bolus_budget(scale, each).expanded for each in weighed],
                    logged_u=logged_u,
                    tail_percent=float(np.mean([each.tail_percent for each in weighed])),
                    z_ul_per_mg=scale.z_ul_per_mg,
                    evaporation=scale.evaporation,
                )
            },
            budgets=budgets,
            further=self.further(scale, weighed),
        )

    def budgets(self, scale: VolumeScale, weighed: Sequence[WeighedBolus]) -> dict[Quantity, Budget]:
        """Write a budget for each weighed number."""
        by_volume = sorted(weighed, key=lambda bolus: bolus.volume_ul)
        delivered = {
            self._error(MEAN): mean_bolus_budget(scale, weighed),
            self._error(LARGEST): bolus_budget(scale, by_volume[-1]),
            self._error(SMALLEST): bolus_budget(scale, by_volume[0]),
        }
        return {quantity: error_of(self.size_u, budget) for quantity, budget in delivered.items()}

    def further(self, scale: VolumeScale, weighed: Sequence[WeighedBolus]) -> dict[str, Budget]:
        """Write the budget of the mean of more boluses of this pump than these n. It decides nothing.

        Their scatter is then a source too (type A, n − 1 degrees of freedom), as if boluses were independent, which
        they need not be (docs/uncertainty.md).
        """
        n = len(weighed)
        scatter_u = u_from_ul(float(np.std([bolus.volume_ul for bolus in weighed], ddof=1))) / math.sqrt(n)
        mean = mean_bolus_budget(scale, weighed).plus(f"scatter of {n}", "A", scatter_u, n - 1)
        return {f"{self._error(MEAN)}, of more than these {n}": error_of(self.size_u, mean)}

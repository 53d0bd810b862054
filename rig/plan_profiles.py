"""Entries of a test plan about the course of a delivery: extended boluses, temporary rates, profile switches.

Not responsible for measuring, nor for limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from rig.plan_entries import STANDARD_BOLUS_U_PER_H, Entry
from rig.procedures.extended_course import ExtendedPlan
from rig.quantities import InsulinU, Percent, RateUPerH, TimeS


def _whole_minutes(duration_s: float) -> float:
    if duration_s % 60.0:
        raise ValueError("pumps are told whole minutes")
    return duration_s


Minutes = Annotated[TimeS, AfterValidator(_whole_minutes)]
"""A duration in s that is a whole number of minutes."""


class ExtendedEntry(Entry):
    """Boluses of one size of which a share is extended evenly over a duration; all of it, or a multiwave bolus."""

    size: InsulinU = Field(gt=0)
    extended: Percent = Field(default=100.0, gt=0, le=100)
    duration: Minutes = Field(gt=0)
    slices: int = Field(default=4, ge=2, le=100)
    count: int = Field(default=1, ge=1, le=100)
    speed: RateUPerH = Field(default=STANDARD_BOLUS_U_PER_H, gt=0)
    dose: InsulinU = Field(default=0.025, gt=0)

    @model_validator(mode="after")
    def _can_be_looked_at_in_slices(self) -> Self:
        plan = self.procedure()
        slice_s = (plan.duration_s - plan.immediate_s) / plan.slices
        if slice_s < plan.dose_interval_s:
            raise ValueError(
                f"slices of {max(slice_s, 0.0):.4g} s after the immediate part hold no dose, one comes every "
                f"{plan.dose_interval_s:.4g} s: take fewer, or a longer duration"
            )
        return self

    @property
    def title(self) -> str:
        """What tells it from the other entries: size, extended share, duration."""
        return self.procedure().title

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U."""
        return self.size * self.count

    @property
    def measures(self) -> frozenset[str]:
        """Names of its measurements."""
        names = self.procedure().names
        return frozenset(name for name in names if name != names.immediate or self.extended < 100.0)

    @property
    def extent(self) -> Mapping[str, float]:
        """How many there are."""
        return {"count": float(self.count)}

    def procedure(self) -> ExtendedPlan:
        """Get what `rig.procedures.extended` needs."""
        return ExtendedPlan(
            insulin_u=self.size,
            extended_share=self.extended / 100.0,
            duration_min=round(self.duration / 60.0),
            slices=self.slices,
            count=self.count,
            speed_u_per_h=self.speed,
            dose_u=self.dose,
            blank_s=self.blank,
        )

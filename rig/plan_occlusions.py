"""Entries of a test plan about occlusions: series at one threshold, and free delivery without a false alarm.

Not responsible for measuring, nor for limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from rig.plan_entries import Entry
from rig.procedures.occlusion_series import FreePlan, OcclusionPlan
from rig.quantities import InsulinU, RateUPerH, TimeS

Threshold = Literal["low", "normal", "high"]


class OcclusionEntry(Entry):
    """Occlusions one after the other under basal delivery at one rate, at one threshold of the pump."""

    rate: RateUPerH = Field(gt=0)
    threshold: Threshold | None = None
    count: int = Field(default=1, ge=1, le=100)
    free: TimeS = Field(default=600.0, ge=60.0)
    watch: TimeS = Field(default=600.0, ge=60.0)
    giving_up_after: InsulinU = Field(default=7.0, gt=0)

    @property
    def title(self) -> str:
        """What tells it from the other entries: rate and threshold."""
        return self.procedure().title

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U, at most, of one reservoir: each occlusion begins with a full one."""
        return self.rate * self.free / 3600.0 + self.giving_up_after

    @property
    def measures(self) -> frozenset[str]:
        """Names of its measurements."""
        return frozenset(self.procedure().names)

    @property
    def extent(self) -> Mapping[str, float]:
        """How many there are."""
        return {"count": float(self.count)}

    def procedure(self) -> OcclusionPlan:
        """Get what `rig.procedures.occlusion_series` needs."""
        return OcclusionPlan(
            rate_u_per_h=self.rate,
            threshold=self.threshold,
            count=self.count,
            free_s=self.free,
            watch_s=self.watch,
            giving_up_after_u=self.giving_up_after,
            blank_s=self.blank,
        )


class UnoccludedEntry(Entry):
    """Free delivery at one rate, during which no occlusion may be alarmed."""

    rate: RateUPerH = Field(gt=0)
    duration: TimeS = Field(default=24 * 3600.0, ge=600.0)
    threshold: Threshold | None = None

    @property
    def title(self) -> str:
        """What tells it from the other entries: rate and threshold."""
        return self.procedure().title

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U."""
        return self.rate * self.duration / 3600.0

    @property
    def measures(self) -> frozenset[str]:
        """Names of its measurements."""
        return frozenset(self.procedure().names)

    @property
    def extent(self) -> Mapping[str, float]:
        """How long it delivers, in s."""
        return {"analysis": self.duration}

    def procedure(self) -> FreePlan:
        """Get what `rig.procedures.occlusion_series` needs."""
        return FreePlan(self.rate, self.duration, self.threshold, self.blank)

"""Entries of a test plan about the course of a delivery: extended boluses, temporary rates, profile switches.

Not responsible for measuring, nor for limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from rig.plan_entries import STANDARD_BOLUS_U_PER_H, Entry
from rig.procedures.extended_course import ExtendedPlan
from rig.procedures.rate_change import RateChangePlan, Stretch
from rig.quantities import InsulinU, Percent, RateUPerH, TimeS
from rig.therapy import TemporaryRate
from rig.units import parse

LEAST_CHANGE = 0.1
"""Of the higher rate. At 1 U/h, two hours of doses then tell the moment of a change to some 5 min (U)."""


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


def read_temporary(text: object) -> tuple[float | None, float | None]:
    """Read a temporary rate: its rate in U/h, or its factor of the profile's rate; ValueError when it is neither."""
    if not isinstance(text, str):
        raise ValueError("a temporary rate is a rate such as '0.5 U/h', or a share of the profile such as '50 %'")
    if text.strip().endswith("%"):
        return None, parse(text, "percent") / 100.0
    return parse(text, "rate_u_per_h"), None


RateOrShare = Annotated[tuple[float | None, float | None], BeforeValidator(read_temporary)]
"""A rate in U/h, or a factor of the profile's rate."""


class TemporaryEntry(Entry):
    """A temporary basal rate: the profile's rate before, the temporary one, the profile's rate again."""

    rate: RateUPerH = Field(gt=0)
    temporary: RateOrShare
    duration: Minutes = Field(gt=0)
    before: Minutes = Field(default=7200.0, gt=0)
    after: Minutes = Field(default=7200.0, gt=0)
    dose: InsulinU = Field(default=0.025, gt=0)

    @model_validator(mode="after")
    def _can_be_told_apart(self) -> Self:
        _check_change(self.rate, self._temporary_u_per_h)
        return self

    @property
    def _temporary_u_per_h(self) -> float:
        rate_u_per_h, factor = self.temporary
        return rate_u_per_h if rate_u_per_h is not None else self.rate * (factor or 0.0)

    @property
    def title(self) -> str:
        """What tells it from the other entries: both rates, and how long."""
        rate_u_per_h, factor = self.temporary
        temporary = f"{rate_u_per_h:g} U/h" if factor is None else f"{100.0 * factor:g} %"
        return f"{temporary} at {self.rate:g} U/h for {self.duration / 60.0:g} min"

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U."""
        return (self.rate * (self.before + self.after) + self._temporary_u_per_h * self.duration) / 3600.0

    @property
    def measures(self) -> frozenset[str]:
        """Names of its measurements."""
        return self.procedure().names

    @property
    def extent(self) -> Mapping[str, float]:
        """How long it weighs the shortest of its stretches, in s."""
        return {"analysis": min(self.before, self.duration, self.after)}

    def procedure(self) -> RateChangePlan:
        """Get what `rig.procedures.rate_change` needs."""
        minutes = round(self.duration / 60.0)
        rate_u_per_h, factor = self.temporary
        return RateChangePlan(
            title=f"a temporary rate of {self.title}",
            stretches=(
                Stretch("before", round(self.before / 60.0), self.rate),
                Stretch("during", minutes, self._temporary_u_per_h),
                Stretch("after", round(self.after / 60.0), self.rate),
            ),
            changes=("beginning", "end"),
            temporary=TemporaryRate(minutes, rate_u_per_h, factor),
            dose_u=self.dose,
            blank_s=self.blank,
        )


class SwitchEntry(Entry):
    """A switch of the basal profile from one segment's rate to the next one's, by the pump's own clock."""

    rate: RateUPerH = Field(ge=0)
    then: RateUPerH = Field(ge=0)
    before: Minutes = Field(default=7200.0, gt=0)
    after: Minutes = Field(default=7200.0, gt=0)
    dose: InsulinU = Field(default=0.025, gt=0)

    @model_validator(mode="after")
    def _can_be_told_apart(self) -> Self:
        _check_change(self.rate, self.then)
        if self.before + self.after > 24 * 3600.0:
            raise ValueError("before and after together are longer than a profile's 24 h")
        return self

    @property
    def title(self) -> str:
        """What tells it from the other entries: both rates."""
        return f"{self.rate:g} to {self.then:g} U/h"

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U."""
        return (self.rate * self.before + self.then * self.after) / 3600.0

    @property
    def measures(self) -> frozenset[str]:
        """Names of its measurements."""
        return self.procedure().names

    @property
    def extent(self) -> Mapping[str, float]:
        """How long it weighs the shorter of its stretches, in s."""
        return {"analysis": min(self.before, self.after)}

    def procedure(self) -> RateChangePlan:
        """Get what `rig.procedures.rate_change` needs."""
        return RateChangePlan(
            title=f"a switch from {self.title}",
            stretches=(
                Stretch("before", round(self.before / 60.0), self.rate),
                Stretch("after", round(self.after / 60.0), self.then),
            ),
            changes=("switch",),
            dose_u=self.dose,
            blank_s=self.blank,
        )


def _check_change(rate_u_per_h: float, then_u_per_h: float) -> None:
    """Refuse rates that are too close for their doses to tell when one became the other; ValueError."""
    least_u_per_h = LEAST_CHANGE * max(rate_u_per_h, then_u_per_h)
    if then_u_per_h == rate_u_per_h or abs(then_u_per_h - rate_u_per_h) < least_u_per_h * (1.0 - 1e-9):
        raise ValueError(
            f"a change from {rate_u_per_h:g} to {then_u_per_h:g} U/h is too small to say when it came: "
            f"{100.0 * LEAST_CHANGE:g} % of the higher rate are needed"
        )

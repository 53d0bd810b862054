"""A switch of the basal profile: what comes before and after it, and how late it comes.

Not responsible for the steps and numbers that it shares with temporary rates (`rate_change`), nor for limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from rig.procedures.bounds import Minutes, RateOrNone
from rig.procedures.parameters import RATE, THEN
from rig.procedures.rate_change import SHORTEST_S, Changing, RateChange, Stretch, check_change
from rig.roles import Capability
from rig.verdicts.quantities import Kind, Quantity

_OF_SWITCH = "a switch from {rate} to {then}"
SWITCH_ERRORS = {
    stretch: Kind(
        f"switch.error_{stretch}",
        f"error {stretch} {_OF_SWITCH}",
        ("%", "U"),
        (RATE, THEN),
        f"Error of what is delivered {stretch} it; in U where nothing is to be delivered.",
    )
    for stretch in ("before", "after")
}
SWITCH_DELAY = Kind(
    "switch.delay",
    f"delay of {_OF_SWITCH}",
    ("s",),
    (RATE, THEN),
    "How much later than programmed the switch shows in the flow.",
)


class ProfileSwitch(Changing):
    """Weigh a switch of the basal profile from one segment's rate to the next one's, by the pump's own clock."""

    TABLE: ClassVar = "switch"
    KEYWORD: ClassVar = "Weigh Profile Switch"
    IN_WORDS: ClassVar = "a switch from {title}"
    KINDS: ClassVar = (*SWITCH_ERRORS.values(), SWITCH_DELAY)

    rate_u_per_h: Annotated[RateOrNone, Field(alias="rate")]
    then_u_per_h: Annotated[RateOrNone, Field(alias="then")]
    before_s: Annotated[Minutes, Field(alias="before", ge=SHORTEST_S)] = 7200.0
    after_s: Annotated[Minutes, Field(alias="after", ge=SHORTEST_S)] = 7200.0

    @model_validator(mode="after")
    def _can_be_told_apart(self) -> Self:
        check_change(self.rate_u_per_h, self.then_u_per_h)
        if self.before_s + self.after_s > 24 * 3600.0:
            raise ValueError("before and after together are longer than a profile's 24 h")
        return self

    @property
    def title(self) -> str:
        """What tells it from other switches: both rates."""
        return f"{self.rate_u_per_h:g} to {self.then_u_per_h:g} U/h"

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (Capability.BASAL_PROFILE, Capability.CLOCK)

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U."""
        return (self.rate_u_per_h * self.before_s + self.then_u_per_h * self.after_s) / 3600.0

    @property
    def bench_time_s(self) -> float:
        """Both stretches and what is around them, in s."""
        return self.before_s + self.after_s + self.around_s

    @property
    def extent(self) -> Mapping[str, float]:
        """How long it weighs the shorter of its stretches, in s."""
        return {"analysis": min(self.before_s, self.after_s)}

    def error_of(self, stretch: Stretch) -> Quantity:
        """Name the error of a stretch."""
        unit = "%" if stretch.rate_u_per_h else "U"
        return SWITCH_ERRORS[stretch.name].of(unit=unit, rate=self.rate_u_per_h, then=self.then_u_per_h)

    def delay_of(self, change: str) -> Quantity:
        """Name the delay of the switch."""
        del change
        return SWITCH_DELAY.of(rate=self.rate_u_per_h, then=self.then_u_per_h)

    @property
    def change(self) -> RateChange:
        """The stretches and the change."""
        return RateChange(
            title=f"a switch from {self.title}",
            stretches=(
                Stretch("before", round(self.before_s / 60.0), self.rate_u_per_h),
                Stretch("after", round(self.after_s / 60.0), self.then_u_per_h),
            ),
            changes=("switch",),
            dose_u=self.dose_u,
        )

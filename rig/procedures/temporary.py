"""A temporary basal rate: what comes before, during and after it, and how late it begins and ends.

Not responsible for the steps and numbers that it shares with switches (`rate_change`), nor for limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator

from rig.procedures.bounds import LARGEST_RATE, LARGEST_SHARE, Minutes, Rate
from rig.procedures.parameters import DURATION, RATE, TEMPORARY
from rig.procedures.rate_change import RATE_OVER, SHORTEST_S, Changing, RateChange, Stretch, check_change
from rig.roles import Capability
from rig.therapy import TemporaryRate
from rig.toml_files import Dimensions, by_a_person
from rig.units import parse
from rig.verdicts.quantities import Kind, Quantity


def read_temporary(written: object, info: ValidationInfo[dict[str, Any] | None]) -> object:
    """Read a temporary rate: its rate in U/h, or its factor of the profile's rate; ValueError when it is neither."""
    if isinstance(written, tuple | list) and not by_a_person(info):  # from code, and from a record
        return written
    if not isinstance(written, str):
        raise ValueError("a temporary rate is a rate such as '0.5 U/h', or a share of the profile such as '50 %'")
    if written.strip().endswith("%"):
        return None, parse(written, "percent") / 100.0
    return parse(written, "rate_u_per_h"), None


def _one_of_both(temporary: tuple[float | None, float | None]) -> tuple[float | None, float | None]:
    given = [each for each in temporary if each is not None]
    if len(given) != 1:
        raise ValueError("a temporary rate is a rate in U/h or a factor of the profile, one of them")
    highest = parse(LARGEST_RATE, "rate_u_per_h") if temporary[0] is not None else LARGEST_SHARE / 100.0
    if not 0.0 <= given[0] <= highest:
        raise ValueError(f"allowed are 0 U/h to {LARGEST_RATE}, or 0 % to {LARGEST_SHARE:g} %")
    return temporary


RateOrShare = Annotated[
    tuple[float | None, float | None],
    BeforeValidator(read_temporary),
    AfterValidator(_one_of_both),
    Dimensions(("rate_u_per_h", "percent")),
]
"""A rate in U/h, or a factor of the profile's rate."""

_TEMPORARY = (TEMPORARY, RATE, DURATION)
_OF_TEMPORARY = "a temporary rate of {temporary} at {rate} for {duration}"
TEMPORARY_ERRORS = {
    stretch: Kind(
        f"temporary.error_{stretch}",
        f"error {stretch} {_OF_TEMPORARY}",
        ("%", "U"),
        _TEMPORARY,
        f"Error of what is delivered {stretch} it; in U where nothing is to be delivered.",
    )
    for stretch in ("before", "during", "after")
}
TEMPORARY_DELAYS = {
    change: Kind(
        f"temporary.delay_of_{change}",
        f"delay of the {change} of {_OF_TEMPORARY}",
        ("s",),
        _TEMPORARY,
        f"How much later than programmed its {change} shows in the flow.",
    )
    for change in ("beginning", "end")
}


class Temporary(Changing):
    """Weigh a temporary basal rate: the profile's rate before, the temporary one, the profile's rate again."""

    TABLE: ClassVar = "temporary"
    KEYWORD: ClassVar = "Weigh Temporary Rate"
    IN_WORDS: ClassVar = "a temporary rate of {title}"
    KINDS: ClassVar = (*TEMPORARY_ERRORS.values(), *TEMPORARY_DELAYS.values())
    EXPECTED: ClassVar = frozenset({RATE_OVER})

    temporary: RateOrShare
    rate_u_per_h: Annotated[Rate, Field(alias="rate")]
    duration_s: Annotated[Minutes, Field(alias="duration", ge=SHORTEST_S)]
    before_s: Annotated[Minutes, Field(alias="before", ge=SHORTEST_S)] = 7200.0
    after_s: Annotated[Minutes, Field(alias="after", ge=SHORTEST_S)] = 7200.0

    @model_validator(mode="after")
    def _can_be_told_apart(self) -> Self:
        check_change(self.rate_u_per_h, self._temporary_u_per_h)
        return self

    @property
    def _temporary_u_per_h(self) -> float:
        rate_u_per_h, factor = self.temporary
        return rate_u_per_h if rate_u_per_h is not None else self.rate_u_per_h * (factor or 0.0)

    @property
    def _printed(self) -> str:
        rate_u_per_h, factor = self.temporary
        return f"{rate_u_per_h:.12g} U/h" if rate_u_per_h is not None else f"{100.0 * (factor or 0.0):.12g} %"

    @property
    def title(self) -> str:
        """What tells it from other temporary rates: both rates, and how long."""
        return f"{self._printed} at {self.rate_u_per_h:g} U/h for {self.duration_s / 60.0:g} min"

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (Capability.BASAL_PROFILE, Capability.TEMPORARY_BASAL)

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U."""
        around_s = self.before_s + self.after_s
        return (self.rate_u_per_h * around_s + self._temporary_u_per_h * self.duration_s) / 3600.0

    @property
    def bench_time_s(self) -> float:
        """The three stretches and what is around them, in s."""
        return self.before_s + self.duration_s + self.after_s + self.around_s

    @property
    def extent(self) -> Mapping[str, float]:
        """How long it weighs the shortest of its stretches, in s."""
        return {"analysis": min(self.before_s, self.duration_s, self.after_s)}

    def _of(self, kind: Kind, unit: str) -> Quantity:
        return kind.of(unit=unit, temporary=self._printed, rate=self.rate_u_per_h, duration=self.duration_s)

    def error_of(self, stretch: Stretch) -> Quantity:
        """Name the error of a stretch."""
        return self._of(TEMPORARY_ERRORS[stretch.name], "%" if stretch.rate_u_per_h else "U")

    def delay_of(self, change: str) -> Quantity:
        """Name the delay of a change."""
        return self._of(TEMPORARY_DELAYS[change], "s")

    @property
    def change(self) -> RateChange:
        """The stretches and changes."""
        minutes = round(self.duration_s / 60.0)
        rate_u_per_h, factor = self.temporary
        return RateChange(
            title=f"a temporary rate of {self.title}",
            stretches=(
                Stretch("before", round(self.before_s / 60.0), self.rate_u_per_h),
                Stretch("during", minutes, self._temporary_u_per_h),
                Stretch("after", round(self.after_s / 60.0), self.rate_u_per_h),
            ),
            changes=("beginning", "end"),
            temporary=TemporaryRate(minutes, rate_u_per_h, factor),
            dose_u=self.dose_u,
        )

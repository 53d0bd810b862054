"""A bench file's [[virtual.fault]]: a fault of the rig itself, for testing the rig.

Not responsible for what a fault does (`rig.virtual.faults`, docs/virtual-bench-physics.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from rig.toml_files import EXAMPLES, TimeS, WholeNumber
from rig.units import parse
from rig.virtual.faults import DEVICES, KINDS, SIZES, Fault

LONGEST_S = 30 * 86400.0
_SIZES: Mapping[str, tuple[str, float, str]] = {
    "balance": ("mass_g", 20.0, "20 g"),
    "pressure": ("pressure_kpa", 1000.0, "1000 kPa"),
    "environment": ("temperature_c", 100.0, "100 °C"),
}
"""Dimension of a size by device, and the largest one."""

Moment = Annotated[TimeS, Field(ge=0, le=LONGEST_S)]
Span = Annotated[TimeS, Field(ge=0.001, le=86400.0)]


class FaultTable(BaseModel):
    """A fault: a device, a kind, from when and until when it lasts, and what the kind takes besides."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    device: str
    kind: str
    at: Moment
    until: Moment | None = None
    count: Annotated[WholeNumber, Field(ge=1, le=1_000_000)] | None = None
    every: Annotated[WholeNumber, Field(ge=2, le=1_000_000)] | None = None
    by: Span | None = None
    period: Annotated[TimeS, Field(ge=0.1, le=86400.0)] | None = None
    size: str | None = None

    @field_validator("device")
    @classmethod
    def _is_known(cls, device: str) -> str:
        if device not in DEVICES:
            raise ValueError(f"allowed are {', '.join(DEVICES)}")
        return device

    @field_validator("kind")
    @classmethod
    def _is_a_kind(cls, kind: str) -> str:
        if kind not in KINDS:
            raise ValueError(f"allowed are {', '.join(KINDS)}")
        return kind

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        kind = KINDS[self.kind]
        if self.device not in kind.devices:
            having = ", ".join(name for name, each in KINDS.items() if self.device in each.devices)
            raise ValueError(f"the {self.device} has no fault {self.kind!r}; it has {having}")
        given = [name for name in ("count", "every", "by", "period", "size") if getattr(self, name) is not None]
        if strange := [name for name in given if name not in kind.takes]:
            takes = " and ".join(kind.takes) or "nothing"
            raise ValueError(f"{strange[0]} is not taken by the fault {self.kind!r}, which takes {takes} besides")
        if self.until is not None and self.until <= self.at:
            raise ValueError(f"until must be later than at, {self.at:g} s")
        if self.size is not None:
            self._size()
        return self

    def _size(self) -> float:
        if self.size is None:
            return SIZES[self.kind][self.device] if self.kind in SIZES else 0.0
        dimension, largest, words = _SIZES[self.device]
        try:
            found = parse(self.size, dimension)
        except ValueError as error:
            raise ValueError(f"size: {error}; write it as {EXAMPLES[dimension]!r}") from error
        if not 0.0 < abs(found) <= largest:
            raise ValueError(f"size is {self.size!r}: allowed are sizes up to {words}, and none of 0")
        if found < 0.0 and self.kind != "drift":
            raise ValueError(f"size is {self.size!r}: only a drift goes down")
        return found

    @property
    def scheduled(self) -> Fault:
        """The fault with what its kind takes by default, for the simulated world."""
        kind = KINDS[self.kind]
        return Fault(
            device=self.device,
            kind=self.kind,
            at_s=self.at,
            until_s=self.until,
            count=self.count or kind.count,
            every=self.every or kind.every,
            by_s=self.by or kind.by_s,
            period_s=self.period or kind.period_s,
            size=self._size(),
        )

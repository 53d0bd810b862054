"""What the parts of a record share: their settings, name plates, and measured values with their quantities.

Not responsible for any one file (`manifest`, `results`, `analyses`).
"""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from rig.verdicts.limits import Limit, Measurement
from rig.verdicts.quantities import Quantity


class Record(BaseModel):
    """Part of a record: frozen, numbers finite. Keys of a later minor version are passed over; tests refuse them."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, allow_inf_nan=False, json_schema_serialization_defaults_required=True
    )


class Device(Record):
    """The name plate of a device, as it states it."""

    maker: str
    model: str
    serial_number: str
    firmware: str


class Incident(Record):
    """A line of `incidents.jsonl`: what went wrong with whom, at a second of the bench's clock, and ended no test."""

    at_s: float
    of_whom: str
    what: str


class QuantityRecord(Record):
    """A quantity: kind, printed parameters, unit, and its printed form. Format 1 knew the printed form alone."""

    kind: str
    parameters: dict[str, str] = Field(default_factory=dict)
    unit: str
    name: str

    @classmethod
    def of(cls, quantity: Quantity) -> Self:
        """Write a quantity."""
        return cls(kind=quantity.kind, parameters=dict(quantity.parameters), unit=quantity.unit, name=quantity.name)

    @property
    def quantity(self) -> Quantity:
        """The quantity that was written."""
        return Quantity(self.kind, tuple(self.parameters.items()), self.unit, self.name)


class MeasuredRecord(Record):
    """A measured value in its quantity's unit, with its expanded uncertainty U."""

    quantity: QuantityRecord
    value: float
    expanded_uncertainty: float = Field(ge=0)

    @classmethod
    def of(cls, measurement: Measurement) -> Self:
        """Write a measured value."""
        return cls(
            quantity=QuantityRecord.of(measurement.quantity),
            value=measurement.value,
            expanded_uncertainty=measurement.expanded_uncertainty,
        )

    @property
    def measurement(self) -> Measurement:
        """The measured value that was written."""
        return Measurement(self.quantity.quantity, self.value, self.expanded_uncertainty)

    @property
    def name(self) -> str:
        """The printed form of its quantity."""
        return self.quantity.name

    @property
    def unit(self) -> str:
        """The unit of its quantity."""
        return self.quantity.unit


class LimitRecord(Record):
    """An acceptance interval; an end that is None is open."""

    low: float | None
    high: float | None
    unit: str

    @property
    def limit(self) -> Limit:
        """The interval."""
        return Limit(self.unit, self.low, self.high)

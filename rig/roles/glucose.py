"""A glucose sensor that the rig plays for whoever doses by one, and what came over the link to it.

Not responsible for what it shows (`rig.patient`, `rig.procedures.alive`), nor for how it is told on: drivers are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, runtime_checkable

from rig.roles.instruments import Instrument


@dataclass(frozen=True)
class GlucoseReading:
    """One measurement of a glucose sensor as it came over a link.

    Attributes:
        received_at_s: when it came, by the bench's clock.
        measured_at_s: when it was measured, by the same clock, as the sensor's session says; None where that is not
            known.
        offset_min: min since the session's start, as the sensor told.
        glucose_mg_per_dl: None where the sensor told no valid value.
        annunciated: what the sensor told of itself with it, in words.
        trend_mg_per_dl_per_min: change, where the sensor tells it.
        quality_percent: quality, where the sensor tells it.
        caught_up: it had been missed, and came when it was asked for.
    """

    received_at_s: float
    measured_at_s: float | None
    offset_min: int
    glucose_mg_per_dl: float | None
    annunciated: tuple[str, ...] = ()
    trend_mg_per_dl_per_min: float | None = None
    quality_percent: float | None = None
    caught_up: bool = False


class GlucoseSensor(Instrument, Protocol):
    """Plays a glucose sensor: for the controller beside the bench, or for one inside the pump."""

    def show(self, glucose_mg_per_dl: float) -> None:
        """Show this glucose in mg/dL from now on."""
        ...

    def show_nothing(self) -> None:
        """Show no glucose from now on, as a sensor that has failed."""
        ...

    def received(self) -> Sequence[GlucoseReading] | None:
        """Hand over what came over the link since the last time; None where only the pump itself listens."""
        ...


class LinkFault(Enum):
    """What goes wrong between a sensor and who listens to it."""

    LINK_LOST = "link lost"
    PACKETS_LOST = "packets lost"
    BAD_CRC = "bad crc"
    SESSION_STOPPED = "session stopped"


@runtime_checkable
class FailsOnItsLink(Protocol):
    """A played sensor whose link can be made to fail."""

    def fail(self, fault: LinkFault | None) -> None:
        """Let the link fail in this way from now on; None: no longer."""
        ...

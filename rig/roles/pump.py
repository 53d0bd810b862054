"""What every pump does, what a pump may be able to do, and what it tells.

Not responsible for the methods that a capability stands for (`rig.roles.capabilities`), nor for how any of it is done:
drivers in `instruments/` are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Literal, Protocol, runtime_checkable

from rig.roles.instruments import Instrument
from rig.therapy import TherapyState


class Capability(Enum):
    """What a pump may be able to do. What it cannot is reported NOT APPLICABLE, never passed."""

    BASAL_PROFILE = "basal profile"
    NUMBERED_PROFILES = "numbered basal profiles"
    FAST_BOLUS = "fast bolus"
    CANCEL_BOLUS = "bolus cancelling"
    RESERVOIR_LEVEL = "settable reservoir level"
    OCCLUSION_DETECTION = "occlusion detection"
    RESERVOIR_DETECTION = "reservoir detection"
    HISTORY = "history"
    TEMPORARY_BASAL = "temporary basal rate"
    EXTENDED_BOLUS = "extended bolus"
    MULTIWAVE_BOLUS = "multiwave bolus"
    DELAYED_BOLUS = "delayed bolus"
    CALCULATOR = "bolus calculator"
    INSULIN_ON_BOARD = "insulin on board"
    CONCENTRATION = "stated insulin concentration"
    DAILY_TOTAL = "daily total"
    PRIMING = "priming"
    SNOOZE = "annunciation snoozing"
    ALARM_SIGNALS = "alarm signals"
    SETTINGS = "settings"
    CLOCK = "settable clock"
    TIME_ZONE = "settable time zone"
    RESTART = "restart"
    TAPPED_LINE = "line that can be tapped"


OF_THE_BENCH = frozenset({Capability.TAPPED_LINE})
"""What the line to a pump has, and no maker claims."""


@dataclass(frozen=True)
class DamagedFrame:
    """A frame that was damaged on its way: how, in words, and its octets."""

    how: str
    octets: bytes


@dataclass(frozen=True)
class PumpStatus:
    """A pump's state at one moment. `reservoir_u` is None when the pump cannot tell."""

    therapy: TherapyState
    operational: str
    reservoir_u: float | None
    reservoir_attached: bool


@dataclass(frozen=True)
class Annunciation:
    """What the pump wants a person to know. `kind` is a word such as "occlusion" or "reservoir low"."""

    annunciation_id: int
    kind: str
    status: str


@dataclass(frozen=True)
class HistoryEvent:
    """One entry of the pump's own log: gapless number, kind, seconds on the pump's clock, and its fields.

    `fields` holds numbers with the unit in the key, such as `delivered_u`.
    """

    sequence: int
    kind: str
    pump_time_s: float
    fields: Mapping[str, float | int | str]


@runtime_checkable
class Reconnects(Protocol):
    """A pump whose driver can open its port anew, as after a restart, which ends a connection."""

    def reconnect(self) -> None:
        """Close the port, open it again and begin a new connection; nothing that the pump does changes."""
        ...


@runtime_checkable
class CountsDamage(Protocol):
    """A pump whose driver counts what came from it damaged, and was dropped."""

    @property
    def damaged_frames(self) -> int:
        """How many since the bench was opened."""
        ...


WhichEntries = Literal["first", "last", "range", "from"]
"""A part of a log that can be asked for by itself."""


@runtime_checkable
class ReadsPartsOfHistory(Protocol):
    """A pump that can be asked for a part of its log."""

    def history_numbers(self, which: WhichEntries, first: int = 0, last: int = 0) -> list[int]:
        """List the numbers of the entries that come when a part of the log is asked for."""
        ...


class Pump(Instrument, Protocol):
    """The device under test, as far as every pump goes; what more one can do, `rig.roles.require` hands over."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What this pump can do beyond what every pump does."""
        ...

    def status(self) -> PumpStatus:
        """Read the pump's state."""
        ...

    def run(self) -> None:
        """Start therapy: what is programmed is delivered."""
        ...

    def pause(self) -> None:
        """Withhold delivery; the missed insulin follows when therapy runs again."""
        ...

    def stop(self) -> None:
        """Stop every delivery; what is missed stays undelivered."""
        ...

    def annunciations(self) -> list[Annunciation]:
        """Read what is annunciated now."""
        ...

    def confirm(self, annunciation_id: int) -> None:
        """Confirm an annunciation, as the user would on the pump."""
        ...

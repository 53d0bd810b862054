"""What a capability of a pump stands for: one small Protocol each, and `require`, which hands a pump over as one.

A driver writes the methods of what its pump can do and no others; a procedure asks for what it needs and sees nothing
else. Not responsible for what every pump does (`rig.roles.pump`).
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, overload

from rig.errors import DeviceError, UnableError
from rig.line_tap import LineTap
from rig.roles.instruments import lacking
from rig.roles.pump import Capability, DamagedFrame, HistoryEvent, Pump
from rig.therapy import (
    ActiveBasal,
    BasalSegment,
    BolusAdvice,
    BolusRequest,
    BolusState,
    DailyTotal,
    InsulinOnBoard,
    Meal,
    ProfileBlock,
    ProfileKind,
    Setting,
    TemporaryRate,
)


class DeliversBasalProfiles(Protocol):
    """Delivers by a daily basal profile."""

    def set_basal_profile(self, segments: Sequence[BasalSegment]) -> None:
        """Write and activate a daily profile; the segments must add up to 24 h."""
        ...


class KeepsNumberedProfiles(Protocol):
    """Keeps several basal profiles by number, and tells which one holds."""

    def write_basal_profile(self, template: int, segments: Sequence[BasalSegment]) -> None:
        """Write a numbered profile without activating it."""
        ...

    def read_basal_profile(self, template: int) -> list[BasalSegment]:
        """Read a numbered profile; RefusedError when it was never written."""
        ...

    def activate_basal_profile(self, template: int) -> None:
        """Deliver by a numbered profile from now on."""
        ...

    def active_basal(self) -> ActiveBasal:
        """Read the basal rate that holds now; RefusedError when therapy does not run."""
        ...


class SetsTemporaryRates(Protocol):
    """Replaces the basal profile's rate for a while."""

    def set_temporary_rate(self, temporary: TemporaryRate, *, change: bool = False) -> None:
        """Start a temporary basal rate, or change the one that is active."""
        ...

    def cancel_temporary_rate(self) -> None:
        """Go back to the profile's rate."""
        ...


class GivesFastBoluses(Protocol):
    """Delivers a bolus at once."""

    def bolus(self, insulin_u: float) -> int:
        """Start a fast bolus in U and return its id; RefusedError when the pump says no."""
        ...

    def active_boluses(self) -> list[BolusState]:
        """List the boluses still being delivered."""
        ...


class GivesTimedBoluses(Protocol):
    """Delivers boluses that are spread over a time, in part or whole, or begin after a delay."""

    def deliver(self, bolus: BolusRequest) -> int:
        """Start any kind of bolus that the pump knows and return its id; RefusedError when the pump says no."""
        ...


class CancelsBoluses(Protocol):
    """Stops a bolus under way."""

    def cancel_bolus(self, bolus_id: int) -> None:
        """Stop a bolus; RefusedError when it is not active."""
        ...


class CalculatesBoluses(Protocol):
    """Proposes a bolus for a meal or a glucose, by daily profiles of its own."""

    def set_profile(self, kind: ProfileKind, blocks: Sequence[ProfileBlock]) -> None:
        """Write and activate a daily profile of the bolus calculator."""
        ...

    def profile(self, kind: ProfileKind) -> list[ProfileBlock]:
        """Read a daily profile of the bolus calculator."""
        ...

    def calculate(self, meal: Meal) -> BolusAdvice:
        """Let the pump propose a bolus; RefusedError while its calculator is disabled."""
        ...


class TellsInsulinOnBoard(Protocol):
    """Keeps account of the bolus insulin that still acts."""

    def insulin_on_board(self) -> InsulinOnBoard:
        """Read the bolus insulin that still acts, in U."""
        ...


class TellsConcentration(Protocol):
    """States for which insulin it is made."""

    def concentration_u_per_ml(self) -> float:
        """Read by which concentration the pump turns insulin into volume, in U/mL; NaN where it states no number."""
        ...


class TellsDailyTotal(Protocol):
    """Keeps account of the day."""

    def daily_total(self) -> DailyTotal:
        """Read the insulin since midnight, in U."""
        ...


class Primes(Protocol):
    """Fills tubing and cannula by volume."""

    def prime(self, insulin_u: float) -> None:
        """Fill tubing and cannula with `insulin_u`, which is not therapy."""
        ...

    def stop_priming(self) -> None:
        """Stop filling; RefusedError when nothing is primed."""
        ...


class TakesReservoirLevel(Protocol):
    """Is told what its reservoir holds."""

    def set_reservoir_level(self, insulin_u: float) -> None:
        """Tell the pump that a reservoir holding `insulin_u` has been inserted."""
        ...


class KeepsHistory(Protocol):
    """Keeps a log of its own."""

    def history(self, *, since: int = 0) -> list[HistoryEvent]:
        """Read the log entries numbered `since` and later, oldest first."""
        ...


class SnoozesAnnunciations(Protocol):
    """Can be silenced for a while."""

    def snooze(self, annunciation_id: int) -> None:
        """Silence an annunciation for a while."""
        ...


class KeepsSettings(Protocol):
    """Has limits and habits that a person sets."""

    def setting(self, setting: Setting) -> float:
        """Read a setting in its unit."""
        ...

    def set_setting(self, setting: Setting, value: float) -> None:
        """Change a setting in its unit; RefusedError when it is out of range."""
        ...


class KeepsTime(Protocol):
    """Shows date and time, and can be set to them."""

    def clock(self) -> datetime.datetime:
        """Read the date and time that the pump shows."""
        ...

    def set_clock(self, date_time: datetime.datetime) -> None:
        """Set the date and time that the pump shows."""
        ...


class KeepsTimeZone(Protocol):
    """Goes by a time zone and summer time, and moves its clock when they are set."""

    def set_time_zone(self, zone_min: int, summer_min: int) -> None:
        """Set time zone (from UTC, east above 0) and summer time, both in min; RefusedError when it knows them not."""
        ...


class Restarts(Protocol):
    """Can be reset over its line."""

    def restart(self) -> None:
        """Reset the pump's controller; RefusedError while it delivers."""
        ...


class HasTappedLine(Protocol):
    """Is spoken to over a serial line on which a tap stands."""

    def line_tap(self) -> LineTap:
        """Hand over the tap."""
        ...

    def damaged_forms(self, frame: bytes) -> Sequence[DamagedFrame]:
        """List damaged forms of a frame with a command, none of which may have any effect."""
        ...


PROTOCOLS: Mapping[Capability, type] = {
    Capability.BASAL_PROFILE: DeliversBasalProfiles,
    Capability.NUMBERED_PROFILES: KeepsNumberedProfiles,
    Capability.TEMPORARY_BASAL: SetsTemporaryRates,
    Capability.FAST_BOLUS: GivesFastBoluses,
    Capability.EXTENDED_BOLUS: GivesTimedBoluses,
    Capability.MULTIWAVE_BOLUS: GivesTimedBoluses,
    Capability.DELAYED_BOLUS: GivesTimedBoluses,
    Capability.CANCEL_BOLUS: CancelsBoluses,
    Capability.CALCULATOR: CalculatesBoluses,
    Capability.INSULIN_ON_BOARD: TellsInsulinOnBoard,
    Capability.CONCENTRATION: TellsConcentration,
    Capability.DAILY_TOTAL: TellsDailyTotal,
    Capability.PRIMING: Primes,
    Capability.RESERVOIR_LEVEL: TakesReservoirLevel,
    Capability.HISTORY: KeepsHistory,
    Capability.SNOOZE: SnoozesAnnunciations,
    Capability.SETTINGS: KeepsSettings,
    Capability.CLOCK: KeepsTime,
    Capability.TIME_ZONE: KeepsTimeZone,
    Capability.RESTART: Restarts,
    Capability.TAPPED_LINE: HasTappedLine,
}
"""The methods behind each capability. The detections have none: what is detected is annunciated, as by every pump."""

_TimedBolus = Literal[Capability.EXTENDED_BOLUS, Capability.MULTIWAVE_BOLUS, Capability.DELAYED_BOLUS]


@overload
def require(pump: Pump, capability: Literal[Capability.BASAL_PROFILE]) -> DeliversBasalProfiles: ...
@overload
def require(pump: Pump, capability: Literal[Capability.NUMBERED_PROFILES]) -> KeepsNumberedProfiles: ...
@overload
def require(pump: Pump, capability: Literal[Capability.TEMPORARY_BASAL]) -> SetsTemporaryRates: ...
@overload
def require(pump: Pump, capability: Literal[Capability.FAST_BOLUS]) -> GivesFastBoluses: ...
@overload
def require(pump: Pump, capability: _TimedBolus) -> GivesTimedBoluses: ...
@overload
def require(pump: Pump, capability: Literal[Capability.CANCEL_BOLUS]) -> CancelsBoluses: ...
@overload
def require(pump: Pump, capability: Literal[Capability.CALCULATOR]) -> CalculatesBoluses: ...
@overload
def require(pump: Pump, capability: Literal[Capability.INSULIN_ON_BOARD]) -> TellsInsulinOnBoard: ...
@overload
def require(pump: Pump, capability: Literal[Capability.CONCENTRATION]) -> TellsConcentration: ...
@overload
def require(pump: Pump, capability: Literal[Capability.DAILY_TOTAL]) -> TellsDailyTotal: ...
@overload
def require(pump: Pump, capability: Literal[Capability.PRIMING]) -> Primes: ...
@overload
def require(pump: Pump, capability: Literal[Capability.RESERVOIR_LEVEL]) -> TakesReservoirLevel: ...
@overload
def require(pump: Pump, capability: Literal[Capability.HISTORY]) -> KeepsHistory: ...
@overload
def require(pump: Pump, capability: Literal[Capability.SNOOZE]) -> SnoozesAnnunciations: ...
@overload
def require(pump: Pump, capability: Literal[Capability.SETTINGS]) -> KeepsSettings: ...
@overload
def require(pump: Pump, capability: Literal[Capability.CLOCK]) -> KeepsTime: ...
@overload
def require(pump: Pump, capability: Literal[Capability.TIME_ZONE]) -> KeepsTimeZone: ...
@overload
def require(pump: Pump, capability: Literal[Capability.RESTART]) -> Restarts: ...
@overload
def require(pump: Pump, capability: Literal[Capability.TAPPED_LINE]) -> HasTappedLine: ...
def require(pump: Pump, capability: Capability) -> object:
    """Hand a pump over as the Protocol of one of its capabilities.

    Raises:
        UnableError: the pump does not have the capability.
        DeviceError: its driver claims the capability and lacks a method of it.
    """
    if capability not in pump.capabilities:
        raise UnableError(asked=capability.value, of_whom=_name(pump))
    if missing := lacking(pump, PROTOCOLS.get(capability, object)):
        raise DeviceError(
            asked=capability.value,
            of_whom=_name(pump),
            came_back=f"its driver claims this, but has no {' and no '.join(missing)}",
            look_at="a driver has every method of what it claims (docs/pumps.md)",
        )
    return pump


def _name(pump: Pump) -> str:
    identity = pump.identify()
    return f"pump {identity.model} {identity.serial_number}"

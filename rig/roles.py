"""What a bench can do, as small Protocols. Procedures and suites know these and nothing more.

Not responsible for how any of it is done: drivers in `instruments/` are.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from rig.clock import Clock
from rig.therapy import (
    ActiveBasal,
    BasalSegment,
    Bolus,
    BolusAdvice,
    BolusState,
    DailyTotal,
    InsulinOnBoard,
    Meal,
    ProfileBlock,
    ProfileKind,
    Setting,
    TemporaryRate,
    TherapyState,
)


@dataclass(frozen=True)
class Identity:
    """Who answered: maker, model, serial number and firmware version, as the device itself states them."""

    maker: str
    model: str
    serial_number: str
    firmware: str


class Instrument(Protocol):
    """Anything with a name plate."""

    def identify(self) -> Identity:
        """Get the identity that the instrument states."""
        ...

    def self_test(self) -> str:
        """Get a short sentence on the instrument's health; raises DeviceError when it is not fit for use."""
        ...

    def make_safe(self) -> None:
        """Bring the instrument to the state in which the bench may be left alone."""
        ...

    def close(self) -> None:
        """Release the port."""
        ...


@dataclass(frozen=True)
class MassReading:
    """One reading of a balance in grams, and whether the balance called it stable."""

    mass_g: float
    stable: bool


class Balance(Instrument, Protocol):
    """Weighs what the pump delivers."""

    def read(self) -> MassReading:
        """Measure the mass in g now, stable or not."""
        ...

    def read_stable(self) -> MassReading:
        """Measure the mass in g once the balance calls it stable; raises RefusedError when it does not settle."""
        ...

    def tare(self) -> None:
        """Set the present load as zero."""
        ...


class PressureSensor(Instrument, Protocol):
    """Measures the line pressure."""

    def read_kpa(self) -> float:
        """Measure the gauge pressure in kPa."""
        ...


class PowerSupply(Instrument, Protocol):
    """Feeds the pump in place of its battery."""

    def set_output(self, *, voltage_v: float, current_limit_a: float) -> None:
        """Set the output voltage in V and the current limit in A."""
        ...

    def switch(self, *, on: bool) -> None:
        """Switch the output on or off."""
        ...

    def read_voltage_v(self) -> float:
        """Measure the output voltage in V."""
        ...

    def read_current_a(self) -> float:
        """Measure the output current in A."""
        ...


class Switch(Instrument, Protocol):
    """Valves and relays, by the names that the bench file gives to its lines."""

    @property
    def lines(self) -> Sequence[str]:
        """Names of the lines."""
        ...

    def set_line(self, line: str, *, energised: bool) -> None:
        """Energise or release a line; ValueError naming the known lines when there is no such line."""
        ...

    def is_energised(self, line: str) -> bool:
        """Get the state of a line, read back from the instrument."""
        ...


@dataclass(frozen=True)
class Air:
    """The air around the balance: °C, hPa and relative humidity 0..1."""

    temperature_c: float
    pressure_hpa: float
    relative_humidity: float


class Environment(Instrument, Protocol):
    """Temperature, pressure and humidity at the balance."""

    def read_air(self) -> Air:
        """Measure temperature in °C, pressure in hPa and relative humidity (0..1)."""
        ...


class Capability(Enum):
    """What a pump may be able to do. What it cannot is reported NOT APPLICABLE, never passed."""

    BASAL_PROFILE = "basal profile"
    FAST_BOLUS = "fast bolus"
    CANCEL_BOLUS = "cancel a bolus"
    RESERVOIR_LEVEL = "set the reservoir fill level"
    OCCLUSION_DETECTION = "occlusion detection"
    RESERVOIR_DETECTION = "reservoir detection"
    HISTORY = "history"
    TEMPORARY_BASAL = "temporary basal rate"
    EXTENDED_BOLUS = "extended bolus"
    MULTIWAVE_BOLUS = "multiwave bolus"
    DELAYED_BOLUS = "delayed bolus"
    CALCULATOR = "bolus calculator"
    INSULIN_ON_BOARD = "insulin on board"
    DAILY_TOTAL = "daily total"
    PRIMING = "priming"
    SNOOZE = "snooze an annunciation"
    SETTINGS = "settings"
    CLOCK = "settable clock"
    RESTART = "restart"


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


class Pump(Instrument, Protocol):
    """The device under test."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What this pump can do."""
        ...

    def status(self) -> PumpStatus:
        """Get the pump's state."""
        ...

    def run(self) -> None:
        """Start therapy: the active basal profile is delivered."""
        ...

    def pause(self) -> None:
        """Withhold delivery; the missed insulin follows when therapy runs again."""
        ...

    def stop(self) -> None:
        """Stop every delivery; what is missed stays undelivered."""
        ...

    def set_reservoir_level(self, insulin_u: float) -> None:
        """Tell the pump that a reservoir holding `insulin_u` has been inserted."""
        ...

    def set_basal_profile(self, segments: Sequence[BasalSegment]) -> None:
        """Write and activate a daily profile; the segments must add up to 24 h."""
        ...

    def bolus(self, insulin_u: float) -> int:
        """Start a fast bolus in U and return its id; RefusedError when the pump says no."""
        ...

    def deliver(self, bolus: Bolus) -> int:
        """Start any kind of bolus and return its id; RefusedError when the pump says no."""
        ...

    def active_boluses(self) -> list[BolusState]:
        """Get the boluses still being delivered."""
        ...

    def cancel_bolus(self, bolus_id: int) -> None:
        """Stop a bolus; RefusedError when it is not active."""
        ...

    def active_basal(self) -> ActiveBasal:
        """Get the basal rate that holds now; RefusedError when therapy does not run."""
        ...

    def set_temporary_rate(self, temporary: TemporaryRate, *, change: bool = False) -> None:
        """Start a temporary basal rate, or change the one that is active."""
        ...

    def cancel_temporary_rate(self) -> None:
        """Go back to the profile's rate."""
        ...

    def write_basal_profile(self, template: int, segments: Sequence[BasalSegment]) -> None:
        """Write a numbered profile without activating it."""
        ...

    def read_basal_profile(self, template: int) -> list[BasalSegment]:
        """Get a numbered profile; RefusedError when it was never written."""
        ...

    def activate_basal_profile(self, template: int) -> None:
        """Deliver by a numbered profile from now on."""
        ...

    def set_profile(self, kind: ProfileKind, blocks: Sequence[ProfileBlock]) -> None:
        """Write and activate a daily profile of the bolus calculator."""
        ...

    def profile(self, kind: ProfileKind) -> list[ProfileBlock]:
        """Get a daily profile of the bolus calculator."""
        ...

    def calculate(self, meal: Meal) -> BolusAdvice:
        """Let the pump propose a bolus; RefusedError while its calculator is disabled."""
        ...

    def insulin_on_board(self) -> InsulinOnBoard:
        """Get the bolus insulin that still acts."""
        ...

    def daily_total(self) -> DailyTotal:
        """Get the insulin since midnight."""
        ...

    def prime(self, insulin_u: float) -> None:
        """Fill tubing and cannula with `insulin_u`, which is not therapy."""
        ...

    def stop_priming(self) -> None:
        """Stop filling; RefusedError when nothing is primed."""
        ...

    def setting(self, setting: Setting) -> float:
        """Get a setting in its unit."""
        ...

    def set_setting(self, setting: Setting, value: float) -> None:
        """Set a setting in its unit; RefusedError when it is out of range."""
        ...

    def clock(self) -> datetime.datetime:
        """Get the date and time that the pump shows."""
        ...

    def set_clock(self, date_time: datetime.datetime) -> None:
        """Set the date and time that the pump shows."""
        ...

    def restart(self) -> None:
        """Reset the pump's controller; RefusedError while it delivers."""
        ...

    def snooze(self, annunciation_id: int) -> None:
        """Silence an annunciation for a while."""
        ...

    def annunciations(self) -> list[Annunciation]:
        """Get what is annunciated now."""
        ...

    def confirm(self, annunciation_id: int) -> None:
        """Confirm an annunciation, as the user would on the pump."""
        ...

    def history(self, *, since: int = 0) -> list[HistoryEvent]:
        """Get the log entries numbered `since` and later, oldest first."""
        ...


@dataclass(frozen=True)
class Metrology:
    """What a bench declares of its own measuring: standard uncertainties u, expanded U (k = 2), and the allowed air.

    `line_pressure_at_rest_kpa` is what back pressure and head that were set up make; None when none was. A weighed
    volume is multiplied by `immersion_factor` for a tube that dips into the vessel, 1 where none does.
    `evaporation_source` says from which earlier blank runs the evaporation is known, and of what date; None where
    nobody said, and then blank runs are not joined with it.
    """

    balance_repeatability_g: float
    balance_readability_g: float
    balance_calibration_percent: float
    evaporation_g_per_h: float
    evaporation_uncertainty_g_per_h: float
    pressure_expanded_uncertainty_kpa: float
    temperature_band_c: tuple[float, float]
    humidity_band: tuple[float, float]
    blank_wander_g: float = 0.0
    blank_wander_g_per_h: float = 0.0
    ambient_pressure_band_hpa: tuple[float, float] = (0.0, math.inf)
    line_pressure_at_rest_kpa: float | None = None
    immersion_factor: float = 1.0
    immersion_uncertainty: float = 0.0
    evaporation_source: str | None = None


@dataclass(frozen=True)
class Bench:
    """The instruments and the pump of one bench, by role."""

    clock: Clock
    metrology: Metrology
    balance: Balance
    pressure: PressureSensor
    supply: PowerSupply
    switch: Switch
    environment: Environment
    pump: Pump

    @property
    def devices(self) -> dict[str, Instrument]:
        """Every device by its role's name."""
        return {
            "balance": self.balance,
            "pressure": self.pressure,
            "supply": self.supply,
            "switch": self.switch,
            "environment": self.environment,
            "pump": self.pump,
        }

"""The instruments and the pump of one bench, and what the bench declares of its own measuring.

Not responsible for opening them (`rig.bench.open`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from rig.clock import Clock
from rig.roles.glucose import GlucoseSensor
from rig.roles.instruments import (
    Balance,
    DebugProbe,
    Environment,
    Hands,
    Instrument,
    PowerSupply,
    PressureSensor,
    SoundRecorder,
    Switch,
)
from rig.roles.pump import Pump


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


def means_by_place(name: str) -> str:
    """Call a place in the controller's memory as one of the means of a bench."""
    return f"place {name!r} in the controller's memory"


@dataclass(frozen=True)
class Bench:
    """The instruments and the pump of one bench, by role; None of a role that this bench does not have.

    `places` are addresses in the memory of the pump's controller, by what lies there, for whoever has a probe.
    `feeds_pump` says whether the supply takes the place of the pump's battery; a pump that keeps its own is not fed.
    `reservoir_u` is what a full reservoir of the pump holds, in U, by its sheet; None where nobody states it.
    `restless_s` tells for how long the pump's controller has not rested, in s; None where nobody can see into it, as in
    a laboratory.
    """

    clock: Clock
    metrology: Metrology
    balance: Balance
    pressure: PressureSensor
    supply: PowerSupply
    switch: Switch
    environment: Environment
    pump: Pump
    sound: SoundRecorder | None = None
    hands: Hands | None = None
    probe: DebugProbe | None = None
    sensor: GlucoseSensor | None = None
    places: Mapping[str, int] = field(default_factory=dict)
    feeds_pump: bool = True
    reservoir_u: float | None = None
    restless_s: Callable[[], float] | None = None

    @property
    def devices(self) -> dict[str, Instrument]:
        """Every device of the bench by its role's name."""
        needed: dict[str, Instrument] = {
            "balance": self.balance,
            "pressure": self.pressure,
            "supply": self.supply,
            "switch": self.switch,
            "environment": self.environment,
            "pump": self.pump,
        }
        optional: dict[str, Instrument | None] = {
            "sound": self.sound,
            "hands": self.hands,
            "sensor": self.sensor,
            "probe": self.probe,
        }
        return {**needed, **{role: device for role, device in optional.items() if device is not None}}

    @property
    def means(self) -> frozenset[str]:
        """The roles by which something can be done to the pump or seen of it, and places that its probe reaches.

        A supply is one only where it feeds the pump.
        """
        devices = frozenset(self.devices) - (frozenset() if self.feeds_pump else {"supply"})
        return devices | {means_by_place(name) for name in self.places}

"""The air of the room, wandering slowly: a sum of sinusoids with periods of hours, phases from the seed.

Not responsible for gusts at the balance.
"""

from __future__ import annotations

import math

from rig.clock import SimClock
from rig.virtual.noise import stream, uniform
from rig.virtual.parameters import AirParameters

PERIODS_H = (3.7, 9.1, 24.0)


def wander(key: int, at_h: float) -> float:
    """Get a slow variation within ±1 at `at_h`."""
    waves = (math.sin(2.0 * math.pi * (at_h / period + uniform(key, n))) for n, period in enumerate(PERIODS_H))
    return sum(waves) / len(PERIODS_H)


class RoomAir:
    """Temperature, pressure and humidity of the room at the present moment."""

    def __init__(self, clock: SimClock, parameters: AirParameters, seed: int) -> None:
        self._clock = clock
        self._parameters = parameters
        self._keys = [stream(seed, f"air {name}") for name in ("temperature", "pressure", "humidity")]

    def now(self) -> tuple[float, float, float]:
        """Get temperature in °C, pressure in hPa and relative humidity (0..1)."""
        p, at_h = self._parameters, self._clock.now() / 3600.0
        temperature, pressure, humidity = (wander(key, at_h) for key in self._keys)
        return (
            p.temperature_c + p.temperature_wander_c * temperature,
            p.pressure_hpa + p.pressure_wander_hpa * pressure,
            p.relative_humidity + p.relative_humidity_wander * humidity,
        )

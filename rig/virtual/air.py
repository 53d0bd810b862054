"""The air of the room, wandering slowly around its means.

Not responsible for gusts at the balance, nor for what air does to a weighing (`weighing`).
"""

from __future__ import annotations

from rig.clock import NS_PER_S, SimClock
from rig.virtual.noise import Wander, occasional
from rig.virtual.parameters import AirParameters


class RoomAir:
    """Temperature in °C, pressure in hPa and relative humidity (0..1) of the room.

    Functions of time, seed and occasion alone: each occasion begins at an hour of its own, in weather of its own.
    """

    def __init__(self, clock: SimClock, parameters: AirParameters, seed: int, occasion: str = "") -> None:
        self._clock = clock
        self._parameters = parameters
        self._temperature = Wander(occasional(seed, "air temperature", occasion))
        self._pressure = Wander(occasional(seed, "air pressure", occasion))
        self._humidity = Wander(occasional(seed, "air humidity", occasion))

    def now(self) -> tuple[float, float, float]:
        """Temperature in °C, pressure in hPa and relative humidity (0..1) at the present moment."""
        return self.at(self._clock.now_ns / NS_PER_S)

    def at(self, at_s: float) -> tuple[float, float, float]:
        """Temperature in °C, pressure in hPa and relative humidity (0..1) at `at_s`."""
        p = self._parameters
        return (
            p.temperature_c + p.temperature_wander_c * self._temperature.at(at_s),
            p.pressure_hpa + p.pressure_wander_hpa * self._pressure.at(at_s),
            min(max(p.relative_humidity + p.relative_humidity_wander * self._humidity.at(at_s), 0.0), 1.0),
        )

    def temperature_c(self, at_s: float) -> float:
        """The temperature in °C at `at_s`."""
        return self._parameters.temperature_c + self._parameters.temperature_wander_c * self._temperature.at(at_s)

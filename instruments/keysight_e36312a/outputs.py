"""One output of a supply: settings, switch, and regulation of voltage or current into a load.

Idealised: it steps at once, and the regulation mode is looked at when a setting changes and when the output is
measured. Not responsible for words on a wire.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class SettingRange:
    """What a setting may be, in V or A, and its DEFault."""

    maximum: float
    minimum: float
    default: float


_OFF, _CONSTANT_CURRENT, _CONSTANT_VOLTAGE = 0, 1, 2  # instrument summary condition: bit 0 voltage, bit 1 current lost


class Load(Protocol):
    """What hangs on an output."""

    def set_rail(self, voltage_v: float) -> None:
        """Drive the load with a voltage in V."""
        ...

    def rail_current_a(self) -> float:
        """The current that the load draws in A."""
        ...


class NoLoad:
    """Open terminals."""

    def set_rail(self, voltage_v: float) -> None:
        """Drive nothing."""

    def rail_current_a(self) -> float:
        """Draw nothing."""
        return 0.0


class Output:
    """One output in V and A: settings, switch and regulation into a load."""

    def __init__(self, load: Load, voltage: SettingRange, current: SettingRange) -> None:
        self._load = load
        self.voltage, self.current = voltage, current
        self.rail_v = 0.0
        self._limited = False
        self.reset()

    def reset(self) -> None:
        """Go to the *RST state: off, 0 V, rated current."""
        self.voltage_v, self.current_a, self.on = self.voltage.default, self.current.default, False
        self.regulate()

    def regulate(self) -> None:
        """Drive the rail so that neither voltage nor current exceeds its setting.

        A load that would draw more than the limit is taken as resistive there: the voltage falls in proportion.
        """
        if not self.on:
            self._limited = False
            self._drive(0.0)
            return
        if not self._limited:
            self._drive(self.voltage_v)
        drawn_a = self._load.rail_current_a()
        held_v = self.rail_v * self.current_a / drawn_a if drawn_a > 0.0 else self.voltage_v
        self._limited = held_v < self.voltage_v
        self._drive(min(held_v, self.voltage_v))

    @property
    def condition(self) -> int:
        """The instrument summary condition of this output."""
        self.regulate()
        if not self.on:
            return _OFF
        return _CONSTANT_CURRENT if self._limited else _CONSTANT_VOLTAGE

    def measured_v(self) -> float:
        """Voltage at the terminals in V."""
        self.regulate()
        return self.rail_v

    def measured_a(self) -> float:
        """Current into the load in A, never above the limit."""
        self.regulate()
        return min(self._load.rail_current_a(), self.current_a) if self.on else 0.0

    def _drive(self, voltage_v: float) -> None:
        if voltage_v != self.rail_v:
            self.rail_v = voltage_v
            self._load.set_rail(voltage_v)

"""What an instrument of a bench does, by its role: a Protocol for each, and what it reads.

Not responsible for how any of it is done: drivers in `instruments/` are. Not responsible for pumps (`rig.roles.pump`).
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray


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
        """Ask who the instrument is, as it states it."""
        ...

    def self_test(self) -> str:
        """Say in a short sentence how the instrument is; raises DeviceError when it is not fit for use."""
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


@runtime_checkable
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
        """Say whether a line is energised, as read back from the instrument."""
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


@dataclass(frozen=True)
class SoundRecording:
    """A gapless recording of two channels, in V at the instrument's inputs.

    Attributes:
        began_at_s: clock time of its first sample.
        began_u_s: standard uncertainty of that.
        rate_hz: samples in a second.
        sound_v: of the microphone.
        vibration_v: of the vibration pickup.
        full_scale_v: beyond ± so much a channel is clipped; sound, then vibration.
    """

    began_at_s: float
    began_u_s: float
    rate_hz: float
    sound_v: NDArray[np.float64]
    vibration_v: NDArray[np.float64]
    full_scale_v: tuple[float, float]


class SoundRecorder(Instrument, Protocol):
    """Records a microphone and a vibration pickup beside the pump, while the bench does other things."""

    def begin(self, *, lasting_s: float) -> None:
        """Begin a recording that lasts for so many s; returns at once. One that was begun before is given up.

        Raises ValueError, naming the longest, when it cannot last so long.
        """
        ...

    def fetch(self) -> SoundRecording:
        """Wait for the end of the recording that was begun, and read it; RefusedError when none was."""
        ...


@dataclass(frozen=True)
class DoneByHand:
    """What a person has done: when, on the bench's clock, and within how much of that in s (half-width)."""

    at_s: float
    within_s: float


class Hands(Instrument, Protocol):
    """A person at the bench, who is told at a terminal what to do and confirms it there."""

    def do(self, instruction: str) -> DoneByHand:
        """Let a person do something; returns when it is confirmed.

        Raises:
            NoReplyError: nobody confirmed it in time; it may have been done all the same.
            RefusedError: the person says that it cannot be done.
        """
        ...


class DebugProbe(Instrument, Protocol):
    """Reaches the pump's controller through its debug port.

    Memory and registers are read and written while the core is halted. One that runs is halted for as long as that
    takes, and goes on afterwards; one that `halt` halted stays so until `resume`.
    """

    def halt(self) -> None:
        """Halt the core: it executes nothing, while clocks and peripherals of the controller go on."""
        ...

    def resume(self) -> None:
        """Let the core go on from its program counter."""
        ...

    def reset(self) -> None:
        """Reset the controller; its core runs afterwards."""
        ...

    def read_memory(self, address: int, size: int) -> bytes:
        """Read so many octets of memory; RefusedError where there is none."""
        ...

    def write_memory(self, address: int, data: bytes) -> None:
        """Write memory; RefusedError where there is none, or where it cannot be written, as most flash."""
        ...

    def read_register(self, name: str) -> int:
        """Read a register of the core, such as "r0" or "pc"; ValueError naming the known ones for another name."""
        ...

    def write_register(self, name: str, value: int) -> None:
        """Write a register of the core, 32 bits; ValueError naming the known ones for another name."""
        ...


def lacking(device: object, protocol: type) -> list[str]:
    """List the members of a Protocol that a device does not have, by name.

    What the device's class has is not called for it; a device that stands before another one may hand names on.
    """
    wanted = {name for part in protocol.__mro__ for name in vars(part) if not name.startswith("_")}
    absent = object()
    return sorted(
        name for name in wanted if inspect.getattr_static(device, name, absent) is absent and not hasattr(device, name)
    )

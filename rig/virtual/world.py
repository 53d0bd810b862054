"""The simulated world of one bench: one clock, one fluid path, one balance, one pump, and their lines.

The pump is a controller that runs firmware, or, where a twin is given for it, a ready-made one with a mains plug.

Composes the parts of this package; fulfils `rig.virtual.signals.Signals` for the twins. Not responsible for physics,
words or firmware, nor for how fast simulated time passes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import serial
from numpy.typing import NDArray

from rig.clock import SimClock, ns_from_s
from rig.errors import BenchFileError
from rig.virtual import line_faults, protocol_twin
from rig.virtual.acoustics import Acoustics
from rig.virtual.air import RoomAir
from rig.virtual.board import ControllerBoard
from rig.virtual.break_out import effects
from rig.virtual.faults import KINDS, Fault, Level
from rig.virtual.fluid import FluidPath
from rig.virtual.misreading import Misreading, Reading, misreading
from rig.virtual.parameters import VirtualParameters
from rig.virtual.port import Port
from rig.virtual.signals import DebugPort, Signals
from rig.virtual.visa import VirtualVisaLibrary
from rig.virtual.weighing import PressureGauge, WeighingCell

PUMP_BAUD = 115200
_HANDLER_PACKAGE = "rig.virtual"


class TwinModule(Protocol):
    """A module `instruments/<name>/twin.py`."""

    BAUD: int | None
    BITS_PER_CHARACTER: int
    DATA_BITS: int

    def open_twin(self, port: Port, signals: Signals, *, serial_number: str) -> object:
        """Put the instrument on its line."""
        ...


@dataclass(frozen=True)
class TwinPlace:
    """A device's place on the bench: its role, VISA address (the pump's: pyserial URL), name plate and twin."""

    role: str
    address: str
    serial_number: str
    twin: TwinModule


class World:
    """Everything beyond the wires of one virtual bench: the devices of a seed, on one occasion, such as one test."""

    def __init__(
        self,
        *,
        parameters: VirtualParameters,
        seed: int,
        firmware: bytes | None,
        places: Sequence[TwinPlace],
        pump_url: str,
        lines: Mapping[str, int],
        occasion: str = "",
    ) -> None:
        self.clock = SimClock()
        self.pump_url = pump_url
        self._addresses = {place.role: place.address for place in places}
        self._seed = seed
        self._misreadings: dict[str, list[Misreading]] = {"balance": [], "pressure": [], "environment": []}
        self.room = RoomAir(self.clock, parameters.air, seed, occasion)
        self.fluid = FluidPath(self.clock, parameters.drive, parameters.fluid, seed, occasion)
        self.cell = WeighingCell(self.clock, self.fluid, self.room, parameters.weighing, seed, occasion)
        self.gauge = PressureGauge(self.clock, self.fluid, parameters.gauge, seed, occasion)
        self.ports = {place.role: self._line(place) for place in places}
        self.board: ControllerBoard | None = None
        if "pump" not in self.ports:
            if firmware is None:
                raise ValueError("a pump without a twin needs the firmware of its controller")
            self.board = self._controller(firmware)
        self.acoustics = Acoustics(self.board.heard if self.board is not None else [], parameters.sound, seed, occasion)
        known = self._effects = effects(self.fluid, self.board)
        self._named = {name: known[name] for name in lines if name in known}
        self._relays = {lines[name]: effect for name, effect in self._named.items()}
        self.on_network = {place.role for place in places if place.address.startswith("TCPIP")}
        self.seven_bits = {place.role for place in places if place.twin.DATA_BITS == 7}
        for place in places:
            place.twin.open_twin(self.ports[place.role], self, serial_number=place.serial_number)
        protocol_twin.register(pump_url, self.ports["pump"])
        if _HANDLER_PACKAGE not in serial.protocol_handler_packages:
            serial.protocol_handler_packages.append(_HANDLER_PACKAGE)
        if self.board is not None:
            self.board.mcu.ctrl_c.attend()

    def visa_library(self) -> VirtualVisaLibrary:
        """Make a VISA library whose resources are the instruments, at their addresses."""
        instruments = {address: self.ports[role] for role, address in self._addresses.items() if role != "pump"}
        return VirtualVisaLibrary.over(instruments)

    def schedule_fault(self, fault: Fault) -> None:
        """Let a device fail from a moment on, as `rig.virtual.faults` describes.

        Raises:
            BenchFileError: a network does not damage single characters, which is what this fault would do.
        """
        level = KINDS[fault.kind].level
        if fault.kind in ("drop", "flip", "double") and fault.device in self.on_network:
            raise BenchFileError(
                f"virtual.fault: {fault.kind} is of a serial line, and the {fault.device} is on a network, which "
                "brings every character or none"
            )
        start = self._misread if level is Level.VALUE else self._damage_line
        self.clock.call_at(ns_from_s(fault.at_s), lambda: start(fault))

    def _damage_line(self, fault: Fault) -> None:
        end = line_faults.begin(self.ports[fault.device], fault, self._seed)
        if fault.until_s is not None:
            self.clock.call_at(ns_from_s(fault.until_s), end)

    def _misread(self, fault: Fault) -> None:
        read: dict[str, Callable[[], Reading]] = {
            "balance": self.weigh,
            "pressure": lambda: (self.line_pressure_kpa(),),
            "environment": self.air,
        }
        made = misreading(fault, self.clock, self._seed, read[fault.device]())
        misreadings = self._misreadings[fault.device]
        misreadings.append(made)
        if fault.until_s is not None:
            self.clock.call_at(ns_from_s(fault.until_s), lambda: misreadings.remove(made))

    def close(self) -> None:
        """Withdraw the pump's port and give Ctrl-C back."""
        protocol_twin.withdraw(self.pump_url)
        if self.board is not None:
            self.board.mcu.ctrl_c.leave()

    # ---- what the instruments feel and do (Signals) -----------------------------------------------------------

    def weigh(self) -> tuple[float, bool]:
        """The weighing cell's indication in g and whether it is stable."""
        shown = self.cell.weigh()
        for misread in self._misreadings["balance"]:
            mass_g, stable = misread(shown)
            shown = (mass_g, stable)
        return shown

    def line_pressure_kpa(self) -> float:
        """The gauge pressure in the line in kPa, with the sensor's own error."""
        shown_kpa = self.gauge.read_kpa()
        for misread in self._misreadings["pressure"]:
            shown_kpa = misread((shown_kpa,))[0]
        return shown_kpa

    def air(self) -> tuple[float, float, float]:
        """Temperature in °C, pressure in hPa and relative humidity (0..1)."""
        shown = self.room.now()
        for misread in self._misreadings["environment"]:
            temperature_c, pressure_hpa, relative_humidity = misread(shown)
            shown = (temperature_c, pressure_hpa, relative_humidity)
        return shown

    def set_rail(self, voltage_v: float) -> None:
        """Drive the pump's supply rail; a pump with a mains plug has none."""
        if self.board is not None:
            self.board.set_rail(voltage_v)

    def rail_current_a(self) -> float:
        """The current that the pump draws in A."""
        return 0.0 if self.board is None else self.board.rail_current_a()

    def hear(self, begin_s: float, rate_hz: float, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What microphone and vibration pickup gave in V, in samples from `begin_s` on."""
        return self.acoustics.hear(begin_s, rate_hz, count)

    def push(self, volume_ul: float) -> float:
        """Push volume into the line by a syringe pump's plunger; returns the pressure in kPa that it feels."""
        if self.fluid.push(volume_ul):
            return math.copysign(math.inf, volume_ul)
        return self.fluid.line_pressure_kpa()

    def set_relay(self, line: int, *, energised: bool) -> None:
        """Energise or release a relay; what hangs on it, `rig.virtual.break_out` knows by its line's name."""
        if line in self._relays:
            self._relays[line](energised)

    def debug_port(self) -> DebugPort | None:
        """The debug port of the pump's controller; None of a pump that is simulated without one."""
        return None if self.board is None else self.board.mcu.debug

    def do_by_hand(self, line: str, *, on: bool) -> None:
        """Do by hand what a line does, or undo it; the bench's switch may have no such line."""
        if line in self._effects:
            self._effects[line](on)

    @property
    def line_names(self) -> tuple[str, ...]:
        """The names of the lines that move something here."""
        return tuple(self._named)

    def set_line(self, name: str, *, energised: bool) -> None:
        """Energise or release what hangs on the line of a name, whatever the relay does; KeyError for another name."""
        self._named[name](energised)

    def _line(self, place: TwinPlace) -> Port:
        uart = place.role == "pump"
        return Port(self.clock, baud=place.twin.BAUD, bits_per_character=place.twin.BITS_PER_CHARACTER, bytewise=uart)

    def _controller(self, firmware: bytes) -> ControllerBoard:
        self.ports["pump"] = Port(self.clock, baud=PUMP_BAUD, bytewise=True)
        return ControllerBoard(
            self.clock,
            firmware,
            self.ports["pump"],
            on_step=self.fluid.step,
            plunger_force_n=self.fluid.plunger_force_n,
            temperature_c=lambda: self.room.now()[0],
            ambient_hpa=lambda: self.room.now()[1],
        )

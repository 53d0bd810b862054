"""Plays transcripts: the device's lines to a driver, and the host's lines to a twin.

The driver talks through a genuine PyVISA resource (or, by `PlayedDevice`, any other host end of a simulated port);
every line must be said, and every byte read. Not responsible for where drivers and twins are found: test_protocols is.
"""

from __future__ import annotations

import ast
import datetime
import re
from collections import deque
from collections.abc import Iterable
from types import ModuleType
from typing import Any, Protocol

import numpy as np
import pytest
import pyvisa
from numpy.typing import NDArray

from rig import errors, roles, therapy
from rig.clock import SimClock, ns_from_s
from rig.virtual.port import Port
from rig.virtual.signals import DebugPort, Signals
from rig.virtual.visa import VirtualVisaLibrary
from rig.wire import NoLog, Wire
from suites.stands.transcripts import Line, Transcript, split

REPLY_WITHIN_S = 60.0
"""How long a twin may take for one line, in simulated time."""

QUIET_S = 1.0
"""How long a twin must say nothing more at the end of a block."""


class StatedCore(DebugPort):
    """A controller's core that runs, with the memory and the registers that a block states, and no others."""

    def __init__(self) -> None:
        self._held = False
        self._memory: dict[int, int] = {}
        self._registers: dict[str, int] = {}

    def state(self, name: str, value: str) -> None:
        """Let memory from an address on, or a register, hold something."""
        where, what = value.split()
        if name == "register":
            self._registers[where] = int(what, 0)
        else:
            self._memory |= dict(enumerate(bytes.fromhex(what), int(where, 0)))

    @property
    def held(self) -> bool:
        return self._held

    def hold(self) -> None:
        self._held = True

    def release(self) -> None:
        self._held = False

    def reset(self) -> None:
        self._held = False

    def read_memory(self, address: int, size: int) -> bytes:
        octets = [self._memory.get(each) for each in range(address, address + size)]
        if None in octets:
            raise errors.RigError(f"nothing is stated at {address:#010x}")
        return bytes(octet for octet in octets if octet is not None)

    def write_memory(self, address: int, data: bytes) -> None:
        self.read_memory(address, len(data))
        self._memory |= dict(enumerate(data, address))

    def read_register(self, name: str) -> int:
        if not self._held or name not in self._registers:
            raise errors.RigError(f"{name} is not stated, or the core runs")
        return self._registers[name]

    def write_register(self, name: str, value: int) -> None:
        self.read_register(name)
        self._registers[name] = value


class StatedWorld(Signals):
    """The Signals of a twin, as the block states them; what it does not state, the twin must not ask for.

    @ load_g 1.2345 stable | unstable        @ air 23.1 1013.2 0.452        (°C, hPa, 0..1)
    @ pressure_kpa 12.5                      @ rail_current_a 0.02
    @ plunger_kpa 0.0                        what a syringe pump's plunger feels
    @ heard_v 0.25 -0.5                      what microphone and vibration pickup give all the time
    @ memory 0x20000000 00ff                 memory of a controller, from an address on, in hexadecimal
    @ register pc 0x08000100                 a register of its core
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._stated: dict[str, str] = {}
        self._core = StatedCore()

    def state(self, name: str, value: str) -> None:
        """Let `name` have `value` from now on; ValueError when it is no part of the world."""
        if name in ("memory", "register"):
            self._core.state(name, value)
            return
        if name not in ("load_g", "air", "pressure_kpa", "rail_current_a", "plunger_kpa", "heard_v"):
            raise ValueError(f"{self._where}: @ {name} is not a part of the world")
        self._stated[name] = value

    def weigh(self) -> tuple[float, bool]:
        indication_g, stability = self._get("load_g").split()
        if stability not in ("stable", "unstable"):
            raise ValueError(f"{self._where}: expected @ load_g <g> stable or unstable, got {stability!r}")
        return float(indication_g), stability == "stable"

    def line_pressure_kpa(self) -> float:
        return float(self._get("pressure_kpa"))

    def air(self) -> tuple[float, float, float]:
        temperature_c, pressure_hpa, relative_humidity = map(float, self._get("air").split())
        return temperature_c, pressure_hpa, relative_humidity

    def set_rail(self, voltage_v: float) -> None:
        del voltage_v  # a block states what goes into an instrument, not what comes out on its other side

    def rail_current_a(self) -> float:
        return float(self._get("rail_current_a"))

    def hear(self, begin_s: float, rate_hz: float, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        del begin_s, rate_hz
        sound_v, vibration_v = map(float, self._get("heard_v").split())
        return np.full(count, sound_v), np.full(count, vibration_v)

    def push(self, volume_ul: float) -> float:
        del volume_ul
        return float(self._get("plunger_kpa"))

    def set_relay(self, line: int, *, energised: bool) -> None:
        del line, energised

    def debug_port(self) -> DebugPort:
        return self._core

    def do_by_hand(self, line: str, *, on: bool) -> None:
        del line, on

    def _get(self, name: str) -> str:
        assert name in self._stated, f"{self._where}: the twin asks for {name}, which the block does not state"
        return self._stated[name]


class Twin(Protocol):
    """A module `instruments/<name>/twin.py`."""

    BAUD: int | None
    BITS_PER_CHARACTER: int

    def open_twin(self, port: Port, signals: StatedWorld, *, serial_number: str) -> object: ...


def play_to_twin(transcript: Transcript, twin: Twin) -> None:
    """Say the host's lines to a new twin; AssertionError when it answers anything but the device's lines."""
    port = Port(SimClock(), baud=twin.BAUD, bits_per_character=twin.BITS_PER_CHARACTER)
    world = StatedWorld(transcript.where)
    twin.open_twin(port, world, serial_number=transcript.statement("serial_number", "00000001"))
    play_to_port(transcript, port, world)


def play_to_port(transcript: Transcript, port: Port, world: StatedWorld) -> None:
    """Say the host's lines to whatever answers on `port`."""
    for line in transcript.lines:
        if line.sign == ">":
            _expect_silence(port, line.where)
            port.host_write(line.data)
        elif line.sign == "<":
            came = port.host_read(len(line.data), timeout_s=REPLY_WITHIN_S)
            assert came == line.data, f"{line.where}: the device answered {came!r}, the page says {line.data!r}"
        elif line.sign == "@":
            name, value = split(line.text)
            if name == "wait_s":
                port.clock.sleep(float(value))
                _expect_silence(port, line.where)
            elif name not in ("serial_number", "option", "address"):
                world.state(name, value)
    port.clock.sleep(QUIET_S)
    _expect_silence(port, transcript.where)


def _expect_silence(port: Port, where: str) -> None:
    came = port.host_read(port.host_waiting(), timeout_s=0.0)
    assert not came, f"{where}: the device said {came!r}, which is not on the page"


class PlayedDevice:
    """The device's end of a port that says what a page says, and hears nothing else."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self._lines: deque[Line] = deque()
        self._heard = b""
        port.on_receive(self._receive)

    def play(self, lines: Iterable[Line]) -> None:
        """Take the next lines; those that wait for nothing are said at once."""
        self._lines.extend(lines)
        self._go_on()

    def expect_done(self, where: str) -> None:
        """Assert that every line was said and heard, and that the host has read them."""
        self._port.clock.sleep(QUIET_S)
        left = [f"{line.sign} {line.text}" for line in self._lines]
        assert not left, f"{where}: these lines were left over: {left}; after them was heard {self._heard!r}"
        unread = self._port.host_read(self._port.host_waiting(), timeout_s=0.0)
        assert not unread, f"{where}: the driver left {unread!r} unread"

    def _receive(self, data: bytes) -> None:
        self._heard += data
        self._go_on()

    def _go_on(self) -> None:
        while self._lines and (line := self._lines[0]):
            if line.sign == ">" and not self._hears(line):
                return
            self._lines.popleft()
            if line.sign == "<":
                self._port.send(line.data)
            elif line.sign == "@" and split(line.text)[0] == "wait_s":
                wait_ns = ns_from_s(float(split(line.text)[1]))
                self._port.clock.call_at(self._port.clock.now_ns + wait_ns, self._go_on)
                return
        assert not self._heard, f"the driver sent {self._heard!r}, for which the page has no line"

    def _hears(self, line: Line) -> bool:
        if self._heard.startswith(line.data):
            self._heard = self._heard[len(line.data) :]
            return True
        assert line.data.startswith(self._heard), (
            f"{line.where}: the driver sent {self._heard!r}, the page says {line.data!r}"
        )
        return False


def play_to_driver(transcript: Transcript, driver: ModuleType) -> None:
    """Open a driver on a PyVISA resource whose far side plays the device's lines, and make the block's calls."""
    address = transcript.statement("address", "ASRL1::INSTR")
    clock = SimClock()
    port = Port(clock, baud=None)
    device = PlayedDevice(port)
    resource = pyvisa.ResourceManager(VirtualVisaLibrary.over({address: port})).open_resource(address)
    assert isinstance(resource, pyvisa.resources.MessageBasedResource)
    with resource:
        wire = Wire(resource, f"the device of {transcript.where}", clock, NoLog())
        play_calls(transcript, device, driver.open_driver(wire, clock=clock, **options(transcript)))


def play_calls(transcript: Transcript, device: PlayedDevice, opened_driver: Any) -> None:  # noqa: ANN401 - any role
    """Make the block's calls on an open driver, while `device` plays what travels meanwhile."""
    meanwhile: list[Line] = []
    for line in transcript.lines:
        if line.sign == "=":
            device.play(meanwhile)
            _call(line, opened_driver)
            device.expect_done(line.where)
            meanwhile = []
        else:
            meanwhile.append(line)


def options(transcript: Transcript) -> dict[str, Any]:
    """The keyword arguments of open_driver that the block states."""
    stated = [split(line.text)[1] for line in transcript.lines if line.sign == "@" and line.text.startswith("option ")]
    return {name: ast.literal_eval(value) for name, value in map(split, stated)}


def _call(line: Line, opened_driver: Any) -> None:  # noqa: ANN401
    call, raises, failure = line.text.partition(" raises ")
    call, _, expected = call.partition(" -> ")
    words = {"__builtins__": {}, "datetime": datetime, **vars(roles), **vars(therapy)}
    if not raises:
        made = eval(f"driver.{call}", words, {"driver": opened_driver})
        assert made == eval(expected or "None", words), f"{line.where}: the driver made {made!r} of it"
        return
    error, _, sentence = failure.partition(": ")
    with pytest.raises(getattr(errors, error), match=re.escape(sentence)):
        eval(f"driver.{call}", words, {"driver": opened_driver})

"""The far side of the wire of a KELLER 33X pressure transmitter: the KELLER bus.

Functions 48, 66, 69, 73, 74 and 95; channels P1 and TOB1. No coefficients, configuration, calculated channel, second
sensor or Modbus. Not responsible for pressure and its error: the simulated world is.
Source: KELLER, Communication protocol for X-Line pressure transmitters, version 3.7; see protocol.md.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable

from rig.clock import Event, ns_from_s
from rig.virtual.port import Port
from rig.virtual.signals import Signals

BAUD: int | None = 9600
BITS_PER_CHARACTER = 10
"""8N1: start, eight data, stop (3.1)."""
DATA_BITS = 8

SILENCE_CHARACTERS = 3.5
"""Silence that ends a request. Assumed: that of Modbus RTU, which the transmitter speaks on the same line."""

ANSWER_AFTER_S = 0.005
"""Assumed: the protocol's description states none that we know."""

ADDRESS = 1
TRANSPARENT = 250
DEVICE_CLASS, GROUP, YEAR, WEEK = 5, 20, 12, 28
BUFFER_LENGTH = 10
LOWEST_BAR, HIGHEST_BAR = 0.0, 10.0
"""Compensated range of a PR-33X for 10 bar; readable from 10 % below to 10 % above (version 3.0, 6.3)."""

COLDEST_C, HOTTEST_C = -10.0, 80.0
"""Compensated temperature range (33X data sheet)."""

FUNCTION, PARAMETER, DATA, OVERFLOW, UNINITIALISED = 1, 2, 3, 4, 32
"""Exceptions (3.4)."""

P1, TOB1, CHANNELS = 1, 4, 6


class Refusal(Exception):
    """An exception reply."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class PR33X:
    """The transmitter: address, zero point, whether it has been initialised since power-on, and the function table."""

    def __init__(self, port: Port, signals: Signals, *, serial_number: str) -> None:
        self._port = port
        self._signals = signals
        self._serial_number = int(serial_number).to_bytes(4, "big")
        self._address = ADDRESS
        self._zero_bar = 0.0
        self._initialised = False
        self._received = b""
        self._silence: Event | None = None
        # function: allowed lengths of its parameters, what it does
        self._functions: dict[int, tuple[tuple[int, ...], Callable[[bytes], bytes]]] = {
            48: ((0,), self._initialise),
            66: ((1,), self._set_address),
            69: ((0,), lambda _: self._serial_number),
            73: ((1,), self._read_float),
            74: ((1,), self._read_integer),
            95: ((1, 5), self._set_zero),
        }
        port.on_receive(self._receive)

    def interrupt_supply(self) -> None:
        """Let the supply fail and come back: the transmitter must be initialised anew."""
        self._initialised = False

    # ---- the line --------------------------------------------------------------------------------------------

    def _receive(self, data: bytes) -> None:
        self._received += data
        if self._silence is not None:
            self._silence.cancel()
        silence_ns = round(SILENCE_CHARACTERS * self._port.character_ns)
        self._silence = self._port.clock.call_at(self._port.clock.now_ns + silence_ns, self._end_of_message)

    def _end_of_message(self) -> None:
        message, self._received = self._received, b""
        self._silence = None
        if len(message) < 4 or _checksum(message[:-2]) != message[-2:]:
            return  # 3.4: a damaged message is not answered
        address, function = message[0], message[1]
        if address not in (self._address, TRANSPARENT):
            return
        reply = bytes([address]) + self._answer(function, message[2:-2])
        reply += _checksum(reply)
        due_ns = self._port.clock.now_ns + ns_from_s(ANSWER_AFTER_S)
        self._port.clock.call_at(due_ns, lambda: self._port.send(reply))

    def _answer(self, function: int, parameters: bytes) -> bytes:
        try:
            if not self._initialised and function != 48:
                raise Refusal(UNINITIALISED)
            if function not in self._functions:
                raise Refusal(FUNCTION)
            lengths, act = self._functions[function]
            if len(parameters) not in lengths:
                raise Refusal(DATA)
            return bytes([function]) + act(parameters)
        except Refusal as refusal:
            return bytes([function | 0x80, refusal.code])

    # ---- the functions ---------------------------------------------------------------------------------------

    def _initialise(self, _: bytes) -> bytes:
        before, self._initialised = self._initialised, True
        return bytes([DEVICE_CLASS, GROUP, YEAR, WEEK, BUFFER_LENGTH, before])

    def _set_address(self, parameters: bytes) -> bytes:
        if 1 <= parameters[0] < TRANSPARENT:  # 0 only asks
            self._address = parameters[0]
        return bytes([self._address])

    def _read_float(self, parameters: bytes) -> bytes:
        value, status = self._measure(parameters[0])
        return struct.pack(">fB", value, status)

    def _read_integer(self, parameters: bytes) -> bytes:
        value, status = self._measure(parameters[0])
        if not math.isfinite(value):
            raise Refusal(OVERFLOW)
        if parameters[0] == P1:
            return struct.pack(">iB", 10 * round(value * 1e4), status)  # Pa, in steps of 0.1 mbar (5.8)
        return struct.pack(">iB", round(value * 100.0), status)

    def _measure(self, channel: int) -> tuple[float, int]:
        """A channel's value in bar or °C, and the status byte; ±Inf out of range, NaN for what is not there."""
        pressure_bar = self._signals.line_pressure_kpa() / 100.0 + self._zero_bar
        temperature_c = self._signals.air()[0]
        margin_bar = 0.1 * (HIGHEST_BAR - LOWEST_BAR)
        pressure_bar = _limited(pressure_bar, LOWEST_BAR - margin_bar, HIGHEST_BAR + margin_bar)
        temperature_c = _limited(temperature_c, COLDEST_C, HOTTEST_C)
        if not math.isfinite(temperature_c):
            pressure_bar = math.nan  # compensation needs the temperature (version 3.0, 6.3)
        status = (not math.isfinite(pressure_bar)) << P1 | (not math.isfinite(temperature_c)) << TOB1
        if channel >= CHANNELS:
            raise Refusal(PARAMETER)
        return {P1: pressure_bar, TOB1: temperature_c}.get(channel, math.nan), status

    def _set_zero(self, parameters: bytes) -> bytes:
        command = parameters[0]
        if command == 0:
            setpoint_bar: float = struct.unpack(">f", parameters[1:] or bytes(4))[0]
            self._zero_bar = setpoint_bar - self._signals.line_pressure_kpa() / 100.0
        elif command == 1:
            self._zero_bar = 0.0
        else:
            raise Refusal(PARAMETER)
        return bytes(1)


def _limited(value: float, lowest: float, highest: float) -> float:
    if value > highest:
        return math.inf
    return -math.inf if value < lowest else value


def _checksum(message: bytes) -> bytes:
    """CRC-16 as in the appendix of the protocol's description, by table; high byte first."""
    checksum = 0xFFFF
    for octet in message:
        checksum = checksum >> 8 ^ _TABLE[(checksum ^ octet) & 0xFF]
    return bytes(divmod(checksum, 256))


def _table_entry(index: int) -> int:
    for _ in range(8):
        index = (index >> 1) ^ 0xA001 if index % 2 else index >> 1
    return index


_TABLE = tuple(_table_entry(index) for index in range(256))


def open_twin(port: Port, signals: Signals, *, serial_number: str) -> PR33X:
    """Put a 33X on `port`, feeling the line of `signals`; it has just been switched on and answers to address 1."""
    return PR33X(port, signals, serial_number=serial_number)

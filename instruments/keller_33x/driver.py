"""KELLER 33X pressure transmitter as the bench's pressure sensor, over the KELLER bus.

Only reads: no setting of the transmitter is ever changed. Not responsible for zeroing: that belongs to calibration.
Source: KELLER, Communication protocol for X-Line pressure transmitters, version 3.7; see protocol.md.
"""

from __future__ import annotations

import math
import re
import struct
from typing import Annotated, Literal

from pydantic import Field

from rig.clock import Clock
from rig.errors import BadReplyError, DeviceError, NoReplyError, RefusedError
from rig.roles import Identity
from rig.roles.recognition import LineSettings, Recognition
from rig.step import Probe
from rig.wire import Wire

ROLE = "pressure"
"""What it does on a bench: the table of a bench file that it belongs into."""

REPLY_TIMEOUT_S = 0.5
TRANSPARENT_ADDRESS = 250
"""Every transmitter answers to it: for one alone on its line (3.2)."""

Address = Annotated[int, Field(ge=1, le=TRANSPARENT_ADDRESS)]
Baud = Literal[9600, 115200]
"""What a transmitter can be set to (protocol.md, Framing)."""

KPA_PER_BAR = 100.0

INITIALISE, SERIAL_NUMBER, READ_CHANNEL = 48, 69, 73
P1, TOB1 = 1, 4
EXCEPTION = 0x80
NOT_INITIALISED = 32
_EXCEPTIONS = {1: "function not implemented", 2: "wrong parameter", 3: "wrong data", NOT_INITIALISED: "not initialised"}

_FAMILIES = {5: "Series 30"}
"""Device classes; the 33, 35, 36 and 39 do not tell themselves apart (5.4)."""

STATUS_BITS = {0x02: "P1 failed or out of range", 0x10: "sensor temperature failed", 0x80: "still in power-up mode"}
"""Bits of the status byte that make P1 invalid (5.1, 5.7)."""

_LOOK_AT_CABLE = "check the converter, A and B of the bus, the supply, and 9600 8N1, or as in its options (protocol.md)"
_LOOK_AT_TRANSMITTER = "only the converter echoes: check the transmitter's supply, address and A and B of the bus"
_LOOK_AT_LINE = "is the line noisy, or another device on it? (protocol.md, Framing)"
_LOOK_AT_SUPPLY = "its supply was interrupted: check it, then identify it anew (protocol.md, Exceptions)"
_LOOK_AT_RANGE = "is the pressure outside the range of the transmitter? (protocol.md, Status byte)"


class Keller33X:
    """PressureSensor role over the KELLER bus."""

    def __init__(self, wire: Wire, address: int) -> None:
        self._wire = wire
        self._address = address

    def identify(self) -> Identity:
        """Initialise the transmitter (F48) and get its device class, firmware and serial number (F69)."""
        versions = self._ask(INITIALISE, answer_length=6)
        return _plate(versions, self._ask(SERIAL_NUMBER, answer_length=4))

    def self_test(self) -> str:
        """Read pressure and sensor temperature once; RefusedError when the transmitter calls either invalid."""
        return f"shows {self.read_kpa():.2f} kPa, sensor at {self._read_channel(TOB1):.1f} °C"

    def read_kpa(self) -> float:
        """Measure P1 in kPa (F73); gauge or absolute is a matter of the model.

        Raises:
            RefusedError: the transmitter calls the value invalid, or has lost its supply since `identify`.
            BadReplyError: a damaged reply.
        """
        return self._read_channel(P1) * KPA_PER_BAR

    def make_safe(self) -> None:
        """Do nothing: a transmitter only ever answers."""

    def close(self) -> None:
        """Release the port."""
        self._wire.close()

    def _read_channel(self, channel: int) -> float:
        """Read a channel in bar or °C."""
        answer = self._ask(READ_CHANNEL, bytes([channel]), answer_length=5)
        value: float = struct.unpack(">f", answer[:4])[0]
        faults = [name for bit, name in STATUS_BITS.items() if answer[4] & bit]
        if faults or not math.isfinite(value):
            raise self._error(
                RefusedError,
                f"F73 {channel}",
                f"shows {value:g} with {', '.join(faults) or 'no fault'}",
                _LOOK_AT_RANGE,
            )
        return value

    def _ask(self, function: int, parameters: bytes = b"", *, answer_length: int) -> bytes:
        """Send a request and get the data of its reply; RefusedError on an exception. None of them changes anything."""
        asked = " ".join([f"F{function}", *map(str, parameters)])
        request = _request(self._address, function, parameters)
        return self._wire.ask(lambda: self._reply(request, function, asked, answer_length), asked=asked)

    def _reply(self, request: bytes, function: int, asked: str, answer_length: int) -> bytes:
        self._wire.write_raw(request)
        begun = self._begin(len(request), asked, _LOOK_AT_CABLE)
        if begun == request:  # no request is as long as its reply, so this is its echo, which many converters send
            begun = self._begin(len(request), asked, _LOOK_AT_TRANSMITTER)
        exception = begun[1] == function | EXCEPTION
        length = 5 if exception else 4 + answer_length
        reply = begun + self._rest(length - len(begun), asked, begun)
        if reply[-2:] != crc16(reply[:-2]):
            raise self._error(BadReplyError, asked, f"answered {reply.hex(' ')}, whose CRC is wrong", _LOOK_AT_LINE)
        if reply[0] != self._address or reply[1] & ~EXCEPTION != function:
            raise self._error(BadReplyError, asked, f"answered {reply.hex(' ')}, for another request", _LOOK_AT_LINE)
        if exception:
            meaning = _EXCEPTIONS.get(reply[2], "unknown")
            look_at = _LOOK_AT_SUPPLY if reply[2] == NOT_INITIALISED else "does this model know it? (protocol.md)"
            raise self._error(RefusedError, asked, f"answered exception {reply[2]} ({meaning})", look_at)
        return reply[2:-2]

    def _begin(self, length: int, asked: str, look_at: str) -> bytes:
        head = self._wire.read_bytes(2, asked=asked, look_at=look_at)
        return head + self._rest(length - 2, asked, head)

    def _rest(self, length: int, asked: str, begun: bytes) -> bytes:
        if length == 0:
            return b""
        try:
            return self._wire.read_bytes(length, asked=asked, look_at=_LOOK_AT_CABLE)
        except NoReplyError as error:
            came_back = f"sent {begun.hex(' ')} and then fewer than the {length} octets that were due"
            raise self._error(BadReplyError, asked, came_back, _LOOK_AT_LINE) from error

    def _error(self, kind: type[DeviceError], asked: str, came_back: str, look_at: str) -> DeviceError:
        return kind(asked=asked, of_whom=self._wire.device, came_back=came_back, look_at=look_at)


def probe(address: int) -> Probe:
    """F69 and its reply, or the exception to it: only the serial number's has this function octet and this CRC."""
    to, function = re.escape(bytes([address])), bytes([SERIAL_NUMBER])
    refused = re.escape(bytes([SERIAL_NUMBER | EXCEPTION]))
    reply = re.compile(rb"(?s:" + to + function + rb".{6}|" + to + refused + rb".{3})")
    return Probe(_request(address, SERIAL_NUMBER), reply, lambda octets: octets[-2:] == crc16(octets[:-2]))


def _plate(versions: bytes, serial_number: bytes) -> Identity:
    """Read the answers to F48 and F69."""
    device_class, group, year, week = versions[:4]
    return Identity(
        maker="KELLER",
        model=f"{_FAMILIES.get(device_class, 'unknown family')}, class {device_class}.{group}",
        serial_number=str(int.from_bytes(serial_number, "big")),
        firmware=f"{device_class}.{group}-{year}.{week}",
    )


def _request(address: int, function: int, parameters: bytes = b"") -> bytes:
    message = bytes([address, function]) + parameters
    return message + crc16(message)


def crc16(message: bytes) -> bytes:
    """The checksum of a message, high byte first: CRC-16, reflected 0x8005, from FFFF (version 3.7, appendix)."""
    remainder = 0xFFFF
    for octet in message:
        remainder = remainder >> 8 ^ _OCTET_REMAINDERS[(remainder ^ octet) & 0xFF]
    return remainder.to_bytes(2, "big")


def _octet_remainder(octet: int) -> int:
    for _ in range(8):
        octet = octet >> 1 ^ (0xA001 if octet & 1 else 0)
    return octet


_OCTET_REMAINDERS = [_octet_remainder(octet) for octet in range(256)]


def open_driver(wire: Wire, *, clock: Clock, address: Address = TRANSPARENT_ADDRESS, baud: Baud = 9600) -> Keller33X:
    """Configure the wire and return the driver; nothing is sent yet.

    Args:
        wire: the converter's port.
        clock: not needed, nothing here is timed.
        address: 1 to 249 on a shared line; 250 for a transmitter alone on its line; ValueError on another.
        baud: 9600 or 115200 bit/s, as the transmitter is set.
    """
    del clock
    if not 1 <= address <= TRANSPARENT_ADDRESS:
        raise ValueError(f"Expected an address from 1 to {TRANSPARENT_ADDRESS}, got {address}")
    wire.configure_serial(baud=baud)
    wire.configure_binary(timeout_s=REPLY_TIMEOUT_S)
    wire.configure_probe(probe(address))
    return Keller33X(wire, address)


def _question(function: int, answer: bytes, *, rest: int = 0) -> Probe:
    """Ask any one transmitter on the line; the answer, and a rest of it that may change, with a checksum."""
    head = re.escape(bytes([TRANSPARENT_ADDRESS, function]))
    whole = re.compile(rb"(?s:" + head + rb"(" + answer + rb")" + b"." * (rest + 2) + rb")")
    return Probe(_request(TRANSPARENT_ADDRESS, function), whole, lambda octets: octets[-2:] == crc16(octets[:-2]))


RECOGNITION = Recognition(
    (_question(INITIALISE, rb".{4}", rest=2), _question(SERIAL_NUMBER, rb".{4}")),
    lambda answers: _plate(answers[0][1], answers[1][1]) if answers[0][1][0] in _FAMILIES else None,
    within_s=REPLY_TIMEOUT_S,
    lines=(LineSettings(9600), LineSettings(115200)),
)
"""F48 ends the state after power-up, in which nothing else is answered (protocol.md, Exceptions), and sets nothing."""

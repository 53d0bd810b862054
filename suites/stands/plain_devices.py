"""Devices of each protocol that nobody here has built a twin of: they answer what a driver reads, and count.

What they measure is another value each time, so a reading tells which question it answers. Written from the protocol
pages alone; they share nothing with drivers and twins. Not responsible for trouble: `troubled_line` is.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rig.virtual.port import Port


@dataclass
class Measured:
    """What a device has measured: a value for each question, in order."""

    values: list[float | bool | str] = field(default_factory=list)

    def next(self) -> int:
        """The number of the coming value."""
        return len(self.values) + 1


class LineDevice:
    """A device that is asked in lines.

    Args:
        port: its line.
        end: what a question ends with.
        answer: makes a reply of a question; empty for none.
    """

    def __init__(self, port: Port, end: bytes, answer: Callable[[str], bytes]) -> None:
        self._port = port
        self._end = end
        self._answer = answer
        self._begun = b""
        port.on_receive(self._hear)

    def _hear(self, data: bytes) -> None:
        self._begun += data
        while self._end in self._begun:
            question, _, self._begun = self._begun.partition(self._end)
            if reply := self._answer(question.decode("latin-1").strip()):
                self._port.send(reply)


def balance(port: Port, measured: Measured) -> None:
    """MT-SICS (instruments/mettler_xpr/protocol.md)."""

    def answer(question: str) -> bytes:
        if question == "SI":
            measured.values.append(measured.next() / 1000)
            return f"S S {measured.values[-1]:10.6f} g\r\n".encode()
        return {"@": b'I4 A "B1"\r\n', "I4": b'I4 A "B1"\r\n'}.get(question, b"ES\r\n")

    LineDevice(port, b"\r\n", answer)


def supply(port: Port, measured: Measured) -> None:
    """SCPI (instruments/keysight_e36312a/protocol.md)."""

    def answer(question: str) -> bytes:
        if question == "MEAS:CURR? (@1)":
            measured.values.append(measured.next() / 1000)
            return f"{measured.values[-1]:+.8E}\n".encode()
        return b"Maker,E36312A,MY1,1.0\n" if question == "*IDN?" else b""

    LineDevice(port, b"\n", answer)


def transmitter(port: Port, measured: Measured) -> None:
    """The Vaisala's command line (instruments/vaisala_ptu300/protocol.md)."""

    def answer(question: str) -> bytes:
        if question == "SEND":
            measured.values.append(1000.0 + measured.next() / 10)
            return f"P={measured.values[-1]:8.1f} hPa   T= 23.1 'C RH= 45.2 %RH \r\n".encode()
        return b"Echo           : OFF\r\n" if question == "ECHO OFF" else b""

    LineDevice(port, b"\r", answer)


def relays(port: Port, measured: Measured) -> None:
    """The relay module's terminal (instruments/numato_relay/protocol.md); every third reading is on."""

    def answer(question: str) -> bytes:
        words = ""
        if question == "relay read 0":
            measured.values.append(measured.next() % 3 == 0)
            words = "on" if measured.values[-1] else "off"
        elif question == "id get":
            words = "BENCH001"
        return f"{question}\n\r{words}\n\r>".encode()

    LineDevice(port, b"\r", answer)


def pressure(port: Port, measured: Measured) -> None:
    """The KELLER bus at address 250 (instruments/keller_33x/protocol.md)."""

    def hear(data: bytes) -> None:
        if data[-2:] != _crc16(data[:-2]):
            return
        if data[1] == 73:
            measured.values.append(float(measured.next()) * 100.0)
            reply = data[:2] + struct.pack(">f", float(measured.next() - 1)) + bytes(1)
        else:
            reply = data[:2] + bytes([0, 15, 250, 173])
        port.send(reply + _crc16(reply))

    port.on_receive(hear)


def syringe_pump(port: Port, measured: Measured) -> None:
    """New Era's Basic packets (instruments/new_era_ne1000/protocol.md); infuses, withdraws and purges in turn."""

    def answer(question: str) -> bytes:
        question = question.lstrip("\x02")
        if "SAF0" in question:
            return b"\x0200I\x03"
        if question == "00VER":
            return b"\x0200INE1000V3.928\x03"
        if question == "00":
            letter = "IWX"[measured.next() % 3]
            measured.values.append({"I": "infusing", "W": "withdrawing", "X": "purging"}[letter])
            return f"\x0200{letter}\x03".encode()
        return b"\x0200I\x03"

    begun = bytearray()

    def hear(data: bytes) -> None:
        begun.extend(data)
        while begun:
            ends = [at for at in (begun.find(b"\r"), begun.find(b"\x03")) if at >= 0]
            if not ends:
                return
            question = bytes(begun[: min(ends)]).decode("latin-1")
            del begun[: min(ends) + 1]
            port.send(answer(question))

    port.on_receive(hear)


@dataclass(frozen=True)
class Device:
    """A device under trouble: how it is built, opened by its driver, and read."""

    name: str
    baud: int | None
    timeout_s: float
    build: Callable[[Port, Measured], None]
    read: Callable[[Any], float | bool | str]
    unasked: bytes
    options: dict[str, Any] = field(default_factory=dict)


DEVICES = (
    Device("mettler_xpr", 9600, 2.0, balance, lambda driver: driver.read().mass_g, b"BEEP\r\n"),
    Device("keysight_e36312a", None, 2.0, supply, lambda driver: driver.read_current_a(), b"BEEP\n"),
    Device("vaisala_ptu300", 4800, 2.0, transmitter, lambda driver: driver.read_air().pressure_hpa, b"BEEP\r\n"),
    Device(
        "numato_relay",
        None,
        1.0,
        relays,
        lambda driver: driver.is_energised("valve"),
        b"BEEP>",
        {"lines": {"valve": 0}},
    ),
    Device("keller_33x", 9600, 0.5, pressure, lambda driver: driver.read_kpa(), b"\xff\x00"),
)
"""Those on a PyVISA wire."""


def _crc16(message: bytes) -> bytes:
    """Modbus' CRC, sent high octet first."""
    value = 0xFFFF
    for octet in message:
        value ^= octet
        for _ in range(8):
            value = (value >> 1) ^ (0xA001 if value & 1 else 0)
    return bytes([value >> 8, value & 0xFF])

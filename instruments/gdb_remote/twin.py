"""The far side of the wire of a debug probe: a GDB server over the core of the simulated pump's controller.

As servers do, it halts the core when somebody asks why it stands, hears nothing but an interrupt while it runs, and
does not look whether a halted core was reset meanwhile. It knows neither steps nor breakpoints. Not responsible for
what the core does: the simulated world is.
Source: Debugging with GDB, appendix E "GDB Remote Serial Protocol"; see protocol.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from rig.clock import ns_from_s
from rig.errors import RigError
from rig.virtual.port import Port
from rig.virtual.signals import DebugPort, Signals

BAUD: int | None = None
BITS_PER_CHARACTER = 10
DATA_BITS = 8
ANSWER_AFTER_S = 0.001
"""Assumption: one frame of USB full speed, by which most probes hang on their computer."""

PACKET_SIZE = 0x400
REGISTERS = (*(f"r{number}" for number in range(13)), "sp", "lr", "pc", "xpsr")
XPSR = 25
"""The number that xPSR has in the descriptions of most servers."""
NUMBERS = {**dict(enumerate(REGISTERS[:-1])), XPSR: "xpsr"}
INTERRUPT = 0x03
FIRST_ASKED = (b"?", b"qSupported")
"""Packets that somebody begins with who has just connected, which halts the core; a port does not tell of that."""
STOPPED_BY_INTERRUPT, STOPPED = "T02thread:1;", "T05thread:1;"
ONE_THREAD = {"qAttached": "1", "qC": "QC1", "qfThreadInfo": "m1", "qsThreadInfo": "l", "T1": "OK"}
"""What is said of the core to a debugger that thinks in programs and threads: there is one, and was before."""
FAILED, UNKNOWN = "E01", ""


def description() -> str:
    """Write the page that tells GDB which registers there are."""
    rows = "".join(f'<reg name="{name}" bitsize="32" regnum="{number}"/>' for number, name in NUMBERS.items())
    return (
        '<?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd"><target><architecture>arm</architecture>'
        f'<feature name="org.gnu.gdb.arm.m-profile">{rows}</feature></target>'
    )


def in_packet(payload: str) -> bytes:
    """Frame a payload; what must not stand in one is escaped."""
    octets = bytearray()
    for octet in payload.encode("latin-1"):
        octets += bytes([0x7D, octet ^ 0x20]) if octet in b"#$}*" else bytes([octet])
    return b"$" + bytes(octets) + b"#" + f"{sum(octets) & 0xFF:02x}".encode()


class GdbServer:
    """The server: what it was sent and not yet answered, and whether it has let the core go on."""

    def __init__(self, port: Port, core: DebugPort | None) -> None:
        self._port, self._core = port, core
        self._heard = bytearray()
        self._going = True
        self._last = b""
        port.on_receive(self._receive)

    def _receive(self, data: bytes) -> None:
        self._heard += data
        while self._heard and self._take():
            pass

    def _take(self) -> bool:
        """Take one interrupt, acknowledgement or packet; False when the rest of one is still to come."""
        heard = self._heard
        if heard[0] != ord("$"):
            octet = heard.pop(0)
            if octet == INTERRUPT and self._going:
                self._stop(STOPPED_BY_INTERRUPT)
            elif octet == ord("-"):
                self._say(self._last)
            return True
        end = heard.find(b"#")
        if end < 0 or len(heard) < end + 3:
            return False
        payload, told = bytes(heard[1:end]), bytes(heard[end + 1 : end + 3])
        del heard[: end + 3]
        if told.lower() != f"{sum(payload) & 0xFF:02x}".encode():
            self._say(b"-")
        elif not self._going or payload.startswith(FIRST_ASKED):
            self._meet()
            self._answer(payload.decode("latin-1"))
        return True

    def _meet(self) -> None:
        """Halt the core where it runs, as when somebody connects."""
        if self._going:
            self._going = False
            self._do(lambda: self._reached().hold())

    def _answer(self, payload: str) -> None:
        if payload in ("c", "D"):
            self._going = True
            self._do(self._release)
            self._say(b"+" if payload == "c" else b"+" + in_packet("OK"))
            return
        try:
            answer = self._made(payload)
        except RigError:
            answer = FAILED
        self._last = in_packet(answer)
        self._say(b"+" + self._last)

    def _made(self, payload: str) -> str:
        if payload == "?":
            self._reached().hold()
            return STOPPED
        if payload.startswith("qSupported"):
            return f"PacketSize={PACKET_SIZE:x};qXfer:features:read+"
        if page := re.fullmatch(r"qXfer:features:read:([^:]*):([0-9a-f]+),([0-9a-f]+)", payload):
            return self._page(page[1], int(page[2], 16), int(page[3], 16))
        if command := re.fullmatch(r"qRcmd,([0-9a-f]+)", payload):
            return self._command(bytes.fromhex(command[1]).decode("latin-1"))
        if payload in ONE_THREAD:
            return ONE_THREAD[payload]
        if re.fullmatch(r"H[gc]-?[0-9a-f]+", payload):
            return "OK"
        return self._of_core(payload)

    def _of_core(self, payload: str) -> str:
        core = self._reached()
        if place := re.fullmatch(r"m([0-9a-f]+),([0-9a-f]+)", payload):
            return core.read_memory(int(place[1], 16), int(place[2], 16)).hex()
        if place := re.fullmatch(r"M([0-9a-f]+),([0-9a-f]+):([0-9a-f]*)", payload):
            data = bytes.fromhex(place[3])
            if len(data) != int(place[2], 16):
                return FAILED
            core.write_memory(int(place[1], 16), data)
            return "OK"
        if payload == "g":
            return "".join(_told(core.read_register(name)) for name in REGISTERS)
        if number := re.fullmatch(r"p([0-9a-f]+)", payload):
            return _told(core.read_register(_named(int(number[1], 16))))
        if number := re.fullmatch(r"P([0-9a-f]+)=([0-9a-f]{8})", payload):
            core.write_register(_named(int(number[1], 16)), int.from_bytes(bytes.fromhex(number[2]), "little"))
            return "OK"
        return UNKNOWN

    def _page(self, name: str, begin: int, size: int) -> str:
        if name != "target.xml":
            return "E00"
        part = description()[begin : begin + size]
        return f"{'m' if begin + size < len(description()) else 'l'}{part}"

    def _command(self, command: str) -> str:
        if command != "reset":
            return UNKNOWN
        self._reached().reset()
        return "OK"

    def _release(self) -> None:
        self._reached().release()

    def _stop(self, why: str) -> None:
        self._going = False
        if self._do(lambda: self._reached().hold()):
            self._last = in_packet(why)
            self._say(self._last)

    def _do(self, action: Callable[[], None]) -> bool:
        """Do something to the core; says whether it could be done."""
        try:
            action()
        except RigError:
            return False
        return True

    def _reached(self) -> DebugPort:
        if self._core is None:
            raise RigError("this pump's controller has no debug port")
        return self._core

    def _say(self, data: bytes) -> None:
        clock = self._port.clock
        clock.call_at(clock.now_ns + ns_from_s(ANSWER_AFTER_S), lambda: self._port.send(data))


def _told(value: int) -> str:
    return value.to_bytes(4, "little").hex()


def _named(number: int) -> str:
    if number not in NUMBERS:
        raise RigError(f"the core has no register of number {number}")
    return NUMBERS[number]


def open_twin(port: Port, signals: Signals, *, serial_number: str) -> GdbServer:
    """Put a GDB server on `port`, at the debug port of the pump's controller, whose own number is its serial number."""
    del serial_number
    return GdbServer(port, signals.debug_port())

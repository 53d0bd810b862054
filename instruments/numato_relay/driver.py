"""Numato Lab USB Relay Module of 8 channels, 16 or 32, as the switch of valves and relays.

Every write is read back. Not responsible for what a line is connected to, nor for the time that contacts take.
Source: Numato Lab, 8 Channel USB Relay Module, user guide (numato.com/docs); see protocol.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from rig.clock import Clock
from rig.errors import BadReplyError, NoReplyError, RefusedError
from rig.roles import Identity
from rig.roles.recognition import LineSettings, Recognition
from rig.step import Probe
from rig.wire import Wire

ROLE = "switch"
"""What it does on a bench: the table of a bench file that it belongs into."""
NUMBERED_BY_HAND = True
"""Its id is what somebody has set it to, 00000000 from the factory: many modules tell the same."""

Baud = Literal[9600, 19200, 921600]
"""The host's usual speed and those of the maker's examples; the module has no line and obeys at any (protocol.md)."""

RELAY_COUNT = 8
NUMBERS = "0123456789ABCDEFGHIJKLMNOPQRSTUV"
"""How relays are numbered in a command, up to those of a module of 32."""
RELAYS_A_DIGIT = 4
LINES = range(RELAY_COUNT)
"""The numbers that a bench file may give to its lines."""
REPLY_TIMEOUT_S = 1.0

PROBE = Probe(b"id get\r", re.compile(rb"id get[\r\n]+[!-~]{8}[\r\n]+>"))
"""The module repeats every question before its answer, and nothing else asks for its id (protocol.md, In step)."""

_LOOK_AT_CABLE = "check the USB cable and the port name (protocol.md, Framing)"
_LOOK_AT_MODULE = "is another device on this port? (protocol.md, Framing)"


def recognition_of(count: int) -> Recognition:
    """Recognise a module by the digits in which it tells its `count` relays: it does not state its model."""

    def identity(answers: Sequence[re.Match[bytes]]) -> Identity | None:
        number, version, relays = (answer[1].decode("ascii") for answer in answers)
        return _plate(count, number, version) if len(relays) == count // RELAYS_A_DIGIT else None

    return Recognition(
        (
            Probe(b"id get\r", re.compile(rb"id get[\r\n]+([!-~]{8})[\r\n]+>")),
            Probe(b"ver\r", re.compile(rb"ver[\r\n]+([!-~]+)[\r\n]+>")),
            Probe(b"relay readall\r", re.compile(rb"relay readall[\r\n]+([0-9a-fA-F]+)[\r\n]+>")),
        ),
        identity,
        lines=(LineSettings(9600),),
    )


RECOGNITION = recognition_of(RELAY_COUNT)


def _plate(count: int, number: str, version: str) -> Identity:
    return Identity("Numato Lab", f"{count} Channel USB Relay Module", number, version)


class NumatoRelayModule:
    """Switch role over the terminal dialogue of a module of `count` relays, numbered in one character."""

    def __init__(self, wire: Wire, lines: Mapping[str, int], *, count: int = RELAY_COUNT) -> None:
        self._wire = wire
        self._relays = dict(lines)
        self._count = count
        self._digits = count // RELAYS_A_DIGIT

    @property
    def lines(self) -> Sequence[str]:
        """Names of the lines."""
        return tuple(self._relays)

    def identify(self) -> Identity:
        """The module's id as serial number, and its firmware; maker and model it does not state."""
        self._clear_half_line()
        return _plate(self._count, self._ask("id get", r"[!-~]{8}"), self._ask("ver", r"[!-~]+"))

    def self_test(self) -> str:
        """Compare `relay readall` with each relay read singly; BadReplyError when the module contradicts itself."""
        self._clear_half_line()
        mask = self._read_all()
        energised = [line for line, relay in self._relays.items() if mask >> relay & 1]
        for line, relay in self._relays.items():
            if self.is_energised(line) != (line in energised):
                shown = f"another state than in {mask:0{self._digits}x}"
                raise self._bad(f"relay read {NUMBERS[relay]}", shown, "power-cycle the module")
        return f"answers; energised: {', '.join(energised) or 'none'}"

    def set_line(self, line: str, *, energised: bool) -> None:
        """Energise or release a line and read it back; ValueError naming the known lines when there is no such line."""
        relay = self._relay(line)
        wanted = "on" if energised else "off"
        self._command(f"relay {wanted} {NUMBERS[relay]}")
        if self.is_energised(line) != energised:
            raise self._not_obeyed(f"relay {wanted} {NUMBERS[relay]}", f"read back {'off' if energised else 'on'}")

    def is_energised(self, line: str) -> bool:
        """The state of a line, read back from the module."""
        return self._ask(f"relay read {NUMBERS[self._relay(line)]}", r"on|off") == "on"

    def make_safe(self) -> None:
        """Release every relay of the module, named or not, and read them back; said unheard when it does not answer."""
        release = f"relay writeall {0:0{self._digits}x}"
        try:
            self._clear_half_line()
            self._command(release)
            mask = self._read_all()
        except (NoReplyError, BadReplyError):
            self._wire.send(f"\r{release}\r".encode())
            raise
        if mask != 0:
            raise self._not_obeyed(release, f"read back {mask:0{self._digits}x}")

    def close(self) -> None:
        """Release the port; the relays stay as they are."""
        self._wire.close()

    def _relay(self, line: str) -> int:
        if line not in self._relays:
            raise ValueError(f"no line {line!r}: the lines are {', '.join(self._relays) or 'none'}")
        return self._relays[line]

    def _read_all(self) -> int:
        return int(self._ask("relay readall", rf"[0-9a-fA-F]{{{self._digits}}}"), 16)

    def _clear_half_line(self) -> None:
        """End a line that a broken session may have left in the module, and drop what comes back."""

        def clear() -> None:
            self._wire.query("", look_at=_LOOK_AT_CABLE)
            self._wire.discard_input()

        self._wire.ask(clear, asked="an empty line")

    def _command(self, command: str) -> None:
        """Tell once: an error says that it may have been obeyed, which `relay read` shows."""

        def tell() -> None:
            if answer := self._exchange(command):
                raise self._bad(command, repr(answer), _LOOK_AT_MODULE)

        self._wire.command(tell, asked=repr(command))

    def _ask(self, command: str, form: str) -> str:
        def ask() -> str:
            answer = self._exchange(command)
            if len(answer) != 1 or re.fullmatch(form, answer[0]) is None:
                raise self._bad(command, repr(answer), _LOOK_AT_MODULE)
            return answer[0]

        return self._wire.ask(ask, asked=repr(command))

    def _exchange(self, command: str) -> list[str]:
        """Send a command; return the lines between its echo and the prompt."""
        reply = self._wire.query(command, look_at=_LOOK_AT_CABLE)
        echo, *answer = reply.replace("\r", "\n").split("\n")
        if echo.strip() != command:
            raise self._bad(command, f"{reply!r} and not its echo", _LOOK_AT_MODULE)
        return [line for line in answer if line]

    def _bad(self, command: str, answered: str, look_at: str) -> BadReplyError:
        return BadReplyError(
            asked=repr(command), of_whom=self._wire.device, came_back=f"answered {answered}", look_at=look_at
        )

    def _not_obeyed(self, command: str, came_back: str) -> RefusedError:
        return RefusedError(
            asked=repr(command),
            of_whom=self._wire.device,
            came_back=came_back,
            look_at="check the module's supply: USB alone may not drive the coils (protocol.md, Write safety)",
        )


def open_driver(wire: Wire, *, clock: Clock, lines: Mapping[str, int], baud: Baud = 9600) -> NumatoRelayModule:
    """Configure the wire and return the driver; nothing is sent yet.

    Args:
        wire: the module's port.
        clock: not needed, nothing here is timed.
        lines: names of the bench's lines to relay numbers 0..7; ValueError on another number or a relay named twice.
        baud: what the host's port is set to, in bit/s; the module does not care.
    """
    del clock
    return configured(wire, lines, baud, count=RELAY_COUNT)


def configured(wire: Wire, lines: Mapping[str, int], baud: int, *, count: int) -> NumatoRelayModule:
    """Configure the wire of a module of `count` relays; ValueError on a relay that it has not, or named twice."""
    for line, relay in lines.items():
        if not 0 <= relay < count:
            raise ValueError(f"Expected a relay from 0 to {count - 1} for line {line!r}, got {relay}")
    if len(set(lines.values())) < len(lines):
        raise ValueError(f"two lines share a relay: {dict(lines)}")
    wire.configure_serial(baud=baud)
    wire.configure_text(read_end=">", write_end="\r", timeout_s=REPLY_TIMEOUT_S)
    wire.configure_probe(PROBE)
    return NumatoRelayModule(wire, lines, count=count)

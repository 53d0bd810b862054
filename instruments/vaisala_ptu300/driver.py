"""Vaisala PTU300 as the environment sensor beside the balance.

Asks for single readings; never leaves periodic output on. Not responsible for whether the air is good enough to
weigh in, nor for air density: procedures and analysis are.
Source: Vaisala PTU300 user's guide M210796EN, chapter 4 (serial line); see protocol.md.
"""

from __future__ import annotations

import re
from typing import Literal

from rig.clock import Clock
from rig.errors import BadReplyError, RefusedError
from rig.roles import Air, Identity
from rig.wire import Wire

ROLE = "environment"
"""What it does on a bench: the table of a bench file that it belongs into."""

Baud = Literal[300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200]
Framing = Literal[
    "7E1", "7O1", "7N1", "7E2", "7O2", "7N2", "8E1", "8O1", "8N1", "8E2", "8O2", "8N2"
]  # fmt: skip
"""What SERI sets the user port to (protocol.md, Framing)."""

REPLY_TIMEOUT_S = 2.0
LINES_IN_FLIGHT = 16
"""Lines of periodic output that may arrive before an answer, when a broken session left it on."""

_LOOK_AT_CABLE = "check the cable and that the user port is at 4800 7E1, or as in its options (protocol.md)"
_LOOK_AT_PORT = "is another device on this port? (protocol.md, Framing)"
_LOOK_AT_FORMAT = "send FORM / and UNIT M, UNIT P HPA once (protocol.md, Oddities)"
_LOOK_AT_PROBE = "ask ERRS; is the probe connected? (protocol.md, Oddities)"

_READING = {
    name: re.compile(rf"(?<![A-Za-z0-9]){name}=\s*([-+]?\d+\.?\d*|\*+)\s*({unit})(?![A-Za-z])")
    for name, unit in (("P", "hPa"), ("T", "'C"), ("RH", "%RH"))
}


class VaisalaPTU300:
    """Environment role over the transmitter's command line."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def identify(self) -> Identity:
        """Model, serial number and firmware version (VERS, SNUM), after stopping periodic output and echo."""
        self._quieten()
        model, slash, firmware = self._ask("VERS").partition(" / ")
        if not slash:
            raise self._bad("VERS", f"{model!r}", _LOOK_AT_PORT)
        serial_number = self._field("SNUM", "Serial number")
        return Identity(maker="Vaisala", model=model.strip(), serial_number=serial_number, firmware=firmware.strip())

    def self_test(self) -> str:
        """Ask for present errors (ERRS); RefusedError naming them when there are any."""
        self._quieten()
        answer = self._ask("ERRS").strip()
        if answer.lower() != "no errors":
            errors = [answer, *self._lines_before_echo_off()]
            raise RefusedError(
                asked="'ERRS'",
                of_whom=self._wire.device,
                came_back=f"reported {', '.join(errors)}",
                look_at="see the table of error messages in the user's guide",
            )
        return "no errors"

    def read_air(self) -> Air:
        """Measure temperature in °C, pressure in hPa and relative humidity (0..1) (SEND).

        Raises:
            BadReplyError: a quantity or its unit is missing from the reply.
            RefusedError: the transmitter shows stars in place of a value.
        """
        reply = self._ask("SEND")
        return Air(
            temperature_c=self._quantity(reply, "T"),
            pressure_hpa=self._quantity(reply, "P"),
            relative_humidity=self._quantity(reply, "RH") / 100.0,
        )

    def make_safe(self) -> None:
        """Stop periodic output, checked by an answer that only comes when it has stopped."""
        self._quieten()

    def close(self) -> None:
        """Release the port."""
        self._wire.close()

    def _quieten(self) -> None:
        """Leave RUN mode and switch the echo off, whatever a broken session left behind."""
        self._wire.write("")  # ends a half-typed line
        self._wire.write("S")
        self._lines_before_echo_off()

    def _lines_before_echo_off(self) -> list[str]:
        """Switch the echo off and return the lines that came before its answer."""
        self._wire.write("ECHO OFF")
        lines: list[str] = []
        while len(lines) < LINES_IN_FLIGHT:
            line = self._wire.read(asked="'ECHO OFF'", look_at=_LOOK_AT_CABLE).strip()
            if re.search(r"Echo\s*:\s*OFF", line):
                return lines
            lines.append(line)
        raise self._bad("ECHO OFF", f"{lines[-1]!r} after {LINES_IN_FLIGHT} lines", _LOOK_AT_PORT)

    def _quantity(self, reply: str, name: str) -> float:
        match = _READING[name].search(reply)
        if match is None:
            raise self._bad("SEND", f"{reply!r}, without {name} in its unit", _LOOK_AT_FORMAT)
        if "*" in match[1]:
            raise RefusedError(
                asked="'SEND'",
                of_whom=self._wire.device,
                came_back=f"shows no value for {name}",
                look_at=_LOOK_AT_PROBE,
            )
        return float(match[1])

    def _field(self, command: str, name: str) -> str:
        answer = self._ask(command)
        label, colon, value = answer.partition(":")
        if not colon or label.strip() != name or not value.strip():
            raise self._bad(command, f"{answer!r}", _LOOK_AT_PORT)
        return value.strip()

    def _ask(self, command: str) -> str:
        # A prompt that came with the echo may stand before the first answer after it.
        return self._wire.query(command, look_at=_LOOK_AT_CABLE).lstrip(">")

    def _bad(self, command: str, answered: str, look_at: str) -> BadReplyError:
        return BadReplyError(
            asked=repr(command), of_whom=self._wire.device, came_back=f"answered {answered}", look_at=look_at
        )


def open_driver(wire: Wire, *, clock: Clock, baud: Baud = 4800, framing: Framing = "7E1") -> VaisalaPTU300:
    """Configure the wire as the user port is set, by default or by options; nothing is sent yet."""
    del clock  # nothing here is timed
    wire.configure_serial(baud=baud, framing=framing)
    wire.configure_text(read_end="\n", write_end="\r", timeout_s=REPLY_TIMEOUT_S)
    return VaisalaPTU300(wire)

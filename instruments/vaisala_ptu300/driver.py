"""Vaisala PTU300 as the environment sensor beside the balance.

Asks for single readings; never leaves periodic output on. Not responsible for whether the air is good enough to
weigh in, nor for air density: procedures and analysis are.
Source: Vaisala PTU300 user's guide M210796EN, chapter 4 (serial line); see protocol.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

from rig.clock import Clock
from rig.errors import BadReplyError, RefusedError
from rig.roles import Air, Identity
from rig.roles.recognition import LineSettings, Recognition
from rig.step import Probe
from rig.wire import Wire

Made = TypeVar("Made")

ROLE = "environment"
"""What it does on a bench: the table of a bench file that it belongs into."""

Baud = Literal[300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200]
Framing = Literal[
    "7E1", "7O1", "7N1", "7E2", "7O2", "7N2", "8E1", "8O1", "8N1", "8E2", "8O2", "8N2"
]  # fmt: skip
"""What SERI sets the user port to (protocol.md, Framing)."""

REPLY_TIMEOUT_S = 2.0
ERRORS_AT_ONCE = 16
PROBE = Probe(b"\rS\rECHO OFF\r", re.compile(rb"Echo\s*:\s*OFF[^\n]*\n"))
"""Ends a half-typed line and periodic output, and switches off the echo, which is never on (protocol.md, In step)."""

_ECHO_OFF = re.compile(r"Echo\s*:\s*OFF")

_LOOK_AT_CABLE = "check the cable and that the user port is at 4800 7E1, or as in its options (protocol.md)"
_LOOK_AT_PORT = "is another device on this port? (protocol.md, Framing)"
_LOOK_AT_FORMAT = "send FORM / and UNIT M, UNIT P HPA once (protocol.md, Oddities)"
_LOOK_AT_PROBE = "ask ERRS; is the probe connected? (protocol.md, Oddities)"

_READING = {
    name: re.compile(rf"(?<![A-Za-z0-9]){name}=\s*([-+]?\d+\.?\d*|\*+)\s*({unit})(?![A-Za-z])")
    for name, unit in (("P", "hPa"), ("T", "'C"), ("RH", "%RH"))
}


def _identity(answers: Sequence[re.Match[bytes]]) -> Identity | None:
    version, number = answers
    return Identity("Vaisala", version[1].decode("ascii"), number[1].decode("ascii"), version[2].decode("ascii"))


RECOGNITION = Recognition(
    (
        Probe(b"VERS\r", re.compile(rb"(PTU3\d\d) / (\d[\d.]*)\s*\r?\n")),
        Probe(b"SNUM\r", re.compile(rb"Serial number\s*:\s*([!-~]+)\s*\r?\n")),
    ),
    _identity,
    lines=(LineSettings(4800, "7E1"), LineSettings(19200), LineSettings(9600)),
)
"""`identify` stops periodic output and switches the echo off; these change nothing."""


class VaisalaPTU300:
    """Environment role over the transmitter's command line."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def identify(self) -> Identity:
        """Model, serial number and firmware version (VERS, SNUM), after stopping periodic output and echo."""
        self._wire.get_into_step()
        model, firmware = self._ask(self._version, "VERS")
        serial_number = self._ask(lambda: self._field("SNUM", "Serial number"), "SNUM")
        return Identity(maker="Vaisala", model=model, serial_number=serial_number, firmware=firmware)

    def self_test(self) -> str:
        """Ask for present errors (ERRS); RefusedError naming them when there are any."""
        self._wire.get_into_step()
        errors = self._ask(self._errors, "ERRS")
        if errors:
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
        return self._ask(self._air, "SEND")

    def make_safe(self) -> None:
        """Stop periodic output, checked by an answer that only comes when it has stopped."""
        self._wire.get_into_step()

    def close(self) -> None:
        """Release the port."""
        self._wire.close()

    def _version(self) -> tuple[str, str]:
        model, slash, firmware = self._reply("VERS").partition(" / ")
        if not slash:
            raise self._bad("VERS", f"{model!r}", _LOOK_AT_PORT)
        return model.strip(), firmware.strip()

    def _air(self) -> Air:
        reply = self._reply("SEND")
        return Air(
            temperature_c=self._quantity(reply, "T"),
            pressure_hpa=self._quantity(reply, "P"),
            relative_humidity=self._quantity(reply, "RH") / 100.0,
        )

    def _errors(self) -> list[str]:
        """The present errors: as many lines as come before the answer to ECHO OFF, which is the mark of their end."""
        errors = [self._reply("ERRS").strip()]
        if errors[0].lower() == "no errors":
            return []
        if _ECHO_OFF.search(errors[0]):  # an answer to the question before
            raise self._bad("ERRS", f"{errors[0]!r}", _LOOK_AT_PORT)
        self._wire.write("ECHO OFF")
        while len(errors) <= ERRORS_AT_ONCE:
            line = self._wire.read(asked="'ECHO OFF'", look_at=_LOOK_AT_CABLE).strip()
            if _ECHO_OFF.search(line):
                return errors
            errors.append(line)
        raise self._bad("ECHO OFF", f"{errors[-1]!r} after {ERRORS_AT_ONCE} lines", _LOOK_AT_PORT)

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
        answer = self._reply(command)
        label, colon, value = answer.partition(":")
        if not colon or label.strip() != name or not value.strip():
            raise self._bad(command, f"{answer!r}", _LOOK_AT_PORT)
        return value.strip()

    def _ask(self, exchange: Callable[[], Made], command: str) -> Made:
        return self._wire.ask(exchange, asked=repr(command))

    def _reply(self, command: str) -> str:
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
    wire.configure_probe(PROBE)
    return VaisalaPTU300(wire)

"""Keysight E36312A as the supply that stands in for the pump's battery, on output 1 (6 V, 5 A).

Every setting is a checked write: the command, then the instrument's error queue. Not responsible for waiting until a
pump has started, nor for stopping it before its supply goes: procedures are.
Source: Keysight E36300 Series Programming Guide, E36311-90008 (2019); see protocol.md.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import TypeVar

from rig.clock import Clock
from rig.errors import BadReplyError, NoReplyError, RefusedError
from rig.roles import Identity
from rig.roles.recognition import scpi_recognition
from rig.step import Probe
from rig.wire import Wire

Made = TypeVar("Made")

ROLE = "supply"
"""What it does on a bench: the table of a bench file that it belongs into."""

CHANNEL = 1
MAX_VOLTAGE_V = 6.18
MIN_CURRENT_A = 0.001
MAX_CURRENT_A = 5.15
"""Programming range of output 1, 103 % of its rating (programming guide, programming ranges and identifiers)."""

REPLY_TIMEOUT_S = 2.0
ERROR_QUEUE_LENGTH = 20

PROBE = Probe(b"*IDN?\n", re.compile(rb"(?<![^\n])[^,\n]*,[^,\n]*,[^,\n]*,[^,\n]*\n"))
"""Its answer has three commas, which no number and no entry of the error queue has (protocol.md, In step)."""

RECOGNITION = scpi_recognition("E36312A")

_LOOK_AT_LINK = "check the network cable, the address and that the supply is switched on (protocol.md, Framing)"


class KeysightE36312A:
    """Power supply role over SCPI."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._error_unread = False

    def identify(self) -> Identity:
        """Maker, model, serial number and firmware version (*IDN?)."""
        return self._ask("*IDN?", self._identity)

    def self_test(self) -> str:
        """Read the error queue empty; RefusedError naming what was in it, power-on self-test errors included.

        *TST? is not sent: what it does to an output in use is not stated (protocol.md, Write safety).
        """
        errors = self._wire.command(self._take_errors, asked="'SYST:ERR?'")
        if errors:
            raise self._refused("the self test", errors)
        state = "on" if self._ask(f"OUTP? (@{CHANNEL})", self._number) else "off"
        return f"no errors; output {CHANNEL} is {state}, {self.read_voltage_v():.3f} V, {self.read_current_a():.4f} A"

    def set_output(self, *, voltage_v: float, current_limit_a: float) -> None:
        """Set the output voltage in V and the current limit in A; ValueError outside the programming range."""
        if not 0.0 <= voltage_v <= MAX_VOLTAGE_V:
            raise ValueError(f"Expected a voltage from 0 to {MAX_VOLTAGE_V:g} V, got {voltage_v:g} V")
        if not MIN_CURRENT_A <= current_limit_a <= MAX_CURRENT_A:
            raise ValueError(
                f"Expected a current limit from {MIN_CURRENT_A:g} to {MAX_CURRENT_A:g} A, got {current_limit_a:g} A"
            )
        self._command(f"APPL CH{CHANNEL},{voltage_v:.6g},{current_limit_a:.6g}")

    def switch(self, *, on: bool) -> None:
        """Switch the output on or off."""
        self._command(f"OUTP {'ON' if on else 'OFF'},(@{CHANNEL})")

    def read_voltage_v(self) -> float:
        """Measure the output voltage in V."""
        return self._ask(f"MEAS:VOLT? (@{CHANNEL})", self._number)

    def read_current_a(self) -> float:
        """Measure the output current in A."""
        return self._ask(f"MEAS:CURR? (@{CHANNEL})", self._number)

    def make_safe(self) -> None:
        """Switch the output off; said once more, unheard, when the supply does not answer.

        What it reports the first time may be of another program, or of half a line that one left behind: then OUTP OFF
        was no command of its own. It is told again.
        """
        try:
            try:
                self.switch(on=False)
            except RefusedError:
                self.switch(on=False)
        except (NoReplyError, BadReplyError):
            self._wire.send(f"OUTP OFF,(@{CHANNEL})\n".encode("ascii"))
            raise

    def close(self) -> None:
        """Release the connection; the output stays as it is."""
        self._wire.close()

    def _command(self, command: str) -> None:
        """Write and ask for errors, once; what the errors of a command before it were is asked first, if unknown."""
        if self._error_unread:
            self._wire.command(self._take_errors, asked="'SYST:ERR?'")

        def write() -> list[str]:
            self._wire.write(command)
            return self._take_errors()

        self._error_unread = True
        errors = self._wire.command(write, asked=repr(command))
        self._error_unread = False
        if errors:
            raise self._refused(repr(command), errors)

    def _take_errors(self) -> list[str]:
        errors: list[str] = []
        while len(errors) <= ERROR_QUEUE_LENGTH:
            reply = self._wire.query("SYST:ERR?", look_at=_LOOK_AT_LINK)
            number, comma, text = reply.partition(",")
            if not comma or not number.lstrip("+-").isdecimal():
                raise self._bad("SYST:ERR?", reply, "expected a number and a text")
            if int(number) == 0:
                return errors
            errors.append(f"{int(number)} {text.strip()}")
        raise self._bad("SYST:ERR?", errors[-1], f"more errors than the {ERROR_QUEUE_LENGTH} that the queue holds")

    def _number(self, query: str, reply: str) -> float:
        try:
            value = float(reply)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or abs(value) >= 9.9e37:  # SCPI-99 7.2.1.5: 9.91E37 is "not a number"
            raise self._bad(query, reply, "expected a number")
        return value

    def _identity(self, query: str, reply: str) -> Identity:
        fields = [field.strip() for field in reply.split(",")]
        if len(fields) != 4:
            raise self._bad(query, reply, "expected maker, model, serial number and firmware")
        return Identity(*fields)

    def _ask(self, query: str, understand: Callable[[str, str], Made]) -> Made:
        """Ask what changes nothing; `understand` makes something of the query and its reply."""

        def exchange() -> Made:
            return understand(query, self._wire.query(query, look_at=_LOOK_AT_LINK))

        return self._wire.ask(exchange, asked=repr(query))

    def _bad(self, asked: str, reply: str, expected: str) -> BadReplyError:
        return BadReplyError(
            asked=repr(asked),
            of_whom=self._wire.device,
            came_back=f"answered {reply!r}",
            look_at=f"{expected}: is another instrument on this address?",
        )

    def _refused(self, asked: str, errors: list[str]) -> RefusedError:
        return RefusedError(
            asked=asked,
            of_whom=self._wire.device,
            came_back=f"reported {', '.join(errors)}",
            look_at="see the error messages of the programming guide",
        )


def open_driver(wire: Wire, *, clock: Clock) -> KeysightE36312A:
    """Configure the wire for an E36312A and return its driver; nothing is sent yet."""
    del clock  # nothing here is timed
    wire.configure_text(read_end="\n", write_end="\n", timeout_s=REPLY_TIMEOUT_S)
    wire.configure_probe(PROBE)
    return KeysightE36312A(wire)

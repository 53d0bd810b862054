"""Mettler-Toledo XPR (and other MT-SICS) balance as the bench's balance.

Asks for single values; never leaves repeated output on. Not responsible for settling times between doses, nor for
buoyancy and evaporation: procedures and analysis are.
Source: Mettler-Toledo, MT-SICS Interface Commands for XPR and XSR Balances, 30324923E; see protocol.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

from rig.clock import Clock
from rig.errors import BadReplyError, DeviceError, RefusedError
from rig.roles import Identity, MassReading
from rig.roles.recognition import LineSettings, Recognition
from rig.step import Probe
from rig.wire import Wire

Made = TypeVar("Made")

ROLE = "balance"
"""What it does on a bench: the table of a bench file that it belongs into."""

Baud = Literal[600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200]
Framing = Literal["8N1", "7N1", "7E1", "7O1"]
"""What the interface can be set to in the balance's menu (protocol.md, Framing)."""

REPLY_TIMEOUT_S = 2.0
STABLE_TIMEOUT_S = 60.0
"""Longer than the balance's own time-out for stability, which ends in a reply."""

_SERIAL_NUMBER = re.compile(rb'(?<![^\n])I4 A "([^"\r\n]*)"\r\n')
PROBE = Probe(b"I4\r\n", _SERIAL_NUMBER)
"""Changes nothing; no other question of the driver is answered so (protocol.md, In step)."""
CANCEL = Probe(b"@\r\n", _SERIAL_NUMBER)
"""Ends repeated values and a weighing that has not settled, too, and clears the tare."""

_LOOK_AT_CABLE = (
    "check the cable and that the balance's interface is a host at 9600 8N1, or as in its options (protocol.md)"
)
_LOOK_AT_PORT = "is another device on this port? (protocol.md, Framing)"
_REFUSALS = {
    "+": ("overload", "take the load off: it is above the weighing range"),
    "-": ("underload", "is the weighing pan in place?"),
    "I": ("not executable now", "did it not settle in time? Check draughts, doors, vibration (protocol.md, Stability)"),
    "L": ("wrong parameter", "does this balance know the command? (protocol.md, Commands)"),
    "ES": ("syntax error", "does this balance know the command? (protocol.md, Commands)"),
    "ET": ("transmission error", _LOOK_AT_CABLE),
    "EL": ("logical error", "does this balance know the command? (protocol.md, Commands)"),
}
# ID, blank, status, blank, value in at least ten characters (30324923E, 2.2.1), blank, unit. A lost character shows.
_WEIGHT = re.compile(r"(?P<id>[A-Z]+) (?P<status>[SD]) (?=[ \d.-]{10,} \S+$) *(?P<value>-?\d+\.?\d*) (?P<unit>\S+)")
_CELL_ERROR = re.compile(r"[A-Z]+ [SD] +(Error \S+)")


def _identity(answers: Sequence[re.Match[bytes]]) -> Identity | None:
    serial_number, model, software = (answer[1].decode("latin-1").strip() for answer in answers)
    return Identity("Mettler-Toledo", model, serial_number, software.split(" ")[0])


RECOGNITION = Recognition(
    (
        Probe(b"I4\r\n", _SERIAL_NUMBER),
        Probe(b"I2\r\n", re.compile(rb'(?<![^\n])I2 A "([^"\r\n]*?) +\d+\.?\d* +m?k?g"\r\n')),
        Probe(b"I3\r\n", re.compile(rb'(?<![^\n])I3 A "([^"\r\n]*)"\r\n')),
    ),
    _identity,
    lines=(LineSettings(9600), LineSettings(19200), LineSettings(2400, "7E1")),
)
"""`identify` sends @, which clears the tare; these change nothing."""


class MettlerBalance:
    """Balance role over MT-SICS."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def identify(self) -> Identity:
        """Type (I2), software version (I3) and serial number, after cancelling what a broken session left running.

        The cancel (@) clears the tare.
        """
        serial_number = self._cancel()
        model = self._ask(self._type, "I2")
        software = self._ask(lambda: self._text("I3"), "I3").split(" ")[0]  # then comes the type definition number
        return Identity(maker="Mettler-Toledo", model=model, serial_number=serial_number, firmware=software)

    def self_test(self) -> str:
        """Weigh once; RefusedError on overload, underload or an error that the balance shows in place of a value."""
        reading = self.read()
        return f"shows {reading.mass_g:.6f} g, {'stable' if reading.stable else 'not stable'}"

    def read(self) -> MassReading:
        """Measure the net mass in g now, stable or not (SI).

        Raises:
            RefusedError: overload, underload, or an error of the weighing cell.
            BadReplyError: anything but a weight in g.
        """
        return self._ask(lambda: self._weigh("SI", reply_id="S", timeout_s=REPLY_TIMEOUT_S), "SI")

    def read_stable(self) -> MassReading:
        """Measure the net mass in g once the balance calls it stable (S); RefusedError when it does not settle."""
        return self._ask(lambda: self._weigh("S", reply_id="S", timeout_s=STABLE_TIMEOUT_S, must_be_stable=True), "S")

    def tare(self) -> None:
        """Set the present load as zero once it is stable (T); RefusedError when it does not settle."""

        def tare() -> None:
            self._weigh("T", reply_id="T", timeout_s=STABLE_TIMEOUT_S, must_be_stable=True)

        self._wire.configure_probe(PROBE)  # from here on @ would clear it
        self._wire.command(tare, asked="'T'")

    def make_safe(self) -> None:
        """Cancel repeated output and pending commands (@), checked by the reply; this clears the tare."""
        self._cancel()

    def close(self) -> None:
        """Release the port."""
        self._wire.close()

    def _weigh(self, command: str, *, reply_id: str, timeout_s: float, must_be_stable: bool = False) -> MassReading:
        reply = self._reply(command, reply_id, timeout_s)
        if cell_error := _CELL_ERROR.fullmatch(reply):
            raise self._refused(command, f"shows {cell_error[1]}", "have the balance serviced (protocol.md, Errors)")
        match = _WEIGHT.fullmatch(reply)
        if match is None or match["id"] != reply_id:
            raise self._bad(command, repr(reply), _LOOK_AT_PORT)
        if match["unit"] != "g":
            raise self._bad(command, f"in {match['unit']}", "set its host unit to g (protocol.md, Oddities)")
        stable = match["status"] == "S"
        if must_be_stable and not stable:
            raise self._bad(command, f"{reply!r}, a value that is not stable", _LOOK_AT_PORT)
        return MassReading(mass_g=float(match["value"]), stable=stable)

    def _text(self, command: str) -> str:
        """Ask for a text in quotes."""
        reply = self._reply(command, command, REPLY_TIMEOUT_S)
        match = re.fullmatch(rf'{command} A "([^"]*)"', reply)
        if match is None:
            raise self._bad(command, repr(reply), _LOOK_AT_PORT)
        return match[1].strip()

    def _type(self) -> str:
        data = self._text("I2")
        match = re.fullmatch(r"(\S.*) \d+\.?\d* +m?k?g", data)  # type, which may hold blanks, capacity, unit
        if match is None:
            raise self._bad("I2", f"{data!r}, which ends in no capacity", _LOOK_AT_PORT)
        return match[1]

    def _cancel(self) -> str:
        """Cancel everything and get the serial number, which is the reply (30324923E, @)."""
        answer = self._wire.get_into_step(CANCEL)
        self._wire.configure_probe(CANCEL)  # with no tare to clear, it is the probe that is always executed
        match = _SERIAL_NUMBER.fullmatch(answer)
        assert match is not None  # it is what makes an answer
        return match[1].decode("latin-1")

    def _ask(self, exchange: Callable[[], Made], command: str) -> Made:
        return self._wire.ask(exchange, asked=repr(command))

    def _reply(self, command: str, reply_id: str, timeout_s: float) -> str:
        """Send a command and get its reply; RefusedError when the reply says no."""
        reply = self._wire.query(command, look_at=_LOOK_AT_CABLE, timeout_s=timeout_s)
        refusal = _REFUSALS.get(reply if len(reply) == 2 else reply.removeprefix(f"{reply_id} "))
        if refusal is not None:
            raise self._refused(command, f"answered {reply!r} ({refusal[0]})", refusal[1])
        return reply

    def _refused(self, command: str, came_back: str, look_at: str) -> DeviceError:
        return RefusedError(asked=repr(command), of_whom=self._wire.device, came_back=came_back, look_at=look_at)

    def _bad(self, command: str, answered: str, look_at: str) -> DeviceError:
        return BadReplyError(
            asked=repr(command), of_whom=self._wire.device, came_back=f"answered {answered}", look_at=look_at
        )


def masses_in(octets: bytes) -> tuple[list[MassReading], bytes]:
    """Read the masses in g of replies to SI and S from octets of a wire log; and what is left of a reply cut off."""
    *replies, rest = octets.split(b"\r\n")
    found = (_WEIGHT.fullmatch(reply.decode("latin-1")) for reply in replies)
    masses = [
        MassReading(mass_g=float(match["value"]), stable=match["status"] == "S")
        for match in found
        if match is not None and match["id"] == "S" and match["unit"] == "g"
    ]
    return masses, rest


def open_driver(wire: Wire, *, clock: Clock, baud: Baud = 9600, framing: Framing = "8N1") -> MettlerBalance:
    """Configure the wire as the balance's interface is set, by default or by options; nothing is sent yet."""
    del clock  # nothing here is timed
    wire.configure_serial(baud=baud, framing=framing)
    wire.configure_text(read_end="\r\n", write_end="\r\n", timeout_s=REPLY_TIMEOUT_S, encoding="latin-1")
    wire.configure_probe(PROBE)
    return MettlerBalance(wire)

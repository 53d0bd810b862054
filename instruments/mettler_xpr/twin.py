"""The far side of the wire of a Mettler-Toledo XPR26 micro balance: MT-SICS over RS-232.

Level 0, the tare commands of level 1; no display, keys, adjustment (C3), repetition on change (SR) or settings. Not
responsible for the load, the filter and what is called stable: the simulated world is.
Source: Mettler-Toledo, MT-SICS Interface Commands for XPR and XSR Balances, 30324923E; see protocol.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from rig.clock import Event, ns_from_s
from rig.virtual.port import Port
from rig.virtual.signals import Signals

BAUD: int | None = 9600
BITS_PER_CHARACTER = 10
"""8N1: start, eight data, stop. Default of the RS-232 interface."""
DATA_BITS = 8

ANSWER_AFTER_S = 0.030
"""Assumed: the manual states none."""

VALUES_PER_S = 10
"""Rate of SIR, and how often the indication is looked at while a command waits for stability. Assumed for UPD."""

STABILITY_TIMEOUT_S = 40.0
"""Then a waiting command is answered with I. Assumed: the manual says that it depends on the balance type."""

TYPE = "XPR26"
CAPACITY_G = 22.0
DECIMALS = 6
"""Readability 1 µg (XPR26 data sheet)."""

OVERLOAD_ABOVE_G = 22.009
"""Capacity and nine verification intervals e of 1 mg (OIML R 76-1:2006, 4.2.3)."""

UNDERLOAD_BELOW_G = -2.0
"""Assumed: about the mass of the weighing pan that is missing then."""

ZERO_RANGE_G = 0.02 * CAPACITY_G
"""Zero-setting acts within ±2 % of the capacity (OIML R 76-1:2006, 4.5.1: at most 4 % in all)."""

SOFTWARE = "2.00 1.00.0.0.0"
MATERIAL_NUMBER = "00000000A"
"""Made up, in the form of the manual's examples (I3: software version and type definition number; I5)."""

_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f]")


@dataclass(frozen=True)
class SicsCommand:
    """One row of the command set: level, name, what follows the name, the first word of the answer, what it does."""

    level: int
    name: str
    parameter: str
    answer_id: str
    act: Callable[..., str | None]
    stops_repeat: bool = False


class XPR26:
    """The balance: zero point, tare, pending command, repeated output, and the command set."""

    def __init__(self, port: Port, signals: Signals, *, serial_number: str) -> None:
        self._port = port
        self._signals = signals
        self._serial_number = serial_number
        self._zero_g = 0.0
        self._tare_g = 0.0
        self._received = b""
        self._pending: Event | None = None
        self._repeating: Event | None = None
        rows = (
            SicsCommand(0, "@", "", "@", self._cancel, stops_repeat=True),
            SicsCommand(0, "I0", "", "I0", self._list_commands),
            SicsCommand(0, "I1", "", "I1", lambda: 'I1 A "0" "2.30" "2.20" "" ""'),
            SicsCommand(0, "I2", "", "I2", lambda: f'I2 A "{TYPE} {CAPACITY_G:.{DECIMALS}f} g"'),
            SicsCommand(0, "I3", "", "I3", lambda: f'I3 A "{SOFTWARE}"'),
            SicsCommand(0, "I4", "", "I4", self._name_serial_number),
            SicsCommand(0, "I5", "", "I5", lambda: f'I5 A "{MATERIAL_NUMBER}"'),
            SicsCommand(0, "S", "", "S", lambda: self._once_stable("S", self._weight), stops_repeat=True),
            SicsCommand(0, "SI", "", "S", self._weight, stops_repeat=True),
            SicsCommand(0, "SIR", "", "S", lambda: self._repeat_after(ANSWER_AFTER_S), stops_repeat=True),
            SicsCommand(0, "Z", "", "Z", lambda: self._once_stable("Z", lambda: self._zero("Z", "A"))),
            SicsCommand(0, "ZI", "", "ZI", lambda: self._zero("ZI", _status(self._signals.weigh()[1]))),
            SicsCommand(1, "T", "", "T", lambda: self._once_stable("T", lambda: self._tare("T"))),
            SicsCommand(1, "TI", "", "TI", lambda: self._tare("TI")),
            SicsCommand(1, "TA", r"(?: (\d+\.?\d*) g)?", "TA", self._preset_tare),
            SicsCommand(1, "TAC", "", "TAC", self._clear_tare),
        )
        self._commands = {row.name: row for row in rows}
        port.on_receive(self._receive)

    # ---- the interface ---------------------------------------------------------------------------------------

    def _receive(self, data: bytes) -> None:
        *lines, self._received = (self._received + data).split(b"\r\n")
        for line in lines:
            answer = self._obey(line.decode("latin-1"))
            if answer is not None:
                self._send_after(ANSWER_AFTER_S, answer)

    def _obey(self, line: str) -> str | None:
        if _CONTROL_CHARACTER.search(line):  # 30324923E, 2: commands are characters from 32 to 255
            return "ET"
        name, blank, parameter = line.partition(" ")
        command = self._commands.get(name)
        if command is None:
            return "ES"
        match = re.fullmatch(command.parameter, blank + parameter)
        if match is None:
            return f"{command.answer_id} L"
        if self._pending is not None and name != "@":
            return f"{command.answer_id} I"
        if command.stops_repeat and self._repeating is not None:
            self._repeating.cancel()
            self._repeating = None
        return command.act(*match.groups())

    def _send_after(self, seconds: float, answer: str) -> Event:
        clock = self._port.clock
        return clock.call_at(clock.now_ns + ns_from_s(seconds), lambda: self._port.send(f"{answer}\r\n".encode()))

    # ---- weighing --------------------------------------------------------------------------------------------

    def _weight(self) -> str:
        indication_g, stable = self._signals.weigh()
        net_g = indication_g - self._zero_g - self._tare_g
        return f"S {_range_error(indication_g) or f'{_status(stable)} {_field(net_g)}'}"

    def _repeat_after(self, seconds: float) -> None:
        clock = self._port.clock
        self._repeating = clock.call_at(clock.now_ns + ns_from_s(seconds), self._repeat)

    def _repeat(self) -> None:
        self._port.send(f"{self._weight()}\r\n".encode())
        self._repeat_after(1.0 / VALUES_PER_S)

    def _once_stable(self, answer_id: str, act: Callable[[], str]) -> str | None:
        """Act now, or look again until the indication is stable; I after the time-out."""
        clock = self._port.clock
        timeout_ns = clock.now_ns + ns_from_s(STABILITY_TIMEOUT_S)

        def look_again() -> None:
            self._pending = None
            if self._signals.weigh()[1]:
                self._send_after(ANSWER_AFTER_S, act())
            elif clock.now_ns >= timeout_ns:
                self._send_after(ANSWER_AFTER_S, f"{answer_id} I")
            else:
                self._pending = clock.call_at(clock.now_ns + ns_from_s(1.0 / VALUES_PER_S), look_again)

        look_again()
        return None

    # ---- zero and tare ---------------------------------------------------------------------------------------

    def _zero(self, name: str, done: str) -> str:
        indication_g = self._signals.weigh()[0]
        if abs(indication_g) > ZERO_RANGE_G:
            return f"{name} {'+' if indication_g > 0 else '-'}"
        self._zero_g, self._tare_g = indication_g, 0.0
        return f"{name} {done}"

    def _tare(self, name: str) -> str:
        indication_g, stable = self._signals.weigh()
        gross_g = indication_g - self._zero_g
        if _range_error(indication_g) == "+":
            return f"{name} +"
        if gross_g < -ZERO_RANGE_G:
            return f"{name} -"
        self._tare_g = gross_g
        return f"{name} {_status(stable)} {_field(gross_g)}"

    def _preset_tare(self, tare_g: str | None) -> str:
        if tare_g is not None:
            if float(tare_g) > CAPACITY_G:
                return "TA L"
            self._tare_g = float(tare_g)
        return f"TA A {_field(self._tare_g)}"

    def _clear_tare(self) -> str:
        self._tare_g = 0.0
        return "TAC A"

    # ---- the rest --------------------------------------------------------------------------------------------

    def _cancel(self) -> str:
        if self._pending is not None:
            self._pending.cancel()
            self._pending = None
        self._tare_g = 0.0
        return self._name_serial_number()

    def _name_serial_number(self) -> str:
        return f'I4 A "{self._serial_number}"'

    def _list_commands(self) -> str:
        rows = sorted(self._commands.values(), key=lambda row: (row.level, row.name))
        return "\r\n".join(f'I0 {"A" if row is rows[-1] else "B"} {row.level} "{row.name}"' for row in rows)


def _status(stable: bool) -> str:
    return "S" if stable else "D"


def _range_error(indication_g: float) -> str | None:
    if indication_g > OVERLOAD_ABOVE_G:
        return "+"
    return "-" if indication_g < UNDERLOAD_BELOW_G else None


def _field(mass_g: float) -> str:
    """Write a weight: ten characters, right-aligned, and the unit (30324923E, 2.2.1); more when it needs more."""
    shown_g = round(mass_g, DECIMALS) + 0.0  # no minus before a zero
    return f"{shown_g:10.{DECIMALS}f} g"


def open_twin(port: Port, signals: Signals, *, serial_number: str) -> XPR26:
    """Put an XPR26 on `port`, under the load of `signals`; it has been switched on and warm for long."""
    return XPR26(port, signals, serial_number=serial_number)

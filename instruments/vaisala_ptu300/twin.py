"""The far side of the wire of a Vaisala PTU300: a command line that reports the air around the balance.

Not here: POLL mode, units other than hPa, °C and %RH, averaging, adjustment, display; their commands are unknown.
Not responsible for the air: the simulated world is.
Source: Vaisala PTU300 user's guide M210796EN, chapter 4 (serial line); see protocol.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from instruments.vaisala_ptu300.message import DEFAULT_FORMAT, Message
from rig.clock import Event, ns_from_s
from rig.virtual.port import Port
from rig.virtual.signals import Signals

BAUD: int | None = 4800
BITS_PER_CHARACTER = 10
"""7E1: start, seven data, parity, stop. Default settings of the user port, M210796EN table 15."""
DATA_BITS = 7

ANSWER_AFTER_S = 0.050
"""Assumed: the manual states none."""

SHORTEST_INTERVAL_S = 1.0
"""Output interval 0 means as fast as the measurement cycle, about one second."""

FIRMWARE = "5.16"
_UNIT_S = {"S": 1, "MIN": 60, "H": 3600}
_LONGEST_LINE = 120


class PTU300:
    """The transmitter: serial mode, output interval, format, echo, and the command table."""

    def __init__(self, port: Port, signals: Signals, *, serial_number: str) -> None:
        self._port = port
        self._signals = signals
        self._serial_number = serial_number
        self._message = Message(DEFAULT_FORMAT)
        self._echo = False
        self._interval = (1, "S")
        self._running: Event | None = None
        self._line = b""
        self.faults: tuple[str, ...] = ()
        """Texts that ERRS lists, such as "Pressure out of range"; with any, readings show stars."""
        self._commands: list[tuple[re.Pattern[str], Callable[..., str | None]]] = [
            (re.compile(notation, re.IGNORECASE), act)
            for notation, act in (
                (r"SEND", self._reading),
                (r"R", self._run),
                (r"S", lambda: None),
                (r"INTV(?:\s+(\d{1,3}))?(?:\s+(S|MIN|H))?", self._set_interval),
                (r"FORM(?:\s+(.+))?", self._set_format),
                (r"ECHO(?:\s+(ON|OFF))?", self._set_echo),
                (r"ERRS", lambda: "\r\n".join(self.faults or ("No errors",)) + "\r\n"),
                (r"SNUM", lambda: _field("Serial number", self._serial_number)),
                (r"VERS", lambda: f"PTU300 / {FIRMWARE}\r\n"),
                (r"\?", self._describe),
            )
        ]
        port.on_receive(self._receive)

    def _receive(self, data: bytes) -> None:
        for character in (data[i : i + 1] for i in range(len(data))):
            if self._echo and self._running is None:
                self._port.send(b"\r\n" if character == b"\r" else character)
            if character == b"\x1b":
                self._stop()
            elif character == b"\r":
                line, self._line = self._line, b""
                self._obey(line.decode("latin-1").strip())
            elif b" " <= character <= b"~" and len(self._line) < _LONGEST_LINE:
                self._line += character

    def _obey(self, line: str) -> None:
        if self._running is not None:
            if line.upper() == "S":  # in RUN mode only S is obeyed
                self._stop()
            return
        answer = self._answer(line)
        if self._echo and self._running is None:
            answer += ">"
        if answer:
            due_ns = self._port.clock.now_ns + ns_from_s(ANSWER_AFTER_S)
            self._port.clock.call_at(due_ns, lambda: self._port.send(answer.encode("ascii")))

    def _answer(self, line: str) -> str:
        if not line:
            return ""
        for pattern, act in self._commands:
            match = pattern.fullmatch(line)
            if match:
                return act(*match.groups()) or ""
        return "Unknown command\r\n"

    def _reading(self) -> str:
        temperature_c, pressure_hpa, relative_humidity = self._signals.air()
        readings = {"P": pressure_hpa, "T": temperature_c, "RH": 100.0 * relative_humidity}
        return self._message.write(readings, serial_number=self._serial_number, failed=bool(self.faults))

    def _run(self) -> None:
        self._output()

    def _output(self) -> None:
        self._port.send(self._reading().encode("ascii"))
        count, unit = self._interval
        interval_s = max(count * _UNIT_S[unit], SHORTEST_INTERVAL_S)
        due_ns = self._port.clock.now_ns + ns_from_s(interval_s)
        self._running = self._port.clock.call_at(due_ns, self._output)

    def _stop(self) -> None:
        if self._running is not None:
            self._running.cancel()
            self._running = None
            if self._echo:
                self._port.send(b">")

    def _set_interval(self, count: str | None, unit: str | None) -> str:
        if count is not None and int(count) > 255:
            return "Out of range\r\n"
        self._interval = (
            self._interval[0] if count is None else int(count),
            self._interval[1] if unit is None else unit.upper(),
        )
        return _field("Output interval", self._interval_text())

    def _interval_text(self) -> str:
        count, unit = self._interval
        return f"{count} {unit.lower()}"

    def _set_format(self, text: str | None) -> str:
        if text is None or text == "?":
            return _field("Output format", self._message.text.replace("#", "\\"))
        try:
            self._message = Message(DEFAULT_FORMAT if text == "/" else text.replace("\\", "#"))
        except ValueError:
            return "Syntax error\r\n"
        return "OK\r\n"

    def _set_echo(self, state: str | None) -> str:
        if state is not None:
            self._echo = state.upper() == "ON"
        return _field("Echo", "ON" if self._echo else "OFF")

    def _describe(self) -> str:
        return f"PTU300 / {FIRMWARE}\r\n" + "".join(
            _field(name, value)
            for name, value in (
                ("Serial number", self._serial_number),
                ("Output format", self._message.text.replace("#", "\\")),
                ("Start mode", "STOP"),
                ("Baud P D S", "4800 E 7 1"),
                ("Output interval", self._interval_text()),
                ("Address", "0"),
                ("Echo", "ON" if self._echo else "OFF"),
                ("Module 1", "BARO-1"),
                ("Module 2", "EMPTY"),
            )
        )


def _field(name: str, value: str) -> str:
    return f"{name:<15}: {value}\r\n"


def open_twin(port: Port, signals: Signals, *, serial_number: str) -> PTU300:
    """Put a PTU300 on `port`, in the air of `signals`."""
    return PTU300(port, signals, serial_number=serial_number)

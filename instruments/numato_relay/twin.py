"""The far side of the wire of a Numato Lab USB Relay Module: a terminal that echoes what it hears.

Eight relays, sixteen or 32, and an identity that the user sets; no GPIO and no analogue inputs, which the rig
never asks. Not responsible for what hangs on a relay: the simulated world is.
Source: Numato Lab, 8 Channel USB Relay Module, user guide (numato.com/docs); see protocol.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from rig.clock import Event, ns_from_s
from rig.virtual.port import Port
from rig.virtual.signals import Signals

BAUD: int | None = None
"""A USB CDC device: the host's line coding changes nothing, characters take no time on a wire."""

BITS_PER_CHARACTER = 10
DATA_BITS = 8
RELAYS = 8
_NUMBERS = "0123456789ABCDEFGHIJKLMNOPQRSTUV"
ANSWER_AFTER_S = 0.001
"""One frame of full-speed USB."""

OPERATE_AFTER_S = 0.010
RELEASE_AFTER_S = 0.005
"""Longest operate and release times of a 10 A PCB relay (Songle SRD data sheet); `relay read` tells of the coil."""

FIRMWARE = "00000008"
LINE_END = b"\n\r"
PROMPT = b">"
LONGEST_LINE = 64


class NumatoRelay:
    """The module: coils, contacts that follow them, identity, and the command table."""

    def __init__(self, port: Port, signals: Signals, *, serial_number: str, relays: int = RELAYS) -> None:
        if not re.fullmatch(r"[!-~]{8}", serial_number):
            raise ValueError(f"the module's id has exactly 8 printable characters, got {serial_number!r}")
        self._port = port
        self._signals = signals
        self._id = serial_number
        self._coils = [False] * relays
        self._moving: list[Event | None] = [None] * relays
        one, all_ = f"([{_NUMBERS[:relays]}])", f"([0-9a-fA-F]{{{relays // 4}}})"
        self._line = b""
        self._commands: list[tuple[re.Pattern[str], Callable[..., str | None]]] = [
            (re.compile(r"ver"), lambda: FIRMWARE),
            (re.compile(r"id get"), lambda: self._id),
            (re.compile(r"id set ([!-~]{8})"), self._set_id),
            (re.compile(f"relay on {one}"), lambda relay: self._drive(_NUMBERS.index(relay), energised=True)),
            (re.compile(f"relay off {one}"), lambda relay: self._drive(_NUMBERS.index(relay), energised=False)),
            (re.compile(f"relay read {one}"), lambda relay: "on" if self._coils[_NUMBERS.index(relay)] else "off"),
            (re.compile(r"relay readall"), self._read_all),
            (re.compile(f"relay writeall {all_}"), self._write_all),
            (re.compile(r"reset"), lambda: self._write_all("0")),
        ]
        port.on_receive(self._receive)

    def _receive(self, data: bytes) -> None:
        for character in (data[i : i + 1] for i in range(len(data))):
            if character == b"\r":
                self._port.send(LINE_END)
                line, self._line = self._line, b""
                self._answer(self._run(line.decode("latin-1").strip()))
            elif b" " <= character <= b"~" and len(self._line) < LONGEST_LINE:
                self._port.send(character)
                self._line += character

    def _answer(self, response: str | None) -> None:
        answer = PROMPT if response is None else response.encode("ascii") + LINE_END + PROMPT
        due_ns = self._port.clock.now_ns + ns_from_s(ANSWER_AFTER_S)
        self._port.clock.call_at(due_ns, lambda: self._port.send(answer))

    def _run(self, line: str) -> str | None:
        for pattern, act in self._commands:
            match = pattern.fullmatch(line)
            if match:
                return act(*match.groups())
        return None  # a line that it doesn't know gets the prompt and nothing else

    def _set_id(self, new_id: str) -> None:
        self._id = new_id

    def _read_all(self) -> str:
        return f"{sum(on << relay for relay, on in enumerate(self._coils)):0{len(self._coils) // 4}x}"

    def _write_all(self, mask: str) -> None:
        for relay in range(len(self._coils)):
            self._drive(relay, energised=bool(int(mask, 16) >> relay & 1))

    def _drive(self, relay: int, *, energised: bool) -> None:
        if energised == self._coils[relay]:
            return
        self._coils[relay] = energised
        moving = self._moving[relay]
        if moving is not None:
            moving.cancel()
        due_ns = self._port.clock.now_ns + ns_from_s(OPERATE_AFTER_S if energised else RELEASE_AFTER_S)
        self._moving[relay] = self._port.clock.call_at(
            due_ns, lambda: self._signals.set_relay(relay, energised=energised)
        )


def open_twin(port: Port, signals: Signals, *, serial_number: str) -> NumatoRelay:
    """Put a relay module on `port`; `serial_number` is its 8-character id."""
    return NumatoRelay(port, signals, serial_number=serial_number)

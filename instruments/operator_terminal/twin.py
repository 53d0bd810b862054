"""The far side of the wire of an operator's terminal: a simulated person sits at it and does what is told.

He knows the sentences of the catalogue of faults, takes `REACTION_S` for each, and presses Enter `ENTER_AFTER_S` later.
What he does not know he says that he cannot do. Not responsible for what follows at the pump: the simulated world is.
Source: the rig's own protocol, see protocol.md. The times are the house's assumptions.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from functools import partial

from instruments.operator_terminal.dialogue import Dialogue, whole_lines
from rig.clock import Event, ns_from_s
from rig.shipped import DEFAULT_FAULTS, shipped
from rig.virtual.port import Port
from rig.virtual.signals import Signals

BAUD: int | None = None
BITS_PER_CHARACTER = 10
DATA_BITS = 8
ANSWER_AFTER_S = 0.002
REACTION_S = 3.0
"""From reading a sentence to the deed."""
ENTER_AFTER_S = 0.4
"""From the deed to Enter."""


class SimulatedOperator:
    """The terminal and the person at it."""

    def __init__(self, port: Port, signals: Signals, *, serial_number: str) -> None:
        self._port, self._signals = port, signals
        self._rest = b""
        self._doing: list[Event] = []
        self._knows = _deeds()
        self._dialogue = Dialogue(serial_number, port.clock.now, self._told)
        port.on_receive(self._receive)

    def _receive(self, data: bytes) -> None:
        lines, self._rest = whole_lines(data, self._rest)
        for line in lines:
            answer = self._dialogue.answer(line)
            if answer is not None:
                self._after(ANSWER_AFTER_S, partial(self._port.send, f"{answer}\n".encode()))

    def _told(self, instruction: str | None) -> None:
        for event in self._doing:
            event.cancel()
        self._doing = []
        if instruction is None:
            return
        deed = self._knows.get(instruction)
        if deed is None:
            self._doing = [self._after(REACTION_S, lambda: self._dialogue.cannot("I do not know how"))]
            return
        line, energised = deed
        self._doing = [
            self._after(REACTION_S, lambda: self._signals.do_by_hand(line, on=energised)),
            self._after(REACTION_S + ENTER_AFTER_S, self._dialogue.done),
        ]

    def _after(self, time_s: float, act: Callable[[], None]) -> Event:
        return self._port.clock.call_at(self._port.clock.now_ns + ns_from_s(time_s), act)


def _deeds() -> dict[str, tuple[str, bool]]:
    """List what the person knows to do: by sentence, the line that it is done in place of, and whether it is begun."""
    deeds = {}
    written = tomllib.loads(shipped(DEFAULT_FAULTS).read_text(encoding="utf-8"))
    for way in (way for fault in written["fault"] for way in fault["provocation"] if "by_hand" in way):
        deeds[way["by_hand"]["do"]], deeds[way["by_hand"]["undo"]] = (way["line"], True), (way["line"], False)
    return deeds


def open_twin(port: Port, signals: Signals, *, serial_number: str) -> SimulatedOperator:
    """Put an operator's terminal on `port`, with a simulated person at it."""
    return SimulatedOperator(port, signals, serial_number=serial_number)

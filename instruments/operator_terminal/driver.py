"""The operator's terminal: a person is told what to do at the bench, does it, and confirms it with Enter.

The terminal is asked again and again, so that it never speaks unasked; it says how long ago Enter was pressed. Not
responsible for what there is to be done: the catalogue of faults has the sentences.
Source: the rig's own protocol, see protocol.md.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field

from rig.clock import Clock, Deadline
from rig.errors import BadReplyError, NoReplyError, RefusedError
from rig.roles import DoneByHand, Identity
from rig.roles.recognition import Recognition
from rig.step import Probe
from rig.wire import Wire

ROLE = "hands"
"""What it does on a bench: the table of a bench file that it belongs into."""
NUMBERED_BY_HAND = True
"""Its number is what somebody has called it."""

REPLY_TIMEOUT_S = 2.0
LOOK_EVERY_S = 0.2
ANSWER_WITHIN_S = 120.0
"""By default somebody who is at the bench has done in it what he was told."""
REACTION_S = 1.0
"""By default Enter is pressed within it, before or after, of what was done. The house's."""

PROBE = Probe(b"who?\n", re.compile(rb"(?<![^\n])operator terminal;[^;\n]*;[^;\n]*\n"))
"""Nothing else that a terminal answers begins like that (protocol.md, In step)."""

_LOOK_AT_TERMINAL = "is `rig operator` running at this address? (protocol.md, Framing)"

AnswerWithinS = Annotated[float, Field(ge=1.0, le=3600.0)]
ReactionS = Annotated[float, Field(ge=0.1, le=60.0)]


RECOGNITION = Recognition(
    (Probe(b"who?\n", re.compile(rb"(?<![^\n])operator terminal;([^;\n]*);([^;\n]*)\n")),),
    lambda answers: Identity("insulin-pump-rig", "operator terminal", answers[0][1].decode(), answers[0][2].decode()),
)


class OperatorTerminal:
    """Role of the operator's hands over lines of text."""

    def __init__(self, wire: Wire, clock: Clock, *, answer_within_s: float, reaction_s: float) -> None:
        self._wire = wire
        self._clock = clock
        self._answer_within_s = answer_within_s
        self._reaction_s = reaction_s
        self._number = 0

    def identify(self) -> Identity:
        """Name and version of the terminal (who?)."""
        serial_number, version = self._ask("who?", r"operator terminal;([^;]*);([^;]*)").groups()
        return Identity("insulin-pump-rig", "operator terminal", serial_number, version)

    def self_test(self) -> str:
        """Ask that the terminal answers; whether somebody sits at it, only an instruction shows."""
        self._ask("who?", r"operator terminal;.*")
        return "answers; whether somebody is there, the first instruction shows"

    def do(self, instruction: str) -> DoneByHand:
        """Show an instruction and wait for Enter.

        Raises:
            NoReplyError: nobody answered in time; the instruction is taken back.
            RefusedError: the person says that it cannot be done.
        """
        self._number += 1
        self._tell(f"do {self._number} {instruction}", f"asked {self._number}")
        deadline = Deadline(self._clock, self._answer_within_s)
        while not deadline.expired:
            state, _, said = self._state()
            if state == "done":
                return DoneByHand(at_s=self._clock.now() - float(said), within_s=self._reaction_s)
            if state == "cannot":
                raise self._refused(instruction, f"the operator answered: {said}")
            if state == "nothing":
                raise self._refused(instruction, "the terminal has forgotten it, as when it was started anew")
            self._clock.sleep(LOOK_EVERY_S)
        self.make_safe()
        raise NoReplyError(
            asked=repr(instruction),
            of_whom=self._wire.device,
            came_back=f"nobody answered within {self._answer_within_s:g} s",
            look_at="somebody must be at the operator's terminal while tests run that need hands, or leave them out "
            "with --select; what was to be done may have been done without Enter: look at the bench",
        )

    def make_safe(self) -> None:
        """Take back what is still to be done."""
        self._tell("forget", "forgotten")

    def close(self) -> None:
        """Give the port back."""
        self._wire.close()

    def _state(self) -> tuple[str, str, str]:
        """What became of the instruction: the terminal's word, its number, and what was said with it."""
        n = self._number
        form = rf"waiting {n}|done {n} [0-9]+(\.[0-9]+)?|cannot {n} .*|nothing {n}"
        word, number, *said = self._ask(f"done? {n}", form)[0].split(" ", 2)
        return word, number, said[0] if said else ""

    def _ask(self, question: str, form: str) -> re.Match[str]:
        def ask() -> re.Match[str]:
            return self._understood(question, form)

        return self._wire.ask(ask, asked=repr(question))

    def _tell(self, command: str, answer: str) -> None:
        self._wire.command(lambda: self._understood(command, re.escape(answer)), asked=repr(command))

    def _understood(self, message: str, form: str) -> re.Match[str]:
        reply = self._wire.query(message, look_at=_LOOK_AT_TERMINAL)
        found = re.fullmatch(form, reply)
        if found is None:
            raise BadReplyError(
                asked=repr(message),
                of_whom=self._wire.device,
                came_back=f"answered {reply!r}",
                look_at="is another device on this port? (protocol.md, Framing)",
            )
        return found

    def _refused(self, instruction: str, came_back: str) -> RefusedError:
        return RefusedError(
            asked=repr(instruction),
            of_whom=self._wire.device,
            came_back=came_back,
            look_at="see to it at the bench, or leave the test out with --select",
        )


def open_driver(
    wire: Wire,
    *,
    clock: Clock,
    answer_within_s: AnswerWithinS = ANSWER_WITHIN_S,
    reaction_s: ReactionS = REACTION_S,
) -> OperatorTerminal:
    """Configure the wire and return the driver; nothing is sent yet.

    Args:
        wire: the terminal's port.
        clock: tells when something was done.
        answer_within_s: after so long nobody is there.
        reaction_s: so much before or after Enter it may have been done.
    """
    wire.configure_serial(baud=9600)
    wire.configure_text(read_end="\n", write_end="\n", timeout_s=REPLY_TIMEOUT_S, encoding="utf-8")
    wire.configure_probe(PROBE)
    return OperatorTerminal(wire, clock, answer_within_s=answer_within_s, reaction_s=reaction_s)

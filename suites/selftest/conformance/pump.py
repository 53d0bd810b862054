"""A pump under test: a connection, the states it can be brought into, and what of it a refusal must not change.

Not responsible for what is asked of it, nor for where it stands: a Stand says that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from suites.selftest.conformance.client import Answer, Client, Link
from suites.selftest.conformance.history import read_log
from suites.selftest.conformance.patterns import fill, learn, matches
from suites.selftest.conformance.states import STATES, Hand, State, Wait, Write
from suites.selftest.conformance.table import Procedure

_LASTING = (
    ("reader", "3003"),  # active bolus IDs
    ("command", "8811"),  # available boluses
    ("command", "4812"),  # activated profile templates
    ("command", "7d14"),  # maximum bolus amount
    ("command", "ee11"),  # status and details of the templates
    ("command", "1e11 08"),  # the templates that no other notification shows
    ("command", "bb11 0a"),
    ("command", "aa0f 01"),
    ("command", "b812 05"),
    ("command", "ed12 06"),
    ("command", "2814 07"),
)


class Stand(Protocol):
    """Where a pump stands: what a test needs of the world besides the link.

    Attributes:
        link: the pump's link.
    """

    link: Link

    def wait(self, duration_s: float) -> None:
        """Let time pass."""
        ...

    def hand(self, does: str) -> None:
        """Do something by hand at the pump: see states.Hand."""
        ...

    def motor_steps(self) -> int:
        """How far the motor has turned, in steps; the balance's word where no one can see the motor."""
        ...


@dataclass
class Pump:
    """A pump that was just switched on, and a connection to it.

    Attributes:
        stand: where it stands.
        client: the connection.
        names: octets by the braces of the patterns: "id", "annunciation".
    """

    stand: Stand = field(repr=False)
    client: Client = field(init=False, repr=False)
    names: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.client = Client(self.stand.link)
        self.client.connect()

    def bring(self, state: str) -> None:
        """Bring the pump into a state of states.py."""
        for step in _steps(STATES[state]):
            match step:
                case Write():
                    self._write(step)
                case Hand():
                    self.stand.hand(step.does)
                case Wait():
                    self.stand.wait(step.duration_s)
        if "annunciation" in state:
            self._learn_annunciation(state)

    def _write(self, step: Write) -> None:
        if "{annunciation}" in step.octets:
            self._learn_annunciation("before it is answered")
        answer = self.ask(step.point, step.octets).indication
        if "{" in step.answer and "{" not in step.octets:
            learn(step.answer, answer, self.names)
        assert matches(step.answer, answer, self.names), f"on the way, {step.octets} is answered {answer.hex()}"

    def _learn_annunciation(self, when: str) -> None:
        if "annunciation" in self.names:
            return
        shown = self.client.read("annunciation")
        assert shown[0] & 1, f"no annunciation, {when}"
        self.names["annunciation"] = shown[1:3].hex()

    def ask(self, point: str, octets: str) -> Answer:
        """Carry out a procedure, with the names put in."""
        return self.client.procedure(point, fill(octets, self.names))

    def set_date(self, year: int, month: int, day: int, hour: int, minute: int) -> None:
        """Set the pump's date and time through the Current Time Service (1805): IDS has no procedure for it."""
        assert "current time" in self.client.handles, "the pump has no Current Time characteristic to set its date by"
        value = bytes([*year.to_bytes(2, "little"), month, day, hour, minute, 0, 0, 0, 1])  # 1: a manual update
        error = self.client.write("current time", value)
        assert not error, f"the pump refuses the date with ATT error {error}"

    def refusal(self, procedure: Procedure, code: str) -> str:
        """Give the pattern of the answer that refuses a procedure with one of the codes in `code`."""
        head = {"reader": "0303", "command": "550f", "racp": "0f0f"}[procedure.point]
        return " | ".join(f"{head} {procedure.op} {one.strip()}" for one in code.split("|"))

    def lasting(self) -> list[str]:
        """Everything of the pump that only a procedure changes, the standard's part of the log included."""
        answers = [self.client.procedure(point, octets) for point, octets in _LASTING]
        shown = [" ".join(part.hex() for part in (*answer.data, answer.indication)) for answer in answers]
        log = [f"{record.event} {record.data.hex()}" for record in read_log(self.client)]
        return [*shown, *(line for line in log if not _of_the_maker(line[:4]))]


def _of_the_maker(event: str) -> bool:
    """Makers may log what they like, refusals for one, in the range F000 to FFF0 (table 4.95)."""
    return event[2:] >= "f0"


def _steps(state: State) -> Iterator[Write | Hand | Wait]:
    if state.after:
        yield from _steps(STATES[state.after])
    yield from state.steps

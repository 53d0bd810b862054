"""What an operator's terminal says to whom it is told something: the protocol, without a clock of its own or a person.

Not responsible for who sits at it (`twin`, and `rig.cli.operator` for a real person).
"""

from __future__ import annotations

import re
from collections.abc import Callable

VERSION = "1"
LONGEST_LINE = 400
_DO = re.compile(r"do ([0-9]+) (\S.*)")
_DONE = re.compile(r"done\? ([0-9]+)")


class Dialogue:
    """One terminal: it has at most one instruction, which its person has carried out, refused or still before him.

    Args:
        name: of the terminal, its serial number.
        now_s: a clock in s, from whichever moment.
        show: is given each new instruction, and None where one is taken back.
    """

    def __init__(self, name: str, now_s: Callable[[], float], show: Callable[[str | None], None]) -> None:
        self._name, self._now_s, self._show = name, now_s, show
        self._number: str | None = None
        self._done_at_s: float | None = None
        self._refusal: str | None = None

    @property
    def waits(self) -> bool:
        """Whether there is an instruction that nobody has answered."""
        return self._number is not None and self._done_at_s is None and self._refusal is None

    def done(self) -> None:
        """The person has done it, and presses Enter now; nothing happens where there is nothing to do."""
        if self.waits:
            self._done_at_s = self._now_s()

    def cannot(self, why: str) -> None:
        """The person cannot do it."""
        if self.waits:
            self._refusal = why

    def answer(self, line: str) -> str | None:
        """Answer a line; None where it is none that a terminal knows."""
        if line == "who?":
            return f"operator terminal;{self._name};{VERSION}"
        if line == "forget":
            waited, self._number, self._done_at_s, self._refusal = self.waits, None, None, None
            if waited:
                self._show(None)
            return "forgotten"
        if asked := _DO.fullmatch(line):
            self._number, self._done_at_s, self._refusal = asked[1], None, None
            self._show(asked[2])
            return f"asked {asked[1]}"
        if asked := _DONE.fullmatch(line):
            return self._state_of(asked[1])
        return None

    def _state_of(self, number: str) -> str:
        if number != self._number:
            return f"nothing {number}"
        if self._refusal is not None:
            return f"cannot {number} {self._refusal}"
        if self._done_at_s is not None:
            return f"done {number} {self._now_s() - self._done_at_s:.3f}"
        return f"waiting {number}"


def whole_lines(came: bytes, rest: bytes) -> tuple[list[str], bytes]:
    """Cut what came into whole lines and what is left of the last; a line that is too long is dropped."""
    *whole, left = (rest + came).split(b"\n")
    return [line.decode("utf-8", "replace").strip() for line in whole], left[-LONGEST_LINE:]

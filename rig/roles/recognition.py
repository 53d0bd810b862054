"""How a device is recognised by somebody who does not know yet what is on a line: what a driver declares of that.

Not responsible for asking (`rig.bench.discover`), nor for what a driver asks of a device that a bench file names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rig.roles.instruments import Identity
from rig.step import Probe


@dataclass(frozen=True)
class LineSettings:
    """Speed in bit/s and framing of a serial line, such as 9600 and "8N1"."""

    baud: int
    framing: str = "8N1"

    def __str__(self) -> str:
        """Say both as people do."""
        return f"{self.baud} {self.framing}"


@dataclass(frozen=True)
class Recognition:
    """The questions by which a device is recognised, as its driver's `RECOGNITION`.

    They go to whatever is on a line. So they change nothing, and move, heat and put out nothing, in the device itself
    and in any other that a bench may have; a driver whose device must be opened or halted to be asked has none.

    Attributes:
        asks: questions with what their answers look like, in order; nothing but an answer may look like one.
        identity: who answered so; None where another device, of no driver here, answers the same questions.
        within_s: the longest time to an answer.
        lines: the settings to try on a serial line, the likeliest first; empty where it is never on one.
        network: whether it may be on a socket, itself or behind a terminal server.
    """

    asks: tuple[Probe, ...]
    identity: Callable[[Sequence[re.Match[bytes]]], Identity | None]
    within_s: float = 1.0
    lines: tuple[LineSettings, ...] = ()
    network: bool = True

    def __post_init__(self) -> None:
        """Refuse a recognition without a question; ValueError."""
        if not self.asks:
            raise ValueError("a recognition needs at least one question")

    @property
    def is_text(self) -> bool:
        """Whether all that is sent is a line of plain characters: what is no question to another device is refused."""
        return all(re.fullmatch(rb"[ -~]+[\r\n]+", probe.sent) for probe in self.asks)


def scpi_recognition(*models: str) -> Recognition:
    """Recognise a SCPI instrument by the model in its answer to *IDN? (IEEE 488.2, 10.14)."""

    def identity(answers: Sequence[re.Match[bytes]]) -> Identity | None:
        fields = [field.decode("latin-1").strip() for field in answers[0].groups()]
        return Identity(*fields) if fields[1] in models else None

    answer = re.compile(rb"(?<![^\r\n])([^,\r\n]+),([^,\r\n]+),([^,\r\n]*),([^,\r\n]*)\r?\n")
    return Recognition((Probe(b"*IDN?\n", answer),), identity)

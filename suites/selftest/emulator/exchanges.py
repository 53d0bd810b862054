"""The exchanges of a page's conversation, and how far an answer depends on parts of the board that QEMU lacks.

An exchange is a request, and what answers it. Left out are confirmations, which the host at QEMU sends by itself, and
what the pump indicates unasked. Not responsible for playing them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from suites.selftest.emulator.qemu import UNASKED, unframed
from suites.stands.transcripts import Transcript

RUN = "1211005a0f55"
"""Set Therapy Control State: run. The pump at QEMU has no force sensor that can be believed, and refuses."""

RESTART = "122c0069f0"
"""Restart, before which a conversation ends here: the firmware resets 0.1 s after its answer, by a clock that QEMU runs
62.5 times as fast, and the answer is not out by then."""

DEPENDENT = {
    "0a0300": "what has changed: the annunciations of sensors",
    "0a0900": "the annunciation: of sensors",
    "121100990f": "Confirm Annunciation: the page's pump has none",
    "121100690f": "Snooze Annunciation: the page's pump has none",
    "121700": "the log: QEMU takes flash for ROM",
}
"""Requests, by how they begin, whose answers depend on such a part, with the reason."""


@dataclass(frozen=True)
class Exchange:
    """A request and what answers it, as frames; `exact` when nothing in it depends on what QEMU lacks."""

    where: str
    request: bytes
    answers: tuple[bytes, ...]
    exact: bool


def exchanges(transcript: Transcript) -> list[Exchange]:
    """Split a page's conversation; once therapy runs, everything depends on how it goes."""
    found: list[Exchange] = []
    runs = False
    for line in transcript.lines:
        if line.sign not in "<>":
            continue
        pdu = unframed(line.data)
        if pdu.startswith(RESTART):
            break
        if line.sign == "<" and not (pdu[:2] == "1d" and pdu[2:6] in UNASKED):
            found[-1] = replace(found[-1], answers=(*found[-1].answers, line.data))
        elif line.sign == ">" and pdu != "1e":
            runs = runs or pdu.startswith(RUN)
            exact = not runs and not any(pdu.startswith(begin) for begin in DEPENDENT)
            found.append(Exchange(line.where, line.data, (), exact))
    return found

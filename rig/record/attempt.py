"""What one attempt at a test leaves behind: how it began and ended, every byte on a wire, its measurements.

Not responsible for the run that it belongs to, nor for reading attempts back (`folder`).
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Literal

from rig.clock import Clock
from rig.errors import EvidenceError
from rig.record.appending import Appender, LineFile
from rig.record.models import Incident, Record
from rig.record.results import Outcome
from rig.record.seal import seal_attempt
from rig.record.taking import INCIDENTS, Asked, Recorder


class Began(Record):
    """A line of `events.jsonl`: the test began, on an open bench."""

    event: Literal["start"] = "start"


class Ended(Record):
    """A line of `events.jsonl`: how an attempt at a test ended, why, and after how many s of the bench's clock."""

    event: Literal["end"] = "end"
    outcome: Outcome
    message: str | None
    duration_s: float


class AttemptRecord:
    """What one attempt at a test leaves behind."""

    def __init__(self, folder: Path, appender: Appender, tell: partial[None], note_clock: partial[None]) -> None:
        self.folder = folder
        self._appender = appender
        self._tell = tell
        self._note_clock = note_clock
        self._events = appender.open(folder / "events.jsonl")
        self._clock: Clock | None = None
        self._started_s = 0.0
        self._outcome: Outcome | None = None
        self._process = os.getpid()
        self._taking: list[Recorder] = []
        self.wires = WireLog(folder, appender)

    def start(self, clock: Clock) -> None:
        """State that the test begins, on an open bench."""
        self._clock, self._started_s = clock, clock.now()
        self._note_clock("start")
        self._events.json(Began().model_dump(mode="json"))

    def take(self, asked: Asked) -> Recorder:
        """Begin a measurement."""
        assert self._clock is not None
        folder = self.folder / f"{len(self._taking) + 1}-{asked.table}"
        recorder = Recorder(folder, self._clock, self._appender, self._tell)
        recorder.asked(asked)
        self._taking.append(recorder)
        return recorder

    def end(self, outcome: Outcome, message: str | None = None) -> None:
        """End the test: `passed`, `failed`, `error`, `interrupted` or `not applicable`, and why; all is on the disk.

        Said again when the bench could not be left; an error or interruption that was said before stays the reason.
        """
        refuse_copy(self._process, self.folder)
        if self._outcome in ("error", "interrupted"):
            return
        self._note_clock("end")
        if self._outcome is not None:
            self._events = self._appender.open(self._events.path)
        self._outcome = outcome
        duration_s = self._clock.now() - self._started_s if self._clock is not None else 0.0
        ended = Ended(outcome=outcome, message=message, duration_s=duration_s).model_dump(mode="json")
        self._events.json(ended)
        self._tell({"ended": ended})
        self.close()

    def close(self) -> None:
        """Close the files, but for the wires: the bench is left safe after a test has ended."""
        for recorder in self._taking:
            recorder.close()
        self._events.close()
        self._appender.sync()

    def seal(self) -> None:
        """Seal what the attempt has left, once nothing more is added to it; the run's end does where this cannot."""
        refuse_copy(self._process, self.folder)
        self._appender.sync()
        with suppress(EvidenceError):
            seal_attempt(self.folder)


class WireLog:
    """Every byte to and from every device, one message a line, and what went wrong. Fulfils `rig.wire.ByteLog`.

    Of a large block, such as a recording, length and hash stand for its bytes.
    """

    def __init__(self, folder: Path, appender: Appender) -> None:
        self._folder = folder
        self._appender = appender
        self._bytes = appender.open(folder / "wire.log")
        self._incidents: LineFile | None = None

    def wire(self, at_s: float, device: str, direction: str, data: bytes) -> None:
        """Keep bytes that went ">" to or came "<" from `device`."""
        self._bytes.line(f"{at_s:.6f}\t{device}\t{direction}\t{data.hex(' ')}")

    def block(self, at_s: float, device: str, data: bytes) -> None:
        """Keep length and SHA-256 of a large block that came from `device`; its content is in a file of its own."""
        self._bytes.line(f"{at_s:.6f}\t{device}\t<\t[{len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()}]")

    def incident(self, at_s: float, of_whom: str, what: str) -> None:
        """Keep what went wrong and was mended."""
        if self._incidents is None:
            self._incidents = self._appender.open(self._folder / INCIDENTS)
        self._incidents.json(Incident(at_s=at_s, of_whom=of_whom, what=what).model_dump(mode="json"))

    def close(self) -> None:
        """Close the files."""
        self._bytes.close()
        if self._incidents is not None:
            self._incidents.close()


def refuse_copy(process: int, path: Path) -> None:
    """Refuse a process that a test has forked, and that goes on as if it were the one which has the run."""
    if os.getpid() != process:
        raise EvidenceError(f"{path}: belongs to the process {process}; one that was forked from it adds nothing")

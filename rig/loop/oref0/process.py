"""A program that answers one JSON line to each JSON line: started once, asked again and again, never waited on forever.

Not responsible for what is asked and answered.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO, Any

START_S, ANSWER_S = 60.0, 30.0
"""How long is waited: for the first answer, since a program has to be read from a disk, and for any other. Time of the
machine, not of the bench; a decision takes some ms."""

LONGEST_LINE = 1_000_000
"""Octets of an answer; one of oref0 has some 15,000."""


class NoAnswerError(Exception):
    """The program died, hung, or answered something else than was asked: why, in one sentence."""


class JsonLines:
    """A program that is kept alive.

    What went wrong once is never asked again: an answer that comes late could be taken for another one. Then the
    program is ended, and every question is refused with the first reason.

    Args:
        command: its command line.
        start_s, answer_s: how long to wait for answers.
    """

    def __init__(self, command: Sequence[str], *, start_s: float = START_S, answer_s: float = ANSWER_S) -> None:
        self._patience_s, self._answer_s = start_s, answer_s
        self._number = 0
        self._failed: str | None = None
        self._answers: queue.Queue[bytes] = queue.Queue()
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                env={**os.environ, "TZ": "UTC"},
            )  # fmt: skip
        except OSError as error:
            self._failed = f"{command[0]} cannot be started ({error.strerror})"
        else:
            assert self._process.stdout is not None
            threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True).start()

    def ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Ask, and return the answer; NoAnswerError when there is none, or none to this question."""
        if self._failed is not None:
            raise NoAnswerError(self._failed)
        self._number += 1
        try:
            return self._answered({"id": self._number, **question})
        except NoAnswerError as error:
            self._failed = str(error)
            self.close()
            raise

    def close(self) -> None:
        """End the program, which may no longer live."""
        if self._failed is None:
            self._failed = "it was ended"
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdin is not None
            with suppress(OSError):  # what was not yet written has nobody left to read it
                self._process.stdin.close()
            self._process = None

    def _answered(self, question: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdin is not None
        asked = json.dumps(question, allow_nan=False).encode() + b"\n"
        threading.Thread(target=self._write, args=(self._process.stdin, asked), daemon=True).start()
        try:
            line = self._answers.get(timeout=self._patience_s)
        except queue.Empty:
            raise NoAnswerError(f"it did not answer within {self._patience_s:g} s") from None
        self._patience_s = self._answer_s
        if not line.endswith(b"\n"):
            raise NoAnswerError("it answered without an end" if len(line) == LONGEST_LINE else self._died())
        try:
            answer = json.loads(line, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise NoAnswerError(f"it answered {_shown(line)}, which is no JSON") from error
        if not isinstance(answer, dict) or answer.get("id") != question["id"]:
            raise NoAnswerError(f"it answered {_shown(line)}, and the question was number {question['id']}")
        return answer

    def _died(self) -> str:
        assert self._process is not None
        try:
            code = self._process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            return "it closed its output"
        return f"it ended by itself with exit code {code}"

    def _read(self, output: IO[bytes]) -> None:
        """Hand over line by line; what ends without one, and the end, is a line without its end."""
        with output:
            for line in iter(lambda: output.readline(LONGEST_LINE), b""):
                self._answers.put(line)
        self._answers.put(b"")

    def _write(self, to: IO[bytes], asked: bytes) -> None:
        """Ask; who does not read lets this wait, and nobody else."""
        try:
            to.write(asked)
            to.flush()
        except (OSError, ValueError):  # it died, or was ended
            self._answers.put(b"")


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _shown(line: bytes) -> str:
    text = line.decode(errors="replace").strip()
    return repr(text if len(text) <= 60 else f"{text[:57]}...")

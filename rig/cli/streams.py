"""The terminal, pipe or file that a command prints to: whatever it can or cannot show, the command goes on.

A character that the terminal's encoding lacks is written in its nearest plain spelling ("±" as "+-"). A reader that
went away (`rig … | head -1`) or a full disk ends the output and never the command: a run of days is not lost because
nobody reads its log any more. Not responsible for what is printed.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

PLAIN = "rig.plain"
"""Name of the codecs' error handler that writes what an encoding lacks in its nearest plain spelling."""

_SPELT = {
    "±": "+-", "≤": "<=", "≥": ">=", "−": "-", "–": "-", "—": "-", "·": "*", "×": "x", "µ": "u", "μ": "u", "°": "deg ",
    "…": "...", "→": "->", "²": "2", "³": "3", "„": '"', "“": '"', "”": '"', "‘": "'", "’": "'", "Δ": "delta ",
    "σ": "sigma", "χ": "chi", "ρ": "rho", "τ": "tau", "η": "eta", "α": "alpha", "β": "beta", "∞": "inf", "√": "sqrt",
    "ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss",
}  # fmt: skip
_LINES = {"─": "-", "━": "-", "═": "=", "│": "|", "┃": "|", "║": "|", "╡": "|", "╞": "|"}
_BOX = range(0x2500, 0x2580)


def spelt_plainly(error: UnicodeError) -> tuple[str, int]:
    """Write what an encoding lacks in its nearest plain spelling, and what has none as a question mark."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_plain(character) for character in error.object[error.start : error.end]), error.end


def _plain(character: str) -> str:
    if ord(character) in _BOX:
        return _LINES.get(character, "+")
    return _SPELT.get(character, "?")


@dataclass
class Lost:
    """Why some of a command's output could not be written; a reader that went away is no loss."""

    reasons: list[str] = field(default_factory=list)


class _NeverFails(io.FileIO):
    """A file that drops what it cannot write, and everything after it."""

    def __init__(self, descriptor: int, called: str, lost: Lost) -> None:
        super().__init__(descriptor, "wb", closefd=False)
        self._called = called
        self._lost = lost

    def write(self, data: ReadableBuffer, /) -> int:
        """Write, or drop; returns how many bytes are done with."""
        try:
            return super().write(data)
        except BlockingIOError:
            raise
        except OSError as error:
            if error.errno != errno.EPIPE:
                self._lost.reasons.append(f"{self._called} cannot be written ({error.strerror})")
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return memoryview(data).nbytes


@contextmanager
def forgiving_streams() -> Iterator[Lost]:
    """Let the standard streams show what they can and never end the command; they are as before afterwards."""
    codecs.register_error(PLAIN, spelt_plainly)
    lost = Lost()
    before = sys.stdin, sys.stdout, sys.stderr
    try:
        if sys.stdin is None:  # closed by whoever started us: the next file must not take its number
            sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(os.devnull)), encoding="utf-8")
        elif isinstance(sys.stdin, io.TextIOWrapper):
            sys.stdin.reconfigure(errors="backslashreplace")
        sys.stdout = _forgiving(sys.stdout, "the output", lost)
        sys.stderr = _forgiving(sys.stderr, "what went wrong", lost)
        yield lost
    finally:
        for stream, old in zip((sys.stdout, sys.stderr), before[1:], strict=True):
            if stream is not old and stream is not None:
                stream.flush()
        sys.stdin, sys.stdout, sys.stderr = before


def _forgiving(stream: TextIO | None, called: str, lost: Lost) -> TextIO:
    if stream is None:
        return io.TextIOWrapper(io.BufferedWriter(io.FileIO(os.devnull, "w")), encoding="utf-8")
    if not isinstance(stream, io.TextIOWrapper) or not isinstance(stream.buffer, io.BufferedWriter | io.FileIO):
        return stream  # what a test has put in its place
    stream.flush()
    file = _NeverFails(stream.fileno(), called, lost)
    return io.TextIOWrapper(
        io.BufferedWriter(file) if isinstance(stream.buffer, io.BufferedWriter) else file,
        encoding=stream.encoding,
        errors=PLAIN,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )

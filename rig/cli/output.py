"""Output that a run outlives: when the terminal or the reader of a pipe has gone, it goes on without.

Not responsible for what is said, nor for characters that a terminal cannot show.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import IO, Any


class LastingOutput:
    """A text file for `rich` that takes everything, also when what lies behind it takes nothing any more."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> int:
        """Write, or drop it."""
        try:
            return self._file.write(text)
        except OSError:
            self._give_up()
            return len(text)

    def flush(self) -> None:
        """Hand on what was written, or drop it."""
        try:
            self._file.flush()
        except OSError:
            self._give_up()

    def _give_up(self) -> None:
        """Put nothing in its place, so that nobody else fails at it, not even Python at its end."""
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._file.fileno())
            os.close(nowhere)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the file has
        """Whatever else it is asked says the file behind it."""
        return getattr(self._file, name)

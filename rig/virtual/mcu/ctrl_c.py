"""Ctrl-C while the instruction engine runs: it waits until no callback can lose it.

An exception that is raised in a callback from C can only be dropped there. Blocking the signal does not help: another
thread of the process, such as a numerical library's, takes it, and Python raises in the main thread all the same. So
the handler itself is replaced for as long. Not responsible for what a Ctrl-C then ends.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any


class HeldCtrlC:
    """Keeps a Ctrl-C between `hold` and `release`; in other threads than the main one there is none to keep."""

    def __init__(self) -> None:
        self._came = False
        self._before: Any = None

    def hold(self) -> None:
        """Let a Ctrl-C wait from now on."""
        if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is not None:
            self._came = False
            self._before = signal.signal(signal.SIGINT, self._note)

    def release(self) -> None:
        """Let it come, as it would have without `hold`."""
        if self._before is None:
            return
        before, self._before = self._before, None
        signal.signal(signal.SIGINT, before)
        if self._came:
            signal.raise_signal(signal.SIGINT)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self._came = True

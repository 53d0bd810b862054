"""Ctrl-C while the instruction engine runs: it waits until no callback can lose it.

An exception that is raised in a callback from C can only be dropped there. Blocking the signal does not help: another
thread of the process, such as a numerical library's, takes it, and Python raises in the main thread all the same. So
a handler stands before the process's own, and passes a Ctrl-C on as soon as the engine rests. Not responsible for what
a Ctrl-C then ends.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any


class HeldCtrlC:
    """Keeps a Ctrl-C between `hold` and `release`, from `attend` to `leave`."""

    def __init__(self) -> None:
        self._held = self._came = False
        self._handler = self._take
        self._before: Any = None

    def attend(self) -> None:
        """Stand before the process's handler; in other threads than the main one there is nothing to stand before."""
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._handler)

    def leave(self) -> None:
        """Give the process its handler back, unless another has taken the place since."""
        if self._before is not None and signal.getsignal(signal.SIGINT) is self._handler:
            signal.signal(signal.SIGINT, self._before)

    def hold(self) -> None:
        """Let a Ctrl-C wait from now on."""
        self._held = True

    def release(self) -> None:
        """Let it come, as it would have without `hold`."""
        self._held = False
        if self._came:
            self._came = False
            signal.raise_signal(signal.SIGINT)

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self._held:
            self._came = True
        elif callable(self._before):
            self._before(number, frame)
        elif self._before == signal.SIG_DFL:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            signal.raise_signal(signal.SIGINT)

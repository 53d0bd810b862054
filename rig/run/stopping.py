"""Being told to stop: Ctrl-C, SIGTERM, SIGHUP, SIGQUIT and the death of the parent all end a process in the same way.

The first is obeyed, as a Ctrl-C is. Whatever comes after it is passed over: nothing cuts short what makes the bench
safe and closes the run. Not responsible for what stopping means: whoever runs tests or joins a run says that. Nor for
SIGKILL, which nobody can answer: the next command that meets the run closes it (`rig.run.abandoned`).
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, Self

from rig.clock import WallClock

MAKE_SAFE_S = 30.0
"""For so long a process that was told to stop is left to make its bench safe; then it is obeyed again, or killed. The
house's: six devices that each stay silent for their time-out of 2 s, twice."""

PARENT = "RIG_PARENT"
"""Environment variable that names the descriptor whose end tells a process that the one which started it has gone."""

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")
SIGNALS = tuple(getattr(signal, name) for name in _NAMES if hasattr(signal, name))


class StopSignals:
    """Answers the signals that ask a process to stop, from entering it until leaving it, in the main thread.

    Attributes:
        asked: what asked first, such as "SIGTERM"; None while nothing has.
    """

    def __init__(self) -> None:
        self.asked: str | None = None
        self._named: str | None = None
        self._clock = WallClock()
        self._asked_s = 0.0
        self._held = 0
        self._due = self._finished = False
        self._before: dict[int, Any] = {}
        self._terminals = [descriptor for descriptor in (0, 1, 2) if os.isatty(descriptor)]  # one that has gone is none
        self._first: Callable[[int, FrameType | None], Any] = signal.default_int_handler
        self._around: StopSignals | None = None

    def __enter__(self) -> Self:
        """Answer them from now on; in other threads than the main one there is nothing to answer."""
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.getsignal(number) for number in SIGNALS}
            present = self._before[signal.SIGINT]
            if callable(present):  # a framework's own, which ends its tests in order; Python's raises KeyboardInterrupt
                self._first = present
                self._around = attending()
            self._install()
        return self

    def __exit__(self, *ended_by: object) -> None:
        """Give the process back those handlers whose place nobody has taken since."""
        for number, handler in self._before.items():
            if self._is_mine(signal.getsignal(number)):
                signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        self._before = {}

    def stand_before(self) -> None:
        """Stand before the handler that has taken the place since, if one has; it is told of the first alone."""
        present = signal.getsignal(signal.SIGINT)
        if self._before and callable(present) and not self._is_mine(present):
            self._first = present
            self._install()

    def stand_alone(self) -> None:
        """Forget the handler that this stands before."""
        self._first = signal.default_int_handler

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let a signal wait while something is done that must be done whole; then it comes."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
        self._come()

    @contextmanager
    def let_through(self) -> Iterator[None]:
        """Let a signal come within what is held: at once, where it has come already."""
        held, self._held = self._held, 0
        try:
            self._come()
            yield
        finally:
            self._held = held

    def finish(self) -> None:
        """Answer nothing any more: what there was to stop has ended, and is closed."""
        self._finished, self._due = True, False

    @contextmanager
    def end_after(self, seconds: float, named: str) -> Iterator[None]:
        """Ask this process to stop when it has been within this for `seconds`; `named` is what asked then."""
        main = threading.main_thread().ident
        assert main is not None
        timer = threading.Timer(seconds, self._run_out, (main, named))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def watch_parent(self, patience_s: float = MAKE_SAFE_S) -> None:
        """Ask this process to stop when the one that started it has gone, and kill it `patience_s` later.

        A thread waits for that; it touches nothing but the process's signals.
        """
        descriptor = os.environ.pop(PARENT, None)  # not for processes that this one starts: they have not got it
        if descriptor is None:
            return
        main = threading.main_thread().ident
        assert main is not None
        threading.Thread(
            target=self._await_end, args=(int(descriptor), main, patience_s), name="watch of the parent", daemon=True
        ).start()

    def _run_out(self, main: int, named: str) -> None:
        self._named = self._named or named
        signal.pthread_kill(main, signal.SIGINT)

    def _await_end(self, descriptor: int, main: int, patience_s: float) -> None:
        try:
            while os.read(descriptor, 1):
                pass
        except OSError:  # it is no pipe of ours
            return
        self._named = "the end of the process that had started it"
        signal.pthread_kill(main, signal.SIGINT)  # the main thread, so that what it waits for is broken off
        self._clock.sleep(patience_s)
        os.kill(os.getpid(), signal.SIGKILL)

    def _install(self) -> None:
        for number in SIGNALS:
            signal.signal(number, self._interrupt if number == signal.SIGINT else self._other)

    def _is_mine(self, handler: Any) -> bool:  # noqa: ANN401 - whatever is installed
        return getattr(handler, "__self__", None) is self

    def _other(self, number: int, frame: FrameType | None) -> None:
        """Make any other a Ctrl-C, which code that must not be broken off knows how to keep waiting."""
        del frame
        self._named = self._named or signal.Signals(number).name
        if self._named == "SIGHUP":
            _leave(self._terminals)
        signal.raise_signal(signal.SIGINT)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        now_s = self._clock.now()
        if self._finished or (self.asked is not None and now_s - self._asked_s < MAKE_SAFE_S):
            return
        told = self._around._named if self._around is not None else None
        self.asked = self.asked or self._named or told or signal.Signals(number).name
        self._asked_s = now_s
        if self._around is not None:  # it hears of SIGINT alone, and may know a better name, or none
            self._around._named = self._around._named or self.asked
        if self._held:
            self._due = True
        else:
            self._first(number, frame)

    def _come(self) -> None:
        if self._due and not self._held:
            self._due = False
            self._first(signal.SIGINT, None)


def attending() -> StopSignals | None:
    """Find who answers the signals of this process, where it is one of these."""
    owner = getattr(signal.getsignal(signal.SIGINT), "__self__", None)
    return owner if isinstance(owner, StopSignals) else None


def _leave(terminals: Sequence[int]) -> None:
    """Say nothing more to a terminal that has gone: writing to it would fail."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in terminals:
            os.dup2(nowhere, descriptor)
        os.close(nowhere)


class Leash:
    """A pipe whose end tells the processes that were started with it that this one has gone, however it ended."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()  # neither is inherited, unless it is handed on

    def __enter__(self) -> Self:
        """Hold it until leaving."""
        return self

    def __exit__(self, *ended_by: object) -> None:
        """Let go: whoever still runs is told to stop."""
        os.close(self._read)
        os.close(self._write)

    @property
    def environment(self) -> dict[str, str]:
        """What to add to the environment of a process."""
        return {PARENT: str(self._read)}

    @property
    def pass_fds(self) -> tuple[int, ...]:
        """The descriptors to hand to a process, as `subprocess` calls it."""
        return (self._read,)

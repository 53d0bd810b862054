"""How ordinary calls get work done on an event loop, on bench time or on a thread of its own.

A radio that the rig hands in keeps the bench's time: its loop turns while a call waits, and at no other time, so that
all is repeatable. A real one goes on by itself: a peer asks when it wants, and a thread answers. Not responsible for
Bluetooth.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Protocol, TypeVar

from rig.clock import Clock, Deadline

Made = TypeVar("Made")
POLL_S = 0.05
TURNS = 40
"""Turns of the loop from poll to poll: what is ready there passes through bumble's layers, one a turn."""


class Turning(Protocol):
    """Does asynchronous work for who is not."""

    def do(self, work: Callable[[], Coroutine[Any, Any, Made]], within_s: float) -> Made:
        """Do some work to its end; TimeoutError after `within_s`, or what the work raises."""
        ...

    def end(self) -> None:
        """Let go of what is still being done."""
        ...


class _BenchTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose timers go by the bench's clock: bumble's own intervals too."""

    def __init__(self, clock: Clock) -> None:
        self._bench_clock = clock
        super().__init__()

    def time(self) -> float:
        return self._bench_clock.now()


class OnBenchTime:
    """Turns the loop while a call waits, and lets the bench's time pass where nothing is ready."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._loop = _BenchTimeLoop(clock)

    def do(self, work: Callable[[], Coroutine[Any, Any, Made]], within_s: float) -> Made:
        """Do some work, and turn on until what follows it has had its turns, too."""
        deadline = Deadline(self._clock, within_s)
        task = self._loop.create_task(work())
        self._turn()
        while not task.done():
            if deadline.expired:
                task.cancel()
                self._turn()
                raise TimeoutError
            self._clock.sleep(POLL_S)
            self._turn()
        return task.result()

    def end(self) -> None:
        """Cancel what is still being done, and close the loop."""
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._turn()
        self._loop.close()

    def _turn(self) -> None:
        async def some() -> None:
            for _ in range(TURNS):
                await asyncio.sleep(0)

        self._loop.run_until_complete(some())


class OnThread:
    """Lets a loop run on a thread of its own, and hands it work."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="cgm_service", daemon=True)
        self._thread.start()

    def do(self, work: Callable[[], Coroutine[Any, Any, Made]], within_s: float) -> Made:
        """Do some work."""
        future = asyncio.run_coroutine_threadsafe(work(), self._loop)
        try:
            return future.result(within_s)
        except TimeoutError:
            future.cancel()
            raise

    def end(self) -> None:
        """Stop the loop and its thread."""

        async def let_go() -> None:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        with suppress(TimeoutError):  # what hangs is left to the thread, which ends with the process
            self.do(let_go, 5.0)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5.0)
        if not self._thread.is_alive():
            self._loop.close()

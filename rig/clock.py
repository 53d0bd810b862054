"""Time. The only module that reads or waits for wall time; everything else is handed a Clock.

`SimClock` is a discrete-event clock in integer nanoseconds, so that virtual times are exact and repeatable. It is
not responsible for what happens at an event: callbacks are.
"""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

NS_PER_S = 1_000_000_000

BEAT_EVERY_S = 0.25
"""So long are the slices of a sleep on real time that somebody watches."""


class Clock(Protocol):
    """Seconds that pass, and waiting for them."""

    def now(self) -> float:
        """The seconds since this clock started."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait for `seconds`; ValueError when negative or not finite."""
        ...


@dataclass(frozen=True)
class HostTime:
    """One moment by two clocks of the host: UTC, which may be set, and s since it was switched on, which may not.

    The second goes on while the host is suspended, where its operating system has such a clock.
    """

    utc_s: float
    since_boot_s: float


def host_time() -> HostTime:
    """Read both clocks of the host, within microseconds of each other."""
    steady = getattr(time, "CLOCK_BOOTTIME", None)
    return HostTime(time.time(), time.monotonic() if steady is None else time.clock_gettime(steady))


def ns_from_s(seconds: float) -> int:
    """Convert seconds to whole nanoseconds; ValueError when negative or not finite."""
    if not math.isfinite(seconds) or seconds < 0:
        raise ValueError(f"Expected a finite, non-negative time in seconds, got {seconds!r}")
    return round(seconds * NS_PER_S)


class Heart(Protocol):
    """Who is told that a program which waits is alive: the guardian of a real bench hears it."""

    def beat(self) -> None:
        """Tell that the program goes on; may raise when nobody hears it any more."""
        ...

    def wait_for_person(self, waits: bool) -> None:
        """Tell that a person is being waited for, who may take any time, or no longer."""
        ...


class WallClock:
    """Real time, from the operating system's monotonic clock.

    Args:
        heart: beats while somebody sleeps by this clock.
        speed: so many of its seconds pass in one; other than 1 only where a simulated bench is served faster or slower.
    """

    def __init__(self, heart: Heart | None = None, speed: float = 1.0) -> None:
        self._start_ns = time.monotonic_ns()
        self._heart = heart
        self._speed = speed

    def now(self) -> float:
        """The seconds since this clock was made."""
        return self._speed * (time.monotonic_ns() - self._start_ns) / NS_PER_S

    def sleep(self, seconds: float) -> None:
        """Wait for `seconds` of this clock."""
        real_ns = ns_from_s(seconds / self._speed)
        if self._heart is None:
            time.sleep(real_ns / NS_PER_S)
            return
        end_ns = time.monotonic_ns() + real_ns
        while (left_ns := end_ns - time.monotonic_ns()) > 0:
            time.sleep(min(left_ns / NS_PER_S, BEAT_EVERY_S))
            self._heart.beat()

    @contextmanager
    def person(self) -> Iterator[None]:
        """Wait for a person meanwhile: silence is none of a program that hangs."""
        if self._heart is None:
            yield
            return
        self._heart.wait_for_person(True)
        try:
            yield
        finally:
            self._heart.wait_for_person(False)


class ComputingClock:
    """The processor time that this process has used since the clock was made, whoever else uses the machine."""

    def __init__(self) -> None:
        self._start_s = time.process_time()

    def now(self) -> float:
        """The seconds since this clock was made."""
        return time.process_time() - self._start_s


@contextmanager
def waiting_for_person(clock: Clock) -> Iterator[None]:
    """Wait for a person, who may take any time; on simulated time nobody would take it for a hang anyway."""
    if isinstance(clock, WallClock):
        with clock.person():
            yield
    else:
        yield


@dataclass(slots=True)
class Event:
    """A scheduled callback; None once it has run or was cancelled."""

    callback: Callable[[], None] | None

    def cancel(self) -> None:
        """Never run this event."""
        self.callback = None


class SimClock:
    """Simulated time: `sleep` runs everything that falls due, at its exact time, and returns at once."""

    def __init__(self) -> None:
        self.now_ns = 0
        self._queue: list[tuple[int, int, Event]] = []  # (ns, number): those of one instant run as they were scheduled
        self._scheduled = 0
        self._advancing = False
        self._done: Callable[[], bool] = _never
        self._deadline_ns = 0

    def now(self) -> float:
        """The simulated seconds since this clock was made."""
        return self.now_ns / NS_PER_S

    def sleep(self, seconds: float) -> None:
        """Run everything that falls due within `seconds` of simulated time."""
        self.advance_to(self.now_ns + ns_from_s(seconds))

    def call_at(self, at_ns: int, callback: Callable[[], None]) -> Event:
        """Schedule `callback` for `at_ns`; ValueError when that has passed."""
        if at_ns < self.now_ns:
            raise ValueError(f"time can't go backwards: asked for {at_ns} ns, it is {self.now_ns} ns")
        self._scheduled += 1
        event = Event(callback)
        heapq.heappush(self._queue, (at_ns, self._scheduled, event))
        return event

    def next_due_ns(self) -> int | None:
        """The time of the next event, None when nothing is scheduled."""
        while self._queue and self._queue[0][2].callback is None:
            heapq.heappop(self._queue)
        return self._queue[0][0] if self._queue else None

    def pass_to(self, at_ns: int) -> bool:
        """Go on to `at_ns` within a callback, as if it had scheduled itself for then.

        Returns:
            Whether time stands at `at_ns`; False, and time has not moved, when anything else comes first: an event due
            up to then, or the end of the advance that runs the callback.
        """
        if not self._advancing or at_ns > self._deadline_ns or self._done():
            return False
        due_ns = self.next_due_ns()
        if due_ns is not None and due_ns <= at_ns:
            return False
        self.now_ns = at_ns
        return True

    def advance_to(self, at_ns: int) -> None:
        """Run every event due up to and including `at_ns`, then stand at `at_ns`."""
        self.advance_until(_never, at_ns)

    def advance_until(self, done: Callable[[], bool], deadline_ns: int) -> bool:
        """Run due events one by one until `done()`, at the latest until `deadline_ns`; return whether `done()`.

        When done, the clock stands at the event that made it so; otherwise at `deadline_ns`.
        """
        if deadline_ns < self.now_ns:
            raise ValueError(f"time can't go backwards: asked for {deadline_ns} ns, it is {self.now_ns} ns")
        if self._advancing:
            raise RuntimeError("an event callback tried to wait: callbacks schedule, they never sleep")
        self._advancing, self._done, self._deadline_ns = True, done, deadline_ns
        queue = self._queue
        try:
            while True:
                if done():
                    return True
                while queue and queue[0][2].callback is None:
                    heapq.heappop(queue)
                if not queue or queue[0][0] > deadline_ns:
                    self.now_ns = deadline_ns
                    return False
                self.now_ns, _, event = heapq.heappop(queue)
                callback, event.callback = event.callback, None
                assert callback is not None
                callback()
        finally:
            self._advancing = False


def _never() -> bool:
    return False


class Deadline:
    """A moment by which something must have happened.

    `remaining_s` is never negative.
    """

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._at_s = clock.now() + seconds

    @property
    def remaining_s(self) -> float:
        """Seconds left, 0 when expired."""
        return max(0.0, self._at_s - self._clock.now())

    @property
    def expired(self) -> bool:
        """Whether the moment has come."""
        return self._clock.now() >= self._at_s

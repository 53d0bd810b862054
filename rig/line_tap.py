"""A tap on a pump's serial line: what its driver sends and hears is handed on, dropped, held back, repeated or damaged.

It stands between a driver and the port that pyserial opened, so that the same code taps a simulated line and a real
one. Octets only: what they mean, and how a frame is damaged so that it stays one, the driver knows. Not responsible for
faults that a virtual bench's file plans (`rig.virtual.line_faults`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rig.clock import Clock, Deadline
from rig.wire import ByteLog

PIECE = 4096
"""Octets at once of what is heard and dropped."""


class TappablePort(Protocol):
    """What a driver needs of a port, as pyserial has it."""

    timeout: float | None

    @property
    def in_waiting(self) -> int:
        """How many octets have come and are unread."""
        ...

    def read(self, size: int = 1) -> bytes:
        """Read so many octets, or as many as come within the time-out."""
        ...

    def read_until(self, expected: bytes = b"\n", size: int | None = None) -> bytes:
        """Read through these octets, or what comes within the time-out."""
        ...

    def write(self, b: bytes, /) -> int | None:
        """Send octets."""
        ...

    def close(self) -> None:
        """Give the port back."""
        ...


def whole(frame: bytes) -> tuple[bytes, ...]:
    """Hand a frame on as it is: what a tap does with what is sent, until it is told otherwise."""
    return (frame,)


def nothing(frame: bytes) -> tuple[bytes, ...]:
    """Hand nothing on of a frame: it never leaves."""
    del frame
    return ()


class LineTap:
    """Stands between a driver and its port; outlives the ports that the driver opens one after the other.

    Args:
        name: what the log calls the line.
        clock: stamps the log, and ends a wait for what comes.
        log: keeps what is sent beside the driver.
    """

    def __init__(self, name: str, clock: Clock, log: ByteLog) -> None:
        self._name, self._clock, self._log = name, clock, log
        self._port: TappablePort | None = None
        self._sending: Callable[[bytes], tuple[bytes, ...]] = whole
        self._deaf = False
        self._captured: list[bytes] | None = None

    def on(self, port: TappablePort) -> LineTap:
        """Stand before a port, in place of the one before."""
        self._port = port
        return self

    # ---- for whoever taps ----------------------------------------------------------------------------------

    def send(self, octets: bytes) -> None:
        """Send octets beside the driver, as they are."""
        self._log.wire(self._clock.now(), self._name, ">", octets)
        self._line.write(octets)

    def hear(self, for_s: float) -> bytes:
        """Take what comes for so long away from the driver, and return it."""
        deadline, heard = Deadline(self._clock, for_s), b""
        while not deadline.expired:
            self._line.timeout = deadline.remaining_s
            heard += self._line.read(max(1, min(PIECE, self._line.in_waiting)))
        if heard:
            self._log.wire(self._clock.now(), self._name, "<", heard)
        return heard

    @contextmanager
    def capturing(self) -> Iterator[list[bytes]]:
        """Note what the driver sends, one entry for each of its writes."""
        kept, self._captured = self._captured, []
        try:
            yield self._captured
        finally:
            self._captured = kept

    @contextmanager
    def sending(self, instead: Callable[[bytes], tuple[bytes, ...]]) -> Iterator[None]:
        """Send, in place of each write of the driver, what `instead` makes of it: none, several, a damaged one."""
        before, self._sending = self._sending, instead
        try:
            yield
        finally:
            self._sending = before

    @contextmanager
    def without_replies(self) -> Iterator[None]:
        """Drop what the pump says; what it is told arrives."""
        before, self._deaf = self._deaf, True
        try:
            yield
        finally:
            self._deaf = before

    @contextmanager
    def mute(self) -> Iterator[None]:
        """Let nothing through, both ways: a cable that is off."""
        with self.sending(nothing), self.without_replies():
            yield

    # ---- for the driver: the port --------------------------------------------------------------------------

    @property
    def timeout(self) -> float | None:
        """The port's time-out in s."""
        return self._line.timeout

    @timeout.setter
    def timeout(self, timeout_s: float | None) -> None:
        self._line.timeout = timeout_s

    @property
    def in_waiting(self) -> int:
        """How many octets have come and are unread; none while what comes is dropped."""
        return 0 if self._deaf else self._line.in_waiting

    def read(self, size: int = 1) -> bytes:
        """Read so many octets."""
        heard = self._line.read(size)
        return b"" if self._deaf else heard

    def read_until(self, expected: bytes = b"\n", size: int | None = None) -> bytes:
        """Read through these octets."""
        heard = self._line.read_until(expected, size)
        return b"" if self._deaf else heard

    def write(self, b: bytes, /) -> int:
        """Send what becomes of octets."""
        if self._captured is not None:
            self._captured.append(b)
        for octets in self._sending(b):
            self._line.write(octets)
        return len(b)

    def close(self) -> None:
        """Give the port back."""
        self._line.close()

    @property
    def _line(self) -> TappablePort:
        if self._port is None:
            raise ValueError(f"the tap on {self._name} stands before no port yet")
        return self._port

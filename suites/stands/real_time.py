"""Runs a simulated port in step with real time, in a thread, behind an end that the operating system knows.

Not responsible for what the end is: socket_host and pty_host are.
"""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rig.clock import NS_PER_S, SimClock, WallClock, ns_from_s
from rig.virtual.port import Port

_LONGEST_WAIT_S = 0.05


class End(Protocol):
    """Where a program outside reaches the port."""

    def fileno(self) -> int:
        """The file descriptor that becomes readable when there is something to receive."""
        ...

    def receive(self) -> bytes:
        """Take what has come; empty when it was no data."""
        ...

    def send(self, data: bytes) -> None:
        """Hand over data."""
        ...


@contextmanager
def served_in_real_time(clock: SimClock, port: Port, end: End) -> Iterator[None]:
    """Serve `port` on `end` until leaving; what goes wrong in the thread is raised then."""
    failures: list[BaseException] = []
    stop, stopped = socket.socketpair()
    thread = threading.Thread(target=_serve, args=(clock, port, end, stopped, failures))
    with stop, stopped:
        thread.start()
        try:
            yield
        finally:
            stop.send(b"x")
            thread.join()
    if failures:
        raise failures[0]


def _serve(clock: SimClock, port: Port, end: End, stopped: socket.socket, failures: list[BaseException]) -> None:
    wall = WallClock()
    start_ns = clock.now_ns
    watched: list[socket.socket | End] = [stopped, end]
    try:
        while True:
            due_ns = clock.next_due_ns()
            wait_s = _LONGEST_WAIT_S if due_ns is None else (due_ns - start_ns) / NS_PER_S - wall.now()
            ready, _, _ = select.select(watched, [], [], min(max(wait_s, 0.0), _LONGEST_WAIT_S))
            clock.advance_to(max(clock.now_ns, start_ns + ns_from_s(wall.now())))
            if stopped in ready:
                return
            if end in ready and (data := end.receive()):
                port.host_write(data)
                clock.advance_to(clock.now_ns)
            if waiting := port.host_waiting():
                end.send(port.host_read(waiting, timeout_s=0.0))
    except Exception as error:  # handed to the test, which raises it
        failures.append(error)

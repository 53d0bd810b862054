"""Serves a simulated port on a TCP socket in real time, so that programs that nobody here wrote can talk to a twin.

Not responsible for more than one client at a time.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from rig.clock import SimClock
from rig.virtual.port import Port
from suites.stands.real_time import served_in_real_time


@contextmanager
def served_on_socket(clock: SimClock, port: Port) -> Iterator[int]:
    """Run `clock` in step with real time and serve `port` on the loopback; gives the TCP port number.

    Inside, `clock` and `port` belong to the serving thread. What goes wrong there is raised on leaving.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        end = _SocketEnd(server)
        try:
            with served_in_real_time(clock, port, end):
                yield server.getsockname()[1]
        finally:
            end.hang_up()


class _SocketEnd:
    """The client when there is one, else the server that waits for it."""

    def __init__(self, server: socket.socket) -> None:
        self._server = server
        self._client: socket.socket | None = None

    def fileno(self) -> int:
        return (self._client or self._server).fileno()

    def receive(self) -> bytes:
        if self._client is None:
            self._client, _ = self._server.accept()
            return b""
        data = self._client.recv(65536)
        if not data:
            self.hang_up()
        return data

    def send(self, data: bytes) -> None:
        if self._client is not None:
            self._client.sendall(data)

    def hang_up(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

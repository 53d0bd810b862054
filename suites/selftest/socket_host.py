"""Serves a simulated port on a TCP socket in real time, so that programs that nobody here wrote can talk to a twin.

Not responsible for more than one client at a time.
"""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rig.clock import NS_PER_S, SimClock, WallClock, ns_from_s
from rig.virtual.port import Port

_LONGEST_WAIT_S = 0.05


@contextmanager
def served_on_socket(clock: SimClock, port: Port) -> Iterator[int]:
    """Run `clock` in step with real time and serve `port` on the loopback; gives the TCP port number.

    Inside, `clock` and `port` belong to the serving thread. What goes wrong there is raised on leaving.
    """
    failures: list[BaseException] = []
    with socket.create_server(("127.0.0.1", 0)) as server, _stopper() as (stop, stopped):
        thread = threading.Thread(target=_serve, args=(clock, port, server, stopped, failures))
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            stop.send(b"x")
            thread.join()
    if failures:
        raise failures[0]


@contextmanager
def _stopper() -> Iterator[tuple[socket.socket, socket.socket]]:
    stop, stopped = socket.socketpair()
    with stop, stopped:
        yield stop, stopped


def _serve(
    clock: SimClock, port: Port, server: socket.socket, stopped: socket.socket, failures: list[BaseException]
) -> None:
    wall = WallClock()
    start_ns = clock.now_ns
    client: socket.socket | None = None
    try:
        while True:
            due_ns = clock.next_due_ns()
            wait_s = _LONGEST_WAIT_S if due_ns is None else (due_ns - start_ns) / NS_PER_S - wall.now()
            listening = [stopped, client or server]
            ready, _, _ = select.select(listening, [], [], min(max(wait_s, 0.0), _LONGEST_WAIT_S))
            clock.advance_to(max(clock.now_ns, start_ns + ns_from_s(wall.now())))
            if stopped in ready:
                return
            if server in ready:
                client, _ = server.accept()
            elif client is not None and client in ready:
                data = client.recv(65536)
                if data:
                    port.host_write(data)
                    clock.advance_to(clock.now_ns)
                else:
                    client.close()
                    client = None
            if client is not None and (waiting := port.host_waiting()):
                client.sendall(port.host_read(waiting, timeout_s=0.0))
    except Exception as error:  # handed to the test, which raises it
        failures.append(error)
    finally:
        if client is not None:
            client.close()

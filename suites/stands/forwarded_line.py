"""A device's line that goes through this process, so that a test can let it go mute at a moment of its choice.

Not responsible for what is said on it.
"""

from __future__ import annotations

import os
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from pyvisa.rname import ResourceName, TCPIPSocket


class ForwardedLine:
    """A TCP port of this machine that leads to a served device, for one client at a time."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._is_mute = threading.Event()
        self._stop, self._stopped = socket.socketpair()
        self._thread = threading.Thread(target=self._serve)

    def go_mute(self) -> None:
        """Let nothing through any more, neither way; clients still come in."""
        self._is_mute.set()

    def speak_again(self) -> None:
        """Let through what is said from now on."""
        self._is_mute.clear()

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def close(self) -> None:
        """End the thread and close everything."""
        self._stop.send(b"x")
        self._thread.join()
        for each in (self._stop, self._stopped, self._listener):
            each.close()

    def _serve(self) -> None:
        while True:
            ready, _, _ = select.select([self._listener, self._stopped], [], [])
            if self._stopped in ready:
                return
            client, _ = self._listener.accept()
            with ExitStack() as stack, suppress(ConnectionError):
                stack.enter_context(client)
                far = _opened(self._device, stack)
                if self._carry(client, far):
                    return

    def _carry(self, client: socket.socket, far: int) -> bool:
        """Carry bytes until the client leaves; True when the test is over."""
        while True:
            ready, _, _ = select.select([client.fileno(), far, self._stopped.fileno()], [], [])
            if self._stopped.fileno() in ready:
                return True
            if far in ready and (data := os.read(far, 4096)) and not self._is_mute.is_set():
                client.sendall(data)
            if client.fileno() in ready:
                if not (data := client.recv(4096)):
                    return False
                if not self._is_mute.is_set():
                    os.write(far, data)


def _opened(device: str, stack: ExitStack) -> int:
    if device.startswith("/dev/"):
        descriptor = os.open(device, os.O_RDWR | os.O_NOCTTY)
        stack.callback(os.close, descriptor)
        return descriptor
    name = ResourceName.from_string(device)
    assert isinstance(name, TCPIPSocket)
    return stack.enter_context(socket.create_connection((name.host_address, int(name.port)))).fileno()


@contextmanager
def forwarded(device: str) -> Iterator[ForwardedLine]:
    """Forward to a device at a VISA socket or at a terminal until leaving."""
    line = ForwardedLine(device)
    line.start()
    try:
        yield line
    finally:
        line.close()

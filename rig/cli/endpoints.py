"""Places in the operating system where simulated lines are reached: ptys and TCP sockets.

Each client gets its own answers: what came for one that has gone is dropped, and for 0.2 s after it went its successor
waits, so that what was on its way is gone, too. What it said last is said to the device; on a pty that was opened again
at once it is said after the 0.2 s, as what the successor said first is, from which it cannot be told. A client that
does not read stops nobody else. Not responsible for time: whoever calls `exchange` has moved the clock.
"""

from __future__ import annotations

import ctypes
import os
import selectors
import socket
import struct
import termios
import tty
from contextlib import suppress
from typing import Protocol

from rig.virtual.port import Port

SETTLE_S = 0.2
"""From one client to the next; longer than the simulated devices take to answer, but for a weighing that settles."""
MOST_UNSENT = 1 << 20
"""Bytes that wait for a client: above, a socket is closed and a pty loses them."""
PIECE = 4096


class Endpoint(Protocol):
    """A place in the operating system where one simulated line can be reached."""

    address: str

    def exchange(self, events: selectors.BaseSelector) -> None:
        """Carry bytes that have come, both ways; never blocks."""
        ...

    def close(self) -> None:
        """Give the place back."""
        ...


class _Succession:
    """When a line is free for the next client."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self._left_s = -SETTLE_S

    def leave(self) -> None:
        """A client has gone: drop what came for it."""
        self._left_s = self._port.clock.now()
        self._port.host_hang_up()

    @property
    def settled(self) -> bool:
        """Whether nothing that the last client asked for is on its way; drops it while it comes."""
        if self._port.clock.now() - self._left_s >= SETTLE_S:
            return True
        self._port.host_hang_up()
        return False


class PtyEndpoint:
    """A simulated serial line on a pseudo-terminal.

    That a client has gone is seen on Linux (inotify); elsewhere the next one gets what it did not fetch.
    """

    def __init__(self, port: Port, selector: selectors.BaseSelector) -> None:
        self._port = port
        self._succession = _Succession(port)
        self._unsent = b""
        self._master, self._slave = os.openpty()  # the slave stays open, and raw, so that clients may come and go
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.address = os.ttyname(self._slave)
        self._openings = _Openings(self.address)
        selector.register(self._master, selectors.EVENT_READ)
        if self._openings.events is not None:
            selector.register(self._openings.events, selectors.EVENT_READ)

    def exchange(self, events: selectors.BaseSelector) -> None:
        """Carry bytes both ways."""
        del events
        if self._openings.last_closed():
            self._unsent = b""
            if not self._openings.open:  # else the next one is there, and the line may hold its first words, too
                with suppress(BlockingIOError):
                    self._port.host_write(os.read(self._master, PIECE))
            termios.tcflush(self._slave, termios.TCIFLUSH)
            self._succession.leave()
        if not self._succession.settled:
            return
        with suppress(BlockingIOError):
            self._port.host_write(os.read(self._master, PIECE))
        if waiting := self._port.host_waiting():
            self._unsent = (self._unsent + self._port.host_read(waiting, timeout_s=0.0))[:MOST_UNSENT]
        with suppress(BlockingIOError):
            self._unsent = self._unsent[os.write(self._master, self._unsent[:PIECE]) :]

    def close(self) -> None:
        """Close both ends."""
        self._openings.close()
        os.close(self._master)
        os.close(self._slave)


class SocketEndpoint:
    """A simulated line on a TCP port of this machine, for one client at a time; a number of 0 takes a free one.

    Raises:
        OSError: the port cannot be had.
    """

    def __init__(self, port: Port, selector: selectors.BaseSelector, number: int = 0) -> None:
        self._port = port
        self._succession = _Succession(port)
        self._unsent = b""
        self._listener = socket.create_server(("127.0.0.1", number))
        self._listener.setblocking(False)
        self._client: socket.socket | None = None
        self.address = f"TCPIP0::127.0.0.1::{self._listener.getsockname()[1]}::SOCKET"
        selector.register(self._listener, selectors.EVENT_READ)

    def exchange(self, events: selectors.BaseSelector) -> None:
        """Accept a client, carry bytes both ways, let a client go."""
        if self._client is None:
            if not self._succession.settled:
                return
            try:
                self._client, _ = self._listener.accept()
            except BlockingIOError:
                self._port.host_hang_up()
                return
            self._client.setblocking(False)
            events.register(self._client, selectors.EVENT_READ)
        try:
            if data := self._client.recv(PIECE):
                self._port.host_write(data)
            else:
                self._let_go(events)
                return
        except BlockingIOError:
            pass
        except ConnectionError:
            self._let_go(events)
            return
        if waiting := self._port.host_waiting():
            self._unsent += self._port.host_read(waiting, timeout_s=0.0)
        try:
            if self._unsent:
                self._unsent = self._unsent[self._client.send(self._unsent) :]
        except BlockingIOError:
            pass
        except ConnectionError:
            self._unsent = b""  # what it has sent is read before it is let go
        if len(self._unsent) > MOST_UNSENT:
            self._let_go(events)

    def close(self) -> None:
        """Close the listener and the client."""
        self._listener.close()
        if self._client is not None:
            self._client.close()

    def _let_go(self, events: selectors.BaseSelector) -> None:
        assert self._client is not None
        events.unregister(self._client)
        self._client.close()
        self._client, self._unsent = None, b""
        self._succession.leave()


class _Openings:
    """Counts who has a path open, by the kernel's events (inotify(7)); sees nothing where there are none."""

    OPEN, CLOSE = 0x20, 0x08 | 0x10  # IN_OPEN; IN_CLOSE_WRITE, IN_CLOSE_NOWRITE
    EVENT = struct.Struct("iIII")

    def __init__(self, path: str) -> None:
        self._count = 0
        self.events: int | None = None
        try:
            library = ctypes.CDLL(None, use_errno=True)
            events = library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        except (AttributeError, OSError):
            return
        if events < 0:
            return
        if library.inotify_add_watch(events, os.fsencode(path), self.OPEN | self.CLOSE) < 0:
            os.close(events)
            return
        self.events = events

    def last_closed(self) -> bool:
        """Whether the last one has closed it since the last call."""
        if self.events is None:
            return False
        closed = False
        with suppress(BlockingIOError):
            data = os.read(self.events, PIECE)
            for begin in range(0, len(data) - self.EVENT.size + 1, self.EVENT.size):
                mask = self.EVENT.unpack_from(data, begin)[1]
                if mask & self.OPEN:
                    self._count += 1
                elif mask & self.CLOSE:
                    self._count -= 1
                    closed |= self._count <= 0
        return closed

    @property
    def open(self) -> bool:
        """Whether somebody had it open at the last look."""
        return self._count > 0

    def close(self) -> None:
        """Watch no longer."""
        if self.events is not None:
            os.close(self.events)

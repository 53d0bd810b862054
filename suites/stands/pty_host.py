"""Serves a simulated port on a pseudo-terminal in real time, for programs that insist on a serial port's path.

Not responsible for line speed and parity: a pseudo-terminal has neither.
"""

from __future__ import annotations

import os
import pty
import tty
from collections.abc import Iterator
from contextlib import contextmanager

from rig.clock import SimClock
from rig.virtual.port import Port
from suites.stands.real_time import served_in_real_time


@contextmanager
def served_on_pty(clock: SimClock, port: Port) -> Iterator[str]:
    """Run `clock` in step with real time and serve `port` on a pseudo-terminal; gives its path.

    Inside, `clock` and `port` belong to the serving thread. What goes wrong there is raised on leaving.
    """
    master, slave = pty.openpty()  # keeping the slave open lets clients come and go
    try:
        tty.setraw(slave)
        with served_in_real_time(clock, port, _PtyEnd(master)):
            yield os.ttyname(slave)
    finally:
        os.close(slave)
        os.close(master)


class _PtyEnd:
    def __init__(self, master: int) -> None:
        self._master = master

    def fileno(self) -> int:
        return self._master

    def receive(self) -> bytes:
        return os.read(self._master, 65536)

    def send(self, data: bytes) -> None:
        os.write(self._master, data)

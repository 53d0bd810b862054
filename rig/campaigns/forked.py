"""Doing something in a fork of this process, and hearing what came out: the world here stays as it was.

Only in a process of one thread: what other threads hold is held in the fork for ever. Not responsible for what is done.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import traceback
from collections.abc import Callable

AT_MOST_S = 300
"""A fork that takes longer is ended. Wall time: only what hangs takes so long."""


def in_a_fork(do: Callable[[], bytes]) -> bytes | str:
    """Call `do` in a fork; returns what it gave, or why it gave nothing, in words."""
    read_end, write_end = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        _as_child(do, write_end)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as heard:
        given = heard.read()
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code == 0:
        return given
    if code == -signal.SIGALRM:
        return f"it took more than {AT_MOST_S} s"
    return f"the process ended with {code}: {given.decode(errors='replace')}".strip()


def _as_child(do: Callable[[], bytes], write_end: int) -> None:
    """Never returns: nothing of the parent's is closed or cleaned up here."""
    code = 1
    try:
        gc.disable()
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(AT_MOST_S)
        _write_all(write_end, do())
        code = 0
    except BaseException:  # whatever it is, the parent has to hear of it
        _write_all(write_end, traceback.format_exc(limit=-3).encode())
    finally:
        os._exit(code)


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]

"""Files of a record that only grow, and when what was written to them is on the disk.

`DirectAppender` writes in the calling thread: for virtual benches, whose time stands still meanwhile. `QueuedAppender`
hands lines to a thread: for benches on wall time, where a slow disk must not stall a measurement. Not responsible for
what the lines say, nor for which files a record has (`folder`).

An appender takes lines from one thread, and only in the process that made it: it does not survive a fork.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from rig.clock import WallClock
from rig.errors import EvidenceError
from rig.record.files import cannot_write, sync, sync_folder

MOST_LINES = 10_000
"""So many lines may wait for the disk: over a minute of a bench that writes a hundred lines a second. The house's."""

SYNC_EVERY_S = 1.0
"""No more than so much wall time is lost when the power fails."""

PATIENCE_S = 30.0
"""For so long `sync` and `close` wait for a disk that takes nothing at all, before they say so. The house's."""


class Appender(Protocol):
    """Opens files that only grow, and brings them to the disk. Fulfilled by the two classes below."""

    def open(self, path: Path) -> LineFile:
        """Open a file at its end; it and its folders are made when they are not there."""
        ...

    def sync(self) -> None:
        """Return when every line accepted so far is on the disk, flushed through all caches.

        Raises:
            EvidenceError: the disk refused something since, and no `line` has told so.
        """
        ...

    def close(self) -> None:
        """Bring everything to the disk and close all files; may be called again.

        Raises:
            EvidenceError: as `sync`.
        """
        ...


def appender_for(*, virtual: bool) -> Appender:
    """Make the appender that suits a bench: direct for a virtual one, queued for one on wall time."""
    return DirectAppender() if virtual else QueuedAppender()


class LineFile:
    """A text file that only grows, by whole lines; made by an appender.

    The first line that is not taken raises EvidenceError, which ends the test; later ones are dropped, so that a full
    disk cannot keep anyone from making the bench safe.
    """

    def __init__(self, file: _File, append: Callable[[_File, bytes], None]) -> None:
        self._file = file
        self._append = append
        self._closed = False
        file.users += 1

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return self._file.path

    def line(self, text: str) -> None:
        """Append one line.

        Raises:
            EvidenceError: the disk did not take it, or has not taken an earlier one; once for each file.
            ValueError: the file or its appender was closed.
        """
        if self._closed:
            raise ValueError(f"{self.path} was closed: it takes no more lines")
        if self._file.given_up:
            return
        self._file.tell()
        try:
            self._append(self._file, f"{text}\n".encode())
        except EvidenceError:
            self._file.given_up = True
            raise
        self._file.tell()

    def json(self, entry: Mapping[str, Any]) -> None:
        """Append one JSON object as a line; raises as `line`."""
        self.line(json.dumps(entry, ensure_ascii=False))

    def close(self) -> None:
        """Take no more lines; the next `sync` of the appender brings the last ones to the disk."""
        if not self._closed:
            self._closed = True
            self._file.users -= 1


class DirectAppender:
    """Writes each line at once, in the calling thread; only `sync` and `close` wait for the disk itself."""

    def __init__(self) -> None:
        self._files: list[_File] = []
        self._closed = False

    def open(self, path: Path) -> LineFile:
        """Open a file at its end; EvidenceError when the disk refuses it, ValueError after `close`."""
        _refuse_closed(path, closed=self._closed)
        file = _known(self._files, path)
        if file is None:
            file = _File(path)
            file.open()
            file.tell()
            self._files.append(file)
        return LineFile(file, self._append)

    def sync(self) -> None:
        """Return when every line written since the last time is on the disk; EvidenceError when one may not be."""
        files = self._files
        for file in files:
            file.sync()
            if not file.users:
                file.close()
        self._files = [file for file in files if file.users]
        _tell_all(files)

    def close(self) -> None:
        """Bring everything to the disk and close all files; EvidenceError as `sync`."""
        self._closed = True
        for file in self._files:
            file.sync()
            file.close()
        files, self._files = self._files, []
        _tell_all(files)

    def _append(self, file: _File, data: bytes) -> None:
        _refuse_closed(file.path, closed=self._closed)
        file.append(data)


class QueuedAppender:
    """Hands lines to one writer thread, which brings them to the disk every second; no line waits for the disk.

    What the disk refuses is told by the next `line` to that file, or by `sync` or `close`, whichever comes first. Call
    `close` in a `finally`: whatever ended the measurement, it writes what was accepted. Ctrl-C ends its waiting, for a
    disk that has stopped; call it again to wait on.
    """

    def __init__(
        self, *, most_lines: int = MOST_LINES, sync_every_s: float = SYNC_EVERY_S, patience_s: float = PATIENCE_S
    ) -> None:
        if most_lines < 1 or sync_every_s <= 0.0 or patience_s <= 0.0:
            raise ValueError("a queue needs room for a line, and times above 0 s")
        self._most_lines = most_lines
        self._sync_every_s = sync_every_s
        self._patience_s = patience_s
        self._clock = WallClock()
        self._files: list[_File] = []  # replaced by the caller alone, as is the next
        self._leaving: list[_File] = []  # nobody uses them any more, and their failures may not have been told
        self._orders: queue.SimpleQueue[_Order | None] = queue.SimpleQueue()
        self._accepted = 0  # lines; changed by the caller alone
        self._written = 0  # lines; changed by the thread alone, as are the next two
        self._progress = 0
        self._busy_since_s: float | None = None
        self._ending = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._write_on, name="record writer", daemon=True)
        self._thread.start()

    def open(self, path: Path) -> LineFile:
        """Open a file at its end; the thread does it, so that a refusal is told later; ValueError after `close`."""
        _refuse_closed(path, closed=self._ending)
        file = _known(self._files, path)
        if file is None:
            file = _File(path)
            self._files = [*self._files, file]
            self._order(file.open)
        return LineFile(file, self._append)

    def sync(self) -> None:
        """Return when every line accepted so far is on the disk.

        Raises:
            EvidenceError: the disk refused something that no `line` has told, or it takes nothing for `patience_s`.
        """
        if self._ending:
            return
        files, done = self._files, threading.Event()
        self._leaving = [*self._leaving, *(file for file in files if not file.users)]
        self._files = [file for file in files if file.users]  # before the thread closes others: none is found again
        self._order(partial(self._sync, files))
        self._order(partial(_close_all, self._leaving))
        self._order(done.set)
        self._wait(done)
        leaving, self._leaving = self._leaving, []
        _tell_all([*self._files, *leaving])

    def close(self) -> None:
        """Write what was accepted, bring it to the disk, close all files, end the thread; EvidenceError as `sync`."""
        if not self._ending:
            self._leaving, self._files = [*self._leaving, *self._files], []
            self._order(partial(self._sync, self._leaving))
            self._order(partial(_close_all, self._leaving))
            self._orders.put(None)
            self._ending = True  # last: when Ctrl-C comes in between, the next call asks again
        self._wait(self._ended)
        self._thread.join()
        leaving, self._leaving = self._leaving, []
        _tell_all(leaving)
        if self._accepted > self._written:  # the thread has died of a bug, which it has printed
            raise EvidenceError(f"the record: {self._stalled()}")

    def _append(self, file: _File, data: bytes) -> None:
        _refuse_closed(file.path, closed=self._ending)
        if self._accepted - self._written >= self._most_lines or self._ended.is_set():
            raise EvidenceError(f"{file.path}: {self._stalled()}")
        self._order(partial(self._write, file, data))
        self._accepted += 1

    def _order(self, do: Callable[[], object]) -> None:
        self._orders.put(_Order(self._clock.now(), do))

    def _wait(self, done: threading.Event) -> None:
        """Wait for the thread as long as it makes progress; EvidenceError when it makes none for `patience_s`."""
        seen, since_s = self._progress, self._clock.now()
        while not done.wait(timeout=self._patience_s / 10.0):
            now_s = self._clock.now()
            if self._progress != seen:
                seen, since_s = self._progress, now_s
            elif now_s - since_s >= self._patience_s or self._ended.is_set():
                raise EvidenceError(f"the record: {self._stalled()}")

    def _stalled(self) -> str:
        since_s, now_s = self._busy_since_s, self._clock.now()
        waited_s = 0.0 if since_s is None else now_s - since_s
        return (
            f"the disk has not taken {self._accepted - self._written} lines for {waited_s:.1f} s; what was written "
            "before is kept; look whether the disk or network drive of the run folder has stopped or gone"
        )

    # ---- what the thread does ---------------------------------------------------------------------------------

    def _write_on(self) -> None:
        sync_at_s: float | None = None
        try:
            while True:
                wait_s = None if sync_at_s is None else max(0.0, sync_at_s - self._clock.now())
                with contextlib.suppress(queue.Empty):
                    order = self._orders.get(timeout=wait_s)
                    if order is None:
                        return
                    self._busy_since_s = order.at_s
                    order.do()
                    self._progress += 1
                    sync_at_s = sync_at_s or self._clock.now() + self._sync_every_s
                if sync_at_s is not None and self._clock.now() >= sync_at_s:
                    self._busy_since_s = self._busy_since_s or self._clock.now()
                    self._sync(self._files)
                    sync_at_s = None
                if self._orders.empty():
                    self._busy_since_s = None
        finally:
            self._ended.set()

    def _write(self, file: _File, data: bytes) -> None:
        file.append(data)
        self._written += 1

    def _sync(self, files: Sequence[_File]) -> None:
        for file in files:
            file.sync()
            self._progress += 1


class _Order(NamedTuple):
    """What the thread shall do, and when that was asked for, in s of the appender's clock."""

    at_s: float
    do: Callable[[], object]


class _File:
    """One file on the disk; what the disk refuses becomes its `failure`, once, instead of an exception.

    Attributes:
        failure: the sentence to tell.
        given_up: it has been told, by this or by a full queue: no more lines are taken.
        users: how many open `LineFile`s there are.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.failure: EvidenceError | None = None
        self.given_up = False
        self.users = 0
        self._raw: FileIO | None = None
        self._changed_folders: list[Path] = []
        self._unsynced = False

    def open(self) -> None:
        """Open the file, and make it and its folders when they are not there."""
        try:
            self._changed_folders = _folders_to_change(self.path)
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._raw = self.path.open("ab", buffering=0)
        except OSError as error:
            self._fail(error)

    def append(self, data: bytes) -> None:
        """Hand a whole line to the operating system, or nothing of it."""
        if self.failure is not None:
            return
        assert self._raw is not None, "opened before its first line, closed after its last"
        self._unsynced = True
        left = data
        try:
            while left:  # a disk that is nearly full takes a part
                left = left[self._raw.write(left) :]
        except OSError as error:
            self._fail(error)
            self._take_back(len(data) - len(left))

    def sync(self) -> None:
        """Have the disk take what was written since the last time, and the names of what is new."""
        if self._raw is None:
            return
        unsynced, self._unsynced = self._unsynced, False
        folders, self._changed_folders = self._changed_folders, []
        try:
            if unsynced:
                sync(self._raw.fileno())
            for folder in folders:
                sync_folder(folder)
        except OSError as error:
            self._fail(error)

    def tell(self) -> None:
        """Raise the failure for the first time."""
        if self.failure is not None and not self.given_up:
            self.given_up = True
            raise self.failure

    def close(self) -> None:
        """Close the file; what a full disk still refuses was found by `sync`."""
        if self._raw is not None:
            with contextlib.suppress(OSError):
                self._raw.close()
            self._raw = None

    def _fail(self, error: OSError) -> None:
        if self.failure is None:
            self.failure = cannot_write(self.path, error)

    def _take_back(self, octets: int) -> None:
        """Cut off the part of a line that was taken, so that whoever appends next begins a line of his own."""
        assert self._raw is not None
        if octets:
            with contextlib.suppress(OSError):
                os.ftruncate(self._raw.fileno(), os.fstat(self._raw.fileno()).st_size - octets)


def _known(files: Sequence[_File], path: Path) -> _File | None:
    """Find a file that was opened since the last `sync`, or is open still, and has not failed."""
    return next((file for file in files if file.path == path and file.failure is None and not file.given_up), None)


def _close_all(files: Sequence[_File]) -> None:
    for file in files:
        file.close()


def _tell_all(files: Sequence[_File]) -> None:
    """Raise one EvidenceError on all failures that have not been told."""
    untold = [file for file in files if file.failure is not None and not file.given_up]
    for file in untold:
        file.given_up = True
    if untold:
        raise EvidenceError("; ".join(str(file.failure) for file in untold)) from untold[0].failure


def _refuse_closed(path: Path, *, closed: bool) -> None:
    if closed:
        raise ValueError(f"{path}: the record was closed, it takes no more lines")


def _folders_to_change(path: Path) -> list[Path]:
    """List the folders that get a new name when `path` is made."""
    folders = []
    while not path.exists():
        folders.append(path.parent)
        path = path.parent
    return folders

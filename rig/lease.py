"""One holder at a time: a lock on a permanent file, which frees itself when its last holder dies.

A lease is a `flock`, so that a killed process frees it at once and no file has ever to be deleted by hand. Processes
that a holder starts may carry it on (`carried`): it is free when the last of them has ended. The holder's name stands
in the file, for the refusal alone: whether a lease is held says the lock. Not responsible for what is leased, nor for
file systems without locks (network drives) or between containers that do not share the file.
"""

from __future__ import annotations

import fcntl
import getpass
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from rig.errors import RigError

CARRIED = "RIG_LEASES"
"""Environment variable that names the descriptors of the leases that a process carries on for its parent."""


class LeaseHeldError(RigError):
    """Somebody else holds the lease: what, who, for what purpose, since when, and what to do."""


@dataclass(frozen=True)
class Holder:
    """Who took a lease: process, user, what for, since when (UTC)."""

    pid: int
    user: str
    purpose: str
    since_utc: str

    def __str__(self) -> str:
        """Say who, as the refusal does."""
        return f"{self.purpose} (process {self.pid} of {self.user}, since {self.since_utc})"


class Lease:
    """A lease that is held. Leaving it, or the end of every process that holds or carries it, frees it."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    def take(cls, path: Path, *, of: str, purpose: str, since_utc: str) -> Self:
        """Take a lease, or share the one that this process carries for its parent.

        Args:
            path: the permanent file of what is leased; it and its folders are made when they are not there.
            of: what is leased, for the refusal.
            purpose: what for, for the refusal that others get.
            since_utc: now.

        Raises:
            LeaseHeldError: another process holds it, or this one does.
            OSError: the file cannot be made.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        shared = _carried(descriptor)
        if shared is not None:
            os.close(descriptor)
            return cls(path, os.dup(shared))
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            who = holder_named_in(path)
            raise LeaseHeldError(
                f"{of} is in use: {who or 'by another process'}; wait until it has ended, or end it"
            ) from None
        holder = Holder(os.getpid(), getpass.getuser(), purpose, since_utc)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(asdict(holder)).encode(), 0)
        return cls(path, descriptor)

    def __enter__(self) -> Self:
        """Hold it until leaving."""
        return self

    def __exit__(self, *ended_by: object) -> None:
        """Free it."""
        self.free()

    def free(self) -> None:
        """Free it, unless a process that was started with it carries it on; may be called again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    @property
    def descriptor(self) -> int:
        """The file descriptor that holds the lock."""
        return self._descriptor


def carried(leases: Sequence[Lease]) -> tuple[Mapping[str, str], tuple[int, ...]]:
    """Prepare a process to carry leases on: what to add to its environment, and `pass_fds` of `subprocess`."""
    known = [int(each) for each in os.environ.get(CARRIED, "").split()]
    descriptors = tuple(dict.fromkeys([*known, *(lease.descriptor for lease in leases)]))
    return {CARRIED: " ".join(str(each) for each in descriptors)}, descriptors


def is_held(path: Path) -> bool:
    """Say whether any process holds the lease of this file; a file that is not there is free."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def holder_named_in(path: Path) -> Holder | None:
    """Read who took the lease last; None where the file does not say."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Holder(**content)
    except (OSError, ValueError, TypeError):
        return None


def _carried(descriptor: int) -> int | None:
    """Find the descriptor of the same file that this process carries for its parent."""
    wanted = os.fstat(descriptor)
    for text in os.environ.get(CARRIED, "").split():
        try:
            found = os.fstat(int(text))
        except (OSError, ValueError):
            continue
        if (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
            return int(text)
    return None

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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from rig.clock import Deadline, WallClock
from rig.errors import RigError

CARRIED = "RIG_LEASES"
"""Environment variable that names what a process carries on for its parent: descriptor:device:inode, with blanks."""

PATIENCE_S = 0.5
"""For so long a lock is asked for again: whoever looks (`is_held`) has it for some microseconds, of a busy machine."""

_ASK_EVERY_S = 0.005


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
    def take(cls, path: Path, *, of: str, purpose: str, since_utc: str, shared: bool = False) -> Self:
        """Take a lease, or share the one that this process carries for its parent.

        Args:
            path: the permanent file of what is leased; it and its folders are made when they are not there.
            of: what is leased, for the refusal.
            purpose: what for, for the refusal that others get.
            since_utc: now.
            shared: beside others who take it shared; nobody has it alone meanwhile.

        Raises:
            LeaseHeldError: another process holds it, or this one does.
            OSError: the file cannot be made.
        """
        carried_on = _carried(path)
        if carried_on is not None:
            return cls(path, carried_on)
        descriptor = _locked(path, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        if descriptor is None:
            who = holder_named_in(path)
            raise LeaseHeldError(
                f"{of} is in use: {who or 'by another process'}; wait until it has ended, or end it"
            ) from None
        lease = cls(path, descriptor)
        lease.name_holder(purpose, since_utc)
        return lease

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

    def name_holder(self, purpose: str, since_utc: str) -> None:
        """Write this process and what it holds the lease for into the file, for the refusal that others get."""
        name_holder(self._descriptor, purpose, since_utc)


def name_holder(descriptor: int, purpose: str, since_utc: str) -> None:
    """Write this process and its purpose into the file of a lease that it holds by a descriptor."""
    text = json.dumps(asdict(Holder(os.getpid(), _user(), purpose, since_utc))).encode()
    os.pwrite(descriptor, text, 0)
    os.ftruncate(descriptor, len(text))


def carried(leases: Sequence[Lease]) -> tuple[Mapping[str, str], tuple[int, ...]]:
    """Prepare a process to carry leases on: what to add to its environment, and `pass_fds` of `subprocess`.

    What this process carries itself is passed on, too.
    """
    descriptors = tuple(dict.fromkeys([*_known(), *(lease.descriptor for lease in leases)]))
    return {CARRIED: " ".join(_named(each) for each in descriptors)}, descriptors


def is_held(path: Path) -> bool:
    """Say whether any process holds the lease of this file alone; a file that is not there is free."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)  # two who look do not meet
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


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user that no list of users knows
        return f"user {os.getuid()}"


def _locked(path: Path, how: int) -> int | None:
    """Open the file and lock it; None when others hold it for longer than a look takes."""
    patience = Deadline(clock := WallClock(), PATIENCE_S)
    while True:
        descriptor = _opened(path)
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            if patience.expired:
                return None
            clock.sleep(_ASK_EVERY_S)
            continue
        if _is_at(path, descriptor):
            return descriptor
        os.close(descriptor)  # somebody deleted the file between the two: this lock is on nothing


def _opened(path: Path) -> int:
    """Open a lease's file for this user and all others, and make it where it is not there.

    One that exists is opened without asking to make it: in a folder that everybody may write to, Linux refuses that
    for another user's file (fs.protected_regular).
    """
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    while True:
        with suppress(FileNotFoundError):
            return os.open(path, flags)
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o666)
            os.fchmod(descriptor, 0o666)  # whatever this user's umask
            return descriptor


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    mine = os.fstat(descriptor)
    return (found.st_dev, found.st_ino) == (mine.st_dev, mine.st_ino)


def _carried(path: Path) -> int | None:
    """Find the descriptor of a file that this process carries for its parent; returns one of its own, None for none."""
    return next((os.dup(descriptor) for descriptor in _known() if _is_at(path, descriptor)), None)


def _known() -> Iterator[int]:
    """List the descriptors that the environment names, as far as they still are those files."""
    for text in os.environ.get(CARRIED, "").split():
        number = text.partition(":")[0]
        with suppress(OSError):
            if number.isdecimal() and _named(int(number)) == text:
                yield int(number)


def _named(descriptor: int) -> str:
    found = os.fstat(descriptor)
    return f"{descriptor}:{found.st_dev}:{found.st_ino}"

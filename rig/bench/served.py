"""Which lines of this machine lead to a simulated bench: what `rig serve` notes, and who must look before opening one.

A twin speaks as its instrument does, so nothing on the wire tells that it is simulated. Whoever serves a bench holds a
lock and says beside it which lines are his; a bench file that names one of them without saying so is refused, and so is
one whose server has gone, since the lines may be anybody's by then. Not responsible for benches that another machine or
a container with leases of its own serves: nobody here can see those.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rig.errors import BenchFileError, BlockedError
from rig.lease import Holder, Lease, holder_named_in, is_held
from rig.record.files import cannot_write, utc_now

if TYPE_CHECKING:
    from rig.bench.file import BenchFile

_PREFIX, _LOCK, _LINES = "served-", ".lease", ".lines"


@contextmanager
def noted_as_served(folder: Path, keys: Sequence[str], purpose: str) -> Iterator[Path]:
    """Note that this process serves a simulated bench on these lines, until leaving; yields the lock that says so.

    Args:
        folder: of the leases.
        keys: the lines, as `rig.bench.lease.port_keys` names them.
        purpose: what for, as others are told.

    Raises:
        EvidenceError: the folder cannot be written.
    """
    _sweep(folder)
    path = folder / f"{_PREFIX}{secrets.token_hex(6)}{_LOCK}"
    lines = path.with_suffix(_LINES)
    try:
        lease = Lease.take(path, of="a bench that is served", purpose=purpose, since_utc=utc_now())
    except OSError as error:
        raise cannot_write(path, error) from error
    try:
        try:
            lines.write_text(json.dumps(list(keys)), encoding="utf-8")
            lines.chmod(0o644)  # others must read it
        except OSError as error:
            raise cannot_write(lines, error) from error
        yield path
    finally:
        _remove(path)
        lease.free()


def refuse_unsaid(folder: Path, spec: BenchFile, keys: Mapping[str, str]) -> None:
    """Refuse a bench file that takes simulated lines for real ones, or lines for served ones that nobody serves.

    Args:
        folder: of the leases.
        spec: the bench, which is not virtual itself.
        keys: its lines, each with the role that has it.

    Raises:
        BenchFileError: one of its lines is served, and it has no [served] table.
        BlockedError: it has one, and the process that served it has ended.
    """
    if spec.served is not None:
        lock = spec.served.lease
        if lock is not None and not is_held(lock):
            raise BlockedError(
                f"the bench {spec.name!r} is not served any more: nobody holds {lock}, and its lines may be anybody's "
                "by now; start rig serve --write again"
            )
        return
    for lock in folder.glob(f"{_PREFIX}*{_LOCK}"):
        served = keys.keys() & _lines_of(lock)
        if served and is_held(lock):
            roles = ", ".join(sorted(keys[key] for key in served))
            raise BenchFileError(
                f"{spec.name}: its {roles} are simulated by {holder_named_in(lock)}, and it does not say so; take the "
                "bench file that rig serve --write makes, which has a [served] table"
            )


def served_by(folder: Path, keys: Collection[str]) -> Holder | None:
    """Say who serves one of these lines as a simulated bench's; None where nobody does."""
    for lock in folder.glob(f"{_PREFIX}*{_LOCK}"):
        if _lines_of(lock).intersection(keys) and is_held(lock):
            return holder_named_in(lock)
    return None


def _lines_of(lock: Path) -> set[str]:
    try:
        return set(json.loads(lock.with_suffix(_LINES).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):  # its server is just going
        return set()


def _sweep(folder: Path) -> None:
    """Take away the notes of servers that were killed."""
    for lock in folder.glob(f"{_PREFIX}*{_LOCK}"):
        with suppress(OSError):
            if not is_held(lock):
                _remove(lock)


def _remove(lock: Path) -> None:
    for path in (lock, lock.with_suffix(_LINES)):
        with suppress(OSError):  # another user's
            path.unlink(missing_ok=True)

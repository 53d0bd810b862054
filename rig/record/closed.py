"""What a closed record consists of: each file by size and SHA-256, listed when the run ends and held against it later.

    closing.json    is written last; it lists every other file below `record/`, and carries a hash of itself

Not responsible for keeping anybody from writing the files and the list anew: this finds what was changed, not by whom.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from rig.errors import EvidenceError
from rig.record.files import read_json
from rig.record.manifest import ListedFile

CLOSING = "closing.json"


def listed_files(record: Path) -> dict[str, ListedFile]:
    """List every file of a record by its path in it, but for the list; EvidenceError when one cannot be read."""
    files = sorted(path for path in record.rglob("*") if path.is_file() and path != record / CLOSING)
    return {path.relative_to(record).as_posix(): sums(path) for path in files}


def empty_folders(folder: Path) -> tuple[str, ...]:
    """List the folders that hold nothing, by their path below `folder`; EvidenceError when one cannot be read."""
    try:
        found = [Path(path) for path, folders, files in os.walk(folder, onerror=_raise) if not folders and not files]
    except OSError as error:
        raise EvidenceError(f"{error.filename}: cannot be read ({error.strerror})") from error
    return tuple(sorted(path.relative_to(folder).as_posix() for path in found))


def _raise(error: OSError) -> None:
    raise error


def refuse_links(folder: Path) -> None:
    """Refuse a run folder that holds anything but files and folders: what is read must be what lies in it.

    The folder itself may be reached through a link.

    Raises:
        EvidenceError: names the first symbolic link, pipe, socket or device.
    """
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            raise EvidenceError(f"{path}: is a symbolic link, and a run consists of files that lie in its folder")
        if not path.is_file() and not path.is_dir():
            raise EvidenceError(f"{path}: is a pipe, a socket or a device, and a run consists of files")


def make_read_only(record: Path) -> None:
    """Take the right to write from every file of a record; a disk that knows no such rights stays as it is.

    A guard against slips alone: whoever owns the files may give the right back, and the hashes tell.
    """
    for path in record.rglob("*"):
        if path.is_file() and not path.is_symlink():
            with suppress(OSError):
                path.chmod(path.stat().st_mode & ~0o222)


def sums(path: Path) -> ListedFile:
    """Compute size in bytes and SHA-256 of a file; EvidenceError when it cannot be read."""
    try:
        with path.open("rb") as file:  # of a long run, a log of the wires does not fit into memory
            return ListedFile(sha256=hashlib.file_digest(file, "sha256").hexdigest(), size=file.tell())
    except OSError as error:
        raise EvidenceError(f"{path}: cannot be read ({error.strerror})") from error


def with_own_hash(content: Mapping[str, Any]) -> dict[str, Any]:
    """Give `closing.json` the hash of its own content, whatever the order of its keys."""
    rest = {key: value for key, value in content.items() if key != "sha256"}
    data = json.dumps(rest, sort_keys=True, ensure_ascii=True, allow_nan=False).encode()
    return rest | {"sha256": hashlib.sha256(data).hexdigest()}


def closing_head(data: bytes) -> str | None:
    """Read the head from the octets of a `closing.json`; None where they are not as they were written."""
    try:
        content = json.loads(data)
        return str(content["sha256"]) if with_own_hash(content) == content else None
    except (ValueError, RecursionError, AttributeError, KeyError):
        return None


def refuse_altered_closing(record: Path) -> None:
    """Refuse a `closing.json` that is not as it was written; EvidenceError."""
    content = read_json(record / CLOSING)
    try:
        unaltered = with_own_hash(content) == content
    except ValueError:
        unaltered = False  # a number that JSON does not have
    if not unaltered:
        raise _altered(record / CLOSING, "changed")


def refuse_altered(record: Path, then: Mapping[str, ListedFile], now: Mapping[str, ListedFile]) -> None:
    """Refuse a record that is not as it was closed.

    Args:
        record: the folder.
        then: its files as they were listed when the run was closed.
        now: its files as they are.

    Raises:
        EvidenceError: names the first file that was removed, changed or added since.
    """
    for name in then:
        if name not in now:
            raise _altered(record / name, "removed")
        if now[name] != then[name]:
            raise _altered(record / name, "changed")
    for name in now:
        if name not in then:
            raise _altered(record / name, "added")


def _altered(path: Path, how: str) -> EvidenceError:
    return EvidenceError(f"{path}: was {how} after the run was closed")

"""Files of a record: whole JSON files, lines of JSON, names made from a test's id, and the UTC stamp of a run.

Not responsible for what stands in them, nor for files that grow (`appending`).
"""

from __future__ import annotations

import datetime
import errno
import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from rig.errors import EvidenceError


def utc_now() -> str:
    """State the UTC time as a record writes it, to the second."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def slug(test_id: str) -> str:
    """Make a file name out of a test's id: `suites/pump/test_a.py::test_x[0.1 U]` becomes `test_a-test_x-0.1_U`."""
    file, colons, case = test_id.partition("::")  # a slash in the case belongs to its name: "At 1 U/h"
    name = f"{file.rsplit('/', 1)[-1]}{colons}{case}".replace("::", "-").replace("[", "-").replace("]", "")
    name = re.sub(r"[^\w.+-]+", "_", name)
    return re.sub(r"\.(py|robot)\b", "", name)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file whole or not at all, down to the disk; EvidenceError when the disk does not take it."""
    write_whole(path, (json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode())


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, down to the disk; EvidenceError when the disk does not take it."""
    partial = path.with_name(f"{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error


def add_whole(file: FileIO, data: bytes) -> None:
    """Add octets to a file that only grows, down to the disk; of what a full disk took in part nothing is left.

    Raises:
        OSError: the disk did not take them.
    """
    before = os.fstat(file.fileno()).st_size
    left = data
    try:
        while left:
            left = left[file.write(left) :]
        os.fsync(file.fileno())
    except OSError:
        with suppress(OSError):
            os.ftruncate(file.fileno(), before)
        raise


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk; OSError."""
    if os.name == "nt":  # Windows opens no folders; NTFS keeps names in its journal
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


def sync(descriptor: int) -> None:
    """Bring what was written to a file to the disk; OSError."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a pipe or a device has nothing to bring to a disk
            raise


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Wait until no other process is alone with a folder, and be it; EvidenceError where it cannot be opened."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise cannot_write(folder, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    except OSError as error:
        raise cannot_write(folder, error) from error
    finally:
        os.close(descriptor)


def keep_room(path: Path, octets: int) -> None:
    """Take room on the disk with a file, to be given back later; of noise, as some disks take no room for zeros.

    Raises:
        EvidenceError: the disk has less. Where something else is in the way, none is kept.
    """
    try:
        path.write_bytes(os.urandom(octets))
    except OSError as error:
        with suppress(OSError):
            path.unlink(missing_ok=True)
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):  # such as a largest size of files
            return
        raise EvidenceError(
            f"{path.parent}: there is no room for the {octets / 2**20:g} MiB that the end of a run may need "
            f"({error.strerror}); make room, or name a folder on another disk"
        ) from error


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; EvidenceError when it is missing or damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise EvidenceError(f"{path}: the file is missing from the run folder") from error
    except (OSError, ValueError, RecursionError) as error:
        raise EvidenceError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(content, dict):
        raise EvidenceError(f"{path}: holds no JSON object")
    return content


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """Read a file of JSON objects, one a line; a last line that was cut off is left out, any other damage raises."""
    if not path.exists():
        return []
    entries = []
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, ValueError) as error:
        raise EvidenceError(f"{path}: cannot be read: {error}") from error
    for number, line in enumerate(lines, start=1):
        if number == len(lines) and not line:  # after the last line's end
            break
        try:
            entries.append(json.loads(line))
        except (ValueError, RecursionError) as error:
            if number == len(lines):
                break
            raise EvidenceError(f"{path}: line {number} cannot be read as JSON: {error}") from error
        if not isinstance(entries[-1], dict):
            raise EvidenceError(f"{path}: line {number} holds no JSON object")
    return entries


def new_folder(parent: Path, name: str) -> Path:
    """Make a folder that nobody else has: two may be begun in the same second; the second is `<name>-2`.

    Raises:
        EvidenceError: it cannot be made.
    """
    for path in _names(parent / name, ""):
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise cannot_write(path, error) from error
        return path
    raise EvidenceError(f"{parent / name}: a thousand of this name are there already")


def new_file(path: Path) -> Path:
    """Make an empty file that nobody else has, `<stem>-2<suffix>` where `path` is there already; as `new_folder`."""
    for each in _names(path.with_suffix(""), path.suffix):
        try:
            each.parent.mkdir(parents=True, exist_ok=True)
            each.open("x").close()
        except FileExistsError:
            continue
        except OSError as error:
            raise cannot_write(each, error) from error
        return each
    raise EvidenceError(f"{path}: a thousand of this name are there already")


def free_folder(path: Path) -> Path:
    """Choose a folder that is not there yet, and leave it to its writer to make it; as `new_folder`."""
    return next((each for each in _names(path, "") if not each.exists()), path)


@contextmanager
def made_whole(path: Path) -> Iterator[Path]:
    """Give a folder to write into that is `path` in the end, whole; where something fails, nothing of it is left.

    Raises:
        EvidenceError: it cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        made = Path(mkdtemp(prefix=f"{path.name}.partial-", dir=path.parent))
    except OSError as error:
        raise cannot_write(path, error) from error
    try:
        yield made
        made.chmod(0o755)
        made.rename(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _names(path: Path, suffix: str) -> Iterator[Path]:
    return (path.with_name(f"{path.name}{f'-{n}' if n > 1 else ''}{suffix}") for n in range(1, 1000))


def cannot_write(path: Path, error: OSError) -> EvidenceError:
    """Say that a file cannot be written, and that nothing that stood there is lost."""
    return EvidenceError(f"{path}: cannot be written ({error.strerror}); what was written before is kept")

"""The files of a run as an audit sees them: names, sizes, SHA-256, and octets where they are asked for.

A file is hashed once. `changed` lays other octets over one name, so that a thousand changes of one run cost a thousand
files and not a thousand runs. Not responsible for judging what is found (`rig.audit.integrity`).
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Protocol

from rig.errors import EvidenceError
from rig.record.closed import empty_folders, sums
from rig.record.drafts import UNFINISHED
from rig.record.keys import SIGNATURE
from rig.record.manifest import ListedFile
from rig.record.trail import TRAIL

TREES = ("record", "reports", UNFINISHED)
"""The folders of a run that hold evidence, and what is on its way there."""
BESIDE = (TRAIL, SIGNATURE)
"""The files beside them that are evidence, too."""


class EvidenceFile(Protocol):
    """A file of a run: what can be asked of it."""

    @property
    def sums(self) -> ListedFile:
        """Its size in bytes and its SHA-256."""
        ...

    @property
    def data(self) -> bytes:
        """Its octets."""
        ...

    def lines(self) -> Iterable[bytes]:
        """Its lines, each with its end."""
        ...


class StoredFile:
    """A file of a run on the disk; it is read when it is asked for, and EvidenceError when it cannot be."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @cached_property
    def sums(self) -> ListedFile:
        """Its size in bytes and its SHA-256."""
        return sums(self._path)

    @property
    def data(self) -> bytes:
        """Its octets."""
        try:
            return self._path.read_bytes()
        except OSError as error:
            raise EvidenceError(f"{self._path}: cannot be read ({error.strerror})") from error

    def lines(self) -> Iterable[bytes]:
        """Its lines, each with its end."""
        try:
            with self._path.open("rb") as file:
                yield from file
        except OSError as error:
            raise EvidenceError(f"{self._path}: cannot be read ({error.strerror})") from error


class HeldFile:
    """A file of a run whose octets are held in memory."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    @cached_property
    def sums(self) -> ListedFile:
        """Its size in bytes and its SHA-256."""
        return ListedFile(size=len(self.data), sha256=hashlib.sha256(self.data).hexdigest())

    def lines(self) -> Iterable[bytes]:
        """Its lines, each with its end."""
        return io.BytesIO(self.data)


class AuditedFiles:
    """The files of a run that are evidence, by their path below its folder.

    `strange` names what is neither file nor folder, or a file where a folder belongs; `empty` names each folder that
    holds nothing.
    """

    def __init__(
        self, files: Mapping[str, EvidenceFile], strange: tuple[str, ...] = (), empty: tuple[str, ...] = ()
    ) -> None:
        self.files = files
        self.strange = strange
        self.empty = empty

    @classmethod
    def of(cls, run: Path) -> AuditedFiles:
        """List the evidence in a run's folder; EvidenceError when a folder cannot be read."""
        files: dict[str, EvidenceFile] = {}
        strange: list[str] = []
        try:
            for path in _below(run):
                name = path.relative_to(run).as_posix()
                if path.is_symlink() or not (path.is_file() or path.is_dir()) or (name in TREES and path.is_file()):
                    strange.append(name)
                elif path.is_file():
                    files[name] = StoredFile(path)
        except OSError as error:
            raise EvidenceError(f"{error.filename}: cannot be read ({error.strerror})") from error
        empty = tuple(f"{tree}/{each}" for tree in TREES if (run / tree).is_dir() for each in empty_folders(run / tree))
        return cls(files, tuple(strange), empty)

    def changed(self, changes: Mapping[str, bytes | None]) -> AuditedFiles:
        """Lay other octets over some names; None takes a file away."""
        files = {name: file for name, file in self.files.items() if changes.get(name, b"") is not None}
        held = {name: HeldFile(data) for name, data in changes.items() if data is not None}
        return AuditedFiles(files | held, self.strange, self.empty)

    def held(self) -> AuditedFiles:
        """Take all of them into memory."""
        return AuditedFiles({name: HeldFile(file.data) for name, file in self.files.items()}, self.strange, self.empty)

    def below(self, folder: str) -> dict[str, EvidenceFile]:
        """Find the files below a folder, by their path in it."""
        start = f"{folder}/"
        return {name.removeprefix(start): file for name, file in self.files.items() if name.startswith(start)}


def _below(run: Path) -> list[Path]:
    """List everything that may be evidence, in order; OSError when a folder cannot be read."""
    found = [run / name for name in (*TREES, *BESIDE) if os.path.lexists(run / name)]
    for tree in [path for path in found if path.is_dir() and not path.is_symlink()]:
        for folder, folders, files in os.walk(tree, onerror=_raise):
            found += [Path(folder) / name for name in (*folders, *files)]
    return sorted(found)


def _raise(error: OSError) -> None:
    raise error

"""Placeholder until the writer is merged."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from rig.errors import EvidenceError


def cannot_write(path: Path, error: OSError) -> EvidenceError:
    return EvidenceError(f"{path}: cannot be written ({error.strerror}); what was written before is kept")


class LineFile:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._given_up = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise cannot_write(path, error) from error

    def line(self, text: str) -> None:
        if self._given_up:
            return
        try:
            data = f"{text}\n".encode()
            while data:
                data = data[self._file.write(data) :]
        except OSError as error:
            self._given_up = True
            raise cannot_write(self.path, error) from error

    def json(self, entry: Mapping[str, Any]) -> None:
        self.line(json.dumps(entry, ensure_ascii=False))

    def close(self) -> None:
        try:
            self._file.close()
        except OSError:
            return


class Appender(Protocol):
    def open(self, path: Path) -> LineFile: ...
    def sync(self) -> None: ...
    def close(self) -> None: ...


class DirectAppender:
    def __init__(self) -> None:
        self._files: list[LineFile] = []

    def open(self, path: Path) -> LineFile:
        self._files.append(LineFile(path))
        return self._files[-1]

    def sync(self) -> None:
        for file in self._files:
            if not file._file.closed:
                os.fsync(file._file.fileno())

    def close(self) -> None:
        for file in self._files:
            file.close()

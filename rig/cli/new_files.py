"""Files that a question writes: new ones, whole or not at all; nothing that is there is overwritten."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from rig.errors import BenchFileError
from rig.record.files import cannot_write


@contextmanager
def asked_file(option: str, path: Path) -> Iterator[TextIO]:
    """Open a new file for an option; it is taken away again where what is to be written breaks off.

    Raises:
        BenchFileError: it is there already.
        EvidenceError: it cannot be written.
    """
    try:
        file = path.open("x", newline="", encoding="utf-8")
    except FileExistsError as error:
        raise BenchFileError(f"{option} {path}: is there already; name a new file") from error
    except OSError as error:
        raise cannot_write(path, error) from error
    try:
        with file:
            yield file
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise cannot_write(path, error) from error
        raise


def write_rows(file: TextIO, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write rows as CSV under the names of the first one's keys; returns how many."""
    count = 0
    writer: csv.DictWriter[str] | None = None
    for row in rows:
        if writer is None:
            writer = csv.DictWriter(file, list(row))
            writer.writeheader()
        writer.writerow(row)
        count += 1
    return count

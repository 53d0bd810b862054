"""This PC's own copy of what was written into run ledgers: it tells when one has lost lines, or when there are two.

A file of lines, one for each that any bench has written into its ledger, with the hash of that. It lies apart from the
bench files, so that whoever cuts a ledger's end, writes it anew, or copies a bench file to begin at number 1 again, is
told of. Not responsible for the ledgers (`rig.run.ledger`); whoever may write this file, too, can change both.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from rig.errors import EvidenceError
from rig.record.files import cannot_write, utc_now
from rig.record.models import Record
from rig.record.strict_json import written_line
from rig.run.ledger_lines import PumpSeen, RunBegun, RunEnded

VARIABLE = "RIG_LEDGER_COPY"
"""Environment variable that names the file; it may lie where the bench's account may append and not rewrite."""
FOLDER, FILE = "insulin-pump-rig", "ledgers.jsonl"


class CopiedLine(Record):
    """What a line of a ledger said: of which run, which pump, in which ledger; and the hash that it has there."""

    ledger: str
    n: int
    entry: str
    sha256: str
    bench: str | None = None
    serial_number: str | None = None
    at_utc: str


@dataclass(frozen=True)
class LedgerCopy:
    """The file, opened for adding to."""

    path: Path
    descriptor: int

    def add(self, ledger: Path, line: RunBegun | PumpSeen | RunEnded, sha256: str) -> None:
        """Add what was written into a ledger, down to the disk; EvidenceError when that fails."""
        copied = CopiedLine(
            ledger=str(ledger.resolve()),
            n=line.n,
            entry=line.entry,
            sha256=sha256,
            bench=line.bench if isinstance(line, RunBegun) else None,
            serial_number=None if isinstance(line, RunEnded) else line.serial_number,
            at_utc=utc_now(),
        )
        try:  # one call: lines of two processes never mix; the end first, as a line before it may be torn
            os.write(self.descriptor, b"\n" + written_line(copied.model_dump(mode="json")))
            os.fsync(self.descriptor)
        except OSError as error:
            raise cannot_write(self.path, error) from error


def copy_file() -> Path:
    """Find the file: as the environment names it, else in the user's folder of state (XDG base directories)."""
    if named := os.environ.get(VARIABLE):
        return Path(named)
    state = os.environ.get("XDG_STATE_HOME")
    try:
        folder = Path(state) if state else Path.home() / ".local" / "state"
    except RuntimeError as error:
        raise EvidenceError(
            f"this account has no home in which a copy of the run ledger could lie; name a file by {VARIABLE}"
        ) from error
    return folder / FOLDER / FILE


@contextmanager
def open_copy() -> Iterator[LedgerCopy]:
    """Open the file for adding to, before anything is written into a ledger; EvidenceError when that fails."""
    path = copy_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise EvidenceError(
            f"{path}: this PC's copy of the run ledger cannot be opened ({error.strerror}), and no run on a bench "
            f"begins without it; name another file by {VARIABLE}"
        ) from error
    try:
        yield LedgerCopy(path, descriptor)
    finally:
        os.close(descriptor)


def read_copy() -> tuple[CopiedLine, ...]:
    """Read what this PC has written into ledgers; lines that are torn are passed over. EvidenceError when it cannot."""
    path = copy_file()
    try:
        texts = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise EvidenceError(f"{path}: this PC's copy of the run ledger cannot be read ({error.strerror})") from error
    found = []
    for text in filter(None, texts):
        try:
            found.append(CopiedLine.model_validate(json.loads(text)))
        except (ValueError, RecursionError, ValidationError):
            continue
    return tuple(found)

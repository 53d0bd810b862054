"""The run ledger of a bench: every start of a run takes the next number, before anything is measured, and keeps it.

An append-only file of JSON lines beside the bench file. A run writes up to three: that it has begun, which pump
answered, how it ended. Not responsible for the form of a line (`rig.run.ledger_lines`), for what follows from them
(`rig.run.ledger_findings`), nor for keeping anybody from writing the whole file anew: the record of each run has the
hash of the line that began it, and this PC a copy of each (`rig.run.ledger_copy`).
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from rig.bench.channels import split
from rig.bench.file import BenchFile
from rig.clock import Deadline, WallClock
from rig.errors import EvidenceError
from rig.record.files import cannot_write
from rig.run.ledger_copy import open_copy
from rig.run.ledger_lines import LedgerLines, PumpSeen, RunBegun, RunEnded, WrittenLine, ledger_line, ledger_lines
from rig.toml_files import read_toml

SUFFIX = ".ledger.jsonl"
LOCKED_S = 10.0
"""For so long a process waits for another that writes a line, which takes some milliseconds."""
_ASK_EVERY_S = 0.01
REFUSED = "refused"
"""Outcome of a start that was given up before anything was measured, and left no folder."""


@dataclass(frozen=True)
class LedgerEntry:
    """A run as the ledger has it: what its lines say together.

    Attributes:
        n: its number on the bench.
        serial_number: of the pump, as it answered, else as the bench file declared it.
        sha256: of the line that began it, which its manifest has, too.
        outcome: None where the ledger has no end of it.
        requirements: the verdict of each requirement in its scope, by id.
        head: of its closed record.
    """

    n: int
    run_id: str
    folder: str
    begun_utc: str
    begun_by: str
    operator: str | None
    serial_number: str | None
    plan: str
    selected: str | None
    formal: bool
    resumes: str | None
    sha256: str
    ended_utc: str | None = None
    outcome: str | None = None
    verdict: str | None = None
    requirements: Mapping[str, str] = field(default_factory=dict)
    head: str | None = None
    bench: str | None = None


@dataclass(frozen=True)
class Ledger:
    """A ledger that was read.

    Attributes:
        runs: by number.
        alterations: in sentences, what shows that it was changed.
        oddities: in sentences, what is odd and was not changed: torn lines, lines of a later version.
        hashes: of its lines.
    """

    path: Path
    runs: tuple[LedgerEntry, ...]
    alterations: tuple[str, ...]
    oddities: tuple[str, ...] = ()
    hashes: frozenset[str] = frozenset()


def ledger_of(bench: Path, spec: BenchFile) -> Path | None:
    """Find where the ledger of a bench stands: as its file says, else beside it; None for a virtual one without.

    Channels of one file share its ledger.
    """
    if spec.simulated and spec.ledger is None:
        return None
    return _place(split(bench)[0], spec.ledger)


def ledger_named_by(path: Path) -> Path:
    """Find the ledger that a bench file has, or take the path for the ledger's own; BenchFileError as `read_toml`."""
    file = split(path)[0]
    if file.suffix != ".toml":
        return path
    named = read_toml(file).get("ledger")
    return _place(file, Path(named) if isinstance(named, str) else None)


def _place(file: Path, named: Path | None) -> Path:
    return file.parent / named if named is not None else file.with_suffix(SUFFIX)


def take_number(path: Path, begun: RunBegun, run: Path) -> tuple[int, str]:
    """Begin a run in the ledger; returns its number and the hash of its line.

    Args:
        path: the ledger, which is made where there is none.
        begun: what is known of the run; its number and folder are filled in here.
        run: its folder.

    Raises:
        EvidenceError: the ledger cannot be written: nothing may be measured without a number.
    """
    folder = os.path.relpath(run.resolve(), path.resolve().parent)
    with open_copy() as copied, _locked(path) as (descriptor, data):
        lines = ledger_lines(data)
        numbered = begun.model_copy(update={"n": lines.next_number, "folder": folder})
        sha256 = _append(path, descriptor, data, lines, numbered)
        copied.add(path, numbered, sha256)
        return numbered.n, sha256


def add_to_ledger(path: Path, line: PumpSeen | RunEnded) -> None:
    """Add what has become known of a run; EvidenceError when the ledger cannot be written."""
    with open_copy() as copied, _locked(path) as (descriptor, data):
        copied.add(path, line, _append(path, descriptor, data, ledger_lines(data), line))


def read_ledger(path: Path) -> Ledger:
    """Read a ledger, however damaged; EvidenceError when there is none or it cannot be read at all."""
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise EvidenceError(f"{path}: there is no run ledger; the first run on a real bench makes it") from error
    except OSError as error:
        raise EvidenceError(f"{path}: cannot be read ({error.strerror})") from error
    read = ledger_lines(data)
    runs: dict[int, LedgerEntry] = {}
    found = list(read.alterations)
    for line in read.lines:
        if line.says is not None:
            found += _take_in(line, line.says, runs)
    numbers = {*runs, *(each.n for each in read.lines if each.says is None)}
    gaps = [n for n in range(1, max(numbers, default=0)) if n not in numbers]
    found += [f"number {n} is missing: a run that took it was taken out of the ledger" for n in gaps]
    hashes = frozenset(each.sha256 for each in read.lines if each.sha256 is not None)
    return Ledger(path, tuple(runs[n] for n in sorted(runs)), tuple(found), read.oddities, hashes)


def runs_of_pump(ledger: Path, serial_number: str) -> tuple[LedgerEntry, ...]:
    """List every run that a ledger has of a pump, in their order; EvidenceError as `read_ledger`."""
    return tuple(each for each in read_ledger(ledger).runs if each.serial_number == serial_number)


def _take_in(line: WrittenLine, says: RunBegun | PumpSeen | RunEnded, runs: dict[int, LedgerEntry]) -> list[str]:
    """Lay what a line says over the runs that are known; returns what is wrong with it."""
    sha256 = line.sha256 or ""
    if isinstance(says, RunBegun):
        if says.n in runs:
            return [f"line {line.number}: number {says.n} was taken before"]
        late = [f"line {line.number}: number {says.n} comes after {max(runs)}"] if runs and says.n < max(runs) else []
        runs[says.n] = LedgerEntry(sha256=sha256, **says.model_dump(exclude={"entry"}))
        return late
    if (run := runs.get(says.n)) is None:
        return [f"line {line.number}: is of run {says.n}, which has not begun in this ledger"]
    if run.outcome is not None:
        return [f"line {line.number}: is of run {says.n}, which had ended before"]
    runs[says.n] = replace(run, **says.model_dump(exclude={"entry", "n"}))
    return []


def _append(path: Path, descriptor: int, data: bytes, lines: LedgerLines, line: RunBegun | PumpSeen | RunEnded) -> str:
    """Write a line behind the others, down to the disk; returns its hash. One that was cut off stays as it is."""
    text, sha256 = ledger_line(line, lines.end)
    try:
        rest = (b"\n" if data and not data.endswith(b"\n") else b"") + text
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    except OSError as error:
        raise cannot_write(path, error) from error
    return sha256


@contextmanager
def _locked(path: Path) -> Iterator[tuple[int, bytes]]:
    """Open the ledger for one process at a time; yields its descriptor and what it holds."""
    try:
        made = not path.exists()
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise _without_ledger(path, error) from error
    try:
        patience = Deadline(clock := WallClock(), LOCKED_S)
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if patience.expired:
                    raise EvidenceError(
                        f"{path}: another process has had the run ledger for {LOCKED_S:g} s; end it, then begin again"
                    ) from error
                clock.sleep(_ASK_EVERY_S)
        if made:
            _sync_folder(path.parent)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise _without_ledger(path, error) from error
        yield descriptor, data
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    """Have a folder's list of files on the disk, where the file system knows such a thing."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _without_ledger(path: Path, error: OSError) -> EvidenceError:
    return EvidenceError(
        f"{path}: the run ledger of the bench cannot be opened ({error.strerror}), and no run on it begins without a "
        "number; name another place with ledger in the bench file"
    )

"""The run ledger of a bench: every start of a run takes the next number, before anything is measured, and keeps it.

An append-only file of JSON lines beside the bench file. Each line carries the hash of the one before it and its own, so
that a line that was changed, taken out or put in is found. A run writes up to three: that it has begun, which pump
answered, how it ended. Not responsible for what follows from them (`rig.run.ledger_findings`), nor for keeping anybody
from writing the whole file anew: the record of each run has the hash of the line that began it.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, TypeAdapter, ValidationError

from rig.bench.channels import split
from rig.bench.file import BenchFile
from rig.clock import Deadline, WallClock
from rig.errors import EvidenceError
from rig.record.closed import with_own_hash
from rig.record.files import cannot_write
from rig.record.models import Record
from rig.toml_files import read_toml

SUFFIX = ".ledger.jsonl"
FIRST = "0" * 64
"""What stands for the hash of the line before the first one."""
LOCKED_S = 10.0
"""For so long a process waits for another that writes a line, which takes some milliseconds."""
_ASK_EVERY_S = 0.01
REFUSED = "refused"
"""Outcome of a start that was given up before anything was measured, and left no folder."""


class RunBegun(Record):
    """A run took number `n` of its bench; `folder` is relative to the ledger's."""

    entry: Literal["begun"] = "begun"
    n: int = Field(ge=1)
    run_id: str
    folder: str
    begun_utc: str
    begun_by: str
    operator: str | None
    serial_number: str | None
    plan: str
    selected: str | None
    formal: bool
    resumes: str | None = None


class PumpSeen(Record):
    """The pump of run `n`, as it answered."""

    entry: Literal["pump"] = "pump"
    n: int = Field(ge=1)
    serial_number: str


class RunEnded(Record):
    """How run `n` ended: its verdict and that of each requirement, and the head of its closed record."""

    entry: Literal["ended"] = "ended"
    n: int = Field(ge=1)
    ended_utc: str
    outcome: str
    verdict: str | None = None
    requirements: dict[str, str] = Field(default_factory=dict)
    head: str | None = None


LedgerLine = Annotated[RunBegun | PumpSeen | RunEnded, Discriminator("entry")]
_LINE: TypeAdapter[RunBegun | PumpSeen | RunEnded] = TypeAdapter(LedgerLine)


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


@dataclass(frozen=True)
class Ledger:
    """A ledger that was read: its runs by number, and in sentences what shows that it was altered or torn."""

    path: Path
    runs: tuple[LedgerEntry, ...]
    alterations: tuple[str, ...]


@dataclass(frozen=True)
class _Written:
    """A line of the file: its number there, what it says, None where it cannot be read, and its own hash."""

    number: int
    says: RunBegun | PumpSeen | RunEnded | None
    content: Mapping[str, Any]
    problem: str | None


def ledger_of(bench: Path, spec: BenchFile) -> Path | None:
    """Find where the ledger of a bench stands: as its file says, else beside it; None for a virtual one without.

    Channels of one file share its ledger.
    """
    if spec.virtual is not None and spec.ledger is None:
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
    with _locked(path) as (descriptor, data):
        lines = _read(data)
        taken = [line.says.n for line in lines if isinstance(line.says, RunBegun)]
        numbered = begun.model_copy(update={"n": max(taken, default=0) + 1, "folder": folder})
        return numbered.n, _append(path, descriptor, data, lines, numbered)


def add_to_ledger(path: Path, line: PumpSeen | RunEnded) -> None:
    """Add what has become known of a run; EvidenceError when the ledger cannot be written."""
    with _locked(path) as (descriptor, data):
        _append(path, descriptor, data, _read(data), line)


def read_ledger(path: Path) -> Ledger:
    """Read a ledger, however damaged; EvidenceError when there is none or it cannot be read at all."""
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise EvidenceError(f"{path}: there is no run ledger; the first run on a real bench makes it") from error
    except OSError as error:
        raise EvidenceError(f"{path}: cannot be read ({error.strerror})") from error
    lines = _read(data)
    runs: dict[int, LedgerEntry] = {}
    found = [line.problem for line in lines if line.problem is not None]
    for line in lines:
        if line.says is not None:
            found += _take_in(line, line.says, runs)
    numbers = sorted(runs)
    gaps = [n for n in range(1, max(numbers, default=0) + 1) if n not in runs]
    found += [f"number {n} is missing: a run that took it was taken out of the ledger" for n in gaps]
    return Ledger(path, tuple(runs[n] for n in numbers), tuple(found))


def runs_of_pump(ledger: Path, serial_number: str) -> tuple[LedgerEntry, ...]:
    """List every run that a ledger has of a pump, in their order; EvidenceError as `read_ledger`."""
    return tuple(each for each in read_ledger(ledger).runs if each.serial_number == serial_number)


def _take_in(line: _Written, says: RunBegun | PumpSeen | RunEnded, runs: dict[int, LedgerEntry]) -> list[str]:
    """Lay what a line says over the runs that are known; returns what is wrong with it."""
    sha256 = str(line.content.get("sha256", ""))
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


def _read(data: bytes) -> list[_Written]:
    """Read every line, with what is wrong with it: not readable, changed, or not following the one before."""
    lines: list[_Written] = []
    previous: str | None = FIRST
    texts = data.split(b"\n")
    for number, text in enumerate(texts, start=1):
        if not text and number == len(texts):  # after the last line's end
            break
        line = _read_line(number, text, previous, cut=number == len(texts))
        lines.append(line)
        own = line.content.get("sha256")
        previous = own if isinstance(own, str) else None
    return lines


def _read_line(number: int, text: bytes, previous: str | None, *, cut: bool) -> _Written:
    try:
        content = json.loads(text)
        says = _LINE.validate_python(content)
        as_written = with_own_hash(content) == content and _text(content) == text
    except (ValueError, RecursionError, ValidationError):
        return _Written(number, None, {}, f"line {number} cannot be read{': it was cut off' if cut else ''}")
    problem = None
    if not as_written:
        problem = f"line {number}, of run {says.n}, was changed after it was written"
    elif previous is not None and content.get("previous") != previous:
        problem = f"line {number}, of run {says.n}, does not follow the line before it: the chain is broken there"
    return _Written(number, says, content, problem)


def _append(
    path: Path, descriptor: int, data: bytes, lines: list[_Written], line: RunBegun | PumpSeen | RunEnded
) -> str:
    """Write a line behind the others, down to the disk; returns its hash. One that was cut off stays as it is."""
    known = [sha256 for each in lines if isinstance(sha256 := each.content.get("sha256"), str)]
    content = with_own_hash({**line.model_dump(mode="json"), "previous": known[-1] if known else FIRST})
    text = _text(content) + b"\n"
    try:
        rest = (b"\n" if data and not data.endswith(b"\n") else b"") + text
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    except OSError as error:
        raise cannot_write(path, error) from error
    return str(content["sha256"])


def _text(content: Mapping[str, Any]) -> bytes:
    """Write a line in the one form that it has."""
    return json.dumps(content, sort_keys=True, ensure_ascii=True, allow_nan=False).encode()


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

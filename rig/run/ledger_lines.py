"""The lines of a run ledger: what each says, in the one form that it has, and which are not as they were written.

Each line carries the hash of the one before it and its own. Not responsible for the file (`rig.run.ledger`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, TypeAdapter, ValidationError

from rig.record.closed import with_own_hash
from rig.record.models import Record

FIRST = "0" * 64
"""What stands for the hash of the line before the first one."""
_TORN = "line {} is cut off: it was torn while it was written, as when the power fails"


class RunBegun(Record):
    """A run took number `n` of the ledger; `folder` is relative to the ledger's, `bench` the name in the bench file."""

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
    bench: str | None = None


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
class WrittenLine:
    """A line of the file.

    Attributes:
        number: in the file, from 1.
        says: None where it cannot be read, or not by this version of the rig.
        content: what it holds; nothing where it cannot be read.
        readable: whether it is JSON, which what is torn never is.
    """

    number: int
    says: RunBegun | PumpSeen | RunEnded | None
    content: Mapping[str, Any] = field(default_factory=dict)
    readable: bool = True

    @property
    def sha256(self) -> str | None:
        """The hash that it carries of itself."""
        own = self.content.get("sha256")
        return own if isinstance(own, str) else None

    @property
    def n(self) -> int:
        """The number of the run that it is of; 0 where it names none."""
        named = self.content.get("n")
        return named if type(named) is int else 0


@dataclass(frozen=True)
class LedgerLines:
    """Every line of a ledger; in sentences what was changed, and what is odd without having been changed."""

    lines: tuple[WrittenLine, ...]
    alterations: tuple[str, ...]
    oddities: tuple[str, ...]

    @property
    def end(self) -> str:
        """The hash that the next line names as that of the one before it."""
        return next((each.sha256 for each in reversed(self.lines) if each.sha256 is not None), FIRST)

    @property
    def next_number(self) -> int:
        """The number that no line has yet, those included that this version of the rig does not understand."""
        return max((each.n for each in self.lines), default=0) + 1


def ledger_lines(data: bytes) -> LedgerLines:
    """Read every line of a ledger, however damaged.

    A line that cannot be read was torn while it was written, as when the power fails, where the next one follows the
    line before it: the rig found it torn. Else it was changed later.
    """
    lines: list[WrittenLine] = []
    changed: list[str] = []
    odd: list[str] = []
    previous = FIRST
    torn: list[int] = []
    texts = data.split(b"\n")
    if not texts[-1]:  # after the last line's end
        texts.pop()
    for number, text in enumerate(texts, start=1):
        line = _read_line(number, text)
        lines.append(line)
        if line.readable and line.sha256 is None:
            changed.append(f"line {number} cannot be read: it was put in")
            continue
        if line.sha256 is None:
            torn.append(number)
            continue
        follows = line.content.get("previous") == previous
        odd += [_TORN.format(each) for each in torn if follows]
        changed += [f"line {each} cannot be read" for each in torn if not follows]
        if (wrong := _wrong(line, text)) is not None:
            changed.append(wrong)
        elif not follows and not torn:
            changed.append(
                f"line {number}, of run {line.n}, does not follow the line before it: the chain is broken there"
            )
        elif line.says is None:
            odd.append(f"line {number} is of a later version of the rig; read the ledger with that one")
        torn, previous = [], str(line.sha256)
    cut = len(texts) if data and not data.endswith(b"\n") else None
    odd += [_TORN.format(each) for each in torn if each == cut]
    changed += [f"line {each} cannot be read" for each in torn if each != cut]
    return LedgerLines(tuple(lines), tuple(changed), tuple(odd))


def ledger_line(line: RunBegun | PumpSeen | RunEnded, previous: str) -> tuple[bytes, str]:
    """Write a line that follows one with the hash `previous`; returns its octets with their end, and its own hash."""
    content = with_own_hash({**line.model_dump(mode="json"), "previous": previous})
    return _text(content) + b"\n", str(content["sha256"])


def _read_line(number: int, text: bytes) -> WrittenLine:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return WrittenLine(number, None, readable=False)
    if not isinstance(content, dict):
        return WrittenLine(number, None)
    try:
        return WrittenLine(number, _LINE.validate_python(content), content)
    except ValidationError:
        return WrittenLine(number, None, content)


def _wrong(line: WrittenLine, text: bytes) -> str | None:
    """Say that a line is not as it was written; None where it is."""
    try:
        as_written = with_own_hash(line.content) == line.content and _text(line.content) == text
    except (ValueError, RecursionError):
        as_written = False
    return None if as_written else f"line {line.number}, of run {line.n}, was changed after it was written"


def _text(content: Mapping[str, Any]) -> bytes:
    """Write a line in the one form that it has."""
    return json.dumps(content, sort_keys=True, ensure_ascii=True, allow_nan=False).encode()

"""What one measurement leaves while it is taken: raw readings by phase, facts, steps; and how it is read back.

    asked.json       which procedure was asked for, with what
    <channel>.csv    raw readings: bench second, phase, values
    facts.jsonl      what was done and answered that is no reading, typed
    steps.jsonl      the same for a reader, in words
    incidents.jsonl  what went wrong meanwhile and ended nothing, such as a gap between readings
    computed/        the numbers derived from the rest of this folder, and from nothing else but the bench file

Not responsible for what is done (`rig.procedures`), nor for tests and runs (`folder`).
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from rig.clock import Clock
from rig.errors import EvidenceError
from rig.record.appending import Appender, LineFile
from rig.record.files import read_json, read_json_lines, write_json
from rig.record.models import Incident

INCIDENTS = "incidents.jsonl"

AnyFact = TypeVar("AnyFact", bound="Fact")


class Fact(BaseModel):
    """Something that was done or answered, at a second of the bench's clock; its class is its name in the record."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    at_s: float


class Asked(BaseModel):
    """Which procedure was asked for: its table, and its parameters in base units with the unit in the name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: str
    parameters: dict[str, Any]


@dataclass(frozen=True)
class Series:
    """Readings in the order of time; arrays of shape (n,): s on the bench's clock, g, kPa."""

    at_s: NDArray[np.float64]
    mass_g: NDArray[np.float64]
    pressure_kpa: NDArray[np.float64]

    def part(self, chosen: NDArray[np.bool_] | slice) -> Series:
        """Choose some of the readings."""
        return Series(self.at_s[chosen], self.mass_g[chosen], self.pressure_kpa[chosen])


def joined(*parts: Series) -> Series:
    """Put readings of several phases one after the other."""
    return Series(
        np.concatenate([part.at_s for part in parts]),
        np.concatenate([part.mass_g for part in parts]),
        np.concatenate([part.pressure_kpa for part in parts]),
    )


def _no_one(entry: Mapping[str, Any]) -> None:
    """Tell nobody."""


class Recorder:
    """Where a measurement that is being taken writes to.

    Args:
        folder: of this measurement, new.
        clock: the bench's.
        appender: writes the files.
        tell: hands what a person watching wants to see to whoever shows it.
    """

    def __init__(
        self, folder: Path, clock: Clock, appender: Appender, tell: Callable[[Mapping[str, Any]], None] = _no_one
    ) -> None:
        self.folder = folder
        self._clock = clock
        self._appender = appender
        self._tell = tell
        self._steps: LineFile | None = None
        self._facts: LineFile | None = None
        self._incidents: LineFile | None = None
        self._channels: dict[str, tuple[tuple[str, ...], LineFile]] = {}

    def asked(self, asked: Asked) -> None:
        """Keep which procedure was asked for."""
        write_json(self.folder / "asked.json", asked.model_dump(mode="json"))

    def step(self, text: str, **fields: float | int | str | bool | None) -> None:
        """Record what is being done in words, at the bench's second."""
        if self._steps is None:
            self._steps = self._appender.open(self.folder / "steps.jsonl")
        self._steps.json({"at_s": self._clock.now(), "step": text, **fields})
        self.progress(text)

    def progress(self, text: str, **values: float) -> None:
        """Tell a person watching what is going on; values carry their unit in the name."""
        self._tell({"at_s": self._clock.now(), "doing": text, **values})

    def fact(self, fact: Fact) -> None:
        """Keep a fact that the numbers are computed from."""
        if self._facts is None:
            self._facts = self._appender.open(self.folder / "facts.jsonl")
        self._facts.json({"fact": type(fact).__name__, **fact.model_dump(mode="json")})

    def incident(self, of_whom: str, what: str) -> None:
        """Keep what went wrong and ended nothing: of whom, and a sentence on it."""
        if self._incidents is None:
            self._incidents = self._appender.open(self.folder / INCIDENTS)
        self._incidents.json(Incident(at_s=self._clock.now(), of_whom=of_whom, what=what).model_dump(mode="json"))
        self.progress(f"{of_whom}: {what}")

    def sample(self, channel: str, phase: str, **values: float | bool) -> None:
        """Append one reading to a channel's CSV; the first one fixes the columns."""
        names = ("at_s", "phase", *values)
        if channel not in self._channels:
            file = self._appender.open(self.folder / f"{channel}.csv")
            file.line(",".join(names))
            self._channels[channel] = (names, file)
        columns, file = self._channels[channel]
        if names != columns:
            raise ValueError(f"channel {channel} has the columns {columns}, got {names}")
        file.line(",".join([repr(self._clock.now()), phase, *[_cell(value) for value in values.values()]]))

    def sync(self) -> None:
        """Bring everything that was accepted so far to the disk, where it can be read back."""
        self._appender.sync()

    def close(self) -> None:
        """Close the files."""
        for file in (self._steps, self._facts, self._incidents, *(file for _, file in self._channels.values())):
            if file is not None:
                file.close()


def _cell(value: float | bool) -> str:
    return str(int(value)) if isinstance(value, bool | np.bool_) else repr(float(value))  # a driver may give numpy's


@dataclass(frozen=True)
class Taken:
    """What a measurement left while it was taken, read back."""

    folder: Path
    _channels: dict[str, _Channel] = field(repr=False)
    _facts: tuple[dict[str, Any], ...] = field(repr=False)

    def asked(self) -> Asked:
        """Read which procedure was asked for."""
        path = self.folder / "asked.json"
        try:
            return Asked.model_validate(read_json(path))
        except ValidationError as error:
            raise EvidenceError(f"{path}: does not say which procedure was asked for: {error}") from error

    def series(self, *phases: str) -> Series:
        """Read mass and pressure of these phases, in the order of time.

        A balance's reading without the sensor's that belongs to it was cut off, and is left out.

        Raises:
            EvidenceError: the record has no reading of one of them.
        """
        balance, pressure = self._channel("balance"), self._channel("pressure")
        both = min(len(balance.phase), len(pressure.phase))
        chosen = np.isin(balance.phase[:both], phases)
        missing = set(phases).difference(balance.phase[:both].tolist())
        if missing:
            raise EvidenceError(f"{self.folder}: holds no readings of {', '.join(p for p in phases if p in missing)}")
        return Series(
            balance.values["at_s"][:both][chosen],
            balance.values["mass_g"][:both][chosen],
            pressure.values["pressure_kpa"][:both][chosen],
        )

    @property
    def phases(self) -> tuple[str, ...]:
        """The phases under which the balance was read, in their order."""
        return tuple(dict.fromkeys(self._channel("balance").phase.tolist()))

    def values(self, channel: str, phase: str) -> dict[str, NDArray[np.float64]]:
        """Read every column of a channel in a phase, by name; EvidenceError when the record has no such reading."""
        found = self._channel(channel)
        chosen = found.phase == phase
        if not chosen.any():
            raise EvidenceError(f"{self.folder}: holds no readings of {phase} in {channel}.csv")
        return {name: column[chosen] for name, column in found.values.items()}

    def every(self, channel: str) -> dict[str, NDArray[np.float64]] | None:
        """Read every column of a channel in all phases, by name; None where the measurement never read it."""
        found = self._channels.get(channel)
        return None if found is None else dict(found.values)

    def facts(self, kind: type[AnyFact]) -> tuple[AnyFact, ...]:
        """Read the facts of one kind, in their order; EvidenceError when one is damaged."""
        found = [fact for fact in self._facts if fact.get("fact") == kind.__name__]
        try:
            return tuple(kind.model_validate({k: v for k, v in fact.items() if k != "fact"}) for fact in found)
        except ValidationError as error:
            raise EvidenceError(f"{self.folder / 'facts.jsonl'}: a {kind.__name__} is damaged: {error}") from error

    def the(self, kind: type[AnyFact]) -> AnyFact:
        """Read the only fact of one kind; EvidenceError when there is none, or more than one."""
        return self.exactly(1, kind)[0]

    def exactly(self, count: int, kind: type[AnyFact]) -> tuple[AnyFact, ...]:
        """Read the facts of one kind, of which there must be so many; EvidenceError when there are not."""
        found = self.facts(kind)
        if len(found) != count:
            raise EvidenceError(f"{self.folder / 'facts.jsonl'}: holds {len(found)} {kind.__name__}, not {count}")
        return found

    def _channel(self, name: str) -> _Channel:
        if name not in self._channels:
            raise EvidenceError(f"{self.folder / name}.csv: the file is missing from the run folder")
        return self._channels[name]


@dataclass(frozen=True)
class _Channel:
    phase: NDArray[np.str_]
    values: dict[str, NDArray[np.float64]]


def read_taken(folder: Path) -> Taken:
    """Read what a measurement left while it was taken; EvidenceError when a file is damaged."""
    channels = {path.stem: _read_channel(path) for path in sorted(folder.glob("*.csv"))}
    return Taken(folder, channels, tuple(read_json_lines(folder / "facts.jsonl")))


def _read_channel(path: Path) -> _Channel:
    """Read a channel's CSV; a last line that was cut off is left out."""
    try:
        whole = path.read_text(encoding="utf-8").rpartition("\n")[0]
        names, *rows = csv.reader(whole.split("\n"))
        place = names.index("phase")
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
        if len(columns) != len(names):
            raise ValueError(f"the rows have {len(columns)} cells, the header has {len(names)}")
        values = {name: np.array(columns[n], dtype=float) for n, name in enumerate(names) if n != place}
    except (OSError, ValueError) as error:
        raise EvidenceError(f"{path}: cannot be read as a table of readings: {error}") from error
    return _Channel(np.array(columns[place], dtype=str), values)

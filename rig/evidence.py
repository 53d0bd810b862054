"""The append-only record of a run: a folder that is complete up to the last line written, whatever happens next.

    manifest.json              what was tested, with what, by which software; started and ended when (UTC)
    tests.jsonl                tests collected, started, measured, ended
    steps.jsonl                what the procedures did, at which second of the bench's clock
    progress.jsonl             what a person watching wants to see
    samples/<test>/*.csv       raw readings
    analysis/<test>/*.json     numbers computed from them
    wire/<test>.log            every byte to and from every device

Not responsible for verdicts (`rig.results`) nor for documents (`reports`). Only the manifest holds wall time, so that
two runs of one virtual bench and seed leave the same bytes in every other file.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rig.clock import Clock
from rig.errors import EvidenceError
from rig.limits import Measurement


def utc_now() -> str:
    """Get the UTC time as the manifest writes it, to the second."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def slug(test_id: str) -> str:
    """Make a file name out of a test's id: `suites/pump/test_a.py::test_x[0.1 U]` becomes `test_a-test_x-0.1_U`."""
    file, colons, case = test_id.partition("::")  # a slash in the case belongs to its name: "At 1 U/h"
    name = f"{file.rsplit('/', 1)[-1]}{colons}{case}".replace("::", "-").replace("[", "-").replace("]", "")
    name = re.sub(r"[^\w.+-]+", "_", name)
    return re.sub(r"\.(py|robot)\b", "", name)


class AppendOnlyFile:
    """A text file that only grows; each line is handed to the operating system before the next is accepted.

    The first line that the disk does not take raises EvidenceError, which ends the test; later ones are dropped, so
    that a full disk cannot keep anyone from making the bench safe.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._given_up = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise _cannot_write(path, error) from error

    def line(self, text: str) -> None:
        """Append one line; EvidenceError when the disk does not take it, for the first time."""
        if self._given_up:
            return
        try:
            data = f"{text}\n".encode()
            while data:  # a disk that is nearly full takes a part
                data = data[self._file.write(data) :]
        except OSError as error:
            self._given_up = True
            raise _cannot_write(self.path, error) from error

    def json(self, entry: Mapping[str, Any]) -> None:
        """Append one JSON object."""
        self.line(json.dumps(entry, ensure_ascii=False))

    def close(self) -> None:
        """Close the file; what a full disk still refuses was reported when it was written."""
        try:
            self._file.close()
        except OSError:
            return


class RunFolder:
    """One run's folder; several processes may append to it one after the other."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not (path / "manifest.json").is_file():
            raise EvidenceError(f"{path}: there is no manifest.json, so this is no run folder")

    @classmethod
    def create(cls, path: Path, manifest: Mapping[str, Any]) -> RunFolder:
        """Start a run in a new folder; EvidenceError when it already holds one."""
        if (path / "manifest.json").exists():
            raise EvidenceError(f"{path}: holds a run already; name another folder, a record is never overwritten")
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _cannot_write(path, error) from error
        write_json(path / "manifest.json", manifest)
        return cls(path)

    def manifest(self) -> dict[str, Any]:
        """Read the manifest."""
        return read_json(self.path / "manifest.json")

    def end(self, outcome: str) -> None:
        """State in the manifest how and when the run ended."""
        write_json(self.path / "manifest.json", {**self.manifest(), "ended_utc": utc_now(), "outcome": outcome})

    def collected(self, test_id: str, title: str, requirements: Sequence[str]) -> None:
        """Declare a test that this run is going to do."""
        self._event({"event": "collected", "test": test_id, "title": title, "requirements": list(requirements)})

    def test(self, test_id: str, clock: Clock) -> TestRecorder:
        """Start a test."""
        return TestRecorder(self.path, test_id, clock)

    def wire_log(self, test_id: str) -> WireLog:
        """Start the log of the bytes that a test exchanges."""
        return WireLog(self.path / "wire" / f"{slug(test_id)}.log")

    def failed_before_start(self, test_id: str, message: str) -> None:
        """State that a test could not begin because of the rig."""
        self._event({"event": "end", "test": test_id, "outcome": "error", "message": message, "duration_s": 0.0})

    def events(self) -> list[dict[str, Any]]:
        """Read what tests.jsonl holds; a last line that was cut off is left out."""
        return read_json_lines(self.path / "tests.jsonl")

    def _event(self, entry: Mapping[str, Any]) -> None:
        file = AppendOnlyFile(self.path / "tests.jsonl")
        file.json(entry)
        file.close()


class TestRecorder:
    """What one test leaves behind."""

    __test__ = False  # pytest: this is no test class

    def __init__(self, run: Path, test_id: str, clock: Clock) -> None:
        self.test_id = test_id
        self.slug = slug(test_id)
        self._run = run
        self._clock = clock
        self._started_s = clock.now()
        self._tests = AppendOnlyFile(run / "tests.jsonl")
        self._steps = AppendOnlyFile(run / "steps.jsonl")
        self._progress = AppendOnlyFile(run / "progress.jsonl")
        self._samples: dict[str, tuple[tuple[str, ...], AppendOnlyFile]] = {}
        self._tests.json({"event": "start", "test": test_id})

    def step(self, text: str, **fields: float | int | str | bool | None) -> None:
        """Record what is being done, at the bench's second."""
        self._steps.json({"at_s": self._clock.now(), "test": self.test_id, "step": text, **fields})
        self.progress(text)

    def progress(self, text: str, **values: float) -> None:
        """Tell a person watching what is going on; values carry their unit in the name."""
        self._progress.json({"at_s": self._clock.now(), "test": self.test_id, "doing": text, **values})

    def sample(self, channel: str, **values: float | bool) -> None:
        """Append one reading to a channel's CSV; the first one fixes the columns."""
        names = ("at_s", *values)
        if channel not in self._samples:
            file = AppendOnlyFile(self._run / "samples" / self.slug / f"{channel}.csv")
            file.line(",".join(names))
            self._samples[channel] = (names, file)
        columns, file = self._samples[channel]
        if names != columns:
            raise ValueError(f"channel {channel} has the columns {columns}, got {names}")
        file.line(",".join([_cell(value) for value in (self._clock.now(), *values.values())]))

    def measure(self, requirement: str | None, measurement: Measurement) -> None:
        """Record a measured value for a requirement, or for none."""
        self._tests.json(
            {
                "event": "measurement",
                "test": self.test_id,
                "requirement": requirement,
                "name": measurement.name,
                "value": measurement.value,
                "unit": measurement.unit,
                "expanded_uncertainty": measurement.expanded_uncertainty,
            }
        )

    def analysis(self, name: str, kind: str, content: Mapping[str, Any]) -> None:
        """Keep computed numbers as `analysis/<test>/<name>.json`."""
        write_json(self._run / "analysis" / self.slug / f"{name}.json", {"kind": kind, **content})

    def end(self, outcome: str, message: str | None = None) -> None:
        """End the test: outcome `passed`, `failed`, `error` or `not applicable`, and why."""
        duration_s = self._clock.now() - self._started_s
        self._tests.json(
            {"event": "end", "test": self.test_id, "outcome": outcome, "message": message, "duration_s": duration_s}
        )
        self.close()

    def close(self) -> None:
        """Close the files."""
        for file in (
            self._tests,
            self._steps,
            self._progress,
            *(file for _, file in self._samples.values()),
        ):
            file.close()


class WireLog:
    """Every byte to and from every device, one message a line. Fulfils `rig.wire.ByteLog`."""

    def __init__(self, path: Path) -> None:
        self._file = AppendOnlyFile(path)

    def wire(self, at_s: float, device: str, direction: str, data: bytes) -> None:
        """Keep bytes that went ">" to or came "<" from `device`."""
        self._file.line(f"{at_s:.6f}\t{device}\t{direction}\t{data.hex(' ')}")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file whole or not at all; EvidenceError when the disk does not take it."""
    partial = path.with_suffix(".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise _cannot_write(path, error) from error


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; EvidenceError when it is missing or damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise EvidenceError(f"{path}: the file is missing from the run folder") from error
    except (OSError, ValueError) as error:
        raise EvidenceError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(content, dict):
        raise EvidenceError(f"{path}: holds no JSON object")
    return content


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """Read a file of JSON objects, one a line; a last line that was cut off is left out, any other damage raises."""
    if not path.exists():
        return []
    entries = []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    for number, line in enumerate(lines, start=1):
        try:
            entries.append(json.loads(line))
        except ValueError as error:
            if number == len(lines) and not line.endswith("\n"):
                break
            raise EvidenceError(f"{path}: line {number} cannot be read as JSON: {error}") from error
    return entries


def _cell(value: float | bool) -> str:
    return str(int(value)) if isinstance(value, bool) else repr(value)


def _cannot_write(path: Path, error: OSError) -> EvidenceError:
    return EvidenceError(f"{path}: cannot be written ({error.strerror}); what was written before is kept")

"""A run folder, read back and checked: everything that may be said of a run comes from here.

Opens no bench, writes nothing. Reads the present format and the ones before it. Not responsible for what the files
must hold (`manifest`, `results`, `analyses`, `taking`).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rig.errors import EvidenceError
from rig.record.analyses import Analysis, Other, model_of
from rig.record.closed import CLOSING, listed_files, refuse_altered, refuse_links, sums
from rig.record.files import read_json
from rig.record.folder import RECORD, Attempt, RunFolder, read_model
from rig.record.format_1 import read_format_1
from rig.record.manifest import ListedFile, Manifest
from rig.record.results import Results
from rig.record.rows import ROWS, RowSums
from rig.record.seal import SEAL, Seal
from rig.record.taking import Asked


@dataclass(frozen=True)
class RecordedAir:
    """Lowest and highest temperature in °C, pressure in hPa and relative humidity (0..1) that a test noted."""

    temperature_c: tuple[float, float]
    pressure_hpa: tuple[float, float]
    relative_humidity: tuple[float, float]


@dataclass(frozen=True)
class RecordFile:
    """A file of the record: its path below the run folder, bytes, and SHA-256."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class TestAnalysis:
    """Computed numbers, and the test and attempt that they are of."""

    __test__ = False  # pytest: this is no test class

    test: str
    attempt: int
    analysis: Analysis


@dataclass(frozen=True)
class Run:
    """A whole run. `analyses` are in the order of the tests; `air` is by test id; `files` are those of the record."""

    folder: Path
    manifest: Manifest
    results: Results
    analyses: tuple[TestAnalysis, ...]
    air: dict[str, RecordedAir]
    files: tuple[RecordFile, ...]


def read_run(folder: Path, *, strict: bool = False) -> Run:
    """Read and check a run folder of any format. What was closed is held against the list that its closing holds.

    Args:
        folder: of the run.
        strict: refuse keys that the models do not know, too.

    Raises:
        EvidenceError: one sentence on the first file that is missing, damaged, contradicts itself, or was changed since
            the run was closed.
    """
    if not folder.is_dir():
        raise EvidenceError(f"{folder}: there is no such run folder")
    refuse_links(folder)
    if not (folder / RECORD).is_dir() and (folder / "inputs").is_dir() and (folder / "manifest.json").is_file():
        raise EvidenceError(f"{folder}: is the record in a run's folder; name the folder that it lies in")
    if not (folder / RECORD).is_dir() and (folder / "manifest.json").is_file():
        old = read_format_1(folder)
        return Run(
            folder=folder,
            manifest=old.manifest,
            results=old.results,
            analyses=tuple(TestAnalysis(test, 1, _analysis(path)) for test, path in old.analyses),
            air={test: air for test, path in old.environments.items() if (air := _air([path])) is not None},
            files=tuple(_file(folder, path) for path in old.files),
        )
    run = RunFolder(folder)
    files = _files(run)
    manifest = run.manifest(strict=strict)
    _refuse_other_inputs(run, manifest, files)
    _refuse_lost_declarations(run)
    if manifest.reason is not None and "results.json" not in files:
        raise EvidenceError(f"{folder}: the run has no results: {manifest.reason}")
    results = read_model(run.record / "results.json", Results, strict=strict)
    attempts = run.attempts(strict=strict)
    if strict:
        if ROWS in files:
            read_model(run.record / ROWS, RowSums, strict=True)
        for attempt in attempts:
            attempt.measured(strict=True)
            if (attempt.folder / SEAL).is_file():
                read_model(attempt.folder / SEAL, Seal, strict=True)
            for taken in attempt.measurements:
                read_model(taken / "asked.json", Asked, strict=True)
    analyses = [
        TestAnalysis(attempt.collected.test, attempt.number, _analysis(path, strict=strict))
        for attempt in attempts
        for path in _computed(attempt)
    ]
    return Run(
        folder=folder,
        manifest=manifest,
        results=results,
        analyses=tuple(analyses),
        air=_airs(attempts),
        files=tuple(
            RecordFile(f"{RECORD}/{name}", file.size, file.sha256)
            for name, file in sorted(files.items(), key=lambda each: run.record / each[0])
        ),
    )


def _files(run: RunFolder) -> dict[str, ListedFile]:
    """List the files of a record; EvidenceError on the first that is not as it was when the run was closed."""
    files = listed_files(run.record)
    closing = run.closing()
    if closing is None:
        return files
    refuse_altered(run.record, closing.files, files)
    return files | {CLOSING: sums(run.record / CLOSING)}


def _refuse_other_inputs(run: RunFolder, manifest: Manifest, files: Mapping[str, ListedFile]) -> None:
    """Refuse inputs that are not those that the manifest names, unless the closing says that they were changed."""
    closing = run.closing()
    known = closing.changed_inputs if closing is not None else ()
    found = {name.removeprefix("inputs/"): file.sha256 for name, file in files.items() if name.startswith("inputs/")}
    for name in sorted(found.keys() | manifest.inputs):
        if found.get(name) != manifest.inputs.get(name) and name not in known:
            how = "is missing" if name not in found else "was changed or added after the run began"
            raise EvidenceError(f"{run.inputs / name}: the frozen input {how}")


def _refuse_lost_declarations(run: RunFolder) -> None:
    """Refuse tests without the list of what was declared, in a run that was never closed."""
    path = run.record / "collected.jsonl"
    if not path.is_file() and any(run.record.glob("tests/*")):
        raise EvidenceError(f"{path}: the file is missing from the run folder")


def _computed(attempt: Attempt) -> list[Path]:
    """List the analyses of an attempt, measurement by measurement."""
    return [
        path
        for folder in attempt.measurements
        for path in sorted((folder / "computed").glob("*.json"))
        if path.name != "measured.json"
    ]


def _airs(attempts: list[Attempt]) -> dict[str, RecordedAir]:
    paths: dict[str, list[Path]] = {}
    for attempt in attempts:
        paths.setdefault(attempt.collected.test, []).extend(
            folder / "environment.csv" for folder in attempt.measurements
        )
    return {test: air for test, found in paths.items() if (air := _air(found)) is not None}


def _analysis(path: Path, *, strict: bool = False) -> Analysis:
    content = read_json(path)
    model = model_of(content.get("kind"))
    if model is Other:
        return Other.of(content)
    return read_model(path, model, strict=strict)


def _air(paths: list[Path]) -> RecordedAir | None:
    """Read what a test noted of the air; None when it noted nothing. A last line that was cut off is left out."""
    names = ("temperature_c", "pressure_hpa", "relative_humidity")
    rows: list[list[float]] = []
    for path in (each for each in paths if each.is_file()):
        try:
            whole = path.read_text(encoding="utf-8").rpartition("\n")[0]
            rows += [[float(row[name]) for name in names] for row in csv.DictReader(whole.split("\n"))]
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise EvidenceError(f"{path}: cannot be read as a table of numbers: {error}") from error
    return RecordedAir(*((min(column), max(column)) for column in zip(*rows, strict=True))) if rows else None


def _file(folder: Path, path: Path) -> RecordFile:
    file = sums(path)
    return RecordFile(path.relative_to(folder).as_posix(), file.size, file.sha256)

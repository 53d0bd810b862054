"""A run folder, read back and checked: everything a report may say comes from here.

Opens no bench, writes nothing. Not responsible for what the files must hold (`reports.record`, `reports.analyses`).
"""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from reports.analyses import Analysis, Other, model_of
from reports.record import Manifest, Results
from rig.errors import EvidenceError
from rig.evidence import read_json, slug
from rig.validation import explain

RECORD = ("manifest.json", "results.json", "tests.jsonl", "steps.jsonl", "samples", "analysis", "wire")
"""What of a run folder is its record; the rest (runner logs, progress, this report) tells nothing that these do not."""


@dataclass(frozen=True)
class Air:
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
class Run:
    """A whole run. `analyses` are (test id or folder name, numbers); `air` is by test id."""

    folder: Path
    manifest: Manifest
    results: Results
    analyses: tuple[tuple[str, Analysis], ...]
    air: dict[str, Air]
    files: tuple[RecordFile, ...]


def read_run(folder: Path) -> Run:
    """Read and check a run folder.

    Raises:
        EvidenceError: one sentence on the first file that is missing, damaged, or contradicts itself.
    """
    if not folder.is_dir():
        raise EvidenceError(f"{folder}: there is no such run folder")
    manifest = _read(folder / "manifest.json", Manifest)
    results = _read(folder / "results.json", Results)
    tests = {slug(test.id): test.id for test in results.tests}
    paths = sorted((folder / "analysis").glob("*/*.json"), key=lambda path: _place(path, list(tests)))
    return Run(
        folder=folder,
        manifest=manifest,
        results=results,
        analyses=tuple((tests.get(path.parent.name, path.parent.name), _analysis(path)) for path in paths),
        air={test: air for name, test in tests.items() if (air := _air(folder / "samples" / name)) is not None},
        files=tuple(_file(folder, path) for path in _record_files(folder)),
    )


_Model = TypeVar("_Model", bound=BaseModel)


def _read(path: Path, model: type[_Model]) -> _Model:
    content = read_json(path)
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise EvidenceError(explain(path, error, model, content)) from error


def _analysis(path: Path) -> Analysis:
    content = read_json(path)
    model = model_of(content.get("kind"))
    if model is Other:
        return Other.of(content)
    return _read(path, model)


def _place(path: Path, slugs: list[str]) -> tuple[int, str]:
    """Get the place of an analysis in the report: in the order of the tests."""
    name = path.parent.name
    return (slugs.index(name) if name in slugs else len(slugs), str(path))


def _air(folder: Path) -> Air | None:
    """Read what a test noted of the air; None when it noted nothing. A last line that was cut off is left out."""
    path = folder / "environment.csv"
    if not path.is_file():
        return None
    try:
        lines = [line for line in path.read_text(encoding="utf-8").splitlines(keepends=True) if line.endswith("\n")]
        rows = [{key: float(cell) for key, cell in row.items()} for row in csv.DictReader(lines)]
        columns = [[row[name] for row in rows] for name in ("temperature_c", "pressure_hpa", "relative_humidity")]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise EvidenceError(f"{path}: cannot be read as a table of numbers: {error}") from error
    return Air(*((min(column), max(column)) for column in columns)) if rows else None


def _record_files(folder: Path) -> list[Path]:
    found = [path for name in RECORD for path in [folder / name, *(folder / name).rglob("*")] if path.is_file()]
    return sorted(found, key=lambda path: (RECORD.index(path.relative_to(folder).parts[0]), path.as_posix()))


def _file(folder: Path, path: Path) -> RecordFile:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise EvidenceError(f"{path}: cannot be read ({error.strerror})") from error
    return RecordFile(path.relative_to(folder).as_posix(), len(data), hashlib.sha256(data).hexdigest())

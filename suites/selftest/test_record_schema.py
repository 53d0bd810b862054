"""The published JSON schema is that of the models, and a real run keeps it; no key of a run is unknown."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from rig.errors import EvidenceError
from rig.record.files import read_json, read_json_lines
from rig.record.reading import read_run
from rig.record.schema import PUBLISHED, schemas, written_schema
from suites.selftest.recorded import change, sealed

FILES = {
    "manifest": "manifest.json",
    "bench_check": "bench_check.json",
    "collected": "collected.jsonl",
    "event": "tests/*/*/events.jsonl",
    "asked": "tests/*/*/*/asked.json",
    "fact": "tests/*/*/*/facts.jsonl",
    "step": "tests/*/*/*/steps.jsonl",
    "invariants": "tests/*/*/invariants.json",
    "measured": "tests/*/*/*/computed/measured.json",
    "computed": "tests/*/*/*/computed/*.json",
    "results": "results.json",
    "closing": "closing.json",
    "seal": "tests/*/*/seal.json",
    "rows": "rows.json",
}


def test_the_published_schema_is_up_to_date() -> None:
    made = {f"{name}.schema.json": written_schema(schema) for name, schema in schemas().items()}
    assert {path.name: path.read_bytes() for path in PUBLISHED.glob("*.schema.json")} == made


def contents(record: Path, name: str) -> Iterator[dict[str, Any]]:
    for path in sorted(record.glob(FILES[name])):
        if name == "computed" and path.name == "measured.json":
            continue
        yield from read_json_lines(path) if path.suffix == ".jsonl" else [read_json(path)]


@pytest.mark.parametrize("name", FILES)
def test_a_real_run_keeps_the_schema(recorded: Path, name: str) -> None:
    schema = json.loads((PUBLISHED / f"{name}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    found = list(contents(recorded / "record", name))
    assert found
    for content in found:
        validator.validate(content)
        first = next(iter(content))
        wrong = {key: value for key, value in content.items() if key != first}
        assert not validator.is_valid(wrong), f"{first} may be left out"


def test_every_json_file_of_a_real_run_has_a_schema(recorded: Path) -> None:
    record = recorded / "record"
    known = {path for pattern in FILES.values() for path in record.glob(pattern)}
    inputs = set((record / "inputs").rglob("*"))
    assert set(record.rglob("*.json*")) - inputs == known


def test_a_run_just_written_has_no_unknown_key(recorded: Path) -> None:
    assert read_run(recorded, strict=True).manifest.format == 3


@pytest.mark.parametrize("pattern", [pattern for name, pattern in FILES.items() if name not in ("fact", "step")])
def test_an_unknown_key_is_passed_over_by_readers_and_refused_by_strict_ones(run: Path, pattern: str) -> None:
    path = next((run / "record").glob(pattern))
    if path.suffix == ".jsonl":
        lines = [json.dumps(entry | {"later": 1}) for entry in read_json_lines(path)]
        path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    else:
        change(path, later=1)
    sealed(run)
    read_run(run)
    with pytest.raises(EvidenceError, match=rf"{path.name}: later is not a known key"):
        read_run(run, strict=True)


def test_a_copy_beside_an_attempt_is_no_attempt(run: Path) -> None:
    attempts = next((run / "record").glob("tests/*"))
    shutil.copytree(attempts / "1", attempts / "1 (copy)")
    shutil.copytree(next(attempts.glob("1/*/")), attempts / "1" / "copy-of it")
    sealed(run)
    assert len(read_run(run, strict=True).results.tests) == 4


def test_a_run_of_format_1_is_read_with_every_value_and_analysis(old_run: Path) -> None:
    run = read_run(old_run)
    assert (run.manifest.format, run.results.format) == (1, 1)
    written_results = read_json(old_run / "results.json")
    values = [each["value"] for row in written_results["requirements"] for each in row["measurements"]]
    assert [each.value for row in run.results.requirements for each in row.measurements] == values
    assert [each.value for each in run.results.reported] == [each["value"] for each in written_results["reported"]]
    assert len(run.analyses) == len(list(old_run.glob("analysis/*/*.json")))
    assert set(run.air) == {test.id for test in run.results.tests}

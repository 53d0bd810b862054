"""Runs of format 1, up to November 2026, read into today's models.

Their measurements have names and no quantities; their samples have no phases, so that nothing is computed from them
again. Nothing writes this format any more. Not responsible for today's format (`reading`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rig.errors import EvidenceError
from rig.record.files import read_json, read_json_lines, slug
from rig.record.folder import checked, read_model
from rig.record.manifest import Manifest
from rig.record.results import JudgedRecord, ReportedRecord, Results

RECORD_1 = ("manifest.json", "results.json", "tests.jsonl", "steps.jsonl", "samples", "analysis", "wire")
"""What of a run folder was its record; the rest (runner logs, progress, reports) tells nothing that these do not."""


@dataclass(frozen=True)
class Format1:
    """A run of format 1: `analyses` and `environments` are files by test id, in the order of the tests."""

    manifest: Manifest
    results: Results
    analyses: list[tuple[str, Path]]
    environments: dict[str, Path]
    files: list[Path]


def read_format_1(folder: Path) -> Format1:
    """Read a run folder of format 1; EvidenceError on the first file that is missing or damaged."""
    manifest = read_model(folder / "manifest.json", Manifest)
    path = folder / "results.json"
    content = read_json(path)
    try:
        content = _with_quantities(content)
    except (KeyError, TypeError, AttributeError) as error:
        raise EvidenceError(f"{path}: is no results file of format 1 ({type(error).__name__}: {error})") from error
    results = checked(path, content, Results)
    _refuse_other_results(path, results, read_json_lines(folder / "tests.jsonl"))
    tests = {slug(test.id): test.id for test in results.tests}
    analyses = sorted((folder / "analysis").glob("*/*.json"), key=lambda each: _place(each, list(tests)))
    found = [each for name in RECORD_1 for each in [folder / name, *(folder / name).rglob("*")] if each.is_file()]
    return Format1(
        manifest=manifest,
        results=results,
        analyses=[(tests.get(each.parent.name, each.parent.name), each) for each in analyses],
        environments={test: folder / "samples" / name / "environment.csv" for name, test in tests.items()},
        files=sorted(found, key=lambda each: (RECORD_1.index(each.relative_to(folder).parts[0]), each.as_posix())),
    )


def _with_quantities(content: dict[str, Any]) -> dict[str, Any]:
    """Put the quantity that today's models want in the place of a name and a unit."""

    def measured(entry: Mapping[str, Any]) -> dict[str, Any]:
        quantity = {"kind": "", "parameters": {}, "unit": entry["unit"], "name": entry["name"]}
        return {"quantity": quantity, **{key: value for key, value in entry.items() if key not in ("name", "unit")}}

    rows = [
        {**row, "measurements": [measured(entry) for entry in row["measurements"]]} for row in content["requirements"]
    ]
    return {
        **content,
        "requirements": rows,
        "reported": [measured(entry) for entry in content.get("reported", ())],
    }


def _refuse_other_results(path: Path, results: Results, events: Sequence[Mapping[str, Any]]) -> None:
    """Refuse results that are not what the tests wrote down, as far as a run of format 1 still has what they wrote."""
    if not events:
        return
    then = {(row.id, *_values(each)) for row in results.requirements for each in row.measurements}
    then |= {(None, *_values(each)) for each in results.reported}
    now = {_noted(event) for event in events if event.get("event") == "measurement"}
    for where, values in (("", then - now), ("tests.jsonl", now - then)):
        if values:
            requirement, test, name, value, u, unit = min(values, key=str)
            whose = f"{requirement}, {name}" if requirement else str(name)
            alone = "stands in tests.jsonl alone" if where else "is not what tests.jsonl holds"
            raise EvidenceError(f"{path}: {whose}, {value!r} ± {u!r} {unit} of {test}, {alone}")
    declared = {(event.get("test"), event.get("title")) for event in events if event.get("event") == "collected"}
    other = [test.id for test in results.tests if (test.id, test.title) not in declared]
    if declared and (other or len(declared) != len({test.id for test in results.tests})):
        raise EvidenceError(
            f"{path}: its tests are not those of tests.jsonl{f', which knows no {other[0]}' if other else ''}"
        )
    ended = {str(event.get("test")): event for event in events if event.get("event") == "end"}
    for test in results.tests:
        end = ended.get(test.id)
        if end is not None and (end.get("outcome"), end.get("duration_s")) != (test.outcome, test.duration_s):
            raise EvidenceError(
                f"{path}: the test {test.id} is called {test.outcome} after {test.duration_s!r} s, and tests.jsonl "
                f"says {end.get('outcome')} after {end.get('duration_s')!r} s"
            )


_Noted = tuple[Any, ...]


def _values(each: JudgedRecord | ReportedRecord) -> _Noted:
    return each.test, each.name, each.value, each.expanded_uncertainty, each.unit


def _noted(event: Mapping[str, Any]) -> _Noted:
    keys = ("requirement", "test", "name", "value", "expanded_uncertainty", "unit")
    return tuple(event.get(key) for key in keys)


def _place(path: Path, slugs: list[str]) -> tuple[int, str]:
    """Find the place of an analysis in the report: in the order of the tests."""
    name = path.parent.name
    return (slugs.index(name) if name in slugs else len(slugs), str(path))

"""Runs of format 1, up to November 2026, read into today's models.

Their measurements have names and no quantities; their samples have no phases, so that nothing is computed from them
again. Nothing writes this format any more. Not responsible for today's format (`reading`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rig.errors import EvidenceError
from rig.record.files import read_json, slug
from rig.record.folder import checked, read_model
from rig.record.manifest import Manifest
from rig.record.results import Results

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


def _place(path: Path, slugs: list[str]) -> tuple[int, str]:
    """Find the place of an analysis in the report: in the order of the tests."""
    name = path.parent.name
    return (slugs.index(name) if name in slugs else len(slugs), str(path))

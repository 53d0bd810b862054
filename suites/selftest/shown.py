"""Result files of Allure, written from runs and read back; not responsible for what they should say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reports.allure.files import RESULTS, write_result_files
from reports.allure.run_parts import shown_runs
from rig.run.reading import read_whole_run

Json = dict[str, Any]


def result_files(to: Path, *runs: Path) -> Path:
    """Write runs below a folder; returns the folder of the files."""
    write_result_files(to / RESULTS, shown_runs([read_whole_run(run) for run in runs]))
    return to / RESULTS


def read_all(folder: Path, kind: str) -> list[Json]:
    """Read the files of a kind, `result` or `container`, in the order of the tree."""
    found: list[Json] = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob(f"*-{kind}.json")]
    return sorted(found, key=lambda each: int(each.get("start", 0)))


def results_of_run(to: Path, *runs: Path) -> list[Json]:
    """Write runs below a folder and read the results."""
    return read_all(result_files(to, *runs), "result")


def label(result: Json, name: str) -> str:
    """The only label of a name; "" where there is none."""
    values = [each["value"] for each in result["labels"] if each["name"] == name]
    return str(values[0]) if values else ""


def result_for(results: list[Json], requirement: str) -> Json:
    """The result of a requirement that one attempt at one test decides."""
    (found,) = [each for each in results if label(each, "requirement") == requirement]
    return found


def parameters(part: Json) -> dict[str, str]:
    """Read the parameters of a result, step or procedure."""
    return {each["name"]: each["value"] for each in part["parameters"]}


def attachments(parts: list[Json]) -> list[Json]:
    """List what is attached to results, procedures and their steps."""
    return [each for part in parts for each in (*part.get("attachments", ()), *attachments(part.get("steps", [])))]

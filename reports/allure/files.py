"""Writes a folder of Allure's result files from runs: results, procedures, attachments, environment, categories.

Two folders of the same records are equal byte for byte. Not responsible for what a result says
(`reports.allure.tests`), nor for the page made of them (`reports.allure.page`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from reports.allure.procedures import procedures_of, run_files
from reports.allure.run_parts import AllureRun, Json
from reports.allure.tests import WHOLE_RUN, results_of
from reports.marks import in_brief
from reports.measured_values import condition_of
from rig.record.files import cannot_write

RESULTS = "allure-results"
NAMED = 2
"""So many runs are named one by one in the name of a report."""
CATEGORIES: list[Json] = [
    {"name": "A requirement failed", "matchedStatuses": ["failed"]},
    {
        "name": "Inconclusive: too near to the limit",
        "matchedStatuses": ["broken"],
        "messageRegex": r"[\s\S]*\bINCONCLUSIVE: [\s\S]*",
    },
    {"name": "Trouble of the rig, or not all was measured", "matchedStatuses": ["broken"]},
    {"name": "Does not apply", "matchedStatuses": ["skipped"], "messageRegex": r"[\s\S]*\bNOT APPLICABLE: [\s\S]*"},
    {"name": "Not run", "matchedStatuses": ["skipped"]},
]
"""What Allure groups all that did not pass by: the first that matches, in an expression that Java and JavaScript read.
The message of a result begins with its verdict (`reports.allure.tests`)."""


@dataclass
class _Attachments:
    """Writes the attachments of one thing of a run, and counts them, so that each has a name of its own."""

    folder: Path
    shown: AllureRun
    of: tuple[object, ...]
    count: int = 0
    written: list[str] = field(default_factory=list)

    def __call__(self, name: str, ending: str, media_type: str, data: bytes) -> Json:
        self.count += 1
        source = f"{self.shown.uuid(*self.of, 'attachment', self.count)}-attachment{ending}"
        (self.folder / source).write_bytes(data)
        return {"name": name, "source": source, "type": media_type}


def write_result_files(folder: Path, shown: Sequence[AllureRun]) -> int:
    """Write the result files of runs into a folder that is made; returns how many results there are.

    Raises:
        EvidenceError: a file of a record cannot be read, or the disk does not take one.
    """
    try:
        folder.mkdir(parents=True)
        count = sum(_write_run(folder, each) for each in shown)
        _write(folder / "categories.json", CATEGORIES)
        _write(folder / "executor.json", _executor(shown))
        (folder / "environment.properties").write_text(_environment(shown), encoding="utf-8")
    except OSError as error:
        raise cannot_write(folder, error) from error
    return count


def report_name(shown: Sequence[AllureRun]) -> str:
    """Name the report of runs: what must be seen of all of them first, then which they are."""
    marks = dict.fromkeys(mark for run in shown for mark in run.marks)
    names = [each.run.manifest.run_id for each in shown]
    of_all = sha256("\n".join(names).encode()).hexdigest()[:8]  # a history knows pages by their names
    called = ", ".join(names) if len(names) <= NAMED else f"{names[0]} and {len(names) - 1} more ({of_all})"
    return f"{in_brief(marks)} · {called}" if marks else called


def _write_run(folder: Path, shown: AllureRun) -> int:
    of_attempt: dict[tuple[str, int], list[str]] = {}
    count = 0
    for result, attempt in results_of(shown):
        if result["fullName"] == WHOLE_RUN:
            result["attachments"] = run_files(shown, _Attachments(folder, shown, ("run",)))
        if attempt is not None:
            of_attempt.setdefault(attempt, []).append(result["uuid"])
        _write(folder / f"{result['uuid']}-result.json", result)
        count += 1
    attachments = _Attachments(folder, shown, ("attempts",))
    for attempt, fixtures in procedures_of(shown, attachments):
        name = shown.uuid(*attempt, "container")
        container = {"uuid": name, "name": attempt[0], "children": of_attempt[attempt], "befores": fixtures}
        _write(folder / f"{name}-container.json", container)
    return count


def _executor(shown: Sequence[AllureRun]) -> Json:
    names = ", ".join(each.run.manifest.run_id for each in shown)
    numbers = [each.run.manifest.ledger_number for each in shown]
    order = {"buildOrder": numbers[0]} if len(numbers) == 1 and numbers[0] is not None else {}
    by = ", ".join(dict.fromkeys(each.run.manifest.begun_by for each in shown))
    return {"name": by, "type": "rig", "buildName": names, "reportName": report_name(shown), **order}


def _environment(shown: Sequence[AllureRun]) -> str:
    """Write what the runs were made with, each value once, as a Java properties file in ASCII."""
    values: dict[str, dict[str, None]] = {}
    for each in shown:
        for name, value in _made_with(each):
            if value:
                values.setdefault(name, {})[value] = None
    return "".join(f"{_property(name)} = {_property('; '.join(told))}\n" for name, told in values.items())


def _made_with(shown: AllureRun) -> list[tuple[str, str]]:
    manifest = shown.run.manifest
    device, software = manifest.dut, manifest.software
    commit = f", commit {manifest.commit}{' with changes' if software and software.dirty else ''}"
    return [
        ("Evidence", " · ".join(shown.marks)),
        ("Pump", f"{device.maker} {device.model}, serial number {device.serial_number}" if device else "not seen"),
        ("Firmware", device.firmware if device else ""),
        ("Firmware SHA-256", manifest.firmware_sha256 or ""),
        ("Bench", dict(shown.told_apart)["bench"]),
        ("Condition", condition_of(manifest)),
        ("Plan", manifest.plan.name if manifest.plan else ""),
        ("Selected", manifest.selected or ""),
        ("Run", manifest.run_id),
        ("Head of the record", shown.head or "none: it was never closed"),
        ("Rig", f"{manifest.versions.get('insulin-pump-rig', '')}{commit if manifest.commit else ''}"),
        ("Operator", manifest.operator or ""),
        *(
            (f"Instrument: {each.role}", f"{each.maker} {each.model}, {each.serial_number}, firmware {each.firmware}")
            for each in manifest.equipment
        ),
    ]


def _property(text: str) -> str:
    """Write a key or value of a properties file: what would end it escaped, what is not ASCII by its number."""
    return "".join(
        f"\\{each}"
        if each in " =:#!\\"
        else each
        if each.isascii() and each.isprintable()
        else "".join(f"\\u{unit:04x}" for unit in _utf_16(each))
        for each in text
    )


def _utf_16(character: str) -> list[int]:
    data = character.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]


def _write(path: Path, content: Json | list[Json]) -> None:
    path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")

"""How each attempt at a test measured, for Allure: procedures with their steps, and extracts of what was recorded.

It is written once for an attempt, as what stands before all of its results, since they all stand on it. Small files of
the record are copied, tables and logs shortened; each file is named with its SHA-256. Not responsible for what was
decided (`reports.allure.tests`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from reports.allure.run_parts import AllureRun, Json, parameters_of
from reports.allure.tests import measured_text
from rig.errors import EvidenceError
from rig.record.files import read_json, read_json_lines
from rig.record.folder import RECORD, Attempt, RunFolder
from rig.record.results import TestRecord

Attach = Callable[[str, str, str, bytes], Json]
"""Keeps an attachment: its name, ending, type and bytes; returns what refers to it."""

ROWS = 1000
"""A table is copied with so many rows at most, evenly chosen: more than a screen has points."""
FIRST_LINES = 100
"""Of a log of a wire, so many lines from its start and as many from its end are copied."""
SMALL = 32 * 1024
"""Other files are copied up to so many bytes, and named where they are larger."""
_TYPES = {".json": "application/json", ".jsonl": "text/plain", ".csv": "text/csv", ".log": "text/plain"}


def procedures_of(shown: AllureRun, attach: Attach) -> Iterator[tuple[tuple[str, int], list[Json]]]:
    """Write how each attempt measured, by test and number; none of a record of format 1, whose folder is another."""
    if not (shown.run.folder / RECORD).is_dir():
        return
    tests = {(each.id, each.attempt): each for each in shown.run.results.tests}
    for attempt in RunFolder(shown.run.folder).attempts():
        key = (attempt.collected.test, attempt.number)
        if key in tests:
            yield key, _of_attempt(shown, attempt, tests[key], attach)


def run_files(shown: AllureRun, attach: Attach) -> list[Json]:
    """Attach what frames a record, and the list of all of its files."""
    files = "".join(f"{each.sha256}  {each.path}  {each.size} bytes\n" for each in shown.run.files)
    found = [attach("Files of the record, with SHA-256", ".txt", "text/plain", files.encode())]
    record = shown.run.folder / RECORD
    names = ("manifest.json", "bench_check.json", "inputs/requirements.toml", "inputs/plan.toml", "inputs/bench.toml")
    return found + [
        attach(name, Path(name).suffix, _TYPES.get(Path(name).suffix, "text/plain"), (record / name).read_bytes())
        for name in names
        if (record / name).is_file()
    ]


def _of_attempt(shown: AllureRun, attempt: Attempt, test: TestRecord, attach: Attach) -> list[Json]:
    start = shown.start_ms
    end = start + _ms(attempt.duration_s)  # Allure sorts by the start: what belongs to no second comes last
    measurements = attempt.measurements
    fixtures = [
        _of_measurement(
            folder, start, attempt.duration_s, attach,
            ended=attempt.outcome in ("passed", "failed") or folder != measurements[-1],
        )
        for folder in measurements
    ]  # fmt: skip
    meanwhile = [(each.at_s, f"{each.of_whom}: {each.what}") for each in test.incidents]
    found = [each for each in shown.run.results.found if (each.test, each.attempt) == (test.id, test.attempt)]
    meanwhile += [(each.at_s, f"does not hold: {each.invariant}: {each.what}") for each in found]
    if meanwhile:
        steps = [_step(f"{what}, at {at_s:.1f} s", "broken", start + _ms(at_s)) for at_s, what in sorted(meanwhile)]
        fixtures.append(_fixture("What went wrong meanwhile", "broken", end, end, steps=steps))
    reported = [each for each in shown.run.results.reported if (each.test, each.attempt) == (test.id, test.attempt)]
    if reported:
        values = {each.name: measured_text(each) for each in reported}
        fixtures.append(
            _fixture("Measured, and judged by no requirement", "passed", end + 1, end + 1, parameters=values)
        )
    fixtures.append(_recorded(shown, attempt, end + 2, attach))
    return fixtures


def _of_measurement(folder: Path, start: int, duration_s: float, attach: Attach, *, ended: bool) -> Json:
    """Write a measurement: what was asked for, its steps, its tables and the numbers computed from them.

    A step is a moment: some are told when they begin, others with what they came to.
    """
    asked = read_json(folder / "asked.json") if (folder / "asked.json").is_file() else {}
    lines = read_json_lines(folder / "steps.jsonl")
    steps = [
        _step(
            f"{each.get('step')} (at {float(each.get('at_s', 0.0)):.1f} s)",
            "passed" if ended or each is not lines[-1] else "broken",
            start + _ms(float(each.get("at_s", 0.0))),
            {key: value for key, value in each.items() if key not in ("at_s", "step")},
        )
        for each in lines
    ]
    files = [*sorted(folder.glob("*.csv")), *sorted((folder / "computed").glob("*.json"))]
    name = asked.get("table") or folder.name
    return _fixture(
        f"Procedure: {str(name).replace('_', ' ')}",
        "passed" if ended else "broken",
        steps[0]["start"] if steps else start,
        start + _ms(duration_s),
        steps=steps,
        attachments=[each for path in files if (each := _attached(path, attach)) is not None],
        parameters=asked.get("parameters", {}),
    )


def _recorded(shown: AllureRun, attempt: Attempt, at_ms: int, attach: Attach) -> Json:
    """Attach an extract of the wires, and name each file of the attempt with its SHA-256, for who opens the record."""
    below = attempt.folder.relative_to(shown.run.folder).as_posix()
    files = [each for each in shown.run.files if each.path.startswith(f"{below}/")]
    listed = "".join(f"{each.sha256}  {each.path}  {each.size} bytes\n" for each in files)
    attachments = [attach("Files in the record, with SHA-256", ".txt", "text/plain", listed.encode())]
    for name in ("wire.log", "events.jsonl", "incidents.jsonl", "invariants.json"):
        path = attempt.folder / name
        if path.is_file() and (each := _attached(path, attach)) is not None:
            attachments.append(each)
    return _fixture("What was recorded", "passed", at_ms, at_ms, attachments=attachments)


def _attached(path: Path, attach: Attach) -> Json | None:
    """Attach a file of the record, whole or shortened; None where it is too large to be any use in a view."""
    ending = _TYPES[path.suffix]
    try:
        if path.suffix == ".csv":
            name, text = _thinned(path)
        elif path.suffix == ".log":
            name, text = _both_ends(path)
        elif path.stat().st_size > SMALL:
            return None
        else:
            name, text = path.name, path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EvidenceError(f"{path}: cannot be read: {error}") from error
    return attach(name, path.suffix if path.suffix != ".jsonl" else ".txt", ending, text.encode())


def _thinned(path: Path) -> tuple[str, str]:
    head, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True) or [""]
    every = -(-len(rows) // ROWS)
    if every <= 1:
        return path.name, head + "".join(rows)
    return f"{path.name}, 1 of each {every} of {len(rows)} rows", head + "".join(rows[::every])


def _both_ends(path: Path) -> tuple[str, str]:
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    left_out = len(lines) - 2 * FIRST_LINES
    if left_out <= 0:
        return path.name, "".join(lines)
    gap = f"[{left_out} lines are left out here; the record has them]\n"
    shortened = "".join([*lines[:FIRST_LINES], gap, *lines[-FIRST_LINES:]])
    return f"{path.name}, {2 * FIRST_LINES} of {len(lines)} lines", shortened


def _fixture(
    name: str,
    status: str,
    start: int,
    stop: int,
    *,
    steps: Sequence[Json] = (),
    attachments: Sequence[Json] = (),
    parameters: Json | None = None,
) -> Json:
    return {
        "name": name,
        "status": status,
        "stage": "finished",
        "start": start,
        "stop": stop,
        "parameters": _parameters(parameters or {}),
        "steps": list(steps),
        "attachments": list(attachments),
    }


def _step(name: str, status: str, at_ms: int, parameters: Json | None = None) -> Json:
    return {
        "name": name,
        "status": status,
        "stage": "finished",
        "start": at_ms,
        "stop": at_ms,
        "parameters": _parameters(parameters or {}),
    }


def _parameters(values: Json) -> list[Json]:
    told = {
        name: each if isinstance(each, str) else json.dumps(each, ensure_ascii=False) for name, each in values.items()
    }
    return parameters_of(told)


def _ms(seconds: float) -> int:
    return round(seconds * 1000.0)

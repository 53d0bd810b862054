"""What was decided in earlier runs, for Allure's history: a file of lines of JSON that each page adds its runs to.

A line stands for a page, dated by its runs. The history of a page is what was dated before it, however late it is made,
and making it again replaces its line. Not responsible for how Allure shows it (`reports.allure.page`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from reports.allure.run_parts import Json
from rig.errors import BenchFileError, EvidenceError
from rig.record.files import write_whole

_KEYS = {"uuid": str, "name": str, "timestamp": int, "testResults": dict}
"""What Allure 3 writes into each line, as far as it is read here."""
SHOWN = 50
"""So many earlier pages are shown, the latest: each makes the page of a whole plan larger by a third of a megabyte."""


def read_allure_history(path: Path) -> list[Json]:
    """Read the lines of a history file; none where it is not there yet.

    Raises:
        BenchFileError: it is something else, with the line and what is wrong.
    """
    if not path.exists():
        return []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BenchFileError(f"--history {path}: cannot be read as text: {error}; name another file") from error
    return [_point(path, number, line) for number, line in enumerate(lines, start=1) if line.strip()]


def earlier(points: Sequence[Json], name: str, start_ms: int) -> list[Json]:
    """Choose the latest of what was dated before a page of this name that is dated `start_ms`, in ms since 1970."""
    before = [each for each in points if each["timestamp"] < start_ms and each["name"] != name]
    return _in_order(before)[-SHOWN:]


def with_added(points: Sequence[Json], added: Json) -> list[Json]:
    """Add a line, in place of one of the same name."""
    return [*(each for each in points if each["name"] != added["name"]), added]


def write_allure_history(path: Path, points: Sequence[Json]) -> None:
    """Write a history file whole, in the order of the runs; EvidenceError when it cannot be."""
    write_whole(path, "".join(f"{json.dumps(each)}\n" for each in _in_order(points)).encode())


def read_added(path: Path, name: str, start_ms: int) -> Json:
    """Read the line that Allure has added, dated by the runs in place of the hour at which it was made.

    Labels are left out: they are most of it, and the page shows none of an earlier run's.

    Raises:
        EvidenceError: there is none.
    """
    points = read_allure_history(path)
    if not points or points[-1]["name"] != name:
        raise EvidenceError("Allure has added nothing to the history")
    cases = {
        case: {key: value for key, value in result.items() if key != "labels"}
        for case, result in points[-1]["testResults"].items()
    }
    return points[-1] | {"timestamp": start_ms, "testResults": cases}


def _in_order(points: Sequence[Json]) -> list[Json]:
    return sorted(points, key=lambda each: int(each["timestamp"]))


def _point(path: Path, number: int, line: str) -> Json:
    where = f"--history {path}, line {number}"
    try:
        content = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BenchFileError(f"{where}: is no JSON, and so no history of Allure 3; name another file") from error
    if not isinstance(content, dict):
        raise BenchFileError(f"{where}: is no JSON object, and so no history of Allure 3; name another file")
    for key, kind in _KEYS.items():
        if not isinstance(content.get(key), kind) or isinstance(content[key], bool):
            raise BenchFileError(f"{where}: has no {key!r} as Allure 3 writes it; name another file")
    return content

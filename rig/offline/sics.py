"""Print-outs of balances that answer in MT-SICS: lines such as `S S     100.0012 g`, with or without a time before.

Not responsible for the times of lines that have none (`columns` takes `--interval`).
"""

from __future__ import annotations

import re
from pathlib import Path

from rig.errors import DataFileError
from rig.offline.table import Table

_TIME = (
    r"(?:(?P<time>\d{4}-\d\d-\d\d[T ][\d:.,]+(?:Z|[+-]\d\d:?\d\d)?|\d+:\d\d:\d\d(?:[.,]\d+)?|\d+(?:[.,]\d+)?)[\s,;]+)?"
)
_LINE = re.compile(
    _TIME
    + r"(?P<command>S|SI|SIR|SR|SU|SIU|SIRU|SRU)\s+(?P<status>[SDIL+-])(?:\s+(?P<value>\S+))?(?:\s+(?P<unit>\S+))?"
)
"""MT-SICS (reference manual of the balances, level 0, commands S, SI, SIR): a response is the command, a status
(S stable, D dynamic, I not executable, + overload, − underload), the weight and its unit."""

_NO_WEIGHT = {
    "I": "the balance could not execute the command",
    "L": "the balance did not understand the command",
    "+": "the balance was overloaded",
    "-": "the balance was underloaded",
}


def is_sics(text: str) -> bool:
    """Tell whether the first line that is no comment is a response of MT-SICS."""
    first = next((line for line in text.splitlines() if line.strip() and not line.startswith("#")), "")
    return _LINE.fullmatch(first.strip()) is not None


def read_sics(path: Path, text: str) -> Table:
    """Read a print-out; columns are `time` (when every line has one) and `weight` with the unit in each cell.

    A line without a weight keeps its reason as its cell, which is no number.

    Raises:
        DataFileError: a line that is no response, or times on some lines only.
    """
    rows: list[tuple[int, tuple[str, ...]]] = []
    timed: bool | None = None
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise DataFileError(
                f"{path}: row {number}: {line.strip()!r} is no MT-SICS response such as 'S S 100.0012 g'"
            )
        if timed is None:
            timed = match["time"] is not None
        elif timed != (match["time"] is not None):
            raise DataFileError(f"{path}: row {number}: some lines have a time and some have none")
        weight = _NO_WEIGHT.get(match["status"]) or f"{match['value'] or ''} {match['unit'] or ''}".strip()
        rows.append((number, (match["time"], weight) if timed else (weight,)))
    comments = tuple(line.lstrip("#").strip() for line in lines if line.startswith("#"))
    return Table("MT-SICS print-out", ("time", "weight") if timed else ("weight",), tuple(rows), comments)

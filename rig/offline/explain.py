"""`rig analyse --explain`: how a file was understood, the flags that say so, and a format to keep.

Not responsible for analysing (`analyse`).
"""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np

from rig.errors import DataFileError
from rig.offline.analyse import understood
from rig.offline.asking import layout_of, spoken_of
from rig.offline.columns import checked_log
from rig.offline.findings import Finding
from rig.offline.formats import written_toml
from rig.offline.moments import kind_of_cells
from rig.offline.question import Question, revised
from rig.offline.read import read_table
from rig.offline.table import Table, shown

SHOWN_ROWS = 3


def explained(path: Path, asked: Question) -> tuple[list[str], str | None]:
    """Give what a file is taken for, line by line; the second value is what stops it from being read, if anything."""
    _, table = read_table(path, layout_of(asked))
    lines = [f"{path}: {table.form}, {table.rows} rows", *_columns(table)]
    try:
        log, findings, told = checked_log(path, table, spoken_of(asked), with_pressure=False)
    except DataFileError as error:
        refused = str(error)
        if asked.bad_rows == "skip" or "--bad-rows skip" not in refused:
            return lines, refused
        log, findings, told = checked_log(path, table, spoken_of(revised(asked, bad_rows="skip")), with_pressure=False)
        findings = [Finding("bad rows", f"Refused as it is: {refused}"), *findings]
    lines += [f"  {each.sentence}" for each in (*understood(told, log, log, table.rows), *findings)]
    steps_s = np.diff(log.at_s)
    lines.append(f"  Steps between samples: {np.median(steps_s):.6g} s as a rule, {steps_s.max():.6g} s at most.")
    flags = " ".join(f"{flag} {shlex.quote(value)}" for flag, value in told.options.items())
    lines += ["The same in flags:", f"  rig analyse {shlex.quote(str(path))} {flags}"]
    lines += [
        "The same as a format to keep, in formats/NAME.toml, for --as NAME:",
        *(f"  {line}" for line in written_toml(f"as {path.name}", told.options).splitlines()),
    ]
    return lines, None


def _columns(table: Table) -> list[str]:
    words = {"number": "numbers", "other": "text", "clock": "clocks", "date": "dates", "timestamp": "timestamps"}
    lines = []
    for number, (name, cells) in enumerate(zip(table.columns, table.cells, strict=True), start=1):
        sample = ", ".join(shown(cell) for cell in cells.head(SHOWN_ROWS).to_list() if cell is not None)
        lines.append(f"  column {number} {name!r}: {words[kind_of_cells(cells)]}, as {sample}")
    return lines

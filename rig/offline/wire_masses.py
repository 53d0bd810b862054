"""What the balance said on the wire, held against the table of its readings: who edits a table finds it contradicted.

The octets are read by the balance's own driver (`masses_in`), where it can. Not responsible for the other channels, nor
for somebody who edits the octets as well.
"""

from __future__ import annotations

import bisect
import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rig.bench.drivers import mass_reader
from rig.errors import EvidenceError
from rig.procedures.sampling import READ_AGAIN
from rig.record.folder import Attempt
from rig.record.taking import INCIDENTS
from rig.roles import MassReading
from rig.run.invariants import wire_lines

RESOLUTION_S = 1e-6
"""The wire log writes its seconds with six digits, the tables with all."""


@dataclass(frozen=True)
class WireMasses:
    """What was found for one attempt: rows that were held against a reply, sentences, and why it could not be done."""

    rows: int
    contradictions: tuple[str, ...]
    not_checked: str | None = None


def check_masses(attempt: Attempt, driver: str | None, late_s: float = RESOLUTION_S) -> WireMasses:
    """Hold every row of an attempt's balance tables against the balance's reply of that moment.

    A row must be what the last reply up to its second says; every reply must have its row, of a test that was broken
    off between its first and its last row.

    Args:
        attempt: with its wire log.
        driver: name of the balance's driver; None for a bench without a balance.
        late_s: so many s a row may be written after its reply came: none on simulated time.

    Raises:
        EvidenceError: a file cannot be read.
    """
    tables = [folder / "balance.csv" for folder in attempt.measurements if (folder / "balance.csv").is_file()]
    if not tables:
        return WireMasses(0, ())
    read = mass_reader(driver) if driver is not None else None
    if read is None:
        return WireMasses(0, (), f"the driver {driver!r} of the balance cannot read masses from a wire log")
    log = attempt.folder / "wire.log"
    if not log.is_file():
        return WireMasses(0, (f"{log}: is missing, and holds what the balance said",))
    again = [table for table in tables if _read_again(table.parent)]
    if again:
        return WireMasses(
            0, (), f"{again[0]}: the balance answered late and was read again; which reply counts is open"
        )
    replies = _replies(log, read)
    contradictions: list[str] = []
    used: dict[int, Path] = {}
    count = 0
    for table in tables:
        rows = _rows(table)
        count += len(rows)
        contradictions += _contradictions(table, rows, replies, max(late_s, RESOLUTION_S), used)
    whole = attempt.outcome in ("passed", "failed")
    contradictions += _without_row([at_s for at_s, _ in replies], used, tables[0], whole=whole)
    return WireMasses(count, tuple(contradictions))


def _read_again(folder: Path) -> bool:
    path = folder / INCIDENTS
    return path.is_file() and READ_AGAIN in path.read_text(encoding="utf-8")


def _replies(log: Path, read: object) -> list[tuple[float, MassReading]]:
    assert callable(read)
    found, rest = [], b""
    for line in wire_lines(log, of="balance "):
        if line.direction != "<":
            rest = b""
            continue
        readings, rest = read(rest + line.data)
        found += [(line.at_s, each) for each in readings]
    return found


def _rows(table: Path) -> list[tuple[float, MassReading]]:
    try:
        whole = table.read_text(encoding="utf-8").rpartition("\n")[0]
        return [
            (float(row["at_s"]), MassReading(mass_g=float(row["mass_g"]), stable=row["stable"] == "1"))
            for row in csv.DictReader(whole.split("\n"))
        ]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise EvidenceError(f"{table}: cannot be read as a table of numbers: {error}") from error


def _contradictions(
    table: Path,
    rows: list[tuple[float, MassReading]],
    replies: list[tuple[float, MassReading]],
    late_s: float,
    used: dict[int, Path],
) -> list[str]:
    """Hold the rows of a table against replies, and note in `used` whose reply stands in which table."""
    times = [at_s for at_s, _ in replies]
    found = []
    for number, (at_s, reading) in enumerate(rows, start=2):
        index = bisect.bisect_right(times, at_s + RESOLUTION_S) - 1
        if index < 0 or index in used:
            found.append(f"{table}: row {number}, at {at_s:.6f} s, has no reply of the balance in wire.log")
            continue
        used[index] = table
        replied_s, said = replies[index]
        if at_s - replied_s > late_s:
            found.append(
                f"{table}: row {number}, at {at_s:.6f} s, is later than the reply of the balance, at {replied_s:.6f} s "
                "(wire.log)"
            )
        if said != reading:
            found.append(
                f"{table}: row {number}, at {at_s:.6f} s, holds {_in_words(reading)}, and the balance said "
                f"{_in_words(said)} (wire.log)"
            )
    return found


def _without_row(times: list[float], used: Mapping[int, Path], first: Path, *, whole: bool) -> list[str]:
    """Name the replies without a row, in the table that those before them stand in.

    All of a `whole` attempt have one; of one that was broken off those between its first and its last row.
    """
    if not used:
        return []
    found, table = [], first
    for index in range(len(times)) if whole else range(min(used), max(used)):
        if index in used:
            table = used[index]
        else:
            found.append(f"{table}: has no row for the reply of the balance at {times[index]:.6f} s in wire.log")
    return found


def _in_words(reading: MassReading) -> str:
    return f"{reading.mass_g!r} g{'' if reading.stable else ', not stable'}"

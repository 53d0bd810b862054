"""Check sums of single rows: they tell *which* line of a long table is not what it was, once its SHA-256 says that.

`rows.json` holds, for each file of lines, 16 bits a line: the CRC that finds every change within two octets (CRC-16 of
X.25, as `binascii.crc_hqx`). They prove nothing: that is what SHA-256 of the whole file is for, in `closing.json`.
"""

from __future__ import annotations

import shutil
import sys
from array import array
from binascii import crc_hqx
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from rig.errors import EvidenceError
from rig.record.files import write_json
from rig.record.models import Record

ROWS = "rows.json"
LINES = (".csv", ".jsonl", ".log")
"""The endings of files that consist of lines."""
_DIGITS = 4
ROOM_LEFT_OCTETS = 2 * 2**20
"""So much stays free for the closing and the trail, whatever it costs here."""


class RowSums(Record):
    """`rows.json`: for each file of lines, by its path below `record/`, four hexadecimal digits a line."""

    rows: dict[str, str]


def row_sums_of(record: Path) -> RowSums:
    """Compute the sums of all lines of a record; EvidenceError when a file cannot be read."""
    paths = sorted(path for path in record.rglob("*") if path.suffix in LINES and path.is_file())
    found: dict[str, str] = {}
    for path in paths:
        try:
            with path.open("rb") as file:
                found[path.relative_to(record).as_posix()] = row_sums(file)
        except OSError as error:
            raise EvidenceError(f"{path}: cannot be read ({error.strerror})") from error
    return RowSums(rows=found)


def keep_rows(record: Path) -> None:
    """Write `rows.json`, unless the disk is so full that it would take the room which the end of the run needs.

    Raises:
        EvidenceError: a file cannot be read.
    """
    rows = row_sums_of(record)
    needed = sum(map(len, rows.rows.values())) + ROOM_LEFT_OCTETS
    if shutil.disk_usage(record).free < needed:
        return
    with suppress(EvidenceError):  # what every audit needs is in the closing
        write_json(record / ROWS, rows.model_dump(mode="json"))


def row_sums(lines: Iterable[bytes]) -> str:
    """Compute the sums of lines, each with its end: four hexadecimal digits a line."""
    found = array("H", (crc_hqx(line, 0) for line in lines))
    if sys.byteorder == "little":
        found.byteswap()
    return found.tobytes().hex()


def first_difference(then: str, now: str) -> str:
    """Say in which line a file differs from what it was: altered, missing, added, reordered.

    Args:
        then: the sums of its lines as it was closed.
        now: as it is.
    """
    one, other = _split(then), _split(now)
    same = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    line = f"line {same + 1}"
    if len(one) == len(other):
        apart = [n for n in range(same, len(one)) if one[n] != other[n]]
        if sorted(one[n] for n in apart) == sorted(other[n] for n in apart) and len(apart) > 1:
            return f"{line} and line {apart[-1] + 1} were swapped" if len(apart) == 2 else f"{line} was reordered"
        return f"{line} was altered" if apart else "a line was altered"
    gone = len(one) - len(other)
    count = abs(gone)
    several = line if count == 1 else f"{line} and the {count - 1} after it"
    if gone > 0 and one[same + count :] == other[same:]:
        return f"{several} {'is' if count == 1 else 'are'} missing"
    if gone < 0 and one[same:] == other[same + count :]:
        return f"{several} {'was' if count == 1 else 'were'} added"
    return f"from {line} on it is another, with {len(other)} lines in place of {len(one)}"


def _split(sums: str) -> list[str]:
    return [sums[n : n + _DIGITS] for n in range(0, len(sums), _DIGITS)]

"""Tests that several jobs share: each job takes the next test that no other has taken, the longest first.

A folder says who does what: `order.json` lists the tests, and a file that only one process can make stands for each
that was taken. Not responsible for running them, nor for what becomes of a test whose job dies.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rig.record.files import read_json, write_json

_ORDER = "order.json"


@dataclass(frozen=True)
class JobShare:
    """What one job may take of the tests that several share.

    Attributes:
        folder: that all jobs of one runner have in common.
        job: number of this one.
    """

    folder: Path
    job: int

    @property
    def order(self) -> tuple[str, ...]:
        """The tests in the order in which they are taken; EvidenceError where the folder holds none."""
        return tuple(str(test) for test in read_json(self.folder / _ORDER)["tests"])

    def take(self, test: str) -> bool:
        """Take a test, unless it is taken; says whether it is this job's now."""
        try:
            with (self.folder / _file_of(test)).open("x", encoding="ascii") as file:
                file.write(str(self.job))
        except FileExistsError:
            return False
        return True

    @property
    def taken(self) -> tuple[str, ...]:
        """The tests that this job has taken, as far as they stand in the order."""
        return tuple(test for test in self.order if self._has(self.folder / _file_of(test)))

    def _has(self, path: Path) -> bool:
        return path.is_file() and path.read_text(encoding="ascii") == str(self.job)


def share_out(folder: Path, tests: Sequence[str]) -> None:
    """Lay out the tests that jobs are going to share, in the order in which they are to be taken; EvidenceError."""
    write_json(folder / _ORDER, {"tests": list(tests)})


def _file_of(test: str) -> str:
    return f"{hashlib.sha256(test.encode()).hexdigest()}.taken"

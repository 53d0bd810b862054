"""Was the host's clock set while a run went on? Noted at start and end of the run and of each test, judged at its end.

The notes stand beside the record, in `host_clock.jsonl`: they hold wall time. What they say is kept in `closing.json`.
Not responsible for the bench's clock, which nobody can set (`rig.clock`).
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from rig.clock import HostTime, host_time
from rig.errors import EvidenceError
from rig.record.files import read_json_lines
from rig.record.manifest import ClockStep
from rig.record.models import Record

NOTES = "host_clock.jsonl"

TOLERANCE_S = 1.0
"""A step below this one is not told: nothing in a record is dated more finely. The house's."""

SLEWED_S_PER_S = 1000e-6
"""So fast may a clock be made to run right without a step: Linux trims its frequency by 500 ppm at most, and a slew by
adjtime comes on top with another 500 ppm (adjtimex(2), adjtime(3), kernel's MAXFREQ and MAX_TICKADJ)."""


class ClockNote(Record):
    """A line of `host_clock.jsonl`: a moment of the run, by both clocks of the host."""

    moment: str
    utc_s: float
    since_boot_s: float

    @classmethod
    def now(cls, moment: str) -> ClockNote:
        """Read both clocks."""
        read: HostTime = host_time()
        return cls(moment=moment, utc_s=read.utc_s, since_boot_s=read.since_boot_s)


def clock_steps(notes: list[ClockNote]) -> tuple[ClockStep, ...]:
    """Find where the host's clock was set: between two notes it went otherwise than time did, by more than may be.

    Args:
        notes: in the order in which they were made.
    """
    found = []
    for first, then in pairwise(notes):
        passed_s = then.since_boot_s - first.since_boot_s
        by_s = then.utc_s - first.utc_s - passed_s
        if passed_s >= 0.0 and abs(by_s) > TOLERANCE_S + SLEWED_S_PER_S * passed_s:  # below 0: the host was restarted
            found.append(ClockStep(after=first.moment, before=then.moment, by_s=round(by_s, 3)))
    return tuple(found)


def read_clock_notes(path: Path) -> list[ClockNote]:
    """Read the notes of a run; none where they are not there or damaged: they are no part of the record."""
    try:
        return [ClockNote.model_validate(entry) for entry in read_json_lines(path)]
    except (EvidenceError, ValueError):
        return []

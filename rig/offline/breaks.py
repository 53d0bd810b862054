"""Where a log is not one unbroken record: gaps, clocks that were set, balances that were tared or disturbed.

Refused unless it is said what to do; then done and reported. Not responsible for single bad cells (`columns`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from itertools import pairwise
from pathlib import Path

import numpy as np

from rig.errors import DataFileError
from rig.offline.findings import Finding
from rig.offline.log import FloatArray, Log

SMALLEST_FALL_G = 50e-6
"""A fall below this is no tare: drift, a bubble, evaporation over a gap. Assumption."""

LATE = 1.5
"""A step in time this many times the usual one is a missing sample."""

SD_OF_MAD = 1.4826
"""Standard deviation of normal values over their median absolute deviation, 1/Φ⁻¹(3/4)."""


class OnBreak(Enum):
    """What to do where a log breaks."""

    REFUSE = "refuse"
    LONGEST = "longest"
    JOIN = "join"


@dataclass(frozen=True)
class Break:
    """A break before sample `index`: its kind, and a sentence without its end."""

    index: int
    kind: str
    sentence: str


def usual_step_s(log: Log) -> float:
    """Get the median step from sample to sample in s."""
    return float(np.median(np.diff(log.at_s)))


def find_breaks(log: Log, *, longest_gap_s: float) -> list[Break]:
    """Find where time stands or goes back, where samples are further apart than allowed, and where the mass falls.

    A fall is more than six standard deviations of the steps in mass (from their median absolute deviation), more than
    three of the smallest steps that occur, and more than 50 µg.
    """
    steps_s, steps_g = np.diff(log.at_s), np.diff(log.mass_g)
    least_fall_g = _least_fall_g(steps_g)
    found = []
    for index in np.flatnonzero((steps_s <= 0) | (steps_s > longest_gap_s) | (steps_g < -least_fall_g)) + 1:
        row, step_s, step_g = int(log.row[index]), float(steps_s[index - 1]), float(steps_g[index - 1])
        if step_s < 0:
            kind, what = "clock set back", f"time goes back by {-step_s:g} s"
        elif step_s == 0:
            kind, what = "clock stood still", f"has the time of the row before, {log.at_s[index]:g} s"
        elif step_g < -least_fall_g:
            kind, what = "restart", f"the mass falls by {-1e3 * step_g:.4g} mg: a tare, a restart or a disturbance"
        else:
            kind, what = "gap", f"{step_s:g} s without a sample, more than {longest_gap_s:g} s"
        found.append(Break(int(index), kind, f"row {row}: {what}"))
    return found


def _least_fall_g(steps_g: FloatArray) -> float:
    middle = float(np.median(steps_g))
    sd = SD_OF_MAD * float(np.median(np.abs(steps_g - middle)))
    sizes = np.abs(steps_g[steps_g != 0])
    return max(6.0 * sd, 3.0 * float(sizes.min(initial=np.inf)) if sizes.size else 0.0, SMALLEST_FALL_G)


def unbroken(path: Path, log: Log, *, longest_gap_s: float, on_break: OnBreak) -> tuple[Log, list[Finding]]:
    """Get one stretch to analyse, and what was found.

    Raises:
        DataFileError: a break, unless `on_break` says what to do; time that goes back cannot be joined.
    """
    breaks = find_breaks(log, longest_gap_s=longest_gap_s)
    found = _missing(log, longest_gap_s)
    if not breaks:
        return log, found
    first = breaks[0]
    more = f" (and {len(breaks) - 1} more)" if len(breaks) > 1 else ""
    if on_break is OnBreak.REFUSE:
        raise DataFileError(
            f"{path}: {first.sentence}{more}; --on-break longest analyses the longest stretch without a break, "
            "--on-break join goes on across it"
        )
    found += [
        Finding(each.kind, f"{each.sentence[0].upper()}{each.sentence[1:]}.", int(log.row[each.index]))
        for each in breaks
    ]
    if on_break is OnBreak.LONGEST:
        part = _longest(log, breaks)
        return part, [*found, _only_longest(log, part)]
    clock = next((each for each in breaks if each.kind.startswith("clock")), None)
    if clock is not None:
        raise DataFileError(f"{path}: {clock.sentence}: how much time passed nobody knows, so it cannot be joined")
    return _joined(log, breaks), [*found, _how_joined(breaks)]


def _longest(log: Log, breaks: list[Break]) -> Log:
    edges = [0, *(each.index for each in breaks), log.at_s.size]
    stretches = [slice(start, stop) for start, stop in pairwise(edges)]
    return log.part(max(stretches, key=lambda part: log.at_s[part.stop - 1] - log.at_s[part.start]))


def _only_longest(log: Log, part: Log) -> Finding:
    return Finding(
        "left out",
        f"Only rows {part.row[0]} to {part.row[-1]} were analysed as asked, the longest stretch without a break; "
        f"{log.row.size - part.row.size} samples were left out.",
    )


def _joined(log: Log, breaks: list[Break]) -> Log:
    """Shift the masses after each fall so that they go on from the sample before it."""
    shift_g = np.zeros(log.mass_g.size)
    for each in breaks:
        if each.kind == "restart":
            shift_g[each.index :] += log.mass_g[each.index - 1] - log.mass_g[each.index]
    return replace(log, mass_g=log.mass_g + shift_g)


def _how_joined(breaks: list[Break]) -> Finding:
    falls = sum(each.kind == "restart" for each in breaks)
    gaps = len(breaks) - falls
    parts = []
    if falls:
        parts.append(
            f"at {falls} fall{'s' * (falls > 1)} of the mass the record goes on from the sample before, so that what "
            "was delivered between the two samples is missing"
        )
    if gaps:
        parts.append(f"across {gaps} gap{'s' * (gaps > 1)} the mass is taken as a straight line")
    return Finding("joined", f"As asked, {' and '.join(parts)}.")


def _missing(log: Log, longest_gap_s: float) -> list[Finding]:
    """Report samples that are missing but leave no gap."""
    steps_s = np.diff(log.at_s)
    usual_s = float(np.median(steps_s))
    late = np.flatnonzero((steps_s > LATE * usual_s) & (steps_s <= longest_gap_s))
    if not late.size:
        return []
    widest = int(late[np.argmax(steps_s[late])])
    return [
        Finding(
            "uneven sampling",
            f"{late.size} step{'s' * (late.size > 1)} between samples are longer than {LATE:g} times the usual "
            f"{usual_s:g} s; the longest is {steps_s[widest]:g} s, before row {log.row[widest + 1]}. Values between "
            "samples are taken from a straight line.",
            int(log.row[widest + 1]),
        )
    ]

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
from rig.offline.disturbances import Expected, bounds_of, jumps, without_disturbances
from rig.offline.findings import Finding
from rig.offline.log import BalanceLog
from rig.offline.table import Happened

LATE = 1.5
"""A step in time this many times the usual one is a missing sample."""

SAME_TICKS = 10
"""So many samples of one time, and five times as many as usual, mean that the clock stood still."""

LISTED = 20
"""So many breaks are told one by one."""


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


@dataclass(frozen=True)
class Unbroken:
    """One stretch to analyse, what was found, and how far its samples may be apart in s."""

    log: BalanceLog
    findings: list[Finding]
    longest_gap_s: float


def usual_step_s(log: BalanceLog) -> float:
    """Give the median step from sample to sample in s, of those that take time."""
    steps_s = np.diff(log.at_s)
    rising = steps_s[steps_s > 0]
    return float(np.median(rising)) if rising.size else 1.0


def find_breaks(log: BalanceLog, expected: Expected | None, *, longest_gap_s: float, timed: bool) -> list[Break]:
    """Find where time goes back or stands still, samples are further apart than allowed, and the mass jumps.

    Args:
        log: the record.
        expected: what the pump may deliver; None for a log of flows, whose values may jump.
        longest_gap_s: samples further apart are a gap.
        timed: the file holds times; else a restart of the balance is a break, since nobody knows how long it took.
    """
    steps_s = np.diff(log.at_s)
    found: dict[int, Break] = {}
    for index in np.flatnonzero(steps_s < 0) + 1:
        found[int(index)] = Break(
            int(index), "clock set back", f"row {log.row[index]}: time goes back by {-steps_s[index - 1]:g} s"
        )
    found |= {each.index: each for each in _stood_still(log)}
    if expected is not None:
        for each in _jumped(log, expected):
            found.setdefault(each.index, each)
    for index in np.flatnonzero(steps_s > longest_gap_s) + 1:
        gap = f"{steps_s[index - 1]:g} s without a sample, more than {longest_gap_s:g} s"
        jump = found.get(int(index))
        if jump is not None and jump.kind in ("restart", "rise"):
            found[int(index)] = Break(int(index), "gap and jump", f"{jump.sentence}, after {gap}")
        else:
            found[int(index)] = Break(int(index), "gap", f"row {log.row[index]}: {gap}")
    for place, event in log.events:
        if event.happened is Happened.ZEROED:
            found.setdefault(place, Break(place, "restart", event.sentence))
        elif not timed:
            found[place] = Break(place, "clock", f"{event.sentence}, and no line tells how long that took")
    return [found[index] for index in sorted(found)]


def _jumped(log: BalanceLog, expected: Expected) -> list[Break]:
    bounds = bounds_of(log, expected)
    falls, rises = jumps(log, bounds, expected)
    steps_s, steps_g = np.diff(log.at_s), np.diff(log.mass_g)
    what = "volume" if log.is_volume else "mass"
    found = [
        Break(
            int(index), "restart",
            f"row {log.row[index]}: the {what} falls by {-1e3 * steps_g[index - 1]:.4g} mg: a tare, a restart or a "
            "disturbance",
        )
        for index in falls
    ]  # fmt: skip
    return found + [
        Break(
            int(index), "rise",
            f"row {log.row[index]}: the {what} rises by {1e3 * steps_g[index - 1]:.4g} mg in {steps_s[index - 1]:g} s, "
            "more than the pump can deliver: was something put on the pan? (if it was delivered, say --largest-rise)",
        )
        for index in rises
    ]  # fmt: skip


def _stood_still(log: BalanceLog) -> list[Break]:
    """Find times that are told again and again: two samples in one tick of a clock are ordinary, many are not."""
    starts = np.flatnonzero(np.concatenate([[True], np.diff(log.at_s) != 0]))
    lengths = np.diff(np.concatenate([starts, [log.at_s.size]]))
    usual = float(np.median(lengths))
    return [
        Break(
            int(starts[each] + 1), "clock stood still",
            f"row {log.row[starts[each] + 1]}: {lengths[each]} samples have the time of row {log.row[starts[each]]}, "
            f"{log.at_s[starts[each]]:g} s: the clock stood still",
        )
        for each in np.flatnonzero((lengths >= SAME_TICKS) & (lengths > 5.0 * usual))
    ]  # fmt: skip


def unbroken(
    path: Path,
    log: BalanceLog,
    expected: Expected | None,
    *,
    longest_gap_s: float,
    on_break: OnBreak,
    timed: bool = True,
) -> Unbroken:
    """Give one stretch to analyse, and what was found.

    Raises:
        DataFileError: a break, unless `on_break` says what to do; time that goes back cannot be joined.
    """
    whole = log
    disturbed: list[Finding] = []
    if expected is not None and bool((np.diff(log.at_s) >= 0).all()):
        log, disturbed = without_disturbances(log, expected)
    breaks = find_breaks(log, expected, longest_gap_s=longest_gap_s, timed=timed)
    if on_break is OnBreak.REFUSE and (disturbed or breaks):
        first = breaks[0].sentence if breaks else ""
        if disturbed and (not breaks or (disturbed[0].row or 0) <= int(log.row[breaks[0].index])):
            sentence = disturbed[0].sentence.rstrip(".")
            first = f"row {disturbed[0].row}: {sentence[0].lower()}{sentence[1:]}"
        others = len(disturbed) + len(breaks) - 1
        raise DataFileError(
            f"{path}: {first}{f' (and {others} more)' if others else ''}; --on-break longest analyses the longest "
            "stretch without a break, --on-break join goes on across it; disturbed samples are left out"
        )
    found = _missing(log, longest_gap_s) + _limited(disturbed)
    if disturbed:
        left = whole.at_s.size - log.at_s.size
        found.append(
            Finding("left out", f"{left} disturbed sample{'s were' if left > 1 else ' was'} left out as asked.")
        )
    found += _limited(
        [Finding(b.kind, f"{b.sentence[0].upper()}{b.sentence[1:]}.", int(log.row[b.index])) for b in breaks]
    )
    if breaks and on_break is OnBreak.LONGEST:
        part = _longest(log, breaks)
        found.append(_only_longest(log, part))
        log = part
    elif breaks:
        log, longest_gap_s = _bridged(path, log, breaks, found, longest_gap_s, expected)
    log, ticks = _one_a_tick(log)
    return Unbroken(log, found + ticks, longest_gap_s)


def _limited(findings: list[Finding]) -> list[Finding]:
    if len(findings) <= LISTED:
        return findings
    return [
        *findings[:LISTED],
        Finding(findings[0].kind, f"{len(findings) - LISTED} more like these follow.", findings[LISTED].row),
    ]


def _bridged(
    path: Path,
    log: BalanceLog,
    breaks: list[Break],
    found: list[Finding],
    longest_gap_s: float,
    expected: Expected | None,
) -> tuple[BalanceLog, float]:
    """Join a log across its breaks; the second value is how far samples may then be apart."""
    unknown = next((each for each in breaks if each.kind.startswith("clock")), None)
    if unknown is not None:
        raise DataFileError(f"{path}: {unknown.sentence}: how much time passed nobody knows, so it cannot be joined")
    lost = next((each for each in breaks if each.kind == "gap and jump"), None)
    if lost is not None:
        raise DataFileError(
            f"{path}: {lost.sentence}: how much was delivered meanwhile nobody knows, so it cannot be joined; "
            "--on-break longest analyses the longest stretch without a break"
        )
    found.append(_how_joined(log, breaks, expected))
    gaps_s = [float(log.at_s[each.index] - log.at_s[each.index - 1]) for each in breaks if each.kind == "gap"]
    return _joined(log, breaks), max([longest_gap_s, *gaps_s])


def _longest(log: BalanceLog, breaks: list[Break]) -> BalanceLog:
    edges = [0, *(each.index for each in breaks), log.at_s.size]
    stretches = [slice(start, stop) for start, stop in pairwise(edges)]
    return log.part(max(stretches, key=lambda part: log.at_s[part.stop - 1] - log.at_s[part.start]))


def _only_longest(log: BalanceLog, part: BalanceLog) -> Finding:
    return Finding(
        "left out",
        f"Only rows {part.row[0]} to {part.row[-1]} were analysed as asked, the longest stretch without a break; "
        f"{log.row.size - part.row.size} samples were left out.",
    )


def _joined(log: BalanceLog, breaks: list[Break]) -> BalanceLog:
    """Shift the masses after each jump so that they go on from the sample before it."""
    shift_g = np.zeros(log.mass_g.size)
    for each in breaks:
        if each.kind in ("restart", "rise"):
            shift_g[each.index :] += log.mass_g[each.index - 1] - log.mass_g[each.index]
    return replace(log, mass_g=log.mass_g + shift_g)


def _how_joined(log: BalanceLog, breaks: list[Break], expected: Expected | None) -> Finding:
    falls = sum(each.kind == "restart" for each in breaks)
    rises = sum(each.kind == "rise" for each in breaks)
    gaps = [each for each in breaks if each.kind == "gap"]
    parts = []
    if falls:
        parts.append(
            f"at {falls} fall{'s' * (falls > 1)} of the mass the record goes on from the sample before, so that what "
            "was delivered between the two samples is missing"
        )
    if rises:
        parts.append(
            f"{rises} rise{'s' * (rises > 1)} that no pump delivers count{'s' * (rises == 1)} as nothing delivered"
        )
    if gaps:
        rose_mg = sum(1e3 * float(log.mass_g[each.index] - log.mass_g[each.index - 1]) for each in gaps)
        parts.append(
            f"across {len(gaps)} gap{'s' * (len(gaps) > 1)} the mass is taken as a straight line that rises by "
            f"{rose_mg:.4g} mg{_against_rate(log, gaps, rose_mg, expected)}"
        )
    return Finding("joined", f"As asked, {' and '.join(parts)}.")


def _against_rate(log: BalanceLog, gaps: list[Break], rose_mg: float, expected: Expected | None) -> str:
    """Say so when much less or more came in the gaps than the rate gives."""
    if expected is None or expected.rate_g_per_h == 0:
        return ""
    lasted_h = sum(float(log.at_s[each.index] - log.at_s[each.index - 1]) for each in gaps) / 3600.0
    programmed_mg = 1e3 * expected.rate_g_per_h * lasted_h
    if 0.5 * programmed_mg <= rose_mg <= 2.0 * programmed_mg:
        return ""
    return f", where the rate gives {programmed_mg:.4g} mg: was a clock set, or did the pump stand still?"


def _one_a_tick(log: BalanceLog) -> tuple[BalanceLog, list[Finding]]:
    """Keep the last of the samples that share a time: their order is known, and no time is missing."""
    again = np.flatnonzero(np.diff(log.at_s) == 0)
    if not again.size:
        return log, []
    kept = np.setdiff1d(np.arange(log.at_s.size), again, assume_unique=True)
    row = int(log.row[again[0] + 1])
    return log.only(kept), [
        Finding(
            "one time twice",
            f"{again.size} sample{'s have' if again.size > 1 else ' has'} the time of the sample before (first: row "
            f"{row}): of those in one tick of the clock the last counts.",
            row,
        )
    ]


def _missing(log: BalanceLog, longest_gap_s: float) -> list[Finding]:
    """Report samples that are missing but leave no gap."""
    steps_s = np.diff(log.at_s)
    usual_s = usual_step_s(log)
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

"""Runs laid side by side: a folder with numbers, tables, figures and a PDF.

Not responsible for the numbers (`reports.compared`, `reports.differences`), nor for what the files look like
(`reports.comparison_file`, `reports.comparison_document`). SIMULATED is said where the runs are.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from reports.compared import Spread, UnderConditions, spreads, under_conditions
from reports.comparison_document import write_document
from reports.comparison_file import Comparison, condition_name, write_numbers
from reports.differences import RowDifference, differences
from reports.marks import marks_of_all
from reports.words import minus, value_and_uncertainty
from rig.errors import EvidenceError
from rig.record.files import utc_now
from rig.record.folder import RECORD, RunFolder, holds_a_run, read_model
from rig.record.likeness import By, Member, groups
from rig.record.manifest import Manifest, RunOutcome
from rig.record.reading import Run
from rig.run.reading import read_whole_run

NOT_A_RUN = "Comparison of runs"


def write_comparison(folder: Path, paths: Sequence[Path], by: By | None = None) -> list[str]:
    """Compare runs and write a new folder; returns what to print.

    Args:
        folder: to be made.
        paths: run folders, or folders of run folders.
        by: what the runs differ in and are compared by, the first run's group being A; None where they are alike.

    Raises:
        EvidenceError: a record is missing or damaged, the runs are unlike, they have nothing in common, or the folder
            holds files already.
    """
    if folder.is_dir() and any(folder.iterdir()):
        raise EvidenceError(f"{folder}: holds files already; name another folder by --out, nothing is overwritten")
    runs, left_out = _runs(paths)
    compared = compare(_members(runs), by, left_out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files = write_numbers(folder, compared)
        write_document(folder, compared, files, datetime.fromisoformat(utc_now()))
    except OSError as error:
        raise EvidenceError(f"{folder}: cannot be written ({error.strerror})") from error
    lines = [*left_out, *(_line(each) for each in compared.pooled)]
    lines += [f"{letter}: {title}" for title, letter in compared.letters.items() if by]
    lines += [_difference_line(each, compared) for each in compared.differences]
    lines += [line for each in compared.conditions for line in _condition_lines(each)]
    if compared.alone:
        lines.append(f"{len(compared.alone)} measured in one {'group' if by else 'run'} only: see the comparison.")
    return [*lines, f"Comparison: {folder / 'comparison.pdf'}"]


def compare(members: Sequence[Member], by: By | None = None, left_out: Sequence[str] = ()) -> Comparison:
    """Lay runs side by side; EvidenceError when they are unlike, or have nothing in common."""
    marks = [NOT_A_RUN, *marks_of_all(member.run for member in members)]
    grouped = groups(members, by)
    if by is not None:
        found, alone = differences(grouped)
        if not found:
            raise EvidenceError(f"{_finished(members, left_out)}: no quantity was measured by one test in two groups")
        return Comparison(
            by, tuple(grouped), tuple(left_out), tuple(marks), differences=tuple(found), alone=tuple(alone)
        )
    pooled, alone = spreads(members)
    conditions = under_conditions(members)
    if not pooled and not conditions:
        raise EvidenceError(
            f"{_finished(members, left_out)}: nothing was measured in two runs under the same conditions, nor under "
            "nominal and another condition; name runs that measured the same"
        )
    return Comparison(
        by, tuple(grouped), tuple(left_out), tuple(marks), tuple(pooled), tuple(conditions), alone=tuple(alone)
    )


def _finished(members: Sequence[Member], left_out: Sequence[str]) -> str:
    runs = f"{len(members)} finished run{'s' if len(members) != 1 else ''}"
    return f"{runs} ({' '.join(left_out)})" if left_out else runs


def _runs(paths: Sequence[Path]) -> tuple[list[Run], list[str]]:
    """Read the finished runs among `paths` and below them; a sentence for each that takes no part."""
    found: list[Path] = []
    for path in paths:
        if holds_a_run(path):
            found.append(path)
            continue
        below = sorted(child for child in path.iterdir() if holds_a_run(child)) if path.is_dir() else []
        if not below:
            raise EvidenceError(f"{path}: there is no run in this folder")
        found += below
    finished: dict[str, Path] = {}
    left_out = []
    places: set[Path] = set()
    for path in found:
        outcome = _outcome(path)
        if path.resolve() in places:
            left_out.append(f"{path.name} was named twice; it is compared once.")
        elif outcome == "blocked":
            left_out.append(f"{path.name} is left out: its bench was blocked and nothing was measured.")
        elif outcome != "complete":
            how = "it was never closed" if outcome == "started" else f"its record ends as {outcome!r}"
            left_out.append(f"{path.name} is left out: it was not finished, {how}.")
        elif (original := finished.setdefault(_fingerprint(path), path)) is not path:
            left_out.append(f"{path.name} is left out: it is a copy of {original.name}.")
        places.add(path.resolve())
    return [read_whole_run(path) for path in finished.values()], left_out


def _outcome(path: Path) -> RunOutcome:
    """Read how a run ended, before anything else of it is looked at."""
    if (path / RECORD).is_dir():
        closing = RunFolder(path).closing()
        return closing.outcome if closing is not None else "started"
    return read_model(path / "manifest.json", Manifest).outcome


def _fingerprint(path: Path) -> str:
    """Hash what tells a run from every other: two runs of one seed still began and ended at their own times."""
    folder = path / RECORD if (path / RECORD).is_dir() else path
    digest = hashlib.sha256()
    for name in ("manifest.json", "results.json", "closing.json"):
        file = folder / name
        digest.update(name.encode() + (file.read_bytes() if file.is_file() else b""))
    return digest.hexdigest()


def _members(runs: Sequence[Run]) -> list[Member]:
    """Call each run by its folder's name; by more of its path where several are called so."""
    parts = [run.folder.resolve().parts[1:] or (run.folder.name,) for run in runs]
    depth = 1
    while max(Counter(each[-depth:] for each in parts).values(), default=1) > 1:
        depth += 1
    names = Counter(each[-1:] for each in parts)
    return [
        Member("/".join(each[-(depth if names[each[-1:]] > 1 else 1) :]), run)
        for each, run in zip(parts, runs, strict=True)
    ]


def _line(spread: Spread) -> str:
    tolerance, row = spread.tolerance, spread.row
    end = f", 95 % of pumps in {tolerance.low:.3g} … {tolerance.high:.3g}" if tolerance else ""
    where = "" if row.conditions == "nominal" else f", {row.conditions}"
    return (
        f"{row.name}{where}: mean {spread.mean:.4g}, SD {spread.sd:.2g}, {min(spread.values):.4g} … "
        f"{max(spread.values):.4g} {row.quantity.unit} (n = {len(row.values)}{end})"
    )


def _difference_line(each: RowDifference, compared: Comparison) -> str:
    value, u = value_and_uncertainty(each.found.difference, each.found.expanded)
    where = "" if each.row.conditions == "nominal" else f", {each.row.conditions}"
    stated = f"{value} ± {u}" if u else value
    return (
        f"{each.row.name}{where}: {compared.letters[each.b]} − A = {stated} {each.row.quantity.unit}; {each.sentence}"
    )


def _condition_lines(compared: UnderConditions) -> list[str]:
    return [f"{compared.subject}:"] + [
        f"  {minus(condition_name(row))}: {row.min_percent:+.2f} … {row.max_percent:+.2f} %, "
        f"mean {row.mean_percent:+.2f} %"
        for row in (compared.table.nominal, *compared.table.rows)
    ]

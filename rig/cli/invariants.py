"""`rig invariants`: look through the record of a run again, and hold what is found against what stands in it.

Not responsible for the invariants (`rig.run.invariants`).
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from rich.console import Console

from rig.cli.printing import say
from rig.errors import EvidenceError
from rig.record.folder import RECORD, RunFolder
from rig.record.invariants import Invariants
from rig.record.results import FoundRecord, Results
from rig.run.inputs import frozen_inputs
from rig.run.invariants import UNREADABLE, looked_through
from rig.run.reading import read_whole_run

EXIT_FOUND, EXIT_OTHER = 1, 3
MOST_SAID = 20


def say_invariants(path: Path, *, console: Console) -> int:
    """Print what does not hold over the whole record of each test; returns the exit code.

    That is 0 where all of it holds, 1 where something does not, 3 where the record says otherwise than what is found
    now, or a test's part of it cannot be read.

    Raises:
        EvidenceError: the folder holds no run of the present format, or its record is damaged or was changed.
    """
    if not (path / RECORD).is_dir():
        raise EvidenceError(f"{path}: holds no run with a {RECORD} folder, so there is nothing to look through")
    read_whole_run(path)
    run = RunFolder(path)
    spec = frozen_inputs(run, run.manifest()).spec
    found, abstained, other = [], Counter[str](), []
    attempts = run.attempts()
    for attempt in attempts:
        now, then = looked_through(attempt, spec), attempt.invariants()
        title = f"{attempt.collected.title.rstrip('.')}, attempt {attempt.number}"
        found += [(title, each) for each in now.findings]
        abstained.update(now.abstained)
        if then is not None and then != now:
            other.append(f"{title}: {_difference(then, now)}")
    say(console, f"Looked through what {len(attempts)} tests have recorded.")
    for title, each in found:
        say(console, f"{title}, at {each.at_s:.0f} s: {each.invariant}, but {each.what}", "red")
    for sentence, count in sorted(abstained.items()):
        say(console, f"{sentence} ({count} {'tests' if count > 1 else 'test'})")
    for sentence in other:
        say(console, sentence, "red")
    if other or any(UNREADABLE in sentence for sentence in abstained):
        return EXIT_OTHER
    if not found:
        say(console, "Everything that was looked into holds.", "green")
    return EXIT_FOUND if found else 0


def say_found(results: Results, console: Console) -> None:
    """Print what does not hold over whole records, if anything."""
    for each in results.found[:MOST_SAID]:
        say(console, f"Found in {of_whom(results, each)}", "red")
    if len(results.found) > MOST_SAID:
        say(console, f"and {len(results.found) - MOST_SAID} more, in results.json under 'found'", "red")


def of_whom(results: Results, found: FoundRecord) -> str:
    """Write a finding: the test, when, what should hold, and what does not."""
    called = results.called(found.test, found.attempt)
    return f"{called}, at {found.at_s:.0f} s: {found.invariant}, but {found.what}"


def _difference(then: Invariants, now: Invariants) -> str:
    for name in ("measured", "findings", "abstained", "looked"):
        if getattr(then, name) != getattr(now, name):
            return f"its {name} are not what the record says in invariants.json"
    return "is not what the record says in invariants.json"

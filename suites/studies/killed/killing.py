"""One run that is killed at a moment, and what is left of it.

Not responsible for which moments (`python -m suites.studies.killed`), nor for printing.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pypdf import PdfReader

from rig.clock import Clock, Deadline, WallClock
from rig.errors import RigError
from rig.lease import is_held
from rig.record.closed import CLOSING, sums
from rig.record.folder import LEASE, RECORD
from rig.record.results import Results
from rig.run.reading import read_whole_run
from rig.verdicts.limits import Verdict

SELECTED = "priming or stopped"
"""One test of each runner, the shortest ones."""

LOOK_EVERY_S = 0.01
PATIENCE_S = 120.0
"""For so long what is left of a killed run may take to end."""

Whom = Literal["parent", "runner", "group"]
WHOM: tuple[Whom, ...] = ("parent", "runner", "group")
MARKS = ("INTERRUPTED", "BROKEN OFF")
"""What a report may say of a run that was killed."""

State = Literal["no run", "closed before", "closed since"]
"""What the kill met: nothing that can be called a run yet, a run that had ended, or one that it broke off."""


@dataclass(frozen=True)
class Left:
    """What a kill left.

    Attributes:
        state: what it met.
        corrupt: the sentence by which the record was refused, if it was.
        unearned: whether anything called the run PASS or NOT APPLICABLE, or its exit code did.
        mark: what each page of its report says of its end.
        resumed: whether it went on to its end, and to the values of a run that nobody killed.
    """

    state: State
    corrupt: str | None = None
    unearned: bool = False
    mark: str = ""
    resumed: bool = False


def rig(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Call the command line as people do."""
    return subprocess.run([sys.executable, "-m", "rig", *arguments], capture_output=True, text=True, check=False)


def whole(folder: Path) -> tuple[Results, float]:
    """Do the run that nobody kills; returns its results, and how many s of wall time it took.

    Raises:
        RigError: it did not pass.
    """
    clock = WallClock()
    done = rig("verify", "--select", SELECTED, "--out", str(folder))
    took_s = clock.now()
    if done.returncode != 0:
        raise RigError(f"the run that nobody killed ended with {done.returncode}: {done.stdout}{done.stderr}")
    return read_whole_run(folder).results, took_s


def killed(folder: Path, whom: Whom, after_s: float, reference: Results) -> Left:
    """Begin a run, kill it, read what is left, report it, and go on with it.

    Args:
        folder: of the run, new.
        whom: the process of `rig verify` alone, the last process that it started, or all of them.
        after_s: when, in s of wall time.
        reference: the results of the same run that nobody killed.
    """
    clock = WallClock()
    command = [sys.executable, "-m", "rig", "verify", "--select", SELECTED, "--out", str(folder)]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        while process.poll() is None and clock.now() < after_s:
            clock.sleep(LOOK_EVERY_S)
        _kill(process, whom)
        code = process.wait(timeout=PATIENCE_S)
    _await_end(folder, clock)
    record = folder / RECORD
    if not (record / "manifest.json").is_file():
        return Left("no run", corrupt=_refused_in_a_sentence(folder))
    complete = (record / CLOSING).is_file() and read_whole_run(folder).manifest.outcome == "complete"
    reported = rig("report", str(folder))
    try:
        run = read_whole_run(folder)
    except RigError as error:
        return Left("closed since", corrupt=str(error))
    if reported.returncode != 0:
        return Left("closed since", corrupt=reported.stderr)
    if complete:
        return Left("closed before", unearned=run.results.verdict is not reference.verdict)
    good = run.results.verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE)
    return Left(
        "closed since",
        unearned=good or code == 0 or run.manifest.outcome == "complete",
        mark=_printed_mark(folder),
        resumed=_resumed(folder, reference),
    )


def _kill(process: subprocess.Popen[bytes], whom: Whom) -> None:
    if process.poll() is not None:
        return
    if whom == "group":
        os.killpg(process.pid, signal.SIGKILL)
        return
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
    victim = int(children[-1]) if whom == "runner" and children else process.pid
    os.kill(victim, signal.SIGKILL)


def _await_end(folder: Path, clock: Clock) -> None:
    """Wait until no process of the run lives any more."""
    deadline = Deadline(clock, PATIENCE_S)
    while is_held(folder / LEASE) and not deadline.expired:
        clock.sleep(LOOK_EVERY_S)


def _refused_in_a_sentence(folder: Path) -> str | None:
    """Ask for a report where there is no run; returns the answer where it is not one sentence with exit code 3."""
    done = rig("report", str(folder))
    good = done.returncode == 3 and done.stderr.startswith("rig: ") and done.stderr.count("\n") == 1
    return None if good else done.stdout + done.stderr


def _printed_mark(folder: Path) -> str:
    """Read how the run ended from the first page of its newest report."""
    newest = max(folder.glob("reports/rev-*/report.pdf"), key=lambda path: int(path.parent.name.removeprefix("rev-")))
    text = " ".join(PdfReader(newest).pages[0].extract_text().split())
    return next((mark for mark in MARKS if f"{mark} —" in text), "")


def _resumed(folder: Path, reference: Results) -> bool:
    """Go on with the run, and say whether it came to its end with the values of the run that nobody killed."""
    out = folder.with_name(f"{folder.name}-resumed")
    done = rig("resume", str(folder), "--out", str(out))
    if done.returncode != 0:
        return False
    run = read_whole_run(out)
    link = run.manifest.resumes
    linked = link is not None and link.closing_sha256 == sums(folder / RECORD / CLOSING).sha256
    return linked and run.manifest.outcome == "complete" and _values(run.results) == _values(reference)


def _values(results: Results) -> list[tuple[object, ...]]:
    """The verdicts and measured values of requirements, whichever attempt they are of."""
    return [
        (row.id, row.verdict, [(each.name, each.value, each.expanded_uncertainty) for each in row.measurements])
        for row in results.requirements
    ]

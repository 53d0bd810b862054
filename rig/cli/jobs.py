"""The tests of a virtual run side by side: several jobs, each a process of pytest and after it one of Robot Framework.

A job takes the next test that no other has, the longest first, so that all end at about the same time. Each test opens
a world of its own and writes a folder of its own, so that the record has the same bytes as of one job. Not responsible
for the runners (`rig.cli.runners`), nor for who takes which test (`rig.run.sharing`).
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from rig.cli.progress import UNKNOWN_S, ProgressView
from rig.cli.runners import (
    LOOK_EVERY_S,
    STOPPED_S,
    last_words,
    pytest_command,
    robot_command,
    runner_process,
    started,
    stop_processes,
)
from rig.clock import WallClock
from rig.errors import BenchFileError
from rig.lease import Lease
from rig.record.folder import RunFolder
from rig.run.collection import Declaration
from rig.run.ending import NAMES, Ending, judge_runner, not_ended
from rig.run.sharing import JobShare, share_out
from rig.run.stopping import Leash, StopSignals

TESTS_A_JOB = 4
"""A job costs about two seconds to start, as much as a short test: by itself, `rig verify` makes one for each four
tests at most."""


def jobs_for(wanted: int | None, tests: int, *, virtual: bool) -> int:
    """Say how many jobs a run has.

    Args:
        wanted: as it was asked for; None: as many as there are cores, where the tests are enough for them.
        tests: how many there are to do.
        virtual: whether each test opens a bench of its own.

    Raises:
        BenchFileError: more than one on a bench that there is once.
    """
    if not virtual:
        if wanted is not None and wanted > 1:
            raise BenchFileError(
                f"--jobs {wanted}: this bench is no virtual one, and a bench that there is once does one test at a "
                "time; leave --jobs out"
            )
        return 1
    return max(1, min(wanted or cores(), tests if wanted else tests // TESTS_A_JOB))


def cores() -> int:
    """Count the processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def longest_first(tests: Sequence[Declaration]) -> list[str]:
    """Order tests by the bench time that they say they take, the longest first; equals as they were declared."""
    return [each.test for each in sorted(tests, key=lambda each: -(each.bench_time_s or UNKNOWN_S))]


@dataclass
class _Job:
    """One job: what it has still to start, what it does now, and how it ended."""

    number: int
    left: list[str]
    name: str = ""
    process: subprocess.Popen[bytes] | None = None
    log: Path = Path()
    ending: Ending = field(default_factory=lambda: Ending("complete"))

    @property
    def over(self) -> bool:
        return self.process is None and (not self.left or self.ending.outcome != "complete")


def run_side_by_side(
    run: RunFolder,
    owed: Mapping[str, Sequence[Declaration]],
    jobs: int,
    leases: Sequence[Lease],
    console: Console,
    stop: StopSignals,
    enough: Callable[[], str | None] = lambda: None,
) -> Ending:
    """Run the tests that are owed in several jobs.

    A job that dies leaves its test undone; the others go on with the rest.

    Args:
        run: with its tests declared.
        owed: by runner, the tests that have not come to their end.
        jobs: how many.
        leases: of the bench, which the runners carry on.
        console: shows what goes on.
        stop: what asks this process to stop, which is handed on to the jobs.
        enough: says why the run is to be stopped here; None while it is to go on.
    """
    names = [name for name in NAMES if owed.get(name)]
    every = [_Job(number, list(names)) for number in range(1, jobs + 1)]
    tests = [each for name in names for each in owed[name]]
    with TemporaryDirectory(prefix="rig-jobs-") as folder, ProgressView(run.path, console, tests) as view:
        for name in names:
            share_out(Path(folder) / name, longest_first(owed[name]))
        ending = _watch(run, every, Path(folder), leases, view, stop, enough)
        taken = {
            test: job.ending.reason or ""
            for job in every
            if job.ending.outcome != "complete"
            for test in JobShare(Path(folder) / job.name, job.number).taken
        }
    _join_logs(run, names, every)
    _join_outputs(run)
    if ending.outcome == "broken":
        console.print(f"{ending.reason}.", style="red", soft_wrap=True, markup=False)
    undone = {test: taken.get(test, ending.reason or "") for test in not_ended(run)} if ending.reason else {}
    return Ending(ending.outcome, ending.reason, undone)


def _watch(
    run: RunFolder,
    jobs: Sequence[_Job],
    folder: Path,
    leases: Sequence[Lease],
    view: ProgressView,
    stop: StopSignals,
    enough: Callable[[], str | None],
) -> Ending:
    """Start, watch and judge the jobs until all are over, or somebody stops one of them."""
    clock = WallClock()
    try:
        with Leash() as leash, ExitStack() as stack:
            try:
                while not all(job.over for job in jobs):
                    for job in jobs:
                        _go_on(job, run, folder, leash, leases, stack)
                    view.refresh()
                    if (why := enough()) is not None:
                        return Ending("interrupted", why)
                    if any(job.ending.outcome == "interrupted" for job in jobs):
                        break
                    clock.sleep(LOOK_EVERY_S)
            finally:  # all of them at once, before each is waited for
                stop_processes([job.process for job in jobs if job.process is not None], STOPPED_S)
    except KeyboardInterrupt:
        return Ending("interrupted", f"the run was interrupted by {stop.asked}")
    finally:
        view.refresh()
    if (why := enough()) is not None and not_ended(run):
        return Ending("interrupted", why)
    endings = [job.ending for job in jobs if job.ending.outcome != "complete"]
    reason = "; ".join(dict.fromkeys(each.reason or "" for each in endings)) or None
    if any(each.outcome == "interrupted" for each in endings):
        return Ending("interrupted", reason)
    return Ending("broken", reason) if endings else Ending("complete")


def _go_on(job: _Job, run: RunFolder, folder: Path, leash: Leash, leases: Sequence[Lease], stack: ExitStack) -> None:
    """Judge the process of a job that has ended, and start its next one."""
    if job.process is not None:
        if job.process.poll() is None:
            return
        taken = JobShare(folder / job.name, job.number).taken
        ending = judge_runner(job.name, job.process.returncode, taken, run, last_words(job.log, run))
        job.process = None
        if ending.outcome != "complete":
            job.ending = Ending(ending.outcome, f"job {job.number}: {ending.reason}")
    if job.over:
        return
    job.name = job.left.pop(0)
    share = ["--share", str(folder / job.name), "--job", str(job.number)]
    command = {
        "pytest": [*pytest_command(run), "-p", "fixtures.shared_tests"],
        "robot": robot_command(run),
    }[job.name]
    job.log = _log(run, job.name, job.number)
    output = stack.enter_context(job.log.open("wb"))
    job.process = stack.enter_context(runner_process([*command, *share], run, leash, output, leases))


def _log(run: RunFolder, name: str, number: int) -> Path:
    return run.path / f"{name}-job-{number}.log"


def _join_logs(run: RunFolder, names: Sequence[str], jobs: Sequence[_Job]) -> None:
    """Put what the jobs have said into one log for each runner."""
    for name in names:
        with (run.path / f"{name}.log").open("wb") as whole:
            for path in (path for job in jobs if (path := _log(run, name, job.number)).is_file()):
                whole.write(f"---- {path.stem} ----\n".encode() + path.read_bytes())
                path.unlink()


def _join_outputs(run: RunFolder) -> None:
    """Make one output, log and report of those of Robot Framework's jobs; they are no part of the record."""
    parts = run.path / "robot" / "parts"
    if not parts.is_dir():
        return
    with Leash() as leash, (run.path / "robot.log").open("ab") as output:
        command = ["-B", "-m", "fixtures.robot_joined", str(parts)]
        with started(command, leash, output=output) as process:
            process.wait()

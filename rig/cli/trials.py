"""Trials of pumps side by side: each is a run of its own, whose tests go stage by stage until the first right FAIL.

The tests are declared once for all pumps. What counts is in the run's record; the processes are those of `rig verify`.
Not responsible for which pumps there are or what their trials amount to (`rig.proving`).
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rig.cli.runners import (
    LOOK_EVERY_S,
    STOPPED_S,
    last_words,
    pytest_command,
    robot_command,
    runner_process,
    stop_processes,
)
from rig.clock import WallClock
from rig.errors import RigError
from rig.lease import Lease
from rig.proving.pumps import TriedPump
from rig.proving.trial import right_fail, tried
from rig.record.files import slug
from rig.record.folder import RunFolder
from rig.record.proof import Tried
from rig.record.results import TestRecord
from rig.run.begin import end_run, start_run
from rig.run.collection import Declaration
from rig.run.ending import Ending, judge_runner
from rig.run.first_fail import Fail, fails_in
from rig.run.inputs import Inputs
from rig.run.sharing import JobShare, share_out
from rig.run.stopping import Leash
from rig.shipped import shipped

CONTROLLER = "fixtures/controller"
STANDS_STILL_S = 1800.0
"""A trial in which no test has ended for so long is given up, as rig trouble. The house's: the longest test of the
default plan takes less than a minute."""
Stages = Sequence[Sequence[Declaration]]
InputsOf = Callable[[TriedPump, Path | None], Inputs]


@dataclass(frozen=True)
class Bout:
    """What a trial starts as one process: tests of one runner."""

    runner: str
    tests: tuple[str, ...]


def bouts_of(stages: Stages, runner_of: Mapping[str, str]) -> list[Bout]:
    """Split stages into processes: in each, that runner comes first which has the first test of the stage."""
    found = []
    for stage in stages:
        for runner in dict.fromkeys(runner_of[each.test] for each in stage):
            found.append(Bout(runner, tuple(each.test for each in stage if runner_of[each.test] == runner)))
    return found


@dataclass
class Trial:
    """One pump on its way through the suites.

    Args:
        pump: that is tried.
        folder: of all trials; images, runs and logs lie below it.
        inputs_of: reads the inputs of a run of a pump with an image.
        declared: every test of the plan.
        bouts: what is run, in this order.
        stops: whether the first right FAIL ends it.
        digest: of what it is tried with.
        leases: of a bench that there is once.
        patience_s: for so long no test need end; None: for ever, as on a bench in real time.
        right_firmware: SHA-256 of the right pump's image: a wrong one that has it is told, since none can catch it.
    """

    pump: TriedPump
    folder: Path
    inputs_of: InputsOf
    declared: Sequence[Declaration]
    bouts: list[Bout]
    stops: bool
    digest: str
    leases: Sequence[Lease] = ()
    patience_s: float | None = STANDS_STILL_S
    right_firmware: str | None = None
    clock: WallClock = field(default_factory=WallClock)
    result: Tried | None = None
    _steps: Generator[None] | None = None

    def step(self, leash: Leash) -> bool:
        """Go on a little; says whether the trial is over."""
        if self._steps is None:
            self._steps = self._go(leash)
        try:
            next(self._steps)
        except StopIteration:
            return True
        return False

    def stop(self) -> None:
        """Break it off, its processes stopped; it has no result then."""
        if self._steps is not None:
            self._steps.close()

    def _go(self, leash: Leash) -> Generator[None]:
        begun_s = self.clock.now()
        image, trouble, remark = self.pump.path, None, None
        tests: Sequence[TestRecord] = ()
        fails: list[Fail] = []
        try:
            if self.pump.source == "patch":
                image = yield from self._built()
            inputs = self.inputs_of(self.pump, image)
            place = self.folder / "runs" / slug(self.pump.name)
            shutil.rmtree(place, ignore_errors=True)
            run = start_run(inputs, out=place, begun_by="rig prove")
            for each in self.declared:
                each.declare_in(run)
            run.appender.close()
            trouble = yield from self._fought(run, inputs, leash)
            fails = fails_in(run, inputs.requirements)
            stopped = trouble or (f"{fails[0].requirement} FAILed" if self.stops and fails else None)
            tests = end_run(run, Ending("interrupted", stopped) if stopped else "complete")[0].tests
            fails = fails_in(run, inputs.requirements)  # now of each test's whole record, too
        except RigError as error:
            trouble = str(error)
        if image is not None and _sha256(image) == self.right_firmware:
            remark = "its image is that of the right pump, octet for octet"
        wall_s = self.clock.now() - begun_s
        self.result = tried(self.pump, fails, tests, trouble=trouble, remark=remark, wall_s=wall_s, digest=self.digest)
        if self.result.outcome in ("caught", "clean"):  # the runs of the others are wanted still
            shutil.rmtree(self.folder / "runs" / slug(self.pump.name), ignore_errors=True)
        shutil.rmtree(self.folder / "shares" / slug(self.pump.name), ignore_errors=True)

    def _built(self) -> Generator[None, None, Path]:
        """Build the image of a patch, unless it is there already; returns where it lies."""
        patch = self.pump.path
        assert patch is not None
        kept = patch.with_suffix(".elf")
        if kept.is_file():
            return kept
        image = self.folder / "images" / f"{slug(self.pump.name)}-{digest_of_sources(patch)[:16]}.elf"
        if image.is_file():
            return image
        image.parent.mkdir(parents=True, exist_ok=True)
        unfinished = image.with_suffix(".partial")
        yield from firmware_built(["--patch", str(patch), str(unfinished)])
        unfinished.rename(image)
        return image

    def _fought(self, run: RunFolder, inputs: Inputs, leash: Leash) -> Generator[None, None, str | None]:
        """Run bout after bout; returns what went wrong, in words, or None."""
        trouble: str | None = None
        for number, bout in enumerate(self.bouts, start=1):
            share = self.folder / "shares" / slug(self.pump.name) / str(number)
            shutil.rmtree(share, ignore_errors=True)
            share_out(share, bout.tests)
            ending, caught = yield from self._one(run, inputs, bout, share, leash)
            trouble = trouble or ending
            if caught:
                return None
        return trouble

    def _one(
        self, run: RunFolder, inputs: Inputs, bout: Bout, share: Path, leash: Leash
    ) -> Generator[None, None, tuple[str | None, bool]]:
        """Run one bout; returns what went wrong or None, and whether a FAIL has ended the trial."""
        log = run.path / f"{bout.runner}.log"
        shared = ["--share", str(share), "--job", "1"]
        command = {
            "pytest": [*pytest_command(run), "-p", "fixtures.shared_tests"],
            "robot": robot_command(run),
        }[bout.runner]
        seen, moved_s, progress = -1, self.clock.now(), run.path / "progress.jsonl"
        with log.open("ab") as output, runner_process([*command, *shared], run, leash, output, self.leases) as process:
            while process.poll() is None:
                yield
                size = progress.stat().st_size if progress.is_file() else 0
                if size == seen:
                    if self.patience_s is not None and self.clock.now() - moved_s > self.patience_s:
                        stop_processes([process], STOPPED_S)
                        return f"no test has ended for {self.patience_s:g} s", False
                    continue
                seen, moved_s = size, self.clock.now()
                if self._caught(fails_in(run, inputs.requirements)):
                    stop_processes([process], STOPPED_S)
                    return None, True
        if self._caught(fails_in(run, inputs.requirements)):
            return None, True
        taken = JobShare(share, 1).taken
        ending = judge_runner(bout.runner, process.returncode, taken, run, last_words(log, run))
        return (None if ending.outcome == "complete" else ending.reason), False

    def _caught(self, fails: Sequence[Fail]) -> bool:
        return self.stops and right_fail(fails, self.pump.expected) is not None


def _sha256(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def firmware_built(arguments: Sequence[str]) -> Generator[None]:
    """Run the firmware's build; RigError with its last words when it fails."""
    command = [sys.executable, str(shipped(CONTROLLER) / "build.py"), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            while process.poll() is None:
                yield
        except GeneratorExit:
            process.kill()
            raise
        said = process.communicate()[0].decode(errors="replace").strip()
    if process.returncode != 0:
        raise RigError(f"the firmware cannot be built: {said.splitlines()[-1] if said else 'its build said nothing'}")


def built_with_symbols(image: Path) -> Generator[None]:
    """Build the right pump with its symbols, to find functions by their addresses."""
    yield from firmware_built(["--symbols", str(image)])


def digest_of_sources(*more: Path) -> str:
    """Compute the SHA-256 of the firmware's sources, its build, and more files, such as a patch."""
    controller = shipped(CONTROLLER)
    paths = [*sorted((controller / "firmware").iterdir()), controller / "build.py", *more]
    content = hashlib.sha256()
    for path in paths:
        content.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return content.hexdigest()


def try_all(waiting: Sequence[Trial], jobs: int, told: Callable[[Tried], None]) -> None:
    """Carry trials out, so many at a time, and tell the result of each as it comes.

    Whatever breaks this off stops the processes of all of them; those that have no result are tried again another time.
    """
    clock, left, active = WallClock(), list(waiting), list[Trial]()

    def stop_active() -> None:
        for trial in active:
            trial.stop()

    with Leash() as leash, ExitStack() as stack:
        stack.callback(stop_active)
        while left or active:
            while left and len(active) < jobs:
                active.append(left.pop(0))
            for trial in [each for each in active if each.step(leash)]:
                active.remove(trial)
                if trial.result is not None:
                    told(trial.result)
            clock.sleep(LOOK_EVERY_S)


def overridden(settings: Mapping[str, Any], pump: TriedPump, image: Path | None) -> dict[str, Any]:
    """Lay a pump's settings and image over those of the command line."""
    own = {"virtual.firmware": str(image.resolve())} if image is not None else {}
    return {**settings, **own, **dict(pump.settings)}

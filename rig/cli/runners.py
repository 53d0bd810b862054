"""The runners of a run: processes of the ordinary pytest and Robot Framework, started, watched and stopped.

They carry the run's lease on, and hear when this process ends without a word, so that none is left behind. Not
responsible for what they test, nor for how a run is judged that one of them did not end (`rig.run.ending`).
"""

from __future__ import annotations

import os
import signal
import site
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from rich.console import Console

from rig.cli.progress import ProgressView
from rig.clock import Deadline, WallClock
from rig.errors import BenchFileError
from rig.lease import Lease, carried
from rig.record.folder import RunFolder
from rig.run.collection import (
    TAKEN,
    Declaration,
    belonging_to,
    chosen_of,
    read_declarations,
    read_taken_tables,
    refuse_untaken,
)
from rig.run.ending import NAMES, Ending, judge_runner, not_ended
from rig.run.inputs import SUITES, Inputs
from rig.run.selection import parse_selection
from rig.run.stopping import MAKE_SAFE_S, Leash, StopSignals, attending
from rig.shipped import ROOT

LOOK_EVERY_S = 0.2
STOPPED_S = MAKE_SAFE_S + 10.0
"""For so long a runner that was told to stop is waited for: it makes its bench safe, then writes its logs."""

_COLLECTED = {"pytest": (0, 5), "robot": (0,)}
"""Exit codes of a collection that came to its end: pytest's 5 says that no test was selected."""
_PLUGINS_LEFT_OUT = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")
"""Of pytest, for a run: no cache beside frozen inputs; and Hypothesis, where it is installed, takes a second to end."""
_OTHERS_SAY = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "ROBOT_OPTIONS")
"""Settings from outside that would change what a run does without standing in its record."""


def collect(run: RunFolder, inputs: Inputs) -> dict[str, list[Declaration]]:
    """Let both runners declare what the run's suites will measure, at the same time; returns what is selected of it.

    Raises:
        BenchFileError: a suite cannot be read, with the last words of its runner; or the plan has entries that no test
            takes.
    """
    declared: dict[str, list[Declaration]] = {}
    with TemporaryDirectory(prefix="rig-declare-") as folder, Leash() as leash:
        files = {name: Path(folder) / name for name in NAMES}
        commands = {
            "pytest": [*pytest_command(run), "--collect-only", "--assert=plain", "--declare", str(files["pytest"])],
            "robot": [*robot_command(run), "--declare", str(files["robot"])],
        }
        with ExitStack() as stack:
            processes = {
                name: stack.enter_context(runner_process(command, run, leash)) for name, command in commands.items()
            }
            for process in processes.values():
                stack.callback(process.kill)  # whatever ended the waiting
            for name, process in processes.items():
                said = process.communicate()[0].decode(errors="replace")
                if process.returncode not in _COLLECTED[name]:
                    said = said.replace(f"{run.inputs.resolve()}/", "")  # named as where they were copied from
                    raise BenchFileError(f"the suites cannot be read by {name}: {essence(said)}")
                # not written where pytest selected nothing
                found = read_declarations(files[name]) if files[name].is_file() else []
                declared[name] = belonging_to(inputs.plan.plan, found)
        taken = read_taken_tables(files["pytest"].with_suffix(TAKEN))
    refuse_untaken(inputs.plan.path, inputs.plan.plan, taken)
    selected = run.manifest().selected
    if not selected:
        return declared
    selection = parse_selection(selected, inputs.requirements)
    return {name: chosen_of(of_runner, selection) for name, of_runner in declared.items()}


def run_suites(
    run: RunFolder,
    owed: Mapping[str, Sequence[Declaration]],
    leases: Sequence[Lease],
    console: Console,
    stop: StopSignals,
    enough: Callable[[], str | None] = lambda: None,
) -> Ending:
    """Run pytest, then Robot Framework, over the tests that are owed still.

    Robot Framework is not started where none of them is its own; pytest may have tests that no run declares.

    Args:
        run: with its tests declared.
        owed: the tests of each runner that have not come to their end.
        leases: of the bench, which the runners carry on.
        console: shows what goes on.
        stop: what asks this process to stop, which is handed on to the runner.
        enough: says why the run is to be stopped here; None while it is to go on.
    """
    commands = {
        "pytest": pytest_command(run),
        "robot": robot_command(run),
    }
    ending, why = Ending("complete"), ""
    with ProgressView(run.path, console, [each for of_runner in owed.values() for each in of_runner]) as view:
        for name, command in commands.items():
            if name == "robot" and not owed[name]:
                continue
            ending = _run_one(name, command, [each.test for each in owed[name]], run, leases, view, stop, enough)
            if ending.outcome != "complete":
                why = ending.reason or ""
                break
    if ending.outcome == "broken":
        console.print(f"{why}.", style="red", soft_wrap=True, markup=False)
    done = list(commands).index(name) if why else len(commands)
    left, interrupted = set(not_ended(run)), ending.outcome == "interrupted"
    undone = {
        test: why if number == done or interrupted else f"{why}, so that {NAMES[each]} was not started"
        for number, each in enumerate(commands)
        for test in (declared.test for declared in owed[each])
        if test in left
    }
    return Ending(ending.outcome, ending.reason, undone)


def _run_one(
    name: str,
    command: Sequence[str],
    owed: Sequence[str],
    run: RunFolder,
    leases: Sequence[Lease],
    view: ProgressView,
    stop: StopSignals,
    enough: Callable[[], str | None],
) -> Ending:
    """Run one runner to its end, with its output in the run folder; told to stop, stop it and wait for it."""
    clock = WallClock()
    log = run.path / f"{name}.log"
    process: subprocess.Popen[bytes] | None = None
    try:
        with log.open("wb") as output, Leash() as leash, runner_process(command, run, leash, output, leases) as process:
            while process.poll() is None:
                view.refresh()
                if (why := enough()) is not None:
                    stop_processes([process], STOPPED_S)
                    return Ending("interrupted", why)
                clock.sleep(LOOK_EVERY_S)
    except KeyboardInterrupt:  # it was stopped on leaving
        killed = process is not None and process.returncode == -signal.SIGKILL
        how = f"; {NAMES[name]} did not end within {STOPPED_S:g} s and was killed" if killed else ""
        return Ending("interrupted", f"the run was interrupted by {stop.asked}{how}")
    finally:
        view.refresh()
    if (why := enough()) is not None and not_ended(run):
        return Ending("interrupted", why)
    return judge_runner(name, process.returncode, owed, run, last_words(log, run))


def last_words(log: Path, run: RunFolder) -> str:
    """Choose from the log of a runner what says why it ended."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:  # somebody has taken it away; what was measured stands in the record
        text = f"{log} is gone"
    return essence(text.replace(f"{run.inputs.resolve()}/", ""))


def stop_processes(processes: Sequence[subprocess.Popen[bytes]], patience_s: float) -> None:
    """Ask processes to stop, wait for them, and kill those that have not ended after `patience_s`."""
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.send_signal(signal.SIGCONT)  # one that stands still cannot stop
    deadline = Deadline(WallClock(), patience_s)
    for process in processes:
        try:
            process.wait(timeout=deadline.remaining_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def started(
    command: Sequence[str],
    leash: Leash,
    *,
    output: int | IO[bytes],
    leases: Sequence[Lease] = (),
    patience_s: float = STOPPED_S,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process of this rig that hears when this one ends; on leaving it is waited for, or stopped by an error.

    Args:
        command: Python's arguments.
        leash: by which it hears.
        output: takes what it says.
        leases: those that it carries on.
        patience_s: for so long it is waited for when it is stopped; then it is killed.
    """
    environment, descriptors = carried(leases)
    stop = attending()
    process: subprocess.Popen[bytes] | None = None
    try:
        with stop.held() if stop is not None else nullcontext():  # one that is half started cannot be stopped
            process = subprocess.Popen(
                python(*command),
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={**this_rig(), **environment, **leash.environment},
                pass_fds=(*descriptors, *leash.pass_fds),
            )
        yield process
    except BaseException:
        if process is not None:
            stop_processes([process], patience_s)
        raise
    finally:
        if process is not None:
            with process:  # which waits for it
                pass


@contextmanager
def runner_process(
    command: Sequence[str],
    run: RunFolder,
    leash: Leash,
    output: int | IO[bytes] = subprocess.PIPE,
    leases: Sequence[Lease] = (),
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a runner, which hears of the run folder and of nothing else, and carries its lease and others on."""
    carried_on = [run.lease, *leases] if run.lease is not None else leases
    with started(["-B", "-m", *command], leash, output=output, leases=carried_on) as process:
        yield process


def python(*arguments: str) -> list[str]:
    """Call this Python again; packages that lie in the working directory (-P) are not the rig's."""
    return [sys.executable, "-P", *arguments]


def this_rig() -> dict[str, str]:
    """Give a process the environment in which it finds this rig: one that was never installed lies where we stand."""
    present = {name: value for name, value in os.environ.items() if name not in _OTHERS_SAY}
    if str(ROOT) in site.getsitepackages():
        return present
    known = os.environ.get("PYTHONPATH")
    return {**present, "PYTHONPATH": os.pathsep.join([str(ROOT), *([known] if known else [])])}


def essence(said: str) -> str:
    """Choose the words of a runner's output that say what is wrong, on one line, and where when they do not tell."""
    lines = said.strip().splitlines() or ["it said nothing"]
    telling = [line for line in lines if line.startswith(("E ", "ERROR: "))] or lines
    last = telling[-1].removeprefix("E ").removeprefix("ERROR: ").strip()
    of_file = [line.strip("_ ") for line in lines if line.startswith("___")]
    return f"{of_file[-1].removeprefix('ERROR collecting ')}: {last}" if of_file else last


def pytest_command(run: RunFolder) -> list[str]:
    """Call pytest on the suites that a run has frozen."""
    return [
        "pytest", str(run.inputs / SUITES), "--rootdir", str(run.inputs), "-c", "/dev/null", "--confcutdir",
        str(run.inputs), "-p", "fixtures.bench_plugin", *_PLUGINS_LEFT_OUT, "--import-mode", "importlib",
        "--strict-markers", "-q", "--run", str(run.path),
    ]  # fmt: skip


def robot_command(run: RunFolder) -> list[str]:
    """Call Robot Framework on the protocols that a run has frozen."""
    return ["fixtures.robot_runner", "--run", str(run.path)]

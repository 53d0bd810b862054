"""`rig verify`: freeze the inputs, check the bench, run the suites of both runners, join the results, write the report.

The runners are processes of their own, so that each is the ordinary pytest and the ordinary Robot Framework. Not
responsible for what they test.
"""

from __future__ import annotations

import os
import site
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from rich.console import Console
from rich.text import Text

from reports.documents import write_documents
from rig.bench.check import check_bench
from rig.bench.file import parse_override
from rig.cli.printing import plain, print_table, say
from rig.cli.progress import ProgressView
from rig.clock import WallClock
from rig.errors import BenchFileError, RigError
from rig.record.folder import RunFolder
from rig.record.manifest import RunOutcome
from rig.record.results import JudgedRecord, ReportedRecord, RequirementRecord, Results
from rig.run.begin import discard, end_run, keep_findings, start_run
from rig.run.collection import (
    TAKEN,
    Declaration,
    read_declarations,
    read_taken_tables,
    refuse_unanswered,
    refuse_untaken,
)
from rig.run.inputs import SUITES, Inputs, Sources, frozen_inputs, read_inputs
from rig.run.plan import DEFAULT_PLAN, selection
from rig.run.results import EXIT_CODES
from rig.run.selection import parse_selection
from rig.shipped import DEFAULT_REQUIREMENTS, PUMP_SUITES, ROOT, shipped
from rig.verdicts.limits import Rule

LOOK_EVERY_S = 0.2
EXIT_RIG = 3


@dataclass(frozen=True)
class RunAsked:
    """What `rig verify` was asked for: a bench file and settings over it, the run's folder, what to do and to decide.

    `out` None makes a folder below `runs/`; `plan` is a file or a name; `select` is pytest's -k.
    """

    bench: Path
    settings: tuple[str, ...] = ()
    out: Path | None = None
    select: str | None = None
    requirements: Path = field(default_factory=partial(shipped, DEFAULT_REQUIREMENTS))
    plan: str = DEFAULT_PLAN
    suites: Path = field(default_factory=partial(shipped, PUMP_SUITES))

    @property
    def sources(self) -> Sources:
        """Where the run's inputs stand."""
        overrides = dict(parse_override(text) for text in self.settings)
        return Sources(self.bench, overrides, self.requirements, self.plan, self.suites)


def verify_pump(asked: RunAsked, *, console: Console) -> int:
    """Verify the pump on a bench by a test plan; returns the exit code.

    Raises:
        BenchFileError: the bench file, a setting, the plan, the requirements file or a suite is wrong, or a requirement
            asks for what nothing measures.
        EvidenceError: the run folder cannot be made or written.
    """
    inputs = read_inputs(asked.sources)
    _refuse_unreadable(inputs, asked.select)
    run = start_run(inputs, out=asked.out, select=asked.select)
    try:
        declared = collect(run, inputs)
        _refuse_unanswered(inputs, declared, asked.select)
        for each in declared:
            each.declare_in(run)
        run.appender.close()  # on the disk, before the runners read it
        spec = frozen_inputs(run, run.manifest()).spec
    except BaseException:
        discard(run)
        raise
    for sentence in run.manifest().undecidable:
        console.print(sentence, style="yellow", soft_wrap=True, markup=False)
    try:
        problems = keep_findings(run, spec, check_bench(spec))
    except KeyboardInterrupt:
        end_run(run, "interrupted")
        raise
    except RigError:  # there is no bench to speak of, such as a virtual one whose firmware is none
        discard(run)
        raise
    for problem in problems:
        console.print(problem, style="red", soft_wrap=True, markup=False)
    outcome: RunOutcome = "blocked" if problems else _run_suites(run, console)
    results, outcome = end_run(run, outcome)
    if not problems:
        print_results(results, console)
    documents = write_documents(run.path)
    if outcome != "complete":
        sentence = f"The run was {outcome}; what was measured before is kept in {run.path}."
        console.print(sentence, soft_wrap=True, markup=False)
    reason = run.manifest().reason
    if reason is not None:
        console.print(f"{reason}.", style="red", soft_wrap=True, markup=False)
    console.print(f"Verdict: {results.verdict.value}", style=STYLES[results.verdict.value])
    for what, path in documents.items():
        console.print(f"{what}: {path}", soft_wrap=True, markup=False)
    return EXIT_RIG if outcome != "complete" else EXIT_CODES[results.verdict]


def list_quantities(asked: RunAsked, *, console: Console) -> int:
    """Print what the tests of this plan measure, for which requirements; returns the exit code.

    Raises:
        BenchFileError: as `verify_pump`.
    """
    inputs = read_inputs(asked.sources)
    _refuse_unreadable(inputs, asked.select)
    with TemporaryDirectory(prefix="rig-list-") as folder:
        declared = collect(start_run(inputs, out=Path(folder) / "run", select=asked.select), inputs)
    rows = []
    for test in declared:
        for each in test.quantities:
            asking = [name for name in test.requirements if inputs.requirements[name].asks_for(each.quantity)]
            words = ", ".join([f'quantity = "{each.kind}"', *(f'{k} = "{v}"' for k, v in each.parameters.items())])
            rows.append((each.name, each.unit, words, ", ".join(asking) or "–", test.title))
    columns = ("quantity", "unit", "kind and parameters, as a requirement writes them", "decides", "test")
    print_table(console, columns, rows, title=f"Measured by the plan {inputs.plan.plan.name!r}", fold=True)
    _refuse_unanswered(inputs, declared, asked.select)
    return 0


def _refuse_unreadable(inputs: Inputs, select: str | None) -> None:
    """Refuse a selection that neither runner would understand, before anything is made."""
    chosen = selection(inputs.plan.plan, select)
    if chosen:
        parse_selection(chosen)


def _refuse_unanswered(inputs: Inputs, declared: Sequence[Declaration], select: str | None) -> None:
    plan = inputs.plan.plan
    if not declared:
        chosen = selection(plan, select)
        raise BenchFileError(
            f"nothing matches {chosen!r} in the plan {plan.name!r}; --select takes words of names, 'and', 'or', 'not' "
            "(rig verify --list shows all)"
            if chosen
            else f"there is no test in {inputs.sources.suites} for the plan {plan.name!r}"
        )
    due = plan.every_requirement_due and not plan.select and not select
    refuse_unanswered(inputs.requirements, declared, every_requirement_due=due)


def collect(run: RunFolder, inputs: Inputs) -> list[Declaration]:
    """Let both runners declare what the run's suites will measure, at the same time.

    Raises:
        BenchFileError: a suite cannot be read, with the last words of its runner; or the plan has entries that no test
            takes.
    """
    declared: list[Declaration] = []
    with TemporaryDirectory(prefix="rig-declare-") as folder:
        files = {name: Path(folder) / name for name in ("pytest", "robot")}
        commands = {
            "pytest": [*_pytest(run), "--collect-only", "--declare", str(files["pytest"])],
            "robot": [*_robot(run), "--declare", str(files["robot"])],
        }
        with ExitStack() as stack:
            processes = {name: stack.enter_context(_runner(command)) for name, command in commands.items()}
            for process in processes.values():
                stack.callback(process.kill)  # whatever ended the waiting
            for name, process in processes.items():
                said = process.communicate()[0].decode(errors="replace")
                if process.returncode not in _COLLECTED[name]:
                    said = said.replace(f"{run.inputs.resolve()}/", "")  # named as where they were copied from
                    raise BenchFileError(f"the suites cannot be read by {name}: {_essence(said)}")
                if files[name].is_file():  # not written where pytest selected nothing
                    declared += read_declarations(files[name])
        taken = read_taken_tables(files["pytest"].with_suffix(TAKEN))
    refuse_untaken(inputs.plan.path, inputs.plan.plan, taken)
    return declared


_COLLECTED = {"pytest": (0, 5), "robot": (0,)}
"""Exit codes of a collection that came to its end: pytest's 5 says that no test was selected."""
_OTHERS_SAY = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "ROBOT_OPTIONS")
"""Settings from outside that would change what a run does without standing in its record."""


def _runner(command: Sequence[str], output: int | IO[bytes] = subprocess.PIPE) -> subprocess.Popen[bytes]:
    """Start a runner, which hears of the run folder and of nothing else."""
    return subprocess.Popen(
        python("-B", "-m", *command),
        stdout=output,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        env={name: value for name, value in this_rig().items() if name not in _OTHERS_SAY},
    )


def python(*arguments: str) -> list[str]:
    """Call this Python again; packages that lie in the working directory (-P) are not the rig's."""
    return [sys.executable, "-P", *arguments]


def this_rig() -> dict[str, str]:
    """Give a process the environment in which it finds this rig: one that was never installed lies where we stand."""
    if str(ROOT) in site.getsitepackages():
        return dict(os.environ)
    known = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *([known] if known else [])])}


def _essence(said: str) -> str:
    """Choose the words of a runner's output that say what is wrong, on one line, and where when they do not tell."""
    lines = said.strip().splitlines() or ["it said nothing"]
    telling = [line for line in lines if line.startswith(("E ", "ERROR: "))] or lines
    last = telling[-1].removeprefix("E ").removeprefix("ERROR: ").strip()
    of_file = [line.strip("_ ") for line in lines if line.startswith("___")]
    return f"{of_file[-1].removeprefix('ERROR collecting ')}: {last}" if of_file else last


def _pytest(run: RunFolder) -> list[str]:
    return [
        "pytest", str(run.inputs / SUITES), "--rootdir", str(run.inputs), "-c", "/dev/null", "--confcutdir",
        str(run.inputs), "-p", "fixtures.bench_plugin", "-p", "no:cacheprovider", "--import-mode", "importlib",
        "--strict-markers", "-q", "--run", str(run.path),
    ]  # fmt: skip


def _robot(run: RunFolder) -> list[str]:
    return ["fixtures.robot_runner", "--run", str(run.path)]


def _run_suites(run: RunFolder, console: Console) -> RunOutcome:
    """Run pytest, then Robot Framework; returns the run's outcome."""
    commands = {
        "pytest": [*_pytest(run), "--alluredir", str(run.path / "allure-results")],
        "robot": _robot(run),
    }
    with ProgressView(run.path, console) as view:
        for name, command in commands.items():
            outcome = _run_one(name, command, run, view, console)
            if outcome != "complete":
                return outcome
    return "complete"


def _run_one(name: str, command: Sequence[str], run: RunFolder, view: ProgressView, console: Console) -> RunOutcome:
    """Run one runner to its end, with its output in the run folder; returns complete, interrupted or broken."""
    clock = WallClock()
    log = run.path / f"{name}.log"
    with log.open("wb") as output, _runner(command, output) as process:
        try:
            while process.poll() is None:
                view.refresh()
                clock.sleep(LOOK_EVERY_S)
        except KeyboardInterrupt:
            process.wait()  # it was interrupted too, and is making the bench safe
            return "interrupted"
    view.refresh()
    outcome = _OUTCOMES[name].get(process.returncode, "complete" if 0 <= process.returncode < 250 else "broken")
    if outcome == "broken":
        said = _essence(log.read_text(encoding="utf-8", errors="replace"))
        console.print(f"{name} ended early: {said}", style="red", soft_wrap=True, markup=False)
    return outcome


_OUTCOMES: dict[str, dict[int, RunOutcome]] = {
    "pytest": {2: "interrupted", 3: "broken", 4: "broken"},
    "robot": {253: "interrupted"},
}
"""What the runners' own exit codes say beyond passed and failed tests, which the record tells."""

STYLES = {
    "PASS": "green",
    "FAIL": "bold red",
    "INCONCLUSIVE": "yellow",
    "ERROR": "bold magenta",
    "UNSET": "magenta",
    "NOT APPLICABLE": "dim",
}


def print_results(results: Results, console: Console) -> None:
    """Print the table of requirements with verdicts and measured values."""
    rows = []
    for row in results.requirements:
        if not row.in_scope:
            continue
        verdict = row.verdict.value
        text = Text.assemble((plain(row.id), "bold"), f" {plain(row.text)}")
        first, *others = [(_judged(row, each, results), _limit(each)) for each in row.measurements] or [
            (row.reason or "", "")
        ]
        rows.append((text, Text(verdict, style=STYLES[verdict]), *first))
        rows += [(Text(), Text(), *each) for each in others]  # each beside its own limit, however it is folded
    caption = "Decision rule: guard band w = U, unless the limit names another."
    print_table(console, ("requirement", "verdict", "measured", "limit"), rows, caption=caption, grouped=True)
    print_reported(results.reported, console)
    for attempts in results.repeated.values():
        said = ", ".join(f"{each.attempt} {each.outcome}" for each in attempts)
        say(console, f"Attempted {len(attempts)} times, and each counts: {attempts[0].title} ({said})", "yellow")


def print_reported(reported: Sequence[ReportedRecord], console: Console) -> None:
    """Print what was measured and is judged by no requirement, if anything."""
    if not reported:
        return
    say(console, "Measured, and judged by no requirement:")
    for measurement in reported:
        say(console, f"  {_value(measurement)}")


def _judged(row: RequirementRecord, measurement: JudgedRecord, results: Results) -> str:
    """Write a measured value; where several tests measured its quantity, with the test."""
    whose = f" ({results.called(measurement.test, measurement.attempt)})" if row.is_shared(measurement) else ""
    return _value(measurement) + whose


def _limit(measurement: JudgedRecord) -> str:
    limit = measurement.limit.limit
    return f"{limit}" if measurement.rule is Rule.GUARD_BAND else f"{limit} ({measurement.rule.value})"


def _value(measurement: JudgedRecord | ReportedRecord) -> str:
    uncertainty = measurement.expanded_uncertainty
    spread = f" ± {uncertainty:.2g}" if uncertainty else ""
    return f"{measurement.name}: {measurement.value:.4g}{spread} {measurement.unit}"

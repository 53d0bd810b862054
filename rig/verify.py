"""`rig verify`: check the bench, run the suites of both runners, join the results, write the report.

The runners are processes of their own, so that each is the ordinary pytest and the ordinary Robot Framework. Not
responsible for what they test.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from rig.bench_file import parse_override, read_bench_file
from rig.clock import WallClock
from rig.evidence import RunFolder
from rig.limits import Limit, Rule, Verdict
from rig.plan_file import DEFAULT_PLAN, read_plan, selection
from rig.progress import ProgressView
from rig.results import EXIT_CODES
from rig.run import check_bench, end_run, start_run

DEFAULT_REQUIREMENTS = Path("suites/requirements.toml")
PUMP_SUITE = Path("suites/pump")
LOOK_EVERY_S = 0.2
EXIT_RIG = 3


@dataclass(frozen=True)
class Asked:
    """What `rig verify` was asked for: a bench file and settings over it, the run's folder, what to do and to decide.

    `out` None makes a folder below `runs/`; `plan` is a file or a name; `select` is pytest's -k.
    """

    bench: Path
    settings: tuple[str, ...] = ()
    out: Path | None = None
    select: str | None = None
    requirements: Path = DEFAULT_REQUIREMENTS
    plan: str = DEFAULT_PLAN


def verify_pump(asked: Asked, *, console: Console) -> int:
    """Verify the pump on a bench by a test plan; returns the exit code.

    Raises:
        BenchFileError: the bench file, a setting, the plan or the requirements file is wrong.
        EvidenceError: the run folder cannot be made or written.
    """
    overrides = dict(parse_override(text) for text in asked.settings)
    spec, _ = read_bench_file(asked.bench, overrides)
    planned = read_plan(asked.plan)
    select = selection(planned.plan, asked.select)
    findings = check_bench(spec)
    run = start_run(
        asked.bench,
        overrides,
        out=asked.out,
        requirements_path=asked.requirements,
        plan=planned,
        findings=findings,
        selected=select,
    )
    for sentence in run.manifest()["undecidable"]:
        console.print(sentence, style="yellow", soft_wrap=True, markup=False)
    problems = [finding for finding in findings if finding.problem]
    for finding in problems:
        console.print(finding.problem, style="red", soft_wrap=True, markup=False)
    outcome = "blocked" if problems else _run_suites(run, replace(asked, select=select), console)
    results = end_run(run, outcome)
    if not problems:
        print_results(results, console)
    documents = importlib.import_module("reports.documents").write_documents(run.path)
    if outcome != "complete":
        console.print(f"The run was {outcome}; what was measured before is kept in {run.path}.", soft_wrap=True)
    console.print(f"Verdict: {results['verdict']}", style=STYLES[results["verdict"]])
    for what, path in documents.items():
        console.print(f"{what}: {path}", soft_wrap=True)
    return EXIT_RIG if outcome != "complete" else EXIT_CODES[Verdict(results["verdict"])]


def _run_suites(run: RunFolder, asked: Asked, console: Console) -> str:
    """Run pytest, then Robot Framework; returns the run's outcome."""
    common = [
        "--bench", str(asked.bench), "--run", str(run.path), "--requirements", str(asked.requirements),
        *(word for text in asked.settings for word in ("--set", text)), *(["-k", asked.select] if asked.select else []),
    ]  # fmt: skip
    commands = {
        "pytest": [
            "pytest", str(PUMP_SUITE), "--plan", asked.plan, *common,
            "--alluredir", str(run.path / "allure-results"), "-p", "no:cacheprovider", "-q",
        ],
        "robot": ["rig.robot_runner", str(PUMP_SUITE), *common],
    }  # fmt: skip
    with ProgressView(run.path, console) as view:
        for name, command in commands.items():
            outcome = _run_one(name, command, run, view)
            if outcome != "complete":
                return outcome
    return "complete"


def _run_one(name: str, command: Sequence[str], run: RunFolder, view: ProgressView) -> str:
    """Run one runner to its end, with its output in the run folder; returns complete, interrupted or broken."""
    clock = WallClock()
    with (
        (run.path / f"{name}.log").open("wb") as output,
        subprocess.Popen(
            [sys.executable, "-m", *command], stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
        ) as process,
    ):
        try:
            while process.poll() is None:
                view.refresh()
                clock.sleep(LOOK_EVERY_S)
        except KeyboardInterrupt:
            process.wait()  # it was interrupted too, and is making the bench safe
            return "interrupted"
    view.refresh()
    return _OUTCOMES[name].get(process.returncode, "complete" if 0 <= process.returncode < 250 else "broken")


_OUTCOMES = {"pytest": {2: "interrupted", 3: "broken", 4: "broken"}, "robot": {253: "interrupted"}}
"""What the runners' own exit codes say beyond passed and failed tests, which the record tells."""

STYLES = {
    "PASS": "green",
    "FAIL": "bold red",
    "INCONCLUSIVE": "yellow",
    "ERROR": "bold magenta",
    "UNSET": "magenta",
    "NOT APPLICABLE": "dim",
}


def print_results(results: dict[str, Any], console: Console) -> None:
    """Print the table of requirements with verdicts and measured values."""
    table = Table(show_lines=True, caption="Decision rule: guard band w = U, unless the limit names another.")
    for column in ("requirement", "verdict", "measured", "limit"):
        table.add_column(column)
    for row in results["requirements"]:
        if not row["in_scope"]:
            continue
        values = "\n".join(_value(measurement) for measurement in row["measurements"]) or row["reason"] or ""
        limits = "\n".join(_limit(measurement) for measurement in row["measurements"])
        verdict = row["verdict"]
        table.add_row(f"[bold]{row['id']}[/] {row['text']}", f"[{STYLES[verdict]}]{verdict}[/]", values, limits)
    console.print(table)
    print_reported(results["reported"], console)


def print_reported(reported: Sequence[dict[str, Any]], console: Console) -> None:
    """Print what was measured and is judged by no requirement, if anything."""
    if not reported:
        return
    console.print("Measured, and judged by no requirement:")
    for measurement in reported:
        console.print(f"  {_value(measurement)}", markup=False)


def _limit(measurement: dict[str, Any]) -> str:
    limit = Limit(**measurement["limit"])
    return f"{limit}" if measurement["rule"] == Rule.GUARD_BAND.value else f"{limit} ({measurement['rule']})"


def _value(measurement: dict[str, Any]) -> str:
    uncertainty = measurement["expanded_uncertainty"]
    spread = f" ± {uncertainty:.2g}" if uncertainty else ""
    return f"{measurement['name']}: {measurement['value']:.4g}{spread} {measurement['unit']}"

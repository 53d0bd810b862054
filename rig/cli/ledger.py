"""`rig ledger`: every run of a bench or of a pump, what the ledger shows first; and a run's number at its end.

Not responsible for the ledger (`rig.run.ledger`), nor for what is found in it (`rig.run.ledger_findings`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from rig.cli.printing import new_console, print_table, say
from rig.errors import BenchFileError, EvidenceError

if TYPE_CHECKING:
    from rig.record.folder import RunFolder

EXIT_ALTERED = 5


def ledger(
    path: Annotated[Path, typer.Argument(help="Bench file, or the ledger itself.", metavar="BENCH|LEDGER")],
    pump: Annotated[str | None, typer.Option(help="Only runs of this pump.", metavar="SERIAL")] = None,
    runs: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder of runs that were moved here, or that should stand in the ledger; again for more.",
            metavar="DIR",
        ),
    ] = None,
) -> None:
    """List every run of a bench, aborted and deleted ones too; what is wrong with it, or was tried until PASS, first.

    Exit code: 0 it can be read; 2 wrong usage; 3 there is none; 5 it was altered, or a run that it has is gone.
    """
    raise typer.Exit(print_ledger(path, pump, runs or [], console=new_console()))


def print_ledger(path: Path, pump: str | None, elsewhere: list[Path], *, console: Console) -> int:
    """Print the findings of a ledger, then its runs; returns the exit code.

    Raises:
        BenchFileError: the bench file cannot be read, or a folder of runs is none.
        EvidenceError: there is no ledger, or it cannot be read.
    """
    from rig.run.ledger import ledger_named_by, read_ledger
    from rig.run.ledger_findings import findings_of

    for folder in elsewhere:
        if not folder.is_dir():
            raise BenchFileError(f"--runs {folder}: there is no such folder")
    read = read_ledger(ledger_named_by(path))
    shown = [each for each in read.runs if pump is None or each.serial_number == pump]
    findings = findings_of(read, pump=pump, elsewhere=elsewhere)
    for each in findings:
        say(console, f"{'ALTERED' if each.altered else 'Finding'}: {each.what}", "red" if each.altered else "yellow")
    if not findings:
        say(console, "No finding: each number is there once, each run has its end and its folder.")
    if pump is not None and not shown:
        pumps = sorted({each.serial_number for each in read.runs if each.serial_number is not None})
        say(console, f"No run of the pump {pump}; the ledger has runs of {', '.join(pumps) or 'no pump'}.")
    several = len({each.bench for each in read.runs}) > 1
    rows = [
        (
            str(each.n),
            each.begun_utc,
            each.serial_number or "–",
            each.plan + (f", {each.selected}" if each.selected else ""),
            "formal" if each.formal else "not formal",
            each.operator or "–",
            each.outcome or "no end",
            each.verdict or "–",
            each.folder,
            *([each.bench or "–"] if several else []),
        )
        for each in shown
    ]
    columns = (
        "run",
        "begun",
        "pump",
        "plan",
        "",
        "operator",
        "outcome",
        "verdict",
        "folder",
        *(["bench"] if several else []),
    )
    print_table(console, columns, rows, title=f"{read.path}: {_count(len(shown), pump)}", fold=True)
    return EXIT_ALTERED if any(each.altered for each in findings) else 0


def say_number(run: RunFolder, console: Console) -> None:
    """Say which number a run that was closed has on its bench, and what its record has of the pump's other runs."""
    from rig.record.pump_runs import read_pump_runs

    try:
        kept = read_pump_runs(run.record)
    except EvidenceError as error:
        say(console, str(error), "red")
        return
    if kept is None:
        return
    of_pump = sum(each.n <= kept.number for each in kept.runs)
    say(console, f"Run {kept.number} of this bench; run {of_pump} of the pump {kept.serial_number}.")
    for finding in kept.findings:
        say(console, f"Run ledger: {finding}.", "yellow")


def _count(runs: int, pump: str | None) -> str:
    of_pump = f" of the pump {pump}" if pump is not None else ""
    return f"one run{of_pump}" if runs == 1 else f"{runs} runs{of_pump}"

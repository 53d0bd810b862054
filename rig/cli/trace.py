"""`rig trace`: hazards, requirements, tests, results and evidence of a run or a plan, gaps first; CSV, HTML and ReqIF.

Not responsible for what is joined (`reports.traceability`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rig.shipped import DEFAULT_BENCH, DEFAULT_PLAN, DEFAULT_REQUIREMENTS, shipped

if TYPE_CHECKING:
    from rich.console import Console

    from reports.traced import Matrix

EXIT_GAPS = 4
LISTED = 12
"""So many ids of one reason are printed."""
_OF_A_PLAN = "a run has its own frozen inputs: give RUN, or"


def trace(
    run: Annotated[Path | None, typer.Argument(help="Run folder; a plan's matrix where none is named.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the files.", show_default="<RUN>-traceability; none of a plan", metavar="DIR"),
    ] = None,
    plan: Annotated[
        str | None, typer.Option(help="Test plan, without RUN: a TOML file, or a name.", metavar="FILE|NAME")
    ] = None,
    requirements: Annotated[
        Path | None, typer.Option(help="Requirements file, without RUN; hazards.toml beside it.", metavar="FILE")
    ] = None,
    pump_sheet: Annotated[
        Path | None, typer.Option(help="Pump sheet, without RUN: also the maker's own hazards.", metavar="FILE")
    ] = None,
    bench: Annotated[Path | None, typer.Option(help="Bench file, without RUN.", metavar="FILE")] = None,
    fail_on_gaps: Annotated[bool, typer.Option("--fail-on-gaps", help="Exit with 4 where there is a gap.")] = False,
) -> None:
    """Trace each hazard over requirement and test to the result and its evidence, gaps first.

    Writes matrix.csv, matrix.html and matrix.reqif. Exit code: 0, gaps or not; 2 wrong usage or input file; 3 the
    record is missing or damaged; 4 there are gaps, with --fail-on-gaps.
    """
    from reports.traceability_files import refuse_written, write_matrix
    from rig.cli.printing import new_console, say
    from rig.errors import BenchFileError
    from rig.record.files import free_folder

    console = new_console()
    named = {"--plan": plan, "--requirements": requirements, "--pump-sheet": pump_sheet, "--bench": bench}
    if run is not None and (given := next((name for name, value in named.items() if value is not None), None)):
        raise BenchFileError(f"{_OF_A_PLAN} {given}, and not both")
    folder = out
    if run is not None and out is None:
        whole = run.resolve()
        folder = free_folder(whole.with_name(f"{whole.name}-traceability"))
    if folder is not None:
        refuse_written(folder)
    matrix = (
        _of_run(run, console) if run is not None else _of_plan(plan or DEFAULT_PLAN, requirements, pump_sheet, bench)
    )
    print_matrix(matrix, console)
    if folder is not None:
        for path in write_matrix(folder, matrix):
            say(console, f"Written: {path}")
    raise typer.Exit(EXIT_GAPS if fail_on_gaps and matrix.gaps else 0)


def _of_run(run: Path, console: Console) -> Matrix:
    from reports.traceability import matrix
    from rig.cli.settling import settle
    from rig.record.reading import read_run

    settle([run], console)
    return matrix(read_run(run))


def _of_plan(plan: str, requirements: Path | None, pump_sheet: Path | None, bench: Path | None) -> Matrix:
    from tempfile import TemporaryDirectory

    from reports.traceability import planned_matrix
    from rig.cli.runners import collect
    from rig.run.begin import start_run
    from rig.run.inputs import Sources, read_inputs

    sources = Sources(
        bench or shipped(DEFAULT_BENCH), {}, requirements or shipped(DEFAULT_REQUIREMENTS), plan, pump_sheet=pump_sheet
    )
    inputs = read_inputs(sources)
    with TemporaryDirectory(prefix="rig-trace-") as folder:
        by_runner = collect(start_run(inputs, out=Path(folder) / "run", measures=False), inputs)
    declared = [each for of_runner in by_runner.values() for each in of_runner]
    own = inputs.plan.plan
    outside = None if own.every_requirement_due and not own.select else f"not part of the plan {own.name!r}"
    return planned_matrix(inputs, declared, outside=outside)


def print_matrix(matrix: Matrix, console: Console) -> None:
    """Print what is missing, by its kind, and then what is joined."""
    from reports.traceability_page import gaps_grouped
    from rig.cli.printing import say

    for mark in matrix.frame.marks:
        say(console, mark, "bold red")
    for kind, count, groups in gaps_grouped(matrix):
        say(console, f"{kind[:1].upper()}{kind[1:]}: {count}", "bold yellow")
        for names, why in groups:
            more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
            say(console, f"  {', '.join(names[:LISTED])}{more}: {why}")
    say(console, f"{matrix.frame.name}: {matrix.in_short}")
    if not matrix.of_run:
        say(console, "Nothing has been run: every verdict is “not run”.")

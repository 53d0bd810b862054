"""`rig verify`, `resume`, `invariants` and `compare`: the options of the commands that make runs and look at them.

Not responsible for what they do (`rig.cli.series`, `rig.cli.resume`, `rig.cli.invariants`, `reports.comparison`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rig.cli.commands.options import (
    BENCH,
    REQUIREMENTS,
    BenchOption,
    JobsOption,
    PlanOption,
    PumpSheetOption,
    RequirementsOption,
    SetOption,
)
from rig.cli.completion import runs_to_offer
from rig.cli.printing import new_console
from rig.record.files import free_folder
from rig.record.likeness import By
from rig.shipped import DEFAULT_PLAN, PUMP_SUITES, shipped

SUITES = shipped(PUMP_SUITES)

console = new_console()


def verify(
    bench: BenchOption = BENCH,
    out: Annotated[
        Path | None, typer.Option(help="New folder for the run; default: runs/<time>.", metavar="DIR")
    ] = None,
    select: Annotated[
        str | None,
        typer.Option(
            help="Only tests whose name or requirement matches, such as 'occlusion' or 'basal or PR-L1.1'.",
            metavar="EXPR",
        ),
    ] = None,
    set_: SetOption = None,
    requirements: RequirementsOption = REQUIREMENTS,
    plan: PlanOption = DEFAULT_PLAN,
    pump_sheet: PumpSheetOption = None,
    suites: Annotated[
        Path,
        typer.Option(help="Folder of tests and protocols.", show_default="those that come with the rig", metavar="DIR"),
    ] = SUITES,
    proof: Annotated[
        Path | None,
        typer.Option(help="What rig prove wrote of these suites, for the report's annex.", metavar="FILE"),
    ] = None,
    condition: Annotated[
        str | None,
        typer.Option(help="Only this condition of the plan, or 'nominal'.", metavar="NAME"),
    ] = None,
    jobs: JobsOption = None,
    stop_at_fail: Annotated[
        bool, typer.Option("--stop-at-fail", help="Stop when the first requirement has FAILed; rig resume goes on.")
    ] = False,
    formal: Annotated[
        bool, typer.Option("--formal", help="Make it a formal run, or refuse with everything that is in the way.")
    ] = False,
    operator: Annotated[
        str | None, typer.Option(help="Who makes the run, over the bench file's operator.", metavar="NAME")
    ] = None,
    qualification: Annotated[
        Path | None,
        typer.Option(
            help="What rig qualify wrote of this PC and bench.",
            show_default="the latest in qualification/ that holds",
            metavar="FILE",
        ),
    ] = None,
    junit: Annotated[
        Path | None,
        typer.Option(help="Write this JUnit file, too: a case a test, for a server that builds.", metavar="FILE"),
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="Only list what would be measured, for which requirements.")
    ] = False,
) -> None:
    """Run the pump suites and write the report; on every channel, and under every condition of the plan.

    Exit code: 0 every requirement passed or does not apply; 1 one failed; 2 wrong usage or bench file; 3 the rig
    failed, was blocked or was interrupted; 4 inconclusive and nothing worse.
    """
    from rig.cli.series import verify_all
    from rig.cli.verify import RunAsked, list_quantities

    asked = RunAsked(
        bench,
        tuple(set_ or []),
        out=out,
        select=select,
        jobs=jobs,
        requirements=requirements,
        plan=plan,
        suites=suites,
        pump_sheet=pump_sheet,
        proof=proof,
        stop_at_fail=stop_at_fail,
        formal=formal,
        operator=operator,
        qualification=qualification,
        junit=junit,
    )
    if junit is not None:
        from reports.junit import refuse_unwritable

        refuse_unwritable(junit)
    if list_:
        raise typer.Exit(list_quantities(asked, console=console))
    raise typer.Exit(verify_all(asked, condition, console=console))


def resume(
    run: Annotated[
        Path,
        typer.Argument(
            help="Run folder of a run that did not come to its end.", metavar="RUN", autocompletion=runs_to_offer
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="New folder; default: <RUN>-resumed.", metavar="DIR")] = None,
    jobs: JobsOption = None,
) -> None:
    """Go on with an interrupted run, as a new run that keeps its finished tests; refused when anything has changed.

    Exit code: as verify.
    """
    from rig.cli.resume import resume_run

    raise typer.Exit(resume_run(run, out, jobs, console=console))


def invariants(
    run: Annotated[
        Path, typer.Argument(help="Run folder that was closed.", metavar="RUN", autocompletion=runs_to_offer)
    ],
) -> None:
    """Look through everything that the tests of a run have recorded, again: what must always hold, and does not.

    Exit code: 0 all of it holds; 1 something does not; 3 the record is damaged, or says otherwise than is found now.
    """
    from rig.cli.invariants import say_invariants

    raise typer.Exit(say_invariants(run, console=console))


def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(
            help="Run folders, or folders of them.",
            metavar="RUN…",
            autocompletion=runs_to_offer,
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="New folder; default: <first folder>-comparison.", metavar="DIR")
    ] = None,
    by: Annotated[
        By | None,
        typer.Option(help="Compare runs that differ in this, each group against that of the first run."),
    ] = None,
) -> None:
    """Lay runs side by side: pumps with their spread and errors under each condition; or, --by, A beside B.

    Without --by the runs must have one firmware, test plan and rig; with it they may differ in what it names alone.
    Exit code: 0 compared; 2 wrong usage; 3 a record is missing or damaged, or the runs are unlike or have nothing in
    common.
    """
    from reports.comparison import write_comparison
    from rig.cli.settling import settle

    settle(runs, console)
    first = runs[0] if runs[0].name not in ("", "..") else runs[0].resolve()
    folder = out or free_folder(first.with_name(f"{first.name}-comparison") if first.name else Path("comparison"))
    for line in write_comparison(folder, runs, by):
        console.print(line, soft_wrap=True, markup=False)

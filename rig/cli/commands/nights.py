"""`rig nightly`: its options. Not responsible for what it does (`rig.cli.nightly`)."""

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
from rig.cli.printing import new_console
from rig.cli.store import StoreOption
from rig.shipped import DEFAULT_PLAN

console = new_console()


def nightly(
    bench: BenchOption = BENCH,
    out: Annotated[
        Path | None, typer.Option(help="New folder for the night; default: nights/<time>.", metavar="DIR")
    ] = None,
    plan: PlanOption = DEFAULT_PLAN,
    at_most: Annotated[
        str | None,
        typer.Option("--at-most", help="End the night after this time, such as '6 h', with a safe bench."),
    ] = None,
    store: StoreOption = None,
    room: Annotated[float, typer.Option(help="So much must be free on the disk.", min=0.0, metavar="GB")] = 2.0,
    preflight: Annotated[
        bool, typer.Option("--preflight", help="Only look whether a night may begin: 0 it may, 6 it may not.")
    ] = False,
    select: Annotated[str | None, typer.Option(help="Only these tests, as rig verify has it.", metavar="EXPR")] = None,
    set_: SetOption = None,
    requirements: RequirementsOption = REQUIREMENTS,
    pump_sheet: PumpSheetOption = None,
    condition: Annotated[
        str | None, typer.Option(help="Only this condition of the plan, or 'nominal'.", metavar="NAME")
    ] = None,
    jobs: JobsOption = None,
    formal: Annotated[bool, typer.Option("--formal", help="Make formal runs, or refuse, as rig verify does.")] = False,
    operator: Annotated[
        str | None, typer.Option(help="Who makes the runs, over the bench file's operator.", metavar="NAME")
    ] = None,
) -> None:
    """Verify a pump while nobody is there: preflight, run, report, JUnit file, store, trends, one summary.

    Exit code: as verify (1 only where a requirement failed; 2 wrong usage or input; 3 the rig failed, was blocked or
    was interrupted; 4 inconclusive); 6 not run: the bench is not free or not fit, and nothing was measured.
    """
    from rig.cli.nightly import NightAsked, look_ahead, run_night
    from rig.cli.verify import RunAsked
    from rig.errors import BenchFileError
    from rig.store.opening import store_named
    from rig.units import parse

    try:
        at_most_s = None if at_most is None else parse(at_most, "time_s")
    except ValueError as error:
        raise BenchFileError(f"--at-most: {error}") from error
    if at_most_s is not None and at_most_s <= 0.0:
        raise BenchFileError(f"--at-most {at_most!r}: a night takes some time; name more than 0")
    run = RunAsked(
        bench,
        tuple(set_ or []),
        select=select,
        jobs=jobs,
        requirements=requirements,
        plan=plan,
        pump_sheet=pump_sheet,
        formal=formal,
        operator=operator,
    )
    asked = NightAsked(run, store_named(store), room, condition, out, at_most_s, at_most or "")
    raise typer.Exit((look_ahead if preflight else run_night)(asked, console=console))

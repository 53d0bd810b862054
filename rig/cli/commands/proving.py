"""`rig prove` and `campaign`: the options of the commands that try wrong pumps, and faults, in great numbers.

Not responsible for what they do (`rig.cli.prove`, `rig.cli.campaign`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from rig.cli.commands.options import BENCH, BenchOption, PlanOption, PumpSheetOption, SetOption
from rig.cli.printing import new_console
from rig.errors import BenchFileError
from rig.shipped import DEFAULT_PLAN

console = new_console()
QUESTION = ("faults", "n", "seed", "states", "window", "out", "bench", "set_", "pump_sheet")
"""Options of `rig campaign` that say what is asked: a campaign that was begun has its answers to them."""
BESIDE_NO_REPLAY = (*QUESTION, "resume", "workers", "scheduler", "batch", "shrink")


def prove(
    names: Annotated[
        list[str] | None, typer.Argument(help="Pumps by name; all when none is named.", metavar="[NAME]…")
    ] = None,
    plan: PlanOption = DEFAULT_PLAN,
    jobs: Annotated[int, typer.Option(min=1, help="So many pumps at a time.", metavar="N")] = 1,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the proof; default: runs/<time>-prove.", metavar="DIR")
    ] = None,
    go_on: Annotated[bool, typer.Option("--resume", help="Go on with the proof in --out.")] = False,
    whole: Annotated[bool, typer.Option(help="Run every test on every pump; do not stop at the first FAIL.")] = False,
    seeds: Annotated[
        int, typer.Option(min=0, help="Try the right pump with so many seeds: none may FAIL.", metavar="N")
    ] = 0,
    parameters: Annotated[
        Path | None, typer.Option(help="Wrong hardware: sets of bench settings, in TOML.", metavar="FILE")
    ] = None,
    patches: Annotated[
        Path | None, typer.Option(help="Folder of .patch files against the firmware.", metavar="DIR")
    ] = None,
    images: Annotated[Path | None, typer.Option(help="Folder of .elf images of firmware.", metavar="DIR")] = None,
    coverage: Annotated[
        bool,
        typer.Option(help="First run the plan once on the right pump, to try those tests first that cover a patch."),
    ] = False,
    faults: Annotated[
        bool,
        typer.Option(help="Try the bench's own pump with each fault of the catalogue that a line of it provokes."),
    ] = False,
    bench: BenchOption = BENCH,
    set_: SetOption = None,
) -> None:
    """Run the suites against wrong pumps: which test caught which, which escaped; without a source, the rig's own.

    Exit code: 0 all were caught; 1 one escaped or was caught elsewhere than named, or a right pump FAILed; 2 wrong
    usage; 3 the rig failed or was interrupted.
    """
    from rig.cli.prove import ProofAsked
    from rig.cli.prove import prove as prove_pumps

    asked = ProofAsked(
        tuple(names or ()), plan, jobs, out, go_on, whole, seeds, parameters, patches, images, coverage, faults, bench,
        tuple(set_ or ()),
    )  # fmt: skip
    raise typer.Exit(prove_pumps(asked, console=console))


def campaign(
    context: typer.Context,
    faults: Annotated[
        str,
        typer.Option(
            help="Kinds of faults, and ids of the catalogue: 'all', 'F20,F25' or 'ram,flash,dip'.", metavar="FAULTS"
        ),
    ] = "all",
    n: Annotated[int, typer.Option("--n", help="So many injections.", min=1, max=10_000_000)] = 1000,
    seed: Annotated[int, typer.Option(help="Draws faults, states of therapy and instants.", min=0)] = 1,
    states: Annotated[
        str, typer.Option(help="States of therapy: 'all', or some, such as 'idle,bolus'.", metavar="STATES")
    ] = "all",
    window: Annotated[
        str | None,
        typer.Option(
            help="Observe each for no longer.",
            show_default="the longest alarm limit of the pump's sheet",
            metavar='"1 s"',
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the campaign; one that is there goes on.", metavar="DIR")
    ] = None,
    resume: Annotated[Path | None, typer.Option(help="Go on with the campaign of this folder.", metavar="DIR")] = None,
    replay: Annotated[
        Path | None, typer.Option(help="Perform this finding again, and compare.", metavar="FILE")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="So many at a time.", min=1, show_default="one a core", metavar="N")
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(help="Dask scheduler of a laboratory's machines.", metavar="tcp://HOST:PORT"),
    ] = None,
    batch: Annotated[int, typer.Option(help="So many injections a process.", min=1, max=10_000)] = 100,
    shrink: Annotated[int, typer.Option(help="Seek the smallest form of so many findings.", min=0)] = 20,
    bench: BenchOption = BENCH,
    set_: SetOption = None,
    pump_sheet: PumpSheetOption = None,
) -> None:
    """Inject random faults at random instants into the simulated pump, and sort what becomes of each.

    Exit code: 0 nothing unsafe; 1 insulin too much or too little in silence, an alarm lost, or a hang; 2 wrong usage;
    3 the rig failed, or a replay came out otherwise.
    """
    from rig.cli.campaign import CampaignAsked, Means, replay_finding, resume_campaign, run_campaign

    if resume is not None or replay is not None:
        _refuse_beside(
            context, "--resume" if replay is None else "--replay", QUESTION if replay is None else BESIDE_NO_REPLAY
        )
    if replay is not None:
        raise typer.Exit(replay_finding(replay, console=console))
    means = Means(workers, scheduler, batch, shrink)
    if resume is not None:
        raise typer.Exit(resume_campaign(resume, means, console=console))
    asked = CampaignAsked(faults, states, n, seed, window, bench, tuple(set_ or []), pump_sheet, out)
    raise typer.Exit(run_campaign(asked, means, console=console))


def _refuse_beside(given: typer.Context, option: str, others: Sequence[str]) -> None:
    """Refuse options that would be passed over beside another, rather than let somebody believe that they counted."""
    for name in others:
        source = given.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise BenchFileError(
                f"{option} takes everything from the folder; leave --{name.strip('_').replace('_', '-')} out"
            )

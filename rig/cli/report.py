"""`rig report`: the documents of a run, of several runs together, or a run computed again.

Not responsible for what they say (`reports`), nor for computing (`rig.offline.recheck`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rig.cli.completion import runs_to_offer
from rig.cli.printing import new_console, plain

console = new_console()


def report(
    runs: Annotated[
        list[Path],
        typer.Argument(help="Run folder; several make one report.", metavar="RUN…", autocompletion=runs_to_offer),
    ],
    recompute: Annotated[
        bool, typer.Option("--recompute", help="Compute every number and verdict again, and say what differs.")
    ] = False,
    reason: Annotated[
        str | None, typer.Option(help="Why the report is written anew; stands in its history.", metavar="TEXT")
    ] = None,
    by: Annotated[str | None, typer.Option(help="Who writes it anew.", metavar="NAME")] = None,
    readers: Annotated[
        str, typer.Option("--for", help="Whose report: everybody, fda, 17025, internal, or a profile of the house.")
    ] = "everybody",
    house: Annotated[
        Path | None, typer.Option(help="The laboratory's own folder: house.toml, logo.svg.", metavar="DIR")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="New folder, for several runs (needed) or what is computed again.", metavar="DIR"),
    ] = None,
) -> None:
    """Write report, annex and page from a run folder; a run that was killed is closed as interrupted first.

    Several runs make one report in a folder of its own, with one verdict for each requirement over all of them. With
    --recompute every number and verdict is computed again from readings, wire logs and frozen inputs.
    Exit code: 0 written, or the same numbers; for several runs as verify, over all; 2 wrong usage; 3 a record is
    missing or damaged, or runs cannot be joined; 4 numbers differ, and versions that may be why; 5 the record was
    altered.
    """
    from rig.run.abandoned import REASON, close_abandoned

    def say(line: str) -> None:
        console.print(plain(line), soft_wrap=True)

    if recompute and (len(runs) > 1 or reason or by):
        raise typer.BadParameter("--recompute takes one run, and neither --reason nor --by")
    if len(runs) > 1 and (out is None or reason or by):
        raise typer.BadParameter("several runs take --out DIR, a new folder, and neither --reason nor --by")
    if len(runs) == 1 and out is not None and not recompute:
        raise typer.BadParameter("--out is for several runs or --recompute; a run's report is its next revision")
    if (recompute or len(runs) > 1) and (readers != "everybody" or house is not None):
        raise typer.BadParameter("--for and --house are for the report of one run")
    if out is not None:
        refuse_taken(out)
    for run in runs:
        if close_abandoned(run):
            say(f"{run}: {REASON}; it is closed as interrupted.")
    if recompute:
        from rig.cli.rechecked import recompute_run

        raise typer.Exit(recompute_run(runs[0], out, say))
    if len(runs) > 1:
        from reports.joined_report import write_joined

        assert out is not None
        lines, code = write_joined(out, runs)
        for line in lines:
            say(line)
        raise typer.Exit(code)
    from reports.documents import write_documents

    for what, path in write_documents(runs[0], profile=readers, house=house, reason=reason, by=by).items():
        say(f"{what}: {path}")


def refuse_taken(out: Path) -> None:
    """Refuse a folder inside of a run, or one that is there already; a usage error."""
    refuse_inside(out, "--out")
    if out.resolve().exists():
        raise typer.BadParameter(f"--out {out} is there already; name a new folder")


def refuse_inside(path: Path, option: str) -> None:
    """Refuse to write something into a run; a usage error."""
    from rig.record.folder import holds_a_run

    whole = path.resolve()
    if any(holds_a_run(each) for each in (whole, *whole.parents)):
        raise typer.BadParameter(f"{option} {path} lies in a run; nothing is ever added to one")

"""`rig store`: all runs in one database, and two firmware versions held against each other.

Not responsible for the store itself (`rig.store`), nor for questions to it (`rig.cli.history`, `rig.cli.trend`).
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from rig.cli.completion import runs_to_offer
from rig.cli.printing import new_console, print_table, say

console = new_console()
store_commands = typer.Typer(no_args_is_help=True, help="All runs in one database: add them, compare firmware.")
EXIT_RIG, EXIT_ALTERED = 3, 5
SIMULATED = "SIMULATED — no evidence about any device"

StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store", help="File of SQLite, or URL of a database.", show_default="RIG_STORE, or store.sqlite",
        metavar="FILE|URL",
    ),
]  # fmt: skip
PumpOption = Annotated[str | None, typer.Option(help="Only of this pump.", metavar="SERIAL")]
SimulatedOption = Annotated[
    bool | None, typer.Option("--simulated/--real", help="Which runs, where the store holds both.")
]


@store_commands.command("add")
def add(
    runs: Annotated[
        list[Path],
        typer.Argument(help="Run folders, or folders of runs.", metavar="RUN|FOLDER…", autocompletion=runs_to_offer),
    ],
    store: StoreOption = None,
) -> None:
    """Add closed runs, each whole and once; those that were added before are left as they are.

    Exit code: 0 all are in the store; 2 wrong usage; 3 one cannot be read; 5 one was altered since it was closed, or
    has the name of another.
    """
    from rig.clock import WallClock
    from rig.errors import BenchFileError
    from rig.store.adding import Added, add_runs, run_folders
    from rig.store.opening import open_store, store_named

    for path in runs:
        if not path.is_dir():
            raise BenchFileError(f"{path}: there is no such folder")
    folders = [folder for path in runs for folder in run_folders(path)]
    if not folders:
        raise BenchFileError(f"{', '.join(map(str, runs))}: holds no run")
    counts: Counter[Added] = Counter()
    try:
        with open_store(store_named(store), make=True) as engine:
            for added in add_runs(engine, folders, WallClock()):
                counts[added.became] += 1
                if added.why:  # at once: the store may fail at the next
                    say(console, added.why)
    finally:
        if counts:
            say(console, ", ".join(f"{counts[kind]} {kind.value}" for kind in Added if counts[kind]) + ".")
    if counts[Added.ALTERED] or counts[Added.ANOTHER]:
        raise typer.Exit(EXIT_ALTERED)
    raise typer.Exit(EXIT_RIG if counts[Added.DAMAGED] else 0)


@store_commands.command("compare")
def compare_two(
    a: Annotated[str, typer.Argument(help="Firmware: version, or 8 digits or more of its SHA-256.", metavar="A")],
    b: Annotated[str, typer.Argument(help="The other.", metavar="B")],
    simulated: SimulatedOption = None,
    store: StoreOption = None,
) -> None:
    """Hold two firmware versions against each other over all their runs that are alike: model, plan and condition.

    Exit code: 0, whatever it says: a comparison is no verdict.
    """
    from rig.store.comparing import compare_firmware
    from rig.store.opening import open_store, store_named

    with open_store(store_named(store), make=False) as engine:
        found = compare_firmware(engine, a, b, simulated=simulated)
    if found.simulated:
        say(console, SIMULATED)
    for basis in sorted({each.basis for each in found.quantities}):
        print_table(
            console,
            ("quantity", "unit", "runs", f"mean of {a}", f"mean of {b}", "difference", "95 % interval", "p, adjusted"),
            [
                (
                    each.name, each.unit, f"{each.runs[0]}, {each.runs[1]}", f"{each.means[0]:.4g}",
                    f"{each.means[1]:.4g}", f"{each.difference:+.3g}",
                    f"{each.interval[0]:+.3g} to {each.interval[1]:+.3g}" if each.interval else "–",
                    "–" if each.p_adjusted is None else f"{each.p_adjusted:.3g}",
                )
                for each in found.quantities if each.basis == basis
            ],
            title=f"What both measured: {basis}",
            caption="An interval needs two runs of each that spread. Adjusted by Holm for the number of tests.",
        )  # fmt: skip
    for change in found.changed:
        one, two = change.verdicts
        say(console, f"{change.requirement}: {one} with {a}, {two} with {b} ({change.basis})")
    if not found.judged:
        say(console, "No verdicts can be compared.")
    elif not found.changed:
        say(console, "No requirement that both have in scope has another verdict.")
    for sentence in found.apart:
        say(console, f"{sentence[0].upper()}{sentence[1:]}.")

"""`rig check`, `balance-test`, `serve`, `operator` and `console`: the options of the commands for a bench alone.

Not responsible for what they do (the modules of their names in `rig.cli`).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from rig.cli.commands.options import BENCH, BenchOption, SetOption
from rig.cli.printing import new_console

console = new_console()


def check(bench: BenchOption = BENCH, set_: SetOption = None) -> None:
    """Open, identify and self-test every instrument; say what is wrong and what to do."""
    from rig.cli.check import print_check

    raise typer.Exit(print_check(bench, set_ or [], console=console))


def balance_test(
    mass: Annotated[str, typer.Option(help="Conventional mass of the reference.", metavar='"1 g"')],
    mass_u: Annotated[str, typer.Option(help="Its standard uncertainty.", metavar='"10 µg"')] = "0 g",
    count: Annotated[int, typer.Option(help="How often it is weighed.", min=3, max=100)] = 10,
    out: Annotated[
        Path | None, typer.Option(help="New file; default: runs/<time>-balance-test.json.", metavar="FILE")
    ] = None,
    bench: BenchOption = BENCH,
    set_: SetOption = None,
) -> None:
    """Test the balance with a reference mass before measurements, and keep what was found.

    Exit code: 0 fit for use; 2 wrong usage or bench file; 3 not fit, or the balance cannot be had.
    """
    from rig.cli.balance_test import RoutineTestAsked, run_balance_test

    asked = RoutineTestAsked(bench, tuple(set_ or []), mass=mass, mass_u=mass_u, count=count, out=out)
    raise typer.Exit(run_balance_test(asked, console=console))


def serve(
    bench: BenchOption = BENCH,
    set_: SetOption = None,
    write: Annotated[
        Path | None,
        typer.Option(help="New bench file that leads there, for other processes; it goes at the end.", metavar="FILE"),
    ] = None,
    first_port: Annotated[
        int | None,
        typer.Option(
            help="Put every device on a TCP port of this machine, from this one on.",
            min=1,
            max=65535,
            show_default="ptys and free ports",
            metavar="PORT",
        ),
    ] = None,
    speed: Annotated[
        float, typer.Option(help="So many seconds of the bench pass in one.", min=0.1, max=100.0, metavar="N")
    ] = 1.0,
) -> None:
    """Run the virtual bench in real time, its instruments on TCP sockets and ptys, until Ctrl-C."""
    from rig.cli.serve import ServeAsked, serve_bench

    serve_bench(ServeAsked(bench, tuple(set_ or []), write, first_port, speed), console=console)


def init(
    folder: Annotated[Path, typer.Argument(help="New folder, or an empty one.", metavar="FOLDER")],
) -> None:
    """Make a laboratory's own project: bench, pump sheet, requirements, plan, suites, CI recipe.

    Exit code: 0; 2 the folder is not empty, or lies in the rig's own; 3 it cannot be written.
    """
    from rig.cli.project import make_project

    make_project(folder, console=console)


def discover(
    try_: Annotated[
        list[str] | None,
        typer.Option(
            "--try",
            help="Look at this line alone: a VISA address, a serial port, socket://host:port. May be repeated.",
            show_default="every line of this computer",
            metavar="ADDRESS",
        ),
    ] = None,
    write: Annotated[Path | None, typer.Option(help="New file for the lines of a bench file.", metavar="FILE")] = None,
    visa_library: Annotated[str, typer.Option(help="As visa_library of a bench file.", metavar="NAME")] = "@py",
) -> None:
    """Find out what is plugged in, by harmless questions, and write the lines of a bench file for it.

    Exit code: 0; 2 wrong usage; 3 nothing was recognised.
    """
    from rig.cli.discover import DiscoverAsked
    from rig.cli.discover import discover as look

    raise typer.Exit(look(DiscoverAsked(tuple(try_ or ()), write, visa_library), console=console))


def sit_at_operators_terminal(
    listen: Annotated[
        str, typer.Option(help="Where the rig finds it; a port of 0 takes a free one.", metavar="HOST:PORT")
    ] = "127.0.0.1:5055",
    name: Annotated[str, typer.Option(help="The bench file's serial_number of [hands].", metavar="NAME")] = "operator",
) -> None:
    """Be the hands of a bench: show what is to be done while tests run, and confirm it with Enter."""
    from rig.cli.operator import sit_at_terminal

    sit_at_terminal(listen, name, sys.stdin, console=console)


def open_console(bench: BenchOption = BENCH, set_: SetOption = None) -> None:
    """Try the pump and the instruments by hand; reads commands from a pipe, too.

    Exit code: 0; 1 when a command of a pipe failed; 2 wrong bench file; 3 a device cannot be opened.
    """
    from rig.cli.console import run_console

    raise typer.Exit(run_console(bench, set_ or [], console=console))

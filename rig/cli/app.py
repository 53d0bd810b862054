"""The command line, `rig …`: its commands in the order of its help, and how an error ends: one sentence, an exit code.

Not responsible for the options of the commands (`rig.cli.commands` and the modules of their names), nor for their work.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from rig.cli.allure import allure
from rig.cli.analyse import analyse
from rig.cli.audit import audit
from rig.cli.commands.benches import balance_test, check, discover, init, open_console, serve, sit_at_operators_terminal
from rig.cli.commands.nights import nightly
from rig.cli.commands.planning import pump_sheet, samples, show_coverage, show_faults
from rig.cli.commands.proving import campaign, prove
from rig.cli.commands.runs import compare, invariants, resume, verify
from rig.cli.history import show_history
from rig.cli.keys import keys
from rig.cli.ledger import ledger
from rig.cli.note import note
from rig.cli.oref0 import fetch_oref0
from rig.cli.packages import refuse_shared_packages
from rig.cli.qualify import qualify
from rig.cli.refusal import EXIT_RIG, EXIT_USAGE, say_reason, say_refusal
from rig.cli.report import report
from rig.cli.sign import sign
from rig.cli.store import store_commands
from rig.cli.trace import trace
from rig.cli.trend import show_trend
from rig.errors import RigError

COMPLETION = frozenset(("--install-completion", "--show-completion"))
"""Typer's own options, which end with 1 where they do not know the shell."""


class _Interrupted(Exception):
    """Ctrl-C, or the end of the input where an answer was wanted."""


class Commands(TyperGroup):
    """The commands, whose ends keep their own exit codes: Typer's for Ctrl-C, no input and a lost pipe say others."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - Typer's own
        """Perform the command that was asked for."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise _Interrupted from error
        except EOFError as error:
            raise RigError("the input ended where an answer was wanted; call it from a terminal") from error
        except BrokenPipeError as error:
            raise RigError(f"a line was closed from its far end ({error})") from error


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Test rig for insulin pumps: drives the bench, verifies the pump, writes the report.",
)


def _print_version(asked: bool) -> None:
    if not asked:
        return
    from rig.run.software import this_version

    print(this_version())  # noqa: T201 - plain, for scripts
    raise typer.Exit


@app.callback()
def before_any_command(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print version, commit and Python.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Refuse to work with packages that another distribution has overwritten."""
    del version


app.command()(init)
app.command()(verify)
app.command()(nightly)
app.command("coverage")(show_coverage)
app.command("faults")(show_faults)
app.command()(prove)
app.command()(resume)
app.command()(check)
app.command()(discover)
app.command("pump-sheet")(pump_sheet)
app.command()(invariants)
app.command("balance-test")(balance_test)
app.command()(samples)
app.command()(campaign)
app.command()(serve)
app.command("operator")(sit_at_operators_terminal)
app.command("console")(open_console)
app.command()(compare)
app.command()(analyse)
app.command()(sign)
app.add_typer(keys, name="keys")
app.command()(audit)
app.command()(note)
app.add_typer(store_commands, name="store")
app.command("history")(show_history)
app.command("trend")(show_trend)
app.command()(ledger)
app.command()(qualify)
app.command()(trace)
app.command()(report)
app.command()(allure)
app.command("oref0")(fetch_oref0)


def run() -> None:
    """Run the command line; every expected error is one sentence on stderr and its exit code.

    Raises:
        SystemExit: always, with the exit code; 0 where all is well.
    """
    try:
        refuse_shared_packages()
        app()
    except SystemExit as ended:
        if ended.code == 1 and COMPLETION.intersection(sys.argv[1:]):  # 1 is a failed requirement, and nothing else
            say_reason("the shell cannot be told; call it from a prompt of bash, zsh, fish or PowerShell")
            sys.exit(EXIT_USAGE)
        raise
    except RigError as error:
        sys.exit(say_refusal(error))
    except _Interrupted:
        say_reason("interrupted")
        sys.exit(EXIT_RIG)

"""`rig console`: an interactive prompt on the pump and the instruments of a bench."""

from rig.cli.console.prompt import run_console

__all__ = ["run_console"]

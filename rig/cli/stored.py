"""A run goes into the store that RIG_STORE names, once it is closed. Whether that works changes nothing else.

Not responsible for the store (`rig.store`).
"""

from __future__ import annotations

import os
from pathlib import Path

from rich.console import Console

from rig.cli.printing import say
from rig.clock import WallClock
from rig.errors import RigError


def add_to_store(run: Path, console: Console) -> None:
    """Add a closed run to the store that RIG_STORE names, if any, and say what came of it."""
    named = os.environ.get("RIG_STORE")
    if not named:
        return
    from rig.store.adding import add_run
    from rig.store.opening import open_store

    try:
        with open_store(named, make=True) as engine:
            added = add_run(engine, run, WallClock())
    except RigError as error:
        say(console, f"Not in the store: {error}", style="red")
        return
    say(console, f"Not in the store: {added.why}" if added.why else f"Store: {run} {added.became.value}.")

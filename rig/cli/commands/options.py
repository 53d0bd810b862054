"""Options that several commands have, each said once. Not responsible for what they mean."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rig.cli.completion import plan_names
from rig.shipped import DEFAULT_BENCH, DEFAULT_REQUIREMENTS, shipped

BENCH, REQUIREMENTS = shipped(DEFAULT_BENCH), shipped(DEFAULT_REQUIREMENTS)

BenchOption = Annotated[
    Path,
    typer.Option(
        "--bench",
        help="Bench file: which instruments, where.",
        show_default="the virtual bench that comes with the rig",
        metavar="FILE",
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="Change one key of the bench file for this call, such as virtual.seed=2.",
        metavar="table.key=value",
    ),
]
RequirementsOption = Annotated[
    Path,
    typer.Option(
        help="Requirements file: the acceptance limits.",
        show_default="those that come with the rig",
        metavar="FILE",
    ),
]
PlanOption = Annotated[
    str,
    typer.Option(
        help="Test plan: a TOML file, or the name of one that comes with the rig.",
        metavar="FILE|NAME",
        autocompletion=plan_names,
    ),
]
PumpSheetOption = Annotated[
    Path | None,
    typer.Option(
        help="Pump sheet: what the maker claims of the pump.",
        show_default="the one that the bench file names",
        metavar="FILE",
    ),
]
JobsOption = Annotated[
    int | None,
    typer.Option(
        help="So many tests at a time, on a virtual bench.", min=1, show_default="as suits the machine", metavar="N"
    ),
]

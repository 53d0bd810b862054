"""The full studies, one after the other, with what each cost: `tox run -e nightly`, `python -m suites.studies.nightly`.

A study that fails does not keep the others from being done; the worst exit code is the whole's. Not responsible for
what a study does, nor for the samples of them that every change is tested with.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from rig.clock import WallClock

RIG = ("-m", "rig")


@dataclass(frozen=True)
class Study:
    """A study: what it is called, and its command as arguments of Python."""

    name: str
    arguments: tuple[str, ...]

    @property
    def command(self) -> list[str]:
        """The command, by the Python that runs this."""
        return [sys.executable, *self.arguments]


@dataclass(frozen=True)
class Cost:
    """What a study came to: its exit code, and s of wall and processor time."""

    name: str
    exit_code: int
    wall_s: float
    cpu_s: float

    def __str__(self) -> str:
        return f"{self.name}: exit code {self.exit_code}, {times(self.wall_s, self.cpu_s)}"


def times(wall_s: float, cpu_s: float) -> str:
    """Say what something cost."""
    return f"{wall_s:.0f} s of wall time, {cpu_s:.0f} s of CPU time"


STUDIES = (
    Study("plan nightly", (*RIG, "verify", "--plan", "nightly")),
    Study("wrong pumps", (*RIG, "prove", "--jobs", "2")),
    Study("seeds", (*RIG, "prove", "--seeds", "200", "--jobs", "2")),
    Study("campaign", (*RIG, "campaign", "--n", "10000")),
    Study("real time", ("-m", "suites.studies.real_time")),
)
"""In this order: the shortest that says most comes first."""


def done(study: Study) -> Cost:
    """Do a study, its output where this one's goes."""
    wall, before = WallClock(), os.times()
    code = subprocess.run(study.command, check=False).returncode
    after = os.times()
    cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
    return Cost(study.name, code if code >= 0 else 128 - code, wall.now(), cpu_s)


def do_all(studies: Sequence[Study], told: Callable[[str], None]) -> int:
    """Do studies one after the other and tell what each cost; returns the worst exit code, the highest."""
    costs = []
    for study in studies:
        told(f"==== {study.name}: {shlex.join(study.command)}")
        costs.append(done(study))
        told(f"==== {costs[-1]}")
    told("")
    for cost in costs:
        told(f"{cost}")
    told(f"all: {times(sum(each.wall_s for each in costs), sum(each.cpu_s for each in costs))}")
    return max((each.exit_code for each in costs), default=0)


def main(
    only: Annotated[list[str] | None, typer.Option(help="study by its name; all by default")] = None,
    show: Annotated[bool, typer.Option("--list", help="only list the studies and their commands")] = False,
) -> None:
    """Do the full studies; ends with the worst of their exit codes."""
    known = {study.name: study for study in STUDIES}
    unknown = sorted(set(only or ()) - set(known))
    if unknown:
        typer.echo(f"there is no study {unknown[0]!r}; known are {', '.join(known)}", err=True)
        sys.exit(2)
    chosen = [study for study in STUDIES if not only or study.name in only]
    if show:
        for study in chosen:
            typer.echo(f"{study.name}: {shlex.join(study.command)}")
        return
    sys.exit(do_all(chosen, lambda text: typer.echo(text)))


if __name__ == "__main__":
    typer.run(main)

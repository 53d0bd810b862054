"""`python -m suites.studies.killed`: kill a run at so many random moments, and count what is left."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from suites.studies.killed.killing import MARKS, WHOM, Left, killed, whole


def main(
    n: Annotated[int, typer.Option("--n", min=1, help="so many runs are killed")] = 100,
    seed: Annotated[int, typer.Option(help="of the moments and of who is killed")] = 1,
) -> None:
    """Kill runs with SIGKILL: their parent, a runner, or all, at random moments from their start to their end.

    Exit code: 0 when every record could be read, no PASS was unearned, each report says how the run ended, and each run
    could be resumed to its end; 1 otherwise.
    """
    chance = random.Random(seed)
    found: list[Left] = []
    with TemporaryDirectory(prefix="rig-killed-") as place:
        reference, took_s = whole(Path(place) / "whole")
        typer.echo(f"a run takes {took_s:.1f} s when nobody kills it")
        for number in range(1, n + 1):
            whom, after_s = chance.choice(WHOM), chance.uniform(0.0, took_s)
            left = killed(Path(place) / str(number), whom, after_s, reference)
            typer.echo(f"{number}: {whom} killed after {after_s:.2f} s: {_in_words(left)}")
            found.append(left)
            for path in Path(place).glob(f"{number}*"):
                shutil.rmtree(path)
    if not summary(found):
        raise typer.Exit(1)


def _in_words(left: Left) -> str:
    if left.corrupt is not None:
        return f"CORRUPT: {left.corrupt.strip()}"
    resumed = "resumed to its end" if left.resumed else ""
    told = [left.mark, resumed, "PASS not earned" if left.unearned else ""]
    return ", ".join([left.state, *(each for each in told if each)])


def summary(found: list[Left]) -> bool:
    """Print the counts; returns whether all is as it should be."""
    states = Counter(left.state for left in found)
    broken_off = [left for left in found if left.state == "closed since"]
    marks = Counter(left.mark for left in broken_off)
    corrupt = sum(left.corrupt is not None for left in found)
    unearned = sum(left.unearned for left in found)
    resumed = sum(left.resumed for left in broken_off)
    typer.echo(
        f"{len(found)} runs killed: {states['no run']} before there was a run, {states['closed before']} when it had "
        f"ended, {len(broken_off)} in between\n"
        f"corrupt: {corrupt}; PASS not earned: {unearned}; reports that say INTERRUPTED: {marks['INTERRUPTED']}, that "
        f"say BROKEN OFF (a runner was killed): {marks['BROKEN OFF']}; resumed to their end: {resumed}"
    )
    said = sum(marks[each] for each in MARKS)
    return (corrupt, unearned, said, resumed) == (0, 0, len(broken_off), len(broken_off))


if __name__ == "__main__":
    typer.run(main)

"""Ten pumps that are right, over the default plan: none may FAIL. `python -m suites.studies.seeds --n 10`.

Each seed is a pump and a laboratory of its own, and each run is a `rig verify` as anybody starts it. Not responsible
for pumps that are wrong.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from rig.clock import WallClock
from rig.record.folder import read_model
from rig.record.results import Results
from rig.verdicts.limits import Verdict


def main(
    n: Annotated[int, typer.Option(min=1, help="so many seeds")] = 10,
    first: Annotated[int, typer.Option(min=0, help="the first of them")] = 1,
    plan: Annotated[str, typer.Option(help="test plan")] = "default",
) -> None:
    """Verify the right pump of each seed; ends with 1 when one of them FAILs, or when a run has no results."""
    bad = 0
    with TemporaryDirectory() as folder:
        for seed in range(first, first + n):
            wall = WallClock()
            results, came = _verified(Path(folder) / str(seed), seed, plan)
            verdict = "no results" if results is None else results.verdict.value
            bad += results is None or results.verdict is Verdict.FAIL
            typer.echo(f"seed {seed}: {verdict}, exit code {came}, in {wall.now():.0f} s; {_closest_words(results)}")
            for sentence in [] if results is None else _not_passed(results):
                typer.echo(f"    {sentence}")
    typer.echo(f"{n} seeds, {bad} of them FAIL or without results")
    if bad:
        sys.exit(1)


def _verified(out: Path, seed: int, plan: str) -> tuple[Results | None, int]:
    command = [
        sys.executable,
        "-m",
        "rig",
        "verify",
        "--plan",
        plan,
        "--set",
        f"virtual.seed={seed}",
        "--out",
        str(out),
    ]
    code = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode
    path = out / "record" / "results.json"
    return (read_model(path, Results) if path.is_file() else None), code


def _not_passed(results: Results) -> Iterator[str]:
    """Say which requirements have another verdict than PASS."""
    for row in results.requirements:
        if row.in_scope and row.verdict is not Verdict.PASS:
            yield f"{row.id} {row.verdict.value}: {row.reason or ''}"


def _closest_words(results: Results | None) -> str:
    """Name the requirement that was met with the least room; counts, which have no uncertainty, are met or not."""
    judged = [
        (row.id, each)
        for row in ([] if results is None else results.requirements)
        for each in row.measurements
        if each.expanded_uncertainty > 0.0
    ]
    if not judged:
        return "nothing judged"
    name, closest = min(judged, key=lambda one: one[1].room_left)
    return (
        f"closest: {name}, {closest.name} is {closest.value:.4g} ± {closest.expanded_uncertainty:.2g} {closest.unit}, "
        f"limit {closest.limit.limit}, {100.0 * closest.room_left:.0f} % of it left"
    )


if __name__ == "__main__":
    typer.run(main)

"""`python -m suites.studies.coverage`: how often 95 % intervals hold the truth, as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from rig.errors import BlockedError
from rig.roles import Metrology
from suites.studies.coverage.laboratory import declared, laboratory
from suites.studies.coverage.outcomes import Outcome, plausible_counts, table, tally
from suites.studies.coverage.runs import BOLUSES, RATES_U_PER_H, basal_run, bolus_run
from suites.studies.coverage.whole_bench import whole_basal_run, whole_bolus_run

WHOLE_BENCH_SEEDS = 1_000_000
"""Laboratories of the whole bench are others than those of the light one."""
CHANCE = 0.001


def light(runs: int, declares: Metrology) -> Iterator[Outcome]:
    """Run each case on so many laboratories, without firmware and wires."""
    for seed in range(runs):
        lab = laboratory(seed, declares)
        for rate_u_per_h in RATES_U_PER_H:
            yield from basal_run(lab, rate_u_per_h)
        for insulin_u, count in BOLUSES.items():
            yield from bolus_run(lab, insulin_u, count)


def whole(runs: int, declares: Metrology, folder: Path) -> Iterator[Outcome]:
    """Run each case on so many laboratories through the whole bench; a run that a gate blocks is named and left out."""
    for number in range(runs):
        lab = laboratory(WHOLE_BENCH_SEEDS + number, declares)
        for rate_u_per_h in RATES_U_PER_H:
            run = partial(whole_basal_run, folder / f"{number} basal {rate_u_per_h}", lab, rate_u_per_h)
            yield from _unless_blocked(run, f"laboratory {number}, {rate_u_per_h:g} U/h")
        for insulin_u, count in BOLUSES.items():
            run = partial(whole_bolus_run, folder / f"{number} bolus {insulin_u}", lab, insulin_u, count)
            yield from _unless_blocked(run, f"laboratory {number}, {insulin_u:g} U")


def _unless_blocked(run: Callable[[], list[Outcome]], which: str) -> list[Outcome]:
    """Do a run; a bench that its gates call unfit measures nothing, and one blank run in some hundred is unlucky."""
    try:
        return run()
    except BlockedError as error:
        typer.echo(f"{which}: blocked ({error})")
        return []


def main(
    runs: Annotated[int, typer.Option(min=0, help="simulated laboratories of the fluid and balance model")] = 1000,
    whole_bench: Annotated[int, typer.Option(min=0, help="laboratories through firmware, drivers and wires")] = 0,
    *,
    without_wander: Annotated[bool, typer.Option(help="leave the wander of the blank out of the budgets")] = False,
) -> None:
    """Print how often the 95 % intervals of each reported number held the truth."""
    declares = declared()
    if without_wander:
        declares = replace(declares, blank_wander_g=0.0, blank_wander_g_per_h=0.0)
    if runs:
        _print(f"{runs} laboratories, fluid and balance model", runs, light(runs, declares))
    if whole_bench:
        with TemporaryDirectory() as folder:
            title = f"{whole_bench} laboratories, whole bench"
            _print(title, whole_bench, whole(whole_bench, declares, Path(folder)))


def _print(title: str, runs: int, outcomes: Iterator[Outcome]) -> None:
    low, high = (100.0 * count / runs for count in plausible_counts(runs, CHANCE))
    lines = table(tally(outcomes))
    typer.echo(f"{title}. U: 95 %. mean, SD: of (value - truth)/u.")
    typer.echo(f"An interval of exactly 95 % holds the truth in {low:.1f} to {high:.1f} % but for 2 chances in 1,000.")
    typer.echo("\n".join(lines))


if __name__ == "__main__":
    typer.run(main)

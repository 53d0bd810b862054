"""The budgets' intervals against the truth of simulated laboratories: a small `python -m suites.studies.coverage`.

Bounds follow from the binomial distribution: with intervals of exactly 95 % a count beyond them has a chance of 1e-5 a
side. Seeds are fixed, so the counts are always the same.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rig.clock import SimClock
from rig.procedures.basal import FIRST_HOURS, FIRST_VOLUME, LARGEST, WINDOW_MIN
from rig.virtual.air import RoomAir
from rig.virtual.fluid import FluidPath
from rig.virtual.parameters import VirtualParameters
from rig.virtual.weighing import WeighingCell
from suites.studies.coverage.laboratory import declared, laboratory
from suites.studies.coverage.outcomes import Outcome, Tally, plausible_counts, tally
from suites.studies.coverage.runs import basal_run, bolus_run
from suites.studies.coverage.whole_bench import whole_basal_run

LABORATORIES = 100
CHANCE = 1e-5


def small_study(*, without_wander: bool = False) -> dict[str, Tally]:
    declares = declared()
    if without_wander:
        declares = replace(declares, blank_wander_g=0.0, blank_wander_g_per_h=0.0)
    outcomes: list[Outcome] = []
    for seed in range(LABORATORIES):
        lab = laboratory(seed, declares)
        outcomes += [*basal_run(lab, 0.05), *basal_run(lab, 0.1), *bolus_run(lab, 0.05, 5), *bolus_run(lab, 1.0, 3)]
    return {name: row for name, row in tally(outcomes).items() if "long run" not in name}


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    low, high = plausible_counts(LABORATORIES, CHANCE)
    assert (low, high) == (84, 100)
    counts = {name: row.covered for name, row in small_study().items()}
    assert len(counts) == 26
    assert {name: count for name, count in counts.items() if not low <= count <= high} == {}


def test_a_budget_that_forgets_the_wander_of_the_blank_is_found_out() -> None:
    """Its volumes of an hour miss the truth far more often than one time in twenty."""
    low, _ = plausible_counts(LABORATORIES, CHANCE)
    counts = {name: row.covered for name, row in small_study(without_wander=True).items()}
    assert counts[str(FIRST_VOLUME.of(hours=3600.0 * FIRST_HOURS[0], rate=0.05))] < low
    assert counts[str(LARGEST.of(window=60.0 * WINDOW_MIN, rate=0.05))] < low


def test_the_wander_that_the_bench_declares_is_that_of_blank_runs() -> None:
    """Blank runs of 200 laboratories: what the reading changes in an hour, and between moments far apart."""
    known = declared()
    moments_h = (0.0, 1.0, 12.0, 25.0)
    shown_g = []
    for seed in range(200):
        lab, clock = laboratory(seed, known), SimClock()
        parameters = replace(lab.parameters.weighing, noise_g=0.0, evaporation_mg_per_h=0.0)
        room = RoomAir(clock, VirtualParameters().air, seed)
        fluid = FluidPath(clock, lab.parameters.drive, lab.parameters.fluid, seed)
        cell = WeighingCell(clock, fluid, room, parameters, seed)
        readings = []
        for hours in moments_h:
            clock.sleep(hours * 3600.0 - clock.now())
            readings.append(cell.weigh()[0])
        shown_g.append(readings)
    change_g = np.std(np.array(shown_g)[:, 1:] - np.array(shown_g)[:, :1], axis=0)
    far_g = float(np.sqrt(np.mean(change_g[1:] ** 2)))
    assert known.blank_wander_g_per_h == pytest.approx(change_g[0], rel=0.2)
    assert known.blank_wander_g == pytest.approx(far_g, rel=0.2)


def test_the_whole_bench_keeps_budgets_that_hold_the_truth(tmp_path: Path) -> None:
    """One laboratory through firmware and drivers: no number further from the truth than 5 u, a chance of 6e-7."""
    outcomes = whole_basal_run(tmp_path, laboratory(1_000_000, declared()), 0.1)
    assert len(outcomes) == 9
    assert max(abs(outcome.deviation) for outcome in outcomes) < 5.0

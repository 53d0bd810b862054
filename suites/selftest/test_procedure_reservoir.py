"""A reservoir that is emptied until the pump warns: what is left is the truth, and no warning is a number, too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rig.procedures.reservoir import BEFORE, REMAINING, Reservoir, ReservoirEmptied
from rig.record.taking import read_taken
from suites.measuring import measured_on
from suites.selftest.crafted import BLANK_S, METROLOGY, crafted
from suites.studies.coverage.laboratory import declared, laboratory
from suites.studies.coverage.whole_bench import watched_bench

FROM_22_U = Reservoir(filled_u=22.0, bolus_u=1.0, one_takes_s=60.0, blank_s=300.0)


def test_what_is_left_at_the_warning_is_what_was_filled_less_the_truth(tmp_path: Path) -> None:
    with watched_bench(laboratory(8, declared())) as watched:
        found = measured_on(watched.bench, tmp_path / "taken", FROM_22_U)
        truth_u, at_s = np.array(watched.balance.truth_u), np.array(watched.balance.at_s)
    taken = read_taken(tmp_path / "taken")
    fact = taken.the(ReservoirEmptied)
    true_u = truth_u[-1] - float(np.interp(taken.series(BEFORE).at_s[0], at_s, truth_u))
    remaining = found.values[REMAINING.of()]
    assert fact.warned
    assert true_u == pytest.approx(float(fact.boluses), rel=0.05)
    assert abs(remaining.value - (22.0 - true_u)) <= remaining.expanded_uncertainty < 0.02
    assert remaining.expanded_uncertainty == found.budgets[REMAINING.of()].expanded


@pytest.mark.parametrize("warned", [True, False])
def test_a_pump_that_never_warns_is_judged_by_what_is_left_in_the_end(tmp_path: Path, warned: bool) -> None:
    with crafted(tmp_path) as taken:
        taken.air()
        taken.blank("opening", 0.0)
        for phase, at_s, delivered_u in ((BEFORE, 700.0, 0.0), ("emptying", 800.0, 3.0), ("rest after", 900.0, 3.0)):
            taken.read(phase, at_s, delivered_u)
        taken.fact(ReservoirEmptied(at_s=900.0, warned=warned, boluses=3))
        taken.blank("closing", 3.0)
    asked = Reservoir(filled_u=22.0, bolus_u=1.0, one_takes_s=60.0, blank_s=BLANK_S)
    found = asked.compute(read_taken(tmp_path), METROLOGY)
    values = {str(each.quantity): each.value for each in found.measured}
    assert values == {"remaining at the low-reservoir warning": pytest.approx(19.0)}
    assert asked.quantities == (REMAINING.of(),)


@pytest.mark.parametrize(
    ("filled_u", "bolus_u", "most"), [(22.0, 1.0, 22), (0.3, 0.1, 3), (2.1, 0.7, 3), (1.0, 0.3, 3), (0.2, 0.3, 0)]
)
def test_so_many_whole_boluses_are_in_it(filled_u: float, bolus_u: float, most: int) -> None:
    assert Reservoir(filled_u=filled_u, bolus_u=bolus_u, one_takes_s=60.0).most_boluses == most

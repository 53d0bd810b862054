"""A bolus that is cancelled: what the pump logs of it beside the truth, and what still came, by the balance alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from rig.bench.open import open_bench
from rig.clock import NS_PER_S
from rig.procedures.cancelled import BEFORE, DELIVERED_AFTER, LOGGED, BolusCancelled, Cancelled
from rig.record.taking import read_taken
from rig.roles import Capability, Pump, require
from rig.units import ul_from_u
from suites.measuring import VIRTUAL, measured_on, measured_virtually
from suites.studies.coverage.laboratory import declared, laboratory
from suites.studies.coverage.whole_bench import watched_bench

ASKED = Cancelled(size_u=5.0, after_s=60.0, blank_s=300.0)


def test_the_log_less_the_weight_is_the_log_less_the_truth_within_its_uncertainty(tmp_path: Path) -> None:
    """60 s at 1.5 U/min are 1.5 U, and no dose more than two comes afterwards."""
    with watched_bench(laboratory(6, declared())) as watched:
        found = measured_on(watched.bench, tmp_path / "taken", ASKED)
        truth_u, at_s = np.array(watched.balance.truth_u), np.array(watched.balance.at_s)
    taken = read_taken(tmp_path / "taken")
    fact = taken.the(BolusCancelled)
    true_u = truth_u[-1] - float(np.interp(taken.series(BEFORE).at_s[-1], at_s, truth_u))
    logged = found.values[LOGGED.of()]
    assert fact.logged_u == pytest.approx(1.5, abs=0.05)
    assert abs(logged.value - (fact.logged_u - true_u)) <= logged.expanded_uncertainty < 0.005
    after = found.values[DELIVERED_AFTER.of()]
    assert fact.cancelled_at_s is not None
    flow_u_per_s = 0.025 * true_u / fact.logged_u  # this pump gives a little less than it counts
    at_cancel_u = flow_u_per_s * (fact.cancelled_at_s - fact.commanded_at_s)
    assert after.value == pytest.approx(true_u - at_cancel_u - 0.0125, abs=0.008)
    assert abs(after.value) <= after.expanded_uncertainty < 0.02


@pytest.mark.parametrize(
    ("change", "after_u", "less_weighed_u"),
    [({"told_u": -0.2}, 0.0, 0.0), ({"logged_u": 0.3}, 0.0, 0.3), ({"logged_u": -0.3}, 0.0, -0.3)],
)
def test_what_the_pump_says_wrongly_is_its_error_to_the_last_digit(
    tmp_path: Path, change: dict[str, float], after_u: float, less_weighed_u: float
) -> None:
    found = measured_virtually(tmp_path, ASKED)
    facts = tmp_path / "facts.jsonl"
    said = [json.loads(line) for line in facts.read_text(encoding="utf-8").splitlines()]
    lied = [
        each | {name: each[name] + by for name, by in change.items()} if each["fact"] == "BolusCancelled" else each
        for each in said
    ]
    facts.write_text("".join(json.dumps(each) + "\n" for each in lied), encoding="utf-8")
    with open_bench(VIRTUAL) as bench:
        other = ASKED.compute(read_taken(tmp_path), bench.metrology)
    for kind, by in ((DELIVERED_AFTER, after_u), (LOGGED, less_weighed_u)):
        assert other.values[kind.of()].value - found.values[kind.of()].value == pytest.approx(by, abs=1e-12)
        assert other.values[kind.of()].expanded_uncertainty == found.values[kind.of()].expanded_uncertainty


class OnlyPauses:
    """A pump that lets a cancelled bolus rest, and gives some of it later beside its drive and its log."""

    def __init__(self, pump: Pump, world: Any, *, rests_s: float, insulin_u: float) -> None:  # noqa: ANN401 - a World
        self._pump, self._world, self._rests_s, self._insulin_u = pump, world, rests_s, insulin_u

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the pump has
        return getattr(self._pump, name)

    def cancel_bolus(self, bolus_id: int) -> None:
        """Cancel it, for a while."""
        require(self._pump, Capability.CANCEL_BOLUS).cancel_bolus(bolus_id)
        due_ns = self._world.clock.now_ns + round(self._rests_s * NS_PER_S)
        self._world.clock.call_at(due_ns, lambda: self._world.fluid.push(ul_from_u(self._insulin_u)))


@pytest.mark.parametrize("rests_s", [1.0, 200.0, 590.0])
def test_what_comes_after_the_balance_has_rested_counts_too(tmp_path: Path, rests_s: float) -> None:
    """The balance rests a minute after the cancel; what was looked for then is only half of what a pump could do."""
    with watched_bench(laboratory(6, declared())) as watched:
        pump = OnlyPauses(watched.bench.pump, watched.world, rests_s=rests_s, insulin_u=0.4)
        found = measured_on(replace(watched.bench, pump=cast("Pump", pump)), tmp_path / "taken", ASKED)
        truth_u, at_s = np.array(watched.balance.truth_u), np.array(watched.balance.at_s)
    taken = read_taken(tmp_path / "taken")
    fact = taken.the(BolusCancelled)
    true_u = truth_u[-1] - float(np.interp(taken.series(BEFORE).at_s[-1], at_s, truth_u))
    logged, after = found.values[LOGGED.of()], found.values[DELIVERED_AFTER.of()]
    assert true_u == pytest.approx(fact.logged_u + 0.4, abs=0.06)
    assert after.value == pytest.approx(0.4, abs=0.03)
    assert abs(logged.value - (fact.logged_u - true_u)) <= logged.expanded_uncertainty
    assert logged.value + logged.expanded_uncertainty < -0.1

"""A bolus that is cancelled: what the pump logs of it beside the truth, and how far its own account still grew."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from rig.bench import open_bench
from rig.procedures.cancelled import BEFORE, DELIVERED_AFTER, LOGGED, BolusCancelled, Cancelled
from rig.record.taking import read_taken
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
    assert found.values[DELIVERED_AFTER.of()].value == pytest.approx(fact.logged_u - (fact.told_u or 0.0))
    assert 0.0 <= found.values[DELIVERED_AFTER.of()].value <= 0.05


@pytest.mark.parametrize(
    ("change", "after_u", "less_weighed_u"),
    [({"told_u": -0.2}, 0.2, 0.0), ({"logged_u": 0.3}, 0.3, 0.3), ({"logged_u": -0.3}, -0.3, -0.3)],
)
def test_what_the_pump_says_wrongly_is_its_error_to_the_last_digit(
    tmp_path: Path, change: dict[str, float], after_u: float, less_weighed_u: float
) -> None:
    found = measured_virtually(tmp_path, ASKED)
    facts = tmp_path / "facts.jsonl"
    (said,) = [json.loads(line) for line in facts.read_text(encoding="utf-8").splitlines()]
    lied = said | {name: said[name] + by for name, by in change.items()}
    facts.write_text(json.dumps(lied) + "\n", encoding="utf-8")
    with open_bench(VIRTUAL) as bench:
        other = ASKED.compute(read_taken(tmp_path), bench.metrology)
    for kind, by in ((DELIVERED_AFTER, after_u), (LOGGED, less_weighed_u)):
        assert other.values[kind.of()].value - found.values[kind.of()].value == pytest.approx(by, abs=1e-12)
        assert other.values[kind.of()].expanded_uncertainty == found.values[kind.of()].expanded_uncertainty

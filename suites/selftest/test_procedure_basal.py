"""Basal delivery: volumes of the first hours are measured without warm-up, as they are, and not after one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rig.procedures.basal import ANALYSIS, FIRST_ERROR, FIRST_VOLUME, LARGEST, MEAN, MISSED, SMALLEST, Basal
from rig.procedures.catalogue import EVERYWHERE
from rig.record.taking import read_taken
from suites.measuring import measured_on
from suites.studies.coverage.laboratory import declared, laboratory
from suites.studies.coverage.whole_bench import watched_bench

COLD = Basal(rate_u_per_h=2.0, stabilisation_s=0.0, analysis_s=21600.0, windows_s=(900.0, 3600.0), sample_every_s=9.0)
WARM = COLD.model_copy(update={"stabilisation_s": 900.0, "analysis_s": 7200.0})


def test_without_warm_up_the_first_hours_are_the_truth_and_after_one_there_are_none(tmp_path: Path) -> None:
    with watched_bench(laboratory(12, declared())) as watched:
        cold = measured_on(watched.bench, tmp_path / "cold", COLD)
        truth_u, at_s = np.array(watched.balance.truth_u), np.array(watched.balance.at_s)
        warm = measured_on(watched.bench, tmp_path / "warm", WARM)
    start_s = read_taken(tmp_path / "cold").series(ANALYSIS).at_s[0]
    for hours in (1.0, 6.0):
        first: dict[str, Any] = {"rate": 2.0, "hours": 3600.0 * hours}
        volume, error = cold.values[FIRST_VOLUME.of(**first)], cold.values[FIRST_ERROR.of(**first)]
        true_u = float(np.diff(np.interp([start_s, start_s + 3600.0 * hours], at_s, truth_u))[0])
        assert abs(volume.value - true_u) <= volume.expanded_uncertainty < 0.02
        assert error.value == pytest.approx(100.0 * (volume.value / (2.0 * hours) - 1.0))
        assert error.expanded_uncertainty == pytest.approx(100.0 * volume.expanded_uncertainty / (2.0 * hours))
    assert sum(each.quantity.kind.startswith("basal.first") for each in cold.measured) == 4  # no 12 h in 6 h
    own = (MEAN, LARGEST, SMALLEST, MISSED)
    assert {each.quantity.kind for each in warm.measured} == {kind.name for kind in (*own, *EVERYWHERE)}
    assert [quantity for quantity in WARM.quantities if quantity.kind.startswith("basal.first")] == []

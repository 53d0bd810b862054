"""Free delivery: its error is the truth, and an alarm is counted even when it comes before anything can be weighed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rig.procedures.unoccluded import ALARMS, ERROR, FREE, FreeDeliveryEnded, Unoccluded
from rig.record.taking import read_taken
from suites.measuring import measured_on
from suites.selftest.crafted import BLANK_S, METROLOGY, crafted
from suites.studies.coverage.laboratory import declared, laboratory
from suites.studies.coverage.whole_bench import watched_bench

AT: dict[str, Any] = {"rate": 1.0}


def test_the_error_of_what_came_is_the_truth_within_its_uncertainty(tmp_path: Path) -> None:
    asked = Unoccluded(rate_u_per_h=1.0, duration_s=7200.0, blank_s=300.0)
    with watched_bench(laboratory(9, declared())) as watched:
        found = measured_on(watched.bench, tmp_path / "taken", asked)
        truth_u, at_s = np.array(watched.balance.truth_u), np.array(watched.balance.at_s)
    readings = read_taken(tmp_path / "taken").series(FREE)
    lasted_h = (readings.at_s[-1] - readings.at_s[0]) / 3600.0
    true_u = float(np.diff(np.interp([readings.at_s[0], readings.at_s[-1]], at_s, truth_u))[0])
    assert lasted_h == pytest.approx(2.0, abs=1e-3)
    assert found.values[ALARMS.of(**AT)].value == 0.0
    error = found.values[ERROR.of(**AT)]
    assert abs(error.value - 100.0 * (true_u / lasted_h - 1.0)) <= error.expanded_uncertainty < 0.5


@pytest.mark.parametrize(
    ("looks", "alarmed", "values"),
    [
        ([(700.0, 0.0)], True, [1.0]),
        ([(700.0, 0.0), (1000.0, 0.1)], True, [1.0, 20.0]),  # 0.1 U in 300 s, of 0.0833 U
        ([(700.0, 0.0), (1000.0, 0.075)], False, [0.0, -10.0]),
        ([(700.0, 0.0), (1000.0, 0.0)], False, [0.0, -100.0]),  # a pump that delivers nothing alarms nothing
    ],
)
def test_it_ends_at_the_first_alarm_and_has_an_error_only_if_it_lasted(
    tmp_path: Path, looks: list[tuple[float, float]], alarmed: bool, values: list[float]
) -> None:
    with crafted(tmp_path) as taken:
        taken.air()
        taken.blank("opening", 0.0)
        for at_s, delivered_u in looks:
            taken.read(FREE, at_s, delivered_u)
        taken.fact(FreeDeliveryEnded(at_s=looks[-1][0], alarmed=alarmed))
        taken.clock.sleep(60.0)
        taken.blank("closing", looks[-1][1])
    found = Unoccluded(rate_u_per_h=1.0, blank_s=BLANK_S).compute(read_taken(tmp_path), METROLOGY)
    assert [each.value for each in found.measured] == pytest.approx(values, abs=1e-6)
    assert [each.quantity for each in found.measured] == [ALARMS.of(**AT), ERROR.of(**AT)][: len(values)]

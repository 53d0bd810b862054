"""What flows while a pump is stopped is the pump's: it is judged, and never taken for an error of the rig."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.clock import NS_PER_S, ns_from_s
from rig.errors import BlockedError
from rig.procedures.basal import Basal
from rig.procedures.flows_on import FLOW
from rig.record.folder import MeasuredFile, read_model
from rig.units import ul_from_u
from rig.verdicts.limits import Measurement, Verdict, decide
from suites.measuring import measured_on
from suites.stands.own_requirements import own_requirements
from suites.studies.coverage.laboratory import declared, laboratory
from suites.studies.coverage.whole_bench import WatchedBench, watched_bench

BASAL = Basal(rate_u_per_h=1.0, stabilisation_s=0.0, analysis_s=3600.0, windows_s=(3600.0,))
STOPPED_AT_S = 4300.0


def leak(watched: WatchedBench, rate_u_per_h: float, from_s: float) -> None:
    """Let something flow beside the pump's own drive from a bench second on, once a second."""
    world = watched.world

    def push() -> None:
        world.fluid.push(ul_from_u(rate_u_per_h) / 3600.0)
        world.clock.call_at(world.clock.now_ns + NS_PER_S, push)

    world.clock.call_at(max(world.clock.now_ns, ns_from_s(from_s)), push)


def verdict(flow: Measurement) -> Verdict:
    requirement = own_requirements()["PR-D7.2"]
    return decide(flow, requirement.measurement_rule(FLOW.of()).limit, requirement.rule).verdict


@pytest.mark.parametrize("rate_u_per_h", [0.2, 1.0, 20.0, 200.0])
@pytest.mark.parametrize("from_s", [0.0, STOPPED_AT_S], ids=["from the start", "after the stop"])
def test_a_leak_that_stays_fails(tmp_path: Path, rate_u_per_h: float, from_s: float) -> None:
    with watched_bench(laboratory(6, declared())) as watched:
        leak(watched, rate_u_per_h, from_s)
        with pytest.raises(BlockedError, match=r"^balance: "):
            measured_on(watched.bench, tmp_path / "taken", BASAL)
    (kept,) = read_model(tmp_path / "taken" / "computed" / "measured.json", MeasuredFile).measured
    flow = kept.measurement
    assert flow.quantity == FLOW.of()
    assert flow.value == pytest.approx(rate_u_per_h, rel=0.05, abs=flow.expanded_uncertainty)
    assert verdict(flow) is Verdict.FAIL


def test_a_pump_that_stops_passes(tmp_path: Path) -> None:
    with watched_bench(laboratory(6, declared())) as watched:
        found = measured_on(watched.bench, tmp_path / "taken", BASAL)
    flow = found.values[FLOW.of()]
    assert abs(flow.value) <= flow.expanded_uncertainty < 0.05
    assert verdict(flow) is Verdict.PASS

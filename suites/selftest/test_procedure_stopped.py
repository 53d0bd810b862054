"""A stopped pump: one that holds delivers nothing, and one that goes on is found out, however steadily it does."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from rig.clock import NS_PER_S
from rig.procedures.stopped import BEFORE_THE_STOP, DELIVERED, STAYS, Stopped
from rig.record.taking import read_taken
from rig.roles import Capability, Pump, Switch
from rig.units import ul_from_u
from rig.verdicts.limits import Measurement, Verdict, judge
from suites.measuring import measured_on
from suites.stands.own_requirements import own_requirements
from suites.studies.coverage.laboratory import declared, laboratory
from suites.studies.coverage.whole_bench import WatchedBench, watched_bench

HALF_AN_HOUR = Stopped(duration_s=1800.0)


@contextmanager
def running_on(rate_u_per_h: float) -> Iterator[WatchedBench]:
    """A bench whose pump pushes on beside its own drive, once a second, whatever it is told."""
    with watched_bench(laboratory(4, declared())) as watched:
        world = watched.world

        def push() -> None:
            world.fluid.push(ul_from_u(rate_u_per_h) / 3600.0)
            world.clock.call_at(world.clock.now_ns + NS_PER_S, push)

        if rate_u_per_h:
            push()
        yield watched


class NotingSwitch:
    """The bench's switch, and what it was told."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self.seen: list[tuple[str, bool]] = []

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the switch has
        return getattr(self._switch, name)

    def set_line(self, line: str, *, energised: bool) -> None:
        """Note it, and do it."""
        self.seen.append((line, energised))
        self._switch.set_line(line, energised=energised)


@pytest.mark.parametrize("rate_u_per_h", [0.0, 0.02, 0.3, 2.0])
def test_what_a_stopped_pump_delivers_is_measured_however_steady_it_is(tmp_path: Path, rate_u_per_h: float) -> None:
    """0.02 U/h would pass for evaporation, and 2 U/h never lets the balance rest: neither is taken off nor blocked."""
    with running_on(rate_u_per_h) as watched:
        found = measured_on(watched.bench, tmp_path / "taken", HALF_AN_HOUR)
        truth_u, at_s = np.array(watched.balance.truth_u), np.array(watched.balance.at_s)
    readings = read_taken(tmp_path / "taken").series(STAYS)
    true_u = float(np.diff(np.interp([readings.at_s[0], readings.at_s[-1]], at_s, truth_u))[0])
    delivered = found.values[DELIVERED.of()]
    assert true_u == pytest.approx(rate_u_per_h / 2.0, rel=0.01, abs=1e-6)
    assert abs(delivered.value - true_u) <= delivered.expanded_uncertainty < 0.005
    assert delivered.expanded_uncertainty == found.budgets[DELIVERED.of()].expanded


def test_the_outlet_is_closed_for_the_blank_runs_and_open_in_between(tmp_path: Path) -> None:
    with running_on(0.0) as watched:
        switch = NotingSwitch(watched.bench.switch)
        measured_on(replace(watched.bench, switch=switch), tmp_path / "taken", HALF_AN_HOUR)
        assert not switch.is_energised("occluder")
    assert switch.seen == [("occluder", state) for state in (False, True, False, True, False)]


class Lingering:
    """A pump that stops when told, and what the world still gets of it: `after_stop` is called at each stop."""

    def __init__(self, pump: Pump, after_stop: Callable[[], None]) -> None:
        self._pump = pump
        self._after_stop = after_stop

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the pump has
        return getattr(self._pump, name)

    def stop(self) -> None:
        """Stop, and linger."""
        self._pump.stop()
        self._after_stop()


def dosing_on(world: Any, *, dose_u: float, doses: int, every_s: float) -> Callable[[], None]:  # noqa: ANN401 - a World
    """Give so many doses into the line after a stop, the first `every_s` after it; a later stop begins anew."""
    since = itertools.count()
    latest = 0

    def begin() -> None:
        nonlocal latest
        latest = this = next(since)

        def dose(left: int) -> None:
            if this != latest:
                return
            world.fluid.push(ul_from_u(dose_u))
            if left > 1:
                world.clock.call_at(world.clock.now_ns + round(every_s * NS_PER_S), lambda: dose(left - 1))

        world.clock.call_at(world.clock.now_ns + round(every_s * NS_PER_S), lambda: dose(doses))

    return begin


def verdict(delivered: Measurement) -> Verdict:
    """Judge as PR-D7.1 does."""
    requirement = own_requirements()["PR-D7.1"]
    return judge(delivered, requirement.measurement_rule(DELIVERED.of()).limit, requirement.rule)


@pytest.mark.parametrize(
    ("dose_u", "doses", "every_s"),
    [
        (0.025, 9, 90.0),  # 1 U/h for 13.5 min: its blank run and 5 min of fading over, it is quiet
        (0.025, 4, 200.0),  # the balance rests for 3 min between two doses
        (0.2, 1, 5.0),  # at once, and never again
        (0.2, 1, 1750.0),  # at the very end
    ],
)
def test_a_pump_that_delivers_for_some_time_after_its_stop_fails_by_what_it_delivered(
    tmp_path: Path, dose_u: float, doses: int, every_s: float
) -> None:
    with running_on(0.0) as watched:
        pump = Lingering(watched.bench.pump, dosing_on(watched.world, dose_u=dose_u, doses=doses, every_s=every_s))
        found = measured_on(replace(watched.bench, pump=cast("Pump", pump)), tmp_path / "taken", HALF_AN_HOUR)
    delivered = found.values[DELIVERED.of()]
    assert abs(delivered.value - dose_u * doses) <= delivered.expanded_uncertainty < 0.005
    assert verdict(delivered) is Verdict.FAIL


def test_what_comes_until_the_pump_has_answered_its_stop_counts(tmp_path: Path) -> None:
    with running_on(0.0) as watched:
        world = watched.world

        def late() -> None:
            world.fluid.push(ul_from_u(0.2))
            world.clock.sleep(15.0)

        bench = replace(watched.bench, pump=cast("Pump", Lingering(watched.bench.pump, late)))
        found = measured_on(bench, tmp_path / "taken", HALF_AN_HOUR)
    delivered = found.values[DELIVERED.of()]
    assert abs(delivered.value - 0.2) <= delivered.expanded_uncertainty


def test_a_pump_that_delivers_and_stops_passes(tmp_path: Path) -> None:
    """Of 0.17 U that are due in 10 min at 1 U/h, six doses of 0.025 U have come when the stop does."""
    with running_on(0.0) as watched:
        found = measured_on(watched.bench, tmp_path / "taken", HALF_AN_HOUR)
    delivered = found.values[DELIVERED.of()]
    assert abs(delivered.value) <= delivered.expanded_uncertainty < 0.005
    assert verdict(delivered) is Verdict.PASS
    assert found.further[BEFORE_THE_STOP].value == pytest.approx(6 * 0.025, rel=0.05)
    (flow,) = [row for row in found.budgets[DELIVERED.of()].rows if row.source.startswith("flow that the balance")]
    assert flow.contribution == pytest.approx(1.0 / 3600.0 * 5.0 / math.sqrt(3.0))


def test_a_pump_without_a_profile_is_run_and_stopped_as_well(tmp_path: Path) -> None:
    class Plain(Lingering):
        @property
        def capabilities(self) -> frozenset[Capability]:
            return self._pump.capabilities - {Capability.BASAL_PROFILE}

    with running_on(0.0) as watched:
        pump = Plain(watched.bench.pump, dosing_on(watched.world, dose_u=0.025, doses=9, every_s=90.0))
        found = measured_on(replace(watched.bench, pump=cast("Pump", pump)), tmp_path / "taken", HALF_AN_HOUR)
    delivered = found.values[DELIVERED.of()]
    assert abs(delivered.value - 0.225) <= delivered.expanded_uncertainty


def test_the_pressure_that_a_leaking_pump_makes_behind_a_closed_outlet_is_no_fault_of_the_bench(
    tmp_path: Path,
) -> None:
    with running_on(2.0) as watched:
        metrology = replace(watched.bench.metrology, line_pressure_at_rest_kpa=0.0)
        found = measured_on(replace(watched.bench, metrology=metrology), tmp_path / "taken", HALF_AN_HOUR)
    assert found.values[DELIVERED.of()].value == pytest.approx(1.0, rel=0.01)

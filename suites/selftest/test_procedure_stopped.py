"""A stopped pump: one that holds delivers nothing, and one that goes on is found out, however steadily it does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rig.clock import NS_PER_S
from rig.procedures.stopped import DELIVERED, STAYS, Stopped
from rig.record.taking import read_taken
from rig.roles import Switch
from rig.units import ul_from_u
from suites.measuring import measured_on
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

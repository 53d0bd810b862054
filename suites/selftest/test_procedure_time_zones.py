"""A journey: the right pump follows its time zone, and one whose clock stays is off by the rate of another hour."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.bench.open import open_bench
from rig.errors import RefusedError
from rig.procedures.time_zones import ERROR, SHOWN, TimeZones
from rig.roles import Capability, require
from suites.measuring import VIRTUAL, measured_virtually


def test_the_right_pump_goes_by_the_time_of_its_zone(tmp_path: Path) -> None:
    found = measured_virtually(tmp_path, TimeZones()).values
    assert abs(found[ERROR.of()].value) < 0.06  # two doses, and what the pump gives less than it counts
    assert abs(found[SHOWN.of()].value) < 1.0


@pytest.mark.parametrize(("zone_min", "summer_min"), [(-720, 0), (840, 0), (0, 30), (0, 120)])
def test_a_zone_that_is_somewhere_on_earth_moves_the_clock(zone_min: int, summer_min: int) -> None:
    with open_bench(VIRTUAL) as bench:
        zones, clock = require(bench.pump, Capability.TIME_ZONE), require(bench.pump, Capability.CLOCK)
        zones.set_time_zone(0, 0)
        before = clock.clock()
        zones.set_time_zone(zone_min, summer_min)
        assert round((clock.clock() - before).total_seconds() / 60.0) == zone_min + summer_min


@pytest.mark.parametrize(("zone_min", "summer_min"), [(-735, 0), (855, 0), (0, 15)])
def test_a_zone_that_is_nowhere_is_refused(zone_min: int, summer_min: int) -> None:
    with open_bench(VIRTUAL) as bench, pytest.raises(RefusedError):
        require(bench.pump, Capability.TIME_ZONE).set_time_zone(zone_min, summer_min)


def test_a_zone_between_quarters_of_an_hour_cannot_be_told() -> None:
    with open_bench(VIRTUAL) as bench, pytest.raises(ValueError, match="whole quarters of an hour"):
        require(bench.pump, Capability.TIME_ZONE).set_time_zone(20, 0)

"""The reference pump's limits and thresholds, by its driver on the virtual bench."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rig.therapy import BasalSegment, Setting, TherapyState
from suites.stands.idle_bench import annunciated, open_idle_bench
from suites.stands.known_pump import IdsBench, open_ids_bench

DRIVE_U = 0.14
"""What this device's drive may make of 2 U: 1.5 % of bias and drift, 0.04 U of screw at either end, a dose."""


@pytest.fixture
def bench() -> Iterator[IdsBench]:
    with open_idle_bench() as bench:
        yield bench


def test_no_more_than_its_maximum_is_delivered_in_an_hour_whatever_the_boluses(bench: IdsBench) -> None:
    pump = bench.pump
    pump.set_setting(Setting.MAX_HOUR_U, 2.0)
    pump.run()
    before_g = bench.balance.read_stable().mass_g
    pump.bolus(1.5)
    bench.clock.sleep(120.0)
    pump.bolus(1.5)
    bench.clock.sleep(300.0)
    assert annunciated(bench) == ["maximum delivery"]
    assert pump.status().therapy is TherapyState.STOP
    assert (bench.balance.read_stable().mass_g - before_g) * 100.3 == pytest.approx(2.0, abs=DRIVE_U)
    delivered = [event.fields["delivered_u"] for event in pump.history() if event.kind == "bolus delivered"]
    assert delivered == [1.5, 0.5]


def test_a_higher_occlusion_threshold_alarms_at_a_higher_pressure() -> None:
    at_alarm_kpa = []
    for level in (0, 1, 2):
        with open_ids_bench("fixtures/benches/virtual.toml") as bench:
            pump = bench.pump
            pump.set_reservoir_level(300.0)
            pump.set_basal_profile([BasalSegment(1440, 0.0)])
            pump.set_setting(Setting.OCCLUSION_LEVEL, level)
            pump.run()
            bench.switch.set_line("occluder", energised=True)
            pump.bolus(10.0)
            while pump.status().therapy is TherapyState.RUN:
                bench.clock.sleep(1.0)
                assert bench.clock.now() < 500.0, "no alarm"
            assert annunciated(bench) == ["occlusion"]
            at_alarm_kpa.append(bench.pressure.read_kpa())
    low, normal, high = at_alarm_kpa
    assert low + 20.0 < normal < high - 20.0
    assert high < 240.0

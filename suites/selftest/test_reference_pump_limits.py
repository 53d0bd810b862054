"""The reference pump's limits, thresholds and clocks, by its driver on the virtual bench."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import pytest

from rig.bench import open_bench
from rig.roles import Bench
from rig.therapy import BasalSegment, Setting, TherapyState
from suites.selftest.test_reference_pump_faults import Bedside

DRIVE_U = 0.14
"""What this device's drive may make of 2 U: 1.5 % of bias and drift, 0.04 U of screw at either end, a dose."""


@pytest.fixture
def bench() -> Iterator[Bench]:
    with open_bench("fixtures/benches/virtual.toml") as bench:
        bench.pump.set_reservoir_level(300.0)
        bench.pump.set_basal_profile([BasalSegment(1440, 0.0)])
        yield bench


def kinds(bench: Bench) -> list[str]:
    return [annunciation.kind for annunciation in bench.pump.annunciations()]


def test_no_more_than_its_maximum_is_delivered_in_an_hour_whatever_the_boluses(bench: Bench) -> None:
    pump = bench.pump
    pump.set_setting(Setting.MAX_HOUR_U, 2.0)
    pump.run()
    before_g = bench.balance.read_stable().mass_g
    pump.bolus(1.5)
    bench.clock.sleep(120.0)
    pump.bolus(1.5)
    bench.clock.sleep(300.0)
    assert kinds(bench) == ["maximum delivery"]
    assert pump.status().therapy is TherapyState.STOP
    assert (bench.balance.read_stable().mass_g - before_g) * 100.3 == pytest.approx(2.0, abs=DRIVE_U)
    delivered = [event.fields["delivered_u"] for event in pump.history() if event.kind == "bolus delivered"]
    assert delivered == [1.5, 0.5]


def test_the_hour_rolls_by_elapsed_time_and_not_by_the_clock_that_is_shown(bench: Bench) -> None:
    pump = bench.pump
    pump.set_setting(Setting.MAX_HOUR_U, 2.0)
    pump.run()
    pump.bolus(2.0)
    bench.clock.sleep(300.0)
    pump.set_clock(datetime.datetime(2026, 6, 1, 12, 0))  # months later, for those who look at the clock
    pump.bolus(1.0)
    bench.clock.sleep(300.0)
    assert kinds(bench) == ["maximum delivery"]


def test_a_higher_occlusion_threshold_alarms_at_a_higher_pressure() -> None:
    at_alarm_kpa = []
    for level in (0, 1, 2):
        with open_bench("fixtures/benches/virtual.toml") as bench:
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
            assert kinds(bench) == ["occlusion"]
            at_alarm_kpa.append(bench.pressure.read_kpa())
    low, normal, high = at_alarm_kpa
    assert low + 20.0 < normal < high - 20.0
    assert high < 240.0


@pytest.mark.parametrize(
    ("set_to", "a_minute_later"),
    [
        (datetime.datetime(2028, 2, 28, 23, 59, 30), datetime.datetime(2028, 2, 29, 0, 0, 30)),
        (datetime.datetime(2028, 2, 29, 23, 59, 30), datetime.datetime(2028, 3, 1, 0, 0, 30)),
        (datetime.datetime(2027, 2, 28, 23, 59, 30), datetime.datetime(2027, 3, 1, 0, 0, 30)),
        (datetime.datetime(2026, 12, 31, 23, 59, 30), datetime.datetime(2027, 1, 1, 0, 0, 30)),
    ],
)
def test_the_calendar_knows_leap_days_and_the_turn_of_the_year(
    bench: Bench, set_to: datetime.datetime, a_minute_later: datetime.datetime
) -> None:
    bench.pump.set_clock(set_to)
    set_at_s = bench.clock.now()
    bench.clock.sleep(60.0)
    late_s = bench.clock.now() - set_at_s - 60.0
    shown = bench.pump.clock()
    assert abs((shown - a_minute_later).total_seconds() - late_s) <= 1.0


def test_the_segment_of_the_profile_follows_the_clock_that_is_shown(bench: Bench) -> None:
    pump = bench.pump
    pump.set_basal_profile([BasalSegment(720, 1.0), BasalSegment(720, 2.0)])
    pump.set_clock(datetime.datetime(2026, 6, 1, 11, 30))
    pump.run()
    assert pump.active_basal().profile_rate_u_per_h == 1.0
    pump.set_clock(datetime.datetime(2026, 6, 1, 12, 30))  # as in spring, an hour is skipped
    assert pump.active_basal().profile_rate_u_per_h == 2.0
    pump.set_clock(datetime.datetime(2026, 6, 1, 11, 30))
    assert pump.active_basal().profile_rate_u_per_h == 1.0


def test_insulin_on_board_outlives_a_loss_of_power() -> None:
    bed = Bedside("fast bolus")  # 5 U
    bed.host.clock.sleep(300.0)
    before = bed.pump.client.procedure("reader", "f303").indication
    bed.stand.hand("power off")
    bed.host.clock.sleep(10.0)
    bed.stand.hand("power on")
    bed.host.clock.sleep(1.0)
    bed.pump.client.connect()
    after = bed.pump.client.procedure("reader", "f303").indication
    assert before[:3].hex() == after[:3].hex() == "fc0301"
    on_board = [int.from_bytes(value[3:5], "little") for value in (before, after)]
    assert 0 < on_board[1] <= on_board[0]

"""The reference pump's time: the profile follows the clock that is shown; what acts, totals and locks do not."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import pytest

from rig.therapy import BasalSegment, Setting, TemporaryRate, TherapyState
from suites.selftest.bedside import DOSE_U, STEPS_PER_DOSE, Bedside, sfloat
from suites.stands.idle_bench import annunciated, open_idle_bench
from suites.stands.known_pump import IdsBench


@pytest.fixture
def bench() -> Iterator[IdsBench]:
    with open_idle_bench() as bench:
        yield bench


def test_the_hour_rolls_by_elapsed_time_and_not_by_the_clock_that_is_shown(bench: IdsBench) -> None:
    pump = bench.pump
    pump.set_setting(Setting.MAX_HOUR_U, 2.0)
    pump.run()
    pump.bolus(2.0)
    bench.clock.sleep(300.0)
    pump.set_clock(datetime.datetime(2026, 6, 1, 12, 0))  # months later, for those who look at the clock
    pump.bolus(1.0)
    bench.clock.sleep(300.0)
    assert annunciated(bench) == ["maximum delivery"]


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
    bench: IdsBench, set_to: datetime.datetime, a_minute_later: datetime.datetime
) -> None:
    bench.pump.set_clock(set_to)
    set_at_s = bench.clock.now()
    bench.clock.sleep(60.0)
    late_s = bench.clock.now() - set_at_s - 60.0
    shown = bench.pump.clock()
    assert abs((shown - a_minute_later).total_seconds() - late_s) <= 1.0


def test_the_segment_of_the_profile_follows_the_clock_that_is_shown(bench: IdsBench) -> None:
    pump = bench.pump
    pump.set_basal_profile([BasalSegment(720, 1.0), BasalSegment(720, 2.0)])
    pump.set_clock(datetime.datetime(2026, 6, 1, 11, 30))
    pump.run()
    assert pump.active_basal().profile_rate_u_per_h == 1.0
    pump.set_clock(datetime.datetime(2026, 6, 1, 12, 30))  # as in spring, an hour is skipped
    assert pump.active_basal().profile_rate_u_per_h == 2.0
    pump.set_clock(datetime.datetime(2026, 6, 1, 11, 30))
    assert pump.active_basal().profile_rate_u_per_h == 1.0


@pytest.mark.parametrize("date_time", [datetime.datetime(2025, 1, 1), datetime.datetime(2031, 1, 1)])
def test_insulin_on_board_fades_by_elapsed_time_whatever_the_clock_shows(
    bench: IdsBench, date_time: datetime.datetime
) -> None:
    pump = bench.pump
    pump.run()
    pump.bolus(4.0)
    bench.clock.sleep(600.0)
    before_u = pump.insulin_on_board().insulin_u
    pump.set_clock(date_time)
    assert pump.insulin_on_board().insulin_u == pytest.approx(before_u, abs=0.01)
    bench.clock.sleep(3600.0)
    assert pump.insulin_on_board().insulin_u == pytest.approx(before_u - 1.0, abs=0.02)  # a quarter in 1 h of 4 h


def test_an_hour_after_the_maximum_of_an_hour_there_is_room_again(bench: IdsBench) -> None:
    pump = bench.pump
    pump.set_setting(Setting.MAX_HOUR_U, 1.0)
    pump.run()
    pump.bolus(1.0)
    bench.clock.sleep(60.0)
    assert annunciated(bench) == []
    bench.clock.sleep(3540.0)
    pump.bolus(0.5)  # in an hour from the first dose, still within the minute that is counted on
    bench.clock.sleep(10.0)
    assert annunciated(bench) == ["maximum delivery"]
    pump.confirm(pump.annunciations()[0].annunciation_id)
    bench.clock.sleep(120.0)
    pump.run()
    pump.bolus(1.0)
    bench.clock.sleep(60.0)
    assert annunciated(bench) == []
    assert pump.status().therapy is TherapyState.RUN


def test_a_temporary_rate_lasts_its_minutes_whatever_the_clock_shows() -> None:
    bed = Bedside("relative TBR")  # for 30 min
    bed.sleep(600.0)
    bed.pump.set_date(2030, 1, 1, 12, 0)
    bed.sleep(1190.0)
    assert not [record for record in bed.log() if record.event == "aa00"]
    bed.sleep(20.0)
    (ended,) = [record for record in bed.log() if record.event == "aa00"]
    assert ended.data[2:4] == (30).to_bytes(2, "little")


def totals(bed: Bedside) -> list[tuple[int, float, float, str]]:
    """The days' totals in the log: flags, bolus and basal insulin in U, and the date."""
    return [
        (
            record.data[0],
            sfloat(record.data[1:3]),
            sfloat(record.data[3:5]),
            f"{int.from_bytes(record.data[5:7], 'little')}-{record.data[7]:02}-{record.data[8]:02}",
        )
        for record in bed.log()
        if record.event == "ff00"
    ]


def test_each_midnight_writes_the_total_of_its_day_leap_days_too() -> None:
    bed = Bedside("basal")  # 1 U/h
    bed.pump.set_date(2028, 2, 28, 22, 0)
    bed.sleep(2.01 * 3600.0 + 2 * 86_400.0)
    days = totals(bed)
    assert [(flags, date) for flags, _, _, date in days] == [(1, "2028-02-28"), (0, "2028-02-29"), (0, "2028-03-01")]
    assert [basal_u for _, _, basal_u, _ in days] == pytest.approx([2.0, 24.0, 24.0], abs=0.025)
    assert bed.host.steps == 2000 * STEPS_PER_DOSE


def test_a_day_that_is_set_back_over_midnight_is_totalled_once_for_each_midnight_and_loses_nothing() -> None:
    bed = Bedside("basal")
    bed.pump.set_date(2026, 10, 24, 22, 0)
    bed.sleep(2.5 * 3600.0)  # 00:30 of the 25th
    bed.pump.set_date(2026, 10, 24, 23, 30)
    bed.sleep(1.0 * 3600.0)
    days = totals(bed)
    assert [date for *_, date in days] == ["2026-10-24", "2026-10-24"]
    assert days[1][0] == 1, "the second total does not say that the date was changed"
    assert sum(basal_u for _, _, basal_u, _ in days) == pytest.approx(3.0, abs=0.025)


@pytest.mark.parametrize(("before", "after"), [(0, 4), (4, 0)], ids=["spring", "autumn"])
def test_daylight_saving_moves_the_clock_and_the_segment_and_neither_drops_nor_repeats_insulin(
    before: int, after: int
) -> None:
    bed = Bedside("basal stopped")
    bed.command("cc0f 03 01 01 d002 0100 d002 0200")  # 1 U/h to noon, 2 U/h from then on
    bed.set_daylight_saving(before)
    bed.pump.set_date(2026, 3, 29, 11, 30)
    bed.run()
    bed.sleep(600.0)
    bed.set_daylight_saving(after)
    bed.sleep(4800.0)
    # In spring 11:40 becomes 12:40: all but the first 10 min at 2 U/h. In autumn it becomes 10:40: noon is 80 min on.
    expected_u = 600 / 3600 * 1.0 + 4800 / 3600 * (2.0 if after else 1.0)
    assert bed.host.steps / STEPS_PER_DOSE * DOSE_U == pytest.approx(expected_u, abs=DOSE_U)


def test_the_pump_sleeps_until_its_next_dose_when_a_temporary_rate_of_0_is_over(bench: IdsBench) -> None:
    """Half a minute of looks at its supply between two doses of 1 U/h: an awake controller draws far more."""
    pump = bench.pump
    pump.set_basal_profile([BasalSegment(1440, 1.0)])
    pump.run()
    bench.clock.sleep(45.0)
    asleep_a = bench.supply.read_current_a()
    pump.set_temporary_rate(TemporaryRate(15, rate_u_per_h=0.0))
    bench.clock.sleep(15 * 60.0 + 2.0)
    for annunciation in pump.annunciations():
        pump.confirm(annunciation.annunciation_id)
    drawn_a = []
    for _ in range(10):
        bench.clock.sleep(3.0)
        drawn_a.append(bench.supply.read_current_a())
    assert drawn_a == [asleep_a] * 10

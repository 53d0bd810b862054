"""The IDS driver's whole role against the reference pump: what was asked for is what the pump then tells and logs."""

import datetime
from collections.abc import Iterator

import pytest

from instruments.ids.driver import IdsPump
from rig.errors import RefusedError
from rig.roles import Capability, HistoryEvent
from rig.therapy import (
    ActiveBasal,
    BasalSegment,
    BolusAdvice,
    BolusReason,
    BolusRequest,
    DailyTotal,
    Meal,
    ProfileBlock,
    ProfileKind,
    Setting,
    TemporaryRate,
)
from suites.stands.known_pump import IdsBench, open_ids_bench

DAY = [BasalSegment(360, 0.8), BasalSegment(240, 1.4), BasalSegment(840, 1.0)]


@pytest.fixture
def bench() -> Iterator[IdsBench]:
    with open_ids_bench("fixtures/benches/virtual.toml") as bench:
        bench.pump.set_reservoir_level(300.0)
        bench.pump.set_basal_profile(DAY)
        yield bench


@pytest.fixture
def running(bench: IdsBench) -> IdsBench:
    bench.pump.run()
    return bench


def events(pump: IdsPump, kind: str) -> list[HistoryEvent]:
    return [event for event in pump.history() if event.kind == kind]


def test_the_reference_pump_can_do_all_that_a_role_knows(bench: IdsBench) -> None:
    assert bench.pump.capabilities == frozenset(Capability)


def test_four_profiles_are_kept_apart(bench: IdsBench) -> None:
    others = {number: [BasalSegment(1440, number / 10)] for number in (2, 3, 4)}
    for number, segments in others.items():
        bench.pump.write_basal_profile(number, segments)
    assert [bench.pump.read_basal_profile(number) for number in (1, 2, 3, 4)] == [DAY, *others.values()]
    bench.pump.activate_basal_profile(3)
    bench.pump.run()
    assert bench.pump.active_basal() == ActiveBasal(3, 0.3)


def test_a_profile_that_was_never_written_cannot_be_read(bench: IdsBench) -> None:
    with pytest.raises(
        RefusedError, match=r"at Read Basal Rate Profile .* of templ.*'procedure not applicable' \(0x74\)"
    ):
        bench.pump.read_basal_profile(2)


def test_48_blocks_come_back_as_they_were_written(bench: IdsBench) -> None:
    segments = [BasalSegment(30, 0.025 * number) for number in range(48)]
    bench.pump.write_basal_profile(2, segments)
    read = bench.pump.read_basal_profile(2)
    assert [segment.duration_min for segment in read] == [30] * 48
    assert [segment.rate_u_per_h for segment in read] == pytest.approx([each.rate_u_per_h for each in segments])


def test_a_temporary_rate_starts_changes_and_ends_by_itself(running: IdsBench) -> None:
    pump = running.pump
    pump.set_temporary_rate(TemporaryRate(30, factor=1.5))
    assert pump.active_basal() == ActiveBasal(1, 0.8, TemporaryRate(30, factor=1.5), 30)
    with pytest.raises(RefusedError, match="not applicable"):
        pump.set_temporary_rate(TemporaryRate(30, factor=0.5))
    running.clock.sleep(600.0)
    pump.set_temporary_rate(TemporaryRate(60, rate_u_per_h=0.0), change=True)
    running.clock.sleep(3599.0)
    assert pump.active_basal().remaining_min == 1
    running.clock.sleep(2.0)
    assert pump.active_basal() == ActiveBasal(1, 0.8)
    (ended,) = events(pump, "temporary rate ended")
    assert ended.fields == {"duration_min": 70, "end_reason": "programmed duration over"}
    assert [annunciation.kind for annunciation in pump.annunciations()] == ["temporary basal rate over"]


def test_a_temporary_rate_can_be_cancelled_once(running: IdsBench) -> None:
    running.pump.set_temporary_rate(TemporaryRate(120, rate_u_per_h=2.0))
    running.pump.cancel_temporary_rate()
    assert running.pump.active_basal().temporary is None
    with pytest.raises(RefusedError, match=r"at Cancel Tbr Adjustment \(0x1111\) of the active rate"):
        running.pump.cancel_temporary_rate()


@pytest.mark.parametrize("rate", [TemporaryRate(30, rate_u_per_h=35.1), TemporaryRate(30, factor=2.51)])
def test_a_temporary_rate_beyond_the_limits_is_refused_with_its_words(running: IdsBench, rate: TemporaryRate) -> None:
    with pytest.raises(RefusedError, match=r"at Set Tbr Adjustment .*for 30 min: .*'parameter out of range'"):
        running.pump.set_temporary_rate(rate)


def test_a_temporary_rate_is_one_thing_or_the_other() -> None:
    with pytest.raises(ValueError, match="one of them"):
        TemporaryRate(30)


def test_a_multiwave_bolus_with_a_delay_is_delivered_in_its_two_parts(running: IdsBench) -> None:
    pump = running.pump
    bolus_id = pump.deliver(BolusRequest(fast_u=1.0, extended_u=2.0, duration_min=60, delay_min=10))
    running.clock.sleep(599.0)
    (waiting,) = pump.active_boluses()
    assert (waiting.bolus_id, waiting.programmed_u, waiting.delivered_u) == (bolus_id, 3.0, 0.0)
    running.clock.sleep(61.0)
    assert pump.active_boluses()[0].delivered_u == pytest.approx(1.0, abs=0.026)
    running.clock.sleep(1740.0)  # half of the hour
    assert pump.active_boluses()[0].delivered_u == pytest.approx(2.0, abs=0.026)
    running.clock.sleep(1810.0)
    assert pump.active_boluses() == []
    (delivered,) = events(pump, "bolus delivered")
    assert delivered.fields == {"bolus_id": bolus_id, "bolus_type": 0x55, "delivered_u": 3.0, "duration_min": 60}


def test_a_fast_bolus_runs_beside_an_extended_one(running: IdsBench) -> None:
    pump = running.pump
    extended = pump.deliver(BolusRequest(extended_u=1.0, duration_min=30))
    fast = pump.bolus(0.5)
    assert [bolus.bolus_id for bolus in pump.active_boluses()] == [extended, fast]
    with pytest.raises(RefusedError, match=r"of 1 U over 30 min: .*maximum number of boluses reached"):
        pump.deliver(BolusRequest(extended_u=1.0, duration_min=30))
    running.clock.sleep(1801.0)
    assert pump.active_boluses() == []


def set_up_calculator(pump: IdsPump) -> None:
    pump.set_profile(ProfileKind.SENSITIVITY, [ProfileBlock(1440, (50.0,))])
    pump.set_profile(ProfileKind.CARBOHYDRATE_RATIO, [ProfileBlock(600, (15.0,)), ProfileBlock(840, (12.0,))])
    pump.set_profile(ProfileKind.TARGET_GLUCOSE, [ProfileBlock(1440, (150.0, 150.0))])


def test_calculator_profiles_come_back(bench: IdsBench) -> None:
    set_up_calculator(bench.pump)
    assert bench.pump.profile(ProfileKind.CARBOHYDRATE_RATIO) == [
        ProfileBlock(600, (15.0,)),
        ProfileBlock(840, (12.0,)),
    ]
    assert bench.pump.profile(ProfileKind.TARGET_GLUCOSE) == [ProfileBlock(1440, (150.0, 150.0))]


def test_the_published_examples_of_a_bolus_calculator(bench: IdsBench) -> None:
    """SmartBolus, Omnipod 5 technical user guide: correction, meal, and a meal reduced by a low glucose."""
    set_up_calculator(bench.pump)
    assert bench.pump.calculate(Meal(glucose_mg_per_dl=200.0)) == BolusAdvice(0.0, 1.0, 0.0, 0.0)
    assert bench.pump.calculate(Meal(carbohydrate_g=45.0)) == BolusAdvice(3.0, 0.0, 0.0, 0.0)
    assert bench.pump.calculate(Meal(carbohydrate_g=37.5, glucose_mg_per_dl=75.0)).total_u == 1.0


def test_a_recommended_bolus_is_logged_with_its_calculation_and_counts_on_board(running: IdsBench) -> None:
    pump = running.pump
    set_up_calculator(pump)
    advice = pump.calculate(Meal(carbohydrate_g=30.0, glucose_mg_per_dl=200.0))
    pump.deliver(BolusRequest(fast_u=advice.total_u, reason=BolusReason.MEAL_AND_CORRECTION, recommended=True))
    running.clock.sleep(130.0)
    (calculated,) = events(pump, "bolus calculated")
    assert calculated.fields == {"recommended_meal_u": 2.0, "recommended_correction_u": 1.0}
    assert pump.insulin_on_board().insulin_u == pytest.approx(3.0, abs=0.06)
    running.clock.sleep(7200.0)
    later = pump.calculate(Meal(glucose_mg_per_dl=200.0))
    assert (later.meal_on_board_u, later.correction_on_board_u) == (
        pytest.approx(1.0, abs=0.06),
        pytest.approx(0.5, abs=0.03),
    )
    assert later.total_u == 0.0


def test_nothing_is_calculated_without_profiles_or_below_the_least_glucose(bench: IdsBench) -> None:
    with pytest.raises(
        RefusedError, match=r"at Calculate Bolus \(0xf033\) of 45 g and glucose not known: .*not applicable"
    ):
        bench.pump.calculate(Meal(carbohydrate_g=45.0))
    set_up_calculator(bench.pump)
    with pytest.raises(RefusedError, match="69 mg/dL"):
        bench.pump.calculate(Meal(carbohydrate_g=45.0, glucose_mg_per_dl=69.0))


def test_priming_is_delivered_and_is_not_therapy(bench: IdsBench) -> None:
    before_g = bench.balance.read_stable().mass_g
    bench.pump.prime(5.0)
    bench.clock.sleep(130.0)
    assert (bench.balance.read_stable().mass_g - before_g) * 100.0 == pytest.approx(5.0, rel=0.05)
    assert bench.pump.daily_total() == DailyTotal(0.0, 0.0)
    assert bench.pump.status().reservoir_u == pytest.approx(295.0)
    (done,) = events(bench.pump, "priming done")
    assert done.fields == {"delivered_u": 5.0, "end_reason": "programmed amount reached"}


def test_a_running_pump_does_not_prime(running: IdsBench) -> None:
    with pytest.raises(RefusedError, match=r"at Start Priming \(0x127b\) of 5 U"):
        running.pump.prime(5.0)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        (Setting.MAX_BOLUS_U, 10.0),
        (Setting.BOLUS_RATE_U_PER_MIN, 3.0),
        (Setting.INSULIN_ACTION_MIN, 300.0),
        (Setting.OCCLUSION_LEVEL, 2.0),
    ],
)
def test_a_setting_outlives_a_restart_and_is_logged(bench: IdsBench, setting: Setting, value: float) -> None:
    bench.pump.set_setting(setting, value)
    bench.pump.restart()
    assert bench.pump.setting(setting) == value
    assert len(events(bench.pump, "setting changed")) == 1
    assert [event.fields["cause"] for event in events(bench.pump, "reset")] == ["power", "software"]
    assert bench.pump.read_basal_profile(1) == DAY


def test_a_setting_out_of_range_is_refused_and_one_that_is_too_fine_is_not_sent(bench: IdsBench) -> None:
    with pytest.raises(RefusedError, match=r"of largest bolus in U to 26: .*out of range"):
        bench.pump.set_setting(Setting.MAX_BOLUS_U, 26.0)
    with pytest.raises(ValueError, match="finer than the pump's step"):
        bench.pump.set_setting(Setting.MAX_BOLUS_U, 1.00001)


def test_a_running_pump_does_not_restart(running: IdsBench) -> None:
    with pytest.raises(RefusedError, match=r"at Restart \(0xf069\) of the controller"):
        running.pump.restart()


def test_the_clock_is_set_and_goes_on(bench: IdsBench) -> None:
    bench.pump.set_clock(datetime.datetime(2028, 2, 28, 23, 59, 0))
    bench.clock.sleep(120.0)
    assert bench.pump.clock() == datetime.datetime(2028, 2, 29, 0, 1, 0)
    assert [event.fields["reason"] for event in events(bench.pump, "reference time")][-1] == "set"


def test_a_snoozed_annunciation_comes_back(running: IdsBench) -> None:
    running.pump.set_temporary_rate(TemporaryRate(15, factor=0.5))
    running.clock.sleep(901.0)
    (over,) = running.pump.annunciations()
    running.pump.snooze(over.annunciation_id)
    assert running.pump.annunciations()[0].status == "snoozed"
    running.clock.sleep(301.0)
    assert running.pump.annunciations()[0].status == "pending"

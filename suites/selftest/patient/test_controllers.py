"""Controllers outside of the pump, and a person who lives on what is weighed: pure, without a bench."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instruments.ids.codec import decode_sfloat, encode_sfloat
from rig.loop.accepted import Accepted, Known
from rig.loop.controllers import BasalBolus, ControllerSettings, Seen, Wanted, tellable
from rig.loop.living import Living, glucose_uncertainty_mg_per_dl
from rig.loop.persons import person_named
from rig.loop.pid import BOUNDED, PidLimits, PidWithInsulinFeedback
from rig.patient import hovorka

SETTINGS = ControllerSettings(basal_u_per_h=0.8, ratio_g=10.0, rate_step_u_per_h=0.025, bolus_step_u=0.05)


def rates(*glucose: float | None) -> list[float | None]:
    """What the PID wants, one sensor value after the other."""
    return [each.rate_u_per_h for each in wanted(*glucose)]


def wanted(*glucose: float | None, limits: PidLimits = BOUNDED) -> list[Wanted]:
    """What a PID whose pump accepts all of it wants, one sensor value after the other."""
    controller, found = PidWithInsulinFeedback(SETTINGS, limits=limits), []
    for at, value in enumerate(glucose):
        found.append(controller.decide(Seen(5 * at, value, 0.0)))
        if found[-1].rate_u_per_h is not None:
            controller.told(Accepted(5 * at, found[-1].rate_u_per_h, found[-1].lasts_min))
    return found


def test_basal_bolus_looks_at_no_sensor() -> None:
    controller = BasalBolus(SETTINGS)
    decided = {controller.decide(Seen(0, glucose, 0.0)) for glucose in (40.0, 120.0, 400.0, None)}
    assert len(decided) == 1
    assert decided.pop().rate_u_per_h is None
    assert controller.decide(Seen(5, 120.0, 47.0)).bolus_u == 4.7


def test_the_pid_holds_basal_at_its_target() -> None:
    assert rates(*[110.0 + 1e-9 * (at % 2) for at in range(30)]) == [0.8] * 30


def test_the_pid_gives_more_above_its_target_and_less_below() -> None:
    above, below = rates(*[170.0] * 4), rates(*[90.0] * 4)
    assert all(rate is not None and rate > 0.8 for rate in above)
    assert all(rate is not None and 0.0 < rate < 0.8 for rate in below)


def test_the_pid_suspends_within_one_period_when_a_low_is_there_or_predicted() -> None:
    assert rates(69.0)[-1] == 0.0
    assert rates(120.0, 111.0)[-1] == 0.0  # −1.8 mg/dL a minute: 57 in half an hour
    assert rates(120.0, 119.0)[-1] != 0.0


def test_the_pid_wants_nothing_without_a_sensor_and_goes_on_when_it_is_back() -> None:
    assert rates(110.0, None, None, 110.0) == [0.8, None, None, 0.8]


def test_a_value_that_stands_still_for_20_min_is_none_but_at_the_lower_end_of_the_scale() -> None:
    assert rates(*[110.0] * 6) == [0.8, 0.8, 0.8, 0.8, None, None]
    assert rates(*[110.0] * 6, 111.0)[-1] is not None
    assert rates(*[40.0] * 8) == [0.0] * 8
    assert rates(200.0, *[400.0] * 3)[1:] == [None] * 3  # beyond what it can show


def test_insulin_that_still_acts_holds_the_pid_back() -> None:
    fed, fasting = PidWithInsulinFeedback(SETTINGS), PidWithInsulinFeedback(SETTINGS)
    assert fed.decide(Seen(0, 150.0, 60.0)).bolus_u == 6.0
    fed.told(Accepted(0, bolus_u=6.0))
    fasting.decide(Seen(0, 150.0, 0.0))
    after = [
        (fed.decide(Seen(at, 150.0 + at % 2, 0.0)), fasting.decide(Seen(at, 150.0 + at % 2, 0.0)))
        for at in range(5, 60, 5)
    ]
    assert all((one.rate_u_per_h or 0.0) < (other.rate_u_per_h or 0.0) for one, other in after[1:])


@given(glucose=st.lists(st.none() | st.floats(40.0, 400.0), max_size=50))
def test_the_pid_never_leaves_its_limits(glucose: list[float | None]) -> None:
    for rate in rates(*glucose):
        assert rate is None or (0.0 <= rate <= 3.2 and rate == tellable(rate, 0.025))


@given(steps=st.integers(0, 80), step=st.sampled_from([0.025, 0.05, 0.1, 0.01]))
def test_amounts_are_rounded_down_and_multiples_stay(steps: int, step: float) -> None:
    assert tellable(steps * step, step) == pytest.approx(steps * step, abs=1e-9)
    assert tellable(steps * step + 0.4 * step, step) == pytest.approx(steps * step, abs=1e-9)


@given(amount=st.floats(0.0, 300.0), step=st.sampled_from([0.025, 0.05, 0.1, 0.01, 0.0125]))
def test_what_a_pump_is_told_can_be_written_on_its_line(amount: float, step: float) -> None:
    told = tellable(amount, step)
    assert decode_sfloat(encode_sfloat(told)) == told <= amount + 1e-9
    assert (told / step) == pytest.approx(round(told / step), abs=1e-6)


@pytest.mark.parametrize(("amount", "told"), [(2.48, 2.45), (2.5, 2.5), (2.025, 2.025), (2.075, 2.05), (20.5, 20.5)])
def test_a_multiple_with_too_many_digits_becomes_the_next_one_below(amount: float, told: float) -> None:
    assert tellable(amount, 0.025) == told


@settings(max_examples=8, deadline=None)
@given(noise=st.lists(st.floats(-0.002, 0.002), min_size=20, max_size=20))
def test_a_person_has_had_what_was_weighed_whatever_the_noise(noise: list[float]) -> None:
    living = Living(person_named("type 1"), np.zeros(20))
    totals = 0.001 * np.arange(1, 21) + np.array(noise)
    for minute, total_u in enumerate(totals, start=1):
        living.until(minute, float(total_u))
    assert living.given_u == pytest.approx(living.life.insulin_u.sum(), abs=1e-12)
    assert living.given_u == pytest.approx(max(0.0, totals.max()), abs=1e-12)
    assert (living.life.insulin_u >= 0.0).all()


def test_a_person_lives_the_same_however_often_the_bench_is_read() -> None:
    person = hovorka({})
    carbs = np.zeros(60)
    carbs[12] = 30.0
    often, seldom = Living(person, carbs), Living(person, carbs)
    for minute in range(1, 61):
        often.until(minute, 0.01 * minute)
    for minute in (7, 8, 31, 60):
        seldom.until(minute, 0.01 * minute)
    assert often.life.glucose_mg_per_dl == pytest.approx(seldom.life.glucose_mg_per_dl, abs=1e-8)


def test_nobody_lives_backwards_or_past_the_end() -> None:
    living = Living(hovorka({}), np.zeros(10))
    living.until(5, 0.0)
    for minute in (5, 11):
        with pytest.raises(ValueError, match=rf"^a person who has lived 5 min of 10 cannot live until {minute} min$"):
            living.until(minute, 0.0)


def test_the_uncertainty_of_glucose_is_what_each_error_of_the_weighing_does() -> None:
    person, carbs = hovorka({}), np.zeros(240)
    living = Living(person, carbs)
    for minute in range(1, 241):
        living.until(minute, 0.03 * minute)
    life = living.life
    none: dict[str, Any] = {"u_relative": 0.0, "u_rate_u_per_h": 0.0, "u_reading_u": 0.0}
    scaled = glucose_uncertainty_mg_per_dl(person, carbs, life, **{**none, "u_relative": 0.01})
    more = person.simulate(240, 60.0 * life.insulin_u * 1.01).glucose_mg_per_dl
    assert scaled == pytest.approx(life.glucose_mg_per_dl - more, abs=1e-9)
    drifting = glucose_uncertainty_mg_per_dl(person, carbs, life, **{**none, "u_rate_u_per_h": 0.018})
    assert drifting == pytest.approx(scaled, rel=1e-6)  # 1 % of 1.8 U/h
    reading = glucose_uncertainty_mg_per_dl(person, carbs, life, **{**none, "u_reading_u": 0.001})
    assert np.ptp(reading) == 0.0
    assert 0.01 < reading[0] < 0.5


def test_without_a_value_for_20_min_the_pid_ends_what_runs() -> None:
    assert [each.ends for each in wanted(110.0, None, None, None, None, 111.0)] == [False] * 4 + [True, False]
    assert [each.ends for each in wanted(*[110.0] * 6)][-3:] == [False, True, True]  # stands still since the first


def test_a_leap_is_not_acted_on_until_it_is_long_at_one_with_itself() -> None:
    leapt = rates(150.0, 151.0, *[211.0 + at % 2 for at in range(30)])
    assert leapt[2:5] == [None] * 3
    fell = rates(150.0, 151.0, 91.0)
    assert fell[-1] == 0.0  # a fall is believed: that is the safe side
    assert None not in rates(*[100.0 + 14.0 * at for at in range(20)])  # 2.8 mg/dL a minute


def test_a_suspension_is_capped_and_half_an_hour_of_basal_follows() -> None:
    low = rates(*[60.0 + at % 2 for at in range(60)])
    assert low == [0.0] * 23 + [0.8] * 6 + [0.0] * 23 + [0.8] * 6 + [0.0] * 2
    unbounded = wanted(*[60.0 + at % 2 for at in range(60)], limits=PidLimits(longest_suspension_min=1e9))
    assert {each.rate_u_per_h for each in unbounded} == {0.0}


def test_a_bolus_that_another_gave_holds_the_pid_back_also_when_it_is_begun_anew() -> None:
    told, anew, unaware = (PidWithInsulinFeedback(SETTINGS) for _ in range(3))
    given = Accepted(0, bolus_u=3.0)
    told.told(given)
    anew = PidWithInsulinFeedback(SETTINGS, Known(5, accepted=(given,)))
    for at in (5, 10, 15):
        first, second, third = (each.decide(Seen(at, 180.0, 0.0)).rate_u_per_h or 0.0 for each in (told, anew, unaware))
    assert max(first, second) < third

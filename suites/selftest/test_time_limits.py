"""A measurement ends: by its bench time, by the computing that it takes, or because the pump hangs."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.clock import SimClock
from rig.errors import BlockedError, NoReplyError
from rig.procedures.silence import RESTLESS_S
from rig.procedures.time_limits import ASKED_AGAIN_S, LimitedClock, longest_s


def nothing() -> None:
    pass


def limited(
    clock: SimClock,
    *,
    longest_s: float = math.inf,
    restless_s: Callable[[], float] | None = None,
    look: Callable[[], None] = nothing,
) -> LimitedClock:
    return LimitedClock(clock, "a measurement", longest_s=longest_s, restless_s=restless_s, look=look)


@given(st.lists(st.floats(0.0, 100.0), max_size=8))
def test_a_sleep_that_is_taken_apart_ends_at_the_same_nanosecond(sleeps_s: list[float]) -> None:
    plain, watched = SimClock(), SimClock()
    for seconds in sleeps_s:
        before_ns = watched.now_ns
        plain.sleep(seconds)
        limited(watched, restless_s=lambda: 0.0).sleep(seconds)
        assert abs((watched.now_ns - before_ns) - round(seconds * 1e9)) <= 1


def test_a_measurement_is_given_twice_its_time_and_two_hours() -> None:
    assert longest_s(3600.0) == 4 * 3600.0
    assert longest_s(None) == math.inf


def test_what_takes_longer_breaks_off() -> None:
    clock = limited(SimClock(), longest_s=7200.0)
    clock.sleep(7200.0)
    with pytest.raises(BlockedError, match=r"a measurement broke off after 2 h of bench time, .* no more than 2 h"):
        clock.sleep(1.0)


def test_a_pump_whose_controller_does_not_rest_is_asked_and_its_silence_ends_the_measurement() -> None:
    clock = SimClock()

    def silent() -> None:
        raise NoReplyError(asked="its state", of_whom="pump", came_back="nothing", look_at="look at it")

    with pytest.raises(NoReplyError):
        limited(clock, restless_s=clock.now, look=silent).sleep(3600.0)
    assert clock.now() == RESTLESS_S


def test_a_pump_that_answers_though_it_does_not_rest_is_measured_on() -> None:
    clock, looks = SimClock(), []
    limited(clock, restless_s=clock.now, look=lambda: looks.append(clock.now())).sleep(3.0 * ASKED_AGAIN_S)
    assert looks == [RESTLESS_S, RESTLESS_S + ASKED_AGAIN_S, RESTLESS_S + 2.0 * ASKED_AGAIN_S]

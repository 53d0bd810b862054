"""Simulated time is exact: equality, not tolerance."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.clock import BEAT_EVERY_S, Deadline, SimClock, WallClock, waiting_for_person


def test_sleep_runs_events_at_their_exact_time_and_stands_at_its_end() -> None:
    clock = SimClock()
    seen: list[tuple[str, float]] = []
    clock.call_at(1_000_000_000, lambda: seen.append(("a", clock.now())))
    clock.call_at(2_500_000_000, lambda: seen.append(("b", clock.now())))
    clock.sleep(3.0)
    assert seen == [("a", 1.0), ("b", 2.5)]
    assert clock.now() == 3.0


def test_events_of_one_instant_run_in_the_order_they_were_scheduled() -> None:
    clock = SimClock()
    seen: list[int] = []
    for number in range(5):
        clock.call_at(7, partial(seen.append, number))
    clock.advance_to(7)
    assert seen == [0, 1, 2, 3, 4]


def test_an_event_may_schedule_another_for_the_same_instant() -> None:
    clock = SimClock()
    seen: list[int] = []

    def schedule_another() -> None:
        clock.call_at(5, lambda: seen.append(clock.now_ns))

    clock.call_at(5, schedule_another)
    clock.advance_to(5)
    assert seen == [5]


def test_a_cancelled_event_never_runs_and_is_not_due() -> None:
    clock = SimClock()
    seen: list[int] = []
    clock.call_at(5, lambda: seen.append(5)).cancel()
    assert clock.next_due_ns() is None
    clock.advance_to(10)
    assert seen == []


def test_advance_until_stands_at_the_event_that_made_it_so() -> None:
    clock = SimClock()
    seen: list[int] = []
    for at in (3, 6, 9):
        clock.call_at(at, lambda: seen.append(clock.now_ns))
    assert clock.advance_until(lambda: len(seen) == 2, 100) is True
    assert clock.now_ns == 6
    assert clock.advance_until(lambda: len(seen) == 9, 100) is False
    assert clock.now_ns == 100


def test_time_cannot_go_backwards() -> None:
    clock = SimClock()
    clock.sleep(1.0)
    with pytest.raises(ValueError, match=r"^time can't go backwards: asked for 5 ns, it is 1000000000 ns$"):
        clock.call_at(5, lambda: None)
    with pytest.raises(ValueError, match="time can't go backwards"):
        clock.advance_to(5)


def test_a_callback_may_not_wait() -> None:
    clock = SimClock()
    clock.call_at(1, lambda: clock.sleep(1.0))
    with pytest.raises(RuntimeError, match="callbacks schedule, they never sleep"):
        clock.advance_to(2)
    clock.advance_to(3)  # the clock survives it
    assert clock.now_ns == 3


def passed_to(clock: SimClock, at_ns: int, *, until_ns: int, other_ns: int | None = None) -> tuple[bool, int]:
    """What a callback at 10 ns is told when it asks to pass on, and where time stands then."""
    seen: list[tuple[bool, int]] = []
    clock.call_at(10, lambda: seen.append((clock.pass_to(at_ns), clock.now_ns)))
    if other_ns is not None:
        clock.call_at(other_ns, lambda: None)
    clock.advance_to(until_ns)
    return seen[0]


def test_a_callback_goes_on_in_time_when_nothing_else_comes_first() -> None:
    assert passed_to(SimClock(), 20, until_ns=20) == (True, 20)
    assert passed_to(SimClock(), 20, until_ns=30, other_ns=21) == (True, 20)


def test_a_callback_does_not_pass_another_event_nor_the_end_of_the_wait() -> None:
    assert passed_to(SimClock(), 20, until_ns=30, other_ns=20) == (False, 10)
    assert passed_to(SimClock(), 20, until_ns=19) == (False, 10)


def test_a_callback_does_not_pass_the_moment_that_is_waited_for() -> None:
    clock = SimClock()
    done: list[bool] = []

    def arrive() -> None:
        done.append(True)
        done.append(clock.pass_to(20))

    clock.call_at(10, arrive)
    assert clock.advance_until(lambda: bool(done), 100)
    assert (done, clock.now_ns) == ([True, False], 10)


def test_only_a_callback_passes_on() -> None:
    assert not SimClock().pass_to(1)


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("make", [SimClock, WallClock])
def test_only_finite_non_negative_seconds_can_be_slept(make: type[SimClock], seconds: float) -> None:
    with pytest.raises(ValueError, match="Expected a finite, non-negative time in seconds"):
        make().sleep(seconds)


def test_a_deadline_expires_exactly_when_it_says() -> None:
    clock = SimClock()
    deadline = Deadline(clock, 10.0)
    clock.sleep(9.5)
    assert (deadline.remaining_s, deadline.expired) == (0.5, False)
    clock.sleep(0.5)
    assert (deadline.remaining_s, deadline.expired) == (0.0, True)


@given(st.lists(st.integers(0, 1000)), st.lists(st.integers(0, 400), min_size=1))
def test_how_a_wait_is_cut_up_changes_nothing(due: list[int], steps: list[int]) -> None:
    def run(pieces: list[int]) -> list[int]:
        clock = SimClock()
        seen: list[int] = []
        for at in due:
            clock.call_at(at, lambda: seen.append(clock.now_ns))
        for piece in pieces:
            clock.advance_to(clock.now_ns + piece)
        return [*seen, clock.now_ns]

    assert run(steps) == run([sum(steps)])


def test_wall_time_passes() -> None:
    clock = WallClock()
    before = clock.now()
    clock.sleep(0.01)
    assert clock.now() >= before + 0.01


class Beating:
    """Counts its beats, and how often a person was waited for."""

    def __init__(self) -> None:
        self.beats = 0
        self.waited: list[bool] = []

    def beat(self) -> None:
        self.beats += 1

    def wait_for_person(self, waits: bool) -> None:
        self.waited.append(waits)


def test_a_long_sleep_that_somebody_watches_beats_meanwhile() -> None:
    heart = Beating()
    clock = WallClock(heart)
    before = clock.now()
    clock.sleep(4 * BEAT_EVERY_S)
    assert clock.now() >= before + 4 * BEAT_EVERY_S
    assert heart.beats >= 2


def test_a_person_is_waited_for_and_no_longer() -> None:
    heart = Beating()
    with waiting_for_person(WallClock(heart)):
        assert heart.waited == [True]
    assert heart.waited == [True, False]
    for clock in (WallClock(), SimClock()):
        with waiting_for_person(clock):
            assert clock.now() < 1.0

"""The timers as RM0090 section 18 has them, at exact times."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.clock import SimClock
from rig.virtual.mcu.timers import ARR, CCR1, CNT, CR1, DIER, EGR, PSC, SMCR, SR, Timer
from suites.stands.mcu_script import WAIT, Scripted, load, store

APB1ENR, AHB1ENR = 0x40023840, 0x40023830
TIM2, TIM3, TIM5 = 0x40000000, 0x40000400, 0x40000C00
ISER = 0xE000E100
TIM2_IRQ, TIM5_IRQ = 28, 50
CEN, OPM, ARPE, UIF, CC1IF = 1, 8, 0x80, 1, 2
EVERY_1_US = 15  # prescaler: 16 MHz / 16


def test_a_compare_interrupt_wakes_the_core_at_its_time() -> None:
    bench = Scripted()
    bench.on_exception(16 + TIM2_IRQ, load(TIM2 + CNT), store(TIM2 + SR, 0), store(0x20017000, 1))
    bench.run(
        store(APB1ENR, 1),
        store(TIM2 + PSC, EVERY_1_US),
        store(TIM2 + EGR, 1),
        store(TIM2 + SR, 0),
        store(TIM2 + CCR1, 1234),
        store(TIM2 + DIER, CC1IF),
        store(ISER, 1 << TIM2_IRQ),
        store(TIM2 + CR1, CEN),
        seconds=1.233_999e-3,
    )
    assert bench.log() == []
    bench.clock.sleep(1e-9)
    assert bench.log() == [16 + TIM2_IRQ]
    assert bench.word(0x20008000 + 256 * (16 + TIM2_IRQ) + 8) == 1234
    bench.clock.sleep(10.0)
    assert bench.mcu.wake_ups == 1


def test_an_interrupt_that_nobody_clears_comes_again_and_again_while_time_goes_on() -> None:
    bench = Scripted()
    bench.run(
        store(APB1ENR, 8), store(TIM5 + ARR, 15999), store(TIM5 + EGR, 1), store(TIM5 + SR, 0), store(TIM5 + DIER, UIF),
        store(ISER + 4, 1 << TIM5_IRQ - 32), store(TIM5 + CR1, CEN | OPM), seconds=3e-3,
    )  # fmt: skip
    assert not bench.mcu.sleeping
    assert 100 < len(bench.log()) < 32_000 / 24  # in 2 ms; entry and return alone take 24 cycles
    assert set(bench.log()) == {16 + TIM5_IRQ}


def test_update_events_repeat_every_reload_plus_one_ticks() -> None:
    bench = Scripted()
    bench.on_exception(16 + TIM2_IRQ, store(TIM2 + SR, 0))
    bench.run(
        store(APB1ENR, 1), store(TIM2 + PSC, EVERY_1_US), store(TIM2 + ARR, 999), store(TIM2 + EGR, 1),
        store(TIM2 + SR, 0), store(TIM2 + DIER, UIF), store(ISER, 1 << TIM2_IRQ), store(TIM2 + CR1, CEN),
        seconds=10e-3,
    )  # fmt: skip
    assert len(bench.log()) == 10


def test_one_pulse_mode_stops_at_the_update() -> None:
    bench = Scripted()
    bench.on_exception(16 + TIM2_IRQ, store(TIM2 + SR, 0), load(TIM2 + CR1), load(TIM2 + CNT))
    bench.run(
        store(APB1ENR, 1), store(TIM2 + ARR, 15999), store(TIM2 + DIER, UIF), store(ISER, 1 << TIM2_IRQ),
        store(TIM2 + CR1, CEN | OPM), seconds=1.0,
    )  # fmt: skip
    script = 0x20008000 + 256 * (16 + TIM2_IRQ)
    assert len(bench.log()) == 1
    assert (bench.word(script + 12 + 8), bench.word(script + 24 + 8)) == (OPM, 0)


def test_the_prescaler_is_loaded_only_by_an_update() -> None:
    bench = Scripted()
    bench.run(
        store(APB1ENR, 1), store(TIM2 + PSC, EVERY_1_US), store(TIM2 + CR1, CEN), *wait_ms(1), load(TIM2 + CNT),
        store(TIM2 + EGR, 1), *wait_ms(1), load(TIM2 + CNT), seconds=3e-3,
    )  # fmt: skip
    assert bench.loaded(8) == 16000
    assert bench.loaded(15) == 1000


def wait_ms(milliseconds: int) -> list[tuple[int, int, int]]:
    """Sleep that long by SysTick, then stop it."""
    ticks = 16000 * milliseconds - 1
    return [store(0xE000E014, ticks), store(0xE000E018, 0), store(0xE000E010, 7), WAIT, store(0xE000E010, 0)]


def test_a_reload_value_of_zero_blocks_the_counter() -> None:
    clock = SimClock()
    timer = make_timer(clock)
    for register, value in ((ARR, 0), (DIER, UIF), (CR1, CEN)):
        timer.write(register, value)
    assert timer.due_ns() is None
    clock.sleep(1.0)
    timer.refresh()
    assert (timer.words[CNT >> 2], timer.words[SR >> 2]) == (0, 0)


def test_a_timer_without_a_clock_ignores_writes() -> None:
    bench = Scripted()
    bench.run(store(TIM2 + CR1, CEN), load(TIM2 + CR1))
    assert bench.loaded(1) == 0


@pytest.mark.parametrize(("sms", "counts"), [(3, 4), (1, 2), (2, 2)])
def test_encoder_modes_count_edges(sms: int, counts: int) -> None:
    clock = SimClock()
    timer = make_timer(clock, bits=16)
    timer.write(SMCR, sms)
    timer.write(CR1, CEN)
    turn(timer, [(1, True, False), (2, True, True), (1, False, True), (2, False, False)])
    assert timer.words[CNT >> 2] == counts
    turn(timer, [(2, True, False), (1, True, True), (2, False, True), (1, False, False)])
    assert timer.words[CNT >> 2] == 0
    turn(timer, [(2, True, False), (1, True, True), (2, False, True), (1, False, False)])
    assert timer.words[CNT >> 2] == 0x10000 - counts
    assert timer.words[CR1 >> 2] & 0x10  # DIR: down


def turn(timer: Timer, edges: list[tuple[int, bool, bool]]) -> None:
    for channel, rising, other_high in edges:
        timer.edge(channel, rising=rising, other_high=other_high)


def make_timer(clock: SimClock, *, bits: int = 32) -> Timer:
    timer = Timer(memoryview(bytearray(1024)).cast("I"), clock, lambda _high: None, bits=bits)
    timer.clocked = True
    return timer


@settings(max_examples=300, deadline=None)
@given(
    arr=st.integers(1, 50),
    psc=st.integers(0, 4),
    compare=st.integers(0, 55),
    start=st.integers(0, 50),
    looks=st.lists(st.integers(1, 400), min_size=1, max_size=6),
)
def test_the_closed_form_agrees_with_counting_tick_by_tick(
    arr: int, psc: int, compare: int, start: int, looks: list[int]
) -> None:
    start = min(start, arr)
    clock = SimClock()
    timer = make_timer(clock)
    for register, value in ((ARR, arr), (PSC, psc), (EGR, 1), (CCR1, compare), (CNT, start), (SR, 0), (CR1, CEN)):
        timer.write(register, value)
    count, flags, prescaler, cycle = start, 0, 0, 0
    for look in looks:
        for _ in range(look):
            cycle += 1
            prescaler += 1
            if prescaler > psc:
                prescaler = 0
                count = 0 if count == arr else count + 1
                flags |= (UIF if count == 0 else 0) | (CC1IF if count == compare else 0)
        clock.advance_to((cycle * 125 + 1) // 2)
        timer.refresh()
        assert timer.words[CNT >> 2] == count
        assert timer.words[SR >> 2] & (UIF | CC1IF) == flags


@settings(max_examples=200, deadline=None)
@given(arr=st.integers(1, 5000), psc=st.integers(0, 100), compare=st.integers(0, 5000), start=st.integers(0, 5000))
def test_a_flag_rises_exactly_when_it_was_foretold(arr: int, psc: int, compare: int, start: int) -> None:
    start = min(start, arr)
    clock = SimClock()
    timer = make_timer(clock)
    registers = (
        (ARR, arr),
        (PSC, psc),
        (EGR, 1),
        (CCR1, compare),
        (CNT, start),
        (SR, 0),
        (DIER, UIF | CC1IF),
        (CR1, CEN),
    )
    for register, value in registers:
        timer.write(register, value)
    due_ns = timer.due_ns()
    assert due_ns is not None
    clock.advance_to(due_ns - 1)
    timer.refresh()
    assert timer.words[SR >> 2] & (UIF | CC1IF) == 0
    clock.advance_to(due_ns)
    timer.refresh()
    assert timer.words[SR >> 2] & (UIF | CC1IF) != 0


def test_a_script_that_waits_goes_on_when_the_timer_wakes_it() -> None:
    bench = Scripted()
    bench.on_exception(16 + TIM2_IRQ, store(TIM2 + SR, 0))
    bench.run(
        store(APB1ENR, 1), store(TIM2 + ARR, 15999), store(TIM2 + EGR, 1), store(TIM2 + SR, 0), store(TIM2 + DIER, UIF),
        store(ISER, 1 << TIM2_IRQ), store(TIM2 + CR1, CEN), WAIT, load(TIM2 + CNT), store(TIM2 + CR1, 0), seconds=5e-3,
    )  # fmt: skip
    assert bench.loaded(8) == 0
    assert len(bench.log()) == 1

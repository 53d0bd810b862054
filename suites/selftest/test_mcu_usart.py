"""USART1 as RM0090 section 30 has it, against a line of 115200 bit/s."""

from __future__ import annotations

import pytest

from suites.stands.mcu_script import WAIT, Op, Scripted, load, store

AHB1ENR, APB2ENR = 0x40023830, 0x40023844
GPIOA_MODER, GPIOA_AFRH = 0x40020000, 0x40020024
SR, DR, BRR, CR1 = 0x40011000, 0x40011004, 0x40011008, 0x4001100C
ISER1, USART1 = 0xE000E104, 16 + 37
ORE, RXNE, TC, TXE, FE = 1 << 3, 1 << 5, 1 << 6, 1 << 7, 1 << 1
UE, RE, TE, RXNEIE, TCIE, TXEIE, IDLEIE = 1 << 13, 1 << 2, 1 << 3, 1 << 5, 1 << 6, 1 << 7, 1 << 4
BRR_115200 = 139  # 16 MHz / 115200 = 138.9
CHARACTER_NS = 86806  # 10 bits at 115200 bit/s


def set_up(cr1: int, brr: int = BRR_115200) -> list[Op]:
    return [
        store(AHB1ENR, 1),
        store(APB2ENR, 1 << 4),
        store(GPIOA_MODER, 0xA8000000 | 2 << 18 | 2 << 20),
        store(GPIOA_AFRH, 7 << 4 | 7 << 8),
        store(BRR, brr),
        store(CR1, UE | cr1),
        store(ISER1, 1 << 5),
    ]


def exception_script_word(index: int) -> int:
    return 0x20008000 + 256 * USART1 + 12 * index + 8


def test_a_received_character_wakes_the_core_when_its_last_bit_has_come() -> None:
    bench = Scripted()
    bench.on_exception(USART1, load(SR), load(DR), load(SR))
    bench.run(*set_up(RE | RXNEIE))
    bench.port.host_write(b"\x5a")
    bench.clock.advance_to(CHARACTER_NS - 1)
    assert bench.log() == []
    bench.clock.advance_to(CHARACTER_NS)
    assert bench.log() == [USART1]
    assert bench.word(exception_script_word(0)) & (RXNE | ORE | FE) == RXNE
    assert bench.word(exception_script_word(1)) == 0x5A
    assert bench.word(exception_script_word(2)) & RXNE == 0


def test_an_unread_character_overruns_the_next_and_stays() -> None:
    bench = Scripted()
    bench.run(*set_up(RE), store(0xE000E014, 15999), store(0xE000E010, 7), WAIT, load(SR), load(DR), load(SR))
    bench.port.host_write(b"AB")
    bench.clock.sleep(2e-3)
    assert bench.loaded(10) & (RXNE | ORE) == RXNE | ORE
    assert bench.loaded(11) == ord("A")
    assert bench.loaded(12) & (RXNE | ORE) == 0  # SR then DR clears it


def test_a_sent_character_takes_its_time_and_the_next_waits_for_it() -> None:
    bench = Scripted()
    bench.on_exception(USART1, store(CR1, UE | TE))
    bench.run(
        *set_up(TE), store(DR, ord("x")), load(SR), store(DR, ord("y")), load(SR), store(CR1, UE | TE | TCIE), WAIT,
        load(SR),
    )  # fmt: skip
    assert bench.loaded(8) & (TXE | TC) == TXE  # "x" is in the shift register
    assert bench.loaded(10) & (TXE | TC) == 0  # "y" waits in the data register
    assert bench.port.host_read(2, timeout_s=1.0) == b"xy"
    assert bench.clock.now_ns == 2 * CHARACTER_NS
    bench.clock.sleep(1e-6)
    assert bench.log() == [USART1]
    assert bench.loaded(13) & (TXE | TC) == TXE | TC


def test_transmit_empty_interrupts_send_back_to_back() -> None:
    bench = Scripted()
    bench.on_exception(USART1, store(DR, ord("u")))
    bench.run(*set_up(TE | TXEIE), seconds=10 * CHARACTER_NS * 1e-9)
    assert bench.port.host_read(100, timeout_s=0.0) == b"u" * 10


@pytest.mark.parametrize(("brr", "heard"), [(139, True), (143, True), (144, False), (1667, False), (70, False)])
def test_another_speed_than_the_lines_garbles_both_ways(brr: int, heard: bool) -> None:
    bench = Scripted()
    bench.on_exception(USART1, load(SR), load(DR))
    bench.run(*set_up(RE | TE | RXNEIE, brr), store(DR, ord("x")))
    bench.port.host_write(b"x")
    bench.clock.sleep(2e-3)
    assert (bench.word(exception_script_word(1)) == ord("x")) is heard
    assert bool(bench.word(exception_script_word(0)) & FE) is not heard
    assert (bench.port.host_read(1, timeout_s=0.0) == b"x") is heard


def test_nothing_is_heard_or_said_on_pins_that_are_not_connected() -> None:
    bench = Scripted()
    bench.run(*set_up(RE | TE | RXNEIE), store(GPIOA_MODER, 0xA8000000), store(DR, ord("x")))
    bench.port.host_write(b"x")
    bench.clock.sleep(2e-3)
    assert bench.log() == []
    assert bench.port.host_waiting() == 0


def test_an_idle_line_is_noticed_one_character_after_the_last() -> None:
    bench = Scripted()
    bench.on_exception(USART1, load(SR), load(DR))
    bench.run(*set_up(RE | IDLEIE))
    bench.port.host_write(b"ab")
    bench.clock.advance_to(3 * CHARACTER_NS - 200)
    assert bench.log() == []
    bench.clock.advance_to(3 * CHARACTER_NS + 100)
    assert bench.log() == [USART1]

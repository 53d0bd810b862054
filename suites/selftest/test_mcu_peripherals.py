"""The smaller peripherals as RM0090 has them: ADC, GPIO and watchdog."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.errors import RigError
from rig.virtual.mcu.adc import round_down
from suites.stands.mcu_script import (
    FLASH_ROUTINE,
    WAIT,
    Op,
    PinEdge,
    Scripted,
    call,
    firmware,
    load,
    store,
    store_half,
)

AHB1ENR, APB1ENR, APB2ENR = 0x40023830, 0x40023840, 0x40023844
GPIOB, GPIOC = 0x40020400, 0x40020800
MODER, PUPDR, IDR, ODR, BSRR = 0x00, 0x0C, 0x10, 0x14, 0x18
ADC_SR, ADC_CR1, ADC_CR2, ADC_SQR3, ADC_DR = 0x40012000, 0x40012004, 0x40012008, 0x40012034, 0x4001204C
IWDG_KR, IWDG_PR, IWDG_RLR = 0x40003000, 0x40003004, 0x40003008
RESULT = 0x20017000


def systick_ms(milliseconds: int) -> list[Op]:
    return [store(0xE000E014, 16000 * milliseconds - 1), store(0xE000E018, 0), store(0xE000E010, 7), WAIT]


# ---- ADC ---------------------------------------------------------------------------------------------------


def test_a_conversion_started_by_software_reads_the_chosen_input() -> None:
    bench = Scripted()
    bench.volts[2] = 0.750
    bench.run(
        store(APB2ENR, 1 << 8), store(ADC_CR2, 1), store(ADC_SQR3, 2), store(ADC_CR2, 1 | 1 << 30), load(ADC_SR),
        load(ADC_DR), load(ADC_SR),
    )  # fmt: skip
    assert bench.loaded(4) & 2  # EOC
    assert bench.loaded(5) == int(0.750 / 3.3 * 4096)
    assert bench.loaded(6) & 2 == 0  # reading DR cleared it


def test_the_end_of_a_conversion_interrupts_when_asked_to() -> None:
    bench = Scripted()
    bench.volts[0] = 3.3
    bench.on_exception(16 + 18, load(ADC_DR))
    bench.run(
        store(APB2ENR, 1 << 8), store(ADC_CR1, 1 << 5), store(0xE000E100, 1 << 18), store(ADC_CR2, 1 | 1 << 30)
    )  # fmt: skip
    assert bench.log() == [16 + 18]
    assert bench.word(0x20008000 + 256 * (16 + 18) + 8) == 4095


@given(st.floats(-1.0, 5.0), st.sampled_from([6, 8, 10, 12]))
def test_a_code_stands_for_the_voltage_below_it_within_one_step(volts: float, bits: int) -> None:
    step_v = 3.3 / (1 << bits)
    code = round_down(volts, bits)
    clipped = min(max(volts, 0.0), 3.3 - step_v)
    assert code * step_v <= clipped + 1e-9
    assert clipped < (code + 1) * step_v + 1e-9


# ---- GPIO --------------------------------------------------------------------------------------------------


def test_an_output_is_heard_when_it_changes_and_only_then() -> None:
    bench = Scripted()
    bench.run(
        store(AHB1ENR, 2), store(GPIOB + BSRR, 1), store(GPIOB + MODER, 0x280 | 1), store(GPIOB + BSRR, 1),
        store(GPIOB + BSRR, 1 << 16), *systick_ms(1), store_half(GPIOB + BSRR, 1), store(GPIOB + BSRR, 1 << 16 | 1),
        store(GPIOB + ODR, 0), seconds=2e-3,
    )  # fmt: skip
    assert bench.edges == [
        PinEdge(0, "PB0", True),  # it was set before it became an output
        PinEdge(0, "PB0", False),
        PinEdge(1_000_000, "PB0", True),
        PinEdge(1_000_000, "PB0", False),
    ]


@pytest.mark.parametrize(
    ("pull", "driven", "level"),
    [(0, None, 0), (1, None, 1), (2, None, 0), (1, False, 0), (2, True, 1), (0, True, 1)],
)
def test_an_input_follows_what_drives_it_or_its_pull(pull: int, driven: bool | None, level: int) -> None:
    bench = Scripted()
    bench.mcu.set_input("PC13", driven)
    bench.run(store(AHB1ENR, 4), store(GPIOC + PUPDR, pull << 26), load(GPIOC + IDR))
    assert bench.loaded(2) == level << 13


def test_power_off_lets_go_of_the_pins() -> None:
    bench = Scripted()
    bench.run(store(AHB1ENR, 2), store(GPIOB + MODER, 1 << 20), store(GPIOB + BSRR, 1 << 10))
    assert bench.mcu.pin("PB10")
    bench.mcu.power(False)
    assert not bench.mcu.pin("PB10")
    assert bench.edges[-1] == PinEdge(0, "PB10", False)


@pytest.mark.parametrize("event", ["power off", "reset"])
def test_what_a_pin_causes_outside_may_stop_the_core_at_once(event: str) -> None:
    bench = Scripted()
    react = {"power off": lambda: bench.mcu.power(False), "reset": bench.mcu.reset}[event]
    bench.on_edge = lambda edge: react() if edge.high else None
    bench.run(
        store(0x20000000, 0), store(AHB1ENR, 2), store(GPIOB + MODER, 1), store(GPIOB + BSRR, 1), store(RESULT, 1),
        seconds=1e-3,
    )  # fmt: skip
    assert bench.word(RESULT) == 0
    assert bench.mcu.powered is (event == "reset")
    assert bench.mcu.resets == ["power"] + ["pin"] * (event == "reset")
    assert [edge.high for edge in bench.edges] == [True, False]


def test_a_pin_that_is_not_there_is_refused() -> None:
    with pytest.raises(RigError, match="PA0 to PC15"):
        Scripted().mcu.set_input("PD3", True)


def test_the_encoder_counts_on_its_pins() -> None:
    bench = Scripted()
    tim3 = 0x40000400
    bench.mcu.set_input("PB4", False)
    bench.mcu.set_input("PB5", False)
    bench.run(
        store(AHB1ENR, 2), store(APB1ENR, 2), store(GPIOB + MODER, 0x280 | 2 << 8 | 2 << 10),
        store(GPIOB + 0x20, 2 << 16 | 2 << 20), store(tim3 + 8, 3), store(tim3, 1), *systick_ms(1), load(tim3 + 0x24),
    )  # fmt: skip
    for a, b in ((True, False), (True, True), (False, True), (False, False), (True, False)):
        bench.mcu.set_input("PB4", a)
        bench.mcu.set_input("PB5", b)
    bench.clock.sleep(1e-3)
    assert bench.loaded(10) == 5


# ---- watchdog ----------------------------------------------------------------------------------------------


def test_the_watchdog_resets_when_it_is_not_reloaded() -> None:
    bench = Scripted()
    # LSI/4, 8 kHz: 800 ticks are 100 ms. After the reset the script is overwritten with "done".
    bench.script(
        store(0x20000000, 0), store(IWDG_KR, 0x5555), store(IWDG_PR, 0), store(IWDG_RLR, 799), store(IWDG_KR, 0xCCCC)
    )  # fmt: skip
    bench.clock.advance_to(99_999_999)
    assert bench.mcu.resets == ["power"]
    bench.clock.advance_to(100_000_000)
    assert bench.mcu.resets == ["power", "watchdog"]
    bench.clock.sleep(10.0)
    assert bench.mcu.resets == ["power", "watchdog"]  # it has to be started again


def test_a_reload_starts_the_watchdogs_time_again() -> None:
    bench = Scripted()
    start = [store(0x20000000, 0), store(IWDG_KR, 0x5555), store(IWDG_RLR, 799), store(IWDG_KR, 0xCCCC)]
    bench.run(*start, *systick_ms(60), store(IWDG_KR, 0xAAAA), seconds=0.1599)
    assert bench.mcu.resets == ["power"]
    bench.clock.sleep(0.0002)
    assert bench.mcu.resets == ["power", "watchdog"]


def test_a_locked_watchdog_keeps_its_settings() -> None:
    bench = Scripted()
    bench.run(store(IWDG_RLR, 1), store(IWDG_KR, 0x5555), store(IWDG_KR, 0xAAAA), store(IWDG_RLR, 2), load(IWDG_RLR))
    assert bench.loaded(4) == 0xFFF


@pytest.mark.parametrize("stops", ["lock-up", "stopped clock"])
def test_the_watchdog_ends_a_standstill(stops: str) -> None:
    bench = Scripted()
    bench.on_exception(3, load(0x30000000))
    ending = [load(0x30000000)] if stops == "lock-up" else [WAIT]
    start = [store(0x20000000, 0), store(IWDG_KR, 0x5555), store(IWDG_RLR, 799), store(IWDG_KR, 0xCCCC)]
    bench.run(*start, *ending)
    if stops == "stopped clock":
        bench.mcu.stop_clock()
    assert bench.mcu.halted is not None
    bench.clock.advance_to(100_000_000)
    assert bench.mcu.resets == ["power", "watchdog"]
    assert bench.mcu.halted is None


def test_the_watchdog_ends_a_hang_with_interrupts_masked() -> None:
    bench = Scripted(firmware("b672 e7fe    cpsid i; b ."))
    bench.run(
        store(0x20000000, 0), store(IWDG_KR, 0x5555), store(IWDG_RLR, 799), store(IWDG_KR, 0xCCCC), *systick_ms(1)[:3],
        call(FLASH_ROUTINE), seconds=0.1,
    )  # fmt: skip
    assert bench.mcu.resets == ["power", "watchdog"]
    assert bench.log() == []

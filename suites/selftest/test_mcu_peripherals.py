"""The smaller peripherals as RM0090 has them: ADC, GPIO, watchdog, RTC, CRC, clocks and the backup domain."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.errors import RigError
from rig.virtual.mcu.adc import round_down
from rig.virtual.mcu.crc_unit import CR, DR, CrcUnit
from suites.selftest.mcu_script import (
    FLASH_ROUTINE,
    WAIT,
    Op,
    PinEdge,
    Scripted,
    call,
    firmware,
    load,
    store,
    store_byte,
    store_half,
)

RCC, AHB1ENR, APB1ENR, APB2ENR, BDCR, CSR = 0x40023800, 0x40023830, 0x40023840, 0x40023844, 0x40023870, 0x40023874
PWR_CR = 0x40007000
GPIOB, GPIOC = 0x40020400, 0x40020800
MODER, PUPDR, IDR, ODR, BSRR = 0x00, 0x0C, 0x10, 0x14, 0x18
ADC_SR, ADC_CR1, ADC_CR2, ADC_SQR3, ADC_DR = 0x40012000, 0x40012004, 0x40012008, 0x40012034, 0x4001204C
IWDG_KR, IWDG_PR, IWDG_RLR = 0x40003000, 0x40003004, 0x40003008
RTC = 0x40002800
BACKUP_SRAM = 0x40024000
RESULT = 0x20017000
DBP = 1 << 8
OPEN_BACKUP = [store(APB1ENR, 1 << 28), store(PWR_CR, DBP)]


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


# ---- clocks and reset causes -------------------------------------------------------------------------------


def test_the_reset_cause_is_kept_until_it_is_removed() -> None:
    bench = Scripted()
    bench.run(load(CSR), store(CSR, 1 << 24), load(CSR), store(0xE000ED0C, 0x05FA0004))
    assert bench.loaded(0) == 0x0E000000
    assert bench.loaded(2) == 0
    bench.clock.sleep(1e-3)
    assert len(bench.mcu.resets) == 1 + 51  # it resets itself at 0, 20 µs, … 1 ms
    assert bench.loaded(0) == 0x14000000


def test_csr_tells_power_on_from_watchdog() -> None:
    bench = Scripted()
    bench.run(load(CSR))
    assert bench.loaded(0) == 0x0E000000
    bench.script(
        load(CSR), store(0x20000000 + 12, 0), store(IWDG_KR, 0x5555), store(IWDG_RLR, 7), store(IWDG_KR, 0xCCCC)
    )  # fmt: skip
    bench.mcu.reset()
    bench.clock.sleep(0.01)
    assert bench.mcu.resets == ["power", "pin", "watchdog"]
    assert bench.loaded(0) == 0x2E000000
    bench.script(store(CSR, 1 << 24), load(CSR))
    bench.mcu.reset()
    bench.clock.sleep(0.0)
    assert bench.loaded(1) == 0


def test_ready_bits_follow_enable_bits() -> None:
    bench = Scripted()
    bench.run(load(RCC), store(CSR, 1), load(CSR), *OPEN_BACKUP, store(BDCR, 1), load(BDCR))
    assert bench.loaded(0) == 0x83
    assert bench.loaded(2) & 3 == 3
    assert bench.loaded(6) & 3 == 3


@pytest.mark.parametrize("cfgr", [2, 1, 0x80, 0x1000])
def test_another_system_clock_is_refused(cfgr: int) -> None:
    bench = Scripted()
    with pytest.raises(RigError, match="only HSI at 16 MHz"):
        bench.run(store(RCC + 8, cfgr))


def test_the_unique_id_and_flash_size_are_there() -> None:
    bench = Scripted()
    bench.run(load(0x1FFF7A10), load(0x1FFF7A20), load(0xE0042000), load(0xE000ED00))
    assert bench.loaded(0) == 0x0024003A
    assert bench.loaded(1) >> 16 == 1024
    assert bench.loaded(2) & 0xFFF == 0x413
    assert bench.loaded(3) == 0x410FC241


def test_flash_does_not_change_when_it_is_written() -> None:
    bench = Scripted()
    bench.run(load(0x08000200), store(0x08000200, 0), load(0x08000200), load(0x00000200))
    assert bench.loaded(0) == bench.loaded(2) == bench.loaded(3) != 0


# ---- backup domain -----------------------------------------------------------------------------------------


def test_backup_memory_is_closed_until_dbp_is_set() -> None:
    bench = Scripted()
    bench.run(
        store(AHB1ENR, 1 << 18), store(BACKUP_SRAM, 1), load(BACKUP_SRAM), *OPEN_BACKUP, store(BACKUP_SRAM, 2),
        load(BACKUP_SRAM), store(PWR_CR, 0), store(BACKUP_SRAM, 3), store_byte(BACKUP_SRAM + 1, 4), load(BACKUP_SRAM),
    )  # fmt: skip
    assert (bench.loaded(2), bench.loaded(6), bench.loaded(10)) == (0, 2, 2)


def test_backup_memory_and_registers_outlive_a_power_off() -> None:
    bench = Scripted()
    bench.run(
        store(AHB1ENR, 1 << 18), *OPEN_BACKUP, store(BACKUP_SRAM + 8, 0xCAFE), store(RTC + 0x50, 0xBEEF)
    )  # fmt: skip
    bench.mcu.power(False)
    bench.clock.sleep(3600.0)
    bench.power_on()
    bench.run(load(BACKUP_SRAM + 8), load(RTC + 0x50), store(BACKUP_SRAM + 8, 1), load(BACKUP_SRAM + 8))
    assert (bench.loaded(0), bench.loaded(1)) == (0xCAFE, 0xBEEF)
    assert bench.loaded(3) == 0xCAFE  # DBP is clear again


SET_CALENDAR = [
    *OPEN_BACKUP,
    store(BDCR, 1 | 1 << 8 | 1 << 15),
    store(RTC + 0x24, 0xCA),
    store(RTC + 0x24, 0x53),
    store(RTC + 0x0C, 1 << 7),
    load(RTC + 0x0C),
    store(RTC + 0x00, 0x235958),
    store(RTC + 0x04, 0x246228),  # Wednesday, 2024-02-28
    store(RTC + 0x0C, 0),
]


def test_the_calendar_runs_through_a_power_off() -> None:
    bench = Scripted()
    bench.run(*SET_CALENDAR)
    assert bench.loaded(6) & 1 << 6  # INITF
    bench.mcu.power(False)
    bench.clock.sleep(3.5)
    bench.power_on()
    bench.run(load(RTC), load(RTC + 4), load(RTC + 0x28))
    assert bench.loaded(0) == 0x000001
    assert bench.loaded(1) & 0xFF1FFF == 0x240229
    assert bench.loaded(2) == 127  # PREDIV_S 255, half a second gone


def test_the_calendar_is_locked_without_its_key() -> None:
    bench = Scripted()
    bench.run(*OPEN_BACKUP, store(RTC + 0x0C, 1 << 7), load(RTC + 0x0C), store(RTC, 0x123456), load(RTC))
    assert bench.loaded(3) & 1 << 6 == 0
    assert bench.loaded(5) == 0


# ---- CRC ---------------------------------------------------------------------------------------------------


def test_the_crc_unit_on_the_core() -> None:
    bench = Scripted()
    crc = 0x40023000
    bench.run(
        store(AHB1ENR, 1 << 12), store(crc + 8, 1), store(crc, 0x12345678), load(crc), store(crc + 8, 1), load(crc)
    )
    assert bench.loaded(3) == 0xDF8A8A2B  # ST AN4187, 2.1
    assert bench.loaded(5) == 0xFFFFFFFF


@settings(deadline=None)
@given(st.lists(st.integers(0, 0xFFFFFFFF), max_size=8))
def test_the_crc_is_that_of_a_bitwise_division(data: list[int]) -> None:
    unit = CrcUnit(memoryview(bytearray(16)).cast("I"))
    unit.write(CR, 1)
    crc = 0xFFFFFFFF
    for value in data:
        unit.write(DR, value)
        for bit in range(31, -1, -1):
            top = (crc >> 31) ^ (value >> bit & 1)
            crc = (crc << 1 & 0xFFFFFFFF) ^ (0x04C11DB7 if top else 0)
    assert unit.words[DR >> 2] == crc
    assert struct.unpack("<I", struct.pack("<I", crc))[0] == crc

"""Clocks, reset causes, the backup domain with its calendar, and the CRC unit, as RM0090 has them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.errors import RigError
from rig.virtual.mcu.crc_unit import CR, DR, CrcUnit
from suites.stands.mcu_script import (
    Scripted,
    load,
    store,
    store_byte,
)

RCC, AHB1ENR, APB1ENR, BDCR, CSR = 0x40023800, 0x40023830, 0x40023840, 0x40023870, 0x40023874
PWR_CR = 0x40007000
IWDG_KR, IWDG_RLR = 0x40003000, 0x40003008
RTC = 0x40002800
BACKUP_SRAM = 0x40024000
DBP = 1 << 8
OPEN_BACKUP = [store(APB1ENR, 1 << 28), store(PWR_CR, DBP)]


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

"""Flash programming and external interrupts of the emulated controller, against RM0090 rev 19, sections 3 and 12."""

import pytest

from suites.stands.mcu_script import Op, Scripted, load, store, store_byte

KEYR, SR, CR = 0x40023C04, 0x40023C0C, 0x40023C10
PG, SER, STRT, WORD = 1, 1 << 1, 1 << 16, 2 << 8
SECTOR_11 = 0x080E0000
SYSCFG, EXTI = 0x40013800, 0x40013C00
UNLOCK = (store(KEYR, 0x45670123), store(KEYR, 0xCDEF89AB))


def loaded(*ops: Op) -> list[int]:
    """Run a script and get what its loads loaded, in their order."""
    scripted = Scripted()
    scripted.run(*ops)
    return [scripted.loaded(index) for index, op in enumerate(ops) if op[0] == load(0)[0]]


def test_a_store_to_locked_flash_is_lost_and_told() -> None:
    assert loaded(store(SECTOR_11, 0x12345678), load(SECTOR_11), load(SR)) == [0xFFFFFFFF, 1 << 7]


def test_the_wrong_keys_do_not_unlock() -> None:
    assert loaded(store(KEYR, 0x45670123), store(KEYR, 0x45670123), load(CR)) == [1 << 31]


def test_programming_only_clears_bits_and_erasing_sets_them() -> None:
    assert loaded(
        *UNLOCK,
        store(CR, PG | WORD),
        store(SECTOR_11, 0xF0F0FFFF),
        store(SECTOR_11, 0xFF00FF00),
        load(SECTOR_11),
        store(CR, SER | 11 << 3),
        store(CR, SER | 11 << 3 | STRT),
        load(SECTOR_11),
        load(CR),
    ) == [0xF000FF00, 0xFFFFFFFF, SER | 11 << 3]


def test_a_store_of_another_width_than_asked_for_is_an_error() -> None:
    narrow = loaded(*UNLOCK, store(CR, PG | WORD), store_byte(SECTOR_11, 0), load(SECTOR_11), load(SR))
    assert narrow == [0xFFFFFFFF, 1 << 6]


@pytest.mark.parametrize(
    ("pin", "port", "line", "interrupt"),
    [("PC13", 2, 13, 40), ("PB12", 1, 12, 40), ("PC0", 2, 0, 6), ("PA7", 0, 7, 23)],
)
def test_an_edge_raises_the_interrupt_of_its_line_until_it_is_cleared(
    pin: str, port: int, line: int, interrupt: int
) -> None:
    scripted = Scripted()
    scripted.on_exception(16 + interrupt, store(EXTI + 0x14, 1 << line))
    scripted.mcu.set_input(pin, False)
    scripted.run(
        store(0x40023830, 7),
        store(0x40023844, 1 << 14),
        store(SYSCFG + 8 + 4 * (line // 4), port << 4 * (line % 4)),
        store(EXTI + 0x00, 1 << line),
        store(EXTI + 0x0C, 1 << line),
        store(0xE000E100 + 4 * (interrupt // 32), 1 << interrupt % 32),
        seconds=0.001,
    )
    scripted.mcu.set_input(pin, True)
    scripted.clock.sleep(0.001)
    assert scripted.log() == []
    scripted.mcu.set_input(pin, False)
    scripted.clock.sleep(0.001)
    assert scripted.log() == [16 + interrupt]

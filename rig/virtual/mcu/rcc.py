"""RCC, PWR and the flash interface: clocks, reset causes and backup-domain access (RM0090 rev 19, sections 7, 5, 3).

Oscillators are ready as soon as they are enabled. Not responsible for other system clocks than HSI at 16 MHz, which is
what the board runs on: another choice is refused.
"""

from __future__ import annotations

from collections.abc import Callable

from rig.errors import RigError
from rig.virtual.mcu.peripheral import Peripheral

CR, PLLCFGR, CFGR, AHB1RSTR, APB1RSTR, APB2RSTR = 0x00, 0x04, 0x08, 0x10, 0x20, 0x24
AHB1ENR, APB1ENR, APB2ENR, BDCR, CSR, LAST = 0x30, 0x40, 0x44, 0x70, 0x74, 0x8C
RMVF, BORRSTF, PINRSTF, PORRSTF, SFTRSTF, IWDGRSTF = 1 << 24, 1 << 25, 1 << 26, 1 << 27, 1 << 28, 1 << 29
ACR, KEYR, SR, FLASH_CR = 0x00, 0x04, 0x0C, 0x10
PG, SER, STRT, LOCK = 1 << 0, 1 << 1, 1 << 16, 1 << 31
PGPERR, PGSERR = 1 << 6, 1 << 7
KEYS = (0x45670123, 0xCDEF89AB)
_RESET_TO_ENABLE = {AHB1RSTR: AHB1ENR, APB1RSTR: APB1ENR, APB2RSTR: APB2ENR}


class Rcc:
    """Reset and clock control.

    Args:
        words: the registers.
        gates: the peripheral behind each (enable register, bit).
        on_backup_domain: called with BDCR whenever it is written; True resets the domain.
        backup_writable: whether PWR lets BDCR be written.
    """

    def __init__(
        self,
        words: memoryview,
        gates: dict[tuple[int, int], Peripheral],
        on_backup_domain: Callable[[int], None],
        backup_writable: Callable[[], bool],
    ) -> None:
        self.words = words
        self.clocked = True
        self._gates = gates
        self._on_backup_domain = on_backup_domain
        self._backup_writable = backup_writable

    def reset(self) -> None:
        """Take system-reset values; CSR's flags and BDCR outlive it (7.3)."""
        kept = self.words[BDCR >> 2], self.words[CSR >> 2]
        for index in range(LAST // 4 + 1):
            self.words[index] = 0
        self.words[BDCR >> 2], self.words[CSR >> 2] = kept[0], kept[1] & 0xFF000000
        self.words[CR >> 2], self.words[PLLCFGR >> 2], self.words[AHB1ENR >> 2] = 0x83, 0x24003010, 0x00100000
        for peripheral in self._gates.values():
            peripheral.clocked = False

    def lose_backup(self) -> None:
        """Take the backup domain's power-on reset value of BDCR (7.3.20)."""
        self.words[BDCR >> 2] = 0

    def note_reset(self, cause: int, *, power_on: bool = False) -> None:
        """Record why the controller was reset; a power-on clears what was recorded before (7.3.21)."""
        self.words[CSR >> 2] = cause if power_on else self.words[CSR >> 2] & 0xFE000000 | cause

    def write(self, offset: int, value: int) -> None:
        """Write a register."""
        words = self.words
        if offset == CR:
            ready = (value & 1) << 1 | (value & 1 << 16) << 1 | (value & 1 << 24) << 1 | (value & 1 << 26) << 1
            words[CR >> 2] = value & 0x050D00F9 | ready | 3  # HSI feeds the system and stays on
        elif offset == CFGR:
            if value & 0xFCF3:
                raise RigError(f"the firmware set RCC_CFGR to {value:#x}: only HSI at 16 MHz, undivided, is modelled")
            words[CFGR >> 2] = value & ~0xC  # SWS: HSI
        elif offset == BDCR:
            self._write_bdcr(value)
        elif offset == CSR:
            kept = 0 if value & RMVF else words[CSR >> 2] & 0xFE000000
            words[CSR >> 2] = kept | value & 1 | (value & 1) << 1
        elif offset in _RESET_TO_ENABLE:
            words[offset >> 2] = value
            for (register, bit), peripheral in self._gates.items():
                if register == _RESET_TO_ENABLE[offset] and value >> bit & 1:
                    peripheral.reset()
        elif offset <= LAST:
            words[offset >> 2] = value
            for (register, bit), peripheral in self._gates.items():
                if register == offset:
                    peripheral.clocked = bool(value >> bit & 1)

    def _write_bdcr(self, value: int) -> None:
        if not self._backup_writable():
            return  # behind DBP (7.3.20)
        if value & 1 << 16:
            value = 1 << 16
        self.words[BDCR >> 2] = value & 0x18305 | (value & 1) << 1  # LSERDY follows LSEON
        self._on_backup_domain(self.words[BDCR >> 2])


class Pwr:
    """Power control: the DBP bit, which opens the backup domain (5.4.1)."""

    def __init__(self, words: memoryview, on_access: Callable[[bool], None]) -> None:
        self.words = words
        self.clocked = False
        self._on_access = on_access
        self.reset()

    def reset(self) -> None:
        """Take reset values: the backup domain is closed."""
        self.words[0], self.words[1] = 0x4000, 0x4000  # VOS, VOSRDY
        self._on_access(False)

    def write(self, offset: int, value: int) -> None:
        """Write CR or CSR."""
        if offset == 0:
            self.words[0] = value & 0x7FF3
            self._on_access(bool(value & 1 << 8))
        elif offset == 4:
            self.words[1] = 0x4000 | value & 0x300 | (value & 0x200) >> 6  # BRR follows BRE

    @property
    def backup_writable(self) -> bool:
        """Whether DBP is set."""
        return bool(self.words[0] & 1 << 8)


class FlashInterface:
    """Access control, and erasing and programming the flash (3.6, 3.9): both take no time, and run behind the two keys.

    Args:
        words: the registers.
        flash: the flash's bytes.
    """

    def __init__(self, words: memoryview, flash: memoryview) -> None:
        self.words = words
        self.clocked = True
        self._flash = flash
        self.reset()

    def reset(self) -> None:
        """Take reset values: the control register is locked."""
        for index, value in enumerate((0, 0, 0, 0, LOCK, 0x0FFFAAED)):
            self.words[index] = value
        self._keys = 0

    def write(self, offset: int, value: int) -> None:
        """Write a register."""
        if offset == ACR:
            self.words[0] = value & 0x1F07
        elif offset == KEYR:
            self._unlock(value)
        elif offset == SR:
            self.words[SR >> 2] &= ~value
        elif offset == FLASH_CR and not self.words[FLASH_CR >> 2] & LOCK:
            self.words[FLASH_CR >> 2] = value & ~STRT
            if value & STRT and value & SER:
                self._erase(value >> 3 & 0xF)

    def program(self, offset: int, size: int, value: int) -> None:
        """Do what a store to the flash does: it clears bits when programming is on, or is an error (3.6.3)."""
        cr = self.words[FLASH_CR >> 2]
        if not cr & PG or cr & LOCK:
            self.words[SR >> 2] |= PGSERR
            return
        if size != 1 << (cr >> 8 & 3):
            self.words[SR >> 2] |= PGPERR  # not as wide as PSIZE says
            return
        for index in range(size):
            self._flash[offset + index] &= value >> 8 * index & 0xFF

    def _unlock(self, key: int) -> None:
        self._keys = self._keys + 1 if key == KEYS[self._keys] else 0
        if self._keys == len(KEYS):
            self._keys = 0
            self.words[FLASH_CR >> 2] &= ~LOCK

    def _erase(self, sector: int) -> None:
        """Erase sector 0..11: four of 16 KB, one of 64 KB, seven of 128 KB (table 5)."""
        if sector > 11:
            raise RigError(f"the firmware erased flash sector {sector}: the chip has 0 to 11")
        start = sector << 14 if sector < 5 else sector - 4 << 17
        size = 1 << (14 if sector < 4 else 16 if sector == 4 else 17)
        self._flash[start : start + size] = b"\xff" * size

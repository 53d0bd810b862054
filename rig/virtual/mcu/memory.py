"""The microcontroller's memories and where they lie (RM0090 rev 19, section 2.3).

Not responsible for registers (bus) nor for what the core stores in flash (rcc).
"""

from __future__ import annotations

import hashlib

from rig.errors import RigError
from rig.virtual.mcu.engine import Engine
from rig.virtual.mcu.image import Image

FLASH, FLASH_SIZE = 0x08000000, 1 << 20
SRAM, SRAM_SIZE = 0x20000000, 128 << 10
CCM, CCM_SIZE = 0x10000000, 64 << 10
BACKUP_SRAM, BACKUP_SRAM_SIZE = 0x40024000, 4 << 10
SYSTEM, SYSTEM_SIZE = 0x1FFF7000, 0x1000
UNIQUE_ID, FLASH_SIZE_REGISTER = 0x1FFF7A10, 0x1FFF7A22

LOST = b"\xa5"
"""What RAM holds after power-on. Real contents are unknown; a pattern other than 0 shows who relies on them."""

_Place = tuple[memoryview, int]


class Memory:
    """Flash, SRAM, CCM, backup SRAM and the factory's data; `flash` is the flash's bytes."""

    def __init__(self, engine: Engine, unique_id: bytes) -> None:
        if len(unique_id) != 12:
            raise RigError(f"the unique device id has 96 bits, got {8 * len(unique_id)}")
        self.flash = engine.map_rom(FLASH, FLASH_SIZE, alias=0)  # boot pins choose main flash (2.4)
        self._flash_seen = self._flash_digest = b""
        self._sram = engine.map_ram(SRAM, SRAM_SIZE)
        self._ccm = engine.map_ram(CCM, CCM_SIZE)
        self._backup = engine.map_registers(BACKUP_SRAM, BACKUP_SRAM_SIZE)
        system = engine.map_rom(SYSTEM, SYSTEM_SIZE)
        system[UNIQUE_ID - SYSTEM : UNIQUE_ID - SYSTEM + 12] = unique_id
        size_at = FLASH_SIZE_REGISTER - SYSTEM
        system[size_at : size_at + 2] = (FLASH_SIZE >> 10).to_bytes(2, "little")
        self._regions = (
            (SRAM, SRAM_SIZE, self._sram),
            (CCM, CCM_SIZE, self._ccm),
            (FLASH, FLASH_SIZE, self.flash),
            (0, FLASH_SIZE, self.flash),
            (BACKUP_SRAM, BACKUP_SRAM_SIZE, self._backup),
            (SYSTEM, SYSTEM_SIZE, system),
        )

    def load(self, image: Image) -> None:
        """Program the flash with an image, the rest erased; RigError when it lies elsewhere."""
        self.flash[:] = b"\xff" * FLASH_SIZE
        for address, data in image.segments:
            start = address - FLASH if address >= FLASH else address
            if not 0 <= start <= FLASH_SIZE - len(data):
                raise RigError(f"the firmware image wants {len(data)} bytes at {address:#010x}, which is not in flash")
            self.flash[start : start + len(data)] = data

    def lose_ram(self) -> None:
        """Forget what needs power."""
        self._sram[:] = LOST * SRAM_SIZE
        self._ccm[:] = LOST * CCM_SIZE

    def lose_backup(self) -> None:
        """Forget what needs the cell."""
        self._backup[:] = LOST * BACKUP_SRAM_SIZE

    def place(self, address: int, size: int) -> _Place:
        """The memory that holds `size` bytes at `address`, and where in it; RigError when there is none."""
        for start, length, view in self._regions:
            if start <= address and address + size <= start + length:
                return view, address - start
        raise RigError(f"there is no memory of the controller at {address:#010x}")

    def ram(self, address: int, size: int) -> _Place | None:
        """The RAM that holds `size` bytes at `address`, and where in it; None when there is none."""
        offset = address - SRAM
        if 0 <= offset <= SRAM_SIZE - size:
            return self._sram, offset
        offset = address - CCM
        if 0 <= offset <= CCM_SIZE - size:
            return self._ccm, offset
        return None

    def held(self, variables: int, sp: int) -> tuple[memoryview, ...]:
        """Show what memory holds: so many bytes of variables in RAM, the stack from `sp` up, backup SRAM."""
        stack_from = min(max(sp - SRAM, variables), SRAM_SIZE)
        return self._sram[:variables], self._sram[stack_from:], self._backup

    def flash_digest(self) -> bytes:
        """Hash the flash; where it holds what it held the last time it is only compared, which is quicker."""
        held = bytes(self.flash)
        if held != self._flash_seen:
            self._flash_seen, self._flash_digest = held, hashlib.blake2b(held, digest_size=16).digest()
        return self._flash_digest

    def word(self, address: int) -> int:
        """The word at `address`."""
        view, offset = self.place(address, 4)
        return int.from_bytes(view[offset : offset + 4], "little")

    def halfword(self, address: int) -> int:
        """The halfword at `address`, 0 where there is no memory."""
        offset = address - FLASH
        if 0 <= offset < FLASH_SIZE:
            return self.flash[offset] | self.flash[offset + 1] << 8
        place = self.ram(address, 2)
        return 0 if place is None else place[0][place[1]] | place[0][place[1] + 1] << 8

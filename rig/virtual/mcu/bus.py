"""The bus: which peripheral a written address belongs to, and its value when less than a word is written.

Not responsible for reads: most registers are read as memory, without a call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from rig.errors import RigError
from rig.virtual.mcu.engine import Engine
from rig.virtual.mcu.peripheral import Peripheral

BLOCK = 0x400
"""Each peripheral has a 1 KB block of addresses (RM0090, table 1)."""
PAGE = 0x1000

_PERIPHERALS = (  # bit bands, APB1, APB2, AHB1, AHB2, FSMC, private peripheral bus
    (0x22000000, 0x23FFFFFF),
    (0x42000000, 0x43FFFFFF),
    (0x40000000, 0x40007FFF),
    (0x40010000, 0x40014BFF),
    (0x40020000, 0x4007FFFF),
    (0x50000000, 0x50060BFF),
    (0xA0000000, 0xA0000FFF),
    (0xE0000000, 0xE00FFFFF),
)


class Readable(Peripheral, Protocol):
    """A peripheral whose reads have effects."""

    def read(self, offset: int) -> int:
        """Read the register at byte `offset`."""
        ...


class Bus:
    """Peripheral addresses; `after_write` runs when the core has written anything."""

    def __init__(self, engine: Engine, after_write: Callable[[], None]) -> None:
        self._engine = engine
        self._after_write = after_write
        self._blocks: dict[int, Peripheral] = {}
        self._pages: dict[int, memoryview] = {}
        self.unclaimed: Callable[[int, int, int], bool] = lambda _address, _size, _value: False

    def words(self, address: int) -> memoryview:
        """The words of the block at `address`, which the core reads as memory."""
        page = address & -PAGE
        if page not in self._pages:
            self._pages[page] = self._engine.map_registers(page, PAGE)
        offset = address - page
        return self._pages[page][offset : offset + BLOCK].cast("I")

    def attach(self, address: int, peripheral: Peripheral) -> None:
        """Send what is written to the block at `address` to a peripheral."""
        self._blocks[address // BLOCK] = peripheral

    def attach_readable(self, address: int, peripheral: Readable) -> None:
        """Send reads and writes of the page at `address`, of which it fills the first block, to a peripheral."""
        self._blocks[address // BLOCK] = peripheral
        self._engine.map_calls(address, PAGE, self._read, self.write)

    def _read(self, address: int, size: int) -> int:
        peripheral = self._blocks.get(address // BLOCK)
        if peripheral is None:
            raise not_modelled(address)
        offset = address % BLOCK
        word: int = peripheral.read(offset & ~3)  # type: ignore[attr-defined]  # only Readable ones are mapped so
        return word >> 8 * (offset & 3) & (1 << 8 * size) - 1

    def shown(self, address: int, size: int) -> bytes | None:
        """What registers hold that a read leaves as they are, such as a debugger's; None where there are none."""
        page = self._pages.get(address & -PAGE)
        offset = address % PAGE
        if page is None or offset + size > PAGE or address // BLOCK not in self._blocks:
            return None
        return bytes(page[offset : offset + size])

    def write(self, address: int, size: int, value: int) -> None:
        """Do what the core's store does."""
        peripheral = self._blocks.get(address // BLOCK)
        if peripheral is None:
            if not self.unclaimed(address, size, value):
                raise not_modelled(address)
            return
        if not peripheral.clocked:
            return
        offset = address % BLOCK
        if size != 4:
            shift = 8 * (offset & 3)
            mask = (1 << 8 * size) - 1 << shift
            offset &= ~3
            value = peripheral.words[offset >> 2] & ~mask | value << shift & mask
        peripheral.write(offset, value)
        self._after_write()


def is_peripheral(address: int) -> bool:
    """Whether the chip has a peripheral at an address, modelled or not (RM0090, table 1)."""
    return any(first <= address <= last for first, last in _PERIPHERALS)


def not_modelled(address: int) -> RigError:
    """The error for a peripheral that the chip has and the model has not."""
    return RigError(f"the firmware used the peripheral register {address:#010x}, which the emulated controller lacks")

"""What a debug probe reaches of the controller: its core is halted and released, registers and memory read and written.

Fulfils `rig.virtual.signals.DebugPort`. Not responsible for words on a wire, nor for breakpoints: the core has none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rig.errors import RigError
from rig.virtual.mcu.registers import XPSR

if TYPE_CHECKING:
    from rig.virtual.mcu.chip import Chip
    from rig.virtual.mcu.core import Stm32F405
    from rig.virtual.mcu.processor import Processor

REGISTERS = (*(f"r{number}" for number in range(13)), "sp", "lr", "pc", "xpsr")
"""In the order of their numbers in the Cortex-M's debug register selector (DDI 0403E, C1.6.3)."""
_FLAGS = 0xF0000000
"""N, Z, C and V of xPSR: what else it holds stays as it is when it is written."""


class CoreDebug:
    """The debug port of one controller."""

    def __init__(self, core: Stm32F405, chip: Chip, processor: Processor) -> None:
        self._core, self._chip, self._processor = core, chip, processor

    @property
    def held(self) -> bool:
        """Whether the core is halted."""
        return self._core.held

    def hold(self) -> None:
        """Halt the core; RigError where the controller has no power."""
        self._refuse_unpowered()
        self._core.hold()

    def release(self) -> None:
        """Let it go on."""
        self._core.release()

    def reset(self) -> None:
        """Reset the controller as by its pin; it runs afterwards. RigError where it has no power."""
        self._refuse_unpowered()
        self._core.reset()

    def read_memory(self, address: int, size: int) -> bytes:
        """Read memory, or registers of peripherals; RigError where there is nothing."""
        self._refuse_unpowered()
        shown = self._chip.bus.shown(address, size)
        if shown is not None:
            self._chip.refresh()
            return self._chip.bus.shown(address, size) or b""
        return self._core.read_memory(address, size)

    def write_memory(self, address: int, data: bytes) -> None:
        """Write memory, flash too as a bit that flips does, or a register of a peripheral; RigError elsewhere."""
        self._refuse_unpowered()
        if self._chip.bus.shown(address, len(data)) is not None:
            if len(data) not in (1, 2, 4) or address % len(data):
                raise RigError(f"a register of a peripheral is written as 1, 2 or 4 octets, got {len(data)}")
            self._chip.bus.write(address, len(data), int.from_bytes(data, "little"))
            self._core.freeze_watchdog()
            return
        self._core.write_memory(address, data)

    def read_register(self, name: str) -> int:
        """Read a register of the core, one of `REGISTERS`; RigError while the core runs."""
        self._refuse_running(name)
        if name == "pc":
            return self._processor.pc
        registers = self._chip.engine.registers
        if name == "xpsr":
            registers.read()
            value: int = registers.values[XPSR]
            return value
        return registers.get(name)

    def write_register(self, name: str, value: int) -> None:
        """Write a register of the core; of xPSR only the flags change. RigError while the core runs."""
        self._refuse_running(name)
        registers = self._chip.engine.registers
        if name == "pc":
            self._processor.pc = value & ~1
            registers.set("pc", value & ~1)
        elif name == "xpsr":
            registers.set("apsr", value & _FLAGS)
        else:
            registers.set(name, value)
        registers.read()

    def _refuse_unpowered(self) -> None:
        if not self._core.powered:
            raise RigError("the controller has no power")

    def _refuse_running(self, name: str) -> None:
        self._refuse_unpowered()
        if not self._core.held:
            raise RigError(f"the core runs: {name} is told while it is halted")
        if name not in REGISTERS:
            raise RigError(f"the core has no register {name!r}: there are {', '.join(REGISTERS)}")

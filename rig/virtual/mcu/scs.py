"""The system control space at 0xE000E000: NVIC, SCB and SysTick as registers (ARMv7-M ARM DDI 0403E, B3.2 to B3.4).

Not responsible for what an exception does, only for what software says about it.
"""

from __future__ import annotations

from rig.errors import RigError
from rig.virtual.mcu.nvic import (
    BUS_FAULT,
    EXCEPTIONS,
    MEMORY_FAULT,
    NMI,
    PENDSV,
    SYSTICK,
    USAGE_FAULT,
    Nvic,
)
from rig.virtual.mcu.systick import SysTick

ISER, ICER, ISPR, ICPR, IABR, IPR, IPR_END = 0x100, 0x180, 0x200, 0x280, 0x300, 0x400, 0x4F0
CPUID, ICSR, VTOR, AIRCR, SCR, CCR, SHPR1, SHCSR = 0xD00, 0xD04, 0xD08, 0xD0C, 0xD10, 0xD14, 0xD18, 0xD24
CFSR, HFSR, DFSR, MMFAR, BFAR, CPACR, DEMCR, STIR = 0xD28, 0xD2C, 0xD30, 0xD34, 0xD38, 0xD88, 0xDFC, 0xF00
SLEEPONEXIT, SLEEPDEEP = 2, 4
_SHCSR_ENABLES = {16: MEMORY_FAULT, 17: BUS_FAULT, 18: USAGE_FAULT}
_IRQ_MASK = (1 << EXCEPTIONS) - 1 & ~0xFFFF


class SystemControl:
    """The registers.

    Attributes:
        vtor: address of the vector table.
        reset_asked: software wrote SYSRESETREQ.
        cfsr, hfsr, fault_address: what the last fault was.
    """

    def __init__(self, nvic: Nvic, systick: SysTick) -> None:
        self._nvic = nvic
        self._systick = systick
        self.reset()

    def reset(self) -> None:
        """Take reset values."""
        self.vtor = self.scr = self.cfsr = self.hfsr = self.fault_address = self._demcr = self._shcsr = 0
        self._ccr = 0x200
        self._prigroup = 0
        self.reset_asked = False

    # ---- reading -------------------------------------------------------------------------------------------

    def read(self, offset: int, size: int) -> int:
        """Read `size` bytes."""
        word = self._read_word(offset & ~3)
        return word >> 8 * (offset & 3) & (1 << 8 * size) - 1

    def _read_word(self, offset: int) -> int:
        nvic = self._nvic
        if 0x10 <= offset < 0x20:
            return self._systick.read(offset)
        if ISER <= offset < IPR:
            bank = offset & 0x380
            bits = {ISER: nvic.enabled, ICER: nvic.enabled, ISPR: nvic.pending, ICPR: nvic.pending}.get(bank)
            if bits is None:
                bits = sum(1 << number for number in nvic.active)
            return bits >> 16 + 8 * (offset & 0x7C) & 0xFFFFFFFF
        if IPR <= offset < IPR_END:
            return self._priorities(16 + offset - IPR)
        if SHPR1 <= offset < SHCSR:
            return self._priorities(4 + offset - SHPR1)
        if offset == ICSR:
            return self._read_icsr()
        return {
            0x004: (EXCEPTIONS - 16 - 1) // 32,  # ICTR
            CPUID: 0x410FC241,  # Cortex-M4 r0p1 (PM0214, 4.4.2)
            VTOR: self.vtor,
            AIRCR: 0xFA050000 | self._prigroup << 8,
            SCR: self.scr,
            CCR: self._ccr,
            SHCSR: self._read_shcsr(),
            CFSR: self.cfsr,
            HFSR: self.hfsr,
            MMFAR: self.fault_address,
            BFAR: self.fault_address,
            DEMCR: self._demcr,
        }.get(offset, 0)

    def _priorities(self, first: int) -> int:
        levels = [self._nvic.priority[n] & 0xFF if 4 <= n < EXCEPTIONS else 0 for n in range(first, first + 4)]
        return int.from_bytes(bytes(levels), "little")

    def _read_icsr(self) -> int:
        nvic = self._nvic
        active = nvic.active[-1] if nvic.active else 0
        value = active | nvic.candidate() << 12
        value |= (len(nvic.active) <= 1) << 11  # RETTOBASE
        value |= bool(nvic.pending & _IRQ_MASK) << 22
        value |= bool(nvic.pending >> SYSTICK & 1) << 26 | bool(nvic.pending >> PENDSV & 1) << 28
        return value | bool(nvic.pending >> NMI & 1) << 31

    def _read_shcsr(self) -> int:
        active = self._nvic.active
        value = self._shcsr
        for bit, number in ((0, MEMORY_FAULT), (1, BUS_FAULT), (3, USAGE_FAULT), (7, 11), (10, PENDSV), (11, SYSTICK)):
            value |= (number in active) << bit
        return value

    # ---- writing -------------------------------------------------------------------------------------------

    def write(self, offset: int, size: int, value: int) -> None:
        """Write `size` bytes."""
        value &= (1 << 8 * size) - 1
        if IPR <= offset < IPR_END:
            self._write_priorities(16 + offset - IPR, size, value)
        elif SHPR1 <= offset < SHCSR:
            self._write_priorities(4 + offset - SHPR1, size, value)
        elif 0x10 <= offset < 0x20:
            self._systick.write(offset, value)
        elif ISER <= offset < IPR:
            self._write_bank(offset, value)
        else:
            self._write_control(offset, value)

    def _write_bank(self, offset: int, value: int) -> None:
        nvic = self._nvic
        bits = value << 16 + 8 * (offset & 0x7C) & _IRQ_MASK
        bank = offset & 0x380
        if bank == ISER:
            nvic.enabled |= bits
        elif bank == ICER:
            nvic.enabled &= ~bits
        elif bank == ISPR:
            nvic.pending |= bits
        elif bank == ICPR:
            active = sum(1 << number for number in nvic.active)
            nvic.pending &= ~bits | nvic.lines & ~active  # a line that is high pends again at once (B3.4.1)

    def _write_priorities(self, first: int, size: int, value: int) -> None:
        for index in range(size):
            if 4 <= first + index < EXCEPTIONS:
                self._nvic.set_priority(first + index, value >> 8 * index & 0xFF)

    def _write_control(self, offset: int, value: int) -> None:
        nvic = self._nvic
        if offset == ICSR:
            for bit, number, sets in (
                (31, NMI, 1),
                (28, PENDSV, 1),
                (27, PENDSV, 0),
                (26, SYSTICK, 1),
                (25, SYSTICK, 0),
            ):
                if value >> bit & 1:
                    nvic.pending = nvic.pending | 1 << number if sets else nvic.pending & ~(1 << number)
        elif offset == VTOR:
            self.vtor = value & 0x3FFFFF80
        elif offset == AIRCR:
            if value >> 16 == 0x05FA:
                self._prigroup = value >> 8 & 7
                nvic.group_mask = 0xFF << self._prigroup + 1 & 0xF0
                self.reset_asked = self.reset_asked or bool(value & 4)
        elif offset == SCR:
            self.scr = value & 0x16
        elif offset == CCR:
            self._ccr = value & 0x31B
        elif offset == SHCSR:
            self._shcsr = value & 0x70000
            for bit, number in _SHCSR_ENABLES.items():
                enable = value >> bit & 1
                nvic.enabled = nvic.enabled | 1 << number if enable else nvic.enabled & ~(1 << number)
        elif offset == CFSR:
            self.cfsr &= ~value
        elif offset == HFSR:
            self.hfsr &= ~value
        elif offset == CPACR:
            if value & 0xF00000:
                raise RigError("the firmware enabled the floating-point unit, which the model does not have")
        elif offset == DEMCR:
            self._demcr = value
        elif offset == STIR:
            nvic.pending |= 1 << 16 + (value & 0x1FF) & _IRQ_MASK

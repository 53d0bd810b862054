"""Exception entry and return: stacking registers and branching to vectors (ARMv7-M ARM DDI 0403E, B1.5.6 to B1.5.8).

Not responsible for choosing the exception (nvic) nor for the floating-point frame, since there is no FPU.
"""

from __future__ import annotations

import struct

from rig.virtual.mcu.memory import Memory
from rig.virtual.mcu.nvic import NMI, Nvic
from rig.virtual.mcu.registers import CONTROL, FAULTMASK, PC, SP, XPSR, XPSR_T, Registers

_FRAME = struct.Struct("<8I")
_RETURN_HANDLER, _RETURN_THREAD_MAIN, _RETURN_THREAD_PROCESS = 0xFFFFFFF1, 0xFFFFFFF9, 0xFFFFFFFD
_XPSR_ALIGN, _XPSR_EXCEPTION = 1 << 9, 0x1FF


class StackError(Exception):
    """The stack pointer does not point to RAM, or a return is not a legal one."""


class Exceptions:
    """Takes exceptions and returns from them; the registers' snapshot must be fresh each time."""

    def __init__(self, registers: Registers, memory: Memory, nvic: Nvic) -> None:
        self._registers = registers
        self._memory = memory
        self._nvic = nvic

    def enter(self, exception: int, pc: int, vector_table: int) -> int:
        """Stack the frame with return address `pc` and begin handling; returns the handler's address.

        Raises:
            StackError: the frame does not fit into RAM.
        """
        values = self._registers.values
        xpsr, sp = values[XPSR], values[SP]
        bottom = (sp & ~7) - 32
        place = self._memory.ram(bottom, 32)
        if place is None:
            raise StackError(f"the stack pointer {sp:#010x} is not in RAM")
        stacked = xpsr & ~_XPSR_ALIGN | (_XPSR_ALIGN if sp & 4 else 0)
        _FRAME.pack_into(place[0], place[1], *values[:PC], pc, stacked)
        thread = _RETURN_THREAD_PROCESS if values[CONTROL] & 2 else _RETURN_THREAD_MAIN
        link = _RETURN_HANDLER if xpsr & _XPSR_EXCEPTION else thread
        # The IT bits (26:25, 15:10) belong to the interrupted code: a handler starts outside an IT block.
        self._registers.enter_handler(bottom, link, xpsr & 0xF80F0000 | XPSR_T | exception)
        self._nvic.enter(exception)
        return self._memory.word(vector_table + 4 * exception) & ~1

    def leave(self, exc_return: int) -> int:
        """Unstack the frame that `exc_return` names and end handling; returns the address to go on at.

        Raises:
            StackError: it is no legal return, or the frame is not in RAM.
        """
        registers, nvic = self._registers, self._nvic
        values = registers.values
        if not nvic.active or exc_return not in (_RETURN_HANDLER, _RETURN_THREAD_MAIN, _RETURN_THREAD_PROCESS):
            raise StackError(f"{exc_return:#010x} is not a legal exception return here")
        process = exc_return == _RETURN_THREAD_PROCESS
        sp = registers.process_sp() if process else values[SP]
        place = self._memory.ram(sp, 32)
        if place is None:
            raise StackError(f"the stack pointer {sp:#010x} is not in RAM")
        frame: tuple[int, ...] = _FRAME.unpack_from(place[0], place[1])
        if (exc_return == _RETURN_HANDLER) != bool(frame[7] & _XPSR_EXCEPTION):
            raise StackError(f"the stacked xpsr {frame[7]:#010x} does not fit the return {exc_return:#010x}")
        above = sp + (36 if frame[7] & _XPSR_ALIGN else 32)
        exception = values[XPSR] & _XPSR_EXCEPTION
        if exc_return != _RETURN_HANDLER and bool(values[CONTROL] & 2) != process:
            registers.set_control(values[CONTROL] & 1 | (2 if process else 0))
        if values[FAULTMASK] and exception != NMI:
            registers.set_faultmask(0)
        registers.leave_handler(frame, frame[7] & ~_XPSR_ALIGN, above)
        nvic.leave(exception)
        return frame[6] & ~1

"""The instruction engine: a Cortex-M4 without peripherals, on Unicorn.

Memory is shared with the host, so reading and writing it from Python costs nothing. Register blocks are memory that the
core may read but not write: a read runs at full speed, a write calls back. Measured, one start and stop of the engine
takes 1 µs, a written register 1.3 µs. Not responsible for exceptions, time or the meaning of any register.
"""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Any

from rig.virtual.mcu.binding import (
    HOOK_CODE_CFUNC,
    HOOK_MEM_INVALID_CFUNC,
    MMIO_READ_CFUNC,
    MMIO_WRITE_CFUNC,
    api,
    arm_const,
    uclib,
    unicorn,
)
from rig.virtual.mcu.registers import Registers

_Callback = Any  # a ctypes function pointer: its class has no public name

WriteCallback = Callable[[int, int, int], None]
"""(address, size in bytes, value)"""
ReadCallback = Callable[[int, int], int]
"""(address, size in bytes) -> value"""


EXC_RETURN_MIN = 0xFFFFFFE0
"""Branch targets from here on end an exception (ARMv7-M ARM, B1.5.8)."""


class Status(IntEnum):
    """Why the engine stopped: Unicorn's error numbers."""

    OK = unicorn.UC_ERR_OK
    READ_UNMAPPED = unicorn.UC_ERR_READ_UNMAPPED
    WRITE_UNMAPPED = unicorn.UC_ERR_WRITE_UNMAPPED
    FETCH_UNMAPPED = unicorn.UC_ERR_FETCH_UNMAPPED
    WRITE_PROT = unicorn.UC_ERR_WRITE_PROT
    FETCH_PROT = unicorn.UC_ERR_FETCH_PROT
    INSN_INVALID = unicorn.UC_ERR_INSN_INVALID
    EXCEPTION = unicorn.UC_ERR_EXCEPTION


class Engine:
    """A Cortex-M4 core with its memory map; one per microcontroller, any number in a process.

    Attributes:
        registers: the core registers.
        error: an exception raised by a callback; the engine has stopped because of it.
        reached: whether a watched address was reached; whoever looks clears it.
        bad_address: the address of the last access to where nothing is mapped.
    """

    def __init__(self) -> None:
        uc = api.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        uc.ctl_set_cpu_model(arm_const.UC_CPU_ARM_CORTEX_M4)
        self._uc = uc
        self._handle: Any = uc._uch
        self._start: Any = uclib.uc_emu_start
        self._stop: Any = uclib.uc_emu_stop
        self._keep: list[Any] = []  # what C code points into must outlive this engine
        self.error: BaseException | None = None
        self.reached = False
        self.bad_address = 0
        self._stopped_at = -1
        self._completing = self._skips_write = self._counted = False
        self._counter = ctypes.c_size_t()
        self.registers = Registers(self._handle)
        self._watch_bad_accesses()

    # ---- memory --------------------------------------------------------------------------------------------

    def _host_memory(self, size: int) -> tuple[memoryview, int]:
        # Page-aligned, as the translator wants it; private, so that a process that forks does not share its memory.
        block = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        pin = ctypes.c_char.from_buffer(block)
        self._keep += [block, pin]
        return memoryview(block), ctypes.addressof(pin)

    def map_ram(self, address: int, size: int) -> memoryview:
        """Map memory that the core reads, writes and executes; returns its bytes."""
        view, pointer = self._host_memory(size)
        self._uc.mem_map_ptr(address, size, unicorn.UC_PROT_ALL, pointer)
        return view

    def map_rom(self, address: int, size: int, *, alias: int | None = None) -> memoryview:
        """Map memory that the core reads and executes, also at `alias`; what it writes goes to `hook_writes`."""
        view, pointer = self._host_memory(size)
        for at in [address] if alias is None else [address, alias]:
            self._uc.mem_map_ptr(at, size, unicorn.UC_PROT_ALL, pointer)
            # Only protecting after mapping makes the translator discard what the core writes.
            self._uc.mem_protect(at, size, unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC)
        return view

    def map_registers(self, address: int, size: int) -> memoryview:
        """Map registers that the core reads as memory; what it writes goes to `hook_writes` and nowhere else."""
        view, pointer = self._host_memory(size)
        self._uc.mem_map_ptr(address, size, unicorn.UC_PROT_READ | unicorn.UC_PROT_WRITE, pointer)
        self._uc.mem_protect(address, size, unicorn.UC_PROT_READ)
        return view

    def map_calls(self, address: int, size: int, read: ReadCallback, write: WriteCallback) -> None:
        """Map registers whose reads call back too, because a read has effects."""

        def on_read(_handle: int, offset: int, width: int, _user: int) -> int:
            try:
                return read(address + offset, width)
            except BaseException as error:
                self._fail(error)
                return 0

        def on_write(_handle: int, offset: int, width: int, value: int, _user: int) -> None:
            try:
                if not self._skips_write or self._takes_write():
                    write(address + offset, width, value)
            except BaseException as error:
                self._fail(error)

        callbacks = MMIO_READ_CFUNC(on_read), MMIO_WRITE_CFUNC(on_write)
        self._keep.append(callbacks)
        self._check(
            uclib.uc_mmio_map(
                self._handle,
                address,
                size,
                ctypes.cast(callbacks[0], ctypes.c_void_p),
                None,
                ctypes.cast(callbacks[1], ctypes.c_void_p),
                None,
            )
        )

    def hook_writes(self, write: WriteCallback) -> None:
        """Call `write` for every store to memory mapped read-only, before the store's next instruction."""

        def on_write(_handle: int, _access: int, address: int, width: int, value: int, _user: int) -> bool:
            try:
                if not self._skips_write or self._takes_write():
                    write(address, width, value & 0xFFFFFFFF)
            except BaseException as error:
                self._fail(error)
            return True

        self._hook(unicorn.UC_HOOK_MEM_WRITE_PROT, HOOK_MEM_INVALID_CFUNC(on_write), 1, 0)  # 1 to 0 is everywhere

    def _watch_bad_accesses(self) -> None:
        def on_bad(_handle: int, _access: int, address: int, _width: int, _value: int, _user: int) -> bool:
            self.bad_address = address
            return False

        self._hook(unicorn.UC_HOOK_MEM_UNMAPPED, HOOK_MEM_INVALID_CFUNC(on_bad), 1, 0)

    def watch_code(self, addresses: Iterable[int]) -> None:
        """Set `reached` when the core is about to execute one of these addresses; many slow all code down."""

        def on_code(_handle: int, _address: int, _size: int, _user: int) -> None:
            self.reached = True

        callback = HOOK_CODE_CFUNC(on_code)
        for address in addresses:
            self._hook(unicorn.UC_HOOK_CODE, callback, address, address)

    def call_at_instruction(self, number: int, do: Callable[[], None]) -> None:
        """Call `do` once, before the instruction of this number from now on is executed; slow until then.

        Memory, and registers by `Registers`, may be changed by it.
        """
        left = number

        def on_code(_handle: int, _address: int, _size: int, _user: int) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                try:
                    do()
                except BaseException as error:
                    self._fail(error)
                self._counted = True

        self.forget_code()  # what is translated already calls nobody
        self._counter = self._hook(unicorn.UC_HOOK_CODE, HOOK_CODE_CFUNC(on_code), 1, 0)

    def _stop_counting(self) -> None:
        self._counted = False
        self._check(uclib.uc_hook_del(self._handle, self._counter))
        self.forget_code()

    def watch_first(self, addresses: Iterable[int], reached: Callable[[int], None]) -> None:
        """Call `reached` when the core is about to execute one of these addresses for the first time."""
        hooks: dict[int, ctypes.c_size_t] = {}

        def on_code(_handle: int, address: int, _size: int, _user: int) -> None:
            hook = hooks.pop(address, None)
            if hook is not None:  # it is taken away, so that code that runs often is not slowed down
                uclib.uc_hook_del(self._handle, hook)
                reached(address)

        callback = HOOK_CODE_CFUNC(on_code)
        for address in addresses:
            hooks[address] = self._hook(unicorn.UC_HOOK_CODE, callback, address, address)

    def _hook(self, kind: int, callback: _Callback, begin: int, end: int) -> ctypes.c_size_t:
        """Add a hook for the life of the engine; returns its handle."""
        self._keep.append(callback)
        hook = ctypes.c_size_t()
        bounds = ctypes.c_uint64(begin), ctypes.c_uint64(end)
        pointer = ctypes.cast(callback, ctypes.c_void_p)
        self._check(uclib.uc_hook_add(self._handle, ctypes.byref(hook), kind, pointer, None, *bounds))
        return hook

    def forget_code(self) -> None:
        """Translate all code anew: needed after the host changed memory that holds code."""
        self._uc.ctl_flush_tb()

    def set_writable(self, address: int, size: int, *, writable: bool) -> None:
        """Let the core write memory mapped by `map_registers`, or stop it; only while the engine is stopped."""
        self._uc.mem_protect(address, size, unicorn.UC_PROT_READ | (unicorn.UC_PROT_WRITE if writable else 0))

    # ---- running -------------------------------------------------------------------------------------------

    def run(self, pc: int, instructions: int) -> int:
        """Run Thumb code from `pc` until WFI, `stop`, an exception or the number of instructions; returns a `Status`.

        Raises:
            Exception: what a callback raised.
        """
        status: int = self._start(self._handle, pc | 1, 0, 0, instructions)
        if self._stopped_at >= 0:
            at, self._stopped_at = self._stopped_at, -1
            if not status and self.error is None and self.registers.pc() == at:
                status = self._complete(at)
        if self._counted:
            self._stop_counting()
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        return status

    def stop(self) -> None:
        """Stop after the present instruction; called from a callback of a store."""
        if not self._completing:
            self._stopped_at = self.registers.pc()
            self._stop(self._handle)

    def _complete(self, pc: int) -> int:
        """Finish the store that stopped the engine.

        Unicorn stops in the middle of a store that asks for it: memory is written, but a write-back of the address or
        the rest of a store multiple is not done, and the program counter stands on the store. So it is run once more,
        without its first write. (A stop in an IT block takes effect behind the block: nothing is left to finish.)
        """
        self._completing = self._skips_write = True
        try:
            status: int = self._start(self._handle, pc | 1, 0, 0, 1)
        finally:
            self._completing = self._skips_write = False
        return status

    def _takes_write(self) -> bool:
        if self._skips_write:
            self._skips_write = False
            return False
        return True

    def _fail(self, error: BaseException) -> None:
        if self.error is None:
            self.error = error
        self._stop(self._handle)

    def _check(self, status: int) -> None:
        if status:
            raise api.UcError(status)

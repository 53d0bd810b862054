"""The instruction engine: a Cortex-M4 without peripherals, on Unicorn, reached by its C interface.

Memory is shared with the host, so reading and writing it from Python costs nothing. Register blocks are memory that the
core may read but not write: a read runs at full speed, a write calls back. Measured, one start and stop of the engine
takes 1 µs, a written register 1.3 µs. Not responsible for exceptions, time or the meaning of any register.

Unicorn's own Python methods cost three times as much per call, hence the C functions here; its stub library handle
`uclib` is the one private name used, and only here.
"""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Any

from rig.errors import RigError

try:
    import unicorn
    from unicorn import arm_const
    from unicorn.unicorn_py3.unicorn import (
        HOOK_CODE_CFUNC,
        HOOK_MEM_INVALID_CFUNC,
        MMIO_READ_CFUNC,
        MMIO_WRITE_CFUNC,
        uclib,
    )
except ImportError as missing:
    raise RigError(
        "the emulated controller needs Unicorn, which is not installed: pip install 'insulin-pump-rig[virtual]'"
    ) from missing

_api: Any = unicorn  # its annotations are not strict

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


class _Batch:
    """A fixed list of core registers, read or written in one call; `values` holds them as unsigned words."""

    def __init__(self, register_ids: list[int]) -> None:
        count = len(register_ids)
        store = (ctypes.c_uint32 * count)()
        self.values: memoryview = memoryview(store).cast("B").cast("I")
        self._store = store
        self._ids = (ctypes.c_int32 * count)(*register_ids)
        width = ctypes.sizeof(ctypes.c_uint32)
        base = ctypes.addressof(store)
        self._pointers = (ctypes.c_void_p * count)(*[base + i * width for i in range(count)])
        self.arguments = (self._ids, self._pointers, count)


class Engine:
    """A Cortex-M4 core with its memory map; one per microcontroller, any number in a process.

    Attributes:
        error: an exception raised by a callback; the engine has stopped because of it.
        reached: whether a watched address was reached; whoever looks clears it.
        bad_address: the address of the last access to where nothing is mapped.
    """

    def __init__(self) -> None:
        uc = _api.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        uc.ctl_set_cpu_model(arm_const.UC_CPU_ARM_CORTEX_M4)
        self._uc = uc
        self._handle: Any = uc._uch
        self._start: Any = uclib.uc_emu_start
        self._stop: Any = uclib.uc_emu_stop
        self._read_batch: Any = uclib.uc_reg_read_batch
        self._write_batch: Any = uclib.uc_reg_write_batch
        self._keep: list[Any] = []  # what C code points into must outlive this engine
        self.error: BaseException | None = None
        self.reached = False
        self.bad_address = 0
        self._stopped_at = -1
        self._completing = self._skips_write = False
        a = arm_const
        frame = [a.UC_ARM_REG_R0, a.UC_ARM_REG_R1, a.UC_ARM_REG_R2, a.UC_ARM_REG_R3, a.UC_ARM_REG_R12, a.UC_ARM_REG_LR]
        # Writing XPSR does not tell the translator that handler mode began or ended; writing APSR_NZCV after it does.
        self._frame = _Batch([*frame, a.UC_ARM_REG_PC, a.UC_ARM_REG_XPSR, a.UC_ARM_REG_SP, a.UC_ARM_REG_CONTROL])
        self._enter = _Batch([a.UC_ARM_REG_SP, a.UC_ARM_REG_LR, a.UC_ARM_REG_XPSR, a.UC_ARM_REG_APSR_NZCV])
        self._leave = _Batch([*frame, a.UC_ARM_REG_XPSR, a.UC_ARM_REG_APSR_NZCV, a.UC_ARM_REG_SP])
        self._pc = _Batch([a.UC_ARM_REG_PC])
        self._masks = _Batch([a.UC_ARM_REG_PRIMASK, a.UC_ARM_REG_BASEPRI, a.UC_ARM_REG_FAULTMASK])
        self._control = _Batch([a.UC_ARM_REG_CONTROL])
        self._process_sp = _Batch([a.UC_ARM_REG_PSP])
        self._main_sp = _Batch([a.UC_ARM_REG_MSP])
        self._general = _Batch([a.UC_ARM_REG_R0 + n for n in range(13)])
        self._xpsr = _Batch([a.UC_ARM_REG_XPSR, a.UC_ARM_REG_APSR_NZCV])
        self._watch_bad_accesses()

    # ---- memory --------------------------------------------------------------------------------------------

    def _host_memory(self, size: int) -> tuple[memoryview, int]:
        block = mmap.mmap(-1, size)  # page-aligned, as the translator wants it
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

    def _hook(self, kind: int, callback: _Callback, begin: int, end: int) -> None:
        self._keep.append(callback)
        hook = ctypes.c_size_t()
        bounds = ctypes.c_uint64(begin), ctypes.c_uint64(end)
        pointer = ctypes.cast(callback, ctypes.c_void_p)
        self._check(uclib.uc_hook_add(self._handle, ctypes.byref(hook), kind, pointer, None, *bounds))

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
            if not status and self.error is None and self.pc() == at:
                status = self._complete(at)
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        return status

    def stop(self) -> None:
        """Stop after the present instruction; called from a callback of a store."""
        if not self._completing:
            self._stopped_at = self.pc()
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
            raise _api.UcError(status)

    # ---- registers -----------------------------------------------------------------------------------------

    def pc(self) -> int:
        """Get the program counter."""
        batch = self._pc
        self._read_batch(self._handle, *batch.arguments)
        value: int = batch.values[0]
        return value

    def masks(self) -> tuple[int, int, int]:
        """Get PRIMASK, BASEPRI and FAULTMASK."""
        batch = self._masks
        self._read_batch(self._handle, *batch.arguments)
        primask, basepri, faultmask = batch.values
        return primask, basepri, faultmask

    def set_masks(self, primask: int, basepri: int, faultmask: int) -> None:
        """Set PRIMASK, BASEPRI and FAULTMASK."""
        batch = self._masks
        batch.values[0], batch.values[1], batch.values[2] = primask, basepri, faultmask
        self._write_batch(self._handle, *batch.arguments)

    def read_frame(self) -> tuple[int, ...]:
        """Get r0–r3, r12, lr, pc, xpsr (the stacked frame's order), sp and CONTROL."""
        batch = self._frame
        self._read_batch(self._handle, *batch.arguments)
        return tuple(batch.values)

    def enter_handler(self, sp: int, lr: int, xpsr: int) -> None:
        """Set the stack that was in use, then lr and xpsr: handler mode begins, on the main stack."""
        batch = self._enter
        values = batch.values
        values[0], values[1], values[2], values[3] = sp, lr, xpsr, xpsr
        self._write_batch(self._handle, *batch.arguments)

    def leave_handler(self, frame: tuple[int, ...], sp: int) -> None:
        """Set r0–r3, r12, lr and xpsr from a stacked frame, then sp of the stack that xpsr and CONTROL select."""
        batch = self._leave
        values = batch.values
        values[0], values[1], values[2], values[3], values[4], values[5] = frame[:6]
        values[6] = values[7] = frame[7]
        values[8] = sp
        self._write_batch(self._handle, *batch.arguments)

    def general_registers(self) -> tuple[int, ...]:
        """Get r0 to r12."""
        self._read_batch(self._handle, *self._general.arguments)
        return tuple(self._general.values)

    def get_single(self, name: str) -> int:
        """Get `control`, `process_sp` or `main_sp`."""
        batch: _Batch = getattr(self, "_" + name)
        self._read_batch(self._handle, *batch.arguments)
        value: int = batch.values[0]
        return value

    def set_single(self, name: str, value: int) -> None:
        """Set `control`, `process_sp` or `main_sp`."""
        batch: _Batch = getattr(self, "_" + name)
        batch.values[0] = value
        self._write_batch(self._handle, *batch.arguments)

    def reset(self, sp: int) -> None:
        """Bring the core registers to their reset state: thread mode on the main stack, nothing masked."""
        for index in range(len(self._general.values)):
            self._general.values[index] = 0
        self._write_batch(self._handle, *self._general.arguments)
        self.set_single("control", 0)
        self._xpsr.values[0], self._xpsr.values[1] = 0x01000000, 0
        self._write_batch(self._handle, *self._xpsr.arguments)
        self.set_masks(0, 0, 0)
        self.set_single("process_sp", 0)
        self.enter_handler(sp, 0xFFFFFFFF, 0x01000000)

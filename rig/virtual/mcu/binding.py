"""Unicorn's C interface, and the one place that imports it.

Unicorn's own Python methods cost three times as much per call, hence its C functions; the library handle `uclib` is the
one private name used. Not responsible for anything but getting hold of it.
"""

from __future__ import annotations

import ctypes
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

__all__ = [
    "HOOK_CODE_CFUNC",
    "HOOK_MEM_INVALID_CFUNC",
    "MMIO_READ_CFUNC",
    "MMIO_WRITE_CFUNC",
    "RegisterBatch",
    "api",
    "arm_const",
    "uclib",
    "unicorn",
]

api: Any = unicorn  # its annotations are not strict


class RegisterBatch:
    """A fixed list of core registers, read or written in one call; `values` holds them as unsigned words."""

    def __init__(self, handle: object, register_ids: list[int]) -> None:
        count = len(register_ids)
        store = (ctypes.c_uint32 * count)()
        self.values: memoryview = memoryview(store).cast("B").cast("I")
        self._store = store
        ids = (ctypes.c_int32 * count)(*register_ids)
        base, width = ctypes.addressof(store), ctypes.sizeof(ctypes.c_uint32)
        pointers = (ctypes.c_void_p * count)(*[base + index * width for index in range(count)])
        self._arguments = (handle, ids, pointers, count)
        self._read: Any = uclib.uc_reg_read_batch
        self._write: Any = uclib.uc_reg_write_batch

    def read(self) -> None:
        """Fill `values` from the core."""
        self._read(*self._arguments)

    def write(self) -> None:
        """Give `values` to the core, in order."""
        self._write(*self._arguments)

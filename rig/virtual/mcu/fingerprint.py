"""The state of a controller as one hash: two controllers of one state behave alike from then on.

What counts is what can still have an effect: memory that is in use, and the registers of core and peripherals. RAM
between the variables and the stack's pointer does not, nor the CCM: no firmware of a heap-less pump reads there before
it has written. Not responsible for whatever the pins are wired to, nor for what has happened so far.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rig.virtual.mcu.chip import Chip

SP_AT = 13
"""Where the stack pointer stands in `Registers.held`."""
_HISTORY = frozenset({"heard_ns", "sent_ns"})
"""Attributes of peripherals that only tell what has been."""


def fingerprint(chip: Chip, variables: int, core: tuple[object, ...]) -> bytes:
    """Hash the state of a controller, in 16 bytes.

    Args:
        chip: its parts.
        variables: how many bytes of RAM the firmware's variables take.
        core: what else tells in which state the core is.
    """
    registers = chip.engine.registers.held()
    state = hashlib.blake2b(digest_size=16)
    for view in chip.memory.held(variables, registers[SP_AT]):
        state.update(view)
    state.update(chip.memory.flash_digest())
    state.update(repr((registers, core)).encode())
    for part in chip.parts:
        state.update(repr(list(_held(part))).encode())
    return state.digest()


def _held(part: object) -> Iterator[tuple[str, object]]:
    for name, value in vars(part).items():
        if isinstance(value, memoryview) and value.nbytes <= 0x400:  # a block of registers
            yield name, value.tobytes()
        elif name not in _HISTORY and isinstance(value, int | float | str | tuple | list | datetime.datetime | None):
            yield name, value

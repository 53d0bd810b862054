"""The firmware image for a machine that has no backup SRAM: the one in the repository, but for one address.

QEMU 7.2 shows 1 KiB of nothing at 0x40024000 and faults beyond, where an STM32F405 has 4 KiB of memory. Its SRAM goes
on to 0x2002FFFF where an STM32F405's ends at 0x2001FFFF, so the copy keeps its records at 0x20024000. Only the upper
half of the address changes, in the MOVT instructions that load it (Armv7-M Architecture Reference Manual, A7.7.76 and
A7.7.79); the image's CRC follows. Not responsible for running it.
"""

from __future__ import annotations

from pathlib import Path

from fixtures.controller.build import put_crc
from rig.errors import RigError

CONTROLLER = Path(__file__).parents[3] / "fixtures/controller/controller.elf"
_BACKUP, _STAND_IN = 0x4002_4000, 0x2002_4000
_BACKUP_SIZE = 0x1000
_MOVW, _MOVT, _OP_MASK = 0xF240, 0xF2C0, 0xFBF0
_REACH = 32
"""How many octets before a MOVT its MOVW may stand."""


def write_stand_in(image: Path) -> int:
    """Write the copy to `image`; returns how many instructions differ from the original.

    Raises:
        RigError: the original does not load the address of the backup SRAM as expected.
    """
    content = bytearray(CONTROLLER.read_bytes())
    places = _loads_of_backup(bytes(content))
    if not places:
        raise RigError(f"{CONTROLLER.name} nowhere loads the address of the backup SRAM by MOVW and MOVT")
    for place in places:
        content[place : place + 4] = _with_immediate(content[place : place + 4], _STAND_IN >> 16)
    image.write_bytes(content)
    put_crc(image)
    return len(places)


def _loads_of_backup(content: bytes) -> list[int]:
    """Find the MOVT instructions that complete an address within the backup SRAM."""
    lower: dict[int, tuple[int, int]] = {}
    places = []
    for place in range(0, len(content) - 3, 2):
        first, second = _halves(content[place : place + 4])
        if second & 0x8000:
            continue
        register = second >> 8 & 0xF
        if first & _OP_MASK == _MOVW:
            lower[register] = place, _immediate(first, second)
        elif first & _OP_MASK == _MOVT and register in lower:
            before, low = lower[register]
            address = _immediate(first, second) << 16 | low
            if place - before <= _REACH and _BACKUP <= address < _BACKUP + _BACKUP_SIZE:
                places.append(place)
    return places


def _halves(instruction: bytes | bytearray) -> tuple[int, int]:
    return int.from_bytes(instruction[:2], "little"), int.from_bytes(instruction[2:], "little")


def _immediate(first: int, second: int) -> int:
    """imm4:i:imm3:imm8 of encodings MOVW T3 and MOVT T1."""
    return (first & 0xF) << 12 | (first >> 10 & 1) << 11 | (second >> 12 & 7) << 8 | second & 0xFF


def _with_immediate(instruction: bytes | bytearray, value: int) -> bytes:
    first, second = _halves(instruction)
    first = first & ~0x040F | value >> 12 | (value >> 11 & 1) << 10
    second = second & ~0x70FF | (value >> 8 & 7) << 12 | value & 0xFF
    return first.to_bytes(2, "little") + second.to_bytes(2, "little")

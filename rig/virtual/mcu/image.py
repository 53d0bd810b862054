"""A firmware image: what an ELF file puts into memory, and the names in it.

Not responsible for running it.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

from rig.errors import RigError

try:
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile
    from elftools.elf.sections import SymbolTableSection
except ImportError as missing:
    raise RigError(
        "the emulated controller needs pyelftools, which is not installed: pip install 'insulin-pump-rig[virtual]'"
    ) from missing


@dataclass(frozen=True)
class Image:
    """Load address and bytes of each segment, address and size by symbol name, and what each takes where it runs."""

    segments: tuple[tuple[int, bytes], ...]
    symbols: dict[str, tuple[int, int]]
    runs_in: tuple[range, ...] = ()


def read_elf(data: bytes) -> Image:
    """Read an ELF file for a little-endian ARM; segments at their load (physical) address.

    Raises:
        RigError: it is no such file.
    """
    try:
        elf = ELFFile(io.BytesIO(data))
    except ELFError as error:
        raise RigError(f"the firmware image is not an ELF file: {error}") from error
    if elf["e_machine"] != "EM_ARM" or not elf.little_endian:
        raise RigError(f"the firmware image is for {elf['e_machine']}, not for a little-endian ARM")
    segments = tuple(
        (int(segment["p_paddr"]), bytes(segment.data()))
        for segment in elf.iter_segments()
        if segment["p_type"] == "PT_LOAD" and segment["p_filesz"]
    )
    if not segments:
        raise RigError("the firmware image has nothing to load")
    symbols = {
        symbol.name: (int(symbol["st_value"]), int(symbol["st_size"]))
        for table in elf.iter_sections()
        if isinstance(table, SymbolTableSection)
        for symbol in table.iter_symbols()
        if symbol.name
    }
    runs_in = tuple(
        range(int(segment["p_vaddr"]), int(segment["p_vaddr"]) + int(segment["p_memsz"]))
        for segment in elf.iter_segments()
        if segment["p_type"] == "PT_LOAD"
    )
    return Image(segments, symbols, runs_in)

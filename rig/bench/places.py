"""Places in the memory of a pump's controller: by name, from addresses and symbols of its firmware.

Not responsible for what lies there, nor for reaching it (`rig.roles.DebugProbe`).
"""

from __future__ import annotations

import difflib
import io
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from rig.bench.device_tables import ProbeTable
from rig.bench.setup_tables import VirtualTable
from rig.errors import BenchFileError
from rig.toml_files import read_file


def places_of(probe: ProbeTable, virtual: VirtualTable | None) -> dict[str, int]:
    """Find the address of each place that a bench file names.

    Raises:
        BenchFileError: a place is a symbol, and there is no firmware with symbols, or none of this name, or several.
    """
    if probe.symbols is None and virtual is not None:
        return _of_virtual(probe, virtual)
    if probe.symbols is None:
        for name, text in probe.places.items():
            if not text.startswith("0x"):
                raise BenchFileError(
                    f"probe.places.{name} is {text!r}, and probe.symbols is missing: name the firmware with its "
                    "symbols there, or write an address, such as 0x20000718"
                )
        return {name: _sum(text, {}, name) for name, text in probe.places.items()}
    symbols = _read(probe.symbols)
    return {name: _sum(text, symbols, name) for name, text in probe.places.items()}


def _of_virtual(probe: ProbeTable, virtual: VirtualTable) -> dict[str, int]:
    """Take what is known of the image that the simulated controller runs; one without symbols has fewer places."""
    if virtual.firmware is None:
        return {}
    try:
        symbols = _read(virtual.firmware)
    except BenchFileError:
        return {}  # whoever runs it says so
    known = {name: text for name, text in probe.places.items() if text.startswith("0x") or _symbol(text) in symbols}
    return {name: _sum(text, symbols, name) for name, text in known.items()}


def _symbol(text: str) -> str:
    return text.partition("+")[0]


def _sum(text: str, symbols: Mapping[str, set[int]], name: str) -> int:
    where, _, offset = text.partition("+")
    if where.startswith("0x"):
        return int(where, 16) + int(offset or "0", 0)
    addresses = symbols.get(where, set())
    if len(addresses) != 1:
        near = difflib.get_close_matches(where, symbols, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "was it built with its symbols?"
        if addresses:
            hint = f"write the source file before it, such as 'main.c:{where}'"
        what = f"stands for {len(addresses)} addresses of the firmware" if addresses else "is no symbol of the firmware"
        raise BenchFileError(f"probe.places.{name} is {text!r}: {where!r} {what}; {hint}")
    return min(addresses) + int(offset or "0", 0)


def _read(path: Path) -> Mapping[str, set[int]]:
    """Read the addresses of each symbol of an ELF file."""
    try:
        return _symbols_in(read_file(path))
    except ValueError as error:
        raise BenchFileError(f"probe.symbols: {path} is no ELF file: {error}") from error


@lru_cache(maxsize=2)
def _symbols_in(data: bytes) -> Mapping[str, set[int]]:
    """Read an ELF file, once: it takes 20 ms, and each test opens its bench. ValueError where it is none."""
    try:
        from elftools.common.exceptions import ELFError
        from elftools.elf.elffile import ELFFile
        from elftools.elf.sections import SymbolTableSection
    except ImportError as missing:
        raise BenchFileError(
            "probe.symbols needs pyelftools, which is not installed: pip install 'insulin-pump-rig[probe]'"
        ) from missing
    try:
        elf = ELFFile(io.BytesIO(data))
        tables = [section for section in elf.iter_sections() if isinstance(section, SymbolTableSection)]
        symbols: dict[str, set[int]] = {}
        source = ""
        for symbol in (each for table in tables for each in table.iter_symbols() if each.name):
            if symbol["st_info"]["type"] == "STT_FILE":  # those of this file, which others do not see, come behind it
                source = symbol.name
                continue
            for name in (symbol.name, f"{source}:{symbol.name}"):
                symbols.setdefault(name, set()).add(int(symbol["st_value"]))
    except ELFError as error:
        raise ValueError(str(error)) from error
    return symbols

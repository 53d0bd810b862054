"""The catalogue of faults: a TOML file, read and checked.

Not responsible for what stands in one entry (`fault`).
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rig.errors import BenchFileError
from rig.faults.fault import Injection, NotProvoked, PumpFault
from rig.pump_sheet.placeholders import filled_where_stated
from rig.pump_sheet.sheet import PumpSheet
from rig.shipped import DEFAULT_FAULTS, shipped
from rig.toml_files import parse_toml, read_file, refuse_twice, validated


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    fault: tuple[PumpFault, ...] = Field(min_length=1)
    not_provoked: tuple[NotProvoked, ...] = ()

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        refuse_twice("id", [*(fault.id for fault in self.fault), *(each.id for each in self.not_provoked)])
        return self


@dataclass(frozen=True)
class Catalogue:
    """Faults by id in the file's order, and those that are not provoked, with the reason."""

    faults: dict[str, PumpFault]
    not_provoked: tuple[NotProvoked, ...]

    @property
    def injections(self) -> dict[str, Injection]:
        """Every way to provoke every fault, by its name."""
        return {each.name: each for fault in self.faults.values() for each in fault.injections}

    def injection(self, name: str) -> Injection:
        """Look up a fault with the way to provoke it, such as "F14" or "F33 hot"; BenchFileError with the nearest."""
        known = self.injections
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
            raise BenchFileError(f"the catalogue of faults has no {name!r}; {hint}")
        return known[name]


def parse_faults(path: Path, data: bytes, sheet: PumpSheet | None = None) -> Catalogue:
    """Parse what a catalogue of faults holds.

    Args:
        path: the file, for sentences about it.
        data: its bytes.
        sheet: puts the claims in the place of placeholders, which stay as they are without one.

    Raises:
        BenchFileError: one sentence with file, key, what was found and what is allowed.
    """
    content = parse_toml(path, data)
    if sheet is not None:
        content = filled_where_stated(content, sheet, path, in_words=False)
    file = validated(path, content, _File)
    return Catalogue({fault.id: fault for fault in file.fault}, file.not_provoked)


def read_faults(path: Path) -> Catalogue:
    """Read a catalogue of faults; as `parse_faults`, and BenchFileError when it cannot be read."""
    return parse_faults(path, read_file(path))


@cache
def shipped_faults() -> Catalogue:
    """Read the catalogue that comes with the rig, once: like the code, it does not change while a program runs."""
    return read_faults(shipped(DEFAULT_FAULTS))

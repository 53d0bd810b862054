"""The hazards that requirements stand against, by id: a catalogue of its own.

How severe or likely a hazard is stands nowhere here: that is for the maker of a pump to say. Not responsible for what
comes of the requirements (`reports.traceability`).
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rig.errors import BenchFileError
from rig.toml_files import parse_toml, read_file, refuse_twice, validated
from rig.verdicts.requirements import Requirement

HAZARDS = "hazards.toml"
"""The file's name, beside the requirements that name its hazards and among the inputs of a run."""
_Sentence = Annotated[str, Field(pattern=r"\S", max_length=300)]


class Hazard(BaseModel):
    """A hazard: its id, what it is, where it was taken from.

    Attributes:
        not_covered: why no requirement stands against it, where that is known; None of any other.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[A-Z][A-Za-z0-9.-]*$", max_length=40)
    text: _Sentence
    source: _Sentence
    not_covered: _Sentence | None = None


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    hazard: tuple[Hazard, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        refuse_twice("id", (each.id for each in self.hazard))
        return self


def parse_hazards(path: Path, data: bytes) -> dict[str, Hazard]:
    """Parse a catalogue of hazards into hazards by id, in the file's order.

    Raises:
        BenchFileError: one sentence with file, key, what was found and what is allowed.
    """
    return {each.id: each for each in validated(path, parse_toml(path, data), _File).hazard}


def read_hazards(path: Path) -> dict[str, Hazard]:
    """Read a catalogue of hazards; as `parse_hazards`, and BenchFileError when it cannot be read."""
    return parse_hazards(path, read_file(path))


def hazards_beside(requirements: Path, own: Path) -> Path:
    """Choose the catalogue for a requirements file: the one that lies beside it, else the rig's own."""
    beside = requirements.with_name(HAZARDS)
    return beside if beside.is_file() else own


def refuse_unknown_hazards(path: Path, hazards: Mapping[str, Hazard], requirements: Iterable[Requirement]) -> None:
    """Refuse requirements that name a hazard which the catalogue does not hold.

    Args:
        path: the requirements file.
        hazards: by id.
        requirements: those of the file.

    Raises:
        BenchFileError: one sentence with the requirement, the id, and the nearest or all that there are.
    """
    for requirement in requirements:
        for name in requirement.hazards:
            if name not in hazards:
                raise BenchFileError(
                    f"{path}: {requirement.id}: hazards names {name!r}; {nearest_hazard(name, hazards)}"
                )


def nearest_hazard(name: str, known: Collection[str]) -> str:
    """Say which hazard may be meant by an id that is none."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known hazards are {', '.join(known)}"

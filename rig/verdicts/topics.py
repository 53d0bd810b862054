"""The topics that a verification of a pump has to cover, and which requirements stand for each: by their ids.

PR-D1.1 belongs to the topic PR-D1. Not responsible for what a run covers of them (`rig.run.coverage`).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rig.toml_files import parse_toml, read_file, refuse_twice, validated


class Topic(BaseModel):
    """Something that has to be verified: its id, what kind of topic it is, and what it asks in words.

    Attributes:
        shown_by: ids of requirements, or of families of them, that stand for it; by default its own id.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1)
    of: str = Field(min_length=1)
    text: str = Field(min_length=1)
    shown_by: tuple[str, ...] = ()

    def requirements(self, known: Iterable[str]) -> tuple[str, ...]:
        """List the requirements that stand for it, in their order."""
        stems = self.shown_by or (self.id,)
        return tuple(name for name in known if any(name == stem or name.startswith(f"{stem}.") for stem in stems))


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    topic: tuple[Topic, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        refuse_twice("id", (each.id for each in self.topic))
        return self


def read_topics(path: Path) -> tuple[Topic, ...]:
    """Read a file of topics; BenchFileError with file, key, what was found and what is allowed."""
    return validated(path, parse_toml(path, read_file(path)), _File).topic

"""For which readers a report is: a profile says which sections stand in it, and in which order.

Not responsible for the sections (`reports.parts`).
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from rig.errors import BenchFileError
from rig.toml_files import parse_toml, read_file, validated

EVERYBODY = "everybody"
PROFILES = Path(__file__).parent / "profiles"


class Profile(BaseModel):
    """A profile: `readers` in words, and the ids of sections in their order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    readers: str = Field(pattern=r"\S")
    sections: tuple[str, ...] = Field(min_length=1)


def profile_names() -> tuple[str, ...]:
    """List the profiles that come with the rig."""
    return tuple(sorted(path.stem for path in PROFILES.glob("*.toml")))


def read_reader_profile(name: str, house: Path | None = None) -> Profile:
    """Read a profile by its name: of the laboratory's own folder where it has one of it, else the rig's.

    Raises:
        BenchFileError: there is none of that name, or one of its keys is not allowed; one sentence.
    """
    own = house / f"{name}.toml" if house is not None else None
    path = own if own is not None and own.is_file() else PROFILES / f"{name}.toml"
    if name not in profile_names() and path != own:
        raise BenchFileError(f"--for {name}: there is no such profile; known are {', '.join(profile_names())}")
    profile = validated(path, parse_toml(path, read_file(path)), Profile)
    from reports.report_document import PARTS

    unknown = [each for each in profile.sections if each not in PARTS]
    if unknown:
        raise BenchFileError(f"{path}: sections has {unknown[0]!r}; allowed are {', '.join(PARTS)}")
    twice = [each for each in PARTS if profile.sections.count(each) > 1]
    if twice:
        raise BenchFileError(f"{path}: sections has {twice[0]!r} more than once; allowed is once")
    return profile

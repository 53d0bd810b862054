"""Where something stands in a maker's documents: the document, its revision, the page; and a maker's own hazards there.

Not responsible for the claims (`rig.pump_sheet.sheet`), nor for the catalogue of hazards that they belong to.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from rig.errors import BenchFileError
from rig.toml_files import validated

HAZARDS_TABLE = "hazards"
"""The table of a sheet that says what the maker's risk file calls the hazards."""


@dataclass(frozen=True)
class Citation:
    """A place in a document: its title, its revision, and the page or section; "" where none is named."""

    document: str
    revision: str
    place: str

    def __str__(self) -> str:
        return ", ".join(filter(None, [self.document, self.revision, self.place]))


@dataclass(frozen=True)
class MakersHazard:
    """A hazard of the maker's risk file.

    Attributes:
        hazard: the id in the catalogue of hazards that it belongs to.
        id: the maker's own.
        cited: where it stands.
        severity: in the maker's words; None where the sheet does not say.
    """

    hazard: str
    id: str
    cited: Citation
    severity: str | None = None


class HazardEntry(BaseModel):
    """An entry of `[hazards]` as it is written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"\S", max_length=100)
    source: str = Field(pattern=r"\S", max_length=300)
    severity: str | None = Field(default=None, pattern=r"\S", max_length=100)


def cite(path: Path, documents: Mapping[str, Any], what: str, written: str) -> Citation:
    """Take a source apart, such as "guide, p. 12".

    Args:
        path: the sheet.
        documents: its table of documents.
        what: whose source it is.
        written: the source.

    Raises:
        BenchFileError: it does not begin with the name of a document.
    """
    key, _, place = written.partition(",")
    if key.strip() not in documents:
        near = difflib.get_close_matches(key.strip(), documents, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(documents)}"
        raise BenchFileError(
            f"{path}: the source of {what} is {written!r}: it begins with the name of a document; {hint}"
        )
    document = documents[key.strip()]
    return Citation(document["title"], document["revision"], place.strip())


def refuse_placeless(path: Path, cited: Mapping[str, Citation | None]) -> None:
    """Refuse a sheet whose sources name no page: nobody finds a claim in a document of 400 pages.

    Args:
        path: the sheet.
        cited: by what is claimed, where it stands.

    Raises:
        BenchFileError: names the first.
    """
    for what, citation in cited.items():
        if citation is not None and not citation.place:
            raise BenchFileError(
                f"{path}: the source of {what} names {citation.document!r} and no page in it; write the page, "
                'section or heading behind a comma, such as source = "guide, p. 12"'
            )


def makers_hazards(path: Path, content: Mapping[str, Any]) -> tuple[MakersHazard, ...]:
    """Read what a maker calls the hazards from a sheet's content as it was written.

    Raises:
        BenchFileError: one sentence with file, key, what was found and what is allowed.
    """
    found = []
    for name, written in content.get(HAZARDS_TABLE, {}).items():
        where = f"{HAZARDS_TABLE}.{name}"
        entries = written if isinstance(written, list) else [written]
        if not entries or not all(isinstance(each, dict) for each in entries):
            raise BenchFileError(
                f"{path}: {where} is {written!r}: a table such as {{ id = 'HAZ-1', source = 'risk, p. 14' }}, or a "
                "list of them, is wanted"
            )
        for each in entries:
            entry = validated(f"{path}: {where}", each, HazardEntry)
            cited = cite(path, content["documents"], where, entry.source)
            found.append(MakersHazard(name, entry.id, cited, entry.severity))
    return tuple(found)


def stated_hazards(content: Mapping[str, Any]) -> tuple[MakersHazard, ...]:
    """Read the same from the content that a record keeps; none where it has other keys, as of another version."""
    try:
        return makers_hazards(Path("pump_sheet.toml"), content)
    except (BenchFileError, AttributeError, KeyError, TypeError):
        return ()

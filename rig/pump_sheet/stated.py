"""What a pump sheet states, as plain text for a reader: from its content as it was written, by whatever version.

Not responsible for checking any of it (`rig.pump_sheet.sheet`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

HEAD = ("documents", "hazards")
"""Tables of a sheet that hold no claims."""


class StatedClaim(NamedTuple):
    """A claim's name, its value as it was written, and the document, its revision and the place where it stands."""

    name: str
    value: str
    source: str


def stated_claims(content: Mapping[str, Any]) -> list[StatedClaim]:
    """List the claims of a sheet's content in its order."""
    found = []
    for table, claims in content.items():
        if table in HEAD or not isinstance(claims, Mapping):
            continue
        for key, written in claims.items():
            if key == "source":
                continue
            own = written if isinstance(written, Mapping) else {}
            value, source = own.get("value", written), own.get("source", claims.get("source", ""))
            found.append(StatedClaim(f"{table}.{key}", str(value), _with_revision(content, str(source))))
    return found


def _with_revision(content: Mapping[str, Any], source: str) -> str:
    key, _, place = source.partition(",")
    documents = content.get("documents")
    document = documents.get(key.strip()) if isinstance(documents, Mapping) else None
    if not isinstance(document, Mapping):
        return source
    return ", ".join(str(part) for part in (document.get("title"), document.get("revision"), place.strip()) if part)

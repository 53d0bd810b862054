"""What is worth knowing about a log beside its numbers: one sentence each, with the row it is about."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """A sentence about the data; `row` is the line in the file, None when it is about the whole."""

    kind: str
    sentence: str
    row: int | None = None

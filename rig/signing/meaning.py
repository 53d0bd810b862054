"""What a signature means, in which order the three are made, and who may not make two of them.

Not responsible for who is whom (`certificates`), nor for a laboratory's own list of roles (`laboratory`).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum


class Meaning(Enum):
    """What somebody says by signing; also the name of the signature's field in the PDF."""

    AUTHORED = "authored"
    REVIEWED = "reviewed"
    APPROVED = "approved"


ORDER = (Meaning.AUTHORED, Meaning.REVIEWED, Meaning.APPROVED)
"""Each is made on what those before it have left."""


def next_meaning(made: int) -> Meaning | None:
    """Say which signature comes after so many; None when all are made."""
    return ORDER[made] if made < len(ORDER) else None


def forbidden_second(signed: Mapping[Meaning, str], name: str, meaning: Meaning) -> str | None:
    """Say why a person may not sign once more in this meaning; None where he may.

    Who wrote a report neither reviews nor approves it. Who reviewed it may approve it, as a small
    laboratory has two people.
    """
    if meaning is not Meaning.AUTHORED and signed.get(Meaning.AUTHORED) == name:
        return f"{name} authored this report, and nobody who authored it is the one by whom it is {meaning.value}"
    return None

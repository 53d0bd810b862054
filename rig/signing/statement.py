"""What a signature says, in words that are signed with the file: its meaning, the record's head, the report's SHA-256.

Not responsible for whether that is so (`judging`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rig.signing.meaning import Meaning

_FORM = re.compile(r"(authored|reviewed|approved); record ([0-9a-f]{64}); report ([0-9a-f]{64})(?:; (.+))?", re.DOTALL)


@dataclass(frozen=True)
class Statement:
    """What somebody signs: this meaning, of this report, of the record with this head."""

    meaning: Meaning
    head: str
    report_sha256: str
    reason: str | None = None

    def __str__(self) -> str:
        """Write it as the reason of a signature, which readers of PDF show."""
        rest = f"; {self.reason}" if self.reason else ""
        return f"{self.meaning.value}; record {self.head}; report {self.report_sha256}{rest}"


def read_statement(text: str) -> Statement | None:
    """Read it back from the reason of a signature; None for words that this module does not write."""
    found = _FORM.fullmatch(text)
    return Statement(Meaning(found[1]), found[2], found[3], found[4]) if found else None

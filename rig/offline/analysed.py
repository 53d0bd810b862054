"""What an analysis of a log gives: plain content as a bench run records it, measured values, findings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rig.offline.findings import Finding


@dataclass(frozen=True)
class Measured:
    """A measured value; its expanded uncertainty U (k = 2) is None when it is not known, never 0 for that."""

    name: str
    value: float
    unit: str
    expanded_uncertainty: float | None


@dataclass(frozen=True)
class Analysed:
    """One log, analysed. `kind` and `content` are those of the analyses that bench runs record."""

    kind: str
    content: dict[str, Any]
    measured: tuple[Measured, ...]
    findings: tuple[Finding, ...]

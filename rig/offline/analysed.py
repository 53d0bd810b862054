"""What an analysis of a log gives: plain content as a bench run records it, measured values, findings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rig.offline.findings import Finding
from rig.record.analyses import Analysis


@dataclass(frozen=True)
class Measured:
    """A measured value; its expanded uncertainty U (k = 2) is None when it is not known, never 0 for that."""

    name: str
    value: float
    unit: str
    expanded_uncertainty: float | None


@dataclass(frozen=True)
class Analysed:
    """One log, analysed: the same analysis that a bench run records; `lines` are a table of it for a terminal."""

    analysis: Analysis
    measured: tuple[Measured, ...]
    findings: tuple[Finding, ...]
    lines: tuple[str, ...] = ()

    @property
    def content(self) -> dict[str, Any]:
        """The analysis as plain data."""
        return self.analysis.model_dump(mode="json")

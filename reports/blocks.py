"""What a section of a document is made of: facts, text, tables as data for the template, and curves.

Not responsible for how a block looks (`layout.typ`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from reports.curve.description import Curve
from reports.words import NBSP, value_and_uncertainty
from rig.record.analyses import Evaporation

Block = dict[str, Any] | Curve


@dataclass
class Sections:
    """The SVG figures that the sections of a document name, all with one prefix."""

    prefix: str = ""
    figures: dict[str, str] = field(default_factory=dict)

    def shown(self, blocks: Iterable[Block]) -> list[dict[str, Any]]:
        """Draw and keep the curves among blocks, and return all blocks as data."""
        return [self._figure(block) if isinstance(block, Curve) else block for block in blocks]

    def _figure(self, curve: Curve) -> dict[str, Any]:
        from reports.curve.printed import printed  # takes half a second, for runs that have a curve

        file = f"{self.prefix}{len(self.figures) + 1:02}-{curve.name}.svg"
        self.figures[file] = printed(curve)
        return {"block": "figure", "file": file, "caption": curve.caption, "alt": curve.alt}


def facts(*rows: tuple[str, str]) -> dict[str, Any]:
    """Return a block of names with values."""
    return {"block": "facts", "rows": rows}


def text(sentence: str) -> dict[str, Any]:
    """Return a block of prose."""
    return {"block": "text", "text": sentence}


def table(caption: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Return a block with a table of numbers, right-aligned."""
    return {"block": "table", "caption": caption, "columns": columns, "rows": rows}


def evaporation_rows(found: Evaporation | None) -> list[tuple[str, str]]:
    """Return the rate of evaporation in mg/h that the masses are corrected for; u is of the rate."""
    if found is None:
        return []
    value, u = value_and_uncertainty(found.rate_mg_per_h, found.u_mg_per_h)
    return [("Evaporation, ± u", f"{value} ± {u}{NBSP}mg/h")]

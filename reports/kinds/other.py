"""A kind of analysis that this report has no module for: a list of its single values, never left out."""

from __future__ import annotations

from reports.blocks import Block, facts
from reports.kinds.kind import AnalysisKind, DrawnLimits
from rig.record.analyses import Other


def _blocks(other: Other, _: DrawnLimits) -> list[Block]:
    return [facts(*((key.replace("_", " "), value) for key, value in other.values.items()))]


OTHER = AnalysisKind(_blocks)

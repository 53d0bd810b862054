"""The kinds of analyses that a report knows, one module each: words, facts, tables and curves together.

A new kind is a module here and a line in `KINDS`.
"""

from __future__ import annotations

from typing import Any

from reports.curve.description import Curve
from reports.kinds.alarm import ALARM
from reports.kinds.basal import BASAL
from reports.kinds.bolus import BOLUS
from reports.kinds.budget import BUDGET
from reports.kinds.day import DAY
from reports.kinds.kind import AnalysisKind, DrawnLimits
from reports.kinds.loop import LOOP
from reports.kinds.occlusion import OCCLUSION
from reports.kinds.occlusion_series import OCCLUSION_SERIES
from reports.kinds.other import OTHER
from reports.kinds.profile import PROFILE
from rig.record.analyses import Analysis

KINDS: dict[str, AnalysisKind[Any]] = {
    "trumpet": BASAL,
    "bolus": BOLUS,
    "profile": PROFILE,
    "occlusion": OCCLUSION,
    "occlusions": OCCLUSION_SERIES,
    "day": DAY,
    "loop": LOOP,
    "alarm": ALARM,
    "budget": BUDGET,
}
"""By what `kind` says in `analysis/<test>/<name>.json`; notes on method stand in this order."""


def kind_of(analysis: Analysis) -> AnalysisKind[Any]:
    """Return the kind of an analysis; one without a module of its own is shown as a list of its numbers."""
    return KINDS.get(analysis.kind, OTHER)


def curves_of(analysis: Analysis, limits: DrawnLimits) -> tuple[Curve, ...]:
    """Return the curves of an analysis, in the order of the report: those that it prints, and no others."""
    return tuple(block for block in kind_of(analysis).blocks(analysis, limits) if isinstance(block, Curve))

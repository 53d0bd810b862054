"""The curves that a reader looks for first: basal delivery at one rate, the largest series of boluses, an occlusion.

All curves stand in the annex. Not responsible for describing them (`reports.kinds`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reports.document import Figure, Section
from reports.drawn_limits import limits_of
from reports.kinds import curves_of
from reports.parts.given import Given
from reports.sections import measured_by
from rig.record.analyses import BolusNumbers, OcclusionNumbers, Trumpet

ESSENTIAL: tuple[tuple[type[Any], str, Callable[[Any], float]], ...] = (
    (Trumpet, "trumpet", lambda curve: curve.analysis_h),
    (BolusNumbers, "boluses", lambda boluses: len(boluses.delivered_u) - abs(boluses.programmed_u - 1.0) / 100.0),
    (OcclusionNumbers, "occlusion", lambda occlusion: -abs(occlusion.rate_u_per_h - 1.0)),
)
"""Kind of analysis, name of its curve, and by which the one is chosen that is shown: the largest value, near 1 U/h."""


def curves(given: Given) -> tuple[Section, ...]:
    """Show one curve of each essential kind that the run holds."""
    figures = []
    for kind, name, rank in ESSENTIAL:
        own = [each for each in given.run.analyses if isinstance(each.analysis, kind)]
        if not own:
            continue
        chosen = max(own, key=lambda each: rank(each.analysis))
        drawn = curves_of(
            chosen.analysis, limits_of(chosen.analysis, measured_by(given.run, chosen.test, chosen.attempt))
        )
        curve = next((each for each in drawn if each.name == name), None)
        if curve is not None:
            figures.append(Figure(name, f"{chosen.analysis.title}. {curve.caption}", curve.alt, curve=curve))
    return (Section(1, "Essential curves", "curves", tuple(figures)),) if figures else ()

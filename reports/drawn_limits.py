"""The limits that the figures of an analysis draw: those of the quantities that it shows.

Not responsible for the limits of other quantities: those stand in the table of results only.
"""

from __future__ import annotations

from collections.abc import Sequence

from reports.kinds.kind import NO_ENDS, DrawnLimits, Ends
from rig.procedures import basal, bolus, occlusion
from rig.record.analyses import Analysis, BolusNumbers
from rig.record.results import JudgedRecord
from rig.units import parse


def limits_of(analysis: Analysis, measured: Sequence[JudgedRecord]) -> DrawnLimits:
    """Find the limits of what a test measured that belong into the figures of its analysis."""
    windows: dict[float, Ends] = {}
    for kind in (basal.LARGEST, basal.SMALLEST):
        for each in _of(measured, kind.name):
            window_min = parse(each.quantity.parameters["window"], "time_s") / 60.0
            low, high = windows.get(window_min, NO_ENDS)
            windows[window_min] = (_else(each.limit.low, low), _else(each.limit.high, high))
    whole = [(each.limit.low, each.limit.high) for each in _of(measured, basal.MEAN.name)]
    pressures = [each.limit.high for each in _of(measured, occlusion.HIGHEST.name)]
    return DrawnLimits(
        windows_percent=windows,
        whole_percent=whole[-1] if whole else NO_ENDS,
        bolus_u=_bolus_u(analysis, measured) if isinstance(analysis, BolusNumbers) else NO_ENDS,
        pressure_kpa=pressures[0] if pressures else None,
    )


def _of(measured: Sequence[JudgedRecord], kind: str) -> list[JudgedRecord]:
    return [each for each in measured if each.quantity.kind == kind]


def _else(end: float | None, other: float | None) -> float | None:
    return other if end is None else end


def _bolus_u(boluses: BolusNumbers, measured: Sequence[JudgedRecord]) -> Ends:
    """Find the limits of a single bolus and turn them into U."""

    def in_u(each: JudgedRecord, end: float | None) -> float | None:
        if end is None:
            return None
        return boluses.programmed_u + (end if each.unit == "U" else boluses.programmed_u * end / 100.0)

    smallest = [in_u(each, each.limit.low) for each in _of(measured, bolus.SMALLEST.name)]
    largest = [in_u(each, each.limit.high) for each in _of(measured, bolus.LARGEST.name)]
    return (smallest[-1] if smallest else None), (largest[-1] if largest else None)

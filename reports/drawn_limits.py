"""The limits that a figure draws, found by what the measurements are called (docs/report.md).

Not responsible for limits under other names: those stand in the table of results only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from reports.analyses import Analysis, Bolus
from reports.kinds.kind import NO_ENDS, DrawnLimits, Ends
from reports.record import MeasurementRecord

_WINDOW = re.compile(r"(?:largest|smallest) error of a ([\d.]+) min window(?: at .+)?")


def limits_of(analysis: Analysis, measured: Sequence[MeasurementRecord]) -> DrawnLimits:
    """Find the limits of what a test measured that belong into the figures of its analysis."""
    windows: dict[float, Ends] = {}
    whole = NO_ENDS
    for measurement in measured:
        limit = measurement.limit
        if match := _WINDOW.fullmatch(measurement.name):
            low, high = windows.get(float(match[1]), NO_ENDS)
            windows[float(match[1])] = (_else(limit.low, low), _else(limit.high, high))
        elif measurement.name.startswith("mean basal error") and measurement.unit == "%":
            whole = (limit.low, limit.high)
    pressures = [m.limit.high for m in measured if m.unit == "kPa" and m.name.startswith("highest pressure")]
    return DrawnLimits(
        windows_percent=windows,
        whole_percent=whole,
        bolus_u=_bolus_u(analysis, measured) if isinstance(analysis, Bolus) else NO_ENDS,
        pressure_kpa=pressures[0] if pressures else None,
    )


def _else(end: float | None, other: float | None) -> float | None:
    return other if end is None else end


def _bolus_u(boluses: Bolus, measured: Sequence[MeasurementRecord]) -> Ends:
    """Find the limits of a single bolus and turn them into U."""
    ends: dict[str, float | None] = {"largest": None, "smallest": None}
    for measurement in measured:
        which, _, rest = measurement.name.partition(" ")
        end = measurement.limit.high if which == "largest" else measurement.limit.low
        if which in ends and rest.startswith("bolus error") and end is not None:
            error_u = end if measurement.unit == "U" else boluses.programmed_u * end / 100.0
            ends[which] = boluses.programmed_u + error_u
    return ends["smallest"], ends["largest"]

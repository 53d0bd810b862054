"""A series of occlusions: each in a row, with the typical and the longest time to the alarm.

Not responsible for the trace of each, which is an analysis of its own (`reports.kinds.occlusion`).
"""

from __future__ import annotations

from statistics import median

from reports.blocks import Block, facts, table
from reports.kinds.kind import AnalysisKind, DrawnLimits
from reports.words import NBSP, duration, quantity
from rig.record.analyses import OcclusionSeries


def _blocks(series: OcclusionSeries, _: DrawnLimits) -> list[Block]:
    times_s = [each.time_to_alarm_s for each in series.occlusions if each.time_to_alarm_s is not None]
    return [
        facts(
            ("Programmed rate", f"{series.rate_u_per_h:g}{NBSP}U/h"),
            ("Alarmed", f"{len(times_s)} of {len(series.occlusions)}"),
            ("Typical time to the alarm (median)", duration(median(times_s)) if times_s else "no alarm"),
            ("Longest time to the alarm", duration(max(times_s)) if times_s else "no alarm"),
        ),
        table(
            "Occlusions one after the other.",
            ("Occlusion", "Time to the alarm", "Pressure then", "Missed", "Released"),
            [
                (
                    str(number),
                    duration(each.time_to_alarm_s) if each.time_to_alarm_s is not None else "no alarm",
                    quantity(each.pressure_at_alarm_kpa, "kPa", 1),
                    quantity(each.missed_u, "U", 2),
                    quantity(each.released_u, "U", 2),
                )
                for number, each in enumerate(series.occlusions, start=1)
            ],
        ),
    ]


OCCLUSION_SERIES = AnalysisKind(_blocks)

"""A delivery that follows a programme: its course beside the programme, its parts, its moments.

Not responsible for the numbers, which the record holds.
"""

from __future__ import annotations

import numpy as np

from reports.blocks import Block, evaporation_rows, facts, table, text
from reports.curve import marks
from reports.curve.description import Axis, Curve, Panel, room
from reports.kinds.kind import AnalysisKind, DrawnLimits, Method
from reports.words import NBSP, duration, quantity, value_and_uncertainty
from rig.record.analyses import DeliveryProfile, ProfilePart


def _blocks(profile: DeliveryProfile, _: DrawnLimits) -> list[Block]:
    return [
        profile_curve(profile),
        table(
            "Parts of the delivery. U is that of the delivered amount.",
            ("", "From", "To", "Programmed", "Delivered", "U", "Error"),
            [_part(part) for part in profile.parts],
        ),
        table(
            "By how much later than programmed it came.",
            ("", "Late by", "U"),
            [
                (
                    moment.name.capitalize(),
                    *(f"{words}{NBSP}s" for words in value_and_uncertainty(moment.late_s, moment.u_s)),
                )
                for moment in profile.moments
            ],
        ),
        *([facts(*evaporation_rows(profile.evaporation))] if profile.evaporation else []),
        text("A part holds whole doses: where its ends fall between two of them, it may read up to a dose off."),
    ]


def _part(part: ProfilePart) -> tuple[str, ...]:
    delivered, u = value_and_uncertainty(part.delivered_u, part.u_u)
    error = 100.0 * (part.delivered_u / part.programmed_u - 1.0) if part.programmed_u else None
    return (
        part.name.capitalize(),
        duration(part.from_s),
        duration(part.to_s),
        f"{part.programmed_u:.4g}{NBSP}U",
        f"{delivered}{NBSP}U",
        f"{u}{NBSP}U",
        quantity(error, "%", 2, signed=True),
    )


def profile_curve(profile: DeliveryProfile) -> Curve:
    """Describe delivered and programmed insulin over time, and their difference, between the ends of the parts."""
    parts = "; ".join(f"{part.name} {part.delivered_u:.3f} of {part.programmed_u:.3f} U" for part in profile.parts)
    delivered_u, course = profile.trace.delivered_u, profile.course
    minutes, course_min = ([at_s / 60.0 for at_s in at] for at in (profile.trace.at_s, course.at_s))
    difference_u = np.subtract(delivered_u, np.interp(profile.trace.at_s, course.at_s, course.insulin_u)).tolist()
    edges_s = sorted({end for part in profile.parts for end in (part.from_s, part.to_s)})
    edges = [marks.Across("x", edge_s / 60.0, marks.MOMENT) for edge_s in edges_s]
    x = Axis("time since the start of the programme / min", max(minutes[0], -0.05 * course_min[-1]), minutes[-1])
    amounts = Axis("delivered / U", *room([*delivered_u, *course.insulin_u], 0.08), grid=True)
    differences = Axis("difference / U", *room([0.0, *difference_u], 0.08), signed=True, grid=True)
    return Curve(
        name="profile",
        title="Delivery beside its programme",
        caption="Delivered insulin beside its programme (dashed), and the difference.",
        alt=f"{profile.title}: {parts}.",
        height_in=3.0,
        panels=(
            Panel(
                x,
                amounts,
                (
                    marks.Line("delivered", minutes, delivered_u),
                    marks.Line("programmed", course_min, course.insulin_u, marks.PROGRAMMED),
                    *edges,
                ),
                share=1.7,
            ),
            Panel(x, differences, (marks.Across("y", 0.0), marks.Line("difference", minutes, difference_u), *edges)),
        ),
    )


PROFILE = AnalysisKind(
    _blocks,
    on_one_page=True,
    method=Method(
        "Courses of delivery",
        of_run="The balance is read throughout an extended bolus, a temporary rate or a switch of the basal profile, "
        "and what it shows is laid beside the programme: in parts of the programme's time, and at the moments at which "
        "the programme changes. A pump delivers in doses, the programme is a line: the staircase lies beside it by up "
        "to a dose.",
    ),
)

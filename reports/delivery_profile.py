"""The section of a delivery that follows a programme: its course beside the programme, its parts, its moments.

Not responsible for layout (`report.typ`), nor for numbers, which the record holds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reports.blocks import Sections, evaporation_rows, facts, table, text
from reports.courses import DeliveryProfile, ProfilePart
from reports.figures import SIGNED
from reports.style import BLUE, GREY, INK, ORANGE, house_style, new_figure, quiet_grid, svg
from reports.words import NBSP, duration, quantity, value_and_uncertainty


def profile_blocks(sections: Sections, profile: DeliveryProfile) -> list[dict[str, Any]]:
    """Write the blocks of one delivery."""
    parts = "; ".join(f"{part.name} {part.delivered_u:.3f} of {part.programmed_u:.3f} U" for part in profile.parts)
    return [
        sections.figure(
            profile_figure(profile),
            name="profile",
            caption="Delivered insulin beside its programme (dashed), and the difference.",
            alt=f"{profile.title}: {parts}.",
        ),
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


def difference_u(profile: DeliveryProfile) -> NDArray[np.float64]:
    """Get what was delivered less what was programmed until then in U, at each moment of the trace."""
    programmed_u = np.interp(profile.trace.at_s, profile.course.at_s, profile.course.insulin_u)
    difference: NDArray[np.float64] = np.asarray(profile.trace.delivered_u) - programmed_u
    return difference


def edges_s(profile: DeliveryProfile) -> list[float]:
    """Get the moments in s at which the parts begin and end."""
    return sorted({end for part in profile.parts for end in (part.from_s, part.to_s)})


def profile_figure(profile: DeliveryProfile) -> str:
    """Draw delivered and programmed insulin over time, and below it their difference, between the ends of the parts."""
    with house_style():
        figure = new_figure(3.0)
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(1.7, 1))
        at_s, delivered_u = np.asarray(profile.trace.at_s), np.asarray(profile.trace.delivered_u)
        course_s, course_u = np.asarray(profile.course.at_s), np.asarray(profile.course.insulin_u)
        upper.plot(at_s / 60.0, delivered_u, color=BLUE)
        upper.plot(course_s / 60.0, course_u, color=ORANGE, linestyle=(0, (4, 2)))
        upper.set_ylabel("delivered / U")
        lower.axhline(0, color=INK, linewidth=0.6)
        lower.plot(at_s / 60.0, difference_u(profile), color=BLUE)
        lower.set_ylabel("difference / U")
        lower.set_xlabel("time since the start of the programme / min")
        lower.yaxis.set_major_formatter(SIGNED)
        for axes in (upper, lower):
            axes.margins(y=0.08)
            axes.set_xlim(max(float(at_s[0]), -0.05 * course_s[-1]) / 60.0, float(at_s[-1]) / 60.0)
            quiet_grid(axes)
            for edge_s in edges_s(profile):
                axes.axvline(edge_s / 60.0, color=GREY, linewidth=0.7, linestyle=(0, (1, 2)))
        figure.align_ylabels()
        return svg(figure)

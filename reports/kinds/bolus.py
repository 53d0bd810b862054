"""Consecutive boluses: each as weighed, and how they fall into the classes of 21 CFR 880.5730 labels.

Not responsible for the numbers, which the record holds, nor for counting the classes (`rig.analysis.bolus`).
"""

from __future__ import annotations

from itertools import accumulate, pairwise

from reports.blocks import Block, evaporation_rows, facts, table
from reports.curve import marks
from reports.curve.description import Axis, Classes, Curve, OtherUnit, Panel, room
from reports.kinds.kind import AnalysisKind, DrawnLimits, Ends, Method
from reports.style import RULE
from reports.tables import Tables
from reports.words import NBSP, NONE, quantity
from rig.record.analyses import BolusNumbers

CLASS_EDGES_PERCENT = (25.0, 75.0, 95.0, 105.0, 125.0, 175.0, 250.0)
"""Edges of the classes of 21 CFR 880.5730 labels."""

HEIGHTS = (0.8, 0.8, 0.9, 2.6, 0.9, 0.8, 0.8, 0.8)
"""Heights of the classes in the figure, from the lowest: most boluses are in the middle, where room is needed."""

_PLACES = tuple(accumulate(HEIGHTS, initial=0.0))


def _blocks(boluses: BolusNumbers, limits: DrawnLimits) -> list[Block]:
    return [
        facts(
            ("Command", f"{len(boluses.delivered_u)} × {boluses.programmed_u:g}{NBSP}U"),
            ("Mean error", quantity(boluses.mean_error_percent, "%", 2, signed=True)),
            ("Standard deviation", quantity(boluses.sd_percent, "%", 2)),
            ("Worst single error", quantity(boluses.worst_error_percent, "%", 2, signed=True)),
            (
                "After its planned end, on average",
                quantity(boluses.tail_percent, "%", 1) if boluses.tail_percent is not None else "not known",
            ),
            ("Weighed in all", quantity(sum(boluses.delivered_u), "U", 3)),
            *([("Logged by the pump", quantity(sum(boluses.logged_u), "U", 3))] if boluses.logged_u else []),
            *evaporation_rows(boluses.evaporation),
        ),
        bolus_curve(boluses, limits.bolus_u),
        classes_curve(boluses),
        table(
            "Boluses by size in % of the command (classes of 21 CFR 880.5730 labels).",
            tuple(f"{label}{NBSP}%" for label in boluses.bins),
            [tuple(str(number) if number else NONE for number in boluses.bins.values())],
        ),
    ]


def _numbered(boluses: BolusNumbers) -> Axis:
    return Axis("bolus number", 0.3, len(boluses.delivered_u) + 0.7, whole=13)


def bolus_curve(boluses: BolusNumbers, limits_u: Ends) -> Curve:
    """Describe each bolus in U with its uncertainty, the command, and the limits of a single bolus in U."""
    delivered_u, command_u = boluses.delivered_u, boluses.programmed_u
    mean_u = sum(delivered_u) / len(delivered_u)
    u_u = boluses.u_u or (0.0,) * len(delivered_u)
    ends = [value + sign * u for value, u in zip(delivered_u, u_u, strict=True) for sign in (-1.0, 1.0)]
    limits = [
        marks.LimitLine(at_u, f"{side} limit", above=side == "upper")
        for at_u, side in zip(limits_u, ("lower", "upper"), strict=True)
        if at_u is not None
    ]
    panel = Panel(
        _numbered(boluses),
        Axis("delivered / U", *room([command_u, mean_u, *ends, *(limit.at for limit in limits)], 0.16), grid=True),
        (
            marks.Across("y", command_u, marks.NOMINAL),
            marks.Across("y", mean_u, marks.PROGRAMMED),
            marks.Points("bolus", range(1, len(delivered_u) + 1), delivered_u, u=boluses.u_u),
            *limits,
        ),
        heading=f"command {command_u:g} U (solid), mean (dashed)",
        right=OtherUnit("error / %", 100.0 / command_u, -100.0, signed=True),
    )
    return Curve(
        name="boluses",
        title="Boluses as weighed",
        caption="Each bolus as weighed; "
        + ("bars are the expanded uncertainty U (k = 2)." if boluses.u_u else "its uncertainty is not known."),
        alt=f"{len(delivered_u)} boluses between {min(delivered_u):.4g} and {max(delivered_u):.4g} U; "
        f"command {command_u:g} U.",
        height_in=1.95,
        panels=(panel,),
    )


def classes_curve(boluses: BolusNumbers) -> Curve:
    """Describe the boluses in % of the command across the classes, and beside them the count of each class."""
    percent = _percent(boluses)
    edges = (min(0.0, 1.1 * min(percent)), *CLASS_EDGES_PERCENT, max(400.0, 1.1 * max(percent)))
    ticks = tuple((at, f"{at:g}") for at in sorted([*CLASS_EDGES_PERCENT, 100.0]))
    y = Axis("delivered / % of the command", edges[0], edges[-1], Classes(edges, _PLACES), ticks)
    bands: tuple[marks.Mark, ...] = (
        marks.Shade("y", 95.0, 105.0),
        *(marks.Across("y", edge, marks.Look(RULE, 0.7)) for edge in CLASS_EDGES_PERCENT),
    )
    shares = ", ".join(f"{count} in {label} %" for label, count in boluses.bins.items() if count)
    points = marks.Points("boluses", range(1, len(percent) + 1), percent)
    return Curve(
        name="bolus-classes",
        title="Classes of size (21 CFR 880.5730 labels)",
        caption="Boluses across the classes of size, and how many are in each; every class has a scale of its own.",
        alt=f"Boluses by class of size: {shares}.",
        height_in=2.7,
        beside=True,
        panels=(
            Panel(_numbered(boluses), y, (*bands, marks.Across("y", 100.0, marks.ZERO), points), share=2.4),
            _counts(boluses, y, edges, bands),
        ),
    )


def _counts(boluses: BolusNumbers, y: Axis, edges: tuple[float, ...], bands: tuple[marks.Mark, ...]) -> Panel:
    """Describe a bar in the band of each class, with its count and name."""
    sides = [
        [
            low + (high - low) * (0.5 + aside / height)
            for (low, high), height in zip(pairwise(edges), HEIGHTS, strict=True)
        ]
        for aside in (-0.28, 0.0, 0.28)
    ]
    counts = list(boluses.bins.values())
    named = zip(boluses.bins.items(), sides[1], strict=True)
    return Panel(
        Axis("boluses", 0.0, 2.2 * max(counts), whole=5),
        y,
        (
            *bands,
            marks.Bars("boluses", sides[0], sides[2], counts, along="x"),
            *(marks.Note(f"{count or 'none'} in {label}{NBSP}%", count, at, dx=4) for (label, count), at in named),
        ),
    )


def _percent(boluses: BolusNumbers) -> list[float]:
    return [100.0 * delivered_u / boluses.programmed_u for delivered_u in boluses.delivered_u]


def _errors_percent(boluses: BolusNumbers) -> tuple[str, list[float]]:
    errors = [100.0 * (delivered_u / boluses.programmed_u - 1.0) for delivered_u in boluses.delivered_u]
    return f"boluses of {boluses.programmed_u:g} U", errors


def _tables(boluses: BolusNumbers) -> Tables:
    _, errors = _errors_percent(boluses)
    u_u = boluses.u_u or (None,) * len(errors)
    numbers = range(1, len(errors) + 1)
    return {
        "boluses": (
            ("number", "delivered_u", "error_percent", "expanded_uncertainty_u"),
            list(zip(numbers, boluses.delivered_u, errors, u_u, strict=True)),
        ),
        "classes": (("percent_of_command", "boluses"), list(boluses.bins.items())),
    }


BOLUS = AnalysisKind(
    _blocks,
    tables=_tables,
    errors_percent=_errors_percent,
    on_one_page=True,
    method=Method(
        "Boluses",
        of_run="Consecutive boluses over a basal rate of zero. Each is weighed on its own, from the balance at rest to "
        "the balance at rest again, so that the part that arrives late is counted (IEC 60601-2-24, method).",
        of_log="Each bolus is the difference of two means, of the rest before the next bolus and of the rest before "
        "its own start, so that the part that arrives late is counted (IEC 60601-2-24, method).",
    ),
)

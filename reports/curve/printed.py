"""A curve for print: SVG by matplotlib in the house style, the same bytes for the same curve.

Not responsible for what is drawn (`reports.curve.description`), nor for palette and type (`reports.style`).
"""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import numpy as np
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from reports.curve import marks
from reports.curve.description import Axis, Classes, Curve, OtherUnit, Panel
from reports.style import GREY, INK, SMALL, house_style, new_figure, svg
from reports.words import minus

_DASHES = {"solid": "-", "dashed": (0, (4, 2)), "dotted": (0, (1, 2)), "long dashes": (0, (5, 3))}
_SIGNED = ticker.FuncFormatter(lambda value, _: minus(f"{value:+g}") if value else "0")
_SHORT = ticker.FuncFormatter(lambda value, _: f"{value:g}")


def printed(curve: Curve) -> str:
    """Draw a curve as SVG, as wide as the report's text block."""
    shares = [panel.share for panel in curve.panels]
    with house_style():
        figure = new_figure(curve.height_in)
        if curve.beside:
            grid = figure.subplots(1, len(shares), squeeze=False, sharey=True, width_ratios=shares)
        else:
            grid = figure.subplots(len(shares), 1, squeeze=False, sharex=True, height_ratios=shares)
        for axes, panel in zip(grid.flat, curve.panels, strict=True):
            _panel(axes, panel)
            if panel is not curve.panels[0] and curve.beside:
                axes.set_ylabel("")
                axes.tick_params(axis="y", which="both", length=0)
            if panel is not curve.panels[-1] and not curve.beside:
                axes.set_xlabel("")
        if len(shares) > 1 and not curve.beside:
            figure.align_ylabels()
        if curve.legend:
            _legend(figure, curve)
        return svg(figure)


def _panel(axes: Axes, panel: Panel) -> None:
    _axis(axes, "x", panel.x)
    _axis(axes, "y", panel.y)
    for mark in panel.marks:
        _draw(mark, axes)
    axes.set_xlim(panel.x.low, panel.x.high)
    axes.set_ylim(panel.y.low, panel.y.high)
    if panel.heading:
        axes.set_title(panel.heading, fontsize=SMALL, color=GREY, loc="right", pad=3)
    if panel.right is not None:
        _other_unit(axes, panel.right, panel.y)


def _axis(axes: Axes, which: str, axis: Axis) -> None:
    set_scale = axes.set_xscale if which == "x" else axes.set_yscale
    if isinstance(axis.scale, Classes):
        set_scale("function", functions=(axis.scale.place, axis.scale.value))
    else:
        set_scale(axis.scale)
    ruler = axes.xaxis if which == "x" else axes.yaxis
    ruler.set_label_text(axis.label)
    if axis.ticks is not None:
        ruler.set_major_locator(ticker.FixedLocator([at for at, _ in axis.ticks]))
        ruler.set_major_formatter(ticker.FixedFormatter([words for _, words in axis.ticks]))
        ruler.set_minor_locator(ticker.NullLocator())
    elif axis.scale == "log":
        ruler.set_major_formatter(_SHORT)
        ruler.set_minor_formatter(ticker.NullFormatter())
    elif axis.signed:
        ruler.set_major_formatter(_SIGNED)
    if axis.whole is not None:
        ruler.set_major_locator(ticker.MaxNLocator(integer=True, nbins=axis.whole))
    if axis.every is not None:
        ruler.set_major_locator(ticker.MultipleLocator(axis.every))
    if axis.grid:
        axes.grid(True, axis="x" if which == "x" else "y", which="major")
    if not axis.spine:
        axes.tick_params(axis="x" if which == "x" else "y", which="both", length=0)
        axes.spines["bottom" if which == "x" else "left"].set_visible(False)


def _other_unit(axes: Axes, other: OtherUnit, left: Axis) -> None:
    right = axes.secondary_yaxis(
        "right",
        functions=(
            lambda value: other.factor * np.asarray(value) + other.offset,
            lambda value: (np.asarray(value) - other.offset) / other.factor,
        ),
    )
    right.spines["right"].set_visible(True)
    right.set_ylabel(other.label)
    if left.scale == "log":
        right.yaxis.set_major_formatter(_SHORT)
        right.yaxis.set_minor_formatter(ticker.NullFormatter())
        return
    right.yaxis.set_major_locator(ticker.MaxNLocator(nbins=5, steps=[1, 2, 5, 10]))
    right.yaxis.set_major_formatter(_SIGNED if other.signed else _SHORT)


def _legend(figure: Figure, curve: Curve) -> None:
    bars = [mark for panel in curve.panels for mark in panel.marks if isinstance(mark, marks.Bars)]
    handles = [
        Patch(facecolor=bar.fill.color, hatch=4 * (bar.fill.hatch or ""), label=bar.name, edgecolor=INK, linewidth=0.4)
        for bar in bars
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=curve.legend, frameon=False, fontsize=SMALL)


def _id(name: str) -> str:
    return name.replace(" ", "-")


def _pen(look: marks.Look) -> dict[str, Any]:
    return {"color": look.color, "linewidth": look.width, "linestyle": _DASHES[look.dash]}


@singledispatch
def _draw(mark: marks.Mark, _: Axes) -> None:
    raise TypeError(f"a {type(mark).__name__} cannot be drawn")


@_draw.register
def _(mark: marks.Line, axes: Axes) -> None:
    marker: dict[str, Any] = {"marker": mark.symbol, "markersize": mark.marker} if mark.marker else {}
    axes.plot(mark.x, mark.y, gid=_id(mark.name), solid_capstyle="butt", **_pen(mark.look), **marker)


@_draw.register
def _(mark: marks.Band, axes: Axes) -> None:
    axes.fill_between(mark.x, mark.low, mark.high, color=mark.fill, linewidth=0)
    for name, values in zip(mark.names, (mark.high, mark.low), strict=True):
        _draw(marks.Line(name, mark.x, values, mark.look, mark.marker), axes)


@_draw.register
def _(mark: marks.Steps, axes: Axes) -> None:
    axes.stairs(mark.values, mark.edges, baseline=None, gid=_id(mark.name), **_pen(mark.look))


@_draw.register
def _(mark: marks.Points, axes: Axes) -> None:
    if mark.u is not None:
        axes.errorbar(mark.x, mark.y, yerr=mark.u, fmt="none", color=mark.color, elinewidth=0.8, capsize=2)
    axes.plot(mark.x, mark.y, "o", color=mark.color, gid=_id(mark.name))


@_draw.register
def _(mark: marks.Bars, axes: Axes) -> None:
    breadths = np.subtract(mark.ends, mark.starts)
    edge = {"edgecolor": mark.fill.edge, "linewidth": mark.fill.edge_width} if mark.fill.edge else {"linewidth": 0}
    look: dict[str, Any] = {"align": "edge", "color": mark.fill.color, "hatch": 4 * (mark.fill.hatch or ""), **edge}
    if mark.along == "y":
        bars = axes.bar(mark.starts, mark.lengths, breadths, bottom=mark.bases or 0.0, **look)
    else:
        bars = axes.barh(mark.starts, mark.lengths, breadths, left=mark.bases or 0.0, **look)
    if mark.names:
        for bar, name in zip(bars, mark.names, strict=True):
            bar.set_gid(name)


@_draw.register
def _(mark: marks.Across, axes: Axes) -> None:
    draw: Any = axes.axvline if mark.axis == "x" else axes.axhline
    draw(mark.at, **_pen(mark.look))


@_draw.register
def _(mark: marks.Shade, axes: Axes) -> None:
    (axes.axvspan if mark.axis == "x" else axes.axhspan)(mark.low, mark.high, color=mark.color, linewidth=0)


@_draw.register
def _(mark: marks.LimitLine, axes: Axes) -> None:
    for part in mark.parts:
        _draw(part, axes)


@_draw.register
def _(mark: marks.Note, axes: Axes) -> None:
    x, y = ("axes fraction" if mark.of_panel == axis else "data" for axis in ("x", "y"))
    axes.annotate(
        mark.words,
        (mark.x, mark.y),
        xycoords=(x, y),
        xytext=(mark.dx, mark.dy),
        textcoords="offset points",
        ha=mark.ha,
        va="center_baseline" if mark.va == "middle" else mark.va,
        color=mark.color,
        fontsize=mark.size,
        bbox={"facecolor": mark.ground, "edgecolor": "none", "pad": 1.0} if mark.ground else None,
        annotation_clip=False,
    )


@_draw.register
def _(mark: marks.DoubleArrow, axes: Axes) -> None:
    axes.annotate("", (mark.x, mark.high), (mark.x, mark.low), arrowprops={"arrowstyle": "<->", "lw": 0.7})

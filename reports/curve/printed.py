"""A curve for print: SVG by matplotlib in the house style, the same bytes for the same curve.

Not responsible for what is drawn (`reports.curve.description`), nor for palette and type (`reports.style`).
"""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import (
    FixedFormatter,
    FixedLocator,
    FuncFormatter,
    MaxNLocator,
    MultipleLocator,
    NullFormatter,
    NullLocator,
)
from numpy.typing import NDArray

from reports.curve.description import (
    Across,
    Axis,
    Band,
    Bars,
    Classes,
    Curve,
    Line,
    Look,
    Mark,
    Note,
    OtherUnit,
    Panel,
    Points,
    Shade,
    Span,
    Steps,
    Whisker,
)
from reports.style import GREY, INK, SMALL, TINT, house_style, new_figure, svg
from reports.words import minus

_DASHES = {"solid": "-", "dashed": (0, (4, 2)), "dotted": (0, (1, 2)), "long dashes": (0, (5, 3))}
_SIGNED = FuncFormatter(lambda value, _: minus(f"{value:+g}") if value else "0")
_SHORT = FuncFormatter(lambda value, _: f"{value:g}")
_VERTICAL = {"top": "top", "center": "center_baseline", "bottom": "bottom"}
_PATCH: dict[str, Any] = {"edgecolor": INK, "linewidth": 0.4}


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
        _other_unit(axes, panel)


def _axis(axes: Axes, which: str, axis: Axis) -> None:
    scale = {"functions": _functions(axis.scale)} if isinstance(axis.scale, Classes) else {}
    getattr(axes, f"set_{which}scale")("function" if scale else axis.scale, **scale)
    ruler = axes.xaxis if which == "x" else axes.yaxis
    ruler.set_label_text(axis.label)
    if axis.ticks is not None:
        ruler.set_major_locator(FixedLocator([at for at, _ in axis.ticks]))
        ruler.set_major_formatter(FixedFormatter([words for _, words in axis.ticks]))
        ruler.set_minor_locator(NullLocator())
    elif axis.scale == "log":
        ruler.set_major_formatter(_SHORT)
        ruler.set_minor_formatter(NullFormatter())
    elif axis.signed:
        ruler.set_major_formatter(_SIGNED)
    if axis.whole is not None:
        ruler.set_major_locator(MaxNLocator(integer=True, nbins=axis.whole))
    if axis.every is not None:
        ruler.set_major_locator(MultipleLocator(axis.every))
    if axis.grid:
        axes.grid(True, axis="x" if which == "x" else "y", which="major")
    if not axis.spine:
        axes.tick_params(axis="x" if which == "x" else "y", which="both", length=0)
        axes.spines["bottom" if which == "x" else "left"].set_visible(False)


def _functions(scale: Classes) -> tuple[object, object]:
    """Return the functions from values to places on the axis, and back."""

    def place(value: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.interp(value, scale.edges, scale.places))

    def value(place: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.interp(place, scale.places, scale.edges))

    return place, value


def _other_unit(axes: Axes, panel: Panel) -> None:
    other = panel.right
    assert isinstance(other, OtherUnit)
    right = axes.secondary_yaxis(
        "right",
        functions=(
            lambda value: other.factor * np.asarray(value) + other.offset,
            lambda value: (np.asarray(value) - other.offset) / other.factor,
        ),
    )
    right.spines["right"].set_visible(True)
    right.set_ylabel(other.label)
    if panel.y.scale == "log":
        right.yaxis.set_major_formatter(_SHORT)
        right.yaxis.set_minor_formatter(NullFormatter())
        return
    right.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10]))
    right.yaxis.set_major_formatter(_SIGNED if other.signed else _SHORT)


def _legend(figure: Figure, curve: Curve) -> None:
    bars = [mark for panel in curve.panels for mark in panel.marks if isinstance(mark, Bars)]
    handles = [Patch(facecolor=bar.fill.color, hatch=bar.fill.hatch, label=bar.name, **_PATCH) for bar in bars]
    figure.legend(handles=handles, loc="outside lower center", ncols=curve.legend, frameon=False, fontsize=SMALL)


def _id(name: str) -> str:
    return name.replace(" ", "-")


def _pen(look: Look) -> dict[str, Any]:
    return {"color": look.color, "linewidth": look.width, "linestyle": _DASHES[look.dash]}


@singledispatch
def _draw(mark: Mark, _: Axes) -> None:
    raise TypeError(f"a {type(mark).__name__} cannot be drawn")


@_draw.register
def _(mark: Line, axes: Axes) -> None:
    marker: dict[str, Any] = {"marker": "o", "markersize": mark.marker} if mark.marker else {}
    axes.plot(mark.x, mark.y, gid=_id(mark.name), **_pen(mark.look), **marker)


@_draw.register
def _(mark: Band, axes: Axes) -> None:
    axes.fill_between(mark.x, mark.low, mark.high, color=TINT, linewidth=0)
    for name, values in zip(mark.names, (mark.high, mark.low), strict=True):
        _draw(Line(name, mark.x, values, marker=3.5), axes)


@_draw.register
def _(mark: Steps, axes: Axes) -> None:
    axes.stairs(mark.values, mark.edges, baseline=None, gid=_id(mark.name), **_pen(mark.look))


@_draw.register
def _(mark: Points, axes: Axes) -> None:
    if mark.u is not None:
        axes.errorbar(mark.x, mark.y, yerr=mark.u, fmt="none", color=mark.color, elinewidth=0.8, capsize=2)
    axes.plot(mark.x, mark.y, "o", color=mark.color, gid=_id(mark.name))


@_draw.register
def _(mark: Whisker, axes: Axes) -> None:
    axes.errorbar([mark.x], [mark.y], xerr=[mark.u], fmt="none", color=INK, elinewidth=0.9, capsize=2.5)


@_draw.register
def _(mark: Bars, axes: Axes) -> None:
    breadths = np.subtract(mark.ends, mark.starts)
    bases = 0.0 if mark.bases is None else mark.bases
    edge = {"edgecolor": mark.fill.edge, "linewidth": mark.fill.edge_width} if mark.fill.edge else {"linewidth": 0}
    look: dict[str, Any] = {"align": "edge", "color": mark.fill.color, "hatch": mark.fill.hatch, **edge}
    if mark.along == "y":
        bars = axes.bar(mark.starts, mark.lengths, breadths, bottom=bases, **look)
    else:
        bars = axes.barh(mark.starts, mark.lengths, breadths, left=bases, **look)
    if mark.names:
        for bar, name in zip(bars, mark.names, strict=True):
            bar.set_gid(name)


@_draw.register
def _(mark: Across, axes: Axes) -> None:
    draw: Any = axes.axvline if mark.axis == "x" else axes.axhline
    draw(mark.at, **_pen(mark.look))


@_draw.register
def _(mark: Shade, axes: Axes) -> None:
    (axes.axvspan if mark.axis == "x" else axes.axhspan)(mark.low, mark.high, color=mark.color, linewidth=0)


@_draw.register
def _(mark: Note, axes: Axes) -> None:
    axes.annotate(
        mark.words,
        (mark.x, mark.y),
        xycoords=(
            "axes fraction" if mark.of_panel == "x" else "data",
            "axes fraction" if mark.of_panel == "y" else "data",
        ),
        xytext=(mark.dx, mark.dy),
        textcoords="offset points",
        ha=mark.ha,
        va=_VERTICAL[mark.va],
        color=mark.color,
        fontsize=mark.size,
        bbox={"facecolor": mark.ground, "edgecolor": "none", "pad": 1.0} if mark.ground else None,
        annotation_clip=False,
    )


@_draw.register
def _(mark: Span, axes: Axes) -> None:
    axes.annotate("", (mark.x, mark.high), (mark.x, mark.low), arrowprops={"arrowstyle": "<->", "lw": 0.7})

"""A curve for pointing and zooming, as a plotly figure: the same description as the printed one.

Not responsible for the page around it (`reports.html.page`). Plain lists go in, so that the numbers stand in the
page as they stand in the record. A second unit at the right is printed only: plotly does not keep two scales together
while a reader zooms.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import singledispatch
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from reports.curve import marks
from reports.curve.description import Axis, Classes, Curve, Panel
from reports.style import GREY, INK, RULE, TINT

_FONT = {"family": "Georgia, 'Times New Roman', serif", "color": INK, "size": 14}
_MARGIN = {"l": 80, "r": 110, "t": 80, "b": 60}
_DASHES = {"solid": "solid", "dashed": "dash", "dotted": "dot", "long dashes": "8px,5px"}
_SYMBOLS = {"o": "circle", "|": "line-ns-open"}
_PX = 4.0 / 3.0
"""CSS pixels in a point."""

_TEXT_PX = 13.0


class _Target(NamedTuple):
    """Where a mark goes: a figure, the names of the axes of its panel, and the panel."""

    figure: go.Figure
    x: str
    y: str
    panel: Panel

    def add(self, trace: Any) -> None:  # noqa: ANN401 - plotly's traces have no common public type
        self.figure.add_trace(trace.update(xaxis=self.x, yaxis=self.y))


def interactive(curve: Curve) -> go.Figure:
    """Build the plotly figure of a curve."""
    shares = [panel.share / sum(panel.share for panel in curve.panels) for panel in curve.panels]
    if curve.beside:
        figure = make_subplots(1, len(shares), column_widths=shares, shared_yaxes=True, horizontal_spacing=0.03)
    else:
        figure = make_subplots(len(shares), 1, row_heights=shares, shared_xaxes=True, vertical_spacing=0.06)
    figure.update_layout(
        title={"text": curve.title, "subtitle": {"text": curve.panels[0].heading, "font": {"color": GREY}}},
        font=_FONT,
        template="plotly_white",
        height=max(420, round(200.0 * curve.height_in)),
        margin=_MARGIN,
        barmode="overlay",
        showlegend=bool(curve.legend),
        legend={"orientation": "h", "yref": "container", "y": 0.0, "yanchor": "bottom", "traceorder": "normal"},
    )
    for place, panel in enumerate(curve.panels):
        suffix = str(place + 1) if place else ""
        target = _Target(figure, f"x{suffix}", f"y{suffix}", panel)
        for mark in panel.marks:
            _draw(mark, target)
        last, first = panel is curve.panels[-1], panel is curve.panels[0]
        figure.update_layout(
            {
                f"xaxis{suffix}": _axis(panel.x, named=last or curve.beside),
                f"yaxis{suffix}": _axis(panel.y, named=first or not curve.beside) | {"automargin": True},
            }
        )
    return figure


def _axis(axis: Axis, *, named: bool) -> dict[str, Any]:
    set_ = {
        "title": {"text": axis.label if named else ""},
        "type": "log" if axis.scale == "log" else "linear",
        "range": [_place(axis, axis.low), _place(axis, axis.high)],
        "gridcolor": RULE,
        "showgrid": axis.grid,
        "zeroline": False,
        "ticks": "outside" if axis.spine else "",
        "tickcolor": GREY,
        "linecolor": GREY,
        "showline": axis.spine,
    }
    if axis.ticks is not None:
        apart = "" if axis.spine else "  "
        words = [f"{each}{apart}".replace("\n", f"{apart}<br>") for _, each in axis.ticks]
        return set_ | {"tickvals": _places(axis, [at for at, _ in axis.ticks]), "ticktext": words}
    if axis.scale == "log":
        return set_ | {"dtick": 1, "exponentformat": "power"}
    if axis.every is not None:
        return set_ | {"dtick": axis.every}
    if axis.whole is not None:
        return set_ | {"nticks": axis.whole, "tickformat": "d"}
    return set_


def _place(axis: Axis, value: float) -> float:
    """Return where plotly puts a value that is no trace: logarithms by their exponent, classes by their places."""
    return math.log10(value) if axis.scale == "log" else _places(axis, [value])[0]


def _places(axis: Axis, values: Sequence[float]) -> list[float]:
    """Return values as plotly takes them in traces: classes by their places, all others as they are."""
    if isinstance(axis.scale, Classes):
        return [float(place) for place in axis.scale.place(values)]
    return list(values)


def _pen(look: marks.Look) -> dict[str, object]:
    return {"color": look.color, "dash": _DASHES[look.dash], "width": look.width * 1.6}


@singledispatch
def _draw(mark: marks.Mark, _: _Target) -> None:
    raise TypeError(f"a {type(mark).__name__} cannot be drawn")


@_draw.register
def _(mark: marks.Line, to: _Target) -> None:
    to.add(
        go.Scatter(
            x=list(mark.x), y=_places(to.panel.y, mark.y), name=mark.name, line=_pen(mark.look),
            mode="lines+markers" if mark.marker else "lines", marker={"symbol": _SYMBOLS[mark.symbol]},
        )
    )  # fmt: skip


@_draw.register
def _(mark: marks.Band, to: _Target) -> None:
    color = "rgba(31, 95, 153, 0.12)" if mark.fill == TINT else mark.fill
    line, shaded = _pen(mark.look), {"fill": "tonexty", "fillcolor": color}
    mode = "lines+markers" if mark.marker else "lines"
    for name, values, fill in zip(mark.names, (mark.high, mark.low), ({}, shaded), strict=True):
        to.add(go.Scatter(x=list(mark.x), y=list(values), name=name, mode=mode, line=line, **fill))


@_draw.register
def _(mark: marks.Steps, to: _Target) -> None:
    line = _pen(mark.look) | {"shape": "vh"}
    values = [mark.values[0], *mark.values]  # each value stands at the end of its step: one more begins the first
    to.add(go.Scatter(x=list(mark.edges), y=values, name=mark.name, mode="lines", line=line))


@_draw.register
def _(mark: marks.Points, to: _Target) -> None:
    to.add(
        go.Scatter(
            x=list(mark.x), y=_places(to.panel.y, mark.y), name=mark.name, mode="markers",
            marker={"color": mark.color, "size": 8}, customdata=list(mark.y),
            error_y={"array": list(mark.u), "color": GREY, "width": 3} if mark.u is not None else None,
            hovertemplate="%{x}: %{customdata:.5g}<extra>%{fullData.name}</extra>",
        )
    )  # fmt: skip


@_draw.register
def _(mark: marks.Bars, to: _Target) -> None:
    across = to.panel.x if mark.along == "y" else to.panel.y
    starts, ends = np.array(_places(across, mark.starts)), np.array(_places(across, mark.ends))
    middles, lengths = ((starts + ends) / 2.0).tolist(), list(mark.lengths)
    to.add(
        go.Bar(
            x=middles if mark.along == "y" else lengths,
            y=lengths if mark.along == "y" else middles,
            width=(ends - starts).tolist(),
            base=list(mark.bases) if mark.bases is not None else None,
            orientation="v" if mark.along == "y" else "h",
            name=mark.name,
            marker={
                "color": mark.fill.color,
                "pattern": {"shape": mark.fill.hatch or "", "fgcolor": INK},
                "line": {"color": mark.fill.edge, "width": mark.fill.edge_width},
            },
            customdata=lengths,
            hovertemplate="%{customdata:.4g}<extra>%{fullData.name}</extra>",
        )
    )


@_draw.register
def _(mark: marks.Across, to: _Target) -> None:
    _strip(to, mark.axis, mark.at, mark.at, type="line", line=_pen(mark.look))


@_draw.register
def _(mark: marks.Shade, to: _Target) -> None:
    _strip(to, mark.axis, mark.low, mark.high, type="rect", line_width=0, fillcolor=mark.color, layer="below")


def _strip(to: _Target, axis: str, low: float, high: float, **look: object) -> None:
    """Draw from one side of the panel to the other, between two values of the named axis."""
    if axis == "x":
        to.figure.add_shape(x0=low, x1=high, y0=0, y1=1, xref=to.x, yref=f"{to.y} domain", **look)
    else:
        low, high = _places(to.panel.y, [low, high])
        to.figure.add_shape(x0=0, x1=1, y0=low, y1=high, xref=f"{to.x} domain", yref=to.y, **look)


@_draw.register
def _(mark: marks.LimitLine, to: _Target) -> None:
    for part in mark.parts:
        _draw(part, to)


@_draw.register
def _(mark: marks.Note, to: _Target) -> None:
    x, y = (mark.x if mark.of_panel == "x" else _place(to.panel.x, mark.x)), mark.y
    to.figure.add_annotation(
        text=mark.words,
        x=x,
        y=y if mark.of_panel == "y" else _place(to.panel.y, y),
        xref=f"{to.x} domain" if mark.of_panel == "x" else to.x,
        yref=f"{to.y} domain" if mark.of_panel == "y" else to.y,
        xshift=mark.dx * _PX,
        yshift=mark.dy * _PX,
        xanchor=mark.ha,
        yanchor=mark.va,
        font={"color": mark.color, "size": _TEXT_PX},
        bgcolor=mark.ground,
        borderpad=1,
        showarrow=False,
    )


@_draw.register
def _(mark: marks.DoubleArrow, to: _Target) -> None:
    x = _place(to.panel.x, mark.x)
    to.figure.add_annotation(
        x=x, ax=x, y=mark.high, ay=mark.low, xref=to.x, axref=to.x, yref=to.y, ayref=to.y, text="",
        arrowside="end+start", arrowhead=2, arrowwidth=1, arrowcolor=INK,
    )  # fmt: skip

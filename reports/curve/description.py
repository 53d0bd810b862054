"""What a curve is: panels with axes, and the marks in them. Values only; nothing here draws.

Not responsible for drawing (`reports.curve.printed` as SVG, `reports.curve.interactive` for the page), nor for the
numbers, which the record holds. Lengths on paper are in points, heights of figures in inches.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from reports.style import BLUE, GREY, INK, ORANGE, RED, TINT

Numbers = Sequence[float]
Along = Literal["x", "y"]
Side = Literal["left", "center", "right"]


@dataclass(frozen=True)
class Look:
    """How a line looks: colour, width in points, and dashes."""

    color: str = BLUE
    width: float = 1.1
    dash: Literal["solid", "dashed", "dotted", "long dashes"] = "solid"


MEASURED = Look()
PROGRAMMED = Look(ORANGE, dash="dashed")
ZERO = Look(INK, 0.6)
NOMINAL = Look(INK, 0.7)
MOMENT = Look(GREY, 0.7, "dotted")
LIMIT = Look(RED, 0.9, "long dashes")


@dataclass(frozen=True)
class Line:
    """A line through points, with a marker of `marker` points at each where it is not 0."""

    name: str
    x: Numbers
    y: Numbers
    look: Look = MEASURED
    marker: float = 0.0


@dataclass(frozen=True)
class Band:
    """A largest and a smallest value over `x`, and what is between them."""

    names: tuple[str, str]
    x: Numbers
    high: Numbers
    low: Numbers


@dataclass(frozen=True)
class Steps:
    """Values that each hold from one edge to the next: one edge more than values."""

    name: str
    edges: Numbers
    values: Numbers
    look: Look = MEASURED


@dataclass(frozen=True)
class Points:
    """Single points; `u` is the expanded uncertainty of each."""

    name: str
    x: Numbers
    y: Numbers
    color: str = BLUE
    u: Numbers | None = None


@dataclass(frozen=True)
class Whisker:
    """An interval of ± `u` along the x axis, without a point."""

    name: str
    x: float
    y: float
    u: float


@dataclass(frozen=True)
class Fill:
    """The inside of bars: colour, hatching, and the colour of letters on it; `edge` is that of the outline, if any."""

    color: str
    hatch: Literal["////", "....", "xxxx"] | None = None
    ink: str = INK
    edge: str | None = None
    edge_width: float = 1.0


@dataclass(frozen=True)
class Bars:
    """Bars from `starts` to `ends` across their axis, of so much `length` beyond `bases`; along y they stand upright.

    `names` may hold one for each bar, by which it is found in the figure's file.
    """

    name: str
    starts: Numbers
    ends: Numbers
    lengths: Numbers
    along: Along = "y"
    fill: Fill = field(default_factory=lambda: Fill(BLUE))
    bases: Numbers | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Across:
    """A line across a whole panel, at a value of the named axis."""

    axis: Along
    at: float
    look: Look = ZERO


@dataclass(frozen=True)
class Shade:
    """A shaded strip across a whole panel, between two values of the named axis."""

    axis: Along
    low: float
    high: float
    color: str = TINT


@dataclass(frozen=True)
class Note:
    """Words at a place, moved by (`dx`, `dy`) points; `ha` and `va` name the side of the words that stands there.

    Where `of_panel` names an axis, the place on it is a fraction of the panel, 0 left or bottom … 1 right or top.
    """

    words: str
    x: float
    y: float
    dx: float = 0.0
    dy: float = 0.0
    ha: Side = "left"
    va: Literal["top", "center", "bottom"] = "center"
    color: str = INK
    of_panel: Along | None = None
    ground: str | None = None
    size: float = 8.5


@dataclass(frozen=True)
class Span:
    """An arrow with two heads, upright at `x`."""

    x: float
    low: float
    high: float


Mark = Line | Band | Steps | Points | Whisker | Bars | Across | Shade | Note | Span


@dataclass(frozen=True)
class Classes:
    """A scale on which each class between `edges` is a straight line as long as the difference of its `places`."""

    edges: tuple[float, ...]
    places: tuple[float, ...]


@dataclass(frozen=True)
class Axis:
    """An axis from `low` to `high` (which may be the smaller), with its name and unit.

    Ticks are chosen by the renderer; `ticks` are places with words instead, `whole` allows so many whole numbers only,
    `every` sets them so far apart. `signed` writes a plus on paper. Without `spine` there is neither line nor tick.
    """

    label: str
    low: float
    high: float
    scale: Literal["linear", "log"] | Classes = "linear"
    ticks: tuple[tuple[float, str], ...] | None = None
    whole: int | None = None
    every: float | None = None
    signed: bool = False
    grid: bool = False
    spine: bool = True


@dataclass(frozen=True)
class OtherUnit:
    """The y axis in another unit at the right: `factor` times the value, plus `offset`."""

    label: str
    factor: float
    offset: float = 0.0
    signed: bool = False


@dataclass(frozen=True)
class Panel:
    """Axes with marks, drawn in their order; `heading` stands small above it, `share` is its part of the figure."""

    x: Axis
    y: Axis
    marks: tuple[Mark, ...]
    heading: str = ""
    share: float = 1.0
    right: OtherUnit | None = None


@dataclass(frozen=True)
class Curve:
    """A figure: panels below each other with one x axis, or beside each other with one y axis.

    Attributes:
        name: of its file.
        title: above it on the interactive page; on paper the caption says more.
        alt: what it shows, for those who cannot see it.
        height_in: on paper.
        legend: how many columns a legend of the bars has on paper; 0 for none.
    """

    name: str
    title: str
    caption: str
    alt: str
    panels: tuple[Panel, ...]
    height_in: float
    beside: bool = False
    legend: int = 0


def room(values: Iterable[float], share: float = 0.05) -> tuple[float, float]:
    """Return the ends of an axis that leaves `share` of the span of its values free at both ends."""
    found = list(values)
    low, high = min(found), max(found)
    free = share * (high - low) or 0.05 * abs(high) or 0.05
    return low - free, high + free


def log_room(values: Iterable[float], share: float = 0.05) -> tuple[float, float]:
    """Return the ends of a logarithmic axis that leaves `share` of its length free at both ends."""
    low, high = room((math.log10(value) for value in values), share)
    return 10.0**low, 10.0**high


def limit_marks(at: float, words: str, *, above: bool, place: float = 1.0) -> tuple[Mark, Mark]:
    """Return a limit across a panel with its words beside it, ending at `place` (0 left … 1 right)."""
    return Across("y", at, LIMIT), Note(
        words, place, at, dy=2.0 if above else -2.0, ha="right", va="bottom" if above else "top", color=RED,
        of_panel="x",
    )  # fmt: skip

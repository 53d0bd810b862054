"""The marks of a curve: lines, steps, points, bands, bars, limits, notes. Values only; nothing here draws.

Not responsible for drawing (`reports.curve.printed` as SVG, `reports.curve.interactive` for the page), nor for the
axes around them (`reports.curve.description`). Lengths on paper are in points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from reports.style import BLUE, GREY, INK, ORANGE, RED, TINT

Numbers = Sequence[float]
Along = Literal["x", "y"]
Side = Literal["left", "center", "right"]
Hatch = Literal["/", ".", "x"]


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
    """A line through points, with a marker of `marker` points at each where it is not 0: a dot or an upright stroke."""

    name: str
    x: Numbers
    y: Numbers
    look: Look = MEASURED
    marker: float = 0.0
    symbol: Literal["o", "|"] = "o"


@dataclass(frozen=True)
class Band:
    """A largest and a smallest value over `x`, and what is between them; `marker` in points, 0 for none."""

    names: tuple[str, str]
    x: Numbers
    high: Numbers
    low: Numbers
    look: Look = MEASURED
    fill: str = TINT
    marker: float = 3.5


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
class Fill:
    """The inside of bars: colour, hatching, and the colour of letters on it; `edge` is that of the outline, if any."""

    color: str
    hatch: Hatch | None = None
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
    va: Literal["top", "middle", "bottom"] = "middle"
    color: str = INK
    of_panel: Along | None = None
    ground: str | None = None
    size: float = 8.5


@dataclass(frozen=True)
class DoubleArrow:
    """An arrow with two heads, upright at `x`."""

    x: float
    low: float
    high: float


@dataclass(frozen=True)
class LimitLine:
    """A limit across a panel with its words beside it, ending at `place` (0 left … 1 right)."""

    at: float
    words: str
    above: bool
    place: float = 1.0

    @property
    def parts(self) -> tuple[Across, Note]:
        """The line and the words."""
        va: Literal["bottom", "top"] = "bottom" if self.above else "top"
        dy = 2.0 if self.above else -2.0
        note = Note(self.words, self.place, self.at, dy=dy, ha="right", va=va, color=RED, of_panel="x")
        return Across("y", self.at, LIMIT), note


Mark = Line | Band | Steps | Points | Bars | Across | Shade | Note | DoubleArrow | LimitLine

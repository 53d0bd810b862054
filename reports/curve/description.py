"""What a curve is: panels with axes, and the marks in them. Values only; nothing here draws.

Not responsible for drawing (`reports.curve.printed` as SVG, `reports.curve.interactive` for the page), nor for the
numbers, which the record holds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reports.curve.marks import Mark


@dataclass(frozen=True)
class Classes:
    """A scale on which each class between `edges` is a straight line as long as the difference of its `places`."""

    edges: tuple[float, ...]
    places: tuple[float, ...]

    def place(self, values: ArrayLike) -> NDArray[np.float64]:
        """Return the places of values."""
        return np.asarray(np.interp(np.asarray(values), self.edges, self.places))

    def value(self, places: ArrayLike) -> NDArray[np.float64]:
        """Return the values at places."""
        return np.asarray(np.interp(np.asarray(places), self.places, self.edges))


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

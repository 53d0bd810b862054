"""The look of every figure: one palette, one type size, quiet axes, and SVG that is the same bytes each time.

Matplotlib is imported with the first figure: it takes half a second, and the colours are wanted without it, too. Not
responsible for what is drawn.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = "#1f2a33"
GREY = "#7b8791"
RULE = "#d5dbe0"
BLUE = "#1f5f99"
ORANGE = "#c8641b"
RED = "#a8261c"
TINT = "#dce8f3"

WIDTH_IN = 6.3
"""Width of the report's text block (160 mm)."""

SMALL = 8.5
"""Size in points of ticks, notes and legends."""

_METRICS_FONT = "STIXGeneral"
_PAGE_FONT = "Libertinus Serif"

_HOUSE: Any = {
    "axes.facecolor": "none",
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.labelsize": 9,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.unicode_minus": True,
    "axes.axisbelow": True,
    "figure.facecolor": "none",
    "font.family": _METRICS_FONT,
    "font.size": 9,
    "grid.color": RULE,
    "grid.linewidth": 0.4,
    "lines.linewidth": 1.1,
    "lines.markersize": 3.5,
    "svg.fonttype": "none",
    "svg.hashsalt": "report",
    "text.color": INK,
    "xtick.color": GREY,
    "xtick.labelcolor": INK,
    "xtick.labelsize": SMALL,
    "xtick.major.width": 0.6,
    "xtick.minor.size": 0,
    "ytick.color": GREY,
    "ytick.labelcolor": INK,
    "ytick.labelsize": SMALL,
    "ytick.major.width": 0.6,
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw in the house style, and leave matplotlib's own settings as they were."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_HOUSE)
        yield


def new_figure(height_in: float) -> Figure:
    """Make an empty figure as wide as the text block; no global state of pyplot."""
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH_IN, height_in), layout="constrained")


def svg(figure: Figure) -> str:
    """Write a figure as SVG, the same bytes for the same figure.

    Letters stay letters: matplotlib measures them in STIX, which it ships, and the page sets them in the report's own
    font, whose widths are close.
    """
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    canvas = FigureCanvasSVG(figure)
    buffer = io.StringIO()
    canvas.print_svg(buffer, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return buffer.getvalue().replace(_METRICS_FONT, _PAGE_FONT)


def simulated_svg(figure: str) -> str:
    """Write SIMULATED across an SVG that leaves its marked page."""
    word = (
        f'<text x="50%" y="58%" text-anchor="middle" font-family="serif" font-weight="bold" font-size="54" fill="{RED}"'
        ' fill-opacity="0.12">SIMULATED</text>\n'
    )
    head, _, tail = figure.rpartition("</svg>")
    return f"{head}{word}</svg>{tail}"

"""The curves as a page to zoom and point in: one HTML file with everything in it, by plotly.

Not responsible for the curves (`reports.kinds`) nor for drawing them (`reports.curve.interactive`). The page loads
nothing: its content security policy makes the browser refuse every address.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field

import plotly.graph_objects as go
import plotly.io
from plotly.offline import get_plotlyjs

from reports.curve.interactive import interactive
from reports.kinds import curves_of, kind_of
from reports.kinds.kind import DrawnLimits
from reports.style import INK, RED
from rig.record.analyses import Analysis

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:"
)
CONFIG = {"displaylogo": False, "responsive": True, "showSendToCloud": False}

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 Georgia, 'Times New Roman', serif; color: {ink}; max-width: 62rem; margin: 0 auto;
  padding: 1rem }}
.mark {{ position: sticky; top: 0; z-index: 9; background: #fbeeec; color: {red}; font-weight: bold; text-align: center;
  padding: .4rem; border-radius: 3px; margin: 0 }}
h2 {{ margin-top: 2.5rem; scroll-margin-top: 3rem }}
</style>
<script>{script}</script>
</head>
<body>
{marks}<h1>{title}</h1>
{body}
</body>
</html>
"""


@dataclass(frozen=True)
class Titled:
    """An analysis under its title, with the limits that are drawn."""

    title: str
    analysis: Analysis
    limits: DrawnLimits = field(default_factory=DrawnLimits)


def interactive_page(title: str, parts: Sequence[Titled], *, marks: Sequence[str], simulated: bool) -> str:
    """Draw each titled analysis on one page of HTML that needs no network; "" when none of them has a curve.

    Marks stay in sight, and SIMULATED stands in each figure too, so that a picture saved from it says so.
    """
    drawn = [(part, curves) for part in parts if (curves := curves_of(part.analysis, part.limits))]
    if not drawn:
        return ""
    links = "".join(
        f'<li><a href="#part-{number}">{html.escape(part.title)}</a></li>\n'
        for number, (part, _) in enumerate(drawn, start=1)
    )
    body = [f"<ul>\n{links}</ul>"]
    for number, (part, curves) in enumerate(drawn, start=1):
        body.append(f'<h2 id="part-{number}">{html.escape(part.title)}</h2>')
        for place, curve in enumerate(curves, start=1):
            figure = interactive(curve)
            if simulated:
                _mark_simulated(figure)
            body.append(_div(figure, f"figure-{number}-{place}"))
        if missing := kind_of(part.analysis).left_out(part.analysis):
            body.append(f"<p>{html.escape(missing)}</p>")
    said = "  ·  ".join(marks)
    return _PAGE.format(
        policy=POLICY,
        title=html.escape(title),
        ink=INK,
        red=RED,
        script=get_plotlyjs(),
        marks=f'<p class="mark">{html.escape(said)}</p>\n' if marks else "",
        body="\n".join(body),
    )


def _mark_simulated(figure: go.Figure) -> None:
    figure.add_annotation(
        text="SIMULATED", xref="paper", yref="paper", x=0.5, y=0.5, showarrow=False, textangle=-20,
        font={"size": 64, "color": "rgba(168, 38, 28, 0.10)"},
    )  # fmt: skip


def _div(figure: go.Figure, name: str) -> str:
    return str(plotly.io.to_html(figure, full_html=False, include_plotlyjs=False, config=CONFIG, div_id=name))

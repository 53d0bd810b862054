"""The curves as a page to zoom and point in: one HTML file with everything in it, by plotly.

Not responsible for the printed figures (`reports.figures`). The page loads nothing: its content security policy makes
the browser refuse every address.
"""

from __future__ import annotations

import html
from collections.abc import Sequence

import plotly.graph_objects as go
import plotly.io
from plotly.offline import get_plotlyjs
from plotly.subplots import make_subplots

from reports.analyses import Analysis, Bolus, Flow, Occlusion, Trumpet
from reports.style import BLUE, GREY, INK, ORANGE, RED, RULE, TINT

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:"
)
CONFIG = {"displaylogo": False, "responsive": True, "showSendToCloud": False}
_FONT = {"family": "Georgia, 'Times New Roman', serif", "color": INK, "size": 14}

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 Georgia, 'Times New Roman', serif; color: {ink}; max-width: 62rem; margin: 2rem auto }}
.mark {{ background: #fbeeec; color: {red}; font-weight: bold; text-align: center; padding: .4rem; border-radius: 3px }}
h2 {{ margin-top: 2.5rem }}
</style>
<script>{script}</script>
</head>
<body>
<p class="mark">{marks}</p>
<h1>{title}</h1>
{body}
</body>
</html>
"""


def interactive_page(analyses: Sequence[tuple[str, Analysis]], *, marks: Sequence[str]) -> str:
    """Draw each titled analysis on one page of HTML that needs no network."""
    body = []
    for number, (title, analysis) in enumerate(analyses, start=1):
        body.append(f"<h2>{html.escape(title)}</h2>")
        for place, figure in enumerate(figures_of(analysis), start=1):
            body.append(_div(figure, f"figure-{number}-{place}"))
    return _PAGE.format(
        policy=POLICY,
        title="Analysis of supplied data",
        ink=INK,
        red=RED,
        script=get_plotlyjs(),
        marks=html.escape("  ·  ".join(marks)),
        body="\n".join(body),
    )


def _div(figure: go.Figure, name: str) -> str:
    return str(plotly.io.to_html(figure, full_html=False, include_plotlyjs=False, config=CONFIG, div_id=name))


def figures_of(analysis: Analysis) -> list[go.Figure]:
    """Get the figures of one analysis."""
    if isinstance(analysis, Trumpet):
        return _trumpet(analysis)
    if isinstance(analysis, Bolus):
        return [_boluses(analysis), _classes(analysis)]
    if isinstance(analysis, Occlusion):
        return [_occlusion(analysis)]
    return []


def _figure(title: str, x: str, y: str) -> go.Figure:
    figure = go.Figure()
    figure.update_layout(
        title=title, font=_FONT, template="plotly_white", height=420, margin={"l": 70, "r": 20, "t": 50, "b": 60}
    )
    figure.update_xaxes(title=x, gridcolor=RULE)
    figure.update_yaxes(title=y, gridcolor=RULE)
    return figure


def _trumpet(curve: Trumpet) -> list[go.Figure]:
    trumpet = _figure("Trumpet curve", "length of the observation window / min", "flow error / %")
    for name, errors, fill in (
        ("largest error", curve.error_max_percent, None),
        ("smallest error", curve.error_min_percent, "tonexty"),
    ):
        trumpet.add_scatter(
            x=curve.windows_min, y=errors, name=name, mode="lines+markers", line={"color": BLUE}, fill=fill,
            fillcolor="rgba(31, 95, 153, 0.12)",
        )  # fmt: skip
    trumpet.add_hline(curve.overall_error_percent, line={"color": ORANGE, "dash": "dash"})
    trumpet.update_xaxes(type="log", tickvals=curve.windows_min, ticktext=[f"{each:g}" for each in curve.windows_min])
    figures = [trumpet, _flow("Flow over the analysis period", curve.flow, curve.rate_u_per_h)]
    if curve.start_up is not None:
        figures.append(_flow("Start-up", curve.start_up, curve.rate_u_per_h))
    if curve.cumulative_error_percent is not None:
        cumulative = _figure("Cumulative error", "time in the analysis period / h", "error of all so far / %")
        cumulative.add_scatter(x=curve.flow.at_h, y=curve.cumulative_error_percent, line={"color": BLUE}, name="error")
        figures.append(cumulative)
    if curve.doses_u is not None:
        doses = _figure("Single doses", "dose / U", "doses")
        doses.add_histogram(x=curve.doses_u, marker={"color": TINT, "line": {"color": BLUE, "width": 1}}, name="doses")
        figures.append(doses)
    return figures


def _flow(title: str, flow: Flow, rate_u_per_h: float) -> go.Figure:
    figure = _figure(title, "time / h", "flow / (U/h)")
    figure.add_scatter(x=flow.at_h, y=flow.flow_u_per_h, line={"color": BLUE, "shape": "vh"}, name="flow")
    figure.add_hline(rate_u_per_h, line={"color": ORANGE, "dash": "dash"})
    return figure


def _boluses(boluses: Bolus) -> go.Figure:
    figure = _figure("Boluses as weighed", "bolus number", "delivered / U")
    figure.add_scatter(
        x=list(range(1, len(boluses.delivered_u) + 1)),
        y=boluses.delivered_u,
        mode="markers",
        marker={"color": BLUE, "size": 8},
        error_y={"array": boluses.u_u, "color": GREY} if boluses.u_u else None,
        name="bolus",
    )
    figure.add_hline(boluses.programmed_u, line={"color": INK, "width": 1})
    return figure


def _classes(boluses: Bolus) -> go.Figure:
    figure = _figure("Classes of size", "% of the command", "boluses")
    figure.add_bar(x=list(boluses.bins), y=list(boluses.bins.values()), marker={"color": BLUE}, name="boluses")
    return figure


def _occlusion(test: Occlusion) -> go.Figure:
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.06)
    minutes = [(at_s - test.occluded_at_s) / 60.0 for at_s in test.trace.at_s]
    figure.add_scatter(x=minutes, y=test.trace.pressure_kpa, line={"color": BLUE}, name="line pressure", row=1, col=1)
    figure.add_scatter(x=minutes, y=test.trace.delivered_u, line={"color": ORANGE}, name="delivered", row=2, col=1)
    moments = (("closed", test.occluded_at_s), ("alarm", test.alarm_at_s), ("opened", test.released_at_s))
    for name, at_s in moments:
        if at_s is not None:
            line = {"color": GREY, "dash": "dot", "width": 1}
            figure.add_vline((at_s - test.occluded_at_s) / 60.0, line=line, annotation_text=name, row=1, col=1)
    figure.update_layout(title="Occlusion", font=_FONT, template="plotly_white", height=560, showlegend=False)
    figure.update_yaxes(title="line pressure / kPa", row=1, col=1)
    figure.update_yaxes(title="delivered / U", row=2, col=1)
    figure.update_xaxes(title="time since the outlet was closed / min", row=2, col=1)
    return figure

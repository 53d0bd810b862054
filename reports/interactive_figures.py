"""The curves of an analysis for pointing and zooming, by plotly: the same numbers as the printed figures.

Not responsible for the page around them (`reports.interactive`). Plain lists go in, so that the numbers stand in the
page as they stand in the record.
"""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from reports.analyses import Analysis, Bolus, Budgets, Flow, Occlusion, Trumpet
from reports.bolus_classes import CLASS_EDGES_PERCENT, delivered_percent
from reports.budget_figure import fills_of, shares_by_source
from reports.courses import DeliveryProfile
from reports.delivery_profile import difference_u, edges_s
from reports.drawn_limits import DrawnLimits, Ends
from reports.further_curves import nominal_dose_u
from reports.stability_figure import TIMES_S, of_the_balance
from reports.style import BLUE, GREY, INK, ORANGE, RED, RULE, TINT
from reports.words import minus, quantity, value_and_uncertainty

_FONT = {"family": "Georgia, 'Times New Roman', serif", "color": INK, "size": 14}
_DASHED = {"color": ORANGE, "dash": "dash"}
_MARGIN = {"l": 80, "r": 30, "t": 60, "b": 60}
_HATCHING = {None: "", "////": "/", "....": ".", "xxxx": "x"}


def figures_of(analysis: Analysis, limits: DrawnLimits) -> list[go.Figure]:
    """Get the figures of one analysis, each with a title; none for a kind without curves."""
    if isinstance(analysis, Trumpet):
        return _basal(analysis, limits)
    if isinstance(analysis, Bolus):
        return [_boluses(analysis, limits.bolus_u), _classes(analysis)]
    if isinstance(analysis, Occlusion):
        return [_occlusion(analysis, limits.pressure_kpa)]
    if isinstance(analysis, DeliveryProfile):
        return [_profile(analysis)]
    if isinstance(analysis, Budgets) and any(budget.rows for budget in analysis.budgets):
        return [_uncertainty(analysis)]
    return []


def _figure(title: str, x: str, y: str) -> go.Figure:
    figure = go.Figure()
    _dress(figure, title, 420)
    figure.update_xaxes(title=x, gridcolor=RULE)
    figure.update_yaxes(title=y, gridcolor=RULE)
    return figure


def _dress(figure: go.Figure, title: str, height: int) -> None:
    figure.update_layout(
        title=title, font=_FONT, template="plotly_white", height=height, margin=_MARGIN, showlegend=False
    )


def _limit_lines(figure: go.Figure, ends: Ends, name: str, unit: str) -> None:
    for end in ends:
        if end is not None:
            line = {"color": RED, "dash": "dash", "width": 1.2}
            figure.add_hline(end, line=line, annotation=_note(f"{name} {_end(end, unit)}", RED))


def _end(end: float, unit: str) -> str:
    return minus(f"{end:+g} %" if unit == "%" else f"{end:g} {unit}")


def _note(words: str, color: str) -> dict[str, Any]:
    """Get a note beside a line."""
    return {"text": words, "font": {"color": color}}


def _basal(curve: Trumpet, limits: DrawnLimits) -> list[go.Figure]:
    figures = [
        _trumpet(curve, limits),
        _flow("Flow over the analysis period", "time in the analysis period / h", curve.flow, curve),
    ]
    if curve.start_up is not None:
        figures.append(_flow("Start-up", "time since the start of the pump / h", curve.start_up, curve))
    if curve.cumulative_error_percent is not None:
        cumulative = _figure("Cumulative error", "time in the analysis period / h", "error of all so far / %")
        cumulative.add_scatter(x=curve.flow.at_h, y=curve.cumulative_error_percent, line={"color": BLUE}, name="error")
        _limit_lines(cumulative, limits.whole_percent, "limit of the whole period", "%")
        figures.append(cumulative)
    if curve.doses_u is not None and len(curve.doses_u) > 1:
        figures.append(_doses(curve))
    if curve.stability is not None:
        figures.append(_stability(curve))
    return figures


def _trumpet(curve: Trumpet, limits: DrawnLimits) -> go.Figure:
    figure = _figure("Trumpet curve", "length of the observation window / min", "flow error / %")
    for name, errors, fill in (
        ("largest error", curve.error_max_percent, None),
        ("smallest error", curve.error_min_percent, "tonexty"),
    ):
        figure.add_scatter(
            x=curve.windows_min, y=errors, name=name, mode="lines+markers", line={"color": BLUE}, fill=fill,
            fillcolor="rgba(31, 95, 153, 0.12)",
        )  # fmt: skip
    figure.add_hline(curve.overall_error_percent, line=_DASHED)
    overall = quantity(curve.overall_error_percent, "%", 2, signed=True)
    figure.update_layout(title_subtitle_text=f"whole period {overall} (dashed)")
    for window, ends in limits.windows_percent.items():
        for end in ends:
            if end is not None:
                figure.add_scatter(
                    x=[window / 1.18, window, window * 1.18], y=[end, end, end], mode="lines+text",
                    line={"color": RED}, text=["", f"limit {_end(end, '%')}", ""], textfont={"color": RED},
                    textposition="top center" if end > 0.0 else "bottom center",
                    name=f"limit of a window of {window:g} min",
                )  # fmt: skip
    ticks = {"tickvals": curve.windows_min, "ticktext": [f"{each:g}" for each in curve.windows_min]}
    figure.update_xaxes(type="log", **ticks)
    return figure


def _flow(title: str, x: str, flow: Flow, curve: Trumpet) -> go.Figure:
    """Draw means of intervals as steps; `flow` is by the ends of its intervals, so one more point begins the first."""
    figure = _figure(title, x, "flow / (U/h)")
    figure.add_scatter(
        x=[flow.at_h[0] - curve.interval_min / 60.0, *flow.at_h],
        y=[flow.flow_u_per_h[0], *flow.flow_u_per_h],
        line={"color": BLUE, "shape": "vh"},
        name=f"mean of {curve.interval_min:g} min",
    )
    figure.add_hline(curve.rate_u_per_h, line=_DASHED)
    figure.update_layout(title_subtitle_text=f"programmed {curve.rate_u_per_h:g} U/h (dashed)")
    return figure


def _doses(curve: Trumpet) -> go.Figure:
    doses_u = curve.doses_u or ()
    nominal_u, what = nominal_dose_u(curve)
    figure = _figure("Single doses", "dose / U", "doses")
    figure.add_histogram(x=doses_u, marker={"color": TINT, "line": {"color": BLUE, "width": 1}}, name="doses")
    figure.add_vline(nominal_u, line={"color": INK, "width": 1}, annotation_text=what)
    mean_u = sum(doses_u) / len(doses_u)
    figure.add_vline(mean_u, line=_DASHED, annotation=_note("mean", ORANGE), annotation_position="top left")
    return figure


def _stability(curve: Trumpet) -> go.Figure:
    assert curve.stability is not None
    times = curve.stability.averaging_s
    figure = _figure("Steadiness of flow", "averaging time", "Allan deviation of flow / (U/h)")
    figure.add_scatter(
        x=times, y=curve.stability.deviation_u_per_h, mode="lines+markers", line={"color": BLUE}, name="this delivery"
    )
    floor = of_the_balance(curve)
    if floor is not None:
        figure.add_scatter(x=times, y=floor, line=_DASHED, name="scatter of the balance’s readings alone")
        figure.update_layout(showlegend=True, legend={"x": 1, "y": 1, "xanchor": "right"})
    ticks = {"tickvals": list(TIMES_S), "ticktext": list(TIMES_S.values())}
    figure.update_xaxes(type="log", **ticks)
    figure.update_yaxes(type="log", dtick=1, exponentformat="power")
    return figure


def _boluses(boluses: Bolus, limits_u: Ends) -> go.Figure:
    figure = _figure("Boluses as weighed", "bolus number", "delivered / U")
    figure.add_scatter(
        x=list(range(1, len(boluses.delivered_u) + 1)),
        y=boluses.delivered_u,
        mode="markers",
        marker={"color": BLUE, "size": 8},
        error_y={"array": boluses.u_u, "color": GREY} if boluses.u_u else None,
        name="bolus",
    )
    command = f"command {boluses.programmed_u:g} U"
    figure.add_hline(boluses.programmed_u, line={"color": INK, "width": 1}, annotation_text=command)
    _limit_lines(figure, limits_u, "limit", "U")
    return figure


def _classes(boluses: Bolus) -> go.Figure:
    percent = delivered_percent(boluses).tolist()
    figure = make_subplots(rows=1, cols=2, column_widths=[0.68, 0.32], horizontal_spacing=0.14)
    numbers = list(range(1, len(percent) + 1))
    figure.add_scatter(x=numbers, y=percent, mode="markers", marker={"color": BLUE, "size": 8}, name="bolus")
    figure.add_hrect(95.0, 105.0, fillcolor=TINT, line_width=0, layer="below", row=1, col=1)
    figure.add_bar(
        x=list(boluses.bins.values()), y=[f"{label} %" for label in boluses.bins], orientation="h",
        marker={"color": BLUE}, text=list(boluses.bins.values()), textposition="outside", name="boluses", row=1, col=2,
    )  # fmt: skip
    _dress(figure, "Classes of size (21 CFR 880.5730 labels)", 420)
    ends = [min(90.0, min(percent) - 3.0), max(110.0, max(percent) + 3.0)]
    edges = {"tickvals": [*CLASS_EDGES_PERCENT, 100.0], "gridcolor": RULE, "range": ends}
    figure.update_yaxes(title="delivered / % of the command", row=1, col=1, **edges)
    figure.update_xaxes(title="bolus number", gridcolor=RULE, row=1, col=1)
    figure.update_xaxes(title="boluses", gridcolor=RULE, range=[0, 1.25 * max(boluses.bins.values())], row=1, col=2)
    return figure


def _occlusion(test: Occlusion, limit_kpa: float | None) -> go.Figure:
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.06)
    minutes = [(at_s - test.occluded_at_s) / 60.0 for at_s in test.trace.at_s]
    figure.add_scatter(x=minutes, y=test.trace.pressure_kpa, line={"color": BLUE}, name="line pressure", row=1, col=1)
    figure.add_scatter(x=minutes, y=test.trace.delivered_u, line={"color": BLUE}, name="delivered", row=2, col=1)
    if limit_kpa is not None:
        line = {"color": RED, "dash": "dash", "width": 1.2}
        note = _note(f"limit {_end(limit_kpa, 'kPa')}", RED)
        figure.add_hline(limit_kpa, line=line, annotation=note, annotation_position="bottom left", row=1, col=1)
    moments = (("closed", test.occluded_at_s), ("alarm", test.alarm_at_s), ("opened", test.released_at_s))
    for name, at_s in moments:
        if at_s is not None:
            line = {"color": GREY, "dash": "dot", "width": 1}
            figure.add_vline((at_s - test.occluded_at_s) / 60.0, line=line, annotation_text=name, row=1, col=1)
            figure.add_vline((at_s - test.occluded_at_s) / 60.0, line=line, row=2, col=1)
    _dress(figure, "Occlusion", 560)
    figure.update_yaxes(title="line pressure / kPa", row=1, col=1)
    figure.update_yaxes(title="delivered / U", row=2, col=1)
    figure.update_xaxes(title="time since the outlet was closed / min", row=2, col=1)
    return figure


def _profile(profile: DeliveryProfile) -> go.Figure:
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.06, row_heights=[0.62, 0.38])
    minutes = [at_s / 60.0 for at_s in profile.trace.at_s]
    figure.add_scatter(x=minutes, y=profile.trace.delivered_u, line={"color": BLUE}, name="delivered", row=1, col=1)
    course_min = [at_s / 60.0 for at_s in profile.course.at_s]
    figure.add_scatter(
        x=course_min, y=profile.course.insulin_u, mode="lines", line=_DASHED, name="programmed", row=1, col=1
    )
    difference = difference_u(profile).tolist()
    figure.add_scatter(x=minutes, y=difference, line={"color": BLUE}, name="difference", row=2, col=1)
    for edge_s in edges_s(profile):
        figure.add_vline(edge_s / 60.0, line={"color": GREY, "dash": "dot", "width": 1})
    _dress(figure, "Delivery beside its programme", 560)
    figure.update_yaxes(title="delivered / U", row=1, col=1)
    figure.update_yaxes(title="difference / U", row=2, col=1)
    figure.update_xaxes(title="time since the start of the programme / min", row=2, col=1)
    return figure


def _uncertainty(budgets: Budgets) -> go.Figure:
    bars = [budget for budget in budgets.budgets if budget.rows]
    names = [f"{b.quantity}<br>U = {value_and_uncertainty(b.value, b.expanded)[1] or 0} {b.unit}" for b in bars]
    figure = _figure("Where the uncertainty comes from", "share of the variance u² / %", "")
    for source, (fill, hatch, _) in fills_of(bars).items():
        figure.add_bar(
            y=names,
            x=[shares_by_source(budget).get(source, 0.0) for budget in bars],
            name=source,
            orientation="h",
            marker={
                "color": fill,
                "pattern": {"shape": _HATCHING.get(hatch, ""), "fgcolor": INK},
                "line": {"color": INK, "width": 0.5},
            },
            hovertemplate="%{fullData.name}: %{x:.1f} %<extra></extra>",
        )
    figure.update_layout(
        barmode="stack",
        showlegend=True,
        height=200 + 56 * len(bars),
        legend={"orientation": "h", "y": -0.3, "traceorder": "normal"},
    )
    figure.update_xaxes(range=[0, 100])
    figure.update_yaxes(autorange="reversed", automargin=True, ticksuffix="  ")
    return figure

"""The figures of a report: numbers of one analysis in, SVG out.

Not responsible for words beside a figure (`reports.sections`) nor for limits, which come with the results.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from reports.analyses import Bolus, Occlusion, Trumpet
from reports.style import BLUE, GREY, INK, ORANGE, RED, TINT, house_style, limit_line, new_figure, quiet_grid, svg
from reports.words import minus, quantity

SIGNED = FuncFormatter(lambda value, _: minus(f"{value:+g}") if value else "0")


def trumpet_figure(curve: Trumpet, window_limits: dict[float, tuple[float | None, float | None]]) -> str:
    """Draw the trumpet curve on a log axis of window lengths; `window_limits` is (low, high) in % by window in min."""
    with house_style():
        figure = new_figure(2.7)
        axes = figure.subplots()
        windows = curve.windows_min
        axes.fill_between(windows, curve.error_min_percent, curve.error_max_percent, color=TINT, linewidth=0)
        axes.plot(windows, curve.error_max_percent, "-o", color=BLUE, gid="largest-error")
        axes.plot(windows, curve.error_min_percent, "-o", color=BLUE, gid="smallest-error")
        axes.axhline(0, color=INK, linewidth=0.6)
        overall = curve.overall_error_percent
        axes.axhline(overall, color=ORANGE, linestyle=(0, (4, 2)))
        axes.set_xscale("log")
        axes.set_xlim(windows[0] / 1.2, windows[-1] * 2.9)
        axes.xaxis.set_major_locator(FixedLocator(list(windows)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_major_formatter(SIGNED)
        axes.set_xlabel("length of the observation window / min")
        axes.set_ylabel("flow error / %")
        quiet_grid(axes)
        for window, ends in window_limits.items():
            _window_limit(axes, window, *ends)
        axes.margins(y=0.12)
        _curve_labels(axes, curve)
        return svg(figure)


def _curve_labels(axes: Axes, curve: Trumpet) -> None:
    """Name the three lines at their right ends, apart from each other."""
    bottom, top = axes.get_ylim()
    apart = (top - bottom) * 0.075
    highest, overall, lowest = curve.error_max_percent[-1], curve.overall_error_percent, curve.error_min_percent[-1]
    places = (max(highest, overall + apart), overall, min(lowest, overall - apart))
    words = ("largest error", f"whole period {quantity(overall, '%', 2, signed=True)}", "smallest error")
    for y, text, color in zip(places, words, (BLUE, ORANGE, BLUE), strict=True):
        axes.annotate(
            text,
            (curve.windows_min[-1], y),
            xytext=(7, 0),
            textcoords="offset points",
            va="center",
            color=color,
            fontsize=8.5,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
        )


def _window_limit(axes: Axes, window_min: float, low: float | None, high: float | None) -> None:
    """Mark the limits that hold for one window length."""
    for limit, above in ((low, False), (high, True)):
        if limit is None:
            continue
        axes.plot([window_min / 1.18, window_min * 1.18], [limit, limit], color=RED, linewidth=1.4)
        axes.annotate(
            f"limit {quantity(limit, '%', 0 if limit == round(limit) else 1, signed=True)}",
            (window_min, limit),
            xytext=(0, 3 if above else -3),
            textcoords="offset points",
            ha="center",
            va="bottom" if above else "top",
            color=RED,
            fontsize=8.5,
        )


def flow_figure(curve: Trumpet) -> str:
    """Draw the mean flow of each sample interval over the analysis period, beside the programmed rate."""
    with house_style():
        figure = new_figure(1.75)
        axes = figure.subplots()
        interval_h = curve.interval_min / 60.0
        edges = np.concatenate([[curve.flow.at_h[0] - interval_h], curve.flow.at_h])
        axes.stairs(curve.flow.flow_u_per_h, edges.tolist(), color=BLUE, baseline=None, gid="flow")
        axes.axhline(curve.rate_u_per_h, color=ORANGE, linestyle=(0, (4, 2)))
        axes.set_xlim(float(edges[0]), float(edges[-1]))
        axes.set_xlabel("time in the analysis period / h")
        axes.set_ylabel("flow / (U/h)")
        axes.margins(y=0.15)
        axes.set_title(
            f"programmed {curve.rate_u_per_h:g} U/h (dashed), means of {curve.interval_min:g} min",
            fontsize=8.5,
            color=GREY,
            loc="right",
            pad=3,
        )
        quiet_grid(axes)
        return svg(figure)


def bolus_figure(boluses: Bolus, limits_u: tuple[float | None, float | None]) -> str:
    """Draw each bolus in U with its uncertainty, the command, and the limits of a single bolus in U."""
    with house_style():
        figure = new_figure(1.95)
        axes = figure.subplots()
        numbers = np.arange(1, len(boluses.delivered_u) + 1)
        axes.axhline(boluses.programmed_u, color=INK, linewidth=0.7)
        mean_u = float(np.mean(boluses.delivered_u))
        axes.axhline(mean_u, color=ORANGE, linestyle=(0, (4, 2)))
        axes.errorbar(numbers, boluses.delivered_u, yerr=boluses.u_u, fmt="o", color=BLUE, elinewidth=0.8, capsize=2)
        low, high = limits_u
        if high is not None:
            limit_line(axes, high, "upper limit", above=True)
        if low is not None:
            limit_line(axes, low, "lower limit", above=False)
        axes.set_xlim(0.3, numbers[-1] + 0.7)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=13))
        axes.set_xlabel("bolus number")
        axes.set_ylabel("delivered / U")
        axes.margins(y=0.16)
        axes.set_title("command (solid), mean (dashed)", fontsize=8.5, color=GREY, loc="right", pad=3)
        _percent_axis(axes, boluses.programmed_u)
        quiet_grid(axes)
        return svg(figure)


def _percent_axis(axes: Axes, programmed_u: float) -> None:
    """Add the same scale at the right as error in % of the command."""
    right = axes.secondary_yaxis(
        "right",
        functions=(
            lambda delivered: 100.0 * (np.asarray(delivered) / programmed_u - 1.0),
            lambda percent: programmed_u * (1.0 + np.asarray(percent) / 100.0),
        ),
    )
    right.spines["right"].set_visible(True)
    right.yaxis.set_major_formatter(SIGNED)
    right.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10]))
    right.set_ylabel("error / %")


def occlusion_figure(test: Occlusion, pressure_limit_kpa: float | None) -> str:
    """Draw line pressure and delivered insulin over time, with closing, alarm and opening of the line."""
    with house_style():
        figure = new_figure(2.75)
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(1.15, 1))
        minutes = (np.asarray(test.trace.at_s) - test.occluded_at_s) / 60.0
        upper.plot(minutes, test.trace.pressure_kpa, color=BLUE, gid="pressure")
        upper.set_ylabel("line pressure / kPa")
        lower.plot(minutes, test.trace.delivered_u, color=BLUE, gid="delivered")
        lower.set_ylabel("delivered / U")
        lower.set_xlabel("time since the outlet was closed / min")
        if pressure_limit_kpa is not None:
            limit_line(upper, pressure_limit_kpa, f"limit {pressure_limit_kpa:g} kPa", above=False, place=0.6)
        upper.margins(y=0.08)
        _programmed(lower, test, minutes)
        for axes in (upper, lower):
            axes.set_xlim(float(minutes[0]), float(minutes[-1]))
            quiet_grid(axes)
        _moments(figure, upper, lower, test)
        return svg(figure)


def _programmed(axes: Axes, test: Occlusion, minutes: np.ndarray) -> None:
    """Draw what would have been delivered with the outlet open, up to the alarm, and the gap it leaves."""
    if test.time_to_alarm_s is None:
        return
    at_closing = float(np.interp(0.0, minutes, test.trace.delivered_u))
    alarm_min = test.time_to_alarm_s / 60.0
    programmed = at_closing + test.rate_u_per_h * test.time_to_alarm_s / 3600.0
    axes.plot([0.0, alarm_min], [at_closing, programmed], color=ORANGE, linestyle=(0, (4, 2)))
    axes.annotate(
        "",
        (alarm_min, programmed),
        (alarm_min, programmed - test.missed_u),
        arrowprops={"arrowstyle": "<->", "lw": 0.7},
    )
    axes.annotate(
        f"missed {quantity(test.missed_u, 'U', 2)}",
        (alarm_min, programmed - test.missed_u / 2.0),
        xytext=(-4, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        fontsize=8.5,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
    )
    axes.annotate(
        "programmed",
        (alarm_min * 0.55, at_closing + (programmed - at_closing) * 0.55),
        xytext=(-5, 3),
        textcoords="offset points",
        ha="right",
        va="bottom",
        color=ORANGE,
        fontsize=8.5,
    )


def _moments(figure: Figure, upper: Axes, lower: Axes, test: Occlusion) -> None:
    """Mark closing, alarm and opening through both panels."""
    moments = (
        ("outlet closed", test.occluded_at_s),
        ("alarm", test.alarm_at_s),
        ("outlet opened", test.released_at_s),
    )
    for text, at_s in moments:
        if at_s is None:
            continue
        at = (at_s - test.occluded_at_s) / 60.0
        for axes in (upper, lower):
            axes.axvline(at, color=GREY, linewidth=0.7, linestyle=(0, (1, 2)))
        upper.annotate(
            text,
            (at, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2),
            textcoords="offset points",
            ha={"alarm": "right", "outlet opened": "left"}.get(text, "center"),
            va="bottom",
            fontsize=8.5,
        )
    figure.align_ylabels()

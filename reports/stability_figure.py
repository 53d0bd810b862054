"""The Allan deviation of flow over the averaging time, beside what the balance alone would show.

Not responsible for the numbers (`rig.analysis.allan`).
"""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

from reports.analyses import Trumpet
from reports.style import BLUE, GREY, ORANGE, house_style, new_figure, svg

TIMES_S = {1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min", 3600: "1 h", 36000: "10 h"}
"""Where the axis of averaging times is labelled."""


def stability_figure(curve: Trumpet) -> str:
    """Draw the Allan deviation on log axes, in U/h at the left and in % of the programmed rate at the right."""
    assert curve.stability is not None
    times, deviations = np.asarray(curve.stability.averaging_s), np.asarray(curve.stability.deviation_u_per_h)
    seen = deviations > 0.0  # a logarithm has no place for a flow without any deviation
    with house_style():
        figure = new_figure(2.5)
        axes = figure.subplots()
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.plot(times[seen], deviations[seen], "-o", color=BLUE, markersize=2.6, gid="stability")
        floor = of_the_balance(curve)
        if floor is not None:
            axes.plot(times, floor, color=ORANGE, linestyle=(0, (4, 2)), gid="balance")
            _name(axes, times, floor)
        _time_axis(axes, times)
        _mark_interval(axes, curve)
        axes.set_ylabel("Allan deviation of flow / (U/h)")
        axes.grid(True, axis="both", which="major")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda deviation, _: f"{deviation:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
        _percent_axis(axes, curve.rate_u_per_h)
        return svg(figure)


def of_the_balance(curve: Trumpet) -> list[float] | None:
    """Get the Allan deviation in U/h that readings with an independent scatter u make: √3 u/τ, by its definition."""
    stability = curve.stability
    if stability is None or not stability.reading_u:
        return None
    return [3600.0 * math.sqrt(3.0) * stability.reading_u / tau for tau in stability.averaging_s]


def _name(axes: Axes, times: np.ndarray, floor: list[float]) -> None:
    place = 3 * len(times) // 4
    axes.annotate(
        "scatter of the balance’s readings alone",
        (times[place], floor[place]),
        xytext=(-4, -3),
        textcoords="offset points",
        ha="right",
        va="top",
        color=ORANGE,
        fontsize=8.5,
    )


def _time_axis(axes: Axes, times: np.ndarray) -> None:
    axes.set_xlim(times[0] / 1.15, times[-1] * 1.15)
    axes.xaxis.set_major_locator(FixedLocator([at for at in TIMES_S if times[0] <= at <= times[-1]]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda at, _: TIMES_S.get(round(at), "")))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("averaging time")


def _mark_interval(axes: Axes, curve: Trumpet) -> None:
    """Mark the dose interval, at whose multiples the rhythm of the doses averages out."""
    interval_s = curve.dose_interval_s
    low, high = axes.get_xlim()
    if interval_s is None or not low < interval_s < high:
        return
    axes.axvline(interval_s, color=GREY, linewidth=0.8, linestyle=(0, (1, 2)))
    axes.annotate(
        f"dose interval {interval_s:.4g} s",
        (interval_s, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(0, 2),
        textcoords="offset points",
        ha="center",
        va="bottom",
        fontsize=8.5,
    )


def _percent_axis(axes: Axes, rate_u_per_h: float) -> None:
    right = axes.secondary_yaxis(
        "right",
        functions=(
            lambda deviation: 100.0 * np.asarray(deviation) / rate_u_per_h,
            lambda percent: rate_u_per_h * np.asarray(percent) / 100.0,
        ),
    )
    right.spines["right"].set_visible(True)
    right.yaxis.set_major_formatter(FuncFormatter(lambda percent, _: f"{percent:g}"))
    right.yaxis.set_minor_formatter(NullFormatter())
    right.set_ylabel("% of the rate")

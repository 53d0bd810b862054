"""Speed of the analyses: 72 h at 10 Hz, beside a loop over windows and pandas rolling.

The full window set is the trumpet curve, windows of an hour, the start-up curve, and the cumulative volume with its
values after 1, 6 and 12 h. Run by `python -m suites.studies.bench.bench_analysis`. Not responsible for correctness:
suites/selftest is.
"""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rig.analysis.flow import hourly_windows, start_up_curve, volume_after_h
from rig.analysis.gravimetry import corrected_volume_ul
from rig.analysis.trumpet import AMBULATORY, trumpet_curve
from rig.clock import WallClock

SAMPLES_PER_MIN = 600
SAMPLES = 72 * 60 * SAMPLES_PER_MIN + 1
RATE_ML_PER_H = 0.01
DENSITY = 0.998
START_UP_MIN = 120.0
VOLUMES_H = (1.0, 6.0, 12.0)
LOOKED_AT = 300
"""The loop visits so many windows of each length; its time is scaled to all of them, which would take minutes."""
TARGET = "target: below 0.25 s and 300 MB"

SECONDS = np.arange(SAMPLES) * (60.0 / SAMPLES_PER_MIN)

Samples = NDArray[np.float64]


def record_g() -> Samples:
    """72 h of 1 U/h at 10 Hz with 3 µg of noise, in g."""
    steady = np.arange(SAMPLES) * (RATE_ML_PER_H * DENSITY / 60 / SAMPLES_PER_MIN)
    return 50.0 + steady + np.random.default_rng(1).normal(0, 3e-6, SAMPLES)


def trumpet(mass_g: Samples) -> list[float]:
    """The largest error of each window length by `trumpet_curve`."""
    curve = trumpet_curve(mass_g, interval_min=1 / SAMPLES_PER_MIN, rate_ml_per_h=RATE_ML_PER_H)
    return [float(error) for error in curve.error_max_percent]


def full_set(mass_g: Samples) -> list[float]:
    """All of the full window set; returns what the peers compute too."""
    interval_min = 1 / SAMPLES_PER_MIN
    hourly = hourly_windows(mass_g, interval_min=interval_min, rate_ml_per_h=RATE_ML_PER_H)
    start_up_curve(mass_g, interval_min=interval_min, duration_min=START_UP_MIN)
    cumulative = corrected_volume_ul(SECONDS, mass_g, z_ul_per_mg=1 / DENSITY)
    after = volume_after_h(VOLUMES_H, mass_g, interval_min=interval_min)
    return [*trumpet(mass_g), hourly.mean_percent, hourly.sd_percent, float(cumulative[-1]), *after.tolist()]


def loop_seconds(mass_g: Samples) -> float:
    """The time in s of a plain loop that averages the flow errors of each window, scaled to all windows."""
    clock, error, total_s = WallClock(), _errors(mass_g), 0.0
    for window_min in AMBULATORY.windows_min:
        span = round(window_min * SAMPLES_PER_MIN)
        begin = clock.now()
        largest = max(error[start : start + span].mean() for start in range(LOOKED_AT))
        total_s += (clock.now() - begin) * (error.size - span + 1) / LOOKED_AT
        if not np.isfinite(largest):
            raise RuntimeError("the loop lost its numbers")
    return total_s


def pandas_trumpet(mass_g: Samples) -> list[float]:
    """The largest error of each window length by `Series.rolling(...).mean()`."""
    import pandas as pd  # type: ignore[import-untyped,unused-ignore]

    error = pd.Series(_errors(mass_g))
    return [float(error.rolling(round(w * SAMPLES_PER_MIN)).mean().max()) for w in AMBULATORY.windows_min]


def pandas_full_set(mass_g: Samples) -> list[float]:
    """The full window set by pandas: rolling means, hours by `groupby`, the cumulative volume by `cumsum`."""
    import pandas as pd

    error, per_hour = pd.Series(_errors(mass_g)), 60 * SAMPLES_PER_MIN
    hours = error.groupby(error.index // per_hour).mean()
    flow = (error / 100.0 + 1.0) * RATE_ML_PER_H
    flow.iloc[: round(START_UP_MIN * SAMPLES_PER_MIN)].to_numpy(copy=True)
    volume_ul = flow.cumsum() * 1000.0 / per_hour
    after = [float(volume_ul.iloc[round(h * per_hour) - 1]) for h in VOLUMES_H]
    return [*pandas_trumpet(mass_g), float(hours.mean()), float(hours.std()), float(volume_ul.iloc[-1]), *after]


def _errors(mass_g: Samples) -> Samples:
    flow = np.diff(mass_g) * (60 * SAMPLES_PER_MIN / DENSITY)
    return np.asarray(100.0 * (flow - RATE_ML_PER_H) / RATE_ML_PER_H)


def timed(work: Callable[[Samples], list[float]], mass_g: Samples) -> tuple[float, list[float]]:
    """The best of three times in s, and the result."""
    clock, best = WallClock(), float("inf")
    for _ in range(3):
        begin = clock.now()
        result = work(mass_g)
        best = min(best, clock.now() - begin)
    return best, result


def peak_mb(work: Callable[[Samples], list[float]], mass_g: Samples) -> float:
    """The most memory in MB that the work holds at once, the samples not counted."""
    tracemalloc.start()
    work(mass_g)
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return peak


def bench_analysis() -> list[str]:
    """The lines to print."""
    mass_g = record_g()
    lines, slow_s = [], loop_seconds(mass_g)
    cases = (
        (f"trumpet curve, {len(AMBULATORY.windows_min)} window lengths", trumpet, pandas_trumpet),
        (f"full window set ({TARGET})", full_set, pandas_full_set),
    )
    for title, ours, pandas in cases:
        ours_s, result = timed(ours, mass_g)
        lines += [
            f"{title}, {SAMPLES:,} samples (best of three)",
            f"  rig.analysis       {ours_s:10.4f} s   {peak_mb(ours, mass_g):.1f} MB beside the "
            f"{mass_g.nbytes / 1e6:.1f} MB of samples",
            f"  loop over windows  {slow_s:10.1f} s   {slow_s / ours_s:,.0f} times as long "
            f"(the trumpet curve alone, scaled up from {LOOKED_AT} windows of each length)",
            *_beside(pandas, mass_g, ours_s, result),
        ]
    return lines


def _beside(pandas: Callable[[Samples], list[float]], mass_g: Samples, ours_s: float, ours: list[float]) -> list[str]:
    try:
        pandas_s, theirs = timed(pandas, mass_g)
    except ModuleNotFoundError:
        return ["  pandas             not installed"]
    apart = max(abs(a - b) for a, b in zip(ours, theirs, strict=True))
    return [
        f"  pandas rolling     {pandas_s:10.4f} s   {pandas_s / ours_s:,.0f} times as long, "
        f"{peak_mb(pandas, mass_g):.1f} MB (results {apart:.1e} % or µL apart)"
    ]


if __name__ == "__main__":
    sys.stdout.write("\n".join(bench_analysis()) + "\n")

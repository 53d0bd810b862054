"""Speed of the trumpet curve: 72 h at 10 Hz, the full window set, beside a loop over windows and pandas rolling.

Run by `python -m suites.bench.bench_analysis`. Not responsible for correctness: suites/selftest is.
"""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rig.analysis.trumpet import AMBULATORY, trumpet_curve
from rig.clock import WallClock

SAMPLES_PER_MIN = 600
SAMPLES = 72 * 60 * SAMPLES_PER_MIN + 1
RATE_ML_PER_H = 0.01
LOOKED_AT = 300
"""The loop visits so many windows of each length; its time is scaled to all of them, which would take minutes."""


def record_g() -> NDArray[np.float64]:
    """Get 72 h of 1 U/h at 10 Hz with 3 µg of noise, in g."""
    steady = np.arange(SAMPLES) * (RATE_ML_PER_H * 0.998 / 60 / SAMPLES_PER_MIN)
    return 50.0 + steady + np.random.default_rng(1).normal(0, 3e-6, SAMPLES)


def ours(mass_g: NDArray[np.float64]) -> list[float]:
    """Get the largest error of each window length by `trumpet_curve`."""
    curve = trumpet_curve(mass_g, interval_min=1 / SAMPLES_PER_MIN, rate_ml_per_h=RATE_ML_PER_H)
    return [float(error) for error in curve.error_max_percent]


def loop_seconds(mass_g: NDArray[np.float64]) -> float:
    """Get the time in s of a plain loop that averages the flow errors of each window, scaled to all windows."""
    clock, error, total_s = WallClock(), _errors(mass_g), 0.0
    for window_min in AMBULATORY.windows_min:
        span = round(window_min * SAMPLES_PER_MIN)
        begin = clock.now()
        largest = max(error[start : start + span].mean() for start in range(LOOKED_AT))
        total_s += (clock.now() - begin) * (error.size - span + 1) / LOOKED_AT
        if not np.isfinite(largest):
            raise RuntimeError("the loop lost its numbers")
    return total_s


def pandas_rolling(mass_g: NDArray[np.float64]) -> list[float]:
    """Get the largest error of each window length by `Series.rolling(...).mean()`."""
    import pandas as pd  # type: ignore[import-untyped,unused-ignore]

    error = pd.Series(_errors(mass_g))
    return [float(error.rolling(round(w * SAMPLES_PER_MIN)).mean().max()) for w in AMBULATORY.windows_min]


def _errors(mass_g: NDArray[np.float64]) -> NDArray[np.float64]:
    flow = np.diff(mass_g) * (60 * SAMPLES_PER_MIN / 0.998)
    return np.asarray(100.0 * (flow - RATE_ML_PER_H) / RATE_ML_PER_H)


def timed(work: Callable[[NDArray[np.float64]], list[float]], mass_g: NDArray[np.float64]) -> tuple[float, list[float]]:
    """Get the best of three times in s, and the result."""
    clock, best = WallClock(), float("inf")
    for _ in range(3):
        begin = clock.now()
        result = work(mass_g)
        best = min(best, clock.now() - begin)
    return best, result


def bench_analysis() -> list[str]:
    """Get the lines to print."""
    mass_g = record_g()
    tracemalloc.start()
    ours(mass_g)
    extra_mb = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    ours_s, curve = timed(ours, mass_g)
    lines = [
        f"trumpet curve, {SAMPLES:,} samples, {len(curve)} window lengths (best of three)",
        f"  trumpet_curve      {ours_s:10.4f} s   {extra_mb:.1f} MB beside the {mass_g.nbytes / 1e6:.1f} MB of samples",
    ]
    slow_s = loop_seconds(mass_g)
    lines.append(
        f"  loop over windows  {slow_s:10.1f} s   {slow_s / ours_s:,.0f} times as long "
        f"(scaled up from {LOOKED_AT} windows of each length)"
    )
    try:
        rolling_s, rolling = timed(pandas_rolling, mass_g)
    except ModuleNotFoundError:
        return [*lines, "  pandas rolling     not installed"]
    apart = max(abs(a - b) for a, b in zip(curve, rolling, strict=True))
    lines.append(
        f"  pandas rolling     {rolling_s:10.4f} s   {rolling_s / ours_s:,.0f} times as long "
        f"(results {apart:.1e} percentage points apart)"
    )
    return lines


if __name__ == "__main__":
    sys.stdout.write("\n".join(bench_analysis()) + "\n")

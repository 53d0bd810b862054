"""Flow from masses: the series itself, the start-up curve, errors of periods, statistics of consecutive windows.

Not responsible for extremes over overlapping windows (`trumpet`), nor for corrections of the masses (`gravimetry`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rig.analysis.checks import FloatArray, frozen, positive, series, timed_series, whole_multiple
from rig.analysis.resample import resampled
from rig.analysis.trumpet import known_masses

SECONDS_PER_MINUTE = 60.0
MINUTES_PER_HOUR = 60.0
UL_PER_ML = 1000.0
BANDS_PERCENT = (5.0, 10.0, 15.0, 20.0, 30.0)
ROUNDING_PERCENT = 1e-9
"""A window whose error is 5 % but for the last bits of a double counts as within ±5 %."""


def flow_ul_per_h(mass_g: ArrayLike, *, interval_min: float, density_g_per_ml: float = 0.998) -> FloatArray:
    """The flow in µL/h of each interval, shape (n,), from n + 1 masses in g.

    IEC 60601-2-24 (method): Qi = 60 (Wi − Wi−1)/(S d), here in µL/h.

    Raises:
        ValueError: with a sentence, on masses that are not finite numbers or on an interval or density not above 0.
    """
    interval_min = positive("interval_min", interval_min)
    density_g_per_ml = positive("density_g_per_ml", density_g_per_ml)
    mass = series("mass_g", mass_g, at_least=2)
    return np.diff(mass) * (MINUTES_PER_HOUR * UL_PER_ML / (interval_min * density_g_per_ml))


@dataclass(frozen=True, eq=False)
class StartUpCurve:
    """Flow in µL/h beside the end of its interval in min from the start; arrays of shape (n,), read-only."""

    at_min: FloatArray
    flow_ul_per_h: FloatArray


def start_up_curve(
    mass_g: ArrayLike, *, interval_min: float, duration_min: float, density_g_per_ml: float = 0.998
) -> StartUpCurve:
    """The flow in µL/h over the first `duration_min`, as IEC 60601-2-24 (method) plots it.

    Raises:
        ValueError: as `flow_ul_per_h`, or a duration that is no multiple of the interval or longer than the record.
    """
    count = whole_multiple(
        "duration_min", positive("duration_min", duration_min), "interval_min", positive("interval_min", interval_min)
    )
    mass = series("mass_g", mass_g, at_least=count + 1)[: count + 1]
    flow = flow_ul_per_h(mass, interval_min=interval_min, density_g_per_ml=density_g_per_ml)
    return StartUpCurve(frozen(interval_min * np.arange(1.0, count + 1)), frozen(flow))


def start_up_of_record(
    at_s: ArrayLike,
    mass_g: ArrayLike,
    *,
    start_s: float,
    duration_min: float,
    interval_min: float,
    longest_gap_s: float,
    density_g_per_ml: float = 0.998,
) -> StartUpCurve | None:
    """The flow in µL/h of each whole interval from `start_s` on, on straight lines between samples.

    Args:
        at_s: (n,) times in s, rising.
        mass_g: (n,) masses in g.
        start_s: the pump was started.
        duration_min: how long to look; a part of an interval at its end is left out.
        interval_min: S.
        longest_gap_s: samples further apart have no line between them.
        density_g_per_ml: of the fluid.

    Returns:
        None when the duration holds no whole interval.

    Raises:
        ValueError: as `resampled` and `flow_ul_per_h`.
    """
    intervals = int(duration_min / positive("interval_min", interval_min) + 1e-9)
    if intervals < 1:
        return None
    times, mass = timed_series(at_s, "mass_g", mass_g)
    grid_s = np.minimum(start_s + SECONDS_PER_MINUTE * interval_min * np.arange(intervals + 1), times[-1])
    return start_up_curve(
        resampled(times, mass, grid_s=grid_s, longest_gap_s=longest_gap_s),
        interval_min=interval_min,
        duration_min=intervals * interval_min,
        density_g_per_ml=density_g_per_ml,
    )


def period_error_percent(
    mass_g: ArrayLike,
    *,
    interval_min: float,
    rate_ml_per_h: float,
    start_min: float,
    duration_min: float,
    density_g_per_ml: float = 0.998,
) -> float:
    """The flow error in % from `start_min` over `duration_min`: A over T1, B over T2.

    IEC 60601-2-24 (method): A = 100 (Q − r)/r with Q = 60 (Wj − Wk)/(T d).

    Raises:
        ValueError: as `flow_ul_per_h`, or a period that is not whole intervals or not inside the record.
    """
    interval_min = positive("interval_min", interval_min)
    count = whole_multiple("duration_min", positive("duration_min", duration_min), "interval_min", interval_min)
    first = 0
    if start_min != 0:
        first = whole_multiple("start_min", positive("start_min", start_min), "interval_min", interval_min)
    mass = series("mass_g", mass_g, at_least=first + count + 1)
    expected_g = (
        positive("rate_ml_per_h", rate_ml_per_h)
        * positive("density_g_per_ml", density_g_per_ml)
        * (count * interval_min / MINUTES_PER_HOUR)
    )
    return float(100.0 * ((mass[first + count] - mass[first]) / expected_g - 1.0))


@dataclass(frozen=True, eq=False)
class WindowStatistics:
    """Flow errors in % of consecutive windows that do not overlap.

    Attributes:
        window_min: length of a window.
        error_percent: (n,) error of each window in the order of time, read-only.
        mean_percent: their mean.
        sd_percent: their standard deviation (n − 1).
        bands_percent: half-widths of the bands, 5 to 30 %.
        share_within_percent: share of windows, in %, whose error lies within ± each band, ends included.
        dropped_min: what is left at the end of the record and fills no window.
    """

    window_min: float
    error_percent: FloatArray
    mean_percent: float
    sd_percent: float
    bands_percent: tuple[float, ...]
    share_within_percent: tuple[float, ...]
    dropped_min: float


def hourly_windows(
    mass_g: ArrayLike,
    *,
    interval_min: float,
    rate_ml_per_h: float,
    density_g_per_ml: float = 0.998,
    window_min: float = MINUTES_PER_HOUR,
    known: ArrayLike | None = None,
) -> WindowStatistics:
    """Mean, SD and shares within ±5, 10, 15, 20, 30 % of consecutive windows of 1 h (or `window_min`).

    The windows do not overlap, so that each stretch of delivery counts once; a trumpet curve shows extremes only. A
    window that begins or ends at a mass that is not `known` (as in `trumpet_curve`) is left out.

    Raises:
        ValueError: as `trumpet_curve`, or a record that holds fewer than two windows.
    """
    interval_min = positive("interval_min", interval_min)
    rate_ml_per_h = positive("rate_ml_per_h", rate_ml_per_h)
    density_g_per_ml = positive("density_g_per_ml", density_g_per_ml)
    window_min = positive("window_min", window_min)
    span = whole_multiple("window_min", window_min, "interval_min", interval_min)
    mass = series("mass_g", mass_g, at_least=2 * span + 1)
    expected_g = rate_ml_per_h * density_g_per_ml * (span * interval_min / MINUTES_PER_HOUR)
    error = 100.0 * (np.diff(mass[::span]) / expected_g - 1.0)
    dropped = mass.size - 1 - error.size * span
    if (chosen := known_masses(mass, known)) is not None:
        ends = chosen[::span]
        error = error[ends[1:] & ends[:-1]]
        if error.size < 2:
            raise ValueError(f"gaps between readings leave {error.size} windows of {window_min:g} min")
    return WindowStatistics(
        window_min=window_min,
        error_percent=frozen(error),
        mean_percent=float(error.mean()),
        sd_percent=float(error.std(ddof=1)),
        bands_percent=BANDS_PERCENT,
        share_within_percent=tuple(
            float(100.0 * np.mean(np.abs(error) <= band + ROUNDING_PERCENT)) for band in BANDS_PERCENT
        ),
        dropped_min=dropped * interval_min,
    )


def volume_after_h(
    at_h: ArrayLike, mass_g: ArrayLike, *, interval_min: float, density_g_per_ml: float = 0.998
) -> FloatArray:
    """The volume in µL delivered from the first sample until each of `at_h`, shape of `at_h`.

    21 CFR 880.5730 labels state it at 1, 6 and 12 h, counted from the start without warm-up.

    Raises:
        ValueError: as `flow_ul_per_h`, or a time that is not whole intervals or after the record's end.
    """
    interval_min = positive("interval_min", interval_min)
    density_g_per_ml = positive("density_g_per_ml", density_g_per_ml)
    mass = series("mass_g", mass_g, at_least=2)
    volumes = []
    for hours in series("at_h", at_h):
        minutes = positive("each of at_h", float(hours)) * MINUTES_PER_HOUR
        index = whole_multiple("each of at_h (in min)", minutes, "interval_min", interval_min)
        if index >= mass.size:
            raise ValueError(f"mass_g is too short: it ends before {hours:g} h")
        volumes.append((mass[index] - mass[0]) * UL_PER_ML / density_g_per_ml)
    return np.array(volumes)

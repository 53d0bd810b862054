"""The trumpet curve: the largest and smallest flow error of any window of a given length.

Not responsible for corrections of the masses (`gravimetry`), for limits, nor for choosing the analysis period: the
caller hands over the samples of T1 or T2 and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rig.analysis.checks import FloatArray, frozen, positive, series, whole_multiple

MINUTES_PER_HOUR = 60.0
BLOCK = 1 << 16
"""Windows looked at in one go: 0.5 MB of differences, which stays in the processor's cache."""


@dataclass(frozen=True, eq=False)
class TrumpetMethod:
    """Sample interval, windows and periods of a kind of pump, in min; to be printed with each curve.

    IEC 60601-2-24 (method). Edition 2 leaves the sample interval to the laboratory, so all of these are parameters.
    """

    family: str
    interval_min: float
    windows_min: tuple[float, ...]
    stabilisation_min: float
    analysis_min: float


AMBULATORY = TrumpetMethod("ambulatory (insulin)", 15.0, (15, 60, 150, 330, 570, 930), 24 * 60.0, 25 * 60.0)
VOLUMETRIC = TrumpetMethod("volumetric or syringe", 0.5, (2, 5, 11, 19, 31), 120.0, 60.0)


@dataclass(frozen=True, eq=False)
class TrumpetCurve:
    """Extreme flow errors in % by window length in min; arrays of shape (number of windows,), read-only.

    Attributes:
        windows_min: lengths P, in the order asked for.
        error_max_percent: Ep(max), the most delivering window of each length.
        error_min_percent: Ep(min), the least delivering window of each length.
        windows_counted: overlapping windows that were compared for each length, m = (T − P)/S + 1 where all are known.
        overall_error_percent: A (or B), the error over the whole period T.
        interval_min: S.
        period_min: T.
        rate_ml_per_h: the programmed rate r.
        density_g_per_ml: d.
    """

    windows_min: FloatArray
    error_max_percent: FloatArray
    error_min_percent: FloatArray
    windows_counted: tuple[int, ...]
    overall_error_percent: float
    interval_min: float
    period_min: float
    rate_ml_per_h: float
    density_g_per_ml: float


def trumpet_curve(
    mass_g: ArrayLike,
    *,
    interval_min: float,
    rate_ml_per_h: float,
    density_g_per_ml: float = 0.998,
    windows_min: Sequence[float] = AMBULATORY.windows_min,
    known: ArrayLike | None = None,
) -> TrumpetCurve:
    """The extreme flow errors in % over all overlapping windows, stepped by one sample interval.

    IEC 60601-2-24 (method): Ep = extreme over j of (S/P) Σ 100 (Qi − r)/r. The sum telescopes, so that each window is
    one difference of two masses: 100 (Δm/(r d P/60) − 1). That rounds once where the sum rounds P/S times.

    Args:
        mass_g: (n + 1,) masses in g at the ends of n intervals, corrected for evaporation.
        interval_min: S, from sample to sample, in min.
        rate_ml_per_h: the programmed rate r.
        density_g_per_ml: d; 0.998 g/mL is the standard's value, which leaves out the buoyancy of air.
        windows_min: lengths P, each a whole multiple of S and no longer than the record.
        known: (n + 1,) which of the masses are known, the first and last among them; a window that begins or ends at
            another is left out. None for all.

    Raises:
        ValueError: with a sentence, on input that is not the above, or where more than half of the windows of a length
            are left out.
    """
    interval_min = positive("interval_min", interval_min)
    rate_ml_per_h = positive("rate_ml_per_h", rate_ml_per_h)
    density_g_per_ml = positive("density_g_per_ml", density_g_per_ml)
    lengths = _lengths_min(windows_min)
    mass = series("mass_g", mass_g, at_least=2)
    intervals = mass.size - 1
    spans = [_intervals(length, interval_min, intervals) for length in lengths]
    g_per_interval = rate_ml_per_h * density_g_per_ml * interval_min / MINUTES_PER_HOUR
    chosen = known_masses(mass, known)
    counted = [_known_windows(chosen, mass.size - span, span, interval_min) for span in spans]
    extremes = np.array([_extreme_differences(mass, span, chosen) for span in spans])
    errors = 100.0 * (extremes / (np.array(spans)[:, None] * g_per_interval) - 1.0)
    overall = 100.0 * ((mass[-1] - mass[0]) / (intervals * g_per_interval) - 1.0)
    return TrumpetCurve(
        windows_min=frozen(lengths),
        error_max_percent=frozen(errors[:, 1].copy()),
        error_min_percent=frozen(errors[:, 0].copy()),
        windows_counted=tuple(counted),
        overall_error_percent=float(overall),
        interval_min=interval_min,
        period_min=intervals * interval_min,
        rate_ml_per_h=rate_ml_per_h,
        density_g_per_ml=density_g_per_ml,
    )


def dose_cycles_per_window(windows_min: Sequence[float], *, dose_interval_min: float) -> FloatArray:
    """How many dose intervals each window holds, shape (number of windows,).

    Where this is not a whole number, pulse quantisation shows as flow error and must be said beside the curve.
    """
    return _lengths_min(windows_min) / positive("dose_interval_min", dose_interval_min)


def _lengths_min(windows_min: Sequence[float]) -> FloatArray:
    lengths = series("windows_min", windows_min).copy()
    for length in lengths:
        positive("each of windows_min", float(length))
    return lengths


def _intervals(length_min: float, interval_min: float, available: int) -> int:
    span = whole_multiple("each of windows_min", float(length_min), "interval_min", interval_min)
    if span > available:
        raise ValueError(
            f"mass_g is too short: {available} intervals of {interval_min:g} min are {available * interval_min:g} min, "
            f"the window is {length_min:g} min"
        )
    return span


def known_masses(mass: FloatArray, known: ArrayLike | None) -> NDArray[np.bool_] | None:
    """Which masses are known, shape of `mass`; None for all. ValueError where the first or last is not, or the shape.

    The ends are those of the whole period, whose error has no other.
    """
    if known is None:
        return None
    chosen = np.asarray(known, dtype=np.bool_)
    if chosen.shape != mass.shape:
        raise ValueError(f"known must have the shape of mass_g, {mass.shape}, got {chosen.shape}")
    for end, what in ((0, "first"), (-1, "last")):
        if not chosen[end]:
            raise ValueError(f"the {what} mass of the period is not known: a gap between readings lies there")
    return None if chosen.all() else chosen


def _known_windows(known: NDArray[np.bool_] | None, windows: int, span: int, interval_min: float) -> int:
    """Count the windows of a length whose ends are known; `known` holds for each mass, None for all."""
    if known is None:
        return windows
    counted = int(np.count_nonzero(known[span:] & known[:windows]))
    if 2 * counted < windows:
        raise ValueError(
            f"gaps between readings leave {counted} of {windows} windows of {span * interval_min:g} min: fewer than "
            "half say nothing of the others"
        )
    return counted


def _extreme_differences(mass: FloatArray, span: int, known: NDArray[np.bool_] | None) -> tuple[float, float]:
    """The least and the largest of mass[i + span] − mass[i] of known masses, block by block."""
    count = mass.size - span
    buffer = np.empty(min(BLOCK, count))
    least, largest = np.inf, -np.inf
    for start in range(0, count, BLOCK):
        stop = min(start + BLOCK, count)
        difference = np.subtract(mass[start + span : stop + span], mass[start:stop], out=buffer[: stop - start])
        if known is not None:
            difference = difference[known[start + span : stop + span] & known[start:stop]]
        least = min(least, difference.min(initial=np.inf))
        largest = max(largest, difference.max(initial=-np.inf))
    return float(least), float(largest)

"""Boluses weighed one by one: when the plateau is reached, what each delivered, how a series of them scatters.

Not responsible for waiting (procedures), for limits, nor for the full uncertainty budget (`uncertainty`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rig.analysis.checks import FloatArray, finite, frozen, not_negative, positive, series, timed_series
from rig.analysis.gravimetry import MG_PER_G, SECONDS_PER_HOUR

BINS_PERCENT = (25.0, 75.0, 95.0, 105.0, 125.0, 175.0, 250.0)
"""Edges of the eight classes of 21 CFR 880.5730 labels, in % of the command: <25, 25–<75, 75–<95, 95–<105, 105–<125,
125–<175, 175–250, >250."""

ROUNDING_DECIMALS = 9
"""A bolus of 95 % but for the last bits of a double belongs to 95–<105 %."""


def plateau_reached(
    at_s: ArrayLike,
    mass_g: ArrayLike,
    *,
    span_s: float,
    tolerance_g: float,
    evaporation_g_per_h: float = 0.0,
    longest_gap_s: float = math.inf,
) -> bool:
    """Decide whether a bolus has come to its end: over the last `span_s` the mass changed by no more than allowed.

    The change is that of the least-squares line over the span, with evaporation added back; single readings would
    decide by their noise. For a tail that fades with time constant τ, what is still to come is at most the change seen
    over a span of 0.7 τ or longer, so that `tolerance_g` bounds what is cut off. With n readings of noise s in the
    span the change is known to 3.5 s/√n: a tolerance below that is never reached by a noisy balance.

    Args:
        at_s: (n,) times in s, rising.
        mass_g: (n,) readings in g.
        span_s: how far to look back from the last reading.
        tolerance_g: largest change over the span that counts as none.
        evaporation_g_per_h: what the vessel loses meanwhile.
        longest_gap_s: readings of the span further apart show no rest between them.

    Returns:
        False also while the record is shorter than the span, has fewer than three readings in it, or a longer gap.

    Raises:
        ValueError: with a sentence, on input that is not the above.
    """
    times, mass = timed_series(at_s, "mass_g", mass_g, at_least=1)
    span_s, tolerance_g = positive("span_s", span_s), positive("tolerance_g", tolerance_g)
    evaporation = finite("evaporation_g_per_h", evaporation_g_per_h) / SECONDS_PER_HOUR
    start = times[-1] - span_s
    if times[0] > start:
        return False
    recent = times >= start - 1e-9 * span_s
    if np.count_nonzero(recent) < 3:
        return False
    if float(np.diff(times[max(int(np.argmax(recent)) - 1, 0) :]).max()) > longest_gap_s:
        return False
    return bool(abs((_slope(times[recent], mass[recent]) + evaporation) * span_s) <= tolerance_g)


def _slope(times: FloatArray, values: FloatArray) -> float:
    centred = times - times.mean()
    return float(centred @ (values - values[0])) / float(centred @ centred)


@dataclass(frozen=True)
class WeighedBolus:
    """One bolus: its volume in µL with standard uncertainty, and the part that came after its planned end.

    `u_ul` holds the scatter of the readings and the evaporation; calibration and Z are common to all boluses of a
    series and belong to its budget (`uncertainty`). That needs `rest_s`, the time between the middles of the two rests,
    and `readings`, of the shorter rest.
    """

    volume_ul: float
    u_ul: float
    tail_ul: float
    tail_percent: float
    rest_s: float
    readings: int


def weigh_bolus(
    at_s: ArrayLike,
    mass_g: ArrayLike,
    *,
    start_s: float,
    planned_end_s: float,
    plateau_s: float,
    z_ul_per_mg: float,
    evaporation_g_per_h: float = 0.0,
    u_evaporation_g_per_h: float = 0.0,
) -> WeighedBolus:
    """The volume of one bolus in µL from the mean readings before its start and after its plateau was reached.

    V = [(m̄2 − m̄1) + e (t̄2 − t̄1)] Z. u² = (s1²/n1 + s2²/n2 + ((t̄2 − t̄1) u(e))²) Z², s the standard deviation of the
    readings about their mean; with one reading on a side, its scatter is taken from the other.

    Args:
        at_s: (n,) times in s, rising.
        mass_g: (n,) readings in g, from a rest before the bolus to a rest after it.
        start_s: the bolus was commanded; readings up to then are "before".
        planned_end_s: it should have ended.
        plateau_s: readings from then on are "after".
        z_ul_per_mg: `gravimetry.z_factor_ul_per_mg`.
        evaporation_g_per_h: what the vessel loses.
        u_evaporation_g_per_h: its standard uncertainty.

    Raises:
        ValueError: with a sentence, on input that is not the above, times out of order, or no reading on one side.
    """
    times, mass = timed_series(at_s, "mass_g", mass_g)
    z = positive("z_ul_per_mg", z_ul_per_mg) * MG_PER_G
    evaporation = finite("evaporation_g_per_h", evaporation_g_per_h) / SECONDS_PER_HOUR
    u_evaporation = not_negative("u_evaporation_g_per_h", u_evaporation_g_per_h) / SECONDS_PER_HOUR
    if not start_s <= planned_end_s <= plateau_s:
        raise ValueError(
            f"a bolus starts, ends and settles in this order, got {start_s:g}, {planned_end_s:g} and {plateau_s:g} s"
        )
    before, after = times <= start_s, times >= plateau_s
    for side, name in ((before, f"before {start_s:g} s"), (after, f"after {plateau_s:g} s")):
        if not side.any():
            raise ValueError(f"there is no reading {name}")
    dry = mass - mass[0] + evaporation * (times - times[0])
    volume = (dry[after].mean() - dry[before].mean()) * z
    at_planned_end = (np.interp(planned_end_s, times, dry) - dry[before].mean()) * z
    rest_s = float(times[after].mean() - times[before].mean())
    u_g = np.sqrt(_variance_of_means(dry[before], dry[after]) + (rest_s * u_evaporation) ** 2)
    tail = float(volume - at_planned_end)
    return WeighedBolus(
        volume_ul=float(volume),
        u_ul=float(u_g * z),
        tail_ul=tail,
        tail_percent=100.0 * tail / float(volume) if volume else 0.0,
        rest_s=rest_s,
        readings=min(int(before.sum()), int(after.sum())),
    )


def _variance_of_means(before: FloatArray, after: FloatArray) -> float:
    """The variance of the difference of two means, s1²/n1 + s2²/n2."""
    if before.size < 2 and after.size < 2:
        raise ValueError("a bolus needs at least two readings before its start or two after its plateau")
    variances = [float(side.var(ddof=1)) if side.size > 1 else None for side in (before, after)]
    known = [variance for variance in variances if variance is not None]
    first, second = (known[0] if variance is None else variance for variance in variances)
    return first / before.size + second / after.size


@dataclass(frozen=True, eq=False)
class BolusStatistics:
    """A series of boluses of one commanded size.

    Attributes:
        boluses: how many.
        programmed_ul: the commanded volume.
        volume_ul: (n,) each volume in the order of delivery, read-only.
        mean_ul, sd_ul, min_ul, max_ul: of the volumes; SD is n − 1.
        error_percent: (n,) error of each, of the command, read-only.
        mean_error_percent, min_error_percent, max_error_percent: of the errors.
        bins: boluses in <25, 25–<75, 75–<95, 95–<105, 105–<125, 125–<175, 175–250, >250 % of the command.
    """

    boluses: int
    programmed_ul: float
    volume_ul: FloatArray
    mean_ul: float
    sd_ul: float
    min_ul: float
    max_ul: float
    error_percent: FloatArray
    mean_error_percent: float
    min_error_percent: float
    max_error_percent: float
    bins: tuple[int, ...]

    def share_within_percent(self, limit_percent: float) -> float:
        """The share of boluses in % whose error lies within ± `limit_percent` of the command, ends included."""
        limit = not_negative("limit_percent", limit_percent)
        return float(100.0 * np.mean(np.abs(np.round(self.error_percent, ROUNDING_DECIMALS)) <= limit))


def bolus_statistics(volume_ul: ArrayLike, *, programmed_ul: float) -> BolusStatistics:
    """Mean, SD, extremes in µL, errors in % and the classes of 21 CFR 880.5730 of a series of boluses.

    Args:
        volume_ul: (n,) volumes in µL, n ≥ 2.
        programmed_ul: the commanded volume in µL.

    Raises:
        ValueError: with a sentence, on input that is not the above.
    """
    volumes = series("volume_ul", volume_ul, at_least=2).copy()
    programmed = positive("programmed_ul", programmed_ul)
    error = 100.0 * (volumes - programmed) / programmed
    return BolusStatistics(
        boluses=volumes.size,
        programmed_ul=programmed,
        volume_ul=frozen(volumes),
        mean_ul=float(volumes.mean()),
        sd_ul=float(volumes.std(ddof=1)),
        min_ul=float(volumes.min()),
        max_ul=float(volumes.max()),
        error_percent=frozen(error),
        mean_error_percent=float(error.mean()),
        min_error_percent=float(error.min()),
        max_error_percent=float(error.max()),
        bins=accuracy_bins(100.0 * volumes / programmed),
    )


def accuracy_bins(delivered_percent: ArrayLike) -> tuple[int, ...]:
    """Count values, shape (n,), in % of the command into the eight classes of 21 CFR 880.5730 labels."""
    values = np.round(series("delivered_percent", delivered_percent), ROUNDING_DECIMALS)
    classes = np.searchsorted(BINS_PERCENT, values, side="right")
    classes[values == BINS_PERCENT[-1]] = len(BINS_PERCENT) - 1
    return tuple(int(count) for count in np.bincount(classes, minlength=len(BINS_PERCENT) + 1))

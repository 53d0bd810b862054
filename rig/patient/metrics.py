"""Numbers by which glucose is judged: times in ranges, spread, GMI, risk indices; mg/dL throughout.

Ranges as the international consensus draws them (Battelino 2019, doi 10.2337/dci19-0028): 70 to 180 mg/dL are in range,
both included. One public package, py-agata, excludes them; another, iglu, follows the consensus, as this does. MAGE is
left out: no two public algorithms agree on it. Not responsible for filling gaps: a missing reading counts nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike

from rig.analysis.checks import FloatArray

MG_PER_DL_PER_MMOL_PER_L = 18.016
"""mg/dL of glucose in 1 mmol/L: its molar mass, 180.16 g/mol, over ten. Some packages take 18.018."""


@dataclass(frozen=True)
class Summary:
    """Glucose over some days, by readings.

    Attributes:
        readings: how many there were.
        days: from the first reading to the last.
        active_percent: readings there were, of those due at the usual distance of two.
        sd_mg_per_dl: with n - 1.
        gmi_percent: glucose management indicator, 3.31 + 0.02392 mean (Bergenstal 2018, doi 10.2337/dc18-1581).
        ea1c_percent: estimated A1C, (mean + 46.7) / 28.7 (Nathan 2008, doi 10.2337/dc08-0545).
        lbgi: low blood glucose index (Kovatchev 1997); `hbgi` the high one.
        gri: glycaemia risk index, at most 100 (Klonoff 2022, doi 10.1177/19322968221085273).
    """

    readings: int
    days: float
    active_percent: float
    mean_mg_per_dl: float
    sd_mg_per_dl: float
    cv_percent: float
    time_in_range_percent: float
    time_below_70_percent: float
    time_below_54_percent: float
    time_above_180_percent: float
    time_above_250_percent: float
    gmi_percent: float
    ea1c_percent: float
    lbgi: float
    hbgi: float
    gri: float


def summary(minutes: ArrayLike, glucose_mg_per_dl: ArrayLike) -> Summary:
    """Summarise glucose in mg/dL; a missing reading is NaN.

    Args:
        minutes: when each reading was, increasing.
        glucose_mg_per_dl: one reading a time.

    Raises:
        ValueError: fewer than two readings, times that do not increase, glucose of 1 mg/dL or less, for which the
            risk indices do not exist, or one that is infinite.
    """
    at, glucose = _series(minutes, glucose_mg_per_dl)
    there = glucose[~np.isnan(glucose)]
    if there.size < 2:
        raise ValueError(f"a summary needs two readings or more, got {there.size}")
    if (there <= 1.0).any():
        raise ValueError(f"glucose must be above 1 mg/dL, got {there.min():g}")
    mean, sd = float(there.mean()), float(there.std(ddof=1))
    percent = 100.0 / there.size
    very_low, low = float((there < 54.0).sum()) * percent, float((there < 70.0).sum()) * percent
    very_high, high = float((there > 250.0).sum()) * percent, float((there > 180.0).sum()) * percent
    risk = 1.509 * (np.log(there) ** 1.084 - 5.381)
    due = 1.0 + (at[-1] - at[0]) / float(np.median(np.diff(at)))
    return Summary(
        readings=int(there.size),
        days=float(at[-1] - at[0]) / 1440.0,
        active_percent=100.0 * there.size / max(float(there.size), round(due)),
        mean_mg_per_dl=mean,
        sd_mg_per_dl=sd,
        cv_percent=100.0 * sd / mean,
        time_in_range_percent=float(((there >= 70.0) & (there <= 180.0)).sum()) * percent,
        time_below_70_percent=low,
        time_below_54_percent=very_low,
        time_above_180_percent=high,
        time_above_250_percent=very_high,
        gmi_percent=3.31 + 0.02392 * mean,
        ea1c_percent=(mean + 46.7) / 28.7,
        lbgi=float((10.0 * np.minimum(risk, 0.0) ** 2).mean()),
        hbgi=float((10.0 * np.maximum(risk, 0.0) ** 2).mean()),
        gri=min(100.0, 3.0 * very_low + 2.4 * (low - very_low) + 1.6 * very_high + 0.8 * (high - very_high)),
    )


def summary_of_mmol_per_l(minutes: ArrayLike, glucose_mmol_per_l: ArrayLike) -> Summary:
    """Summarise glucose in mmol/L: turned into mg/dL with 18.016, then as `summary`; limits are those in mg/dL.

    10.0 mmol/L is 180.16 mg/dL, and so above the range.
    """
    at, glucose = _series(minutes, glucose_mmol_per_l)
    return summary(at, glucose * MG_PER_DL_PER_MMOL_PER_L)


@dataclass(frozen=True)
class PairedDifference:
    """Mean of the differences of pairs, with its interval by the bootstrap, in the unit of what was compared."""

    mean: float
    low: float
    high: float
    confidence: float
    pairs: int


def paired_difference(
    before: ArrayLike, after: ArrayLike, *, confidence: float = 0.95, resamples: int = 9999, seed: int = 1
) -> PairedDifference:
    """Compute how much a number differs between two treatments of the same persons, `after` less `before`.

    The interval is SciPy's bias-corrected and accelerated bootstrap over persons (Efron 1987); where all differ by the
    same, it is that difference.

    Raises:
        ValueError: the two do not pair, or there are fewer than three pairs.
    """
    one, two = np.asarray(before, dtype=float), np.asarray(after, dtype=float)
    if one.ndim != 1 or one.shape != two.shape or not (np.isfinite(one).all() and np.isfinite(two).all()):
        raise ValueError(f"pairs are two rows of as many finite numbers, got shapes {one.shape} and {two.shape}")
    if one.size < 3:
        raise ValueError(f"an interval needs three pairs or more, got {one.size}")
    difference = two - one
    mean = float(difference.mean())
    low = high = mean
    if np.ptp(difference) > 0.0:
        found = scipy.stats.bootstrap(
            (difference,), np.mean, confidence_level=confidence, n_resamples=resamples, method="BCa",
            rng=np.random.default_rng(seed),
        ).confidence_interval  # fmt: skip
        low, high = float(found.low), float(found.high)
    return PairedDifference(mean, low, high, confidence, int(one.size))


def _series(minutes: ArrayLike, glucose: ArrayLike) -> tuple[FloatArray, FloatArray]:
    try:
        at, values = np.asarray(minutes, dtype=float), np.asarray(glucose, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"minutes and glucose must hold numbers ({error})") from error
    if at.ndim != 1 or at.shape != values.shape:
        raise ValueError(f"minutes and glucose are two rows of one length, got shapes {at.shape} and {values.shape}")
    if at.size < 2 or not np.isfinite(at).all() or (np.diff(at) <= 0.0).any():
        raise ValueError("minutes must be two or more finite numbers that increase")
    if np.isinf(values).any():
        raise ValueError("glucose holds a value that is infinite; a missing reading is NaN")
    return at, values

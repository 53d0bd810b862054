"""Delivery dose by dose: the volume of every dose interval, which doses were left out, how strokes scatter.

Doses are told apart by the clock, not by their size: the phase of the delivery within the dose interval is found from
the record, and the record is cut where nothing flows. Not responsible for corrections of the volume (`gravimetry`)
nor for the time and uncertainty of one pulse (`steps`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rig.analysis.checks import FloatArray, frozen, positive, series, timed_series
from rig.analysis.dose_phase import MIN_SAMPLES_PER_DOSE, dose_phase

LOW_DOSE = 0.2
"""A dose interval with less than this share of the nominal dose is low. Why a fifth: at the top of the published stroke
noise, 29 %, Φ(−0.8/0.29) = 0.3 % of the honest strokes fall below it (below one half it would be 4 %), and a dose left
out stays below it as long as the line empties with a time constant under T/2.7 (docs/analysis.md)."""

MIN_DOSES = 3
"""A record holds at least so many dose intervals."""

LEAD_SHARE = 0.4
"""A dose interval begins this share of itself before the middle of its delivery: 40 % for doses that come early, 60 %
for the tail of the line."""


LATE_SHARE = 0.1
"""Samples may come so much of their time apart late as a rule: an instrument answers when it can."""

GAP_SHARE = 0.4
"""Two samples further apart than this share of a dose interval have a gap between them. Doses that arrive within a
fifth of the interval before an edge, as they do by `LEAD_SHARE`, have then been seen to end, or not to begin."""


@dataclass(frozen=True, eq=False)
class DoseVolumes:
    """Volume in µL of each dose interval.

    Attributes:
        starts_at_s: (n,) start of each interval, on the clock of the record, read-only.
        volume_ul: (n,) delivered in each interval, read-only.
        told: (n,) whether its edges are known, read-only; a dose beside a gap between samples belongs to either side.
        dose_interval_s: the interval as found from the record.
        pulsation: 0 for a steady flow, towards 1 for delivery concentrated in one moment of the interval.
    """

    starts_at_s: FloatArray
    volume_ul: FloatArray
    told: NDArray[np.bool_]
    dose_interval_s: float
    pulsation: float


def dose_volumes(at_s: ArrayLike, volume_ul: ArrayLike, *, dose_interval_s: float) -> DoseVolumes:
    """The volume in µL of every whole dose interval in the record.

    Args:
        at_s: (n,) times in s, rising.
        volume_ul: (n,) delivered volume in µL since any moment.
        dose_interval_s: from dose to dose as programmed; the record decides within ±2.5 %.

    Raises:
        ValueError: with a sentence, on input that is not the above, on a record shorter than three dose intervals, on
            samples that as a rule are further apart than a fifth of the interval, or where gaps between them leave
            fewer than three intervals.
    """
    times, volume = timed_series(at_s, "volume_ul", volume_ul)
    dose_interval_s = positive("dose_interval_s", dose_interval_s)
    _check_sampling(times, dose_interval_s)
    phase = dose_phase(times, volume, dose_interval_s)
    interval = phase.interval_s
    first = phase.middle_s - LEAD_SHARE * interval
    first += np.ceil((times[0] - first) / interval) * interval
    whole = int(np.floor((times[-1] - first) / interval + 1e-9))
    edges = first + interval * np.arange(whole + 1)
    doses = np.diff(np.interp(edges, times, volume))
    known = _known_edges(times, edges, interval)
    told = known[1:] & known[:-1]
    if np.count_nonzero(told) < MIN_DOSES:
        raise ValueError(
            f"gaps between samples leave {np.count_nonzero(told)} dose intervals of {interval:g} s, "
            f"{MIN_DOSES} are needed"
        )
    told.setflags(write=False)
    return DoseVolumes(frozen(edges[:-1].copy()), frozen(doses), told, interval, phase.pulsation)


def _check_sampling(times: FloatArray, dose_interval_s: float) -> None:
    duration = float(times[-1] - times[0])
    if duration < MIN_DOSES * dose_interval_s:
        raise ValueError(f"the record of {duration:g} s is shorter than three dose intervals of {dose_interval_s:g} s")
    usual_s = float(np.median(np.diff(times)))
    if usual_s > dose_interval_s / MIN_SAMPLES_PER_DOSE * (1.0 + LATE_SHARE):
        raise ValueError(
            f"samples must be at most a fifth of the dose interval of {dose_interval_s:g} s apart, "
            f"got {usual_s:g} s as a rule"
        )


def _known_edges(times: FloatArray, edges: FloatArray, interval_s: float) -> NDArray[np.bool_]:
    """Which edges lie between samples that are close enough to say on which side of it a dose came."""
    after = np.clip(np.searchsorted(times, edges), 1, times.size - 1)
    known: NDArray[np.bool_] = times[after] - times[after - 1] <= GAP_SHARE * interval_s
    return known


@dataclass(frozen=True, eq=False)
class MissedDoses:
    """Doses that were left out and not made up.

    Attributes:
        doses: dose intervals in the record that can be told.
        missed: doses left out.
        share_percent: missed of doses.
        missed_at_s: (missed,) start of the intervals without their dose, read-only.
    """

    doses: int
    missed: int
    share_percent: float
    missed_at_s: FloatArray


def missed_doses(at_s: ArrayLike, volume_ul: ArrayLike, *, dose_interval_s: float, dose_ul: float) -> MissedDoses:
    """Count the doses that were left out and not made up, and get their share in %.

    An interval is low when it holds less than a fifth of `dose_ul`. A run of low intervals lacks S = Σ (dose − v).
    What the interval just before or just after the run holds beyond one dose, E (the larger of the two, at least 0),
    makes up for it: a plunger that sticks and then slips delivers late, not less. The run counts
    floor((S − E)/dose + 1/2) missed doses, at most its length.

    Args:
        at_s: (n,) times in s, rising.
        volume_ul: (n,) delivered volume in µL.
        dose_interval_s: from dose to dose, as programmed.
        dose_ul: the programmed dose; not the mean found, which missed doses would lower.

    Raises:
        ValueError: as `dose_volumes`, or a dose that is not above 0.
    """
    dose_ul = positive("dose_ul", dose_ul)
    doses = dose_volumes(at_s, volume_ul, dose_interval_s=dose_interval_s)
    lacking = lacking_doses(doses.volume_ul, dose_ul=dose_ul) & doses.told
    missed, told = int(lacking.sum()), int(np.count_nonzero(doses.told))
    return MissedDoses(
        doses=told,
        missed=missed,
        share_percent=100.0 * missed / told,
        missed_at_s=frozen(doses.starts_at_s[lacking]),
    )


def lacking_doses(volume_ul: ArrayLike, *, dose_ul: float) -> NDArray[np.bool_]:
    """Tell which of consecutive dose volumes in µL, shape (n,), were left out by the rule of `missed_doses`."""
    volumes, dose_ul = series("volume_ul", volume_ul), positive("dose_ul", dose_ul)
    low = volumes < LOW_DOSE * dose_ul
    changes = np.flatnonzero(np.diff(np.concatenate([[False], low, [False]]).astype(np.int8)))
    lacking = np.zeros(volumes.size, dtype=np.bool_)
    for start, stop in changes.reshape(-1, 2):
        neighbours = volumes[[index for index in (start - 1, stop) if 0 <= index < volumes.size]]
        excess = max(0.0, float(neighbours.max(initial=0.0)) - dose_ul)
        shortage = float(np.sum(dose_ul - volumes[start:stop]))
        missed = min(int(stop - start), int(np.floor((shortage - excess) / dose_ul + 0.5)))
        emptiest = np.argsort(volumes[start:stop], kind="stable")[: max(0, missed)]
        lacking[start + emptiest] = True
    return lacking


@dataclass(frozen=True)
class StrokeStatistics:
    """How single doses scatter, in µL and in % of their mean; `sd_ul` is n − 1 and holds the weighing noise too."""

    doses: int
    mean_ul: float
    sd_ul: float
    min_ul: float
    max_ul: float
    cv_percent: float


def stroke_statistics(volume_ul: ArrayLike) -> StrokeStatistics:
    """Mean, SD, extremes in µL and coefficient of variation in % of single doses, shape (n,).

    Raises:
        ValueError: fewer than two doses, a value that is not finite, or a mean that is not above 0.
    """
    volumes = series("volume_ul", volume_ul, at_least=2)
    mean = positive("the mean of volume_ul", float(volumes.mean()))
    sd = float(volumes.std(ddof=1))
    return StrokeStatistics(
        doses=volumes.size,
        mean_ul=mean,
        sd_ul=sd,
        min_ul=float(volumes.min()),
        max_ul=float(volumes.max()),
        cv_percent=100.0 * sd / mean,
    )

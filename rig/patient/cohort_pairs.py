"""Two lives of each person, such as in open and in closed loop: what differs between them, with intervals.

The interval is over persons (`rig.patient.metrics.paired_difference`); what the weighing leaves open stands beside it
and is not in it. Not responsible for who is paired with whom.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rig.analysis.checks import FloatArray
from rig.patient.metrics import PairedDifference, Summary, paired_difference, summary

LEAST_PAIRS = 3
"""With fewer persons there is no interval."""
DAYS_FOR_GMI = 14.0
"""GMI and eA1C are read of two weeks or more (Battelino 2019); of less they are the mean in another unit."""
LOWEST_MG_PER_DL = 2.0
"""The risk indices do not exist for 1 mg/dL or less; the model may fall below."""


@dataclass(frozen=True)
class WeighedLife:
    """What a person lived on weighed insulin.

    Attributes:
        minute: 0 … n.
        glucose_mg_per_dl: at each.
        u_mg_per_dl: its U, what the weighing leaves open (k = 2).
        insulin_u: weighed in all, and its U.
    """

    minute: FloatArray
    glucose_mg_per_dl: FloatArray
    u_mg_per_dl: FloatArray
    insulin_u: float
    u_insulin_u: float


@dataclass(frozen=True)
class Metric:
    """A number by which a life is judged: its name, its unit, and how many decimals it is read with."""

    name: str
    unit: str
    places: int
    of: Callable[[Summary], float]


METRICS: tuple[Metric, ...] = (
    Metric("time below 54 mg/dL", "%", 1, lambda found: found.time_below_54_percent),
    Metric("time below 70 mg/dL", "%", 1, lambda found: found.time_below_70_percent),
    Metric("time in range, 70 to 180 mg/dL", "%", 1, lambda found: found.time_in_range_percent),
    Metric("time above 180 mg/dL", "%", 1, lambda found: found.time_above_180_percent),
    Metric("time above 250 mg/dL", "%", 1, lambda found: found.time_above_250_percent),
    Metric("mean glucose", "mg/dL", 1, lambda found: found.mean_mg_per_dl),
    Metric("GMI", "%", 2, lambda found: found.gmi_percent),
    Metric("CV", "%", 1, lambda found: found.cv_percent),
    Metric("LBGI", "", 2, lambda found: found.lbgi),
    Metric("HBGI", "", 2, lambda found: found.hbgi),
)
INSULIN = "weighed insulin"


@dataclass(frozen=True)
class PairedMetric:
    """One metric over all persons.

    Attributes:
        name, unit, places: as of the metric.
        before, after: of each person, in the order in which they were given.
        difference: `after` less `before`, with its interval over persons; None for fewer than three.
        u: what the weighing leaves open of the mean difference, k = 2, as if it erred alike for all persons.
    """

    name: str
    unit: str
    places: int
    before: tuple[float, ...]
    after: tuple[float, ...]
    difference: PairedDifference | None
    u: float

    @property
    def mean_difference(self) -> float:
        """`after` less `before`, mean of the persons."""
        return float(np.mean(np.subtract(self.after, self.before)))


def paired_metrics(
    before: Mapping[str, Sequence[WeighedLife]], after: Mapping[str, Sequence[WeighedLife]]
) -> tuple[PairedMetric, ...]:
    """Compare two lives of each person, each of one day or of several.

    A person's number is the mean of his days'.

    Raises:
        ValueError: the two do not hold the same persons with as many days, or hold none.
    """
    if not before or list(before) != list(after):
        raise ValueError("the same persons live twice, in the same order")
    if any(len(before[person]) != len(after[person]) or not before[person] for person in before):
        raise ValueError("a person lives as many days both times, and one at least")
    pairs = [tuple(_judged(lives[person]) for person in before) for lives in (before, after)]
    found = []
    for place, (name, unit, places) in enumerate(
        [*((each.name, each.unit, each.places) for each in METRICS), (INSULIN, "U", 2)]
    ):
        one, two = (tuple(value[place] for value, _ in side) for side in pairs)
        u = [float(np.hypot(first[1][place], second[1][place])) for first, second in zip(*pairs, strict=True)]
        interval = paired_difference(one, two) if len(one) >= LEAST_PAIRS else None
        found.append(PairedMetric(name, unit, places, one, two, interval, float(np.mean(u))))
    return tuple(found)


def _judged(days: Sequence[WeighedLife]) -> tuple[FloatArray, FloatArray]:
    """All metrics of a person's days and U of each: mean of the days."""
    each = [_day(day) for day in days]
    return np.mean([value for value, _ in each], axis=0), np.mean([u for _, u in each], axis=0)


def _day(day: WeighedLife) -> tuple[FloatArray, FloatArray]:
    """All metrics of a life, insulin last, and U of each: by how far they change with glucose all U lower or higher."""
    middle, low, high = (np.array([metric.of(_summary(day, sign)) for metric in METRICS]) for sign in (0.0, -1.0, 1.0))
    u = np.maximum(np.abs(low - middle), np.abs(high - middle))
    return np.append(middle, day.insulin_u), np.append(u, day.u_insulin_u)


def _summary(day: WeighedLife, sign: float) -> Summary:
    return summary(day.minute, np.maximum(day.glucose_mg_per_dl + sign * day.u_mg_per_dl, LOWEST_MG_PER_DL))

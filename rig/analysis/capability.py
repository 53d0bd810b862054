"""Capability: can this balance, this window and this n decide this limit? Asked before a run.

Not responsible for the pump, taken here as perfect: the room it has is what the uncertainty leaves of the limit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from rig.analysis.checks import not_negative, positive
from rig.analysis.gravimetry import MG_PER_G
from rig.analysis.uncertainty import K, WeighingUncertainty, bias_of_extremes
from rig.verdicts.limits import TOLERANCE_PER_U, Rule

LONGEST_WINDOW_H = 31 * 24.0
MOST_REPEATS = 100_000


class Statistic(Enum):
    """What of n values is held against the limit."""

    EACH = "each"
    MEAN = "mean"


@dataclass(frozen=True)
class Measurand:
    """What shall be weighed: n volumes in µL, each from two weighings `hours` apart.

    `is_rate` says that the volume grows with the time, so that a longer window is a remedy.
    """

    volume_ul: float
    hours: float
    n: int = 1
    statistic: Statistic = Statistic.EACH
    is_rate: bool = False

    def __post_init__(self) -> None:
        positive("volume_ul", self.volume_ul)
        positive("hours", self.hours)
        if self.n < 1:
            raise ValueError(f"n must be 1 or above, got {self.n!r}")


@dataclass(frozen=True)
class Decidability:
    """What a measurement will be worth, all in % of the programmed volume.

    Attributes:
        expanded_percent: U (k = 2) of what is held against the limit.
        bias_percent: how far noise may widen the extremes of n values; 0 for a mean.
        tolerance_percent: half the width of the limit.
        room_percent: what is left for the pump's own error; negative when nothing is.
        decidable: whether a perfect pump would pass.
        window_h: smallest window that decides, all else equal; None when it is not asked for or none does.
        repeatability_g: largest repeatability of the balance that decides; None when decidable, or none does.
        n: smallest n that decides by its mean, or largest that decides each; None when decidable, or none does.
        largest_source: what contributes most to U.
    """

    expanded_percent: float
    bias_percent: float
    tolerance_percent: float
    room_percent: float
    decidable: bool
    largest_source: str
    window_h: float | None = None
    repeatability_g: float | None = None
    n: int | None = None


def capability(
    measurand: Measurand,
    known: WeighingUncertainty,
    *,
    tolerance_percent: float,
    z_ul_per_mg: float,
    rule: Rule = Rule.GUARD_BAND,
) -> Decidability:
    """Assess whether a limit of ± `tolerance_percent` can be decided, and what would be needed if not.

    u² of one volume as in `uncertainty.delivered_volume`: 2 (s² + d²/12) from both weighings, which is the window floor
    u_rel = √2 s/m, plus calibration, evaporation, Z and immersion, common to all n. U = 2 u; noise widens the extremes
    of n values by u √(2 ln n) at most (`bias_of_extremes`). Guard band: U + bias ≤ tolerance; simple acceptance:
    bias ≤ tolerance and U ≤ tolerance/3.

    Raises:
        ValueError: input that is not the above.
    """
    tolerance, z = positive("tolerance_percent", tolerance_percent), positive("z_ul_per_mg", z_ul_per_mg)

    def assessed(asked: Measurand, with_known: WeighingUncertainty = known) -> Decidability:
        return _assess(asked, with_known, tolerance, z, rule)

    found = assessed(measurand)
    if found.decidable:
        return found
    per_hour_ul = measurand.volume_ul / measurand.hours
    return replace(
        found,
        window_h=_smallest(
            measurand.hours,
            LONGEST_WINDOW_H,
            lambda hours: assessed(replace(measurand, hours=hours, volume_ul=per_hour_ul * hours)).decidable,
        )
        if measurand.is_rate
        else None,
        repeatability_g=_largest(
            known.repeatability_g, lambda s: assessed(measurand, replace(known, repeatability_g=s)).decidable
        ),
        n=_other_n(measurand, lambda n: assessed(replace(measurand, n=n)).decidable),
    )


def _assess(measurand: Measurand, known: WeighingUncertainty, tolerance: float, z: float, rule: Rule) -> Decidability:
    volume_mg = measurand.volume_ul / (z * known.immersion_factor)
    percent_per_mg = 100.0 / volume_mg
    is_mean = measurand.statistic is Statistic.MEAN
    averaged = math.sqrt(measurand.n) if is_mean else 1.0
    both = math.sqrt(2.0) * MG_PER_G * percent_per_mg / averaged
    sources = {
        "repeatability": both * known.repeatability_g,
        "readability": both * known.readability_g / math.sqrt(12.0),
        "calibration": known.u_calibration_percent,
        "evaporation": percent_per_mg * known.u_evaporation_mg_per_h * measurand.hours,
        "Z factor": 100.0 * known.u_z_ul_per_mg / z,
        "wander of the blank": percent_per_mg * known.u_blank_g(measurand.hours) * MG_PER_G,
        "immersion of the tube": 100.0 * known.u_immersion / known.immersion_factor,
    }
    random = math.hypot(sources["repeatability"], sources["readability"])
    expanded = K * math.hypot(*sources.values())
    bias = 0.0 if is_mean else bias_of_extremes(random, measurand.n)
    room = tolerance - expanded - bias
    decidable = room >= 0
    if rule is Rule.SIMPLE_ACCEPTANCE:
        room = tolerance - bias
        decidable = room >= 0 and TOLERANCE_PER_U * expanded <= tolerance
    return Decidability(expanded, bias, tolerance, room, decidable, max(sources, key=lambda name: sources[name]))


def _smallest(from_value: float, to_value: float, decides: Callable[[float], bool]) -> float | None:
    """Bisect, on a scale of ratios, for the smallest value that decides, where each larger one does too."""
    if not decides(to_value):
        return None
    low, high = from_value, to_value
    while high / low > 1.0 + 1e-9:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if decides(middle) else (middle, high)
    return high


def _largest(from_value: float, decides: Callable[[float], bool]) -> float | None:
    """Bisect for the largest value below `from_value` that decides, where each smaller one does too."""
    low, high = 0.0, not_negative("repeatability_g", from_value)
    if not decides(low):
        return None
    while high - low > 1e-9 * from_value:
        middle = (low + high) / 2.0
        low, high = (middle, high) if decides(middle) else (low, middle)
    return low or None


def _other_n(measurand: Measurand, decides: Callable[[int], bool]) -> int | None:
    """Find the n nearest to the asked one that decides: more values for a mean, fewer where each counts."""
    undecided, decided = measurand.n, MOST_REPEATS if measurand.statistic is Statistic.MEAN else 1
    if not decides(decided):
        return None
    while abs(decided - undecided) > 1:
        middle = (decided + undecided) // 2
        undecided, decided = (undecided, middle) if decides(middle) else (middle, decided)
    return decided

"""Limits, measurements and verdicts: the words in which a result is stated.

Not responsible for where limits come from (the requirements file) nor for how a value was measured.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from rig.verdicts.quantities import Quantity
from rig.verdicts.rounding import without_exponent


class Verdict(Enum):
    """What can be said of a requirement. FAIL is the pump's, ERROR is the rig's; neither UNSET nor ERROR is a pass."""

    PASS = "PASS"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    ERROR = "ERROR"
    UNSET = "UNSET"
    NOT_APPLICABLE = "NOT APPLICABLE"


class Rule(Enum):
    """How a value and its uncertainty are held against a limit; a requirement states which."""

    GUARD_BAND = "guard band"
    SIMPLE_ACCEPTANCE = "simple acceptance"


_WORST_FIRST = (
    Verdict.FAIL,
    Verdict.ERROR,
    Verdict.INCONCLUSIVE,
    Verdict.UNSET,
    Verdict.PASS,
    Verdict.NOT_APPLICABLE,
)


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict that speaks for all of `verdicts`; UNSET when there is none."""
    return next((verdict for verdict in _WORST_FIRST if verdict in verdicts), Verdict.UNSET)


@dataclass(frozen=True)
class Limit:
    """An acceptance interval, ends included, in `unit`; an end that is None is open."""

    unit: str
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        ends = [end for end in (self.low, self.high) if end is not None]
        if not ends or not all(math.isfinite(end) for end in ends):
            raise ValueError(f"A limit needs at least one finite end, got low {self.low!r} and high {self.high!r}")
        if len(ends) == 2 and ends[0] > ends[1]:
            raise ValueError(f"A limit's low end must not exceed its high end, got {self.low!r} and {self.high!r}")

    @property
    def tolerance(self) -> float:
        """How far from its target a value may lie: half of an interval with two ends, else the size of its one end."""
        if self.low is not None and self.high is not None:
            return (self.high - self.low) / 2.0
        return max(abs(end) for end in (self.low, self.high) if end is not None)

    def __str__(self) -> str:
        low, high = (None if end is None else without_exponent(end) for end in (self.low, self.high))
        if low is None:
            return f"≤ {high} {self.unit}"
        if high is None:
            return f"≥ {low} {self.unit}"
        if self.low == -(self.high or 0.0):
            return f"±{high} {self.unit}"
        return f"{low} … {high} {self.unit}"


@dataclass(frozen=True)
class Measurement:
    """A measured value in its quantity's unit with its expanded uncertainty U; U is 0 for a count or a yes/no."""

    quantity: Quantity
    value: float
    expanded_uncertainty: float = 0.0

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise ValueError(f"{self.name} is not a finite number: {self.value!r}")
        if not (math.isfinite(self.expanded_uncertainty) and self.expanded_uncertainty >= 0):
            raise ValueError(f"{self.name}: the expanded uncertainty must be ≥ 0, got {self.expanded_uncertainty!r}")

    @property
    def name(self) -> str:
        """The printed form of its quantity."""
        return self.quantity.name

    @property
    def unit(self) -> str:
        """The unit of its quantity."""
        return self.quantity.unit


@dataclass(frozen=True)
class Decision:
    """A verdict, and one sentence on why there is no better one where the numbers alone do not tell."""

    verdict: Verdict
    reason: str | None = None


TOLERANCE_PER_U = 3.0
"""Simple acceptance asks for U ≤ limit/3: a true value beyond 4/3 of it is then accepted in 2.5 % of cases at most."""


def decide(measurement: Measurement, limit: Limit, rule: Rule = Rule.GUARD_BAND) -> Decision:
    """Decide a measurement against its limit by the stated rule: the only place where a value becomes a verdict.

    Guard band: PASS when value ± U lies inside, FAIL when it lies outside, INCONCLUSIVE when it straddles an end
    (JCGM 106:2012, 8.3.2 guarded acceptance and 8.3.3 guarded rejection, w = U).
    Simple acceptance: PASS when the value lies inside, FAIL when it lies outside (JCGM 106:2012, 8.2), provided that
    U ≤ `limit.tolerance`/3; INCONCLUSIVE with the reason otherwise.

    Raises:
        ValueError: the units differ.
    """
    if measurement.unit != limit.unit:
        raise ValueError(f"{measurement.name} is in {measurement.unit!r}, its limit in {limit.unit!r}")
    u, margin = measurement.expanded_uncertainty, measurement.expanded_uncertainty
    if rule is Rule.SIMPLE_ACCEPTANCE:
        if TOLERANCE_PER_U * u > limit.tolerance:
            return Decision(
                Verdict.INCONCLUSIVE,
                f"{measurement.name}: simple acceptance needs U ≤ {limit.tolerance / TOLERANCE_PER_U:.3g} "
                f"{limit.unit}, a third of the limit, and U is {u:.3g} {limit.unit}",
            )
        margin = 0.0
    low = -math.inf if limit.low is None else limit.low
    high = math.inf if limit.high is None else limit.high
    if low <= measurement.value - margin and measurement.value + margin <= high:
        return Decision(Verdict.PASS)
    if measurement.value + margin < low or measurement.value - margin > high:
        return Decision(Verdict.FAIL)
    return Decision(Verdict.INCONCLUSIVE)


def judge(measurement: Measurement, limit: Limit, rule: Rule = Rule.GUARD_BAND) -> Verdict:
    """The verdict of `decide`."""
    return decide(measurement, limit, rule).verdict

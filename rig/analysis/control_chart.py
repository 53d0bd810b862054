"""A control chart of individual values, and the rules by which a value is out of control.

Limits from the moving range of a baseline (NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.2); the eight tests
of Nelson 1984 (Journal of Quality Technology 16:237). Not responsible for what is charted, nor for any verdict.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rig.analysis.checks import FloatArray

BoolArray = NDArray[np.bool_]
LEAST_BASELINE = 5
"""Values that limits need at least; 20 or more are better."""
D2_OF_TWO = 1.128
"""Expected range of two normal values, in standard deviations."""

RULES = {
    1: "one value beyond 3 sigma",
    2: "nine in a row on one side of the centre",
    3: "six in a row, each higher or each lower than the one before",
    4: "fourteen in a row, up and down in turn",
    5: "two of three beyond 2 sigma on one side",
    6: "four of five beyond 1 sigma on one side",
    7: "fifteen in a row within 1 sigma",
    8: "eight in a row beyond 1 sigma, on either side",
}
"""Nelson's tests by their numbers; a test is told at the value that completes it."""


@dataclass(frozen=True)
class OutOfControl:
    """A rule that is met at a value, by its place from 0."""

    rule: int
    at: int

    @property
    def meaning(self) -> str:
        """The rule in words."""
        return RULES[self.rule]


@dataclass(frozen=True)
class ControlChart:
    """Centre and sigma in the unit of the values, from so many values of the baseline; what is out of control."""

    centre: float
    sigma: float
    baseline: int
    found: tuple[OutOfControl, ...]

    @property
    def limits(self) -> tuple[float, float]:
        """Three sigma below and above the centre."""
        return self.centre - 3.0 * self.sigma, self.centre + 3.0 * self.sigma


def control_chart(values: ArrayLike, baseline: int) -> ControlChart:
    """Chart values in their order.

    Args:
        values: one after the other, all of one unit.
        baseline: so many from the first give centre and sigma.

    Raises:
        ValueError: a value is no number, the baseline is shorter than five or longer than there are values.
    """
    x = np.asarray(values, dtype=float)
    if x.ndim != 1 or not np.isfinite(x).all():
        raise ValueError("a chart takes a row of finite numbers")
    if not LEAST_BASELINE <= baseline <= x.size:
        raise ValueError(f"a baseline has {LEAST_BASELINE} values or more, of {x.size}; got {baseline}")
    first = x[:baseline]
    centre = float(first.mean())
    sigma = float(np.abs(np.diff(first)).mean()) / D2_OF_TWO
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(x == centre, 0.0, (x - centre) / sigma) if sigma else np.sign(x - centre) * np.inf
    z = np.nan_to_num(z, nan=0.0, posinf=np.inf, neginf=-np.inf)
    found = [
        OutOfControl(rule, int(start) + length - 1)
        for rule, (length, meets) in _TESTS.items()
        if length <= z.size
        for start in np.flatnonzero(meets(np.lib.stride_tricks.sliding_window_view(z, length)))
    ]
    return ControlChart(centre, sigma, baseline, tuple(sorted(found, key=lambda each: (each.at, each.rule))))


def _steadily(z: FloatArray) -> BoolArray:
    steps = np.diff(z)
    return _all(steps > 0.0) | _all(steps < 0.0)


def _in_turn(z: FloatArray) -> BoolArray:
    steps = np.sign(np.diff(z))
    return _all(steps != 0.0) & _all(steps[:, 1:] == -steps[:, :-1])


def _beyond(z: FloatArray, count: int, sigmas: float) -> BoolArray:
    """So many beyond on one side, the last of them, too: else the run was told before."""
    above, below = z > sigmas, z < -sigmas
    told = ((above.sum(axis=1) >= count) & above[:, -1]) | ((below.sum(axis=1) >= count) & below[:, -1])
    return np.asarray(told, dtype=bool)


def _all(met: BoolArray) -> BoolArray:
    return np.asarray(met.all(axis=1))


_TESTS: dict[int, tuple[int, Callable[[FloatArray], BoolArray]]] = {
    1: (1, lambda z: np.abs(z[:, 0]) > 3.0),
    2: (9, lambda z: _all(z > 0.0) | _all(z < 0.0)),
    3: (6, _steadily),
    4: (14, _in_turn),
    5: (3, lambda z: _beyond(z, 2, 2.0)),
    6: (5, lambda z: _beyond(z, 4, 1.0)),
    7: (15, lambda z: _all(np.abs(z) < 1.0)),
    8: (8, lambda z: _all(np.abs(z) > 1.0)),
}
"""By rule: how many values it looks at, and which rows of so many meet it."""

"""Linear compartments with inputs that are held for a minute, solved exactly, whole blocks of minutes at a time.

Not responsible for which compartments a model has.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import scipy

from rig.analysis.checks import FloatArray

BLOCK = 16
"""Minutes that are solved by one product of matrices."""


class Compartments:
    """x' = A x + b u + c of n persons side by side, u held for each minute.

    Args:
        a: shape (n, k, k), 1/min.
        b: shape (n, k).
        c: shape (n, k).
    """

    def __init__(self, a: FloatArray, b: FloatArray, c: FloatArray) -> None:
        n, k = b.shape
        self._whole = carry, gain, shift = _held(a, b, c, 1.0)
        self._half = _held(a, b, c, 0.5)
        powers, shifts, responses = [np.broadcast_to(np.eye(k), (n, k, k))], [np.zeros((n, k))], [gain]
        for _ in range(BLOCK):
            powers.append(carry @ powers[-1])
            shifts.append((carry @ shifts[-1][..., None])[..., 0] + shift)
            responses.append((carry @ responses[-1][..., None])[..., 0])
        by_minute = np.zeros((n, BLOCK, k, BLOCK))
        for minute in range(BLOCK):
            for held in range(minute + 1):
                by_minute[:, minute, :, held] = responses[minute - held]
        self._of_start = np.stack(powers[1:], axis=1).reshape(n, BLOCK * k, k)
        self._of_input = by_minute.reshape(n, BLOCK * k, BLOCK)
        self._of_nothing = np.stack(shifts[1:], axis=1).reshape(n, BLOCK * k)

    def course(self, start: FloatArray, u: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Solve the states at each minute, the start included, and in the middle of each.

        Args:
            start: shape (n, k).
            u: the input of each minute, shape (minutes, n).

        Returns:
            Shapes (minutes + 1, n, k) and (minutes, n, k).
        """
        minutes = len(u)
        n, k = start.shape
        x = np.empty((minutes + 1, n, k))
        x[0] = start
        for first in range(0, minutes, BLOCK):
            size = min(BLOCK, minutes - first)
            given = np.zeros((n, BLOCK, 1))
            given[:, :size, 0] = u[first : first + size].T
            solved = (self._of_start @ x[first][..., None] + self._of_input @ given)[..., 0] + self._of_nothing
            x[first + 1 : first + 1 + size] = solved.reshape(n, BLOCK, k).transpose(1, 0, 2)[:size]
        carry, gain, shift = self._half
        return x, (carry @ x[:-1, ..., None])[..., 0] + u[..., None] * gain + shift

    def of_a_minute(self) -> FloatArray:
        """The matrix of a minute of the first person, shape (2 k, k + 2).

        On x, u and 1 below one another it gives x after the minute, and below it x after half of it.
        """
        halves = ((carry[0], gain[0], shift[0]) for carry, gain, shift in (self._whole, self._half))
        return np.vstack([np.column_stack(each) for each in halves])


def _held(a: FloatArray, b: FloatArray, c: FloatArray, step_min: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Solve a step with u held: x after it is carry x + gain u + shift (van Loan 1978)."""
    n, k = b.shape
    block = np.zeros((n, k + 2, k + 2))
    block[:, :k, :k], block[:, :k, k], block[:, :k, k + 1] = a, b, c
    solved = scipy.linalg.expm(block * step_min)
    return solved[:, :k, :k], solved[:, :k, k], solved[:, :k, k + 1]


def drained_weights(rate: FloatArray, step_min: float) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Weights by which x' = in(t) - rate x is solved over a step, `in` a parabola through start, middle and end.

    Returns:
        The weights of x before, and of `in` at the start, in the middle and at the end; each of the shape of `rate`.
        The integrals are taken by Gauss-Legendre quadrature with 12 nodes: exact to rounding where rate x step is
        below 5.
    """
    nodes, weights = np.polynomial.legendre.leggauss(12)
    s = 0.5 * (nodes + 1.0)
    remaining = np.exp(-np.multiply.outer(rate, (1.0 - s) * step_min)) * weights * 0.5 * step_min
    shapes: tuple[Callable[[FloatArray], FloatArray], ...] = (
        lambda s: (1.0 - s) * (1.0 - 2.0 * s),
        lambda s: 4.0 * s * (1.0 - s),
        lambda s: s * (2.0 * s - 1.0),
    )
    start, middle, end = ((remaining * shape(s)).sum(axis=-1) for shape in shapes)
    return np.exp(-rate * step_min), start, middle, end


@cache
def parabola_weights(steps: int) -> tuple[tuple[float, ...], ...]:
    """Weights by which `steps` + 1 equidistant values of a course become those of a parabola at 0, 1/2 and 1.

    It has the same integrals against 1, t and t² as the course, which is integrated by Simpson's rule; `steps` is even.
    """
    t = np.linspace(0.0, 1.0, steps + 1)
    simpson = np.full(steps + 1, 2.0)
    simpson[1::2] = 4.0
    simpson[[0, -1]] = 1.0
    shapes = np.array(((1.0 - t) * (1.0 - 2.0 * t), 4.0 * t * (1.0 - t), t * (2.0 * t - 1.0)))
    products = np.array(((4.0, 2.0, -1.0), (2.0, 16.0, 2.0), (-1.0, 2.0, 4.0))) / 30.0
    found = np.linalg.solve(products, shapes * simpson / (3.0 * steps))
    return tuple(tuple(row) for row in found.tolist())

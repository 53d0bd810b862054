"""The few functions that differ between one person (floats) and a cohort (arrays), so that a model is written once.

Floats are some twenty times faster than arrays of one element. Not responsible for equations.
"""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np

from rig.analysis.checks import FloatArray

Number = Any
"""A float of one person, or an array with one value a person."""


class Arithmetic(Protocol):
    """What a model's equations need beyond plain arithmetic."""

    def tanh(self, x: Number, /) -> Number:
        """Hyperbolic tangent."""

    def exp(self, x: Number, /) -> Number:
        """Exponential."""

    def above(self, x: Number, floor: float, /) -> Number:
        """`x`, but no less than `floor`."""

    def below(self, x: Number, ceiling: float, /) -> Number:
        """`x`, but no more than `ceiling`."""

    def choose(self, which: Number, this: Number, other: Number, /) -> Number:
        """`this` where `which` is true, else `other`."""

    def highest(self, x: Number, /) -> float:
        """The highest value of all persons."""

    def rows(self, *columns: FloatArray) -> list[tuple[Number, ...]]:
        """Lay columns of shape (minutes, persons) out as one tuple of numbers a minute."""


class OfFloats:
    """For one person."""

    tanh = staticmethod(math.tanh)
    exp = staticmethod(math.exp)

    @staticmethod
    def above(x: float, floor: float) -> float:
        """`x`, but no less than `floor`."""
        return x if x > floor else floor

    @staticmethod
    def below(x: float, ceiling: float) -> float:
        """`x`, but no more than `ceiling`."""
        return x if x < ceiling else ceiling

    @staticmethod
    def choose(which: bool, this: float, other: float) -> float:
        """`this` where `which` is true, else `other`."""
        return this if which else other

    @staticmethod
    def highest(x: float) -> float:
        """The value of the one person."""
        return x

    @staticmethod
    def rows(*columns: FloatArray) -> list[tuple[float, ...]]:
        """Lay the columns of the one person out as one tuple of floats a minute."""
        return list(zip(*(column[:, 0].tolist() for column in columns), strict=True))


class OfArrays:
    """For a cohort: one value a person."""

    tanh = staticmethod(np.tanh)
    exp = staticmethod(np.exp)
    above = staticmethod(np.maximum)
    below = staticmethod(np.minimum)
    choose = staticmethod(np.where)

    @staticmethod
    def highest(x: Number) -> float:
        """The highest value of all persons."""
        return float(np.max(x))

    @staticmethod
    def rows(*columns: FloatArray) -> list[tuple[FloatArray, ...]]:
        """Lay columns out as one tuple of arrays a minute."""
        return list(zip(*columns, strict=True))

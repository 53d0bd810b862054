"""Numbers as they are written: exact fractions, so that 0.3 U is six steps of 0.05 U and never five.

Not responsible for units.
"""

from __future__ import annotations

import math
from fractions import Fraction

Number = int | float | Fraction


def exact(number: Number) -> Fraction:
    """Take a number as the fraction that its shortest decimal says: 0.1 is 1/10."""
    return Fraction(repr(number)) if isinstance(number, float) else Fraction(number)


def rounded_down(number: Number, step: Number) -> Fraction:
    """Round down to a multiple of `step`, both in one unit."""
    return math.floor(exact(number) / exact(step)) * exact(step)


def rounded_up(number: Number, step: Number) -> Fraction:
    """Round up to a multiple of `step`, both in one unit."""
    return math.ceil(exact(number) / exact(step)) * exact(step)

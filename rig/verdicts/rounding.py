"""Numbers as a reader sees them: rounded to their uncertainty (JCGM 100:2008, 7.2.6), never with an exponent.

Not responsible for signs and spaces of print (`reports.words`).
"""

from __future__ import annotations

import math
from decimal import Decimal


def decimals(expanded_uncertainty: float) -> int:
    """How many decimals show an uncertainty to two significant digits."""
    exponent = math.floor(math.log10(float(f"{expanded_uncertainty:.1e}")))
    return max(0, 1 - exponent)


def rounded(value: float, expanded_uncertainty: float) -> tuple[str, str]:
    """Round a value to the digits of its uncertainty; without one, a value has four digits and "" beside it."""
    if expanded_uncertainty == 0.0:
        return four_digits(value), ""
    places = decimals(expanded_uncertainty)
    return f"{value:z.{places}f}", f"{expanded_uncertainty:.{places}f}"


def four_digits(value: float) -> str:
    """Write a value with four significant digits, and whole numbers with all of theirs."""
    return f"{value:.0f}" if abs(value) >= 1e4 else without_exponent(value, 4)


def without_exponent(value: float, digits: int = 6) -> str:
    """Write a number with so many significant digits, without zeros at its end."""
    return f"{Decimal(f'{value:.{digits}g}'):f}"


def value_text(value: float, expanded_uncertainty: float, unit: str) -> str:
    """Write a value with its U, where it has one, and its unit; one of a thing is not called several."""
    number, u = rounded(value, expanded_uncertainty)
    said = f"{number} ± {u} {unit}" if u else f"{number} {singular(unit) if number == '1' else unit}"
    return said.rstrip()


def singular(unit: str) -> str:
    """Leave the plural away of a unit that is a word, such as "stops"; symbols have none."""
    if len(unit) < 4 or not unit.isalpha() or not unit.endswith("s"):
        return unit
    return f"{unit[:-3]}y" if unit.endswith("ies") else unit[:-1]

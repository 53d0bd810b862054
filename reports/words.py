"""Numbers and moments as a reader sees them: rounded to their uncertainty, with true minus signs and units.

Not responsible for what a number means.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from decimal import Decimal

from rig import errors
from rig.verdicts.limits import Limit

SIMULATED = "SIMULATED — no evidence about any device"
NOT_FORMAL = "NOT FORMAL — not made under the conditions of a formal run"

NBSP = "\N{NO-BREAK SPACE}"
NONE = "–"


def minus(text: str) -> str:
    """Write hyphens that stand for minus as minus signs."""
    return text.replace("-", "−")


def decimals(expanded_uncertainty: float) -> int:
    """How many decimals show an uncertainty to two significant digits (JCGM 100:2008, 7.2.6)."""
    exponent = math.floor(math.log10(float(f"{expanded_uncertainty:.1e}")))
    return max(0, 1 - exponent)


def value_and_uncertainty(value: float, expanded_uncertainty: float) -> tuple[str, str]:
    """Round a value to the digits of its uncertainty; without one, a value has four digits and "" beside it.

    Both end at the same digit (JCGM 100:2008, 7.2.6), and none is written with an exponent.
    """
    if expanded_uncertainty == 0.0:
        return minus(four_digits(value)), ""
    places = decimals(expanded_uncertainty)
    return minus(f"{value:z.{places}f}"), f"{expanded_uncertainty:.{places}f}"


def four_digits(value: float) -> str:
    """Write a value with four significant digits, whole numbers with all of theirs, and never with an exponent."""
    return f"{value:.0f}" if abs(value) >= 1e4 else f"{Decimal(f'{value:.4g}'):f}"


def quantity(value: float | None, unit: str, places: int, *, signed: bool = False) -> str:
    """Write a value with so many decimals and its unit; a dash for None."""
    if value is None:
        return NONE
    text = f"{value:{'+' if signed else ''}z.{places}f}"
    return f"{minus(text)}{NBSP}{unit}" if unit else minus(text)


def limit_text(limit: Limit) -> str:
    """Write a limit with its unit, on one line."""
    return minus(str(limit)).replace(" ", NBSP)


def duration(seconds: float) -> str:
    """Write a duration in the two largest units that say it, such as "2 h 45 min", rounded to the smaller one."""
    whole = round(seconds)
    if whole >= 3600:
        whole = (whole + 30) // 60 * 60
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return f"{hours}{NBSP}h{NBSP}{minutes:02d}{NBSP}min"
    if minutes:
        return f"{minutes}{NBSP}min{NBSP}{rest:02d}{NBSP}s"
    return f"{rest}{NBSP}s"


def moment_in_words(utc: datetime | None) -> str:
    """Write a UTC moment to the second; "not ended" for None."""
    return f"{utc.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if utc else "not ended"


def span(low_high: tuple[float, float], unit: str, places: int) -> str:
    """Write the range of a quantity, or one value when both ends read the same."""
    low, high = (minus(f"{end:z.{places}f}") for end in low_high)
    return f"{low}{NBSP}{unit}" if low == high else f"{low}…{high}{NBSP}{unit}"


def and_list(parts: list[str]) -> str:
    """Join parts into prose: "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def plain_reason(message: str) -> str:
    """Leave out the class name before an error of the rig: the sentence after it says all. Other names stay."""
    name, separator, sentence = message.partition(": ")
    return sentence if separator and hasattr(errors, name) else message

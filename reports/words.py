"""Numbers and moments as a reader sees them: rounded to their uncertainty, with true minus signs and units.

Not responsible for what a number means.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from rig import errors
from rig.verdicts import rounding
from rig.verdicts.limits import Limit

SIMULATED = "SIMULATED — no evidence about any device"
NOT_FORMAL = "NOT FORMAL — not made under the conditions of a formal run"

NBSP = "\N{NO-BREAK SPACE}"
NONE = "–"


def minus(text: str) -> str:
    """Write hyphens that stand for minus as minus signs."""
    return text.replace("-", "−")


def value_and_uncertainty(value: float, expanded_uncertainty: float) -> tuple[str, str]:
    """Round a value to the digits of its uncertainty; without one, a value has four digits and "" beside it."""
    number, u = rounding.rounded(value, expanded_uncertainty)
    return minus(number), u


def with_unit(value: float, expanded_uncertainty: float, unit: str) -> str:
    """Write a value with its U, where it has one, and its unit, on one line."""
    return minus(rounding.value_text(value, expanded_uncertainty, unit)).replace(" ", NBSP)


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


def together(said: Iterable[tuple[str, str]]) -> str:
    """Name together those of whom the same is said: what, and of whom."""
    of: dict[str, list[str]] = {}
    for what, name in said:
        of.setdefault(what, []).append(name)
    return "; ".join(f"{what}: {', '.join(names)}" for what, names in of.items())


def and_list(parts: list[str]) -> str:
    """Join parts into prose: "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def plain_reason(message: str) -> str:
    """Leave out the class name before an error of the rig: the sentence after it says all. Other names stay."""
    name, separator, sentence = message.partition(": ")
    return sentence if separator and hasattr(errors, name) else message

"""A person's parameters as they come: a mapping from names to numbers or to text that is one.

Not responsible for what a parameter means (the models).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

FASTEST_PER_MIN = 2.0
"""The highest rate constant that a minute's steps resolve; the fastest of the published persons is below 1."""
SHORTEST_MIN = 1.0 / FASTEST_PER_MIN
LARGEST = 1e6
"""No parameter of a person is larger in its unit."""


def parameter_of(parameters: Mapping[str, Any], *names: str) -> float:
    """Take a parameter by the first of its names that is there.

    Raises:
        ValueError: it is missing, or no finite number.
    """
    for name in names:
        if name in parameters:
            break
    else:
        raise ValueError(f"parameter {names[0]!r} is missing")
    given = parameters[name]
    try:
        number = float(given)
    except (TypeError, ValueError):
        number = math.nan
    if isinstance(given, bool) or not math.isfinite(number):
        raise ValueError(f"parameter {name!r} must be a finite number, got {given!r}")
    return number


def above_zero(parameters: Mapping[str, float], *names: str) -> None:
    """Refuse parameters that are not above 0; ValueError names the first."""
    for name in names:
        if not parameters[name] > 0.0:
            raise ValueError(f"parameter {name!r} must be above 0, got {parameters[name]:g}")


def none_below_zero(parameters: Mapping[str, float], *names: str) -> None:
    """Refuse parameters, all where none is named, that are negative; ValueError names the first."""
    for name in names or parameters:
        if not parameters[name] >= 0.0:
            raise ValueError(f"parameter {name!r} must be 0 or more, got {parameters[name]:g}")


def at_most(parameters: Mapping[str, float], most: float, *names: str) -> None:
    """Refuse parameters above the most that can be computed; ValueError names the first."""
    for name in names:
        if parameters[name] > most:
            raise ValueError(f"parameter {name!r} must be {most:g} or less, got {parameters[name]:g}")

"""What every analysis refuses: input that is not what it is called. Each refusal is a ValueError with one sentence.

Not responsible for repairing anything: a gap, a NaN or a masked sample is named, never filled.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


def positive(name: str, value: float) -> float:
    """`value` as a float; ValueError unless it is a finite number above 0."""
    number = finite(name, value)
    if number <= 0:
        raise ValueError(f"{name} must be above 0, got {value!r}")
    return number


def not_negative(name: str, value: float) -> float:
    """`value` as a float; ValueError unless it is a finite number, 0 or above."""
    number = finite(name, value)
    if number < 0:
        raise ValueError(f"{name} must not be negative, got {value!r}")
    return number


def finite(name: str, value: float) -> float:
    """`value` as a float; ValueError unless it is a finite number."""
    if isinstance(value, bool | np.bool_ | str | bytes):
        raise ValueError(f"{name} must be a number, got {value!r}")
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a number, got {value!r}") from None
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite, got {value!r}")
    return number


def series(name: str, values: ArrayLike, *, at_least: int = 1) -> FloatArray:
    """`values` as a float64 array of shape (n,), n ≥ `at_least`, not copied when it is one already.

    Raises:
        ValueError: not numbers, not one-dimensional, too short, masked, or not finite (names the first bad index).
    """
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise ValueError(f"{name} has masked samples, the first at index {int(np.argmax(values.mask))}")
    try:
        array = np.asarray(values)
    except ValueError:
        raise ValueError(f"{name} must be a one-dimensional array of numbers, got rows of different lengths") from None
    if array.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, got shape {array.shape}")
    if array.size < at_least:
        raise ValueError(f"{name} is too short: {array.size} samples, at least {at_least} are needed")
    if array.dtype.kind not in "fiu":
        raise ValueError(f"{name} must hold real numbers, got {array.dtype}")
    numbers = array.astype(np.float64, copy=False)
    if not (math.isfinite(numbers.min()) and math.isfinite(numbers.max())):
        index = int(np.argmin(np.isfinite(numbers)))
        raise ValueError(f"{name} must be finite, got {numbers[index]} at index {index}")
    return numbers


def timed_series(at_s: ArrayLike, name: str, values: ArrayLike, *, at_least: int = 2) -> tuple[FloatArray, FloatArray]:
    """Times in s and the values measured at them, both of shape (n,).

    Raises:
        ValueError: as `series`, different lengths, or times that do not rise (names the first bad index).
    """
    times, numbers = series("at_s", at_s, at_least=at_least), series(name, values, at_least=at_least)
    if times.size != numbers.size:
        raise ValueError(f"at_s and {name} must be equally long, got {times.size} and {numbers.size} samples")
    steps = np.diff(times)
    if steps.size and steps.min() <= 0:
        index = int(np.argmax(steps <= 0)) + 1
        raise ValueError(f"at_s must rise, got {times[index]!s} s after {times[index - 1]!s} s at index {index}")
    return times, numbers


def whole_multiple(name: str, value: float, unit_name: str, unit: float) -> int:
    """How many times `unit` fits into `value`; ValueError unless it is a whole number, 1 or above.

    A relative 1e-9 is allowed for values such as 0.1 that binary numbers cannot hold.
    """
    ratio = value / unit
    whole = round(ratio)
    if whole < 1 or abs(ratio - whole) > 1e-9 * ratio:
        raise ValueError(f"{name} must be a whole multiple of {unit_name}, got {value:g} with {unit_name} {unit:g}")
    return whole


def frozen(array: FloatArray) -> FloatArray:
    """Make `array` read-only and return it, so that a frozen result is frozen all through."""
    array.setflags(write=False)
    return array
